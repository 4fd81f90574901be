"""The graph in the Mermaid language, which many Markdown pages render."""

from __future__ import annotations

from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.scene.building import single_view_of
from tinygrad_lite.viz.scene.colour import Colouring
from tinygrad_lite.viz.scene.theme import FILL, SCALE
from tinygrad_lite.viz.words import plain

ENDS = {
    "input": ("([", "])"),
    "output": ("([", "])"),
    "param": ("[/", "/]"),
    "buffer": ("[/", "/]"),
    "const": ("[/", "/]"),
}


def escape(text: str) -> str:
    """Return ``text`` for a quoted label: Mermaid and HTML markup becomes character codes.

    >>> escape('a "b" <i>')
    'a #34;b#34; #60;i#62;'
    """
    return "".join(f"#{ord(c)};" if c in '"<>&#`\\;{}[]()|*_~%$@' else c for c in plain(text))


def to_mermaid(graph: Graph) -> str:
    """Return a Mermaid flowchart; open modules are subgraphs, arguments are numbered."""
    scene = single_view_of(graph).visible()
    view = scene.view
    colouring = Colouring(graph, scene)
    out = [f"flowchart {graph.look.rankdir}"]
    names: dict[str, str] = {}
    work: list[tuple[str, str, int]] = [("group", "", 0)]
    count = 0
    while work:
        kind, id, depth = work.pop()
        pad = "  " * depth
        if kind == "end":
            out.append(f"{pad}end")
        elif kind == "group" and id in scene.items:
            if id:
                count += 1
                out.append(f'{pad}subgraph g{count}["{escape(view.groups[id].title)}"]')
                work.append(("end", "", depth))
            work.extend((k, i, depth + 1) for k, i in reversed(scene.items[id]))
        else:
            names[id] = f"n{len(names)}"
            box = view.boxes.get(id)
            lines = box.lines if box is not None else view.groups[id].lines
            a, b = ENDS.get(box.node.kind if box is not None else "", ("[", "]"))
            label = "<br/>".join(escape(text) for text, _ in lines)
            out.append(f'{pad}{names[id]}{a}"{label}"{b}')
    for link in scene.links:
        arrow = "-.->" if link.style == "saved" else "-->"
        out.append(f"  {names[link.src]} {arrow}{f'|{link.label}|' if link.label else ''} {names[link.dst]}")
    dark = graph.look.theme == "dark"
    styles: dict[str, list[str]] = {}
    for id, name in names.items():
        styles.setdefault(colouring.heat.get(id) or colouring.kinds[id], []).append(name)
    for kind, members in styles.items():
        colours = FILL.get(kind) or SCALE[kind]
        ink = "#e8eaed" if dark else "#1c2127"
        out.append(f"  classDef {kind} fill:{colours[2 * dark]},stroke:{colours[2 * dark + 1]},color:{ink}")
        out.append(f"  class {','.join(members)} {kind}")
    return "\n".join(out) + "\n"
