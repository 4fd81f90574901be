"""Estimators that are networks: what they share is the training."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from tinygrad_lite import Tensor, compile, from_numpy, nn, no_grad, optim, tensor
from tinygrad_lite.models.estimator import Estimator, Regressor
from tinygrad_lite.models.seeding import drawing
from tinygrad_lite.models.validation import (
    COLUMN,
    ConvergenceWarning,
    DataConversionWarning,
    Floats,
    check_choice,
    check_count,
    check_measurements,
    check_number,
    check_weights,
    generator,
    is_sparse,
    warn,
)

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "logistic": nn.Sigmoid, "identity": nn.Identity}

OFTEN = 300
"""The number of steps from which a training runs as a program: recording one costs as much as 50 to 150 steps."""
NO_BATCHES = "partial_fit is not available for solver='lbfgs', which needs all examples at once"


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
    n_iter_no_change: Any
    shuffle: bool
    random_state: Any
    learning_rate = "constant"
    power_t = 0.5
    momentum = 0.9
    nesterovs_momentum = True
    beta_1 = 0.9
    beta_2 = 0.999
    epsilon = 1e-8
    early_stopping = False
    validation_fraction = 0.1
    verbose: Any = False
    warm_start = False
    max_fun = 15000
    module_: Any
    loss_: float
    n_iter_: int
    t_: int
    history_: list[float]
    validation_scores_: list[float] | None
    _optimiser: Any

    def __getattr__(self, name: str) -> Any:
        if name == "partial_fit":
            raise AttributeError(NO_BATCHES)
        return super().__getattr__(name)

    def _build(self, shape: tuple[int, ...], outputs: int) -> Any:
        """Return a fresh network for examples of ``shape``."""
        raise NotImplementedError

    def _shaped(self, rows: Floats) -> Floats:
        """Return checked rows in the shape that the network takes."""
        return rows if is_sparse(rows) else rows.reshape(len(rows), -1)

    def _each_loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each example (n,)."""
        raise NotImplementedError

    def _mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Return the mean of the losses of all examples."""
        return self._each_loss(output, target).mean()

    def _check_settings(self) -> None:
        owner = type(self).__name__
        check_count(owner, "max_iter", self.max_iter)
        if self.n_iter_no_change != np.inf:
            check_count(owner, "n_iter_no_change", self.n_iter_no_change)
        if self.batch_size != "auto":
            check_count(owner, "batch_size", self.batch_size)
        check_number(owner, "alpha", self.alpha)
        check_number(owner, "tol", self.tol)
        check_number(owner, "learning_rate_init", self.learning_rate_init, above=True)
        check_choice(owner, "solver", self.solver, ("adam", "sgd", "lbfgs"))
        check_choice(owner, "learning_rate", self.learning_rate, ("constant", "invscaling", "adaptive"))
        for name in ("momentum", "beta_1", "beta_2", "validation_fraction"):
            check_number(owner, name, getattr(self, name), most=1.0)
        check_count(owner, "max_fun", self.max_fun)

    # -------------------------------------------------------------------------------- training
    def _start(self, rows: Floats, outputs: int, rng: np.random.Generator) -> None:
        if self.warm_start and "module_" in self.__dict__ and self._fits(rows, outputs):
            self.history_, self.n_iter_, self.t_ = [], 0, 0
            return
        with drawing(rng):
            module = self._build(self._shaped(rows[:1]).shape[1:], outputs)
        self.module_ = module.double() if rows.dtype == np.float64 else module
        parameters = list(self.module_.parameters())
        self._penalised = [p for p in parameters if p.ndim > 1]
        groups = [{"params": self._penalised}, {"params": [p for p in parameters if p.ndim < 2]}]
        if self.solver == "lbfgs":
            self._optimiser = None
        elif self.solver == "sgd":
            self._optimiser = optim.SGD(
                groups,
                lr=self.learning_rate_init,
                momentum=self.momentum,
                nesterov=self.nesterovs_momentum and self.momentum > 0,
            )
        else:
            self._optimiser = optim.Adam(
                groups,
                lr=self.learning_rate_init,
                betas=(self.beta_1, self.beta_2),
                eps=self.epsilon,
            )
        self.history_, self.n_iter_, self.t_ = [], 0, 0

    def _fits(self, rows: Any, outputs: int) -> bool:
        """Return whether the trained network takes these rows and has as many outputs."""
        last = list(self.module_.parameters())[-1]
        return bool(self.n_features_in_ == int(np.prod(rows.shape[1:])) and last.shape[0] == outputs)

    def _loss(self, x: Tensor, y: Tensor, weights: Floats | None) -> Tensor:
        """Return the mean loss of a batch, without the penalty."""
        output = self.module_(x)
        if weights is None:
            return self._mean_loss(output, y)
        out: Tensor = (self._each_loss(output, y) * tensor(weights)).sum() * (1 / float(weights.sum() or 1))
        return out

    def _penalty(self, total: float) -> float:
        """Return alpha / (2 ``total``) times the sum of squared weights: the optimiser decays them by its gradient."""
        squares = (np.dot(w, w) for p in self._penalised for w in (p.array.reshape(-1),))
        return 0.5 * self.alpha / total * float(sum(squares))

    def _step(self, module: Any, optimiser: Any, x: Tensor, y: Tensor, weights: Floats | None = None) -> Tensor:
        """Train on one batch of examples; returns the loss without the penalty."""
        optimiser.zero_grad()
        loss = self._loss(x, y, weights)
        loss.backward()
        optimiser.step()
        return loss

    def _repeated(self, steps: int) -> Any:
        """Return `_step`, as a program where it will run often enough to repay the recording; the bits stay."""
        if steps < OFTEN or not type(self).__module__.startswith("tinygrad_lite."):  # a subclass may do anything
            return self._step
        return compile(self._step, backend="numpy")

    def _epoch(self, x: Floats, y: Any, weights: Floats | None, rng: np.random.Generator, step: Any = None) -> float:
        """Train on every example once; returns the mean loss."""
        n = x.shape[0]
        size = min(200, n) if self.batch_size == "auto" else min(int(self.batch_size), n)
        order = rng.permutation(n) if self.shuffle and size < n else np.arange(n)
        total, lost = float(n if weights is None else weights.sum()), 0.0
        self._optimiser.param_groups[0]["weight_decay"] = self.alpha / total
        self.module_.train()
        self.t_ += n
        for start in range(0, n, size):
            chosen = order[start : start + size]
            w = None if weights is None else weights[chosen]
            mass = len(chosen) if w is None else float(w.sum())
            if not mass:
                continue
            batch, goal = from_numpy(dense(x[chosen])), from_numpy(y[chosen])
            penalty = self._penalty(total)
            if w is None:
                loss = (step or self._step)(self.module_, self._optimiser, batch, goal)
            else:
                loss = self._step(self.module_, self._optimiser, batch, goal, w)
            lost += (loss.item() + penalty) * mass
        return lost / total

    def _learn(self, rows: Floats, y: Any, weights: Floats | None, rng: np.random.Generator) -> None:
        """Train until the loss stops falling by ``tol``, or for ``max_iter`` epochs."""
        x = self._shaped(rows)
        if self.solver == "lbfgs":
            self._learn_at_once(x, y, weights)
            return
        kept = self._held_out(y, rng) if self.early_stopping else None
        left = np.flatnonzero(~kept) if kept is not None else np.arange(x.shape[0])
        part, goal = (x, y) if kept is None else (x[left], y[left])
        share = weights if weights is None or kept is None else weights[left]
        best, patience, found = np.inf, 0, None
        size = 200 if self.batch_size == "auto" else int(self.batch_size)
        step = self._repeated(self.max_iter * -(-part.shape[0] // size))
        self.validation_scores_ = None if kept is None else []
        with drawing(rng):
            for _ in range(self.max_iter):
                loss = self._epoch(part, goal, share, rng, step)
                self.history_.append(loss)
                self.n_iter_ += 1
                self._annealed()
                if self.verbose:
                    print(f"Iteration {self.n_iter_}, loss = {loss:.8f}")
                now = loss
                if self.validation_scores_ is not None:
                    self.validation_scores_.append(self._judged(x[kept], y[kept]))
                    now = -self.validation_scores_[-1]
                    if now < best:
                        found = {k: v.array.copy() for k, v in self.module_.state_dict().items()}
                patience = 0 if now < best - self.tol else patience + 1
                best = min(best, now)
                if patience >= self.n_iter_no_change and not self._slowed():
                    break
                patience %= self.n_iter_no_change
            else:
                warn(
                    ConvergenceWarning,
                    f"{type(self).__name__}: the loss still fell after max_iter={self.max_iter} epochs; raise max_iter",
                )
        if found is not None:
            self.module_.load_state_dict({k: tensor(v) for k, v in found.items()})
        self.loss_ = self.history_[-1]
        self._check_learned()

    def _held_out(self, y: Any, rng: np.random.Generator) -> Any:
        """Return which rows judge the training: a share of each class, or of all rows."""
        classes = self._estimator_type == "classifier" and (y.ndim == 1 or y.shape[1] == 1)
        groups = np.unique(y, return_inverse=True)[1].reshape(-1) if classes else np.zeros(len(y), dtype=np.int64)
        if classes and np.bincount(groups).min() < 2:
            rare = getattr(self, "classes_")[np.bincount(groups) < 2].tolist()  # noqa: B009 - of the subclass
            raise ValueError(
                "The least populated classes in y have only 1 member, which is too few to hold one out. Classes with "
                f"too few members are: {rare}"
            )
        kept = np.zeros(len(y), dtype=bool)
        for group in np.unique(groups):
            members = rng.permutation(np.flatnonzero(groups == group))
            kept[members[: round(self.validation_fraction * len(members))]] = True
        if not kept.any() or kept.all():
            raise ValueError(
                f"The validation set is too small: validation_fraction={self.validation_fraction} of {len(y)} rows "
                "leaves no row on one side. Increase 'validation_fraction' or the size of your dataset."
            )
        return kept

    def _judged(self, x: Any, y: Any) -> float:
        """Return the score on rows that were held out: minus the loss here, accuracy for classes."""
        self.module_.eval()
        with no_grad():
            return -float(self._each_loss(self.module_(tensor(dense(x))), tensor(y)).mean().item())

    def _annealed(self) -> None:
        """Lower the learning rate of sgd where ``learning_rate="invscaling"``."""
        if self.solver == "sgd" and self.learning_rate == "invscaling":
            for group in self._optimiser.param_groups:
                group["lr"] = self.learning_rate_init / (self.n_iter_ + 1) ** self.power_t

    def _slowed(self) -> bool:
        """Divide the learning rate by 5 where ``learning_rate="adaptive"``; False once it is too small."""
        if self.solver != "sgd" or self.learning_rate != "adaptive":
            return False
        for group in self._optimiser.param_groups:
            group["lr"] /= 5
        return bool(self._optimiser.param_groups[0]["lr"] > 1e-6)

    def _check_learned(self) -> None:
        """Raise ValueError where weights became NaN or infinite; such a network predicts nonsense."""
        if not all(np.isfinite(p.array).all() for p in self.module_.parameters()):
            del self.n_features_in_
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )

    # -------------------------------------------------------------------------------- what scikit-learn calls it
    @property
    def loss_curve_(self) -> list[float]:
        """The loss per epoch."""
        return self.history_

    @property
    def best_loss_(self) -> float | None:
        """The lowest loss of an epoch, None with ``early_stopping``."""
        return None if self.early_stopping else min(self.history_)

    @property
    def best_validation_score_(self) -> float | None:
        """The best score of the rows that were held out, None without ``early_stopping``."""
        scores = self.validation_scores_
        return None if scores is None else max(scores)

    def _learn_at_once(self, x: Floats, y: Any, weights: Floats | None) -> None:
        total, self.validation_scores_ = float(x.shape[0] if weights is None else weights.sum()), None
        xt, yt = tensor(dense(x)), tensor(y)
        optimiser = optim.LBFGS(
            self.module_.parameters(), max_iter=self.max_iter, max_eval=self.max_fun, history_size=20,
            line_search_fn="strong_wolfe", tolerance_grad=1e-7, tolerance_change=1e-12,
        )  # fmt: skip

        def closure() -> Tensor:
            optimiser.zero_grad()
            loss = self._loss(xt, yt, weights)
            for p in self._penalised:
                loss = loss + (p * p).sum() * (0.5 * self.alpha / total)
            loss.backward()
            self.history_.append(loss.item())
            return loss

        optimiser.step(closure)
        state = next(iter(optimiser.state_dict()["state"].values()))
        self.loss_, self.n_iter_ = min(self.history_), min(int(state.get("n_iter", self.max_iter)), self.max_iter)
        if self.n_iter_ >= self.max_iter or len(self.history_) >= self.max_fun:
            warn(
                ConvergenceWarning,
                f"{type(self).__name__}: lbfgs failed to converge in max_iter={self.max_iter} iterations and "
                f"max_fun={self.max_fun} evaluations; raise them",
            )
        self._check_learned()

    def _outputs(self, X: Any) -> Floats:
        """Return the network's output for each row."""
        rows = self._rows(X)
        self.module_.eval()
        with no_grad():
            x = self._shaped(rows.astype(next(self.module_.parameters()).dtype, copy=False))
            # in batches, whose activations stay in the processor's cache
            parts = [self.module_(from_numpy(dense(x[i : i + 500]))).array for i in range(0, x.shape[0], 500)]
        out: Floats = np.concatenate(parts)
        return out


def dense(x: Any) -> Any:
    """Return a batch as an array."""
    return x.toarray() if is_sparse(x) else x


class BatchOnly:
    """A method that exists only where the solver trains on batches, also for ``hasattr``."""

    def __init__(self, method: Any) -> None:
        self.method = method
        self.__doc__ = method.__doc__

    def __get__(self, network: Any, kind: Any = None) -> Any:
        if network is None:
            return self.method
        if network.solver == "lbfgs":
            raise AttributeError(NO_BATCHES)  # replaced by the same error of Network.__getattr__
        return self.method.__get__(network, kind)


class NetworkRegressor(Network, Regressor):
    """A network that estimates measurements: half squared error, or the Poisson deviance of counts."""

    _flat: bool
    loss = "squared_error"

    def _each_loss(self, output: Tensor, target: Tensor) -> Tensor:
        if self.loss == "poisson":
            y = target.array
            least = y * np.log(np.where(y > 0, y, 1)) - y
            deviance: Tensor = (output.exp() - output * target + tensor(least)).sum(1)
            return deviance
        left = output - target
        out: Tensor = (left * left).sum(1) * 0.5
        return out

    def _mean_loss(self, output: Tensor, target: Tensor) -> Tensor:
        if self.loss == "poisson":
            return super()._mean_loss(output, target)
        out: Tensor = nn.functional.mse_loss(output, target) * (0.5 * target.shape[1])
        return out

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from X (n, features) and y (n,) or (n, outputs).

        ``sample_weight`` (n,) weighs the rows.
        """
        return self._fit(X, y, sample_weight, anew=True)

    @BatchOnly
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one more epoch on these examples."""
        return self._fit(X, y, sample_weight, anew="module_" not in self.__dict__, once=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, anew: bool, once: bool = False) -> Self:
        self._check_settings()
        rows = self._fit_rows(X) if anew else self._rows(X)
        goal = check_measurements(type(self).__name__, rows, y, rows.dtype)
        if goal.ndim == 2 and goal.shape[1] == 1:
            warn(DataConversionWarning, COLUMN)
        weights = check_weights(rows, sample_weight, rows.dtype)
        targets = goal.reshape(len(goal), -1)
        if self.loss == "poisson" and (targets < 0).any():
            raise ValueError(f"{type(self).__name__}: loss='poisson' needs y of at least 0, got {targets.min():g}")
        rng = generator(self.random_state) if anew or not once else self._rng
        if anew:
            self._start(rows, targets.shape[1], rng)
            # a column of targets gives a flat prediction, as in scikit-learn
            self._rng, self._flat = rng, targets.shape[1] == 1
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
        out = np.exp(out) if self.loss == "poisson" else out
        return out[:, 0] if self._flat else out


def one_epoch(network: Any, rows: Floats, y: Any, weights: Floats | None) -> None:
    """Train one epoch and record its loss."""
    if network.early_stopping:
        raise ValueError("partial_fit does not support early_stopping=True")
    with drawing(network._rng):
        loss = network._epoch(network._shaped(rows), y, weights, network._rng)
    network.history_.append(loss)
    network.loss_, network.n_iter_ = loss, network.n_iter_ + 1
