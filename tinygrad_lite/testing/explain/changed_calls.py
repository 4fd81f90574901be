"""What has to be changed about failing calls to make them right: an option, indices, a value moved a little."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing.explain.context import Outcome
from tinygrad_lite.testing.explain.jacobian import Jacobians
from tinygrad_lite.testing.verdict.point import Array, Point

ASKED = 4  # failing points that are called again
SMALL = 24  # elements of float inputs that they may have
VALUES = 5  # of an option that are tried
WAYS = 3  # in which indices are drawn anew

Arrays = list[Array]


class Asked(NamedTuple):
    """A failing point that is quick to call again, and the float inputs whose gradients are wrong, by their order."""

    point: Point
    wrong: list[int]

    def right(self, arrays: Arrays | None = None, kw: dict[str, Any] | None = None) -> bool | None:
        """Whether another call is right; None where it is no call, or what was wrong has no gradient there."""
        told = _told(self.point, arrays or self.point.x, self.point.kw if kw is None else kw)
        if told is None or all(told[k] is None for k in self.wrong):
            return None
        return False not in told


def asked(outcomes: Sequence[Outcome]) -> list[Asked]:
    """A few of the failing points, the most general first."""
    found: list[Asked] = []
    for o in outcomes:
        if o.failed and 0 < sum(a.size for a in o.point.given) <= 2 * SMALL and len(found) < ASKED:
            told = _told(o.point, o.point.x, o.point.kw)
            if told is not None and False in told:
                found.append(Asked(o.point, [k for k, now in enumerate(told) if now is False]))
    return found


def _told(p: Point, arrays: Arrays, kw: dict[str, Any]) -> list[bool | None] | None:
    """For each float input whether its gradient is right, None where it is zero; None if the call tells nothing."""
    q = Point(p.rule, arrays, kw, p.seed, p.profile)
    if sum(q.x[i].size for i in q.fl) > SMALL:
        return None
    try:
        J = Jacobians(q)
        v = np.random.default_rng(2).standard_normal(J.size)
        pairs = list(zip(q.vjp(q.x, v), J.pulled(v), J.error, strict=True))
    except Exception:  # not a call that the function takes
        return None
    if not all(a.shape == n.shape and np.isfinite(n).all() for a, n, _ in pairs):
        return None
    told: list[bool | None] = []
    for a, n, error in pairs:
        room = 1e-5 * np.abs(n).max(initial=0) + 20 * (np.abs(v) @ np.abs(error)).reshape(n.shape) + 1e-12
        agree = bool((np.abs(a - n) <= room).all())
        told.append(None if agree and not np.abs(n).max(initial=0) > 1e-12 else agree)
    return told


def option(points: Sequence[Asked], outcomes: Sequence[Outcome]) -> str | None:
    """An option that makes every failing call right when it is changed."""
    failed = [o.point.kw for o in outcomes if o.failed]
    for key in points[0].point.kw if points else ():
        values = {repr(o.point.kw.get(key)): o.point.kw.get(key) for o in outcomes}
        if not 1 < len(values) <= VALUES:
            continue
        told: dict[str, list[bool]] = {name: [] for name in values}
        for a in points:
            for name, value in values.items():
                own = name == repr(a.point.kw.get(key))
                now = False if own else a.right(kw={**a.point.kw, key: value})
                if now is not None:
                    told[name].append(now)
        good = sorted(name for name, right in told.items() if len(right) > 1 and all(right))
        bad = sorted(name for name, right in told.items() if right and not any(right))
        mixed = [name for name, right in told.items() if right and any(right) and not all(right)]
        if good and not mixed and not any(repr(kw.get(key)) in good for kw in failed):
            right, wrong = " or ".join(good[:3]), ", ".join(bad[:3])
            return f"right with {key} = {right}, wrong with {wrong}: see how backward uses option {key}"
    return None


def indices(points: Sequence[Asked]) -> str | None:
    """Whether the mistake goes when no index occurs twice, or no index occurs in two inputs."""
    for text, change in _other_indices(points[0].point.x) if points else ():
        changed = [(a, [change(a.point.x, seed=s) for s in range(WAYS)]) for a in points]
        if any(x is None for _, ways in changed for x in ways):  # it is wrong without that
            continue
        told = [right for a, ways in changed for x in ways if x and (right := a.right(x)) is not None]
        if len(told) > WAYS and all(told):
            return text
    return None


def _other_indices(x: Arrays) -> Iterator[tuple[str, Callable[..., Arrays | None]]]:
    ints = [j for j, a in enumerate(x) if a.dtype.kind in "iu" and a.size]
    for j in ints:
        for k in (k for k in ints if k > j):
            yield f"wrong only where an index is in input {j} and in input {k}", partial(_apart, j=j, k=k)
    for j in ints:
        text = f"right when the indices in input {j} are distinct: what equal ones share is lost or counted wrongly"
        yield text, partial(_distinct, j=j)


# Both: the inputs with other indices, None where there is nothing to change, [] where it can't be done.
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


def masks(points: Sequence[Asked]) -> str | None:
    """Whether the mistake goes when a mask lets everything through, or nothing."""
    for j in [j for j, b in enumerate(points[0].point.x) if b.dtype.kind == "b"] if points else ():
        for value in (True, False):
            told = [a.right([np.full_like(b, value) if i == j else b for i, b in enumerate(a.point.x)]) for a in points]
            mixed = all((a.point.x[j] != value).any() for a in points)
            if mixed and len(told) > 1 and all(told):
                return f"right when all of input {j} is {value}"
    return None


def beside(points: Sequence[Asked]) -> str | None:
    """Whether all is right a little beside every failing point: a branch or a limit at just these values."""
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


def _wrong_together(a: Asked, i: int, j: int) -> bool:
    """Whether two inputs have an element in common, and the mistake stays when both are shifted."""
    x = a.point.x
    both = [b + 0.03 if k in (i, j) else b for k, b in enumerate(x)]
    return bool(np.isin(x[i], x[j]).any()) and a.right(both) is False


def _moved(p: Point, i: int) -> Arrays:
    scale = p.scales()[p.fl.index(i)]
    step = 0.03 * scale * np.random.default_rng(5).uniform(0.5, 1, scale.shape)
    return [*p.x[:i], p.x[i] + step, *p.x[i + 1 :]]
