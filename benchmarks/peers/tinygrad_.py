"""tinygrad on the CPU: the whole step, update included, compiled and replayed by ``TinyJit``.

Its CPU device compiles with the program ``clang``; where that is missing, so is this peer, and the table says why.
"""

from __future__ import annotations

import os

os.environ.setdefault("DEV", "CPU")
os.environ.setdefault("NUM_CPU_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
os.environ.setdefault("CACHELEVEL", "0")  # the first step compiles, as that of the others does

from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

from tinygrad import Context, Device, Tensor, TinyJit, nn  # noqa: E402

try:
    (Tensor([1.0]) + 1).realize()
except Exception as error:  # whatever stops it from computing anything at all
    raise ImportError(f"its CPU device does not work here: {type(error).__name__}: {error}") from None

ABSENT = {"chain": "one graph of 2,000 operations is not planned within minutes"}
ACT = {"tanh": Tensor.tanh, "relu": Tensor.relu, "sigmoid": Tensor.sigmoid, "flatten": lambda x: x.flatten(1)}


def jitted(run: Callable[[], Any]) -> Callable[[], Any]:
    """Return the compiled form of a step, done when it returns."""
    replay, device = TinyJit(run), Device[Device.DEFAULT]

    def step() -> Any:
        value = replay()
        device.synchronize()
        return value

    return step


def trained(loss: Any, params: list[Any], lr: float, after: Any = None) -> Callable[[], Any]:
    tensors = [Tensor(p).realize() for p in params]
    optimizer = nn.optim.SGD(tensors, lr=lr)

    @Context(TRAINING=1)
    def update() -> Any:
        optimizer.zero_grad()
        value = loss(tensors)
        value.backward()
        Tensor.realize(value, *optimizer.schedule_step())
        if after is not None:
            Tensor.realize(*(p.assign(after(p)) for p in tensors))
        return value

    return jitted(update)


def net(data: dict[str, Any]) -> Callable[[], Any]:
    layers, kind_of_loss = data["layers"], data["loss"]
    x, y = Tensor(data["x"]).realize(), Tensor(data["y"]).realize()

    def loss(params: list[Any]) -> Any:
        z, given = x, iter(params)
        for kind, *rest in layers:
            if kind == "linear":
                z = z.linear(next(given).T, next(given))
            elif kind == "conv":
                z = z.conv2d(next(given), next(given), padding=rest[2])
            else:
                z = z.max_pool2d((2, 2)) if kind == "pool" else ACT[kind](z)
        if kind_of_loss == "ce":
            return z.sparse_categorical_crossentropy(y)
        if kind_of_loss == "bce":
            return z.binary_crossentropy(y)
        return (z - y).square().mean() if kind_of_loss == "mse" else (z - y).square().sum()

    return trained(loss, [p for s in layers for p in s[1:3]], data["lr"])


def conv(data: dict[str, Any]) -> Callable[[], Any]:
    x, w = (Tensor(data[k]).realize() for k in "xw")
    g = Tensor(data["g"]).realize()

    def run() -> Any:
        y = x.conv2d(w, padding=1)
        grads = y.gradient(x, w, gradient=g)
        Tensor.realize(y, *grads)
        return y

    step = jitted(run)
    return lambda: step()[0, 0, 0, 0]


def kmeans(data: dict[str, Any]) -> Callable[[], Any]:
    x, beta = Tensor(data["x"]).realize(), data["beta"]

    def loss(params: list[Any]) -> Any:
        d = (x.unsqueeze(1) - params[0]).square().sum(-1)
        return ((d * -beta).softmax(1) * d).sum(1).mean()

    return trained(loss, [data["c"]], data["lr"])


def ridge(data: dict[str, Any]) -> Callable[[], Any]:
    x, y, penalty = Tensor(data["x"]).realize(), Tensor(data["y"]).realize(), data["penalty"]
    return trained(lambda p: (x @ p[0] - y).square().mean() + penalty * p[0].square().sum(), [data["w"]], data["lr"])


def lasso(data: dict[str, Any]) -> Callable[[], Any]:
    x, y, t = Tensor(data["x"]).realize(), Tensor(data["y"]).realize(), data["lr"] * data["penalty"]
    return trained(
        lambda p: (x @ p[0] - y).square().mean(), [data["w"]], data["lr"],
        lambda w: w.sign() * (w.abs() - t).relu(),
    )  # fmt: skip
