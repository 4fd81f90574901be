"""Multi-layer perceptrons as estimators."""

from __future__ import annotations

from typing import Any, ClassVar

from tinygrad_lite import nn
from tinygrad_lite.models.network_classifier import NetworkClassifier
from tinygrad_lite.models.network_estimator import ACTIVATIONS, Network, NetworkRegressor
from tinygrad_lite.models.validation import Floats, check_choice, check_count


class Perceptron(Network):
    """What the two perceptrons share: their settings, and the network made of them."""

    _sparse: ClassVar[bool] = True

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 1e-3,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.shuffle = shuffle
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.power_t = power_t
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.max_fun = max_fun

    @property
    def coefs_(self) -> list[Floats]:
        """The weights of each layer, (inputs, outputs) as in scikit-learn."""
        return [p.array.T for p in self.module_.parameters() if p.ndim == 2]

    @property
    def intercepts_(self) -> list[Floats]:
        """The biases of each layer."""
        return [p.array for p in self.module_.parameters() if p.ndim == 1]

    @property
    def n_layers_(self) -> int:
        """The number of layers, with those of the inputs and outputs."""
        return len(self.coefs_) + 1

    @property
    def n_outputs_(self) -> int:
        """The number of outputs of the network: 1 for two classes."""
        return len(self.intercepts_[-1])

    @property
    def out_activation_(self) -> str:
        """The function after the last layer."""
        if isinstance(self, NetworkClassifier):
            return "logistic" if self._labels or len(self.classes_) <= 2 else "softmax"
        return "exp" if getattr(self, "loss", "") == "poisson" else "identity"

    def _sizes(self) -> list[int]:
        given = self.hidden_layer_sizes
        sizes = list(given) if hasattr(given, "__iter__") else [given]
        return [check_count(type(self).__name__, "hidden_layer_sizes", n) for n in sizes]

    def _check_settings(self) -> None:
        super()._check_settings()
        self._sizes()
        check_choice(type(self).__name__, "activation", self.activation, tuple(ACTIVATIONS))

    def _build(self, shape: tuple[int, ...], outputs: int) -> Any:
        sizes = [shape[0], *self._sizes()]
        layers: list[Any] = []
        for a, b in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(a, b), ACTIVATIONS[self.activation]()]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))


class MLPRegressor(Perceptron, NetworkRegressor):
    r"""A multi-layer perceptron for measurements.

    :math:`\min \frac1{2n} \sum_i w_i \lVert y_i - f(x_i) \rVert^2 + \frac{\alpha}{2n} \lVert W \rVert^2`

    Args:
        loss: ``"squared_error"``, or ``"poisson"`` for counts: the network gives the logarithm of their mean.
        hidden_layer_sizes: units of each hidden layer.
        activation: ``"relu"``, ``"tanh"``, ``"logistic"`` or ``"identity"``.
        solver: ``"adam"`` or ``"sgd"`` (Nesterov momentum 0.9) on batches, ``"lbfgs"`` on all examples at once.
        alpha: strength of the L2 penalty on weights (never on biases).
        batch_size: examples per step; ``"auto"`` is min(200, n).
        learning_rate_init: step size of adam and sgd.
        max_iter: most epochs (steps of lbfgs).
        tol, n_iter_no_change: stop when the loss has not fallen by ``tol`` for that many epochs.
        shuffle: new order of the examples in each epoch.
        random_state: seed of weights and order.
        learning_rate, power_t: of sgd: ``"constant"``, ``"invscaling"`` (divided by epoch ** power_t) or ``"adaptive"``
            (divided by 5 when the loss stops falling). momentum, nesterovs_momentum: of sgd.
        beta_1, beta_2, epsilon: of adam. max_fun: most evaluations of lbfgs.
        early_stopping, validation_fraction: hold out a share of the rows, stop when their score no longer rises, and
            keep the best weights.
        warm_start: start from the weights of the last ``fit``. verbose: print the loss of each epoch.

    float32 input is computed in float32, everything else in float64. After ``fit``: ``module_`` (an `nn.Sequential`),
    ``loss_``, ``n_iter_``, ``history_`` (loss per epoch, also ``loss_curve_``), ``coefs_``, ``intercepts_``,
    ``n_layers_``, ``n_outputs_``, ``out_activation_``, ``best_loss_``, ``validation_scores_``, ``t_`` (examples seen).

    >>> model = MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=500, random_state=0)
    >>> model.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]).predict([[2.0]]).round(1).tolist()
    [4.0]
    """

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 1e-3,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
        )
        self.loss = loss

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice("MLPRegressor", "loss", self.loss, ("squared_error", "poisson"))


class MLPClassifier(Perceptron, NetworkClassifier):
    """Classify with a multi-layer perceptron: softmax and cross-entropy.

    Two classes share one output, the logistic function of which is the probability of the second. y (n, labels) of
    zeros and ones says for each row which labels it has; then each label has such an output. The settings are those of
    `MLPRegressor` but for ``loss``.

    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
    >>> MLPClassifier((8,), solver="lbfgs", random_state=1).fit(X, y).predict(X).tolist()
    [0, 1, 1, 0]
    """

    _several: ClassVar[bool] = True
