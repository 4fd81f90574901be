"""Repeat failing calls with another option, other indices, masks or shifted values, and see which are right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.explain.context import Outcome
from tinygrad_lite.testing.explain.jacobian import Jacobians
from tinygrad_lite.testing.verdict.point import Array, Point

REPEATED = 4  # failing points that are called again
SMALL = 24  # elements that their float inputs may have
VALUES = 5  # values of an option that are tried
WAYS = 3  # random draws of other indices

Arrays = list[Array]


class Repeatable(NamedTuple):
    """A failing point that is cheap to call again, and the positions of its float inputs with wrong gradients."""

    point: Point
    wrong: list[int]

    def right(self, arrays: Arrays | None = None, kw: dict[str, Any] | None = None) -> bool | None:
        """Whether another call is right; None if it fails or the gradients in question are zero there."""
        judged = _judged(self.point, arrays or self.point.x, self.point.kw if kw is None else kw)
        if judged is None or all(judged[k] is None for k in self.wrong):
            return None
        return False not in judged


def repeatable(outcomes: Sequence[Outcome]) -> list[Repeatable]:
    """Select a few failing points, the most general first."""
    found: list[Repeatable] = []
    for o in outcomes:
        if o.failed and 0 < sum(a.size for a in o.point.given) <= 2 * SMALL and len(found) < REPEATED:
            judged = _judged(o.point, o.point.x, o.point.kw)
            if judged is not None and False in judged:
                found.append(Repeatable(o.point, [k for k, now in enumerate(judged) if now is False]))
    return found


def _judged(p: Point, arrays: Arrays, kw: dict[str, Any]) -> list[bool | None] | None:
    """Return for each float input whether its gradient is right (None if zero); None if the call fails."""
    q = Point(p.rule, arrays, kw, p.seed, p.profile)
    if sum(q.x[i].size for i in q.fl) > SMALL:
        return None
    try:
        J = Jacobians(q)
        v = np.random.default_rng(2).standard_normal(J.size)
        pairs = list(zip(q.vjp(q.x, v), J.pulled(v), J.error, strict=True))
    except Exception:  # the function rejects the call
        return None
    if not all(a.shape == n.shape and np.isfinite(n).all() for a, n, _ in pairs):
        return None
    results: list[bool | None] = []
    for a, n, error in pairs:
        room = 1e-5 * np.abs(n).max(initial=0) + 20 * (np.abs(v) @ np.abs(error)).reshape(n.shape) + 1e-12
        agree = bool((np.abs(a - n) <= room).all())
        results.append(None if agree and not np.abs(n).max(initial=0) > 1e-12 else agree)
    return results


def option(points: Sequence[Repeatable], outcomes: Sequence[Outcome]) -> str | None:
    """Find an option that makes every failing call right when it is changed."""
    failed = [o.point.kw for o in outcomes if o.failed]
    for key in points[0].point.kw if points else ():
        values = {repr(o.point.kw.get(key)): o.point.kw.get(key) for o in outcomes}
        if not 1 < len(values) <= VALUES:
            continue
        results: dict[str, list[bool]] = {name: [] for name in values}
        for a in points:
            for name, value in values.items():
                own = name == repr(a.point.kw.get(key))
                now = False if own else a.right(kw={**a.point.kw, key: value})
                if now is not None:
                    results[name].append(now)
        good = sorted(name for name, right in results.items() if len(right) > 1 and all(right))
        bad = sorted(name for name, right in results.items() if right and not any(right))
        mixed = [name for name, right in results.items() if right and any(right) and not all(right)]
        if good and not mixed and not any(repr(kw.get(key)) in good for kw in failed):
            right, wrong = " or ".join(good[:3]), ", ".join(bad[:3])
            return f"right with {key} = {right}, wrong with {wrong}: see how backward uses option {key}"
    return None


def indices(points: Sequence[Repeatable]) -> str | None:
    """Say whether calls are right when no index occurs twice, or in two inputs."""
    for text, change in _other_indices(points[0].point.x) if points else ():
        changed = [(a, [change(a.point.x, seed=s) for s in range(WAYS)]) for a in points]
        if any(x is None for _, ways in changed for x in ways):  # some failing point has no such indices
            continue
        results = [right for a, ways in changed for x in ways if x and (right := a.right(x)) is not None]
        if len(results) > WAYS and all(results):
            return text
    return None


def _other_indices(x: Arrays) -> Iterator[tuple[str, Callable[..., Arrays | None]]]:
    ints = [j for j, a in enumerate(x) if a.dtype.kind in "iu" and a.size]
    for j in ints:
        for k in (k for k in ints if k > j):
            yield f"wrong only where an index is in input {j} and in input {k}", partial(_apart, j=j, k=k)
    for j in ints:
        text = f"right when the indices in input {j} are distinct: contributions of equal indices are lost"
        yield text, partial(_distinct, j=j)


# Both return the inputs with other indices, None if there is nothing to change, [] if no change is possible.
def _distinct(x: Arrays, j: int, seed: int) -> Arrays | None:
    b = x[j]
    if len(np.unique(b)) == b.size:
        return None
    new = np.random.default_rng(seed).permutation(b.size).astype(b.dtype).reshape(b.shape)
    return [*x[:j], new, *x[j + 1 :]]


def _apart(x: Arrays, j: int, k: int, seed: int) -> Arrays | None:
    if not np.isin(x[j], x[k]).any():
        return None
    room = max((n for a in x if a.dtype.kind == "f" for n in a.shape), default=0)
    free = np.setdiff1d(np.arange(room), x[j])
    if not free.size:
        return []
    new = np.random.default_rng(seed).choice(free, x[k].shape).astype(x[k].dtype)
    return [*x[:k], new, *x[k + 1 :]]


def masks(points: Sequence[Repeatable]) -> str | None:
    """Say whether calls are right when a mask is all True or all False."""
    for j in [j for j, b in enumerate(points[0].point.x) if b.dtype.kind == "b"] if points else ():
        for value in (True, False):
            results = [
                a.right([np.full_like(b, value) if i == j else b for i, b in enumerate(a.point.x)]) for a in points
            ]
            mixed = all((a.point.x[j] != value).any() for a in points)
            if mixed and len(results) > 1 and all(results):
                return f"right when all of input {j} is {value}"
    return None


def nearby(points: Sequence[Repeatable]) -> str | None:
    """Say whether calls are right close to every failing point: a branch or a limit at exactly these values."""
    for i in points[0].point.fl if points else ():
        xs = [a.point.x[i] for a in points]
        if all(x.size for x in xs) and all(a.right(_moved(a.point, i)) for a in points):
            what = "at special values of it"
            if equal := [j for j in points[0].point.fl if j != i and all(_wrong_together(a, i, j) for a in points)]:
                what = f"where it equals input {equal[0]}"
            elif all((x == 0).all() for x in xs):
                what = "where all of it is 0"
            elif all((x == 0).any() for x in xs):
                what = "where it holds a 0"
            elif all(len(np.unique(x)) < x.size for x in xs):
                what = "where elements of it are equal"
            return f"right when input {i} moves a little, wrong exactly {what}: a branch, a limit or a tie"
    return None


def _wrong_together(a: Repeatable, i: int, j: int) -> bool:
    """Whether two inputs share an element, and the gradient stays wrong when both are shifted equally."""
    x = a.point.x
    both = [b + 0.03 if k in (i, j) else b for k, b in enumerate(x)]
    return bool(np.isin(x[i], x[j]).any()) and a.right(both) is False


def _moved(p: Point, i: int) -> Arrays:
    scale = p.scales()[p.fl.index(i)]
    step = 0.03 * scale * np.random.default_rng(5).uniform(0.5, 1, scale.shape)
    return [*p.x[:i], p.x[i] + step, *p.x[i + 1 :]]
