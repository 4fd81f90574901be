"""The graph in the DOT language, through the graphviz package."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

from tinygrad_lite.errors import require
from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.scene.building import single_view_of
from tinygrad_lite.viz.scene.colour import Colouring
from tinygrad_lite.viz.scene.theme import FILL, PAPER, SCALE
from tinygrad_lite.viz.scene.view import Group, Scene
from tinygrad_lite.viz.words import plain

SECONDS = 20
"""Time limit of the ``dot`` program."""

MOST = 1000
"""Graphs with more boxes are not passed to ``dot``."""


def escape(text: str) -> str:
    """Return ``text`` for a quoted string in DOT, without any meaning of its backslashes."""
    return plain(text).replace("\\", "\\\\")


def to_graphviz(graph: Graph) -> Any:
    """Return a ``graphviz.Digraph``: boxes as nodes, open modules as clusters, arguments numbered."""
    graphviz = require("graphviz", extra="dev")
    look = graph.look
    scene = single_view_of(graph).visible()
    dark = int(look.theme == "dark")
    paper = {name: pair[dark] for name, pair in PAPER.items()}
    dot = graphviz.Digraph(
        "graph",
        graph_attr={"rankdir": look.rankdir, "bgcolor": paper["back"], "fontname": "Helvetica",
                    "fontcolor": paper["soft"]},
        node_attr={"shape": "box", "style": "rounded,filled", "fontname": "Helvetica", "fontsize": "10",
                   "fontcolor": paper["ink"], "margin": "0.1,0.05", "height": "0.2"},
        edge_attr={"color": paper["line"], "fontname": "Helvetica", "fontsize": "8", "fontcolor": paper["soft"],
                   "arrowsize": "0.6"},
    )  # fmt: skip
    if look.title:
        dot.attr(label=graphviz.escape(plain(look.title)), labelloc="t")
    colouring = Colouring(graph, scene)
    names: dict[str, str] = {}
    clusters: dict[str, Any] = {"": dot}
    for group, inside in scene.items.items():
        if group:
            clusters[group] = cluster(graphviz, scene.view.groups[group], len(clusters), paper)
        for kind, id in inside:
            if kind == "group" and id in scene.items:
                continue
            names[id] = f"n{len(names)}"
            node(graphviz, clusters[group], names[id], id, scene, colouring, dark)
    for group in reversed(list(scene.items)):
        if group:
            clusters[scene.parent[group]].subgraph(clusters[group])
    for link in scene.links:
        attributes = {"headlabel": link.label} if link.label else {}
        if link.style == "saved":
            attributes["style"] = "dashed"
        dot.edge(names[link.src], names[link.dst], **attributes)
    return dot


def to_dot(graph: Graph) -> str:
    """Return the graph in the DOT language."""
    return str(to_graphviz(graph).source)


def cluster(graphviz: Any, group: Group, number: int, paper: dict[str, str]) -> Any:
    """Return the cluster of an open group."""
    style = "rounded,bold" if group.kind == "repeat" else "rounded"
    return graphviz.Digraph(
        f"cluster_{number}",
        graph_attr={"label": graphviz.escape(plain(group.title)), "style": style, "color": paper["line"],
                    "fontname": "Helvetica", "fontsize": "10", "labeljust": "l"},
    )  # fmt: skip


def node(graphviz: Any, into: Any, name: str, id: str, scene: Scene, colouring: Any, dark: int) -> None:
    """Add one box."""
    view = scene.view
    box = view.boxes.get(id)
    lines = box.lines if box is not None else view.groups[id].lines
    kind = colouring.heat.get(id) or colouring.kinds[id]
    fill, border = (FILL.get(kind) or SCALE[kind])[2 * dark : 2 * dark + 2]
    label = "\\n".join(graphviz.escape(plain(text)) for text, _ in lines)
    more = (
        {"penwidth": "2.5", "color": PAPER["mark"][dark]} if any(r == "mark" for _, r in lines) else {"color": border}
    )
    into.node(name, label=graphviz.nohtml(label), fillcolor=fill, tooltip=graphviz.escape(plain(id)), **more)


def rendered(graph: Graph, form: str) -> bytes:
    """Return what the ``dot`` program draws; empty if it is missing, fails, is too slow, or the graph too large."""
    boxes = sum(len(inside) for inside in single_view_of(graph).visible().items.values())
    program = shutil.which("dot")
    if program is not None and boxes <= MOST:
        try:
            done = subprocess.run(
                [program, f"-T{form}"], input=to_dot(graph).encode(), capture_output=True, timeout=SECONDS, check=True
            )
            return done.stdout
        except (subprocess.SubprocessError, OSError):
            pass
    return b""
