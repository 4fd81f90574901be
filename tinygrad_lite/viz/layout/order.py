"""The row of each item, and the order within each row (Sugiyama, Tagawa, Toda 1981)."""

from __future__ import annotations

from collections.abc import Sequence

SWEEPS = 6

Pair = tuple[int, int]


def ranks(n: int, edges: Sequence[Pair], first: set[int], last: set[int]) -> list[int]:
    """Return the row of each of ``n`` items so that every edge leads down, by the longest path.

    ``first`` are put alone into the top row and ``last`` alone into the bottom row. An item without
    predecessors stands right above its first user. Edges that close a cycle are ignored.
    """
    succ: list[list[int]] = [[] for _ in range(n)]
    waiting = [0] * n
    for u, v in edges:
        succ[u].append(v)
        waiting[v] += 1
    order = [i for i in range(n) if not waiting[i]]
    for u in order:  # grows while it is read
        for v in succ[u]:
            waiting[v] -= 1
            if not waiting[v]:
                order.append(v)
    if len(order) < n:
        return ranks(n, [(u, v) for u, v in edges if u < v], first, last)
    rank = [1 if first and i not in first else 0 for i in range(n)]
    fed = [False] * n
    for u in order:
        for v in succ[u]:
            fed[v] = True
            if rank[v] <= rank[u]:
                rank[v] = rank[u] + 1
    for u in reversed(order):
        if not fed[u] and succ[u] and u not in first:
            rank[u] = min(rank[v] for v in succ[u]) - 1
    if last:
        bottom = max((rank[i] for i in range(n) if i not in last), default=0) + 1
        for i in last:
            rank[i] = bottom
    return rank


def sweep(rows: list[list[int]], up: list[list[Pair]], down: list[list[Pair]]) -> None:
    """Reorder every row in place so that few edges cross: items move to the mean position of their neighbours.

    ``up[i]`` and ``down[i]`` are the neighbours of ``i`` in the row above and below, with the offset of the edge from
    their centre, in 1/1000 of their width.
    """
    place = [0.0] * len(up)
    for row in rows:
        for k, i in enumerate(row):
            place[i] = k
    for turn in range(SWEEPS):
        near, sequence = (up, rows[1:]) if turn % 2 == 0 else (down, rows[-2::-1])
        for row in sequence:
            if len(row) < 2:
                continue
            key = {}
            for i in row:
                here = near[i]
                if here:
                    total = 0.0
                    for j, at in here:
                        total += place[j] + at / 1000
                    key[i] = total / len(here)
                else:
                    key[i] = place[i] + 0.5
            row.sort(key=key.__getitem__)
            for k, i in enumerate(row):
                place[i] = k
