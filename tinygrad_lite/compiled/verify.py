"""The check before a program is used: the step as written and the program, side by side, on other numbers."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.compiled.program import Refused
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.random import default_generator

DIFFERS = "its program would not give the same numbers: a value is computed out of sight of NumPy's protocols"

ROUNDS = "its numbers would be others: it divides by what is only rounding, as Adam does for a bias before a batch norm"

FACTORS = (0.0, 0.875, 0.99)
"""Of the numbers that a program is tried on, one after another until its checks do not fail; see `perturbed`."""


class Snapshot:
    """Everything that a step may change: array contents, gradients, numbers of optimisers, the random generator.

    ``spare``: copies by id that nobody needs any more; memory that is new to a process is slow at first.
    """

    def __init__(self, arrays: list[Any], tensors: list[Tensor], optimisers: list[Any], spare: Any = None) -> None:
        self.arrays = [(a, copied(a, (spare or {}).pop(id(a), None))) for a in arrays if a.flags.writeable]
        self.grads = [(t, t._grad, None if t._grad is None else t._grad.array) for t in tensors]
        self.contents = [(g, g.copy()) for _, _, g in self.grads if g is not None]
        self.optimisers = [
            (o, o.count, dict(o.state), {p: dict(s) for p, s in o.state.items()}, [dict(g) for g in o.param_groups])
            for o in optimisers
        ]
        self.random = copy.deepcopy(default_generator().bit_generator.state)

    def restore(self) -> None:
        """Put everything back."""
        for a, content in (*self.arrays, *self.contents):
            a[...] = content
        for t, grad, array in self.grads:
            t._grad = grad
            if grad is not None:
                grad.array = array
        for o, count, states, contents, groups in self.optimisers:
            o.count = count
            dict.clear(o.state)
            for p, s in states.items():
                dict.__setitem__(o.state, p, s)
                if dict(s) != contents[p]:
                    dict.clear(s)
                    dict.update(s, contents[p])
            for g, before in zip(o.param_groups, groups, strict=True):
                for k, v in before.items():
                    if g.get(k) is not v:
                        dict.__setitem__(g, k, v)
        default_generator().bit_generator.state = copy.deepcopy(self.random)

    def outcome(self) -> list[Any]:
        """Return what there is now: the arrays themselves, and numbers."""
        found: list[Any] = [a for a, _ in self.arrays]
        found += [None if t._grad is None else t._grad.array for t, _, _ in self.grads]
        for o, *_ in self.optimisers:
            found.append(o.count)
            for s in o.state.values():
                found.append({k: v for k, v in s.items() if isinstance(v, (int, float))})
        found.append(repr(default_generator().bit_generator.state))
        return found


def copied(a: Any, room: Any) -> Any:
    """Return a copy of an array, in ``room`` if that fits."""
    if room is None or room.shape != a.shape or room.dtype != a.dtype:
        return a.copy()
    room[...] = a
    return room


def values(result: Any) -> Any:
    """Return what a step returned, comparable: arrays, and numbers."""
    if isinstance(result, Tensor):
        return result.array
    if type(result) in (list, tuple):
        return type(result), [values(x) for x in result]
    if type(result) is dict:
        return [(k, values(x)) for k, x in result.items()]
    return result


def kept(outcome: Any) -> Any:
    """Return an outcome with copies of its arrays, as those of variables will change."""
    if type(outcome) in (list, tuple):
        return type(outcome)([kept(v) for v in outcome])
    return outcome.copy() if isinstance(outcome, np.ndarray) else outcome


def equal(a: Any, b: Any) -> bool:
    """Return whether two outcomes are equal to the last bit."""
    if isinstance(a, np.ndarray):
        if not isinstance(b, np.ndarray) or a.shape != b.shape or a.dtype != b.dtype:
            return False
        if a.dtype.itemsize not in (1, 2, 4, 8):
            return a.tobytes() == b.tobytes()
        word = f"u{a.dtype.itemsize}"
        return bool((a.view(word) == b.view(word)).all())
    if type(a) in (list, tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


def close(a: Any, b: Any, scale: float | None = None) -> bool:
    """Return whether two outcomes are equal but for rounding: a sanity check, not a measure of accuracy.

    A gradient that is zero but for rounding is compared with the largest number of the outcome.
    """
    scale = largest(a) if scale is None else scale
    if isinstance(a, np.ndarray):
        if equal(a, b):
            return True
        if not isinstance(b, np.ndarray) or a.shape != b.shape or a.dtype != b.dtype or a.dtype.kind != "f":
            return False
        tolerance = 1e-5 * scale + 1e-4 * largest(a)
        if (np.abs(a - b) <= tolerance).all():
            return True
        return bool(np.isclose(a.astype(float), b.astype(float), 1e-3, tolerance, equal_nan=True).all())
    if type(a) in (list, tuple) and type(a) is type(b):
        return len(a) == len(b) and all(close(v, w, scale) for v, w in zip(a, b, strict=True))
    if type(a) is dict and type(b) is dict:
        return a.keys() == b.keys() and all(close(v, b[k], scale) for k, v in a.items())
    return bool(a == b)


def largest(a: Any) -> float:
    """Return the largest finite magnitude in an outcome, 0 without numbers."""
    if isinstance(a, np.ndarray):
        if a.dtype.kind != "f":
            return 0.0
        found = max(float(a.max(initial=0.0)), -float(a.min(initial=0.0)))
        return found if found < np.inf else float(np.abs(a[np.isfinite(a)].astype(float)).max(initial=0.0))
    values = a.values() if type(a) is dict else a if type(a) in (list, tuple) else ()
    return max(map(largest, values), default=0.0)


def perturbed(a: Any, random: Any, factor: float, state: bool, stay: bool) -> Any:
    """Return other numbers like those of ``a``: smaller floats of the same sign, integers in another order.

    ``factor``: that of all floats; 0: each has its own. ``stay``: integers are the same.
    """
    if a.dtype.kind == "f":
        if factor:
            return (a * factor).astype(a.dtype, copy=False)
        factors = random.random(a.shape, np.float32)
        factors *= 0.4
        factors += 0.6
        return np.multiply(a, factors, factors if a.dtype == factors.dtype else None).astype(a.dtype, copy=False)
    if stay:
        return a.copy()
    if a.size == 1 and state and a.dtype.kind in "iu":
        return a + 2
    return random.permutation(a.reshape(-1)).reshape(a.shape)


def verify(
    run: Callable[[list[Tensor]], Any], programs: list[Any], flat: list[Tensor], r: Any,
    assumed: Callable[[], bool] | None,
) -> None:  # fmt: skip
    """Raise Refused unless every form of the program does to other numbers what the step as written does.

    Beside each form is the function that compares outcomes: `equal` asks for every bit, `close` allows for rounding.
    """
    from tinygrad_lite.engine.tensor import make

    memories = [m for m in r.tracer.memories if m.kind == "live"]
    tensors = [t for t, _ in r.live_tensors]
    opts = [e.o for e in r.optimisers]
    state = Snapshot([m.own for m in memories], tensors, opts, r.spare)
    r.spare.clear()
    named = {id(m.own) for m in memories if not m.name.startswith("array")}
    exact = any(t.array.dtype.kind != "f" for t in flat)
    problem = ""
    try:
        for factor in FACTORS:
            random, stay = np.random.default_rng(5), bool(factor) and not exact
            if factor:
                state.restore()
            _change_numbers(r)
            if assumed is not None and not assumed():  # the program is not for such numbers
                state.restore()
            inputs = [make(perturbed(t.array, random, factor, False, stay)) for t in flat]
            for a, _ in state.arrays:
                if id(a) in named:
                    a[...] = perturbed(a, random, factor, True, stay)
            start = Snapshot([a for a, _ in state.arrays], tensors, opts)
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                try:
                    expected = kept(values(run(inputs)))
                except Exception as error:
                    problem = f"it failed on other numbers: {error}"
                    continue
                eager = kept(start.outcome())
                try:
                    for program, same in programs:
                        start.restore()
                        if not same(values(program(inputs)), expected) or not same(start.outcome(), eager):
                            raise Refused(DIFFERS if same is equal else ROUNDS)
                except Refused:
                    raise
                except Exception as error:
                    problem = f"its program failed on other numbers: {type(error).__name__}: {error}"
                    continue
            return
    finally:
        state.restore()
    raise Refused(problem)


def _change_numbers(r: Any) -> None:
    for word, text in r.locals.items():
        for e in r.optimisers:
            if word in e.numbers:
                key, states = e.numbers[word]
                for s in states:
                    dict.__setitem__(s, key, s[key] + 2 if type(s[key]) is int else s[key] * 0.9)
        if ".param_groups[" in text:
            name, rest = text.split(".param_groups[", 1)
            i, key = rest.split("][", 1)
            group = r.objects[name].param_groups[int(i)]
            dict.__setitem__(group, key.rstrip("]")[1:-1], group[key.rstrip("]")[1:-1]] * 0.75)
