"""Estimators that are networks: what they share is the training."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from tinygrad_lite import Tensor, nn, no_grad, optim, tensor
from tinygrad_lite.models.estimator import Classifier, Estimator, Regressor
from tinygrad_lite.models.seeding import drawing
from tinygrad_lite.models.validation import (
    ConvergenceWarning,
    Floats,
    check_choice,
    check_classes,
    check_count,
    check_labels,
    check_measurements,
    check_number,
    check_weights,
    generator,
    warn,
)

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "identity": nn.Identity}


class Network(Estimator):
    """Base of the network estimators: builds ``module_`` and trains it.

    On batches, or all rows at once with L-BFGS; ``history_`` keeps the loss per epoch.
    """

    _dtype: ClassVar[Any] = None
    solver: str
    alpha: float
    batch_size: Any
    learning_rate_init: float
    max_iter: int
    tol: float
    n_iter_no_change: int
    shuffle: bool
    random_state: Any
    module_: Any
    loss_: float
    n_iter_: int
    history_: list[float]
    _optimiser: Any

    def _build(self, shape: tuple[int, ...], outputs: int) -> Any:
        """Return a fresh network for examples of ``shape``."""
        raise NotImplementedError

    def _shaped(self, rows: Floats) -> Floats:
        """Return checked rows in the shape that the network takes."""
        return rows.reshape(len(rows), -1)

    def _each_loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each example (n,)."""
        raise NotImplementedError

    def _check_settings(self) -> None:
        owner = type(self).__name__
        for name in ("max_iter", "n_iter_no_change"):
            check_count(owner, name, getattr(self, name))
        if self.batch_size != "auto":
            check_count(owner, "batch_size", self.batch_size)
        check_number(owner, "alpha", self.alpha)
        check_number(owner, "tol", self.tol)
        check_number(owner, "learning_rate_init", self.learning_rate_init, above=True)
        check_choice(owner, "solver", self.solver, ("adam", "sgd", "lbfgs"))

    # -------------------------------------------------------------------------------- training
    def _start(self, rows: Floats, outputs: int, rng: np.random.Generator) -> None:
        with drawing(rng):
            module = self._build(self._shaped(rows[:1]).shape[1:], outputs)
        self.module_ = module.double() if rows.dtype == np.float64 else module
        weights = [p for p in self.module_.parameters() if p.ndim > 1]
        if self.solver == "lbfgs":
            self._optimiser = None
        elif self.solver == "sgd":
            self._optimiser = optim.SGD(
                self.module_.parameters(), lr=self.learning_rate_init, momentum=0.9, nesterov=True
            )
        else:
            self._optimiser = optim.Adam(self.module_.parameters(), lr=self.learning_rate_init)
        self._penalised = weights if self.alpha else []
        self.history_, self.n_iter_ = [], 0

    def _loss(self, x: Tensor, y: Tensor, weights: Floats | None, total: float) -> Tensor:
        """Return the mean loss of a batch plus the L2 penalty.

        The penalty is alpha / (2 ``total``) times the sum of squared weights.
        """
        each = self._each_loss(self.module_(x), y)
        loss = each.mean() if weights is None else (each * tensor(weights)).sum() * (1 / float(weights.sum() or 1))
        for p in self._penalised:
            loss = loss + (p * p).sum() * (0.5 * self.alpha / total)
        out: Tensor = loss
        return out

    def _epoch(self, x: Floats, y: Any, weights: Floats | None, rng: np.random.Generator) -> float:
        """Train on every example once; returns the mean loss."""
        n = len(x)
        size = min(200, n) if self.batch_size == "auto" else min(int(self.batch_size), n)
        order = rng.permutation(n) if self.shuffle and size < n else np.arange(n)
        total, lost = float(n if weights is None else weights.sum()), 0.0
        self.module_.train()
        for start in range(0, n, size):
            chosen = order[start : start + size]
            w = None if weights is None else weights[chosen]
            mass = len(chosen) if w is None else float(w.sum())
            if not mass:
                continue
            self._optimiser.zero_grad()
            loss = self._loss(tensor(x[chosen]), tensor(y[chosen]), w, total)
            loss.backward()
            self._optimiser.step()
            lost += loss.item() * mass
        return lost / total

    def _learn(self, rows: Floats, y: Any, weights: Floats | None, rng: np.random.Generator) -> None:
        """Train until the loss stops falling by ``tol``, or for ``max_iter`` epochs."""
        x = self._shaped(rows)
        if self.solver == "lbfgs":
            self._learn_at_once(x, y, weights)
            return
        best, patience = np.inf, 0
        with drawing(rng):
            for _ in range(self.max_iter):
                loss = self._epoch(x, y, weights, rng)
                self.history_.append(loss)
                self.n_iter_ += 1
                patience = 0 if loss < best - self.tol else patience + 1
                best = min(best, loss)
                if patience >= self.n_iter_no_change:
                    break
            else:
                warn(
                    ConvergenceWarning,
                    f"{type(self).__name__}: the loss still fell after max_iter={self.max_iter} epochs; raise max_iter",
                )
        self.loss_ = self.history_[-1]

    def _learn_at_once(self, x: Floats, y: Any, weights: Floats | None) -> None:
        total = float(len(x) if weights is None else weights.sum())
        xt, yt = tensor(x), tensor(y)
        optimiser = optim.LBFGS(
            self.module_.parameters(), max_iter=self.max_iter, history_size=20, line_search_fn="strong_wolfe",
            tolerance_grad=1e-7, tolerance_change=1e-12,
        )  # fmt: skip

        def closure() -> Tensor:
            optimiser.zero_grad()
            loss = self._loss(xt, yt, weights, total)
            loss.backward()
            self.history_.append(loss.item())
            return loss

        optimiser.step(closure)
        self.loss_, self.n_iter_ = min(self.history_), len(self.history_)

    def _outputs(self, X: Any) -> Floats:
        """Return the network's output for each row."""
        rows = self._rows(X)
        self.module_.eval()
        with no_grad():
            x = self._shaped(rows.astype(next(self.module_.parameters()).dtype, copy=False))
            # in pieces, so that a large X does not need memory for all its activations at once
            parts = [self.module_(tensor(x[i : i + 2000])).array for i in range(0, len(x), 2000)]
        out: Floats = np.concatenate(parts)
        return out


class NetworkRegressor(Network, Regressor):
    """A network that estimates measurements: half squared error."""

    _flat: bool

    def _each_loss(self, output: Tensor, target: Tensor) -> Tensor:
        left = output - target
        out: Tensor = (left * left).sum(1) * 0.5
        return out

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (n, features) and y (n,) or (n, outputs).

        ``sample_weight`` (n,) weighs the rows.
        """
        return self._fit(X, y, sample_weight, anew=True)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one more epoch on these examples."""
        return self._fit(X, y, sample_weight, anew="module_" not in self.__dict__, once=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, anew: bool, once: bool = False) -> Self:
        self._check_settings()
        rows = self._fit_rows(X) if anew else self._rows(X)
        goal = check_measurements(type(self).__name__, rows, y, rows.dtype)
        weights = check_weights(rows, sample_weight, rows.dtype)
        targets = goal.reshape(len(goal), -1)
        rng = generator(self.random_state) if anew or not once else self._rng
        if anew:
            self._start(rows, targets.shape[1], rng)
            self._rng, self._flat = rng, goal.ndim == 1
            self._remember(X, rows)
        if once:
            one_epoch(self, rows, targets, weights)
        else:
            self._learn(rows, targets, weights, rng)
        return self

    _rng: np.random.Generator

    def predict(self, X: Any) -> Floats:
        """Return the estimates (n,), or (n, outputs) where y had two axes."""
        out = self._outputs(X)
        return out[:, 0] if self._flat else out


class NetworkClassifier(Network, Classifier):
    """A network for classification: softmax and cross-entropy."""

    def _each_loss(self, output: Tensor, target: Tensor) -> Tensor:
        out: Tensor = nn.functional.cross_entropy(output, target, reduction="none")
        return out

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X and labels y (n,), rows weighted by ``sample_weight`` (n,)."""
        self._check_settings()
        rows = self._fit_rows(X)
        classes, index = check_classes(type(self).__name__, rows, y)
        weights = check_weights(rows, sample_weight, rows.dtype)
        rng = generator(self.random_state)
        self._start(rows, len(classes), rng)
        self._rng, self.classes_ = rng, classes
        self._remember(X, rows)
        self._learn(rows, index, weights, rng)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one more epoch on these examples; the first call names all ``classes``."""
        self._check_settings()
        anew = "module_" not in self.__dict__
        rows = self._fit_rows(X) if anew else self._rows(X)
        owner = type(self).__name__
        if anew and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        known = np.unique(np.asarray(classes)) if classes is not None else self.classes_
        if not anew and not np.array_equal(known, self.classes_):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        labels = check_labels(owner, rows, y)
        strange = np.setdiff1d(labels, known)
        if len(strange):
            raise ValueError(f"{owner}: y has labels that are not in classes: {strange.tolist()}")
        weights = check_weights(rows, sample_weight, rows.dtype)
        if anew:
            self._rng, self.classes_ = generator(self.random_state), known
            self._start(rows, len(known), self._rng)
            self._remember(X, rows)
        one_epoch(self, rows, np.searchsorted(known, labels), weights)
        return self

    _rng: np.random.Generator

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class (n, classes)."""
        scores = self._outputs(X)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities: Floats = shares / shares.sum(axis=1, keepdims=True)
        return probabilities


def one_epoch(network: Any, rows: Floats, y: Any, weights: Floats | None) -> None:
    """Train one epoch and record its loss."""
    if network.solver == "lbfgs":
        raise ValueError("partial_fit is not available for solver='lbfgs', which needs all examples at once")
    with drawing(network._rng):
        loss = network._epoch(network._shaped(rows), y, weights, network._rng)
    network.history_.append(loss)
    network.loss_, network.n_iter_ = loss, network.n_iter_ + 1
