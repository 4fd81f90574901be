"""Least squares with an L1 penalty or a sign: exact solutions by active sets."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.models.design import Design
from tinygrad_lite.models.validation import Floats

WHOLE = 600
"""Columns up to which the whole Gram matrix is formed at once."""


class Found(NamedTuple):
    """Coefficients, the objective after each round, whether the optimality conditions hold."""

    w: Floats
    history: list[float]
    converged: bool


class Quadratic:
    """The objective 1/2 w G w - b w + l1 |w|, with ``positive`` also w >= 0."""

    def __init__(self, G: Floats, b: Floats, l1: float, positive: bool) -> None:
        self.G, self.b, self.l1, self.positive = G, b, l1, positive
        self.bend = np.diag(G).copy()

    def value(self, w: Floats) -> float:
        """Return the objective."""
        return float(0.5 * w @ (self.G @ w) - self.b @ w + self.l1 * np.abs(w).sum())

    def slope(self, w: Floats) -> Floats:
        """Return the gradient of the smooth part."""
        out: Floats = self.G @ w - self.b
        return out

    def missing(self, w: Floats, slope: Floats, slack: Floats) -> Floats:
        """Return by how much each zero coefficient should leave 0, at most 0 where it should not."""
        pull = -slope if self.positive else np.abs(slope)
        return np.where(w == 0, pull - self.l1 - slack, -np.inf)

    def solved(self, active: Any, signs: Floats) -> Floats:
        """Return the stationary point of the active coefficients with these signs."""
        G, goal = self.G[np.ix_(active, active)], (self.b - self.l1 * signs)[active]
        scale = 1 / np.sqrt(self.bend[active])
        even = G * scale * scale[:, None]
        try:
            x = np.linalg.solve(even, goal * scale)
            if not np.abs(even @ x - goal * scale).max(initial=0) <= 1e-9 * np.abs(goal * scale).max(initial=0):
                raise np.linalg.LinAlgError
        except np.linalg.LinAlgError:
            x = np.linalg.lstsq(even, goal * scale, rcond=1e-13)[0]
        out: Floats = x * scale
        return out


def minimise(problem: Quadratic, start: Floats, most: int, slack: Floats, guard: bool = True) -> Found:
    """Minimise by whole changes of the active set, then by guarded ones where those do not settle.

    Source: M. Hintermüller, K. Ito, K. Kunisch (2002), The primal-dual active set strategy as a semismooth Newton
    method; H. Lee, A. Battle, R. Raina, A. Ng (2007), Efficient sparse coding algorithms.
    """
    w = start.copy()
    bend = np.where(problem.bend > 0, problem.bend, 1.0)
    history = [problem.value(w)]
    seen = set()
    for _ in range(min(most, 30)):
        moved = w - problem.slope(w) / bend
        pull = moved if problem.positive else np.abs(moved)
        active = (pull > problem.l1 / bend) & (problem.bend > 0)
        signs = np.sign(moved) * active
        key = signs.astype(np.int8).tobytes()
        new = np.zeros_like(w)
        if active.any():
            new[active] = problem.solved(np.flatnonzero(active), signs)
        if key in seen or not np.isfinite(new).all():
            break
        seen.add(key)
        w = new
        history.append(problem.value(w))
        if optimal(problem, w, slack):
            return Found(w, history, True)
    return guarded(problem, start, history[:1], most, slack) if guard else Found(w, history, False)


def optimal(problem: Quadratic, w: Floats, slack: Floats) -> bool:
    """Return whether ``w`` is the minimum to rounding."""
    if problem.positive and (w < 0).any():
        return False
    slope = problem.slope(w)
    held = np.abs(slope + problem.l1 * np.sign(w)) <= slack
    return bool(((w == 0) | held).all() and (problem.missing(w, slope, slack) <= 0).all())


def guarded(problem: Quadratic, start: Floats, history: list[float], most: int, slack: Floats) -> Found:
    """Add the coefficients that pull most, solve, and stop at the best point where one changes its sign.

    Every round lowers the objective, so no active set comes twice.
    """
    w, batch = start.copy(), max(1, len(start) // 10)
    for _ in range(most):
        slope = problem.slope(w)
        signs = np.sign(w)
        missing = problem.missing(w, slope, slack)
        settled = bool((np.abs(slope + problem.l1 * signs)[w != 0] <= slack[w != 0]).all())
        if settled:
            if not (missing > 0).any():
                return Found(w, history, True)
            entering = np.argsort(-missing)[:batch]
            entering = entering[missing[entering] > 0]
            signs[entering] = -np.sign(slope[entering])
        active = np.flatnonzero(signs)
        goal = np.zeros_like(w)
        goal[active] = problem.solved(active, signs)
        best, value = lowest(problem, w, goal)
        if not value < history[-1] - 1e-16 * abs(history[-1]):
            if batch == 1 or not settled:
                return Found(w, history, optimal(problem, w, slack * 100))
            batch = 1
            continue
        w = best
        history.append(value)
    return Found(w, history, optimal(problem, w, slack))


def lowest(problem: Quadratic, w: Floats, goal: Floats) -> tuple[Floats, float]:
    """Return the best of ``goal`` and of the points before it at which a coefficient becomes 0."""
    crossing = np.flatnonzero(w * goal < 0)
    parts = np.sort(w[crossing] / (w[crossing] - goal[crossing]))
    best, value = w, np.inf
    for part in [*parts.tolist(), 1.0]:
        trial = w + part * (goal - w)
        trial[crossing[np.abs(trial[crossing]) <= 1e-14 * np.abs(w[crossing])]] = 0.0
        if problem.positive and (trial < 0).any():
            if part < 1.0:
                continue
            trial = np.maximum(trial, 0.0)
        now = problem.value(trial)
        if now < value:
            best, value = trial, now
    return best, value


class Task(NamedTuple):
    """A penalised least-squares problem: 1/(2 W) |X w - y|² + l1 |w| + l2/2 |w|², W the weight of all rows."""

    design: Design
    y: Floats
    l1: float
    l2: float
    positive: bool

    def total(self) -> float:
        """Return the weight of all rows."""
        return float(self.design.n if self.design.root is None else (self.design.root**2).sum())

    def slope(self, w: Floats, left: Floats) -> Floats:
        """Return the gradient of the smooth part, from the residuals ``left`` = y - X w."""
        out: Floats = self.l2 * w - self.design.back(left[:, None])[0] / self.total()
        return out

    def residuals(self, w: Floats) -> Floats:
        """Return y - X w."""
        out: Floats = self.y - self.design.times(w[None])[:, 0]
        return out

    def value(self, w: Floats, left: Floats) -> float:
        """Return the objective."""
        smooth = float(left @ left) / 2 / self.total() + self.l2 / 2 * float(w @ w)
        return smooth + self.l1 * float(np.abs(w).sum())

    def gap(self, w: Floats) -> float:
        """Return the duality gap, an upper bound of how far the objective is above its minimum."""
        left, total = self.residuals(w), self.total()
        pull = -self.slope(w, left)
        top = float(max(pull.max(initial=0), 0.0) if self.positive else np.abs(pull).max(initial=0))
        share = min(1.0, self.l1 / top) if top else 1.0
        smooth = float(left @ left) / 2 / total + self.l2 / 2 * float(w @ w)
        return max(self.value(w, left) - share * float(left @ self.y) / total + share**2 * smooth, 0.0)


def penalised(task: Task, start: Floats, most: int, tol: float) -> Found:
    """Minimise a penalised least-squares problem.

    Up to 600 columns exactly, from the whole Gram matrix. Beyond that accelerated proximal steps lead to a duality gap
    of at most ``tol`` |y|² / W, and where few coefficients are left the active set among them is solved exactly.
    """
    design, total = task.design, task.total()
    b = design.back(task.y[:, None])[0] / total
    constant = 0.5 * float(task.y @ task.y) / total
    slack = 1e-13 * (column_norms(design) * np.sqrt(2 * constant / total) + task.l1) + np.finfo(float).tiny
    if design.p <= WHOLE:
        G = design.gram() / total
        G.flat[:: len(G) + 1] += task.l2
        found = minimise(Quadratic(G, b, task.l1, task.positive), start, most, slack)
        return found._replace(history=[value + constant for value in found.history])
    coarse = proximal_steps(task, start, most, tol * 2 * constant)
    slope = task.slope(coarse.w, task.residuals(coarse.w))
    pull = -slope if task.positive else np.abs(slope)
    near = np.flatnonzero((coarse.w != 0) | (pull > 0.95 * task.l1))
    if not len(near) or len(near) > min(WHOLE, design.n + (WHOLE if task.l2 else 0)) or not coarse.converged:
        return coarse
    columns = design.dense(near)
    G = columns.T @ columns / total
    G.flat[:: len(G) + 1] += task.l2
    exact = minimise(Quadratic(G, b[near], task.l1, task.positive), coarse.w[near], 30, slack[near], guard=False)
    w = np.zeros_like(coarse.w)
    w[near] = exact.w
    value = task.value(w, task.residuals(w))
    if exact.converged and value <= coarse.history[-1]:
        return Found(w, [*coarse.history, value], True)
    return coarse


def proximal_steps(task: Task, start: Floats, most: int, enough: float) -> Found:
    """Take accelerated proximal gradient steps until the duality gap is ``enough``; the momentum restarts uphill.

    Source: A. Beck, M. Teboulle (2009), A fast iterative shrinkage-thresholding algorithm.
    """
    bend = largest_bend(task)
    w = look = start.copy()
    t, history = 1.0, [task.value(w, task.residuals(w))]
    first = float(np.abs(task.slope(w * 0, task.y)).max(initial=0))
    for step in range(1, most + 1):
        left = task.residuals(look)
        moved = look - task.slope(look, left) / bend
        size = np.maximum((moved if task.positive else np.abs(moved)) - task.l1 / bend, 0.0)
        new = size if task.positive else np.copysign(size, moved) * (size > 0)
        shift = float(np.abs(new - look).max(initial=0)) * bend
        if float((look - new) @ (new - w)) > 0:
            t, look = 1.0, new
        else:
            t, before = (1 + np.sqrt(1 + 4 * t * t)) / 2, t
            look = new + (before - 1) / t * (new - w)
        w = new
        if step % 10 == 0:
            history.append(task.value(w, task.residuals(w)))
            # without an L1 penalty the gap bounds nothing, so the step size decides
            if task.gap(w) <= enough or shift <= 1e-9 * first:
                return Found(w, history, True)
    return Found(w, history, False)


def largest_bend(task: Task) -> float:
    """Return an upper bound of the largest curvature of the smooth part (power iteration)."""
    v = np.random.default_rng(0).standard_normal(task.design.p)
    top = 0.0
    for _ in range(50):
        v /= np.sqrt(v @ v) or 1.0
        v = task.design.back(task.design.times(v[None]))[0] / task.total()
        before, top = top, float(np.sqrt(v @ v))
        if abs(top - before) <= 1e-3 * top:
            break
    return 1.05 * top + task.l2 or 1.0


def column_norms(design: Design) -> Floats:
    """Return the Euclidean norms of the centred columns."""
    if design.sparse:
        squares = np.asarray(design.X.multiply(design.X).sum(axis=0), np.float64).ravel()
        return np.sqrt(np.maximum(squares, 0))
    total = np.zeros(design.p)
    for _, piece in design.pieces():
        total += np.einsum("ij,ij->j", piece, piece)
    out: Floats = np.sqrt(total)
    return out
