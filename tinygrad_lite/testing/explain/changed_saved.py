"""Change a saved value and repeat backward: a change that makes the gradient right points to the bug."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from tinygrad_lite.testing.explain.evidence import Case
from tinygrad_lite.testing.explain.leaves import LEAVES, Path, leaves, lists, place
from tinygrad_lite.testing.verdict.point import Array

Change = Callable[[Case, Any], Any]  # from the saved values to those that backward gets instead


def saved_values(cases: Sequence[Case]) -> str | None:
    """Return the first kind of change of saved values that makes every failing point right."""
    sample = sorted(cases, key=lambda c: -c.bad.sum())[:4]
    if len(sample) < 2 and sample[0].bad.sum() < 3:
        return None
    same = _one_array(sample[0])
    if same:
        return same
    found: dict[str, list[str]] = {}
    for name, text, change in _changes(sample[0], sample[0].saved()):
        if all(_cures(c, change) for c in sample):
            found.setdefault(text, []).append(name)
    return next((text.format(" or ".join(names[:2])) for text, names in found.items()), None)


def _one_array(c: Case) -> str | None:
    """Find a list of steps that all saved the same array, so that it holds the values of the last step."""
    for path, steps in lists(c.saved()):
        for inside, leaf in leaves(steps[0]):
            others = [_get(inside)(c, step) for step in steps[1:]]
            own = isinstance(leaf, np.ndarray) and not any(np.array_equal(leaf, b) for b in c.arrays)
            if own and others and all(isinstance(t, np.ndarray) and np.shares_memory(t, leaf) for t in others):
                return f"{place((*path, ..., *inside))} is the same array at each step: save a copy"
    return None


def _changes(c: Case, saved: Any) -> Iterator[tuple[str, str, Change]]:
    """Yield the name of the changed value, a message with a placeholder for it, and the change."""
    known = list(leaves(saved))[:LEAVES]
    names = {path: _name(path, c, leaf) for path, leaf in known}
    sources = [(names[path], _get(path), leaf) for path, leaf in known]
    sources += [(f"input {j}", _input(j), b) for j, b in enumerate(c.arrays) if not _among(b, known)]
    if c.y is not None and not _among(c.y, known):
        sources.append(("the output", lambda c, _: c.y, c.y))
    for path, leaf in known:
        for name, source, value in sources:
            if _alike(leaf, value):
                yield f"{name} takes the place of {names[path]}", EXCHANGED, _put(path, source)
    yield from _in_time(saved)
    for path, leaf in known:
        for text, f in _functions(np.asarray(leaf)):
            yield names[path], text, _put(path, _of(path, f))


def _in_time(saved: Any) -> Iterator[tuple[str, str, Change]]:
    """Exchange values saved step by step for those of another step or another quantity."""
    for path, steps in lists(saved):
        inside = [[(p, leaf) for p, leaf in leaves(step) if np.asarray(leaf).dtype.kind == "f"] for step in steps]
        places = [p for p, _ in inside[0]]
        if any([p for p, _ in step] != places for step in inside):
            continue
        series = {p: [step[k][1] for step in inside] for k, p in enumerate(places)}
        for p, values in series.items():
            name = place((*path, ..., *p))
            for q, others in series.items():
                if p != q and all(map(_alike, values, others)):
                    yield f"{place((*path, ..., *q))} takes the place of {name}", EXCHANGED, _put_all(path, p, q)
            for last, leaf in leaves(saved) if len(p) == 0 else ():
                if path != last[: len(path)] and _alike(values[-1], leaf):
                    text = "right with {} of the step before: the state after a step is used for the one before it"
                    yield f"{name} and {place(last)}", text, _put_earlier(path, last)
            if len(values) > 1 and all(map(_alike, values, values[1:])):
                yield name, "right with {} of the next step: off by one", _put_all(path, p, p, 1)
                yield name, "right with {} of the step before: off by one", _put_all(path, p, p, -1)


def _put_all(path: Path, p: Path, q: Path, step: int = 0) -> Change:
    """Put the values at ``q`` of each step, or of the step ``step`` later, at ``p``."""

    def put(c: Case, saved: Any) -> Any:
        steps = _get(path)(c, saved)
        at = [min(max(k + step, 0), len(steps) - 1) for k in range(len(steps))]
        new = [_replaced(item, p, _get(q)(c, steps[t])) for item, t in zip(steps, at, strict=True)]
        return _replaced(saved, path, new)

    return put


def _put_earlier(path: Path, last: Path) -> Change:
    """Shift the values of a list one step back; the last one goes to ``last``."""

    def put(c: Case, saved: Any) -> Any:
        steps = list(_get(path)(c, saved))
        return _replaced(_replaced(saved, path, [steps[0], *steps[:-1]]), last, steps[-1])

    return put


EXCHANGED = "right when {}: one is used where the other is meant"


def _functions(leaf: Array) -> Iterator[tuple[str, Callable[[Array], Array]]]:
    if leaf.dtype.kind == "f":
        yield "right with the sign of {} changed: a term with it has the wrong sign", np.negative
        yield "right when {} is twice as large: a term with it lacks a factor 2", lambda t: 2 * t
        yield "right when {} is half as large: a term with it has a superfluous factor 2", lambda t: t / 2
        yield "right with the square of {}: it has the wrong power", lambda t: t * t
        yield "right with the square root of {}: it has the wrong power", np.sqrt
        yield "right with 1 / {}: a product and a quotient are mixed up", lambda t: 1 / t
        yield "right when {} is 0: a term with it is superfluous", np.zeros_like
        yield "right when {} is 1: a factor of it is superfluous", np.ones_like
    if leaf.ndim > 1 and leaf.shape[-1] == leaf.shape[-2]:
        yield "right with {} transposed", lambda t: np.swapaxes(t, -1, -2)
    for ax in range(leaf.ndim):
        if leaf.shape[ax] > 1:
            where = f" along axis {ax}" if leaf.ndim > 1 else ""
            yield f"right with {{}} reversed{where}", partial(np.flip, axis=ax)
            for step in (1, -1) if leaf.shape[ax] > 2 else ():
                yield f"right with {{}} shifted by one{where}: off by one", partial(np.roll, shift=step, axis=ax)


def _cures(c: Case, change: Change) -> bool:
    """Whether the gradient is right with changed saved values."""
    try:
        a = c.resave(lambda saved: change(c, saved))
    except Exception:  # the rule rejects the change
        return False
    if a is None or a.shape != c.n.shape or not np.isfinite(a).all():
        return False
    return bool((np.abs(a - c.n) <= 1e-6 * c.top + 20 * c.noise).all())


def _alike(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.shape == b.shape and a.dtype.kind == b.dtype.kind and not np.allclose(a, b, rtol=1e-3, equal_nan=True)


def _among(value: Array, known: Sequence[tuple[Path, Any]]) -> bool:
    return any(np.shape(leaf) == value.shape and np.array_equal(leaf, value, equal_nan=True) for _, leaf in known)


def _name(path: Path, c: Case, leaf: Any) -> str:
    text = place(path)
    for name, value in [*((f"input {j}", b) for j, b in enumerate(c.arrays)), ("the output", c.y)]:
        if value is not None and value.shape == np.shape(leaf) and value.size and np.array_equal(leaf, value):
            return f"{text} ({name})"
    for key, value in c.options.items():
        if isinstance(value, (int, float)) and not np.ndim(leaf) and value == leaf and type(value) is type(leaf):
            return f"{text} (option {key})"
    return text


def _input(j: int) -> Change:
    return lambda c, _: c.arrays[j]


def _get(path: Path) -> Change:
    def get(_: Case, saved: Any) -> Any:
        for key in path:
            saved = saved[key]
        return saved

    return get


def _of(path: Path, f: Callable[[Array], Array]) -> Change:
    get = _get(path)

    def of(c: Case, saved: Any) -> Any:
        leaf = get(c, saved)
        new = np.asarray(f(np.asarray(leaf)))
        return new if isinstance(leaf, np.ndarray) else new.dtype.type(new)

    return of


def _put(path: Path, value: Change) -> Change:
    def put(c: Case, saved: Any) -> Any:
        return _replaced(saved, path, value(c, saved))

    return put


def _replaced(saved: Any, path: Path, value: Any) -> Any:
    """Copy nested containers with one value replaced."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(saved, dict):
        return {**saved, key: _replaced(saved[key], rest, value)}
    items = [_replaced(item, rest, value) if k == key else item for k, item in enumerate(saved)]
    return type(saved)(items) if type(saved) in (tuple, list) else type(saved)(*items)
