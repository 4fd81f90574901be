"""Gradients as formulas, to compare the gradients of the library with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any

ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "identity": (lambda z: z, lambda y: np.ones_like(y)),
    "relu": (lambda z: np.maximum(z, 0.0), lambda y: (y > 0).astype(y.dtype)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda y: y * (1 - y)),
}
"""Each function, and its derivative as a function of its result."""


def mean_squares(X: Array, y: Array, w: Array, b: float) -> tuple[Array, float]:
    """Return the gradients of sum (y - X w - b)² / n for w and b.

    They are -2/n X^T (y - X w - b) and -2/n sum (y - X w - b).
    """
    left = y - X @ w - b
    return -2 / len(y) * X.T @ left, float(-2 / len(y) * left.sum())


def dense(
    x: Array, layers: Sequence[tuple[Array, Array, str]], slope: Callable[[Array], Array]
) -> tuple[list[Array], Array]:
    """Return the gradients [W1, b1, W2, b2, ...] of a dense network, and its input's.

    Each layer is (weight (out, in), bias (out), activation); ``slope`` gives the slope of the loss at the output.
    """
    values = [x]
    for weight, bias, name in layers:
        values.append(ACTIVATIONS[name][0](values[-1] @ weight.T + bias))
    g = slope(values[-1])
    found: list[Array] = []
    for (weight, _, name), before, after in zip(layers[::-1], values[-2::-1], values[:0:-1], strict=True):
        g = g * ACTIVATIONS[name][1](after)
        found = [g.T @ before, g.sum(axis=0), *found]
        g = g @ weight
    return found, g


def correlated(image: Array, kernel: Array) -> Array:
    """Return the 'valid' cross-correlation of two matrices, by loops.

    Each value is the sum over one window.
    """
    rows, columns = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    out = np.empty((rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[i, j] = (image[i : i + kernel.shape[0], j : j + kernel.shape[1]] * kernel).sum()
    return out


def convolved(image: Array, kernel: Array) -> Array:
    """Return the 'full' convolution of two matrices, by loops.

    Each pixel adds a scaled kernel around its position.
    """
    out = np.zeros((image.shape[0] + kernel.shape[0] - 1, image.shape[1] + kernel.shape[1] - 1))
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i : i + kernel.shape[0], j : j + kernel.shape[1]] += image[i, j] * kernel
    return out


def digits_cnn(image: Array, target: Array, p: dict[str, Array]) -> list[Array]:
    """Return the gradients of the two-digit network for one image (H, W).

    The loss is the mean binary cross-entropy of both outputs. Order: kernels, untied bias, then weight and bias of both
    dense layers.
    """
    sigmoid, slope = ACTIVATIONS["sigmoid"]
    maps = sigmoid(np.stack([correlated(image, k[0]) for k in p["conv.weight"]]) + p["conv.bias"])
    layers = [(p["hidden.weight"], p["hidden.bias"], "sigmoid"), (p["out.weight"], p["out.bias"], "sigmoid")]
    found, g = dense(maps.reshape(1, -1), layers, lambda z: (z - target) / (z * (1 - z)) / z.size)
    g = g.reshape(maps.shape) * slope(maps)
    return [np.stack([correlated(image, one) for one in g])[:, None], g, *found]


def tiny_cnn(image: Array, target: Array, p: dict[str, Array]) -> list[Array]:
    """Return the gradients of the 5x5 network for one image.

    The loss is (z0 - y0)² + (z1 - y1)².

    The pooled gradient goes back to the first of the largest values of its 2x2 square, then through the open ReLUs.
    """
    convolution = np.maximum(correlated(image, p["conv.weight"][0, 0]) + p["conv.bias"][0], 0.0)
    squares = convolution.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
    largest = squares.argmax(axis=1)
    layers = [(p["hidden.weight"], p["hidden.bias"], "sigmoid"), (p["out.weight"], p["out.bias"], "sigmoid")]
    found, g = dense(squares.max(axis=1)[None], layers, lambda z: 2 * (z - target))
    back = np.zeros((4, 4))
    back[np.arange(4), largest] = g[0]
    back = back.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4) * (convolution > 0)
    return [correlated(image, back)[None, None], np.array([back.sum()]), *found]


def hard_centroids(X: Array, centers: Array) -> Array:
    """Return the gradient of sum min_k |x - c_k|² for the centroids.

    It is 2 sum (c_k - x) over the points of cluster k.
    """
    labels = ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    return np.stack([2 * (c - X[labels == k]).sum(axis=0) for k, c in enumerate(centers)])


def soft_centroids(X: Array, centers: Array, beta: float) -> tuple[Array, Array]:
    """Return the gradients of the free energy for points and centroids.

    2 sum_k a (x - c_k) for the points, 2 sum_i a (c_k - x_i) for the centroids.
    """
    apart = X[:, None] - centers
    d = (apart**2).sum(axis=2)
    a = np.exp(-beta * (d - d.min(axis=1, keepdims=True)))
    a /= a.sum(axis=1, keepdims=True)
    pull = 2 * a[:, :, None] * apart
    return pull.sum(axis=1), -pull.sum(axis=0)
