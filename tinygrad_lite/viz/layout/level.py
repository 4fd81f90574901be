"""The layout of one level: the boxes, open groups and ports directly inside one group."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinygrad_lite.viz.layout.coordinates import Neighbour, columns, straighten
from tinygrad_lite.viz.layout.order import ranks, sweep

GAP = 18.0
ROW = 24.0
PORT_ROW = 10.0
WIRE = 8.0
SLOT = 14.0
STIFF = 6.0

Stroke = tuple[float, float, float]
"""A straight piece of an edge along the flow: position across it, from, to. Edges bend between two strokes."""


@dataclass(slots=True)
class Item:
    """An item to place, of size ``across`` by ``along``.

    ``entries`` and ``exits`` (of open groups) map a value to where its edge meets the border, from the centre. An item
    with a twin is two boxes of the sizes ``halves``; ``centres`` are where values and gradients meet it.
    """

    kind: str  # box, group, in, out
    key: str
    across: float = 0.0
    along: float = 0.0
    entries: dict[str, float] = field(default_factory=dict)
    exits: dict[str, float] = field(default_factory=dict)
    centres: tuple[float, float] = (0.0, 0.0)
    halves: tuple[float, float] = (0.0, 0.0)

    def leaving(self, wire: Wire) -> float:
        """Return where a wire leaves, from the centre."""
        return self.exits.get(wire.value, self.centres[wire.side])

    def entering(self, wire: Wire) -> float:
        """Return where a wire arrives, from the centre."""
        return self.entries.get(wire.value, self.centres[wire.side])


@dataclass(slots=True)
class Wire:
    """An edge of the level, between two items; ``value`` names what it carries, ``link`` which edge of the scene.

    ``side`` is 1 for a gradient, which flows against the wire.
    """

    src: int
    dst: int
    value: str
    link: int
    side: int = 0


@dataclass(slots=True)
class Placed:
    """The placed level: centres, strokes of each wire, and the overall size without a frame."""

    across: list[float]
    along: list[float]
    strokes: list[list[Stroke]]
    low: float
    high: float
    length: float


def place_level(items: list[Item], wires: list[Wire]) -> Placed:
    """Place ``items`` so that every wire follows the flow.

    The cost is linear in items, wires and the rows that wires span.
    """
    n = len(items)
    first = {i for i, it in enumerate(items) if it.kind == "in"}
    last = {i for i, it in enumerate(items) if it.kind == "out"}
    pairs = sorted({(w.src, w.dst) for w in wires})
    rank = ranks(n, pairs, first, last)
    rows: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for i in range(n):
        rows[rank[i]].append(i)

    # a wire that passes rows gets a thin item of its own in each of them; wires of one value share these items
    across, along, level = [it.across for it in items], [it.along for it in items], list(rank)
    trunk: dict[tuple[int, str], list[int]] = {}
    chains: list[list[int]] = []
    for w in wires:
        thin = trunk.setdefault((w.src, w.value), [])
        for r in range(rank[w.src] + 1 + len(thin), rank[w.dst]):
            thin.append(len(across))
            rows[r].append(len(across))
            across.append(WIRE)
            along.append(0.0)
            level.append(r)
        chains.append([w.src, *thin[: max(rank[w.dst] - rank[w.src] - 1, 0)], w.dst])

    up, down = neighbours(items, wires, chains, level)
    near_up = [[(j, milli(there, across[j])) for j, there, _, _ in side] for side in up]
    near_down = [[(j, milli(there, across[j])) for j, there, _, _ in side] for side in down]
    sweep(rows, near_up, near_down)
    x = columns(rows, up, down, across, GAP)
    straighten(trunk.values(), rows, x, across, WIRE)

    total = range(len(across))
    low = min((x[i] - across[i] / 2 for i in total), default=0.0)
    high = max((x[i] + across[i] / 2 for i in total), default=0.0)
    top, bottom = edges_of_rows(items, rows, up, x, along)
    centre = [(top[level[i]] + bottom[level[i]]) / 2 for i in total]
    length = bottom[-1] if bottom else 0.0
    return Placed(x[:n], centre[:n], route(items, wires, chains, x, centre, level, top, bottom), low, high, length)


def neighbours(
    items: list[Item], wires: list[Wire], chains: list[list[int]], level: list[int]
) -> tuple[list[list[Neighbour]], list[list[Neighbour]]]:  # fmt: skip
    """Return the neighbours of every item in the row above and in the row below; wires of one value count once."""
    n = len(items)
    up: list[list[Neighbour]] = [[] for _ in level]
    down: list[list[Neighbour]] = [[] for _ in level]
    seen: set[tuple[int, int, str]] = set()
    for w, chain in zip(wires, chains, strict=True):
        for a, b in zip(chain, chain[1:], strict=False):
            if (a, b, w.value) in seen or level[b] <= level[a]:
                continue
            seen.add((a, b, w.value))
            out = items[a].leaving(w) if a < n else 0.0
            into = items[b].entering(w) if b < n else 0.0
            stiff = STIFF if a >= n and b >= n else 2.0 if a >= n or b >= n else 1.0
            down[a].append((b, into, out, stiff))
            up[b].append((a, out, into, stiff))
    return up, down


def edges_of_rows(
    items: list[Item], rows: list[list[int]], up: list[list[Neighbour]], x: list[float], along: list[float]
) -> tuple[list[float], list[float]]:  # fmt: skip
    """Return where every row begins and ends along the flow."""
    n = len(items)
    top: list[float] = []
    bottom: list[float] = []
    y = 0.0
    for r, row in enumerate(rows):
        if r:
            only_ports = all(i < n and items[i].kind == "in" for i in rows[r - 1]) or all(
                i < n and items[i].kind == "out" for i in row
            )
            # a wide bend needs height to be readable
            reach = max((abs(x[i] + here - x[j] - there) for i in row for j, there, here, _ in up[i]), default=0.0)
            y += (PORT_ROW if only_ports else ROW) + min(reach * 0.06, 36.0)
        height = max((along[i] for i in row), default=0.0)
        top.append(y)
        y += height
        bottom.append(y)
    return top, bottom


def milli(offset: float, width: float) -> int:
    """Return the offset of a port in 1/1000 of ``width``, from the centre."""
    return round(1000 * offset / (width + 1))


def route(
    items: list[Item], wires: list[Wire], chains: list[list[int]], x: list[float], centre: list[float],
    level: list[int], top: list[float], bottom: list[float],
) -> list[list[Stroke]]:  # fmt: skip
    """Return the strokes of every wire: a shared trunk once, and every wire into a box at its own point."""
    n = len(items)
    arrivals: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for k, (w, chain) in enumerate(zip(wires, chains, strict=True)):
        if items[w.dst].kind == "box":
            before = chain[-2]
            exit_ = items[before].leaving(w) if before < n else 0.0
            arrivals.setdefault((w.dst, w.side), []).append((x[before] + exit_, k))
    slot: dict[int, float] = {}
    for (box, side), coming in arrivals.items():
        coming.sort()
        it = items[box]
        step = min(SLOT, ((it.halves[side] or it.across) - 12) / max(len(coming) - 1, 1))
        for j, (_, k) in enumerate(coming):
            slot[k] = it.centres[side] + (j - (len(coming) - 1) / 2) * step
    strokes: list[list[Stroke]] = []
    drawn: set[tuple[int, str]] = set()
    for k, (w, chain) in enumerate(zip(wires, chains, strict=True)):
        line: list[Stroke] = []
        start = 0
        for j in range(1, len(chain) - 1):
            if (chain[j], w.value) in drawn:
                start = j
        for j in range(start, len(chain)):
            i = chain[j]
            r = level[i]
            if j == 0:
                it = items[i]
                line.append((x[i] + it.leaving(w), centre[i] + it.along / 2, bottom[r]))
            elif j == len(chain) - 1:
                it = items[i]
                at = x[i] + (slot[k] if k in slot else it.entering(w))
                line.append((at, top[r], centre[i] - it.along / 2))
            else:
                drawn.add((i, w.value))
                # a branch leaves the trunk where the row ends
                line.append((x[i], bottom[r] if j == start else top[r], bottom[r]))
        strokes.append(line)
    return strokes
