"""PyTorch eager: the reference."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import nn, optim
from torch.nn import functional as F

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))

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


def same(function: Any) -> Any:
    """What `pytorch_compiled` replaces by torch.compile."""
    return function


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
        layer.load_state_dict({"weight": torch.tensor(w), "bias": torch.tensor(b)})
        made.append(layer)
    return nn.Sequential(*made)


def net(data: dict[str, Any], compiled: Any = same) -> Callable[[], Any]:
    model, loss_of = network(data["layers"]), LOSSES[data["loss"]]()
    x, y = torch.tensor(data["x"]), torch.tensor(data["y"])
    optimizer = optim.SGD(model.parameters(), lr=data["lr"])
    run = compiled(lambda x, y: loss_of(model(x), y))

    def step() -> Any:
        optimizer.zero_grad()
        loss = run(x, y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def conv(data: dict[str, Any], compiled: Any = same) -> Callable[[], Any]:
    x, w = (torch.tensor(data[k], requires_grad=True) for k in "xw")
    g = torch.tensor(data["g"])
    run = compiled(lambda x, w: F.conv2d(x, w, padding=1))

    def step() -> Any:
        x.grad = w.grad = None
        y = run(x, w)
        y.backward(g)
        return y[0, 0, 0, 0]

    return step


def _fit(parameter: Any, lr: float, run: Any, after: Any = None) -> Callable[[], Any]:
    optimizer = optim.SGD([parameter], lr=lr)

    def step() -> Any:
        optimizer.zero_grad()
        loss = run()
        loss.backward()
        optimizer.step()
        if after is not None:
            after()
        return loss

    return step


def kmeans(data: dict[str, Any], compiled: Any = same) -> Callable[[], Any]:
    x, c, beta = torch.tensor(data["x"]), torch.tensor(data["c"], requires_grad=True), data["beta"]

    def loss() -> Any:
        d = ((x[:, None] - c) ** 2).sum(-1)
        return (torch.softmax(d * -beta, 1) * d).sum(1).mean()

    return _fit(c, data["lr"], compiled(loss))


def ridge(data: dict[str, Any], compiled: Any = same) -> Callable[[], Any]:
    x, y, w = torch.tensor(data["x"]), torch.tensor(data["y"]), torch.tensor(data["w"], requires_grad=True)
    return _fit(w, data["lr"], compiled(lambda: F.mse_loss(x @ w, y) + data["penalty"] * (w * w).sum()))


def lasso(data: dict[str, Any], compiled: Any = same) -> Callable[[], Any]:
    x, y, w = torch.tensor(data["x"]), torch.tensor(data["y"]), torch.tensor(data["w"], requires_grad=True)
    shrink = nn.Softshrink(data["lr"] * data["penalty"])

    def after() -> None:
        with torch.no_grad():
            w.copy_(shrink(w))

    return _fit(w, data["lr"], compiled(lambda: F.mse_loss(x @ w, y)), after)


def chain(data: dict[str, Any], compiled: Any = same) -> Callable[[], Any]:
    x, a, c = torch.tensor(data["x"], requires_grad=True), torch.tensor(data["a"]), data["c"]

    def step() -> Any:
        x.grad = None
        z = x
        for _ in range(data["n"]):
            z = z * c + a
        loss = z.sum()
        loss.backward()
        return loss

    return step
