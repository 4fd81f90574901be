"""Conventions of hand-written layers that make a gradient right elsewhere: fused losses, gamma outside of the sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinygrad_lite.testing.explain.evidence import LOOSE, Case
from tinygrad_lite.testing.verdict.point import Array


def convention(cases: Sequence[Case]) -> str | None:
    """Return the convention that all failing points follow."""
    if not cases:
        return None
    for found in (_logits, _unchanged, _scale_outside):
        texts = {found(c) for c in cases}
        if len(texts) == 1 and (text := texts.pop()):
            return text
    return None


def _unchanged(c: Case) -> str | None:
    """Find a g that is returned as it is, by a rule that mixes elements."""
    if c.v is None or c.v.shape != c.x.shape or c.x.size < 2 or c.elementwise or not c.fits(c.a, c.v):
        return None
    if not c.bad.mean() > 0.5:
        return None
    return (
        "the incoming gradient is passed on unchanged: the local derivative is missing, unless the loss that follows "
        "contains it already (softmax fused with its loss)"
    )


def _logits(c: Case) -> str | None:
    """Find p - target, the gradient for the logits, where the input is a probability."""
    if not c.x.size or not ((c.x > 0) & (c.x < 1)).all() or c.a.shape != c.x.shape:
        return None
    for target in _targets(c):
        gap = c.x - target
        if not (np.abs(gap) > 1e-9).all():
            continue
        ratio = c.a / gap
        if np.ptp(ratio) <= LOOSE * np.abs(ratio).max(initial=0) and ratio.any():
            return (
                "p - target is the gradient for the logits, but this input holds probabilities: return the gradient of "
                "the loss alone (divide by p (1 - p)), or let the layer take logits"
            )
    return None


def _targets(c: Case) -> list[Array]:
    """Return the arrays that may be targets: those of the same shape, and one-hot rows of labels."""
    found = [np.asarray(b, np.float64) for i, b in enumerate(c.arrays) if i != c.index and b.shape == c.x.shape]
    for b in c.arrays:
        if b.dtype.kind in "iu" and b.ndim == 1 and c.x.ndim == 2 and len(b) == len(c.x) and b.size:
            if 0 <= b.min() and b.max() < c.x.shape[1]:
                found.append(np.eye(c.x.shape[1])[b])
    return found


def _scale_outside(c: Case) -> str | None:
    """Find a normalisation whose scale multiplies the result of its sums instead of g."""
    if c.v is None or c.v.shape != c.x.shape:
        return None
    for j, w in enumerate(c.arrays):
        if j == c.index or w.dtype.kind != "f" or w.size < 2 or w.ndim >= c.x.ndim or w.shape != c.x.shape[-w.ndim :]:
            continue
        if not (np.abs(w) > 1e-9).all():
            continue
        inside = c.twist(c.v * w)
        if inside is not None and inside.shape == c.n.shape and c.fits(inside / w, c.n):
            return f"multiply g by input {j} before the sums over the axis: the scale stands outside of them"
    return None
