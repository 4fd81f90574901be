"""Least squares with an L1 penalty or a sign: exact solutions by active sets."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.models.design import KEPT, Design
from tinygrad_lite.models.validation import Floats
from tinygrad_lite.native.coordinates import rounds, row_rounds

WHOLE = 600
"""Columns up to which the whole Gram matrix is formed at once."""


ROUNDS = 10
"""Rounds of coordinate descent between two looks at the duality gap."""


class Found(NamedTuple):
    """Coefficients, the objective after each round, whether these are the minimum, the duality gap if known."""

    w: Floats
    history: list[float]
    converged: bool
    gap: float | None = None


class Quadratic:
    """The objective 1/2 w G w - b w + sum l1 |w|, with ``positive`` also w >= 0; ``rank`` is at least that of G."""

    def __init__(self, G: Floats, b: Floats, l1: Any, positive: bool, rank: float = np.inf) -> None:
        self.G, self.b, self.l1, self.positive, self.rank = G, b, l1, positive, rank
        self.bend = G.diagonal()

    def value(self, w: Floats) -> float:
        """Return the objective."""
        return float(0.5 * w @ (self.G @ w) - self.b @ w + (self.l1 * np.abs(w)).sum())

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
        G = self.G if len(active) == len(self.G) else self.G[active[:, None], active]
        scale = 1 / np.sqrt(self.bend[active])
        goal, even = (self.b - self.l1 * signs)[active] * scale, G * scale * scale[:, None]
        try:
            x = np.linalg.solve(even, goal)
            if not np.abs(even @ x - goal).max(initial=0) <= 1e-9 * np.abs(goal).max(initial=0):
                raise np.linalg.LinAlgError
        except np.linalg.LinAlgError:
            x = np.linalg.lstsq(even, goal, rcond=1e-13)[0]
        out: Floats = x * scale
        return out


def exchanged(problem: Quadratic, start: Floats, tries: int, slack: Floats) -> Found:
    """Change the whole active set by one Newton step at a time, until it is right or comes back.

    Source: M. Hintermüller, K. Ito, K. Kunisch (2002), The primal-dual active set strategy as a semismooth Newton
    method.
    """
    w, slope = start, problem.slope(start)
    bend = np.where(problem.bend > 0, problem.bend, 1.0)
    history: list[float] = []
    seen = set()
    for _ in range(tries):
        moved = w - slope / bend
        pull = moved if problem.positive else np.abs(moved)
        signs = np.sign(moved) * ((pull > problem.l1 / bend) & (problem.bend > 0))
        key = signs.astype(np.int8).tobytes()
        if key in seen or np.count_nonzero(signs) > problem.rank:
            break
        seen.add(key)
        w = settled(problem, signs)
        if not np.isfinite(w).all():
            break
        slope = problem.slope(w)
        # 1/2 w G w - b w is half of (slope - b) w
        history.append(float(0.5 * (slope - problem.b) @ w + (problem.l1 * np.abs(w)).sum()))
        if optimal(problem, w, slack, slope):
            return Found(w, history, True)
    return Found(w, history, False)


def minimise(problem: Quadratic, start: Floats, most: int, slack: Floats) -> Found:
    """Minimise by changes of the active set, by single coordinates where these do not settle."""
    found = exchanged(problem, start, min(most, 30), slack)
    if not found.converged:
        found = swept(problem, start, most, slack)
    return found


def settled(problem: Quadratic, signs: Floats) -> Floats:
    """Return the stationary point whose coefficients have these signs, 0 where the sign is 0."""
    out = np.zeros(len(signs))
    if signs.any():
        out[signs != 0] = problem.solved(np.flatnonzero(signs), signs)
    return out


def optimal(problem: Quadratic, w: Floats, slack: Floats, slope: Any = None) -> bool:
    """Return whether ``w`` is the minimum to rounding."""
    if problem.positive and (w < 0).any():
        return False
    slope = problem.slope(w) if slope is None else slope
    held = np.abs(slope + problem.l1 * np.sign(w)) <= slack
    return bool(((w == 0) | held).all() and (problem.missing(w, slope, slack) <= 0).all())


def swept(problem: Quadratic, start: Floats, most: int, slack: Floats) -> Found:
    """Minimise over one coefficient after the other; solve for all of them once their signs have settled.

    Source: J. Friedman, T. Hastie, R. Tibshirani (2010), Regularization paths for generalized linear models via
    coordinate descent.
    """
    w, bend, rows = start.tolist(), problem.bend.tolist(), list(problem.G)
    l1 = np.broadcast_to(problem.l1, start.shape).tolist()
    every = np.flatnonzero(problem.bend > 0).tolist()
    slope = problem.slope(start)
    before = tried = b""
    history: list[float] = []

    def sweep(places: list[int]) -> float:
        """Minimise over each of these coefficients once; return the largest change of a slope."""
        largest = 0.0
        for j in places:
            old, bent = w[j], bend[j]
            z = old * bent - slope.item(j)
            size = (z if problem.positive else abs(z)) - l1[j]
            new = 0.0 if size <= 0 else size / bent if z > 0 else -size / bent
            if new != old:
                w[j] = new
                np.add(slope, rows[j] * (new - old), out=slope)
                largest = max(largest, abs(new - old) * bent)
        return largest

    for number in range(most):
        first = change = sweep(every)
        for _ in range(10):
            if change <= 0.05 * first:
                break
            change = sweep([j for j in every if w[j]])
        here = np.array(w)
        slope = problem.slope(here)
        history.append(problem.value(here))
        signs = np.sign(here)
        key = signs.astype(np.int8).tobytes()
        if key == before and (key != tried or number % 20 == 0) and np.count_nonzero(signs) <= problem.rank:
            tried = key
            exact = settled(problem, signs)
            if (np.sign(exact) == signs).all() and optimal(problem, exact, slack):
                return Found(exact, [*history[:-1], problem.value(exact)], True)
        if first <= 1e-3 * float(np.min(slack)) or optimal(problem, here, slack * 0.1, slope):
            return Found(here, history, True)
        before = key
    return Found(np.array(w), history, optimal(problem, np.array(w), slack))


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

    def quadratic(self, b: Floats) -> Quadratic:
        """Return the problem as one of the Gram matrix; ``b`` are the products of the columns with y."""
        G = self.design.gram() / self.total()
        G.flat[:: len(G) + 1] += self.l2
        return Quadratic(G, b, self.l1, self.positive)

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
        left = self.residuals(w)
        return self.gap_at(w, left, self.slope(w, left))

    def gap_at(self, w: Floats, left: Floats, slope: Floats) -> float:
        """Return the duality gap, given the residuals and the gradient of the smooth part."""
        total, pull = self.total(), -slope
        top = float(max(pull.max(initial=0), 0.0) if self.positive else np.abs(pull).max(initial=0))
        share = min(1.0, self.l1 / top) if top else 1.0
        smooth, along = float(left @ left) / 2 / total, float(left @ self.y) / total
        ridge = self.l2 / 2 * float(w @ w)
        least = share * along - share**2 * (smooth + ridge)
        if self.l2:
            least = max(least, along - smooth - self.conjugate(w, slope))
        return max(smooth + ridge + self.l1 * float(np.abs(w).sum()) - least, 0.0)

    def conjugate(self, w: Floats, slope: Floats) -> float:
        """Return the conjugate of the penalties at X' (y - X w) / W: with l2 every residual bounds the minimum."""
        pull = self.l2 * w - slope
        above = np.maximum((pull if self.positive else np.abs(pull)) - self.l1, 0.0)
        return float(above @ above) / 2 / self.l2


def penalised(task: Task, start: Floats, most: int, tol: float) -> Found:
    """Minimise a penalised least-squares problem exactly.

    Up to 600 columns from the whole Gram matrix. Beyond that from the Gram matrices of growing sets of columns; where
    too many columns count, accelerated proximal steps lead to a duality gap of at most ``tol`` |y|² / W. A ``start``
    with such a gap is the result.
    """
    design, total = task.design, task.total()
    constant = 0.5 * float(task.y @ task.y) / total
    if start.any() and task.l1 and (gap := task.gap(start)) <= tol * 2 * constant:
        return Found(start, [], True, gap)
    b = design.back(task.y[:, None])[0] / total
    slack = 1e-13 * (column_norms(design) * np.sqrt(2 * constant / total) + task.l1) + np.finfo(float).tiny
    if design.p <= WHOLE:
        problem = task.quadratic(b)
        found = minimise(problem, start, most, slack)
        history = [value + constant for value in (problem.value(start), *found.history)]
        return found._replace(history=history, gap=gram_gap(problem, task, found.w, 2 * constant))
    near = Grown(task, b, slack).minimise(start, most, tol * 2 * constant)
    return near or proximal_steps(task, start, most, tol * 2 * constant)


class Grown:
    """The problem over the columns that have counted so far."""

    def __init__(self, task: Task, b: Floats, slack: Floats) -> None:
        self.task, self.b, self.slack = task, b, slack
        self.power = float(task.y @ task.y) / task.total()
        self.near = np.zeros(0, np.intp)
        self.G = np.zeros((0, 0))
        small = not task.design.sparse and task.design.X.size <= KEPT
        self.columns: Any = np.zeros((0, task.design.n)) if small else None
        """The columns one after the other, where they take little memory."""

    def add(self, columns: Any) -> None:
        """Take more columns in."""
        self.near = np.concatenate([self.near, columns])
        if self.columns is not None:
            self.columns = np.concatenate([self.columns, self.task.design.dense(columns).T])

    def problem(self) -> Quadratic:
        """Return the problem of the Gram matrix of these columns, which grows with them."""
        m, design, near = len(self.G), self.task.design, self.near
        if m < len(near):
            G = np.empty((len(near), len(near)))
            G[:m, :m] = self.G
            if self.columns is None:
                G[m:] = design.gram(near[m:], near)
            else:
                np.matmul(self.columns[m:], self.columns.T, out=G[m:])
            G[m:] /= self.task.total()
            G[:m, m:] = G[m:, :m].T
            G.flat[m * (len(G) + 1) :: len(G) + 1] += self.task.l2
            self.G = G
        rank = np.inf if self.task.l2 else float(design.n)
        return Quadratic(self.G, self.b[near], self.task.l1, self.task.positive, rank)

    def residuals(self, part: Floats) -> Floats:
        """Return y - X w, given the coefficients of these columns."""
        if self.columns is None:
            w = np.zeros(self.task.design.p)
            w[self.near] = part
            return self.task.residuals(w)
        out: Floats = self.task.y - part @ self.columns
        return out

    def minimise(self, start: Floats, most: int, enough: float) -> Found | None:
        """Minimise over the columns that count, and add those that pull more, until there are none.

        Where the active sets do not settle, coordinate descent or proximal steps lead to a duality gap of ``enough``.
        None where too many columns count.
        """
        task, w = self.task, start
        history: list[float] = []
        left, exact = task.residuals(w) if w.any() else task.y, True
        slope = task.slope(w, left) if w.any() else -self.b
        for _ in range(most):
            missing = (np.abs(slope) if not task.positive else -slope) - task.l1 - self.slack
            if not len(self.near):
                missing[w != 0] = np.inf
            missing[self.near] = -np.inf
            others = np.flatnonzero(missing > 0)
            gap = task.gap_at(w, left, slope)
            if history and (gap <= enough or (exact and not len(others))):
                return Found(w, history, True, gap)
            wanted = 50 if exact else max(100, len(self.near) // 2)
            if len(others) > wanted:
                others = np.sort(others[np.argpartition(-missing[others], wanted)[:wanted]])
            if len(others):
                self.add(others)
            if len(self.near) > 4 * WHOLE:
                return None
            inside = self.inside(w[self.near], most, exact, max(enough / 2, gap / 5))
            exact = exact and not inside.history
            if not inside.converged:
                return None
            w = np.zeros_like(w)
            w[self.near] = inside.w
            left = self.residuals(w[self.near])
            slope = task.slope(w, left)
            history.append(task.value(w, left))
        return Found(w, history, False)

    def inside(self, start: Floats, most: int, exact: bool, enough: float) -> Found:
        """Minimise over the columns that count; a history says that the result is not exact."""
        found = self.descended(start, 10 * most, enough)
        if found is None or not found.converged:
            exact = exact and found is None
            found = exchanged(self.problem(), start, 8 if exact else 0, self.slack[self.near])._replace(history=[])
        return found if found.converged else self.hurried(self.problem(), start, 20 * most, enough)

    def descended(self, start: Floats, most: int, enough: float) -> Found | None:
        """Minimise over one coefficient after the other by native loops; None where these are not in use.

        None also for a gap that is exact to rounding: of that the active sets are quicker.
        """
        if enough <= 1e-10 * self.power:
            return None
        if self.columns is not None and self.task.design.n < self.task.design.p:
            return self.descended_by_rows(start, most, enough)
        problem, w, l1 = self.problem(), start.copy(), np.full(len(start), self.task.l1)
        for _ in range(0, most, ROUNDS):
            if not rounds(ROUNDS, w, problem.slope(w), self.G, l1, problem.positive):
                return None
            if gram_gap(problem, self.task, w, self.power) <= enough:
                return Found(w, [0.0], True)
        return Found(w, [0.0], False)

    def descended_by_rows(self, start: Floats, most: int, enough: float) -> Found | None:
        """Do so with the residuals, without a Gram matrix: quicker where there are fewer rows than columns."""
        task, X, w, l1 = self.task, self.columns, start.copy(), np.full(len(start), self.task.l1)
        total, left = task.total(), self.residuals(start)
        bend = np.einsum("ij,ij->i", X, X) / total
        for _ in range(0, most, ROUNDS):
            if not row_rounds(ROUNDS, w, left, X, (l1, bend), (task.l2, total), task.positive):
                return None
            if task.gap_at(w, left, task.l2 * w - X @ left / total) <= enough:
                return Found(w, [0.0], True)
        return Found(w, [0.0], False)

    def hurried(self, problem: Quadratic, start: Floats, most: int, enough: float) -> Found:
        """Take accelerated proximal gradient steps on the Gram matrix until the duality gap is ``enough``."""
        steps = Momentum(start, largest_bend(lambda v: problem.G @ v, len(start)), problem.l1, problem.positive)
        for number in range(most):
            if number % 20 == 0 and gram_gap(problem, self.task, steps.w, self.power) <= enough:
                return Found(steps.w, [0.0], True)
            steps.take(problem.slope(steps.look))
        return Found(steps.w, [0.0], False)


def gram_gap(problem: Quadratic, task: Task, w: Floats, power: float) -> float:
    """Return the duality gap from a Gram matrix, as if there were no other columns; ``power`` is |y|² / W."""
    slope, ridge, along = problem.slope(w), task.l2 * float(w @ w), float(problem.b @ w)
    # |y - X w|² / W, and (y - X w) y / W
    left = max(power - along + float(w @ slope) - ridge, 0.0)
    top = float(max((-slope).max(initial=0), 0.0) if task.positive else np.abs(slope).max(initial=0))
    share = min(1.0, task.l1 / top) if top > 0 else 1.0
    smooth = 0.5 * (left + ridge)
    least = share * (power - along) - share**2 * smooth
    if task.l2:
        least = max(least, power - along - 0.5 * left - task.conjugate(w, slope))
    return max(smooth + task.l1 * float(np.abs(w).sum()) - least, 0.0)


class Momentum:
    """Accelerated proximal gradient steps; the momentum restarts uphill.

    Source: A. Beck, M. Teboulle (2009), A fast iterative shrinkage-thresholding algorithm.
    """

    def __init__(self, start: Floats, bend: float, l1: float, positive: bool) -> None:
        self.w, self.look, self.t = start, start, 1.0
        self.bend, self.l1, self.positive = bend, l1, positive

    def take(self, slope: Floats) -> None:
        """Take a step, given the gradient of the smooth part at ``look``."""
        moved = self.look - slope / self.bend
        size = np.maximum((moved if self.positive else np.abs(moved)) - self.l1 / self.bend, 0.0)
        new = size if self.positive else np.copysign(size, moved) * (size > 0)
        if float((self.look - new) @ (new - self.w)) > 0:
            self.t, self.look = 1.0, new
        else:
            t = (1 + np.sqrt(1 + 4 * self.t * self.t)) / 2
            self.look = new + (self.t - 1) / t * (new - self.w)
            self.t = t
        self.w = new


def proximal_steps(task: Task, start: Floats, most: int, enough: float) -> Found:
    """Take accelerated proximal gradient steps on all columns until the duality gap is ``enough``."""
    design, total = task.design, task.total()
    bend = largest_bend(lambda v: design.back(design.times(v[None]))[0] / total + task.l2 * v, design.p)
    steps = Momentum(start, bend, task.l1, task.positive)
    history = [task.value(start, task.residuals(start))]
    first = float(np.abs(task.slope(start * 0, task.y)).max(initial=0))
    for number in range(1, most + 1):
        look = steps.look
        steps.take(task.slope(look, task.residuals(look)))
        if number % 10 == 0:
            w = steps.w
            history.append(task.value(w, task.residuals(w)))
            # without an L1 penalty the gap bounds nothing, so the step size decides
            if task.gap(w) <= enough or float(np.abs(w - look).max(initial=0)) * bend <= 1e-9 * first:
                return Found(w, history, True)
    return Found(steps.w, history, False)


def largest_bend(product: Any, size: int) -> float:
    """Return an upper bound of the largest curvature of the smooth part (power iteration)."""
    v = np.random.default_rng(0).standard_normal(size)
    top = 0.0
    for _ in range(50):
        v /= np.sqrt(v @ v) or 1.0
        v = product(v)
        before, top = top, float(np.sqrt(v @ v))
        if abs(top - before) <= 1e-3 * top:
            break
    return 1.05 * top or 1.0


def column_norms(design: Design) -> Floats:
    """Return the Euclidean norms of the centred columns."""
    if design.squares is not None:
        return np.sqrt(design.squares)
    if design.sparse:
        squares = np.asarray(design.X.multiply(design.X).sum(axis=0), np.float64).ravel()
        return np.sqrt(np.maximum(squares, 0))
    total = np.zeros(design.p)
    for _, piece in design.pieces():
        total += np.einsum("ij,ij->j", piece, piece)
    out: Floats = np.sqrt(total)
    return out
