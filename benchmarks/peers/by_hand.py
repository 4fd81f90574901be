"""The same steps in plain NumPy, gradients written out by hand: about the floor of any library on NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

F = np.float32
Layer = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def linear(w: Any, b: Any, lr: float, first: bool) -> Layer:
    kept: list[Any] = [None]

    def forward(x: Any) -> Any:
        kept[0] = x
        return x @ w.T + b

    def backward(g: Any) -> Any:
        gx = None if first else g @ w
        np.subtract(w, F(lr) * (g.T @ kept[0]), out=w)
        np.subtract(b, F(lr) * g.sum(0), out=b)
        return gx

    return forward, backward


def columns(x: Any, k: int, pad: int) -> Any:
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    view = sliding_window_view(x, (k, k), (2, 3))
    return view.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), x.shape[1] * k * k, -1)


def columns_back(cols: Any, shape: Any, k: int, pad: int) -> Any:
    n, c, h, v = shape
    out = np.zeros((n, c, h + 2 * pad, v + 2 * pad), cols.dtype)
    rows, wide = h + 2 * pad - k + 1, v + 2 * pad - k + 1
    cols = cols.reshape(n, c, k, k, rows, wide)
    for i in range(k):
        for j in range(k):
            out[:, :, i : i + rows, j : j + wide] += cols[:, :, i, j]
    return out[:, :, pad : pad + h, pad : pad + v]


def convolution(w: Any, b: Any, pad: int, lr: float, first: bool) -> Layer:
    kept: list[Any] = [None, None]
    o, _, k, _ = w.shape

    def forward(x: Any) -> Any:
        cols = columns(x, k, pad)
        kept[:] = cols, x.shape
        side = x.shape[2] + 2 * pad - k + 1
        return (w.reshape(o, -1) @ cols + b[:, None]).reshape(len(x), o, side, -1)

    def backward(g: Any) -> Any:
        cols, shape = kept
        g = g.reshape(len(g), o, -1)
        gx = None if first else columns_back(w.reshape(o, -1).T @ g, shape, k, pad)
        np.subtract(w, F(lr) * (g @ cols.swapaxes(1, 2)).sum(0).reshape(w.shape), out=w)
        np.subtract(b, F(lr) * g.sum((0, 2)), out=b)
        return gx

    return forward, backward


def pooling() -> Layer:
    kept: list[Any] = [None, None]

    def forward(x: Any) -> Any:
        y = np.maximum(
            np.maximum(x[:, :, ::2, ::2], x[:, :, ::2, 1::2]), np.maximum(x[:, :, 1::2, ::2], x[:, :, 1::2, 1::2])
        )
        kept[:] = x, y
        return y

    def backward(g: Any) -> Any:
        x, y = kept
        out, left = np.empty_like(x), np.ones(y.shape, bool)
        for i in (0, 1):
            for j in (0, 1):
                found = (x[:, :, i::2, j::2] == y) & left
                left ^= found
                out[:, :, i::2, j::2] = g * found
        return out

    return forward, backward


def activation(kind: str) -> Layer:
    kept: list[Any] = [None]
    slope = {"tanh": lambda y: 1 - y * y, "relu": lambda y: y > 0, "sigmoid": lambda y: y * (1 - y)}

    def forward(x: Any) -> Any:
        if kind == "flatten":
            kept[0] = x.shape
            return x.reshape(len(x), -1)
        kept[0] = np.tanh(x) if kind == "tanh" else np.maximum(x, 0) if kind == "relu" else 1 / (1 + np.exp(-x))
        return kept[0]

    def backward(g: Any) -> Any:
        return g.reshape(kept[0]) if kind == "flatten" else g * slope[kind](kept[0])

    return forward, backward


def loss_and_slope(kind: str, p: Any, y: Any) -> Any:
    if kind == "ce":
        e = np.exp(p - p.max(1, keepdims=True))
        q = e / e.sum(1, keepdims=True)
        rows = np.arange(len(y))
        value = -np.log(q[rows, y]).mean()
        q[rows, y] -= 1
        return value, q / F(len(y))
    if kind == "bce":
        value = -(y * np.log(p) + (1 - y) * np.log1p(-p)).mean()
        return value, (p - y) / (p * (1 - p)) / F(p.size)
    d = p - y
    total = d.ravel() @ d.ravel()
    return (total / d.size, d * F(2 / d.size)) if kind == "mse" else (total, 2 * d)


def net(data: dict[str, Any]) -> Callable[[], Any]:
    made: list[Layer] = []
    lr = data["lr"]
    for kind, *given in data["layers"]:
        first = not made
        if kind == "linear":
            made.append(linear(given[0].copy(), given[1].copy(), lr, first))
        elif kind == "conv":
            made.append(convolution(given[0].copy(), given[1].copy(), given[2], lr, first))
        else:
            made.append(pooling() if kind == "pool" else activation(kind))
    x, y = data["x"], data["y"]

    def step() -> Any:
        z = x
        for forward, _ in made:
            z = forward(z)
        value, g = loss_and_slope(data["loss"], z, y)
        for _, backward in reversed(made):
            g = backward(g)
        return value

    return step


def conv(data: dict[str, Any]) -> Callable[[], Any]:
    x, w, g = data["x"], data["w"], data["g"]
    o, _, k, _ = w.shape

    def step() -> Any:
        cols = columns(x, k, 1)
        y = (w.reshape(o, -1) @ cols).reshape(g.shape)
        flat = g.reshape(len(g), o, -1)
        (flat @ cols.swapaxes(1, 2)).sum(0)
        columns_back(w.reshape(o, -1).T @ flat, x.shape, k, 1)
        return y[0, 0, 0, 0]

    return step


def kmeans(data: dict[str, Any]) -> Callable[[], Any]:
    x, c, beta = data["x"], data["c"].copy(), F(data["beta"])
    squares, count = (x * x).sum(1)[:, None], F(len(x))

    def step() -> Any:
        d = squares - 2 * (x @ c.T)
        d += (c * c).sum(1)
        np.maximum(d, 0, out=d)
        e = np.exp(beta * (d.min(1, keepdims=True) - d))
        a = e / e.sum(1, keepdims=True)
        each = (a * d).sum(1, keepdims=True)
        gd = a * (1 - beta * (d - each)) / count
        np.subtract(c, F(2 * data["lr"]) * (c * gd.sum(0)[:, None] - gd.T @ x), out=c)
        return each.mean()

    return step


def ridge(data: dict[str, Any], proximal: bool = False) -> Callable[[], Any]:
    x, y, w = data["x"], data["y"], data["w"].copy()
    penalty, lr = F(data["penalty"]), F(data["lr"])

    def step() -> Any:
        d = x @ w - y
        value = d @ d / len(d)
        g = x.T @ (d * F(2 / len(d)))
        if not proximal:
            value += penalty * (w @ w)
            g += 2 * penalty * w
        np.subtract(w, lr * g, out=w)
        if proximal:
            w[...] = np.sign(w) * np.maximum(np.abs(w) - lr * penalty, 0)
        return value

    return step


def lasso(data: dict[str, Any]) -> Callable[[], Any]:
    return ridge(data, proximal=True)


def chain(data: dict[str, Any]) -> Callable[[], Any]:
    a, c = data["a"], F(data["c"])

    def step() -> Any:
        z = data["x"]
        for _ in range(data["n"]):
            z = z * c + a
        g = np.ones_like(z)
        for _ in range(data["n"]):
            g = g * c
        return z.sum()

    return step
