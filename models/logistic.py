"""Logistic regression for two or more classes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from tinygrad_lite import Tensor, nn, tensor
from tinygrad_lite.models.cross_entropy import CrossEntropy, descend
from tinygrad_lite.models.design import Design
from tinygrad_lite.models.estimator import Classifier
from tinygrad_lite.models.solvers import newton
from tinygrad_lite.models.validation import (
    ConvergenceWarning,
    Floats,
    check_choice,
    check_classes,
    check_count,
    check_number,
    check_weights,
    class_weights,
    moderate,
    warn,
)

SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga", "gradient")


class LogisticRegression(Classifier):
    r"""Linear scores, softmax probabilities, cross-entropy with an L2 penalty.

    :math:`\min\; C \sum_i w_i\, \mathrm{CE}(x_i W^\top + b,\, y_i) + \tfrac12 \lVert W \rVert^2`

    Two classes share one row of weights (the logistic function); more have one row each. Trained to the optimum by
    Newton's method, or by L-BFGS where there are many unknowns.

    Args:
        C: weight of the data against the penalty, above 0; ``numpy.inf`` for no penalty.
        fit_intercept: learn b too (never penalised).
        class_weight: weights of classes, a dict or ``"balanced"``.
        max_iter: most steps of Newton's method or of L-BFGS.
        tol: largest slope left, relative to the slope at 0.
        penalty: ``"l2"``, or None for no penalty; l1_ratio must be 0.
        warm_start: start from the weights of the last ``fit``.
        solver: ``"gradient"`` takes the second derivatives from the graph; all names of scikit-learn lead to the same
            optimum and are accepted, as are dual, intercept_scaling, random_state, verbose and n_jobs.

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

    def _strength(self) -> float:
        """Return the strength of the penalty; raise ValueError for settings out of range."""
        owner = "LogisticRegression"
        check_choice(owner, "solver", self.solver, SOLVERS)
        if self.penalty not in ("deprecated", "l2", None):
            raise ValueError(f"{owner}: penalty must be 'l2' or None, got {self.penalty!r}; L1 is not available")
        if check_number(owner, "l1_ratio", self.l1_ratio or 0.0, most=1.0):
            raise ValueError(f"{owner}: l1_ratio must be 0, got {self.l1_ratio!r}; L1 is not available")
        free = isinstance(self.C, float) and self.C == np.inf
        strength = 0.0 if free else 1 / check_number(owner, "C", self.C, above=True)
        return 0.0 if self.penalty is None else strength

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (n, features), dense or sparse, and labels y (n,).

        ``sample_weight`` (n,) weighs the rows.
        """
        owner = "LogisticRegression"
        most, tol = check_count(owner, "max_iter", self.max_iter), check_number(owner, "tol", self.tol)
        strength = self._strength()
        rows = self._fit_rows(X)
        classes, index = check_classes(owner, rows, y)
        weights = check_weights(rows, sample_weight)
        by_class = class_weights(owner, self.class_weight, classes, index)
        if by_class is not None:
            weights = by_class if weights is None else weights * by_class
        share = np.ones(len(index)) if weights is None else weights
        if not share.any():
            raise ValueError(f"{owner}: all weights are 0")
        self._remember(X, rows)
        dtype = rows.dtype
        rows, unit = moderate(rows)
        # centred columns of equal spread give the best conditioning
        design = Design(rows, share, self.fit_intercept)
        total = float(share.sum())
        inverse = inverse_spread(design, total)
        design.root = None
        plain = Design(rows, None, False)
        plain.middle, plain._kept = design.middle, None
        with np.errstate(over="ignore"):
            bend = min(strength / total / unit / unit, 1e300)
        count = len(classes)
        ones = bool(self.fit_intercept)
        start = self._start(1 if count == 2 else count, design, inverse, unit)
        if self.solver == "gradient":
            columns = plain.dense() * inverse
            columns = np.column_stack([columns, np.ones(len(index))]) if ones else columns
            penalty = np.append(bend * inverse**2, 0.0) if ones else bend * inverse**2
            signs = tensor([[-0.5], [0.5]], dtype=np.float64) if count == 2 else None
            graph = penalised_cross_entropy(tensor(columns), tensor(index), share / total, tensor(penalty), signs)
            w, history, converged = newton(graph, start, tol, most)
        else:
            loss = CrossEntropy(plain, index, count, share / total, inverse, bend, ones)
            w, history, converged = descend(loss, start, tol, most)
        self.classes_ = classes
        coefficients = w[:, : design.p] * inverse
        intercept = w[:, -1] - coefficients @ design.middle if ones else np.zeros(len(w))
        # adding one number to the intercepts of all classes changes nothing: of these, the ones that add up to 0
        intercept = intercept if count == 2 else intercept - intercept.mean()
        with np.errstate(over="ignore", under="ignore"):
            self.coef_ = (coefficients / unit).astype(dtype)
        self.intercept_ = intercept.astype(dtype)
        self.n_iter_, self.history_ = np.array([min(len(history), most)], dtype=np.int32), history
        if self.verbose:
            print(f"LogisticRegression: {len(history)} rounds, loss {history[-1]:.6g}")
        if not converged:
            warn(
                ConvergenceWarning,
                f"LogisticRegression: failed to converge, not at the optimum after max_iter={most} steps (are the "
                "classes separable and C infinite?)",
            )
        return self

    def _start(self, count: int, design: Design, inverse: Floats, unit: float) -> Floats:
        """Return zeros, or with ``warm_start`` the weights of the last fit in the scales of this one."""
        start = np.zeros((count, design.p + bool(self.fit_intercept)))
        old = self.__dict__.get("coef_")
        if self.warm_start and old is not None and np.shape(old) == (count, design.p):
            plain = np.asarray(old, np.float64) * unit
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
        scores: Floats = np.asarray(self._rows(X) @ self.coef_.T) + self.intercept_
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
        layer = nn.Linear(self.coef_.shape[1], len(self.coef_), dtype=np.float64)
        layer.weight.data = tensor(self.coef_.astype(np.float64))
        if layer.bias is not None:
            layer.bias.data = tensor(self.intercept_.astype(np.float64))
        return layer


def inverse_spread(design: Design, total: float) -> Floats:
    """Return 1 / (standard deviation) of each column, 0 for constant ones."""
    if design.sparse:
        # centred columns would be dense: the mean square about 0 is as good a scale
        weighted = (
            design.X.multiply(design.X) if design.root is None else design.X.multiply(design.X).multiply(design.root**2)
        )
        squares = np.asarray(weighted.sum(axis=0), np.float64).ravel()
    else:
        squares = sum((np.einsum("ij,ij->j", piece, piece) for _, piece in design.pieces()), np.zeros(design.p))
    spread = np.sqrt(squares / total)
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
