"""Linear regression: least squares, ridge, lasso and elastic net."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tinygrad_lite import Tensor, nn, tensor
from tinygrad_lite.models.estimator import Regressor
from tinygrad_lite.models.solvers import conjugate_gradients, newton, proximal
from tinygrad_lite.models.validation import (
    ConvergenceWarning,
    Floats,
    check_count,
    check_measurements,
    check_number,
    check_weights,
    warn,
)


class LinearModel(Regressor):
    """Base of the linear regressions; the intercept is never penalised."""

    fit_intercept: bool
    max_iter: int
    tol: float
    coef_: Floats
    intercept_: Any
    n_iter_: int
    history_: list[float]

    def _penalties(self, weight: float) -> tuple[float, float]:
        """Return l1 and l2 of the loss 1/(2W) sum w r² + l1 |c| + l2/2 |c|².

        W is the total ``weight`` of the rows.
        """
        return 0.0, 0.0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (n, features) and y (n,) or (n, outputs).

        ``sample_weight`` (n,) weighs the rows.
        """
        owner = type(self).__name__
        most, tol = check_count(owner, "max_iter", self.max_iter), check_number(owner, "tol", self.tol)
        self._penalties(1.0)
        rows = self._fit_rows(X)
        goal = check_measurements(owner, rows, y, np.float64)
        weights = check_weights(rows, sample_weight)
        self._remember(X, rows)
        targets = goal.reshape(len(goal), -1)
        share = (np.full(len(rows), 1.0) if weights is None else weights)[:, None]
        total = float(share.sum())
        share = share / total
        # the mean as origin trains the intercept exactly; equal scales make the problem as round as it can be
        middle = (share * rows).sum(axis=0) if self.fit_intercept else np.zeros(rows.shape[1])
        offset = (share * targets).sum(axis=0) if self.fit_intercept else np.zeros(targets.shape[1])
        moved = rows - middle
        spread = np.sqrt((share * moved**2).sum(axis=0))
        spread[spread <= 1e-12 * np.abs(rows).max(axis=0, initial=0)] = 0.0
        inverse = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
        root = np.sqrt(share)
        l1, l2 = self._penalties(total)
        loss = squares(tensor(root * moved * inverse), tensor(root * (targets - offset)), l2 * inverse**2)
        start = np.zeros((targets.shape[1], rows.shape[1]))
        solution = proximal(loss, start, l1 * inverse, tol, most) if l1 else newton(loss, start, tol, most)
        coefficients = solution.w * inverse
        if not l1 and not l2:
            coefficients = shortest(root * moved, coefficients)
        intercept = offset - coefficients @ middle
        self.coef_ = coefficients[0] if goal.ndim == 1 else coefficients
        self.intercept_ = float(intercept[0]) if goal.ndim == 1 else intercept
        self.n_iter_, self.history_ = len(solution.history), solution.history
        if not solution.converged:
            warn(ConvergenceWarning, f"{owner}: not at the optimum after max_iter={most} rounds; raise max_iter or tol")
        return self

    def predict(self, X: Any) -> Floats:
        """Return the estimates (n,), or (n, outputs) where y had two axes."""
        rows = self._rows(X)
        estimates: Floats = rows @ self.coef_.T + self.intercept_
        return estimates

    def module(self) -> nn.Linear:
        """Return the learned map as a float64 layer."""
        self._check_fitted()
        coefficients = np.atleast_2d(self.coef_)
        layer = nn.Linear(coefficients.shape[1], coefficients.shape[0], dtype=np.float64)
        layer.weight.data = tensor(coefficients)
        if layer.bias is not None:
            layer.bias.data = tensor(np.atleast_1d(np.asarray(self.intercept_, np.float64)))
        return layer


def shortest(x: Floats, w: Floats) -> Floats:
    """Return the shortest of all weights that estimate the same as ``w``."""
    fit = w @ x.T
    u = conjugate_gradients(lambda v: (v @ x.T) @ x, fit @ x, 1e-14, 10 * w.size)
    same = np.linalg.norm(u @ x.T - fit) <= 1e-9 * np.linalg.norm(fit)
    # where there is only one solution, rounding decides: stay with what was found in equal scales
    return u if same and np.linalg.norm(u) < (1 - 1e-9) * np.linalg.norm(w) else w


def squares(x: Tensor, y: Tensor, l2: Floats) -> Any:
    """Return the loss 1/2 sum (y - x w^T)² + 1/2 sum l2 w².

    The weights w are (outputs, features).
    """
    penalised = bool(l2.any())
    bend = tensor(l2)

    def loss(w: Tensor) -> Tensor:
        left = nn.functional.linear(x, w) - y
        out: Tensor = (left * left).sum() * 0.5
        return out + (w * w * bend).sum() * 0.5 if penalised else out

    return loss


class LinearRegression(LinearModel):
    r"""Least squares, :math:`\min \frac1n \sum_i w_i (y_i - x_i \cdot c - b)^2`.

    Args:
        fit_intercept: learn b too; otherwise it is 0.
        max_iter: most Newton steps (a handful is enough).
        tol: largest slope left, relative to the slope at 0.

    After ``fit``: ``coef_`` (features,) or (outputs, features), ``intercept_``, ``n_iter_``, ``history_`` (the loss).
    Of many solutions that fit equally well, the shortest is found.

    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(6).tolist(), round(model.intercept_, 6)
    ([2.0], 1.0)
    """

    def __init__(self, *, fit_intercept: bool = True, max_iter: int = 100, tol: float = 1e-13) -> None:
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol


class Ridge(LinearModel):
    r"""Least squares with an L2 penalty.

    :math:`\min \sum_i w_i (y_i - x_i \cdot c - b)^2 + \alpha \lVert c \rVert_2^2`

    Args and learned attributes as for `LinearRegression`; ``alpha`` is the strength, at least 0.

    >>> Ridge(alpha=2.0).fit([[-1.0], [1.0]], [-2.0, 2.0]).coef_.round(6).tolist()
    [1.0]
    """

    def __init__(
        self, alpha: float = 1.0, *, fit_intercept: bool = True, max_iter: int = 100, tol: float = 1e-13
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    def _penalties(self, weight: float) -> tuple[float, float]:
        return 0.0, check_number("Ridge", "alpha", self.alpha) / weight


class ElasticNet(LinearModel):
    r"""Fit least squares with an L1 and an L2 penalty.

    Coefficients that do not help become exactly 0.

    :math:`\min \frac{1}{2n} \sum_i w_i (y_i - x_i \cdot c - b)^2 + \alpha \rho \lVert c \rVert_1
    + \frac{\alpha (1 - \rho)}{2} \lVert c \rVert_2^2`

    with :math:`\rho` = ``l1_ratio`` in [0, 1], n the sum of the weights. Other arguments and learned attributes as for
    `LinearRegression`.

    >>> ElasticNet(alpha=0.5, l1_ratio=1.0).fit([[-1.0, 0.1], [1.0, 0.1]], [-2.0, 2.0]).coef_.round(6).tolist()
    [1.5, 0.0]
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        max_iter: int = 100_000,
        tol: float = 1e-12,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    def _penalties(self, weight: float) -> tuple[float, float]:
        owner = type(self).__name__
        alpha = check_number(owner, "alpha", self.alpha)
        ratio = check_number(owner, "l1_ratio", self.l1_ratio, most=1.0)
        return alpha * ratio, alpha * (1 - ratio)


class Lasso(LinearModel):
    r"""Least squares with an L1 penalty.

    :math:`\min \frac{1}{2n} \sum_i w_i (y_i - x_i \cdot c - b)^2 + \alpha \lVert c \rVert_1`

    Coefficients that do not help become exactly 0. Arguments and learned attributes as for `LinearRegression`.

    >>> Lasso(alpha=0.5).fit([[-1.0, 0.1], [1.0, 0.1]], [-2.0, 2.0]).coef_.round(6).tolist()
    [1.5, 0.0]
    """

    def __init__(
        self, alpha: float = 1.0, *, fit_intercept: bool = True, max_iter: int = 100_000, tol: float = 1e-12
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    def _penalties(self, weight: float) -> tuple[float, float]:
        return check_number("Lasso", "alpha", self.alpha), 0.0
