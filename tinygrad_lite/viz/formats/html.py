"""The picture as one offline page: modules expand and collapse, with search, zoom, details and a legend."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from tinygrad_lite.errors import visible
from tinygrad_lite.viz.formats.svg import ARROW, escape
from tinygrad_lite.viz.layout.measure import BODY, box_size, text_width
from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.scene.boxes import Line
from tinygrad_lite.viz.scene.building import view_of
from tinygrad_lite.viz.scene.colour import Colouring
from tinygrad_lite.viz.scene.theme import FILL, FONT, HEAT, MIDDLE, MONO, PAPER, SCOPE, css
from tinygrad_lite.viz.scene.tips import tip
from tinygrad_lite.viz.scene.twins import SUFFIX, Twin
from tinygrad_lite.viz.scene.view import NUMBERED, Group, View
from tinygrad_lite.viz.words import plain

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'"


@cache
def part(name: str) -> str:
    """Return the text of a file in this folder."""
    return files("tinygrad_lite.viz.formats").joinpath(name).read_text("utf-8")


def data_of(view: View, colouring: Any) -> dict[str, Any]:
    """Return the data of the page, ready for JSON."""
    graph = view.graph

    def sized(lines: list[Line]) -> list[Any]:
        return [[[plain(t), role] for t, role in lines], *box_size(lines)]

    boxes = []
    for box in view.boxes.values():
        sums = box.node.kind == "grad"
        boxes.append([box.id, colouring.kind(box.id), *sized(box.lines), tip(box.node), box.parent, sums])
    groups = []
    for g in view.groups.values():
        title = plain(g.title)
        place = [g.parent, g.kind, g.first, g.last, g.open, g.repeat, g.length, g.period]
        groups.append([g.id, title, *place, *sized(g.lines), text_width(title, BODY), css_of(colouring, g)])
    kind = {n.id: n.kind for n in graph.nodes}
    edges = [
        [e.src, e.dst, e.arg_index, e.out_index, "saved" if kind[e.dst] == "grad" and kind[e.src] != "grad" else ""]
        for e in graph.edges
        if e.src in view.boxes and e.dst in view.boxes
    ]
    twins = {}
    for id in (*view.boxes, *view.groups):
        twin = view.twin(id) if id else None
        if twin is not None:
            css = colouring.heat.get(twin.id, "grad") + (" closed" if twin.node is None and not single(twin) else "")
            twins[id] = [twin.id, css, *sized(twin.lines), twin.tip, bool(twin.uses)]
    if view.whole is not None:
        pairs = [(e, e.dst.removesuffix(SUFFIX), e.src.removesuffix(SUFFIX)) for e in view.whole.edges]
        edges += [
            [a, b, -1, e.out_index, "grad"]
            for e, a, b in pairs
            if a + SUFFIX == e.dst and b + SUFFIX == e.src and a in view.boxes and b in view.boxes
        ]
    return {
        "twins": twins,
        "boxes": boxes, "groups": groups, "edges": edges, "steps": view.steps.ids, "rankdir": graph.look.rankdir,
        "numbered": NUMBERED, "items": [[g.id, [[k == "box", i] for k, i in g.items]] for g in view.groups.values()],
    }  # fmt: skip


def single(twin: Twin) -> bool:
    """Whether a gradient box stands beside a layer of the library."""
    return twin.call is not None and twin.call.single


def css_of(colouring: Colouring, group: Group) -> str:
    """Return the classes of a collapsed group."""
    kind = "closed" if not group.single else colouring.kind_of(group.id)
    return " ".join(dict.fromkeys((colouring.heat.get(group.id, kind), kind if group.single else "closed")))


def make_room(data: dict[str, Any], replay: dict[str, Any]) -> None:
    """Add a line to every box that the replay writes into."""
    longest: dict[str, str] = {}
    for step in replay["steps"]:
        for id, (_, words) in step["heat"].items():
            longest[id] = max(longest.get(id, ""), words, key=len)
    for thing, at in (*((b, 2) for b in data["boxes"]), *((g, 10) for g in data["groups"])):
        if thing[0] in longest:
            lines = [*thing[at], [longest[thing[0]], "replay"]]
            thing[at : at + 3] = [lines, *box_size([(t, r) for t, r in lines])]


def variables(dark: int) -> str:
    """Return the colours of the page as CSS variables."""
    return "".join(f"--{name}:{pair[dark]};" for name, pair in PAPER.items())


def style(theme: str, used: set[str]) -> str:
    """Return the style sheet of the page."""
    fonts = f":root{{--font:{FONT};--mono:{MONO};}}"
    if theme == "page":
        own = ":root{" + "".join(f"--{name}:{colour};" for name, colour in MIDDLE.items()) + "}"
        return fonts + own + css(theme, used) + part("viewer.css") + ":root{color-scheme:normal}"
    if theme == "auto":
        own = f":root{{{variables(0)}}}@media(prefers-color-scheme:dark){{:root{{{variables(1)}}}}}"
    else:
        own = f":root{{{variables(int(theme == 'dark'))}color-scheme:{theme}}}"
    return fonts + own + css(theme, used) + part("viewer.css")


def title_of(graph: Graph) -> str:
    """Return the title of a page: the given one, or the class of the model."""
    roots = [c.cls for c in graph.calls if not c.parent and not c.cls.startswith("∂ ")]
    return graph.look.title or (roots[0] if len(roots) == 1 else "computation graph")


def to_html(graph: Graph, replay: dict[str, Any] | None = None) -> str:
    """Return the page; ``replay`` holds recorded training steps for a slider."""
    view = view_of(graph)
    colouring = Colouring(graph, view.visible())
    used = set(FILL) | set(HEAT)
    data = data_of(view, colouring)
    entries = colouring.everything() if graph.look.legend else []
    if replay:
        data["replay"] = replay
        entries = [*entries, *replay["legend"]]
        make_room(data, replay)
    # "<" is escaped, so that no text can end the script element
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    text = re.sub("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]", lambda found: "\\" + visible(found[0]), text)
    title = escape(title_of(graph))
    legend = "".join(
        f'<span><svg class="{SCOPE}" viewBox="0 0 16 12"><g class="{name}">'
        f'<rect x="1" y="1" width="14" height="10" rx="3"/></g></svg>{escape(words)}</span>'
        for name, words in entries
    )
    notes = "".join(f"<span>{escape(note)}</span>" for note in graph.notes)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style(graph.look.theme, used)}</style></head>\n<body>\n"
        f'<header><h1>{title}</h1><input id="find" type="search" placeholder="find: name, op, shape" '
        f'aria-label="find a node"><span id="found" aria-live="polite"></span>'
        f'<button id="open">expand all</button><button id="close">collapse all</button><button id="fit">fit</button>'
        f'<span class="hint">click a module to expand it, its title to collapse it; drag to pan, '
        f"scroll to zoom, / to search</span>"
        f'<span id="replay" hidden><input id="step" type="range" min="0" value="0" aria-label="training step"> '
        f'<span id="at"></span></span></header>\n'
        f'<main><svg id="canvas" class="{SCOPE}" xmlns="http://www.w3.org/2000/svg">{ARROW}<g id="view"></g></svg>'
        f'<svg id="map" class="{SCOPE}" xmlns="http://www.w3.org/2000/svg" aria-hidden="true" hidden></svg>'
        f'<pre id="details" hidden></pre></main>\n'
        f'<footer id="legend">{legend}{notes}</footer>\n'
        f'<script id="data" type="application/json">{text}</script>\n'
        f"<script>{part('layout.js')}{part('viewer.js')}</script>\n</body></html>\n"
    )
