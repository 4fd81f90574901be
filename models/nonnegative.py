"""Least squares with coefficients of at least 0: exact by active sets that grow and shrink in blocks."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from tinygrad_lite.models.sparse_solutions import WHOLE, Found, Grown, Quadratic, Task, column_norms, exchanged
from tinygrad_lite.models.validation import Floats

BLOCK = 64
"""Most columns that enter at a time."""


def nonnegative_least_squares(task: Task, most: int) -> Found:
    """Minimise 1/(2 W) |X w - y|² + l2/2 |w|² over w >= 0.

    Columns that pull enter in blocks. The way to the minimum over those that are in ends where the first coefficient
    becomes 0; that column leaves, and so on, until all are above 0.

    Source: C. Lawson, R. Hanson (1974), Solving least squares problems, chapter 23; blocks instead of single columns.
    """
    total = task.total()
    b, power = task.design.back(task.y[:, None])[0] / total, float(task.y @ task.y) / total
    norms = column_norms(task.design)
    slack = 1e-13 * norms * np.sqrt(power / total) + np.finfo(float).tiny
    constant = [power / 2]
    if task.design.p <= min(WHOLE, task.design.n):
        found = exchanged(task.quadratic(b), np.zeros(task.design.p), 30, slack)
        if found.converged:
            return found._replace(history=[*constant, *(v + power / 2 for v in found.history)])
    norms[norms == 0] = 1.0
    grown, w, inside = Grown(task, b, slack), np.zeros(task.design.p), Inside()
    slope, history, block = -b, constant, BLOCK
    for _ in range(most):
        pull = (-slope - slack) / norms
        pull[grown.near[inside.active]] = 0
        others = np.flatnonzero(pull > 0)
        if not len(others):
            return Found(w, history, True)
        # without an L2 penalty more columns than rows have no inverse
        room = block if task.l2 else min(block, max(1, (task.design.n - len(inside.active)) // 2))
        if len(others) > room:
            others = others[np.argpartition(-pull[others], room)[:room]]
        fresh = np.setdiff1d(others, grown.near)
        if len(fresh):
            grown.add(fresh)
        before = copy(inside)
        before.inverse = np.zeros((0, 0))  # taken anew where it is needed
        inside.enter(grown.problem(), np.flatnonzero(np.isin(grown.near, others)))
        part = inside.settle(grown.problem(), w[grown.near])
        left = grown.residuals(part)
        moved = np.zeros_like(w)
        moved[grown.near] = part
        value = task.value(moved, left)
        if value >= history[-1] * (1 - 1e-14):
            # of a block maybe none could stay; a single column always can, but for rounding
            if before.careful:
                return Found(w, history, True)
            block, inside, before.careful = 1, before, block == 1
            inside.renewed(grown.problem())
            continue
        w = moved
        history.append(value)
        if value <= 1e-22 * power:
            return Found(w, history, True)
        slope, block = task.slope(w, left), min(2 * block, BLOCK)
    return Found(w, history, False)


class Inside:
    """The columns whose coefficients are above 0, and the inverse of their Gram matrix, of columns of length 1.

    A block that enters or leaves changes the inverse; where the rounding has added up, it is taken anew.
    """

    def __init__(self) -> None:
        self.active = np.zeros(0, np.intp)
        self.inverse: Floats = np.zeros((0, 0))
        self.exact = False
        """Whether the equations are solved each time, because the inverse is of no use."""
        self.careful = False
        """Whether the inverse is not to be used at all."""

    def block(self, problem: Quadratic, rows: Any, columns: Any) -> Floats:
        """Return a part of the Gram matrix of columns of length 1."""
        out: Floats = problem.G[rows[:, None], columns]
        out *= self.scale[rows[:, None]]
        out *= self.scale[columns]
        return out

    def enter(self, problem: Quadratic, new: Any) -> None:
        """Take columns in."""
        self.scale = 1 / np.sqrt(problem.bend)
        before, self.active = self.active, np.concatenate([self.active, new])
        if self.exact or self.careful:
            self.exact = self.careful or not self.renewed(problem)
            return
        try:
            cross = self.block(problem, before, new)
            turned = self.inverse @ cross
            corner = np.linalg.inv(self.block(problem, new, new) - cross.T @ turned)
        except np.linalg.LinAlgError:
            self.exact = True
            return
        side = -turned @ corner
        k, n = len(before), len(self.active)
        inverse = np.empty((n, n))
        inverse[:k, k:], inverse[k:, :k], inverse[k:, k:] = side, side.T, corner
        np.matmul(side, turned.T, out=inverse[:k, :k])
        np.subtract(self.inverse, inverse[:k, :k], out=inverse[:k, :k])
        self.inverse = inverse

    def leave(self, gone: Any) -> None:
        """Let columns go; their places in the inverse become 0, until `settle` is done."""
        if not self.exact:
            gone = np.flatnonzero(gone)
            rows = self.inverse[gone]
            self.inverse -= rows.T @ (np.linalg.pinv(rows[:, gone]) @ rows)
            self.inverse[gone] = 0
            self.inverse[:, gone] = 0

    def kept(self, alive: Any) -> None:
        """Forget the columns that have gone."""
        if not alive.all():
            self.active = self.active[alive]
            if not self.exact:
                self.inverse = np.ascontiguousarray(self.inverse[alive][:, alive])

    def renewed(self, problem: Quadratic) -> bool:
        """Take the inverse anew; False where there is none."""
        self.inverse = np.zeros((0, 0))  # its memory is free for the new one
        try:
            self.inverse = np.linalg.inv(self.block(problem, self.active, self.active))
        except np.linalg.LinAlgError:
            self.exact = True
            return False
        self.exact = False
        return True

    def goal(self, problem: Quadratic, alive: Any) -> Floats:
        """Return the coefficients that solve the equations of these columns; 0 where they have gone."""
        if self.exact:
            out: Floats = np.zeros(len(alive))
            if alive.any():
                out[alive] = problem.solved(self.active[alive], np.zeros(len(problem.b)))
            return out
        scale = self.scale[self.active]
        return np.asarray(self.inverse @ (problem.b[self.active] * scale) * scale)

    def refined(self, problem: Quadratic, w: Floats, enough: float = 1e-11, tries: int = 3) -> Any:
        """Return the solution to full precision; None where that fails."""
        if self.exact:
            return w
        scale, whole = self.scale[self.active], np.zeros(len(problem.b))
        for _ in range(tries):
            whole[self.active] = w
            left = -problem.slope(whole)[self.active] * scale
            if np.abs(left).max() <= enough * np.abs(problem.b[self.active] * scale).max():
                return w
            w = w + self.inverse @ left * scale
        return None

    def settle(self, problem: Quadratic, start: Floats) -> Floats:
        """Return the minimum over the columns that are in and can stay above 0; the others leave."""
        w, alive, fresh = start.copy(), np.ones(len(self.active), bool), False
        if self.refined(problem, self.goal(problem, alive), 1e-6, 1) is None:
            fresh = self.renewed(problem)
        while alive.any():
            goal, here = self.goal(problem, alive), w[self.active]
            below = alive & (goal <= 0)
            if not below.any():
                self.kept(alive)
                alive = alive[alive]
                better = self.refined(problem, goal[goal > 0])
                if better is not None and (better > 0).all():
                    w[self.active] = better
                    break
                # rounding has added up in the inverse
                self.exact = fresh or not self.renewed(problem)
                fresh = True
                continue
            stuck = below & (here == 0)  # these cannot even start
            if not stuck.any():
                share = here[below] / (here[below] - goal[below])
                here = here + share.min() * (goal - here)
                stuck = below & (here <= 1e-14 * np.abs(goal).max())
                stuck[np.flatnonzero(below)[share.argmin()]] = True
                here[stuck] = 0
                w[self.active] = here
            self.leave(stuck)
            alive &= ~stuck
        self.kept(alive)
        return w
