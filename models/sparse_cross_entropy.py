"""The cross-entropy of a linear model with an L1 penalty: proximal Newton steps on the coefficients that count."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.models.cross_entropy import CrossEntropy, Descent
from tinygrad_lite.models.sparse_solutions import Quadratic, minimise
from tinygrad_lite.models.validation import Floats

SET = 1500
"""Most coefficients that one step changes."""

NUMBERS = 1 << 23
"""Most numbers of a dense copy of the columns that one step changes; 64 MB."""


def pulls(w: Floats, slope: Floats, l1: Floats) -> Floats:
    """Return the shortest subgradient of the penalised loss; 0 everywhere at the minimum."""
    free = np.sign(slope) * np.maximum(np.abs(slope) - l1, 0.0)
    out: Floats = np.where(w != 0, slope + l1 * np.sign(w), free)
    return out


def working_set(w: Floats, pull: Floats, most: int, grown: int) -> Any:
    """Return the flat indices of the coefficients to change: those that are not 0, and those that pull most."""
    size, here = np.abs(pull.ravel()), w.ravel() != 0
    first = np.flatnonzero(here)
    if len(first) > most:
        return np.sort(first[np.argsort(-size[first])[:most]])
    others = np.flatnonzero((size > 0) & ~here)
    left = min(most - len(first), grown)
    if len(others) > left:
        others = others[np.argsort(-size[others])[:left]]
    return np.sort(np.concatenate([first, others]))


def descend_sparse(loss: CrossEntropy, start: Floats, l1: Floats, tol: float, most: int) -> Descent:
    """Minimise the loss plus sum ``l1`` |w| (``l1`` per column); the coefficients that do not help are exactly 0.

    Each step minimises the quadratic model with the penalty over a working set, exactly, and is halved until the loss
    falls. Stops when no element of the shortest subgradient exceeds ``tol`` times the largest slope at 0.

    Source: J. Lee, Y. Sun, M. Saunders (2014), Proximal Newton-type methods for minimizing composite functions.
    """
    l1 = np.broadcast_to(l1, start.shape)
    enough = tol * (float(np.abs(loss.value(start * 0, False)[1]).max()) or 1.0)
    w, history = start.copy(), [float("nan")]
    value, slope, chances = loss.value(w)
    value += float((l1 * np.abs(w)).sum())
    largest = int(max(50, min(SET, NUMBERS // max(loss.design.n, 1))))
    for _ in range(most):
        pull = pulls(w, slope, l1)
        if np.abs(pull).max() <= enough:
            return Descent(w, history[1:] or [value], True)
        chosen = working_set(w, pull, largest, max(200, 2 * int((w != 0).sum())))
        change = model_step(loss, w, slope, chances, l1, chosen)
        gain = float((slope * change).sum() + (l1 * (np.abs(w + change) - np.abs(w))).sum())
        part = 1.0
        while True:
            new = w + part * change
            there, uphill, nearer = loss.value(new)
            there += float((l1 * np.abs(new)).sum())
            if there <= value + 1e-4 * part * gain + 1e-14 * abs(value):
                break
            part /= 2
            if part < 1e-8:
                return Descent(w, history[1:] or [value], bool(np.abs(pull).max() <= 1e4 * enough))
        stuck = there >= value - 1e-14 * abs(value) and np.abs(pulls(new, uphill, l1)).max() >= np.abs(pull).max()
        if stuck:
            return Descent(w, history[1:] or [value], True)
        w, value, slope, chances = new, there, uphill, nearer
        history.append(value)
    return Descent(w, history[1:] or [value], bool(np.abs(pulls(w, slope, l1)).max() <= enough))


def model_step(loss: CrossEntropy, w: Floats, slope: Floats, chances: Floats, l1: Floats, chosen: Any) -> Floats:
    """Return the change (rows, columns) of the chosen coefficients to the minimum of the penalised quadratic model."""
    hessian = loss.hessian(chances, chosen)
    # adding one number to the scores of all classes changes nothing: a tiny ridge makes that direction solvable
    bends = hessian.reshape(-1)[:: len(hessian) + 1]
    bends += 1e-13 * bends.mean() + 1e-300
    here, weight = w.ravel()[chosen], l1.ravel()[chosen]
    goal = hessian @ here - slope.ravel()[chosen]
    slack = 1e-12 * (np.abs(hessian) @ np.abs(here) + np.abs(slope.ravel()[chosen]) + weight) + 1e-300
    found = minimise(Quadratic(hessian, goal, weight, False), here, 200, slack)
    change = np.zeros(w.size)
    change[chosen] = found.w - here
    return change.reshape(w.shape)
