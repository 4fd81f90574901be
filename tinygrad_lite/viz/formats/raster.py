"""PNG and PDF: by resvg, matplotlib, or the ``dot`` program, whichever is installed."""

from __future__ import annotations

import io
from typing import Any

from tinygrad_lite.errors import MissingExtra, require
from tinygrad_lite.viz.formats.dot import rendered
from tinygrad_lite.viz.formats.legend import ROW, places
from tinygrad_lite.viz.formats.svg import to_svg
from tinygrad_lite.viz.layout.measure import LINE, PAD_Y
from tinygrad_lite.viz.layout.place import Picture, Rect, place
from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.scene.building import view_of
from tinygrad_lite.viz.scene.colour import Colouring
from tinygrad_lite.viz.scene.theme import FILL, PAPER, SCALE
from tinygrad_lite.viz.scene.view import Scene
from tinygrad_lite.viz.words import plain

POINT = 0.75
"""A pixel of the picture in points."""


def to_png(graph: Graph, scale: float = 2.0) -> bytes:
    """Return the picture as PNG, ``scale`` pixels per unit. Raises MissingExtra."""
    if graph.look.engine != "graphviz":
        try:
            resvg = require("resvg_py", extra="image")
            theme = "dark" if graph.look.theme == "dark" else "light"
            return bytes(
                resvg.svg_to_bytes(svg_string=to_svg(graph.looking(engine="builtin"), theme), zoom=round(scale))
            )
        except MissingExtra:
            pass
        try:
            return painted(graph, "png", scale)
        except MissingExtra:
            pass
    return by_dot(graph, "png")


def to_pdf(graph: Graph) -> bytes:
    """Return the picture as PDF, text as text. Raises MissingExtra."""
    if graph.look.engine != "graphviz":
        try:
            return painted(graph, "pdf", 1.0)
        except MissingExtra:
            pass
    return by_dot(graph, "pdf")


def by_dot(graph: Graph, form: str) -> bytes:
    """Return the picture that ``dot`` draws; raise MissingExtra if it cannot."""
    data = rendered(graph, form)
    if not data:
        raise MissingExtra(
            f"a {form.upper()} needs an optional package that is not installed: pip install 'tinygrad_lite[image]' "
            f"(or [plot]); SVG and HTML need nothing"
        )
    return data


# ------------------------------------------------------------------------------------------------ matplotlib
def painted(graph: Graph, form: str, scale: float) -> bytes:
    """Draw the built-in layout with matplotlib."""
    agg: Any = require("matplotlib.backends.backend_agg", extra="plot")
    module: Any = require("matplotlib.figure", extra="plot")
    scene = view_of(graph).visible()
    picture = place(scene)
    dark = int(graph.look.theme == "dark")
    paper = {name: pair[dark] for name, pair in PAPER.items()}
    heads = ([graph.look.title] if graph.look.title else []) + list(graph.notes)
    top = 22.0 * len(heads)
    colouring = Colouring(graph, scene)
    width = max(picture.w, 320.0)
    entries = places(colouring, width, picture.h + top) if graph.look.legend else []
    height = (entries[-1][3] if entries else picture.h + top - ROW) + ROW + 4
    figure = module.Figure(figsize=(width / 96, height / 96), dpi=96 * scale, facecolor=paper["back"])
    agg.FigureCanvasAgg(figure)
    axes: Any = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    for i, text in enumerate(heads):
        write(axes, 16, 18 + 22 * i, text, paper["ink"] if i == 0 else paper["soft"], 9, left=True)
    frames(axes, scene, picture, top, paper)
    wires(axes, scene, picture, top, paper)
    for start, end, y in picture.ties:
        tie(axes, (start, y), (end, y), top, picture.sideways, paper)
    for r in picture.boxes:
        box(axes, scene, r, top, colouring, dark, paper)
    for kind, words, x, y in entries:
        legend(axes, kind, words, x, y, dark, paper)
    data = io.BytesIO()
    # no date and no version, so that the same picture is the same file
    metadata = {"Software": None} if form == "png" else {"CreationDate": None, "Producer": None, "Creator": None}
    figure.savefig(data, format=form, facecolor=paper["back"], metadata=metadata)
    return data.getvalue()


def write(axes: Any, x: float, y: float, text: str, colour: str, size: float, left: bool = False, **more: Any) -> None:
    """Write one line of text; ``$`` does not start mathematics."""
    axes.text(
        x, y, plain(text), color=colour, fontsize=size * 0.92, ha="left" if left else "center", va="baseline",
        parse_math=False, **more,
    )  # fmt: skip


def frames(axes: Any, scene: Scene, picture: Picture, top: float, paper: dict[str, str]) -> None:
    """Draw the open modules."""
    patches: Any = require("matplotlib.patches", extra="plot")

    for r in picture.frames:
        group = scene.view.groups[r.id]
        deep = len(scene.view.chain(r.id)) % 2 == 0
        for shift in (4, 0) if group.kind == "repeat" else (0,):
            axes.add_patch(
                patches.FancyBboxPatch(
                    (r.x + shift, r.y + top + shift), r.w, r.h, boxstyle="round,pad=0,rounding_size=7",
                    facecolor=paper["back" if deep else "inside"], edgecolor=paper["frame"],
                    linewidth=1.5 if group.kind == "repeat" else POINT,
                )
            )  # fmt: skip
        write(axes, r.x + 9, r.y + top + 14, group.title, paper["soft"], 10.5 * POINT, left=True)


def wires(axes: Any, scene: Scene, picture: Picture, top: float, paper: dict[str, str]) -> None:
    """Draw the edges."""
    patches: Any = require("matplotlib.patches", extra="plot")
    path: Any = require("matplotlib.path", extra="plot").Path

    for p in picture.paths:
        points: list[tuple[float, float]] = [p.strokes[0][:2]]
        codes = [path.MOVETO]
        last: tuple[float, float] | None = None
        for x, a, b in p.strokes:
            if last is not None:
                middle = (last[1] + a) / 2
                points += [(last[0], middle), (x, middle), (x, a)]
                codes += [path.CURVE4] * 3
            points.append((x, b))
            codes.append(path.LINETO)
            last = (x, b)
        if picture.sideways:
            points = [(y, x) for x, y in points]
        if points[-1] == points[-2]:  # an arrow needs a direction
            points, codes = points[:-1], codes[:-1]
        moved = [(x, y + top) for x, y in points]
        link = scene.links[p.link]
        axes.add_patch(
            patches.FancyArrowPatch(
                path=path(moved, codes), arrowstyle="-|>" if p.arrow else "-", mutation_scale=8 * POINT,
                linestyle="--" if link.style == "saved" else "-", color=paper["line"], linewidth=1.1 * POINT,
                shrinkA=0, shrinkB=0,
            )
        )  # fmt: skip
        if p.arrow and link.label:
            x, y = moved[-1]
            a, b = (x - 9, y - 4 if p.left else y + 11) if picture.sideways else (x - 10 if p.left else x + 4, y - 5)
            write(axes, a, b, link.label, paper["soft"], 9 * POINT, left=True)


def tie(
    axes: Any, a: tuple[float, float], b: tuple[float, float], top: float, sideways: bool, paper: dict[str, str]
) -> None:  # fmt: skip
    """Draw the arrow from a box to its gradient box."""
    patches: Any = require("matplotlib.patches", extra="plot")
    ends = [(y, x + top) if sideways else (x, y + top) for x, y in (a, b)]
    axes.add_patch(
        patches.FancyArrowPatch(
            *ends, arrowstyle="-|>", mutation_scale=8 * POINT, linestyle="--", color=paper["line"],
            linewidth=1.1 * POINT, shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip


def box(axes: Any, scene: Scene, r: Rect, top: float, colouring: Colouring, dark: int, paper: dict[str, str]) -> None:
    """Draw one box."""
    patches: Any = require("matplotlib.patches", extra="plot")

    known = scene.part(r.id)
    lines = known.lines
    kind = colouring.heat.get(r.id) or colouring.kinds[r.id]
    fill, border = (FILL.get(kind) or SCALE[kind])[2 * dark : 2 * dark + 2]
    marked = any(role == "mark" for _, role in lines)
    axes.add_patch(
        patches.FancyBboxPatch(
            (r.x, r.y + top), r.w, r.h, boxstyle="round,pad=0,rounding_size=6", facecolor=fill,
            edgecolor=paper["mark"] if marked else border, linewidth=2 if marked else 1,
            linestyle="--" if marked or "closed" in colouring.classes(r.id).split() else "-",
        )
    )  # fmt: skip
    y = r.y + top + (r.h - LINE * len(lines)) / 2 + PAD_Y + 6
    for text, role in lines:
        quiet = role in ("shape", "note", "op")
        colour = paper["ink"] if r.id in colouring.heat else paper.get(role) or paper["soft" if quiet else "ink"]
        more: dict[str, Any] = {"fontweight": "bold"} if role in ("head", "mark") else {}
        if role == "value":
            more["family"] = "monospace"
        write(axes, r.x + r.w / 2, y, text, colour, (12 if role == "head" else 10.5) * POINT, **more)
        y += LINE


def legend(axes: Any, kind: str, words: str, x: float, y: float, dark: int, paper: dict[str, str]) -> None:
    """Draw one entry of the legend."""
    patches: Any = require("matplotlib.patches", extra="plot")
    fill, border = (FILL.get(kind) or SCALE[kind])[2 * dark : 2 * dark + 2]
    axes.add_patch(patches.Rectangle((x, y), 14, 11, facecolor=fill, edgecolor=border, linewidth=1))
    write(axes, x + 20, y + 9.5, words, paper["soft"], 10.5 * POINT, left=True)
