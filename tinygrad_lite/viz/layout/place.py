"""The layout of a whole scene: every open group by itself, innermost first, then all combined."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinygrad_lite.viz.layout.level import Item, Placed, Stroke, Wire, place_level
from tinygrad_lite.viz.layout.measure import BODY, box_size, text_width
from tinygrad_lite.viz.scene.twins import SUFFIX
from tinygrad_lite.viz.scene.view import Scene

BAND = 20.0
PAD = 12.0
MARGIN = 16.0
TIE = 36.0
"""The least space between a box and its gradient box."""


@dataclass(slots=True)
class Rect:
    """A placed box or frame: its id, left, top, width, height."""

    id: str
    x: float
    y: float
    w: float
    h: float


@dataclass(slots=True)
class Path:
    """A piece of an edge between two borders.

    ``arrow``: it ends in an arrow. ``link``: the index of the edge in the scene. ``left``: it ends left of the middle.
    """

    strokes: list[Stroke]
    arrow: bool
    link: int
    left: bool = False


@dataclass
class Picture:
    """The finished layout. Frames come outermost first. With ``sideways`` the strokes run along x."""

    w: float = 0.0
    h: float = 0.0
    boxes: list[Rect] = field(default_factory=list)
    frames: list[Rect] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    ties: list[tuple[float, float, float]] = field(default_factory=list)
    """(from, to, along) of the arrows from a box to its gradient box, across the flow."""
    sideways: bool = False


@dataclass(slots=True)
class Inside:
    """The inside of an open group: its items, and their position in the frame."""

    items: list[Item]
    wires: list[Wire]
    placed: Placed
    across: float
    along: float
    shift: float  # of what is placed, across the flow
    start: float  # and along it


def levels(scene: Scene) -> tuple[dict[str, list[Item]], dict[str, list[Wire]]]:
    """Return items and wires of every open group; a link that crosses borders has a wire in each group it touches."""
    items: dict[str, list[Item]] = {}
    index: dict[str, dict[tuple[str, str], int]] = {}
    for group, inside in scene.items.items():
        index[group] = {}
        items[group] = []
        for kind, id in inside:
            index[group][kind, id] = len(items[group])
            items[group].append(Item("group" if kind == "group" and id in scene.items else "box", id))
    wires: dict[str, dict[tuple[int, int, str, int], Wire]] = {g: {} for g in scene.items}
    kind_of = {id: kind for inside in scene.items.values() for kind, id in inside}

    def at(group: str, kind: str, key: str) -> int:
        known = index[group]
        if (kind, key) not in known:
            known[kind, key] = len(items[group])
            items[group].append(Item(kind, key))
        return known[kind, key]

    def wire(group: str, src: int, dst: int, value: str, arg: int, link: int) -> None:
        side = int(scene.links[link].style == "grad")
        wires[group].setdefault((src, dst, value, arg), Wire(src, dst, value, link, side))

    chain: dict[str, list[str]] = {"": []}
    for group in scene.items:  # outer groups come before inner ones
        if group:
            chain[group] = [*chain[scene.parent[group]], group]
    for k, link in enumerate(scene.links):
        a, b = chain[scene.parent[link.src]], chain[scene.parent[link.dst]]
        common = 0
        while common < min(len(a), len(b)) and a[common] == b[common]:
            common += 1
        value = link.origin
        here = (kind_of[link.src], link.src)
        for group in a[common:][::-1]:
            wire(group, at(group, *here), at(group, "out", value), value, -2, k)
            here = ("group", group)
        there = (kind_of[link.dst], link.dst)
        arg = link.arg
        for group in b[common:][::-1]:
            wire(group, at(group, "in", value), at(group, *there), value, arg, k)
            there, arg = ("group", group), -2
        shared = a[common - 1] if common else ""
        wire(shared, at(shared, *here), at(shared, *there), value, arg, k)
    return items, {g: list(w.values()) for g, w in wires.items()}


def place(scene: Scene) -> Picture:
    """Return the position of every box, frame and edge of a scene."""
    look = scene.view.graph.look
    sideways, backwards = look.rankdir in ("LR", "RL"), look.rankdir in ("BT", "RL")
    items, wires = levels(scene)
    inside: dict[str, Inside] = {}
    apart = distance(scene, sideways)
    for group in reversed(list(scene.items)):
        inside[group] = place_group(scene, group, items[group], wires[group], inside, sideways, backwards, apart)
    root = inside[""]
    picture = Picture(sideways=sideways)
    corner: dict[str, tuple[float, float]] = {"": (0.0, 0.0)}
    for group in scene.items:
        here = inside[group]
        x, y = corner[group]
        if group:
            picture.frames.append(Rect(group, x, y, here.across, here.along))
        for it, cx, cy in zip(here.items, here.placed.across, here.placed.along, strict=True):
            left, top = x + cx + here.shift - it.across / 2, y + cy + here.start - it.along / 2
            if it.kind == "group":
                corner[it.key] = (left, top)
            elif it.kind == "box":
                add_boxes(picture, scene, it, left, top)
        for w, line in zip(here.wires, here.placed.strokes, strict=True):
            moved = [(x + s + here.shift, y + p + here.start, y + q + here.start) for s, p, q in line]
            # a branch begins where it leaves the trunk, not at the border
            if here.items[w.src].kind == "in" and line[0][1] == here.placed.along[w.src]:
                moved[0] = (moved[0][0], y, moved[0][2])
            if here.items[w.dst].kind == "out":
                moved[-1] = (moved[-1][0], moved[-1][1], y + here.along)
            if w.side:
                begins = here.items[w.src].kind == "box" and line[0][1] > here.placed.along[w.src]
                picture.paths.append(Path([(s, q, p) for s, p, q in moved[::-1]], begins, w.link))
                continue
            left = moved[-1][0] < x + here.placed.across[w.dst] + here.shift + here.items[w.dst].centres[0] - 0.1
            picture.paths.append(Path(moved, here.items[w.dst].kind == "box", w.link, left))
    picture.w, picture.h = root.across, root.along
    return turned(picture, sideways, backwards)


def sized(scene: Scene, id: str, coming: int, sideways: bool) -> tuple[float, float]:
    """Return the size of a box across and along the flow."""
    wide, high = box_size(scene.part(id).lines, coming)
    return (high, wide) if sideways else (wide, high)


def distance(scene: Scene, sideways: bool) -> float:
    """Return how far the middles of a box and its gradient box are apart: the same in the whole picture."""
    most = 0.0
    for id, twin in scene.twins.items():
        one, two = (sized(scene, key, 0, sideways)[0] for key in (id.removesuffix(SUFFIX), twin.id))
        most = max(most, (one + two) / 2)
    return most + TIE


def add_boxes(picture: Picture, scene: Scene, it: Item, left: float, top: float) -> None:
    """Add the box of an item; with a twin, both boxes and the arrow between them."""
    twin = scene.view.twin(it.key)
    if twin is None:
        picture.boxes.append(Rect(it.key, left, top, it.across, it.along))
        return
    middle = left + it.across / 2
    for id, centre, half in zip((it.key, twin.id), it.centres, it.halves, strict=True):
        picture.boxes.append(Rect(id, middle + centre - half / 2, top, half, it.along))
    if twin.uses:
        start, end = middle + it.centres[0] + it.halves[0] / 2, middle + it.centres[1] - it.halves[1] / 2
        picture.ties.append((start, end, top + it.along / 2))


def place_group(
    scene: Scene, group: str, items: list[Item], wires: list[Wire], inside: dict[str, Inside], sideways: bool,
    backwards: bool, apart: float,
) -> Inside:  # fmt: skip
    """Place the inside of one group and compute its frame."""
    view = scene.view
    coming: dict[int, int] = {}
    for w in wires:
        coming[w.dst] = coming.get(w.dst, 0) + (not w.side)
    for i, it in enumerate(items):
        if it.kind == "box":
            it.across, it.along = sized(scene, it.key, coming.get(i, 0), sideways)
            twin = view.twin(it.key)
            if twin is not None:
                wide, high = sized(scene, twin.id, 0, sideways)
                it.halves, it.centres = (it.across, wide), (-apart / 2, apart / 2)
                it.across, it.along = apart + max(it.across, wide), max(it.along, high)
        elif it.kind == "group":
            frame = inside[it.key]
            it.across, it.along = frame.across, frame.along
            for port, x in zip(frame.items, frame.placed.across, strict=True):
                if port.kind in ("in", "out"):
                    (it.entries if port.kind == "in" else it.exits)[port.key] = x + frame.shift - frame.across / 2
        else:
            it.across = 6.0
    placed = place_level(items, wires)
    low, high, length = placed.low, placed.high, placed.length
    if not group:
        return Inside(items, wires, placed, high - low + 2 * MARGIN, length + 2 * MARGIN, MARGIN - low, MARGIN)
    title = text_width(view.groups[group].title, BODY) + 24
    before = any(it.kind == "in" for it in items)
    after = any(it.kind == "out" for it in items)
    if sideways:
        # the title stands over the flow, so it needs room across
        start = 0.0 if before else PAD
        end = 0.0 if after else PAD
        long = max(start + length + end, title)
        return Inside(items, wires, placed, high - low + 2 * PAD + BAND - 4, long, PAD + BAND - 4 - low, start)
    # the title stands at the upper left; edges that enter there keep to the right of it
    ports = [x for it, x in zip(items, placed.across, strict=True) if it.kind == ("out" if backwards else "in")]
    if ports:
        low = min(low, min(ports) + PAD - title)
    high = max(high, low + title - 2 * PAD)
    if backwards:
        start, end = 0.0 if before else PAD, BAND
    else:
        start, end = BAND, 0.0 if after else PAD
    return Inside(items, wires, placed, high - low + 2 * PAD, start + length + end, PAD - low, start)


def turned(picture: Picture, sideways: bool, backwards: bool) -> Picture:
    """Turn a picture laid out from top to bottom into the requested direction."""
    if backwards:
        whole = picture.h
        for r in (*picture.boxes, *picture.frames):
            r.y = whole - r.y - r.h
        for p in picture.paths:
            p.strokes = [(x, whole - a, whole - b) for x, a, b in p.strokes]
        picture.ties = [(a, b, whole - y) for a, b, y in picture.ties]
    if sideways:
        picture.w, picture.h = picture.h, picture.w
        for r in (*picture.boxes, *picture.frames):
            r.x, r.y, r.w, r.h = r.y, r.x, r.h, r.w
    return picture
