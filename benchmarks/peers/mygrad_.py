"""MyGrad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet import conv_nd, max_pool, relu, sigmoid, softmax, softmax_crossentropy

ACT = {"tanh": mg.tanh, "relu": relu, "sigmoid": sigmoid, "flatten": lambda x: x.reshape(len(x), -1)}


def trained(loss: Any, params: list[Any], lr: float, after: Any = None) -> Callable[[], Any]:
    tensors = [mg.tensor(p) for p in params]

    def step() -> Any:
        value = loss(tensors)
        value.backward()
        for p in tensors:
            p.data -= np.float32(lr) * p.grad
            if after is not None:
                p.data[...] = after(p.data)
        return value

    return step


def net(data: dict[str, Any]) -> Callable[[], Any]:
    layers, x, y = data["layers"], data["x"], data["y"]

    def loss(params: list[Any]) -> Any:
        z, given = x, iter(params)
        for kind, *rest in layers:
            if kind == "linear":
                z = mg.matmul(z, next(given).T) + next(given)
            elif kind == "conv":
                z = conv_nd(z, next(given), stride=1, padding=rest[2]) + next(given).reshape(1, -1, 1, 1)
            else:
                z = max_pool(z, (2, 2), 2) if kind == "pool" else ACT[kind](z)
        if data["loss"] == "ce":
            return softmax_crossentropy(z, y)
        if data["loss"] == "bce":
            return -mg.mean(y * mg.log(z) + (1 - y) * mg.log(1 - z))
        return mg.mean((z - y) ** 2) if data["loss"] == "mse" else mg.sum((z - y) ** 2)

    return trained(loss, [p for s in layers for p in s[1:3]], data["lr"])


def conv(data: dict[str, Any]) -> Callable[[], Any]:
    x, w = mg.tensor(data["x"]), mg.tensor(data["w"])

    def step() -> Any:
        y = conv_nd(x, w, stride=1, padding=1)
        value = y.data[0, 0, 0, 0]
        y.backward(data["g"])
        return value

    return step


def kmeans(data: dict[str, Any]) -> Callable[[], Any]:
    x, beta = data["x"], np.float32(data["beta"])

    def loss(params: list[Any]) -> Any:
        d = mg.sum((x[:, None] - params[0]) ** 2, axis=-1)
        return mg.mean(mg.sum(softmax(d * -beta) * d, axis=1))

    return trained(loss, [data["c"]], data["lr"])


def ridge(data: dict[str, Any]) -> Callable[[], Any]:
    x, y, penalty = data["x"], data["y"], np.float32(data["penalty"])
    return trained(
        lambda p: mg.mean((mg.matmul(x, p[0]) - y) ** 2) + penalty * mg.sum(p[0] ** 2), [data["w"]], data["lr"]
    )


def lasso(data: dict[str, Any]) -> Callable[[], Any]:
    x, y, t = data["x"], data["y"], np.float32(data["lr"] * data["penalty"])
    return trained(
        lambda p: mg.mean((mg.matmul(x, p[0]) - y) ** 2), [data["w"]], data["lr"],
        lambda w: np.sign(w) * np.maximum(np.abs(w) - t, 0),
    )  # fmt: skip


def chain(data: dict[str, Any]) -> Callable[[], Any]:
    x, a, c = mg.tensor(data["x"]), data["a"], data["c"]

    def step() -> Any:
        z = x
        for _ in range(data["n"]):
            z = z * c + a
        loss = mg.sum(z)
        loss.backward()
        return loss

    return step
