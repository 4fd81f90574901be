"""Logistic regression for two or more classes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tinygrad_lite import Tensor, nn, tensor
from tinygrad_lite.models.estimator import Classifier
from tinygrad_lite.models.solvers import newton
from tinygrad_lite.models.validation import (
    ConvergenceWarning,
    Floats,
    check_classes,
    check_count,
    check_number,
    check_weights,
    warn,
)


class LogisticRegression(Classifier):
    r"""Linear scores, softmax probabilities, cross-entropy with an L2 penalty.

    :math:`\min\; C \sum_i w_i\, \mathrm{CE}(x_i W^\top + b,\, y_i) + \tfrac12 \lVert W \rVert^2`

    Two classes share one row of weights (the logistic function); more have one row each. Trained to the optimum by
    Newton's method on the graph's second derivatives.

    Args:
        C: weight of the data against the penalty, above 0; ``numpy.inf`` for no penalty.
        fit_intercept: learn b too (never penalised).
        max_iter: most Newton steps.
        tol: largest slope left, relative to the slope at 0.

    After ``fit``: ``classes_``, ``coef_`` (1 or classes, features), ``intercept_`` (1 or classes,), ``n_iter_``,
    ``history_`` (the loss).

    >>> model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], ["no", "no", "yes", "yes"])
    >>> model.predict([[0.2], [2.8]]).tolist()
    ['no', 'yes']
    """

    coef_: Floats
    intercept_: Floats
    n_iter_: int
    history_: list[float]

    def __init__(self, C: float = 1.0, *, fit_intercept: bool = True, max_iter: int = 100, tol: float = 1e-10) -> None:
        self.C = C
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (n, features) and labels y (n,).

        ``sample_weight`` (n,) weighs the rows.
        """
        most, tol = (
            check_count("LogisticRegression", "max_iter", self.max_iter),
            check_number("LogisticRegression", "tol", self.tol),
        )
        free = isinstance(self.C, float) and self.C == np.inf
        strength = 0.0 if free else 1 / check_number("LogisticRegression", "C", self.C, above=True)
        rows = self._fit_rows(X)
        classes, index = check_classes("LogisticRegression", rows, y)
        weights = check_weights(rows, sample_weight)
        if weights is not None and len(np.unique(index[weights > 0])) < 2:
            raise ValueError(
                "LogisticRegression needs samples of at least 2 classes with a positive weight, got one class"
            )
        self._remember(X, rows)
        share = np.ones(len(rows)) if weights is None else weights
        total = float(share.sum())
        middle = share @ rows / total if self.fit_intercept else np.zeros(rows.shape[1])
        moved = rows - middle
        spread = np.sqrt(share @ moved**2 / total)
        spread[spread <= 1e-12 * np.abs(rows).max(axis=0, initial=0)] = 0.0
        inverse = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
        columns, bend = moved * inverse, inverse**2 * (strength / total)
        if self.fit_intercept:
            columns = np.column_stack([columns, np.ones(len(rows))])
            bend = np.append(bend, 0.0)
        # rows of scores: one per class, or plus and minus half of the one row that two classes share
        signs = tensor([[-0.5], [0.5]], dtype=np.float64) if len(classes) == 2 else None
        loss = penalised_cross_entropy(tensor(columns), tensor(index), share / total, tensor(bend), signs)
        solution = newton(loss, np.zeros((1 if signs is not None else len(classes), columns.shape[1])), tol, most)
        self.classes_ = classes
        self.coef_ = solution.w[:, : rows.shape[1]] * inverse
        intercept = solution.w[:, -1] - self.coef_ @ middle if self.fit_intercept else np.zeros(len(solution.w))
        # adding one number to the intercepts of all classes changes nothing: of these, the ones that add up to 0
        self.intercept_ = intercept if signs is not None else intercept - intercept.mean()
        self.n_iter_, self.history_ = len(solution.history), solution.history
        if not solution.converged:
            warn(
                ConvergenceWarning,
                f"LogisticRegression: not at the optimum after max_iter={most} steps (are the classes separable and C "
                "infinite?)",
            )
        return self

    def decision_function(self, X: Any) -> Floats:
        """Return the scores (n, classes), or (n,) for two classes.

        For two classes a positive score means the second.
        """
        scores: Floats = self._rows(X) @ self.coef_.T + self.intercept_
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
        layer.weight.data = tensor(self.coef_)
        if layer.bias is not None:
            layer.bias.data = tensor(self.intercept_)
        return layer


def penalised_cross_entropy(x: Tensor, y: Tensor, share: Floats, bend: Tensor, signs: Tensor | None) -> Any:
    """Return the loss sum share CE(x w^T, y) + 1/2 sum bend w² of weights w."""
    each = tensor(share)

    def loss(w: Tensor) -> Tensor:
        scores = nn.functional.linear(x, w if signs is None else signs * w)
        fit = (nn.functional.cross_entropy(scores, y, reduction="none") * each).sum()
        out: Tensor = fit + (w * w * bend).sum() * 0.5
        return out

    return loss
