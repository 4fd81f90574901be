"""A convolutional network as an estimator."""

from __future__ import annotations

from math import isqrt
from typing import Any, ClassVar

from tinygrad_lite import nn
from tinygrad_lite.models.network_classifier import NetworkClassifier
from tinygrad_lite.models.validation import Floats, check_count, check_number


class CNNClassifier(NetworkClassifier):
    """Classify images with a small convolutional network.

    The layers are [convolution, ReLU, max-pool] for each of ``channels``, then two dense layers.

    X is (n, C, H, W), (n, H, W), or flat rows (n, features), which are read as square images where their number allows,
    else as one line of pixels; ``image_shape`` (C, H, W) says it outright.

    Args:
        channels: kernels of each convolution.
        kernel_size: side of the kernels, odd; images keep their size.
        hidden: units of the dense layer before the scores.
        dropout: share of hidden units left out while training.
        image_shape: (C, H, W) of flat rows.
        solver, alpha, batch_size, learning_rate_init, max_iter, tol, n_iter_no_change, shuffle, random_state: as for
            `MLPRegressor`.

    >>> import numpy as np
    >>> bars = np.zeros((6, 4, 4))
    >>> bars[:3, 1], bars[3:, :, 2] = 1.0, 1.0
    >>> model = CNNClassifier((4,), hidden=8, max_iter=40, tol=0.1, learning_rate_init=0.01, random_state=0)
    >>> model.fit(bars, ["row"] * 3 + ["column"] * 3).score(bars, ["row"] * 3 + ["column"] * 3)
    1.0
    """

    _images: ClassVar[bool] = True

    def __init__(
        self,
        channels: Any = (16, 32),
        *,
        kernel_size: int = 3,
        hidden: int = 64,
        dropout: float = 0.0,
        image_shape: Any = None,
        solver: str = "adam",
        alpha: float = 1e-4,
        batch_size: Any = 32,
        learning_rate_init: float = 2e-3,
        max_iter: int = 30,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        shuffle: bool = True,
        random_state: Any = None,
    ) -> None:
        self.channels = channels
        self.kernel_size = kernel_size
        self.hidden = hidden
        self.dropout = dropout
        self.image_shape = image_shape
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.shuffle = shuffle
        self.random_state = random_state

    def _check_settings(self) -> None:
        super()._check_settings()
        for n in self.channels if hasattr(self.channels, "__iter__") else [self.channels]:
            check_count("CNNClassifier", "channels", n)
        check_count("CNNClassifier", "hidden", self.hidden)
        check_number("CNNClassifier", "dropout", self.dropout, most=0.99)
        if check_count("CNNClassifier", "kernel_size", self.kernel_size) % 2 == 0:
            raise ValueError(
                f"The 'kernel_size' parameter of CNNClassifier must be odd. Got {self.kernel_size!r} instead."
            )

    def _shaped(self, rows: Floats) -> Floats:
        if rows.ndim == 4:
            return rows
        if rows.ndim == 3:
            return rows[:, None]
        width = rows.shape[1]
        side = isqrt(width)
        shape = self.image_shape or ((1, side, side) if side * side == width else (1, 1, width))
        if len(shape) != 3 or shape[0] * shape[1] * shape[2] != width:
            raise ValueError(
                f"CNNClassifier: rows of {width} values do not make images of image_shape={self.image_shape!r}"
            )
        return rows.reshape(-1, *shape)

    def _build(self, shape: tuple[int, ...], outputs: int) -> Any:
        c, h, w = shape
        layers: list[Any] = []
        for o in self.channels if hasattr(self.channels, "__iter__") else [self.channels]:
            # a side that is too short is not pooled any further
            pool = (2 if h > 1 else 1, 2 if w > 1 else 1)
            layers += [nn.Conv2d(c, o, self.kernel_size, padding=self.kernel_size // 2), nn.ReLU(), nn.MaxPool2d(pool)]
            c, h, w = o, h // pool[0], w // pool[1]
        layers += [nn.Flatten(), nn.Linear(c * h * w, self.hidden), nn.ReLU()]
        if self.dropout:
            layers.append(nn.Dropout(self.dropout))
        return nn.Sequential(*layers, nn.Linear(self.hidden, outputs))
