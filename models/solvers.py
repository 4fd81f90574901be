"""Full-batch minimisers of convex losses, with first and second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite import Tensor, grad, tensor
from tinygrad_lite.models.validation import Floats

Loss = Callable[[Tensor], Tensor]
Product = Callable[[Floats], Floats]


class Solution(NamedTuple):
    """Result of a minimiser: weights, loss per round, whether it converged."""

    w: Floats
    history: list[float]
    converged: bool


class Point:
    """A loss at ``w``: its value, its gradient, and products with its Hessian.

    A product is the gradient of gradient times vector.
    """

    def __init__(self, loss: Loss, w: Floats) -> None:
        self.leaf = tensor(w, requires_grad=True)
        value = loss(self.leaf)
        (slope,) = grad(value, self.leaf, create_graph=True)
        assert slope is not None
        self.w, self.value, self.recorded = w, float(value.item()), slope
        self.slope: Floats = slope.array

    def curved(self, v: Floats) -> Floats:
        """Return the Hessian times ``v``."""
        (product,) = grad(self.recorded, self.leaf, tensor(v), retain_graph=True)
        assert product is not None
        out: Floats = product.array
        return out


def conjugate_gradients(curved: Product, b: Floats, precision: float, most: int) -> Floats:
    """Solve H x = b by conjugate gradients, for a positive semidefinite H.

    Stops at |H x - b| <= ``precision`` |b|, or returns the best x found.

    Source: M. R. Hestenes, E. Stiefel (1952), Methods of conjugate gradients for solving linear systems.
    """
    x = np.zeros_like(b)
    r, p = b.copy(), b.copy()
    squared = float((r * r).sum())
    enough = precision**2 * squared
    for _ in range(most):
        if squared <= enough or squared == 0:
            break
        hp = curved(p)
        bend = float((p * hp).sum())
        if bend <= 1e-300 or bend <= 1e-15 * squared * np.finfo(float).eps:
            break
        step = squared / bend
        x += step * p
        r -= step * hp
        before, squared = squared, float((r * r).sum())
        p = r + squared / before * p
    return x


def newton(loss: Loss, start: Floats, tol: float, most: int) -> Solution:
    """Minimise a smooth convex loss by Newton steps.

    Conjugate gradients find each step; a line search shortens it where needed.

    Stops when no element of the gradient exceeds ``tol`` times its size at 0, or when rounding hides all progress. On a
    quadratic loss one step is nearly all.
    """
    here = Point(loss, start)
    first = float(np.abs(Point(loss, np.zeros_like(start)).slope).max()) or 1.0
    history: list[float] = []
    for _ in range(most):
        size = float(np.abs(here.slope).max())
        if size <= tol * first:
            return Solution(here.w, history or [here.value], True)
        step = conjugate_gradients(here.curved, -here.slope, min(1e-3, size / first), 10 * start.size)
        downhill = float((step * here.slope).sum())
        if downhill >= 0:  # only rounding remains
            return Solution(here.w, history or [here.value], size <= 1e-6 * first)
        part = 1.0
        while True:
            there = Point(loss, here.w + part * step)
            slack = 1e-14 * abs(here.value)
            if there.value <= here.value + 1e-4 * part * downhill + slack:
                break
            part /= 2
            if part < 1e-8:
                return Solution(here.w, history or [here.value], size <= 1e-6 * first)
        # near the minimum the loss is flat to rounding, but the gradient still shows which point is nearer
        stuck = there.value >= here.value - slack and np.abs(there.slope).max() >= 0.5 * size
        if not (stuck and np.abs(there.slope).max() >= size):
            here = there
            history.append(here.value)
        if stuck:
            return Solution(here.w, history or [here.value], True)
    return Solution(here.w, history, bool(np.abs(here.slope).max() <= tol * first))


def shrunk(w: Floats, by: Any) -> Floats:
    """Return sign(w) max(|w| - by, 0), the proximal step of an L1 penalty.

    It gives exact zeros.
    """
    out: Floats = np.sign(w) * np.maximum(np.abs(w) - by, 0.0)
    return out


def largest_curvature(point: Point) -> float:
    """Return an upper bound of the Hessian's largest eigenvalue (power iteration)."""
    v: Floats = np.random.default_rng(0).standard_normal(point.w.shape)
    top = 0.0
    for _ in range(200):
        v /= np.sqrt((v * v).sum())
        hv = point.curved(v)
        before, top = top, float(np.sqrt((hv * hv).sum()))
        if top == 0 or abs(top - before) <= 1e-4 * top:
            break
        v = hv
    return 1.02 * top or 1.0


def proximal(loss: Loss, start: Floats, l1: Any, tol: float, most: int) -> Solution:
    """Minimise a quadratic loss plus ``l1`` |w|, with exact zeros.

    By accelerated proximal gradient steps.

    The momentum starts over whenever it points uphill. Stops when a step of plain size moves no element of the scaled
    gradient by more than ``tol`` times the largest slope at 0.

    Source: A. Beck, M. Teboulle (2009), A fast iterative shrinkage-thresholding algorithm; B. O'Donoghue, E. Candes
    (2015), Adaptive restart for accelerated gradient schemes.
    """
    at_zero = Point(loss, np.zeros_like(start))
    bend = largest_curvature(at_zero)
    scale = float(np.abs(at_zero.slope).max()) or 1.0
    w = look = start.copy()
    t, history = 1.0, []
    for _ in range(most):
        leaf = tensor(look, requires_grad=True)
        value = loss(leaf)
        (slope,) = grad(value, leaf)
        assert slope is not None
        new = shrunk(look - slope.array / bend, l1 / bend)
        left = float(np.abs(new - look).max()) * bend
        history.append(float(value.item()) + float((l1 * np.abs(look)).sum()))
        if left <= tol * scale:
            return Solution(new, history, True)
        if float(((look - new) * (new - w)).sum()) > 0:
            t, look = 1.0, new
        else:
            t, before = (1 + np.sqrt(1 + 4 * t * t)) / 2, t
            look = new + (before - 1) / t * (new - w)
        w = new
    return Solution(w, history, False)
