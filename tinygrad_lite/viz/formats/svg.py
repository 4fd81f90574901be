"""The picture as SVG: text, rectangles and curves, no scripts and nothing to load."""

from __future__ import annotations

from tinygrad_lite.viz.formats.dot import rendered
from tinygrad_lite.viz.formats.legend import ROW, places
from tinygrad_lite.viz.layout.level import Stroke
from tinygrad_lite.viz.layout.measure import LINE, PAD_Y, text_width
from tinygrad_lite.viz.layout.place import Path, Picture, Rect, place
from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.scene.boxes import NOUNS
from tinygrad_lite.viz.scene.building import view_of
from tinygrad_lite.viz.scene.colour import Colouring
from tinygrad_lite.viz.scene.theme import SCOPE, css
from tinygrad_lite.viz.scene.tips import tip
from tinygrad_lite.viz.scene.view import Scene
from tinygrad_lite.viz.words import plain

ARROW = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto-start-reverse"><path class="tip" d="M0 .5L8 4L0 7.5z"/></marker></defs>'
)


def escape(text: str) -> str:
    """Return ``text`` escaped for XML and HTML, also inside quotes.

    >>> escape('<b "&">')
    '&lt;b &quot;&amp;&quot;&gt;'
    """
    text = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#39;")


def number(x: float) -> str:
    """Return a coordinate in few characters, the same on every machine."""
    text = f"{x:.1f}"
    return text[:-2] if text.endswith(".0") else text


def to_svg(graph: Graph, theme: str | None = None) -> str:
    """Return the picture of ``graph``; the built-in layout replaces a missing or slow ``dot`` program."""
    look = graph.look
    if look.engine == "graphviz":
        picture = rendered(graph, "svg")
        if picture:
            return picture.decode()
    scene = view_of(graph).visible()
    return drawn(scene, place(scene), Colouring(graph, scene), theme or look.theme)


def drawn(scene: Scene, picture: Picture, colouring: Colouring, theme: str) -> str:
    """Return a placed scene as SVG."""
    graph = scene.view.graph
    look = graph.look
    heading = [("head", look.title)] if look.title else []
    heading += [("note", note) for note in graph.notes]
    top = 22 * len(heading) + (8 if heading else 0)
    width = max([picture.w, *(text_width(t, 12, "head") + 32 for _, t in heading)])
    out: list[str] = []
    for rect in picture.frames:
        frame(out, scene, rect)
    for path in picture.paths:
        edge(out, scene, path, picture)
    for start, end, y in picture.ties:
        a, b = pair(start, y, picture.sideways), pair(end, y, picture.sideways)
        out.append(f'<path class="edge saved" d="M{a}L{b}" marker-end="url(#tip)"/>')
    for rect in picture.boxes:
        box(out, scene, rect, colouring)
    legend: list[str] = []
    low = picture.h
    if look.legend:
        low = write_legend(legend, colouring, max(width, 320), picture.h)
        width = max(width, 320)
    lines = [
        f'<text class="{role}" x="16" y="{22 * (i + 1)}">{escape(t)}</text>' for i, (role, t) in enumerate(heading)
    ]
    w, h = number(width), number(top + low)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{SCOPE}" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
        f'role="img">'
        f"<title>{escape(look.title or 'computation graph')}</title>"
        f"<style>{css(theme, colouring.used)}</style>"
        f'{ARROW}<rect class="back" width="{w}" height="{h}"/>'
        + "".join(lines)
        + (f'<g transform="translate(0 {top})">\n' if top else "<g>\n")
        + "\n".join(out)
        + "\n"
        + "\n".join(legend)
        + "</g></svg>\n"
    )


def write_legend(out: list[str], colouring: Colouring, width: float, top: float) -> float:
    """Write the legend below ``top``; return its bottom."""
    y = top + 4
    for name, words, x, y in places(colouring, width, top):
        out.append(
            f'<g class="{name}"><rect x="{number(x)}" y="{number(y)}" width="14" height="11" rx="3"/>'
            f'<text class="note" x="{number(x + 20)}" y="{number(y + 9.5)}">{escape(words)}</text></g>'
        )
    return y + ROW + 4


def frame(out: list[str], scene: Scene, r: Rect) -> None:
    """Draw the border and title of an open group."""
    group = scene.view.groups[r.id]
    depth = len(scene.view.chain(r.id))
    classes = "frame" + (" deep" if depth % 2 == 0 else "") + (" repeat" if group.kind == "repeat" else "")
    box_ = f'x="{number(r.x)}" y="{number(r.y)}" width="{number(r.w)}" height="{number(r.h)}" rx="7"'
    if group.kind == "repeat":
        # a second border behind: there are several of these
        behind = f'x="{number(r.x + 4)}" y="{number(r.y + 4)}" width="{number(r.w)}" height="{number(r.h)}" rx="7"'
        out.append(f'<rect class="{classes}" {behind}/>')
    out.append(f'<rect class="{classes}" {box_}/>')
    if group.title:
        out.append(f'<text class="title" x="{number(r.x + 9)}" y="{number(r.y + 14)}">{escape(group.title)}</text>')


def edge(out: list[str], scene: Scene, path: Path, picture: Picture) -> None:
    """Draw one piece of an edge, and the number of the argument where it arrives."""
    link = scene.links[path.link]
    style = f"edge {link.style}".strip()
    arrow = ' marker-end="url(#tip)"' if path.arrow else ""
    out.append(f'<path class="{style}" d="{curve(path.strokes, picture.sideways)}"{arrow}/>')
    if path.arrow and link.arg >= 0 and link.label:
        x, _, y = path.strokes[-1]
        a, b = (y - 9, x - 4 if path.left else x + 11) if picture.sideways else (x - 10 if path.left else x + 4, y - 5)
        out.append(f'<text class="arg" x="{number(a)}" y="{number(b)}">{escape(link.label)}</text>')


def curve(strokes: list[Stroke], sideways: bool) -> str:
    """Return strokes and the bends between them as an SVG path."""
    go = "H" if sideways else "V"
    x, a, b = strokes[0]
    d = ["M" + pair(x, a, sideways)]
    if number(a) != number(b):  # a piece of zero length has no direction, so its arrow would have none
        d.append(go + number(b))
    for (x1, _, b1), (x2, a2, b2) in zip(strokes, strokes[1:], strict=False):
        if number(x1) == number(x2):
            d.append(go + number(b2))
            continue
        middle = (b1 + a2) / 2
        d.append("C" + " ".join(pair(*p, sideways) for p in ((x1, middle), (x2, middle), (x2, a2))))
        if number(a2) != number(b2):
            d.append(go + number(b2))
    return "".join(d)


def pair(x: float, y: float, sideways: bool) -> str:
    """Return a point, its coordinates exchanged if the flow runs sideways."""
    return f"{number(y)} {number(x)}" if sideways else f"{number(x)} {number(y)}"


def box(out: list[str], scene: Scene, r: Rect, colouring: Colouring) -> None:
    """Draw one box with its lines."""
    part = scene.part(r.id)
    lines, node = part.lines, part.node
    classes = colouring.classes(r.id)
    rx = min(r.h / 2, 16) if node is not None and node.kind in NOUNS else 6
    size = f'x="{number(r.x)}" y="{number(r.y)}" width="{number(r.w)}" height="{number(r.h)}" rx="{number(rx)}"'
    text = []
    y = r.y + (r.h - LINE * len(lines)) / 2 + PAD_Y + 6
    for line, role in lines:
        text.append(f'<text class="{role}" x="{number(r.x + r.w / 2)}" y="{number(y)}">{escape(line)}</text>')
        y += LINE
    said = escape_lines(tip(node) if node is not None else part.title)
    out.append(f'<g class="{classes}"><title>{said}</title><rect {size}/>{"".join(text)}</g>')


def escape_lines(text: str) -> str:
    """Return text of several lines for a tooltip."""
    return "\n".join(map(escape, text.split("\n")))
