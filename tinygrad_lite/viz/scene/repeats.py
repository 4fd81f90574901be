"""Find repeats: equal consecutive parts of a computation, each of which passes its results only to the next.

Ops are numbered in execution order; a part is an interval of ops. Two neighbouring parts are equal if their ops,
shapes, options, module calls and inner edges are equal, and if every edge into the second comes from the matching op
of the first, or from the same outside node as in the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_lite.viz.model import Graph, GraphNode, Unknown
from tinygrad_lite.viz.words import options_text

PERIODS = 8
"""The longest sequence of siblings that is tried as one repeated part."""

Item = tuple[int, int, str]
"""One child of a module call: the interval of its ops, and the id of the child call ("" for a single op)."""


class Steps:
    """Every op of a graph in execution order, reduced to what makes two ops equal.

    ``face`` numbers distinct combinations of op, shape, dtype, options and marks. ``refs`` are the sources of the
    arguments: for an op its distance back, otherwise the leaf.
    """

    def __init__(self, graph: Graph) -> None:
        ops = [n for n in graph.nodes if n.kind in ("op", "grad")]
        self.ids = [n.id for n in ops]
        kinds = [n.kind for n in ops]
        self.index = {id: i for i, id in enumerate(self.ids)}
        self.face: list[int] = []
        self.refs: list[tuple[tuple[int, int, int | str], ...]] = []
        self.furthest = [0] * len(ops)  # the last op that uses the result; past the end: an output
        words: dict[tuple[Any, ...], int] = {}
        users = graph.users
        private = {
            n.id: f"*{n.kind} {n.shape} {n.dtype} {ills(n)}"
            for n in graph.nodes
            if n.kind not in ("op", "grad") and sum(not e.name for e in users[n.id]) == 1
        }
        for i, n in enumerate(ops):
            # an option that is not known may differ from that of the next part
            unknown = n.id if any(v is Unknown for v in n.attrs.values()) else ""
            face = (n.op, n.kind, n.shape, n.dtype, options_text(steady(n)) if n.attrs else "", ills(n), unknown)
            self.face.append(words.setdefault(face, len(words)))
            refs: list[tuple[int, int, int | str]] = []
            for e in graph.arguments[n.id]:
                j = self.index.get(e.src)
                if e.name and n.kind == "grad" or j is not None and kinds[j] != n.kind:
                    continue  # a value saved for backward goes from each part to its own backward part
                if j is None:
                    refs.append((e.arg_index, e.out_index, private.get(e.src, e.src)))
                else:
                    refs.append((e.arg_index, e.out_index, i - j))
                    self.furthest[j] = max(self.furthest[j], i)
            self.refs.append(tuple(refs))
        for n in graph.nodes:
            if n.kind == "output":
                for e in graph.arguments[n.id]:
                    if e.src in self.index:
                        self.furthest[self.index[e.src]] = len(ops)

    def follows(self, a: int, length: int) -> bool:
        """Whether the interval of ``length`` ops after ``a + length`` repeats the one at ``a``."""
        b = a + length
        if b + length > len(self.face) or self.face[a] != self.face[b]:
            return False
        face, refs, furthest = self.face, self.refs, self.furthest
        for t in range(length):
            if face[a + t] != face[b + t] or furthest[a + t] >= b + length:
                return False
            mine, theirs = refs[a + t], refs[b + t]
            if len(mine) != len(theirs):
                return False
            for (arg, out, before), (arg2, out2, now) in zip(mine, theirs, strict=True):
                if arg != arg2:
                    return False
                # the first part may take from outside what the second takes from the first, also another result
                handed = isinstance(now, int) and t < now <= t + length
                if isinstance(now, str) or isinstance(before, str):
                    if (now != before or out != out2) and not handed:
                        return False
                elif now != before:
                    inner = now <= t or before <= t
                    same_outside = now - before == length and out == out2
                    if inner or not (handed or same_outside):
                        return False
                elif out != out2:
                    return False
        return True


def steady(node: GraphNode) -> dict[str, Any]:
    """Return the options of an op without integer indices, which count loop iterations (``x[t]``)."""
    if node.op != "getitem":
        return node.attrs
    index = node.attrs.get("index")
    parts = index if isinstance(index, tuple) else (index,)
    return {**node.attrs, "index": tuple("t" if type(p) is int else p for p in parts)}


def ills(node: GraphNode) -> str:
    """Return the marks of a node without their numbers; parts with different marks do not fold."""
    return " ".join(m.partition(" ")[0] for m in node.marks)


def runs(steps: Steps, items: Sequence[Item], shapes: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Return (first item, items per part, number of parts) of every repetition among siblings, in order.

    ``shapes`` describes the structure of each child call. Four repeats are needed; two are enough for longer parts.
    """
    found: list[tuple[int, int, int]] = []
    at, n = 0, len(items)
    while at < n:
        best = (0, 0, 0)  # ops covered, period, parts
        for period in range(1, min(PERIODS, (n - at) // 2) + 1):
            count = parts(steps, items, shapes, at, period)
            size = items[at + period - 1][1] - items[at][0]
            if count >= (2 if size > 2 and count * size >= 6 else 4) and count * size > best[0]:
                best = (count * size, period, count)
        if best[0]:
            found.append((at, best[1], best[2]))
            at += best[1] * best[2]
        else:
            at += 1
    return found


def parts(steps: Steps, items: Sequence[Item], shapes: dict[str, Any], at: int, period: int) -> int:
    """Return how many times the ``period`` items at ``at`` follow each other."""
    start = items[at][0]
    length = items[at + period - 1][1] - start
    count = 1
    while True:
        here = at + count * period
        if here + period > len(items) or not length:
            return count
        first = start + (count - 1) * length
        if items[here][0] != first + length or items[here + period - 1][1] != first + 2 * length:
            return count
        for k in range(period):
            one, two = items[here - period + k], items[here + k]
            if one[1] - one[0] != two[1] - two[0] or shapes.get(one[2]) != shapes.get(two[2]):
                return count
        if not steps.follows(first, length) or (count > 1 and not same_refs(steps, first, length)):
            return count
        count += 1


def same_refs(steps: Steps, first: int, length: int) -> bool:
    """Whether two neighbouring parts, neither of them the first, take their arguments from corresponding places."""
    for t in range(length):
        for (_, out, before), (_, out2, now) in zip(steps.refs[first + t], steps.refs[first + length + t], strict=True):
            if out != out2:
                return False
            if now != before and not (isinstance(now, int) and isinstance(before, int) and now - before == length):
                return False
    return True
