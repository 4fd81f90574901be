"""The penalised cross-entropy of a linear model: values, gradients, Hessians, and its minimiser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.models.design import PIECE, Design
from tinygrad_lite.models.validation import Floats
from tinygrad_lite.models.watching import Watch

DIRECT = 150
"""Unknowns up to which Newton's steps are taken with the whole Hessian."""

MANY = 50_000
"""Numbers in the columns of two classes above which that takes longer than the steps it saves."""


class Descent(NamedTuple):
    """Weights, the loss after each round, whether the gradient vanished."""

    w: Floats
    history: list[float]
    converged: bool


class CrossEntropy:
    """The loss sum share CE + 1/2 sum bend w² of weights (rows, columns); the last column may be the intercept.

    Two classes share one row of weights, a score s meaning the second class with probability 1 / (1 + exp(-s)).
    """

    def __init__(
        self, design: Design, labels: Any, classes: int, share: Floats, scale: Floats, bend: float, ones: bool
    ) -> None:
        self.design, self.labels, self.share, self.ones = design, labels, share, ones
        self.rows = 1 if classes == 2 else classes
        self.seconds: Any = labels * share if self.rows == 1 else None
        self.scale = scale
        self.bend = np.append(bend * scale**2, 0.0) if ones else bend * scale**2
        self.columns: Any = None
        # columns far from 0, beside their spread, are centred first; of others the centre is taken off the products
        near = bool((np.abs(design.middle) * scale <= 1e3).all())
        if not design.sparse and not near:
            self.columns = np.ones((design.n, design.p + ones))
            for at, piece in design.pieces():
                np.multiply(piece, scale, out=self.columns[at, : design.p])

    def scores(self, w: Floats) -> Floats:
        """Return the scores (n, rows)."""
        if self.columns is not None:
            out: Floats = self.columns @ w.T
            return out
        p = self.design.p
        scaled = (w[:, :p] * self.scale).T
        out = self.design.raw(scaled)
        out -= self.design.middle @ scaled
        if self.ones:
            out += w[:, p]
        return out

    def back(self, left: Floats) -> Floats:
        """Return the products (rows, columns) of ``left`` (n, rows) with the columns."""
        if self.columns is not None:
            out: Floats = left.T @ self.columns
            return out
        total = left.sum(axis=0)
        out = (self.design.plain(np.ascontiguousarray(left.T)) - total[:, None] * self.design.middle) * self.scale
        return np.column_stack([out, total]) if self.ones else out

    def value(self, w: Floats, chances: bool = True) -> tuple[float, Floats, Any]:
        """Return the loss, its gradient, and the probabilities, or None in place of those of several classes.

        Without ``chances`` one table (n, classes) holds scores, probabilities and slopes in turn.
        """
        s = self.scores(w)
        penalty = 0.5 * float((w * w * self.bend).sum())
        if self.rows == 1:
            # in two vectors: n may be large
            z = np.ascontiguousarray(s[:, 0])
            each = np.maximum(z, 0)
            fit = float(self.share @ each) - float(self.seconds @ z)
            np.negative(np.abs(z, out=each), out=each)
            np.log1p(np.exp(each, out=each), out=each)
            fit += float(self.share @ each)
            with np.errstate(over="ignore"):
                chance = np.exp(np.negative(z, out=z), out=z)
            chance += 1
            np.reciprocal(chance, out=chance)
            left = np.multiply(chance, self.share, out=each)
            left -= self.seconds
            return fit + penalty, self.back(left[:, None]) + w * self.bend, chance
        top = s.max(axis=1, keepdims=True)
        s -= top
        here = np.arange(len(s))
        own = s[here, self.labels]
        np.exp(s, out=s)
        total = s.sum(axis=1, keepdims=True)
        s /= total
        fit = float(self.share @ (np.log(total[:, 0]) - own))
        left = np.multiply(s, self.share[:, None], out=None if chances else s)
        left[here, self.labels] -= self.share
        return fit + penalty, self.back(left) + w * self.bend, s if chances else None

    def hessian(self, chances: Floats, chosen: Any = None) -> Floats:
        """Return the matrix of second derivatives of all coefficients, or of some flat indices in ascending order."""
        p = len(self.bend)
        if self.rows == 1 and self.columns is None and not self.design.sparse:
            some = None if chosen is None or 2 * len(chosen) > p else chosen
            out = self.weighted(self.share * chances * (1 - chances), some)
            out.flat[:: len(out) + 1] += self.bend if some is None else self.bend[some]
            return out if chosen is None or len(chosen) == len(out) else out[np.ix_(chosen, chosen)]
        chosen = np.arange(self.rows * p) if chosen is None else chosen
        places = [chosen[(chosen >= a * p) & (chosen < (a + 1) * p)] - a * p for a in range(self.rows)]
        needed = np.unique(np.concatenate(places))
        among = [slice(None) if len(own) == len(needed) else np.searchsorted(needed, own) for own in places]
        ends = np.cumsum([0, *(len(own) for own in places)])
        out = np.zeros((len(chosen), len(chosen)))
        for at, x in self.parts(needed):
            share = self.share[at]
            for a in range(self.rows):
                for b in range(a + 1):
                    if self.rows == 1:
                        each = share * chances[at] * (1 - chances[at])
                    else:
                        each = share * chances[at, a] * ((a == b) - chances[at, b])
                    block = x[:, among[a]].T @ (x[:, among[b]] * each[:, None])
                    out[ends[a] : ends[a + 1], ends[b] : ends[b + 1]] += block
                    if a != b:
                        out[ends[b] : ends[b + 1], ends[a] : ends[a + 1]] += block.T
        out.flat[:: len(out) + 1] += self.bend[np.concatenate(places)]
        return out

    def parts(self, columns: Any) -> Iterator[tuple[slice, Floats]]:
        """Yield slices of rows, and of these rows some scaled columns as a dense array."""
        middle: Any = None
        scale: Any = None
        inside: Any = ()
        if self.columns is not None:
            x = self.columns if len(columns) == self.columns.shape[1] else self.columns[:, columns]
        else:
            inside = columns[columns < self.design.p]
            middle, scale = self.design.middle[inside], self.scale[inside]
            x = self.design.X if len(inside) == self.design.p else self.design.X[:, inside]
        size = max(1, PIECE // max(len(columns), 1))
        for start in range(0, self.design.n, size):
            at = slice(start, start + size)
            if self.columns is not None:
                yield at, x[at]
                continue
            piece = (x[at].toarray() if self.design.sparse else x[at]) - middle
            piece *= scale
            yield at, np.column_stack([piece, np.ones(len(piece))]) if len(inside) < len(columns) else piece

    def average(self) -> Floats:
        """Return the products of all pairs of scaled columns, by the shares of the rows."""
        if not self.design.sparse and self.columns is None:
            return self.weighted(self.share)
        if not self.design.sparse:
            parts = self.parts(np.arange(len(self.bend)))
            return sum((x.T @ (x * self.share[at, None]) for at, x in parts), np.zeros((len(self.bend),) * 2))
        X = self.design.X.astype(np.float64)
        return self.centred((X.T @ X.multiply(self.share[:, None]).tocsr()).toarray(), X.T @ self.share, self.share)

    def weighted(self, share: Floats, chosen: Any = None) -> Floats:
        """Return the products of all pairs of scaled columns, or of some, of a dense design, by other shares."""
        inside: Any = slice(None) if chosen is None else chosen[chosen < self.design.p]
        X, root, p = self.design.X, np.sqrt(share), self.design.p if chosen is None else len(inside)
        products, first, size = np.zeros((p, p)), np.zeros(p), max(1, PIECE // max(p, 1))
        buffer = np.empty((min(size, len(root)), p))
        for start in range(0, self.design.n, size):
            at = slice(start, start + size)
            piece = np.multiply(X[at, inside], root[at, None], out=buffer[: len(root) - start])
            products += piece.T @ piece
            first += root[at] @ piece
        middle, scale = self.design.middle[inside], self.scale[inside]
        return self.centred(products, first, share, (middle, scale), self.ones and (chosen is None or p < len(chosen)))

    def centred(self, products: Floats, first: Floats, share: Floats, form: Any = None, ones: Any = None) -> Floats:
        """Return products of columns as those of scaled columns less their centre; ``first``: of columns and shares.

        ``form`` are centre and scale of the columns, where these are not all; ``ones`` whether the intercept is one.
        """
        middle, scale = form or (self.design.middle, self.scale)
        total, across = share.sum(), np.outer(middle, first)
        products -= across + across.T
        products += total * np.outer(middle, middle)
        products *= np.outer(scale, scale)
        if not (self.ones if ones is None else ones):
            return products
        out = np.empty((len(products) + 1, len(products) + 1))
        out[:-1, :-1], out[-1, -1] = products, total
        out[-1, :-1] = out[:-1, -1] = (first - total * middle) * scale
        return out


def descend(loss: CrossEntropy, start: Floats, tol: float, most: int, watch: Watch | None = None) -> Descent:
    """Minimise by Newton's method with the whole Hessian where that is cheap, else by L-BFGS.

    Stops when no element of the gradient exceeds ``tol`` times its size at 0, or when ``watch`` says so.
    """
    watch = watch or (lambda w: False)
    direct = start.size <= DIRECT and (loss.rows > 1 or loss.design.n * start.size <= MANY)
    here = loss.value(start * 0, direct)
    enough = tol * (float(np.abs(here[1]).max()) or 1.0)
    if start.any():
        here = loss.value(start, direct)
    if not direct:
        return quasi_newton(loss, start, here, enough, most, watch)
    return newton(loss, start, here, enough, most, watch)


def newton(loss: CrossEntropy, w: Floats, here: Any, enough: float, most: int, watch: Watch) -> Descent:
    """Take Newton steps, halved until the loss falls; ``here`` is what `CrossEntropy.value` says of ``w``."""
    value, slope, chances = here
    history: list[float] = []
    for _ in range(most):
        if np.abs(slope).max() <= enough:
            return Descent(w, history or [value], True)
        hessian = loss.hessian(chances)
        # adding one number to the scores of all classes changes nothing: a tiny ridge makes that direction solvable
        hessian.flat[:: len(hessian) + 1] += 1e-13 * np.trace(hessian) / len(hessian) + 1e-300
        try:
            step = -np.linalg.solve(hessian, slope.ravel()).reshape(w.shape)
        except np.linalg.LinAlgError:
            step = -np.linalg.lstsq(hessian, slope.ravel(), rcond=None)[0].reshape(w.shape)
        downhill, part = float((step * slope).sum()), 1.0
        while True:
            there = loss.value(w + part * step)
            if there[0] <= value + 1e-4 * part * downhill + 1e-14 * abs(value):
                break
            part /= 2
            if part < 1e-8:
                return Descent(w, history or [value], bool(np.abs(slope).max() <= 1e4 * enough))
        stuck = np.abs(there[1]).max() >= np.abs(slope).max() and there[0] >= value - 1e-14 * abs(value)
        if stuck:
            return Descent(w, history or [value], True)
        w = w + part * step
        value, slope, chances = there
        history.append(value)
        if watch(w):
            return Descent(w, history, True)
    return Descent(w, history or [value], bool(np.abs(slope).max() <= enough))


def quasi_newton(
    loss: CrossEntropy, w: Floats, here: Any, enough: float, most: int, watch: Watch, memory: int = 20
) -> Descent:
    """Take L-BFGS steps from a diagonal curvature, with a backtracking line search.

    Source: J. Nocedal, S. Wright (2006), Numerical Optimization, algorithm 7.4.
    """
    value, slope, _ = here
    start = metric(loss)
    pairs: list[tuple[Floats, Floats, float]] = []
    history: list[float] = []
    for _ in range(most):
        if np.abs(slope).max() <= enough:
            return Descent(w, history or [value], True)
        step = -two_loops(slope, pairs, start)
        downhill, part = float((step * slope).sum()), 1.0
        if downhill >= 0:
            pairs.clear()
            step = -start(slope)
            downhill = float((step * slope).sum())
        while True:
            there, uphill, _ = loss.value(w + part * step, False)
            if there <= value + 1e-4 * part * downhill + 1e-15 * abs(value):
                break
            part /= 2
            if part < 1e-10:
                return Descent(w, history or [value], bool(np.abs(slope).max() <= 1e4 * enough))
        moved, bent = part * step, uphill - slope
        curvature = float((moved * bent).sum())
        if curvature > 1e-12 * float((bent * bent).sum()) * 1e-6:
            pairs.append((moved, bent, 1 / curvature))
            del pairs[:-memory]
        w, slope, value = w + moved, uphill, there
        history.append(value)
        if watch(w):
            return Descent(w, history, True)
    return Descent(w, history or [value], bool(np.abs(slope).max() <= enough))


def metric(loss: CrossEntropy) -> Any:
    """Return the product with the inverse of an average Hessian: the same (columns, columns) matrix for every class."""
    chance = 1 / (loss.rows if loss.rows > 1 else 2)
    bend = chance * (1 - chance)
    if len(loss.bend) > 1000:
        squares = bend + loss.bend
        return lambda v: v / squares
    average = bend * loss.average()
    average.flat[:: len(average) + 1] += loss.bend + 1e-10 * np.trace(average) / len(average)
    inverse = np.linalg.inv(average)
    return lambda v: v @ inverse


def two_loops(slope: Floats, pairs: list[tuple[Floats, Floats, float]], start: Any) -> Floats:
    """Return the inverse Hessian of the last pairs times the gradient."""
    q, parts = slope.copy(), []
    for s, y, rho in reversed(pairs):
        part = rho * float((s * q).sum())
        q -= part * y
        parts.append(part)
    q = start(q)
    if pairs:
        s, y, rho = pairs[-1]
        # the scale of the average Hessian is only a guess; the last pair measures it
        q *= 1 / (rho * float((y * start(y)).sum()))
    for (s, y, rho), part in zip(pairs, reversed(parts), strict=True):
        q += s * (part - rho * float((y * q).sum()))
    return np.asarray(q)
