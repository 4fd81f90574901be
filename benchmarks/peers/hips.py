"""HIPS autograd. It has no convolution worth measuring (its scipy one loops over images), so only dense work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad

ACT = {"tanh": anp.tanh, "relu": lambda x: anp.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + anp.exp(-x))}


def trained(loss: Any, params: list[Any], lr: float, after: Any = None) -> Callable[[], Any]:
    run, params = value_and_grad(loss), [p.copy() for p in params]

    def step() -> Any:
        value, grads = run(params)
        for p, g in zip(params, grads, strict=True):
            p -= np.float32(lr) * g
            if after is not None:
                p[...] = after(p)
        return value

    return step


def net(data: dict[str, Any]) -> Callable[[], Any]:
    layers = data["layers"]
    if any(s[0] == "conv" for s in layers):
        raise NotImplementedError("no convolution")
    x, y = data["x"], data["y"]

    def loss(params: list[Any]) -> Any:
        z, given = x, iter(params)
        for kind, *_ in layers:
            z = anp.dot(z, next(given).T) + next(given) if kind == "linear" else ACT[kind](z)
        return anp.mean((z - y) ** 2)

    return trained(loss, [p for s in layers for p in s[1:3]], data["lr"])


def kmeans(data: dict[str, Any]) -> Callable[[], Any]:
    x, beta = data["x"], np.float32(data["beta"])

    def loss(params: list[Any]) -> Any:
        d = anp.sum((x[:, None] - params[0]) ** 2, -1)
        e = anp.exp(-beta * (d - anp.min(d, 1, keepdims=True)))
        return anp.mean(anp.sum(e / anp.sum(e, 1, keepdims=True) * d, 1))

    return trained(loss, [data["c"]], data["lr"])


def ridge(data: dict[str, Any]) -> Callable[[], Any]:
    x, y = data["x"], data["y"]
    penalty = np.float32(data["penalty"])
    return trained(
        lambda p: anp.mean((anp.dot(x, p[0]) - y) ** 2) + penalty * anp.sum(p[0] ** 2), [data["w"]], data["lr"]
    )


def lasso(data: dict[str, Any]) -> Callable[[], Any]:
    x, y, t = data["x"], data["y"], np.float32(data["lr"] * data["penalty"])
    return trained(
        lambda p: anp.mean((anp.dot(x, p[0]) - y) ** 2), [data["w"]], data["lr"],
        lambda w: np.sign(w) * np.maximum(np.abs(w) - t, 0),
    )  # fmt: skip


def chain(data: dict[str, Any]) -> Callable[[], Any]:
    a, c = data["a"], data["c"]

    def loss(z: Any) -> Any:
        for _ in range(data["n"]):
            z = z * c + a
        return anp.sum(z)

    run = value_and_grad(loss)
    return lambda: run(data["x"])[0]
