"""Logistic regression for two or more classes."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from tinygrad_lite import Tensor, nn, tensor
from tinygrad_lite.errors import require
from tinygrad_lite.models import watching
from tinygrad_lite.models.cross_entropy import CrossEntropy, descend
from tinygrad_lite.models.design import Design
from tinygrad_lite.models.estimator import Classifier
from tinygrad_lite.models.solvers import newton
from tinygrad_lite.models.sparse_cross_entropy import descend_sparse
from tinygrad_lite.models.validation import (
    ConvergenceWarning,
    Floats,
    check_choice,
    check_classes,
    check_count,
    check_number,
    check_weights,
    class_weights,
    is_sparse,
    moderate,
    warn,
)

SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga", "gradient")

SLOW = "The max_iter was reached which means the coef_ did not converge"
STOPPED = {
    "liblinear": "Liblinear failed to converge, increase the number of iterations",
    "newton-cholesky": "Newton solver did not converge after {} iterations",
    "sag": SLOW,
    "saga": SLOW,
}
"""What scikit-learn says where one of its solvers stops early; of the others, that it failed to converge."""


class Penalty(NamedTuple):
    """Strength of the penalty (0 for none) and the share of it that is L1."""

    strength: float
    l1_ratio: float


class LogisticRegression(Classifier):
    r"""Linear scores, softmax probabilities, cross-entropy with an L2 penalty, an L1 penalty or both.

    :math:`\min\; C \sum_i w_i\, \mathrm{CE}(x_i W^\top + b,\, y_i) + \tfrac{1 - \rho}2 \lVert W \rVert^2
    + \rho \lVert W \rVert_1` with :math:`\rho` = ``l1_ratio``

    Two classes share one row of weights (the logistic function); more have one row each. Trained to the optimum by
    Newton's method, or by L-BFGS where there are many unknowns; with an L1 penalty by proximal Newton steps, which give
    exact zeros.

    Args:
        penalty: as in scikit-learn, which advises against it: ``"l2"``, ``"l1"``, ``"elasticnet"`` or None.
        C: weight of the data against the penalty, above 0; ``numpy.inf`` for no penalty.
        l1_ratio: share of the L1 penalty; above 0 with ``solver="saga"``, 1 also with ``"liblinear"``.
        fit_intercept: learn b too (not penalised, but for ``"liblinear"``).
        intercept_scaling: of ``"liblinear"``: its intercept is the weight of a column of this number, penalised.
        class_weight: weights of classes, a dict or ``"balanced"``.
        max_iter: most steps of Newton's method or of L-BFGS.
        tol: largest slope left, relative to the slope at 0.
        warm_start: start from the weights of the last ``fit``.
        solver: ``"gradient"`` takes the second derivatives from the graph; all names of scikit-learn lead to the same
            optimum. dual, random_state, verbose and n_jobs are accepted for scikit-learn's sake.

    After ``fit``: ``classes_``, ``coef_`` (1 or classes, features), ``intercept_`` (1 or classes,), ``n_iter_`` (1,),
    ``history_`` (the loss). X may be sparse; float32 gives float32.

    >>> model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"])
    >>> model.predict([[0.2], [2.8]]).tolist()
    ['no', 'yes']
    """

    _dtype: ClassVar[Any] = None
    _sparse: ClassVar[bool] = True
    coef_: Floats
    intercept_: Floats
    n_iter_: Any
    history_: list[float]

    def __init__(
        self,
        penalty: Any = "deprecated",
        *,
        C: float = 1.0,
        l1_ratio: float = 0.0,
        dual: bool = False,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Any = None,
        random_state: Any = None,
        solver: str = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: Any = None,
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    def _penalty(self) -> Penalty:
        """Return the penalty; raise ValueError for settings that scikit-learn refuses."""
        owner, ratio = "LogisticRegression", self.l1_ratio
        check_choice(owner, "solver", self.solver, SOLVERS)
        if isinstance(self.penalty, str):
            check_choice(owner, "penalty", self.penalty, ("deprecated", "l1", "l2", "elasticnet"))
        elif self.penalty is not None:
            raise ValueError(f"{owner}: penalty must be 'l1', 'l2', 'elasticnet' or None, got {self.penalty!r}")
        share = 0.0 if ratio is None else check_number(owner, "l1_ratio", ratio, most=1.0)
        check_number(owner, "intercept_scaling", self.intercept_scaling, above=True)
        free = isinstance(self.C, float) and self.C == np.inf
        strength = 0.0 if free else 1 / check_number(owner, "C", self.C, above=True)
        kind = self.penalty
        if kind == "deprecated":
            if ratio is None:
                warn(FutureWarning, "'l1_ratio=None' was deprecated in version 1.8. Use 0<=l1_ratio<=1 instead.")
            kind = None if free else "l2" if not share else "l1" if share == 1 else "elasticnet"
        else:
            warn(FutureWarning, "'penalty' was deprecated in version 1.8. Use 'l1_ratio' or 'C' instead.")
        self._check_solver(kind, share)
        if kind == "elasticnet" and ratio is None:
            raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
        if self.penalty is None and self.C != 1.0:
            warn(UserWarning, "Setting penalty=None will ignore the C and l1_ratio parameters")
        if self.n_jobs is not None:
            warn(
                FutureWarning,
                f"'n_jobs' has no effect since 1.8. You provided 'n_jobs={self.n_jobs}', please leave it unspecified.",
            )
        return Penalty(0.0 if kind is None else strength, {"l1": 1.0, "elasticnet": share}.get(kind or "", 0.0))

    def _check_solver(self, kind: str | None, share: float) -> None:
        """Raise ValueError where the solver does not take the penalty, in scikit-learn's words."""
        solver = self.solver
        if solver not in ("liblinear", "saga") and kind not in ("l2", None):
            raise ValueError(f"Solver {solver} supports only 'l2' or None penalties, got {kind} penalty.")
        if solver != "liblinear" and self.dual:
            raise ValueError(f"Solver {solver} supports only dual=False, got dual={self.dual}")
        if kind == "elasticnet" and solver != "saga":
            raise ValueError(f"Only 'saga' solver supports elasticnet penalty, got solver={solver}.")
        if solver == "liblinear" and kind is None:
            raise ValueError("C=np.inf as well as penalty=None is not supported for the liblinear solver")
        if kind == "l1" and self.dual:
            raise ValueError("LogisticRegression: penalty='l1' is not supported when dual=True")
        if kind != "elasticnet" and 0 < share < 1:
            warn(UserWarning, f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={kind})")
        if (self.penalty == "l2" and self.l1_ratio != 0) or (self.penalty == "l1" and self.l1_ratio != 1):
            warn(
                UserWarning,
                f"Inconsistent values: penalty={self.penalty} with l1_ratio={self.l1_ratio}. penalty is deprecated. "
                "Please use l1_ratio only.",
            )

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (n, features), dense or sparse, and labels y (n,).

        ``sample_weight`` (n,) weighs the rows.
        """
        most = check_count("LogisticRegression", "max_iter", self.max_iter, 0)
        if watching.watched(self):
            watching.fit(self, lambda w: self._fit(X, y, sample_weight, most, w), X, y, sample_weight, most)
        else:
            self._fit(X, y, sample_weight, most, None)
        return self

    def _fit(self, X: Any, y: Any, sample_weight: Any, most: int, watcher: Any) -> None:
        owner, tol = "LogisticRegression", check_number("LogisticRegression", "tol", self.tol)
        penalty = self._penalty()
        rows = self._fit_rows(X)
        classes, index = check_classes(owner, rows, y)
        if self.solver == "liblinear" and len(classes) > 2:
            raise ValueError(
                "The 'liblinear' solver does not support multiclass classification (n_classes >= 3). Either use "
                "another solver or wrap the estimator in a OneVsRestClassifier to keep a one-versus-rest scheme."
            )
        weights = check_weights(rows, sample_weight)
        by_class = class_weights(owner, self.class_weight, classes, index)
        if by_class is not None:
            weights = by_class if weights is None else weights * by_class
        if weights is not None and not weights.any():
            raise ValueError(f"{owner}: all weights are 0")
        self._remember(X, rows)
        self.classes_ = classes
        (self.coef_, self.intercept_), found = self._solved(rows, index, weights, penalty, (tol, most), watcher)
        history = found.history
        self.n_iter_, self.history_ = np.array([min(len(history), most)], dtype=np.int32), history
        if self.verbose:
            print(f"LogisticRegression: {len(history)} rounds, loss {history[-1]:.6g}")
        if not found.converged:
            why = STOPPED.get(self.solver, f"{self.solver} failed to converge").format(most)
            warn(
                ConvergenceWarning,
                f"LogisticRegression: {why}; it is not at the optimum after {most} iterations. Increase the number of "
                "iterations with max_iter (are the classes separable and C infinite?)",
            )

    def set_callbacks(self, *callbacks: Any) -> Self:
        """Have scikit-learn's callbacks watch, and stop, the steps of ``solver="lbfgs"``; none takes them away."""
        if self.solver != "lbfgs":
            warn(
                UserWarning,
                "Callbacks are only supported in LogisticRegression for solver='lbfgs'. This estimator has "
                f"solver={self.solver!r}, callbacks will be ignored during the solving of the regression.",
            )
        watching.set_callbacks(self, callbacks)
        return self

    def sparsify(self) -> Self:
        """Turn ``coef_`` into a SciPy CSR matrix: less memory where most coefficients are 0."""
        self._check_fitted()
        self.coef_ = require("scipy.sparse", extra="test").csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Turn ``coef_`` back into an array."""
        self._check_fitted()
        self.coef_ = dense(self.coef_)
        return self

    def _solved(
        self, X: Any, index: Any, weights: Any, penalty: Penalty, stop: tuple[float, int], watcher: Any
    ) -> tuple[tuple[Floats, Floats], Any]:
        """Return coefficients and intercept, and the descent."""
        rows, unit = moderate(X)
        # centred columns of equal spread give the best conditioning
        held = self.fit_intercept and self.solver == "liblinear"  # its intercept is penalised: nothing is centred
        weighted = None if weights is None or (weights == 1).all() else weights
        design = Design(rows, weighted, self.fit_intercept and not held, keep=False)
        total = float(len(index) if weights is None else weights.sum())
        share = np.full(len(index), 1 / total) if weights is None else weights / total
        inverse = inverse_spread(design, total)
        design.root = None
        strength = penalty.strength / total
        with np.errstate(over="ignore"):
            bend = min(strength * (1 - penalty.l1_ratio) / unit / unit, 1e300)
            l1 = min(strength * penalty.l1_ratio / unit, 1e300)
        count, ones = len(self.classes_), bool(self.fit_intercept)
        start = self._start(1 if count == 2 else count, design, inverse, unit)
        dtype = np.float64 if self.solver == "liblinear" else X.dtype  # scikit-learn's liblinear knows no float32

        def plain(w: Floats) -> tuple[Floats, Floats]:
            coefficients, intercept = unscaled(w, design, inverse, not penalty.strength)
            with np.errstate(over="ignore", under="ignore"):
                return (coefficients / unit).astype(dtype), intercept.astype(dtype)

        if self.solver == "gradient":
            columns = design.dense() * inverse
            columns = np.column_stack([columns, np.ones(len(index))]) if ones else columns
            squares = np.append(bend * inverse**2, 0.0) if ones else bend * inverse**2
            signs = tensor([[-0.5], [0.5]], dtype=np.float64) if count == 2 else None
            graph = penalised_cross_entropy(tensor(columns), tensor(index), share, tensor(squares), signs)
            found: Any = newton(graph, start, *stop)
        else:
            loss = CrossEntropy(design, index, count, share, inverse, bend, ones)
            scaling = float(self.intercept_scaling)
            lines = np.append(l1 * inverse, 0.0) if ones else l1 * inverse
            if held:
                loss.bend[-1] = strength * (1 - penalty.l1_ratio) / scaling**2
                lines[-1] = strength * penalty.l1_ratio / scaling
            if watcher is not None and self.solver == "lbfgs":
                watcher.begin(start, lambda w: dict(zip(("coef_", "intercept_"), plain(w), strict=True)))
            else:
                watcher = None
            l1_too = penalty.l1_ratio > 0
            found = descend_sparse(loss, start, lines, *stop) if l1_too else descend(loss, start, *stop, watch=watcher)
        return plain(found.w), found

    def _start(self, count: int, design: Design, inverse: Floats, unit: float) -> Floats:
        """Return zeros, or with ``warm_start`` the weights of the last fit in the scales of this one."""
        start = np.zeros((count, design.p + bool(self.fit_intercept)))
        old = self.__dict__.get("coef_")
        if self.warm_start and old is not None and np.shape(old) == (count, design.p):
            plain = np.asarray(dense(old), np.float64) * unit
            start[:, : design.p] = np.divide(plain, inverse, out=np.zeros_like(plain), where=inverse > 0)
            if self.fit_intercept:
                start[:, -1] = self.intercept_ + plain @ design.middle
        return start

    def predict(self, X: Any) -> Any:
        """Return the most probable class of each row."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)]

    def decision_function(self, X: Any) -> Floats:
        """Return the scores (n, classes), or (n,) for two classes.

        For two classes a positive score means the second.
        """
        product = self._rows(X) @ self.coef_.T
        scores: Floats = np.asarray(dense(product)) + self.intercept_
        return scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class (n, classes)."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([-0.5 * scores, 0.5 * scores])
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: Floats = shares / shares.sum(axis=1, keepdims=True)
        return probabilities

    def module(self) -> nn.Linear:
        """Return the map to the scores as a float64 layer."""
        self._check_fitted()
        coefficients = dense(self.coef_)
        layer = nn.Linear(coefficients.shape[1], len(coefficients), dtype=np.float64)
        layer.weight.data = tensor(coefficients.astype(np.float64))
        if layer.bias is not None:
            layer.bias.data = tensor(self.intercept_.astype(np.float64))
        return layer


def dense(values: Any) -> Any:
    """Return an array of a sparse or dense matrix."""
    return values.toarray() if is_sparse(values) else values


def unscaled(w: Floats, design: Design, inverse: Floats, level: bool) -> tuple[Floats, Floats]:
    """Return coefficients and intercept of the columns as they were, from weights of centred columns of spread 1."""
    coefficients: Floats = w[:, : design.p] * inverse
    if len(w) > 1 and level:
        # without a penalty one row of numbers may be added to all classes: of these, the one that adds up to 0
        coefficients = coefficients - coefficients.mean(axis=0)
    intercept = w[:, -1] - coefficients @ design.middle if w.shape[1] > design.p else np.zeros(len(w))
    # adding one number to the intercepts of all classes changes nothing: of these, the ones that add up to 0
    return coefficients, intercept if len(w) == 1 else intercept - intercept.mean()


def inverse_spread(design: Design, total: float) -> Floats:
    """Return 1 / (standard deviation) of each column, 0 for constant ones."""
    if design.sparse:
        X = design.X.astype(np.float64, copy=False)
        products = X.multiply(X) if design.root is None else X.multiply(X).multiply(design.root**2)
        squares: Any = np.asarray(products.sum(axis=0), np.float64).ravel() - total * design.middle**2
        # a column that hardly varies has no zeros: nothing is lost by a dense one, whose spread is exact
        for j in np.flatnonzero(squares < 1e-9 * total * design.middle**2):
            column = X[:, [j]].toarray()
            held = column if design.root is None else column[design.root > 0]
            part = 0.0 if held.min() == held.max() else column - design.middle[j]
            squares[j] = np.square(part if design.root is None else part * design.root).sum()
    else:
        squares = sum((np.einsum("ij,ij->j", piece, piece) for _, piece in design.pieces()), np.zeros(design.p))
    spread: Floats = np.sqrt(squares / total)
    return np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)


def penalised_cross_entropy(x: Tensor, y: Tensor, share: Floats, bend: Tensor, signs: Tensor | None) -> Any:
    """Return the loss sum share CE(x w^T, y) + 1/2 sum bend w² of weights w."""
    each = tensor(share)

    def loss(w: Tensor) -> Tensor:
        scores = nn.functional.linear(x, w if signs is None else signs * w)
        fit = (nn.functional.cross_entropy(scores, y, reduction="none") * each).sum()
        out: Tensor = fit + (w * w * bend).sum() * 0.5
        return out

    return loss
