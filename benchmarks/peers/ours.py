"""tinygrad_lite, as a user writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.nn import functional as F

LAYERS = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "flatten": nn.Flatten,
    "pool": lambda: nn.MaxPool2d(2),
}
LOSSES = {
    "mse": nn.MSELoss, "sse": lambda: nn.MSELoss(reduction="sum"), "bce": nn.BCELoss, "ce": nn.CrossEntropyLoss,
}  # fmt: skip


def network(layers: list[Any]) -> Any:
    made: list[Any] = []
    for kind, *given in layers:
        if kind in LAYERS:
            made.append(LAYERS[kind]())
            continue
        w, b, *pad = given
        layer = (
            nn.Linear(*w.shape[::-1])
            if kind == "linear"
            else nn.Conv2d(w.shape[1], w.shape[0], w.shape[2], padding=pad[0])
        )
        layer.load_state_dict({"weight": tl.tensor(w), "bias": tl.tensor(b)})
        made.append(layer)
    return nn.Sequential(*made)


def net(data: dict[str, Any]) -> Callable[[], Any]:
    model, loss_of = network(data["layers"]), LOSSES[data["loss"]]()
    x, y = tl.tensor(data["x"]), tl.tensor(data["y"])
    optimizer = optim.SGD(model.parameters(), lr=data["lr"])

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def conv(data: dict[str, Any]) -> Callable[[], Any]:
    x, w = (tl.tensor(data[k], requires_grad=True) for k in "xw")
    g = tl.tensor(data["g"])

    def step() -> Any:
        x.grad = w.grad = None
        y = F.conv2d(x, w, padding=1)
        y.backward(g)
        return y[0, 0, 0, 0]

    return step


def kmeans(data: dict[str, Any]) -> Callable[[], Any]:
    x, c = tl.tensor(data["x"]), tl.tensor(data["c"], requires_grad=True)
    optimizer, beta = optim.SGD([c], lr=data["lr"]), data["beta"]

    def step() -> Any:
        optimizer.zero_grad()
        d = tl.squared_distances(x, c)
        loss = ((d * -beta).softmax(1) * d).sum(1).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


def ridge(data: dict[str, Any]) -> Callable[[], Any]:
    x, y, w = tl.tensor(data["x"]), tl.tensor(data["y"]), tl.tensor(data["w"], requires_grad=True)
    optimizer, penalty = optim.SGD([w], lr=data["lr"]), data["penalty"]

    def step() -> Any:
        optimizer.zero_grad()
        loss = F.mse_loss(x @ w, y) + penalty * (w * w).sum()
        loss.backward()
        optimizer.step()
        return loss

    return step


def lasso(data: dict[str, Any]) -> Callable[[], Any]:
    x, y, w = tl.tensor(data["x"]), tl.tensor(data["y"]), tl.tensor(data["w"], requires_grad=True)
    optimizer = optim.SGD([w], lr=data["lr"], l1=data["penalty"])

    def step() -> Any:
        optimizer.zero_grad()
        loss = F.mse_loss(x @ w, y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def chain(data: dict[str, Any]) -> Callable[[], Any]:
    x, a, c, n = tl.tensor(data["x"], requires_grad=True), tl.tensor(data["a"]), data["c"], data["n"]

    def step() -> Any:
        x.grad = None
        z = x
        for _ in range(n):
            z = z * c + a
        loss = z.sum()
        loss.backward()
        return loss

    return step
