"""Linear regression: least squares, ridge, lasso and elastic net."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from tinygrad_lite import Tensor, nn, tensor
from tinygrad_lite.errors import require
from tinygrad_lite.models.design import Design
from tinygrad_lite.models.estimator import Regressor
from tinygrad_lite.models.least_squares import ridge, shortest_least_squares
from tinygrad_lite.models.nonnegative import nonnegative_least_squares
from tinygrad_lite.models.solvers import newton, proximal
from tinygrad_lite.models.sparse_solutions import Task, penalised
from tinygrad_lite.models.validation import (
    ConvergenceWarning,
    Floats,
    check_choice,
    check_count,
    check_measurements,
    check_number,
    check_weights,
    moderate,
    warn,
)

RIDGE_SOLVERS = ("auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs", "gradient")


class LinearModel(Regressor):
    """Base of the linear regressions; the intercept is never penalised."""

    _dtype: ClassVar[Any] = None
    _sparse: ClassVar[bool] = True
    _flat_column: ClassVar[bool] = True
    """Whether a target of shape (n, 1) gives coefficients (features,), as in scikit-learn."""

    fit_intercept: bool
    positive: bool
    solver = "auto"
    coef_: Floats
    intercept_: Any
    n_iter_: Any
    history_: list[float]

    def _check_settings(self) -> None:
        """Raise ValueError for settings out of range."""
        owner = type(self).__name__
        if getattr(self, "max_iter", None) is not None:
            check_count(owner, "max_iter", self._most())
        check_number(owner, "tol", getattr(self, "tol", 0.0))

    def _most(self) -> Any:
        return getattr(self, "max_iter", None)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (n, features), dense or sparse, and y (n,) or (n, outputs).

        ``sample_weight`` (n,) weighs the rows.
        """
        owner = type(self).__name__
        self._check_settings()
        rows = self._fit_rows(X)
        goal = check_measurements(owner, rows, y, np.float64)
        weights = check_weights(rows, sample_weight)
        self._check_target(goal)
        self._remember(X, rows)
        dtype = rows.dtype
        rows, unit = moderate(rows)
        design = Design(rows, weights, self.fit_intercept)
        targets = goal.reshape(len(goal), -1)
        offset = np.zeros(targets.shape[1])
        if self.fit_intercept:
            offset = np.average(targets, axis=0, weights=weights)
            flat = (targets == targets[0]).all(axis=0)
            offset = np.where(flat, targets[0], offset)
        moved = targets - offset
        if design.root is not None:
            moved = moved * design.root
        if self.solver == "gradient":
            coefficients = self._by_gradient(design, moved, unit)
        else:
            coefficients = self._solved(design, moved, unit)
        intercept = offset - coefficients @ design.middle
        with np.errstate(over="ignore", under="ignore"):
            coefficients = (coefficients / unit).astype(dtype)
        intercept = intercept.astype(dtype)
        one = goal.ndim == 1 or (targets.shape[1] == 1 and self._flat_column)
        self.coef_ = coefficients[0] if one else coefficients
        self.intercept_ = 0.0 if not self.fit_intercept else intercept[0] if goal.ndim == 1 else intercept
        return self

    def _check_target(self, goal: Floats) -> None:
        """Raise ValueError for settings that do not fit the target."""

    def _solved(self, design: Design, y: Floats, unit: float) -> Floats:
        """Return coefficients (outputs, features) for X * unit and centred, weighted targets."""
        raise NotImplementedError

    def _penalties(self, weight: float) -> tuple[Any, Any]:
        """Return l1 and l2 of the loss 1/(2W) sum w r² + l1 |c| + l2/2 |c|²; W is the total ``weight``."""
        return 0.0, 0.0

    def _by_gradient(self, design: Design, y: Floats, unit: float) -> Floats:
        """Minimise along the graph's gradients: Newton steps, or proximal ones with an L1 penalty.

        Newton's error is a slope of 1e-13 of the first one: enough unless only a weak penalty bends a direction.
        """
        total = float(design.n if design.root is None else (design.root**2).sum())
        rows = design.dense()
        spread = np.sqrt((rows * rows).sum(axis=0) / total)
        inverse = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
        l1, l2 = self._penalties(total)
        l1, l2 = l1 / unit, np.reshape(l2, (-1, 1)) / unit**2
        root = np.sqrt(total)
        loss = squares(tensor(rows * inverse / root), tensor(y / root), l2 * inverse**2)
        start = np.zeros((y.shape[1], design.p))
        most = self._most() or 100_000
        solution = proximal(loss, start, l1 * inverse, 1e-12, most) if l1 else newton(loss, start, 1e-13, most)
        self.n_iter_, self.history_ = len(solution.history), solution.history
        self._judge(solution.converged)
        out: Floats = solution.w * inverse
        return out

    def _judge(self, converged: bool) -> None:
        if not converged:
            warn(
                ConvergenceWarning,
                f"{type(self).__name__}: Objective did not converge, not at the optimum after "
                f"max_iter={self._most()} rounds; raise max_iter",
            )

    def predict(self, X: Any) -> Floats:
        """Return the estimates (n,), or (n, outputs) where y had two axes."""
        rows = self._rows(X)
        estimates: Floats = np.asarray(rows @ self.coef_.T) + self.intercept_
        return estimates

    def module(self) -> nn.Linear:
        """Return the learned map as a float64 layer."""
        self._check_fitted()
        coefficients = np.atleast_2d(self.coef_).astype(np.float64)
        layer = nn.Linear(coefficients.shape[1], coefficients.shape[0], dtype=np.float64)
        layer.weight.data = tensor(coefficients)
        if layer.bias is not None:
            bias = np.broadcast_to(np.asarray(self.intercept_, np.float64), (len(coefficients),))
            layer.bias.data = tensor(bias.copy())
        return layer


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


def check_gram(precompute: Any, design: Design, unit: float) -> None:
    """Raise ValueError for a given Gram matrix that is not that of X, warn for one that is not centred.

    It is only checked: the products are taken anyway.
    """
    if not hasattr(precompute, "__array__"):
        return
    given = np.asarray(precompute, np.float64)
    if given.shape != (design.p, design.p):
        raise ValueError(f"precompute must be a Gram matrix of shape {(design.p, design.p)}, got shape {given.shape}")
    if not np.allclose(design.middle, 0):
        warn(UserWarning, "Gram matrix was provided but X was centered to fit intercept: recomputing Gram matrix.")
        return
    ends = np.array([0, design.p - 1])
    total = design.n if design.root is None else float((design.root**2).sum())
    # scikit-learn scales the weights to a mean of 1 first
    expected = design.gram(ends, ends) * unit**2 * (design.n / total)
    if not np.allclose(given[np.ix_(ends, ends)], expected, rtol=1e-4, atol=1e-5):
        raise ValueError(
            "Gram matrix passed in via 'precompute' parameter did not pass validation: it is not that of the centred, "
            "weighted X"
        )


def nonnegative(design: Design, y: Floats, l2: Any, owner: LinearModel) -> Floats:
    """Return the best coefficients (outputs, features) of all that are at least 0."""
    most = owner._most() or 10_000
    each = np.broadcast_to(np.asarray(l2, float), (y.shape[1],))
    tasks = [Task(design, y[:, k], 0.0, float(each[k]), True) for k in range(y.shape[1])]
    found = [nonnegative_least_squares(task, most) for task in tasks]
    owner.n_iter_ = max(len(f.history) for f in found)
    owner.history_ = np.sum([f.history[-1:] for f in found], axis=0).tolist()
    owner._judge(all(f.converged for f in found))
    return np.array([f.w for f in found])


class LinearRegression(LinearModel):
    r"""Least squares, :math:`\min \frac1n \sum_i w_i (y_i - x_i \cdot c - b)^2`.

    Args:
        fit_intercept: learn b too; otherwise it is 0.
        copy_X, tol, n_jobs: accepted for scikit-learn's sake; X is never changed and the solution is exact.
        positive: only coefficients of at least 0.

    After ``fit``: ``coef_`` (features,) or (outputs, features), ``intercept_``.
    Of many solutions that fit equally well, the shortest is found. X may be sparse; float32 gives float32.

    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(6).tolist(), model.intercept_.round(6).tolist()
    ([2.0], 1.0)
    """

    _flat_column: ClassVar[bool] = False

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        tol: float = 1e-6,
        n_jobs: Any = None,
        positive: bool = False,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    def _solved(self, design: Design, y: Floats, unit: float) -> Floats:
        if self.positive:
            return nonnegative(design, y, 0.0, self)
        coefficients = shortest_least_squares(design, y)
        if not design.sparse:
            short = design.gram() if design.p <= design.n else design.kernel()
            squared = np.linalg.eigvalsh(short)[::-1]
            self.singular_ = np.sqrt(np.maximum(squared, 0)) * unit
            self.rank_ = int((squared > 1e-14 * max(design.n, design.p) * squared.max(initial=0)).sum())
        return coefficients


class Ridge(LinearModel):
    r"""Least squares with an L2 penalty.

    :math:`\min \sum_i w_i (y_i - x_i \cdot c - b)^2 + \alpha \lVert c \rVert_2^2`

    Args:
        alpha: strength of the penalty, at least 0; one number, or one for each output.
        fit_intercept: learn b too; otherwise it is 0.
        solver: ``"gradient"`` takes Newton steps along the graph's gradients; every other name of scikit-learn gives
            the exact closed form (``solver_`` repeats the name).
        positive: only coefficients of at least 0.
        copy_X, tol, random_state: accepted for scikit-learn's sake. ``max_iter`` counts for ``"gradient"`` and
            ``positive``.

    After ``fit``: ``coef_`` (features,) or (outputs, features), ``intercept_``, ``solver_``, ``n_iter_`` (None for the
    closed form). X may be sparse; float32 gives float32.

    >>> Ridge(alpha=2.0).fit([[-1.0], [1.0]], [-2.0, 2.0]).coef_.round(6).tolist()
    [1.0]
    """

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        copy_X: bool = True,
        max_iter: int | None = None,
        tol: float = 1e-4,
        solver: str = "auto",
        positive: bool = False,
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice("Ridge", "solver", self.solver, RIDGE_SOLVERS)
        if self.positive and self.solver not in ("auto", "lbfgs"):
            raise ValueError(f"solver='{self.solver}' does not support positive fitting. Please use 'auto' or 'lbfgs'.")
        if self.solver == "lbfgs" and not self.positive:
            raise ValueError("'lbfgs' solver can be used only when positive=True. Please use another solver.")
        self._alphas()

    def _alphas(self) -> Any:
        if np.ndim(self.alpha) == 0:
            return check_number("Ridge", "alpha", self.alpha)
        return np.array([check_number("Ridge", "alpha", a) for a in np.ravel(self.alpha).tolist()])

    def _check_target(self, goal: Floats) -> None:
        outputs = goal.shape[1] if goal.ndim == 2 else 1
        if np.ndim(self.alpha) and np.size(self.alpha) not in (1, outputs):
            raise ValueError(
                f"Number of targets and number of penalties do not correspond: {np.size(self.alpha)} != {outputs}"
            )

    def _penalties(self, weight: float) -> tuple[Any, Any]:
        return 0.0, self._alphas() / weight

    def _solved(self, design: Design, y: Floats, unit: float) -> Floats:
        self.solver_ = self.solver
        self.n_iter_ = None
        with np.errstate(over="ignore"):
            alphas = np.broadcast_to(self._alphas() / unit / unit, (y.shape[1],))
        if self.positive:
            total = float(design.n if design.root is None else (design.root**2).sum())
            self.solver_ = "lbfgs"
            return nonnegative(design, y, alphas / total, self)
        if self.solver == "auto":
            self.solver_ = "sparse_cg" if design.sparse else "cholesky"
        if self.solver in ("lsqr", "sag", "saga"):
            self.n_iter_ = np.ones(y.shape[1], dtype=np.int32)
        if not alphas.any():
            return shortest_least_squares(design, y)
        if not np.isfinite(alphas).all():
            return np.zeros((y.shape[1], design.p))
        return ridge(design, y, alphas)


class ElasticNet(LinearModel):
    r"""Fit least squares with an L1 and an L2 penalty.

    Coefficients that do not help become exactly 0.

    :math:`\min \frac{1}{2n} \sum_i w_i (y_i - x_i \cdot c - b)^2 + \alpha \rho \lVert c \rVert_1
    + \frac{\alpha (1 - \rho)}{2} \lVert c \rVert_2^2`

    with :math:`\rho` = ``l1_ratio`` in [0, 1], n the sum of the weights.

    Args:
        alpha: strength of the penalty, at least 0.
        l1_ratio: the share of the L1 penalty.
        fit_intercept: learn b too; otherwise it is 0.
        max_iter: most changes of the active set.
        warm_start: start from the coefficients of the last ``fit``.
        positive: only coefficients of at least 0.
        solver: ``"auto"`` finds the exact solution by active sets, ``"gradient"`` takes proximal gradient steps.
        tol: relative duality gap for more than 600 columns; up to that the solution is exact.
        precompute: a Gram matrix is checked and not needed. copy_X, random_state, selection: accepted for
            scikit-learn's sake.

    After ``fit``: ``coef_``, ``intercept_``, ``dual_gap_``, ``n_iter_``, ``history_`` (the objective per round). X may
    be sparse; float32 gives float32.

    >>> ElasticNet(alpha=0.5, l1_ratio=1.0).fit([[-1.0, 0.1], [1.0, 0.1]], [-2.0, 2.0]).coef_.round(6).tolist()
    [1.5, 0.0]
    """

    alpha: float
    max_iter: int
    warm_start: bool
    selection: str
    precompute: Any
    dual_gap_: Any

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        precompute: Any = False,
        max_iter: int = 1000,
        copy_X: bool = True,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        solver: str = "auto",
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver

    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Self:
        """Learn from X (n, features), dense or sparse, and y (n,) or (n, outputs).

        ``sample_weight`` (n,) weighs the rows. The input is checked whatever ``check_input`` says.
        """
        return super().fit(X, y, sample_weight)

    def _check_settings(self) -> None:
        super()._check_settings()
        owner = type(self).__name__
        check_choice(owner, "selection", self.selection, ("cyclic", "random"))
        check_choice(owner, "solver", self.solver, ("auto", "gradient"))
        self._penalties(1.0)
        if self.alpha == 0:
            warn(
                UserWarning,
                "With alpha=0, this algorithm does not converge well. You are advised to use the LinearRegression "
                "estimator",
            )

    def _penalties(self, weight: float) -> tuple[Any, Any]:
        owner = type(self).__name__
        alpha = check_number(owner, "alpha", self.alpha)
        ratio = check_number(owner, "l1_ratio", self.l1_ratio, most=1.0) if hasattr(self, "l1_ratio") else 1.0
        return alpha * ratio, alpha * (1 - ratio)

    def _solved(self, design: Design, y: Floats, unit: float) -> Floats:
        total = float(design.n if design.root is None else (design.root**2).sum())
        check_gram(self.precompute, design, unit)
        with np.errstate(over="ignore"):
            l1, l2 = self._penalties(total)
            l1, l2 = l1 / unit, l2 / unit / unit
        outputs = y.shape[1]
        starts = np.zeros((outputs, design.p))
        old = self.__dict__.get("coef_")
        if self.warm_start and old is not None and np.size(old) == starts.size:
            starts = np.reshape(np.asarray(old, np.float64), starts.shape) * unit
        if not l1 and not self.positive:
            found_w = ridge(design, y, np.full(outputs, l2 * total)) if l2 else shortest_least_squares(design, y)
            left = y - design.times(found_w)
            value = float((left**2).sum() / 2 / total + l2 / 2 * (found_w**2).sum())
            self.n_iter_, self.history_, self.dual_gap_ = 1, [value], 0.0 if outputs == 1 else np.zeros(outputs)
            return found_w
        tasks = [Task(design, y[:, k], l1, l2, bool(self.positive)) for k in range(outputs)]
        found = [penalised(task, start, self.max_iter, self.tol) for task, start in zip(tasks, starts, strict=True)]
        gaps = [task.gap(f.w) if f.gap is None else f.gap for task, f in zip(tasks, found, strict=True)]
        rounds = [len(f.history) for f in found]
        self.n_iter_ = rounds[0] if outputs == 1 else rounds
        self.history_ = max((f.history for f in found), key=len)
        self.dual_gap_ = gaps[0] if outputs == 1 else np.array(gaps)
        self._judge(all(f.converged for f in found))
        return np.array([f.w for f in found])

    @property
    def sparse_coef_(self) -> Any:
        """The coefficients as a SciPy CSR matrix."""
        sparse = require("scipy.sparse", extra="test")
        return sparse.csr_matrix(np.atleast_2d(self.coef_))


class Lasso(ElasticNet):
    r"""Least squares with an L1 penalty.

    :math:`\min \frac{1}{2n} \sum_i w_i (y_i - x_i \cdot c - b)^2 + \alpha \lVert c \rVert_1`

    Coefficients that do not help become exactly 0. Arguments and learned attributes as for `ElasticNet`.

    >>> Lasso(alpha=0.5).fit([[-1.0, 0.1], [1.0, 0.1]], [-2.0, 2.0]).coef_.round(6).tolist()
    [1.5, 0.0]
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        precompute: Any = False,
        copy_X: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        warm_start: bool = False,
        positive: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
        solver: str = "auto",
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.solver = solver
