"""The position of each item within its row: as close to its neighbours above and below as space allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

TURNS = 10

Neighbour = tuple[int, float, float, float]
"""An item of the next row, the offset of the edge on it, the offset on this item, the stiffness of the edge."""


def spread(wish: Sequence[float], weight: Sequence[float], width: Sequence[float], gap: float) -> list[float]:
    """Return positions nearest to ``wish`` that keep ``gap`` between items (isotonic regression).

    Minimises the sum of weight * (x - wish)^2 under x[i+1] - x[i] >= (width[i] + width[i+1]) / 2 + gap.

    >>> spread([0.0, 0.0], [1.0, 1.0], [10.0, 10.0], 2.0)
    [-6.0, 6.0]
    """
    offset = [0.0]
    for i in range(1, len(width)):
        offset.append(offset[-1] + (width[i - 1] + width[i]) / 2 + gap)
    blocks: list[tuple[float, float, int]] = []  # place, weight, how many
    for i, x in enumerate(wish):
        place, heavy, count = x - offset[i], weight[i], 1
        while blocks and blocks[-1][0] > place:
            before, h, c = blocks.pop()
            place = (before * h + place * heavy) / (h + heavy)
            heavy += h
            count += c
        blocks.append((place, heavy, count))
    out: list[float] = []
    for place, _, count in blocks:
        out.extend([place] * count)
    return [x + o for x, o in zip(out, offset, strict=True)]


def columns(
    rows: Sequence[Sequence[int]], up: Sequence[Sequence[Neighbour]], down: Sequence[Sequence[Neighbour]],
    width: Sequence[float], gap: float,
) -> list[float]:  # fmt: skip
    """Return the centre of each item across the flow."""
    x = [0.0] * len(width)
    for row in rows:
        at = 0.0
        for i in row:
            x[i] = at + width[i] / 2
            at += width[i] + gap
    for turn in range(TURNS):
        for row in rows if turn % 2 == 0 else reversed(rows):
            wish, weight = [], []
            for i in row:
                total = heavy = 0.0
                sides = (up[i], down[i]) if turn >= TURNS - 4 else (up[i],) if turn % 2 == 0 else (down[i],)
                for side in sides:
                    for j, there, here, stiff in side:
                        total += stiff * (x[j] + there - here)
                        heavy += stiff
                wish.append(total / heavy if heavy else x[i])
                weight.append(heavy or 0.1)
            for i, place in zip(row, spread(wish, weight, [width[i] for i in row], gap), strict=True):
                x[i] = place
    return x


def straighten(
    trunks: Iterable[Sequence[int]], rows: Sequence[Sequence[int]], x: list[float], width: Sequence[float], gap: float
) -> None:
    """Shift the thin items of each wire, so that it runs as straight as the boxes beside it allow."""
    left, right = [-1] * len(x), [-1] * len(x)
    for row in rows:
        for a, b in zip(row, row[1:], strict=False):
            right[a], left[b] = b, a
    for trunk in trunks:
        start = 0
        while start < len(trunk):
            low, high, total, end = -inf, inf, 0.0, start
            while end < len(trunk):
                i = trunk[end]
                a, b = left[i], right[i]
                lo = max(low, -inf if a < 0 else x[a] + (width[a] + width[i]) / 2 + gap)
                hi = min(high, inf if b < 0 else x[b] - (width[b] + width[i]) / 2 - gap)
                if lo > hi and end > start:
                    break
                low, high = lo, hi
                total += x[i]
                end += 1
            if low <= high:
                place = min(max(total / (end - start), low), high)
                for k in range(start, end):
                    x[trunk[k]] = place
            start = end
