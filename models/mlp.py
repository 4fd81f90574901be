"""Multi-layer perceptrons as estimators."""

from __future__ import annotations

from typing import Any

from tinygrad_lite import nn
from tinygrad_lite.models.network_estimator import ACTIVATIONS, Network, NetworkClassifier, NetworkRegressor
from tinygrad_lite.models.validation import check_choice, check_count


class Perceptron(Network):
    """What the two perceptrons share: their settings, and the network made of them."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        *,
        activation: str = "relu",
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: Any = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        shuffle: bool = True,
        random_state: Any = None,
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

    float32 input is computed in float32, everything else in float64. After ``fit``: ``module_`` (an `nn.Sequential`),
    ``loss_``, ``n_iter_``, ``history_`` (loss per epoch).

    >>> model = MLPRegressor((8,), solver="lbfgs", max_iter=500, random_state=0)
    >>> model.fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]).predict([[2.0]]).round(1).tolist()
    [4.0]
    """


class MLPClassifier(Perceptron, NetworkClassifier):
    """Classify with a multi-layer perceptron: softmax and cross-entropy.

    The settings are those of `MLPRegressor`.

    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
    >>> MLPClassifier((8,), solver="lbfgs", random_state=0).fit(X, y).predict(X).tolist()
    [0, 1, 1, 0]
    """
