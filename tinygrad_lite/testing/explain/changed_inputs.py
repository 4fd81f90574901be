"""Change an input and repeat the call: a change that makes the gradient right points to the bug."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tinygrad_lite.testing.explain.evidence import LOOSE, Case
from tinygrad_lite.testing.verdict.point import Array

Change = Callable[[Case], tuple[int, Array]]  # the changed input and its new value


def experiments(cases: Sequence[Case]) -> str | None:
    """Return the text of the first change that makes all failing points right."""
    sample = cases[:3]
    for text, change in _changes(sample[0]):
        if all(_cures(c, *change(c)) for c in sample):
            return text
    if all(_depends_on_itself(c) for c in sample):
        return (
            "off by a factor that depends on the element itself and on nothing else: "
            "the local derivative of a function applied to this input is wrong"
        )
    return None


def dependence(cases: Sequence[Case]) -> str | None:
    """Say which inputs the error depends on."""
    changed: dict[int, list[bool]] = {}
    for c in cases[:2]:
        error = c.n - c.a
        for j, b in enumerate(c.arrays):
            if b.dtype.kind != "f" or not b.size:
                continue
            found = c.retry({j: b * (1 + 0.1 * np.random.default_rng(j).uniform(0.5, 1, b.shape)) + (b == 0) * 0.1})
            if found is not None:
                moved = np.abs(found[1] - found[0] - error).max()
                changed.setdefault(j, []).append(bool(moved > 1e-5 * np.abs(error).max() + 20 * np.max(c.noise)))
    yes = [f"input {j}" for j, changes in changed.items() if all(changes)]
    no = [f"input {j}" for j, changes in changed.items() if not any(changes)]
    every = all(len(changes) == min(2, len(cases)) for changes in changed.values())
    if not every or not yes or not no or len(yes) + len(no) < len(changed):
        return None
    return f"the error depends on {' and '.join(yes)}, not on {' and '.join(no)}"


def _changes(c: Case) -> Iterator[tuple[str, Change]]:
    floats = [j for j, b in enumerate(c.arrays) if b.dtype.kind == "f" and b.size]
    for j in floats:
        b, what = c.arrays[j], "it" if j == c.index else f"input {j}"
        if b.ndim > 1 and b.shape[-1] == b.shape[-2] > 1:
            text = f"right when {what} is a symmetric matrix: somewhere its transpose is missing, or taken for itself"
            yield text, _change(j, lambda b: (b + np.swapaxes(b, -1, -2)) / 2)
    for j in (j for j in floats if j != c.index):
        yield f"right when input {j} is 0: a term with input {j} is missing or wrong", _change(j, np.zeros_like)
        if c.arrays[j].size > 1:
            text = f"right when all elements of input {j} are equal, whatever they are"
            yield f"{text}: an order, an axis or a transpose is wrong", _change(j, lambda b: np.full_like(b, b.flat[0]))
        text = f"right when input {j} is 1: a factor or power of input {j} is missing or superfluous"
        yield text, _change(j, np.ones_like)
    for j in floats:
        for i in (i for i in floats if i < j and c.arrays[i].shape == c.arrays[j].shape):
            text = f"right when inputs {i} and {j} are equal"
            yield f"{text}: one is used for the other, or a term with their difference is wrong", _copied(i, j)


def _change(j: int, f: Callable[[Array], Array]) -> Change:
    return lambda c: (j, f(c.arrays[j]))


def _copied(i: int, j: int) -> Change:
    return lambda c: (j, c.arrays[i].copy())


def _cures(c: Case, j: int, changed: Array) -> bool:
    """Whether the gradient is right with the changed input and wrong again close to it.

    If it is right nearby too, a branch is right in a whole region, and the change itself means nothing.
    """
    if changed.shape != c.arrays[j].shape or not _right(c, {j: changed}):
        return False
    scale = np.abs(c.arrays[j]).mean()
    beside = np.random.default_rng(3).standard_normal(changed.shape) * scale
    return all(_right(c, {j: changed + part * beside}) is False for part in (0.02, 0.2))


def _right(c: Case, changes: dict[int, Array]) -> bool | None:
    """Whether the gradient is right with other inputs; None if it is too small to judge."""
    found = c.retry(changes)
    if found is None:
        return None
    a, n = found
    top = max(np.abs(n).max(initial=0), np.abs(a).max(initial=0))
    if not (np.abs(n) > 1e-3 * top).sum() > 1 or not top > 0.02 * c.top:
        return None
    return bool(np.isfinite(a).all() and np.abs(a - n).max() <= 1e-6 * top)


def _depends_on_itself(c: Case) -> bool:
    """Whether the ratio to the right gradient is unchanged by all other inputs and elements."""
    others = [j for j, b in enumerate(c.arrays) if j != c.index and b.dtype.kind == "f" and b.size]
    live = np.flatnonzero(c.big.ravel())
    if not others or c.x.size < 3 or len(live) < 3 or not c.bad.mean() > 0.9:
        return False
    ratio = c.a.ravel()[live] / c.n.ravel()[live]
    if len(np.unique(np.round(ratio, 6))) < 3 or len(live) < 0.9 * c.x.size:  # two values are a branch
        return False
    for k, r in list(zip(live, ratio, strict=True))[:3]:
        for scale, step in ((0.7, 0), (0.9, 1)):
            changes = {j: scale * np.roll(c.arrays[j], step) for j in [*others, c.index]}
            changes[c.index].flat[k] = c.x.flat[k]
            found = c.retry(changes)
            if found is None or not np.isclose(found[0].flat[k] / found[1].flat[k], r, rtol=LOOSE):
                return False
    return True
