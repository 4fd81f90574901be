"""Networks as classifiers: what they are to give for each row, and what their outputs mean."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from tinygrad_lite import Tensor, nn, no_grad, tensor
from tinygrad_lite.models.estimator import Classifier
from tinygrad_lite.models.network_estimator import BatchOnly, Network, dense, one_epoch
from tinygrad_lite.models.validation import (
    Floats,
    check_classes,
    check_labels,
    check_measurements,
    check_weights,
    generator,
)


class NetworkClassifier(Network, Classifier):
    """A network for classification.

    Softmax and cross-entropy; for two classes one output and the logistic function, for several labels per row one
    such output per label.
    """

    _several: ClassVar[bool] = False
    """Whether y (n, labels) of zeros and ones is accepted."""

    _labels: bool = False
    """Whether the last y was of this kind."""

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = tags.target_tags.multi_output = self._several
        return tags

    def _each_loss(self, output: Tensor, target: Tensor) -> Tensor:
        if target.ndim == 1:
            out: Tensor = nn.functional.cross_entropy(output, target, reduction="none")
            return out
        each: Tensor = nn.functional.binary_cross_entropy_with_logits(output, target, reduction="none")
        return each.sum(1)

    def _mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        if target.ndim == 1:
            out: Tensor = nn.functional.cross_entropy(output, target)
        else:
            out = nn.functional.binary_cross_entropy_with_logits(output, target) * float(target.shape[1])
        return out

    def _judged(self, x: Any, y: Any) -> float:
        self.module_.eval()
        with no_grad():
            scores = self.module_(tensor(dense(x))).array
        right = scores.argmax(axis=1) == y if y.ndim == 1 else ((scores > 0) == (y > 0)).all(axis=1)
        return float(right.mean())

    def _targets(self, rows: Any, y: Any, classes: Any = None) -> tuple[Any, Any]:
        """Return the classes, and what the network is to give for each row: class numbers, or zeros and ones."""
        owner = type(self).__name__
        known: Any
        goal: Any
        shape = np.asarray(y.array if isinstance(y, Tensor) else y).shape if self._several else ()
        several = len(shape) == 2 and shape[1] > 1
        if several:
            goal = check_measurements(owner, rows, y, rows.dtype)
            if not np.isin(goal, (0, 1)).all():
                raise ValueError(f"{owner}: y with several columns must hold only 0 and 1, one column per label")
            known = np.arange(goal.shape[1]) if classes is None else np.asarray(classes)
            if len(known) != goal.shape[1]:
                raise ValueError(f"{owner}: y has {goal.shape[1]} columns for {len(known)} classes")
        elif classes is None:
            known, goal = check_classes(owner, rows, y, 1 if self._several else 2)
        else:
            known, labels = np.asarray(classes), check_labels(owner, rows, y)
            strange = np.setdiff1d(labels, known)
            if len(strange):
                raise ValueError(f"{owner}: y has labels that are not in classes: {strange.tolist()}")
            goal = np.searchsorted(known, labels)
        self._labels = several
        if not several and len(known) <= 2:
            goal = goal.reshape(-1, 1).astype(rows.dtype)
        return known, goal

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X and labels y (n,), rows weighted by ``sample_weight`` (n,)."""
        self._check_settings()
        rows = self._fit_rows(X)
        before = self._labels
        classes, goal = self._targets(rows, y)
        if self.warm_start and "classes_" in self.__dict__ and not np.array_equal(classes, self.classes_):
            self._labels = before
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}"
            )
        weights = check_weights(rows, sample_weight, rows.dtype)
        rng = generator(self.random_state)
        self._start(rows, goal.shape[1] if goal.ndim == 2 else len(classes), rng)
        self._rng, self.classes_ = rng, classes
        self._remember(X, rows)
        self._learn(rows, goal, weights, rng)
        return self

    @BatchOnly
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one more epoch on these examples; the first call names all ``classes``."""
        self._check_settings()
        anew = "module_" not in self.__dict__
        rows = self._fit_rows(X) if anew else self._rows(X)
        if anew and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        known = np.unique(np.asarray(classes)) if classes is not None else self.classes_
        if not anew and not np.array_equal(known, self.classes_):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        known, goal = self._targets(rows, y, known)
        weights = check_weights(rows, sample_weight, rows.dtype)
        if anew:
            self._rng, self.classes_ = generator(self.random_state), known
            self._start(rows, goal.shape[1] if goal.ndim == 2 else len(known), self._rng)
            self._remember(X, rows)
        one_epoch(self, rows, goal, weights)
        return self

    _rng: np.random.Generator

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class (n, classes), or of each label."""
        scores = self._outputs(X)
        if not self._labels and len(self.classes_) < 2:
            return np.ones_like(scores)
        if self._labels or len(self.classes_) == 2:
            chances: Floats = np.exp(-np.logaddexp(0, -scores))
            return chances if self._labels else np.concatenate([1 - chances, chances], axis=1)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: Floats = shares / shares.sum(axis=1, keepdims=True)
        return probabilities

    def predict(self, X: Any) -> Any:
        """Return the most probable class of each row (n,), or zeros and ones (n, labels)."""
        return (self.predict_proba(X) > 0.5).astype(np.int64) if self._labels else super().predict(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the (weighted) share of rows whose class, or all of whose labels, are predicted."""
        if not self._labels:
            return super().score(X, y, sample_weight)
        right = (self.predict(X) == np.asarray(y)).all(axis=1)
        return float(np.average(right, weights=check_weights(right, sample_weight)))
