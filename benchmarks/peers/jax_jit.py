"""JAX: the whole step, update included, compiled once by ``jax.jit``."""

from __future__ import annotations

import os

threads = os.environ.get("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
if threads == "1":
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

ACT = {"tanh": jnp.tanh, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "flatten": lambda x: x.reshape(len(x), -1)}


def convolve(x: Any, w: Any, pad: int) -> Any:
    return jax.lax.conv_general_dilated(x, w, (1, 1), [(pad, pad)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW"))


def pool(x: Any) -> Any:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")


def forward(layers: list[Any], params: list[Any], x: Any) -> Any:
    given = iter(params)
    for kind, *rest in layers:
        if kind == "linear":
            w, b = next(given)
            x = x @ w.T + b
        elif kind == "conv":
            w, b = next(given)
            x = convolve(x, w, rest[2]) + b[:, None, None]
        else:
            x = pool(x) if kind == "pool" else ACT[kind](x)
    return x


def loss_of(kind: str, p: Any, y: Any) -> Any:
    if kind == "ce":
        return -jnp.take_along_axis(jax.nn.log_softmax(p), y[:, None], 1).mean()
    if kind == "bce":
        return -(y * jnp.log(p) + (1 - y) * jnp.log1p(-p)).mean()
    return ((p - y) ** 2).mean() if kind == "mse" else ((p - y) ** 2).sum()


def trained(loss: Any, params: Any, lr: float, after: Any = None) -> Callable[[], Any]:
    @jax.jit
    def update(params: Any) -> Any:
        value, grads = jax.value_and_grad(loss)(params)
        params = jax.tree.map(lambda p, g: p - lr * g, params, grads)
        return value, params if after is None else after(params)

    state = [params]

    def step() -> Any:
        value, state[0] = update(state[0])
        jax.block_until_ready(state[0])
        return value

    return step


def net(data: dict[str, Any]) -> Callable[[], Any]:
    layers = data["layers"]
    x, y = jnp.asarray(data["x"]), jnp.asarray(data["y"])
    params = [(jnp.asarray(s[1]), jnp.asarray(s[2])) for s in layers if len(s) > 1]
    return trained(lambda p: loss_of(data["loss"], forward(layers, p, x), y), params, data["lr"])


def conv(data: dict[str, Any]) -> Callable[[], Any]:
    x, w, g = (jnp.asarray(data[k]) for k in "xwg")

    @jax.jit
    def run(x: Any, w: Any) -> Any:
        y, back = jax.vjp(lambda x, w: convolve(x, w, 1), x, w)
        return y, back(g)

    return lambda: jax.block_until_ready(run(x, w))[0][0, 0, 0, 0]


def kmeans(data: dict[str, Any]) -> Callable[[], Any]:
    x = jnp.asarray(data["x"])

    def loss(c: Any) -> Any:
        d = ((x[:, None] - c) ** 2).sum(-1)
        return (jax.nn.softmax(d * -data["beta"], 1) * d).sum(1).mean()

    return trained(loss, jnp.asarray(data["c"]), data["lr"])


def ridge(data: dict[str, Any]) -> Callable[[], Any]:
    x, y = jnp.asarray(data["x"]), jnp.asarray(data["y"])
    return trained(
        lambda w: ((x @ w - y) ** 2).mean() + data["penalty"] * (w * w).sum(), jnp.asarray(data["w"]), data["lr"]
    )


def lasso(data: dict[str, Any]) -> Callable[[], Any]:
    x, y, t = jnp.asarray(data["x"]), jnp.asarray(data["y"]), data["lr"] * data["penalty"]
    return trained(
        lambda w: ((x @ w - y) ** 2).mean(), jnp.asarray(data["w"]), data["lr"],
        lambda w: jnp.sign(w) * jnp.maximum(jnp.abs(w) - t, 0),
    )  # fmt: skip


def chain(data: dict[str, Any]) -> Callable[[], Any]:
    a, c = jnp.asarray(data["a"]), data["c"]

    def loss(z: Any) -> Any:
        for _ in range(data["n"]):
            z = z * c + a
        return z.sum()

    run, x = jax.jit(jax.value_and_grad(loss)), jnp.asarray(data["x"])
    return lambda: jax.block_until_ready(run(x))[0]
