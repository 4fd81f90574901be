"""Three steps with Adam beside `benchmarks.workloads`: a perceptron, an LSTM cell, a transformer layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import F, dense

Step = Callable[[], Any]


def mlp(rng: np.random.Generator) -> dict[str, Any]:
    """784-128-10 with ReLU and cross-entropy, batch 64."""
    (_, w1, b1), (_, w2, b2) = dense(rng, 784, 128), dense(rng, 128, 10)
    return {"w1": w1, "b1": b1, "w2": w2, "b2": b2, "x": rng.random((64, 784), F), "y": rng.integers(0, 10, 64)}


def lstm(rng: np.random.Generator) -> dict[str, Any]:
    """LSTMCell(8, 32), 20 steps, and a linear layer; batch 16."""
    (_, wi, bi), (_, wh, bh), (_, w, b) = dense(rng, 8, 128), dense(rng, 32, 128), dense(rng, 32, 1)
    x = rng.standard_normal((20, 16, 8)).astype(F)
    return {"wi": wi, "bi": bi, "wh": wh, "bh": bh, "w": w, "b": b, "x": x}


def transformer(rng: np.random.Generator) -> dict[str, Any]:
    """One encoder layer: 64 features, 4 heads, 128 hidden; 8 sequences of 32."""
    names = ("wqkv", "bqkv", "wo", "bo", "w1", "b1", "w2", "b2")
    layers = [dense(rng, *n)[1:] for n in ((64, 192), (64, 64), (64, 128), (128, 64))]
    x, y = rng.standard_normal((2, 8, 32, 64)).astype(F)
    return {**dict(zip(names, [a for layer in layers for a in layer], strict=True)), "x": x, "y": y}


DATA = {"mlp": mlp, "lstm": lstm, "transformer": transformer}


# ------------------------------------------------------------------------------------------------ tinygrad_lite
def ours(name: str, data: dict[str, Any]) -> Step:
    """Return the step as a user writes it."""
    import tinygrad_lite as tl
    from tinygrad_lite import nn, optim
    from tinygrad_lite.nn import functional

    def filled(module: Any, **names: str) -> Any:
        module.load_state_dict({k.replace("__", "."): tl.tensor(data[n]) for k, n in names.items()}, strict=False)
        return module

    x, y = tl.tensor(data["x"]), tl.tensor(data["y"]) if "y" in data else None
    if name == "mlp":
        first, last = (
            filled(nn.Linear(784, 128), weight="w1", bias="b1"),
            filled(nn.Linear(128, 10), weight="w2", bias="b2"),
        )
        model: Any = nn.Sequential(first, nn.ReLU(), last)
        loss_of = lambda: functional.cross_entropy(model(x), y)  # noqa: E731
    elif name == "lstm":
        cell = filled(nn.LSTMCell(8, 32), weight_ih="wi", weight_hh="wh", bias_ih="bi", bias_hh="bh")
        out = filled(nn.Linear(32, 1), weight="w", bias="b")
        model = nn.ModuleList([cell, out])

        def loss_of() -> Any:
            h = c = tl.zeros(16, 32)
            for part in x:
                h, c = cell(part, (h, c))
            return out(h).square().mean()
    else:
        model = filled(
            nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True), self_attn__in_proj_weight="wqkv",
            self_attn__in_proj_bias="bqkv", self_attn__out_proj__weight="wo", self_attn__out_proj__bias="bo",
            linear1__weight="w1", linear1__bias="b1", linear2__weight="w2", linear2__bias="b2",
        )  # fmt: skip
        loss_of = lambda: functional.mse_loss(model(x), y)  # noqa: E731
    optimizer = optim.Adam(model.parameters())

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss

    return step


# ------------------------------------------------------------------------------------------------ JAX
def jaxs(name: str, data: dict[str, Any]) -> Step:
    """Return the step compiled by ``jax.jit``, Adam included."""
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(data["x"]), jnp.asarray(data.get("y", 0))
    params = {k: jnp.asarray(v) for k, v in data.items() if k not in "xy"}

    def layer_norm(a: Any, weight: Any, bias: Any) -> Any:
        mean = a.mean(-1, keepdims=True)
        return (a - mean) / jnp.sqrt(((a - mean) ** 2).mean(-1, keepdims=True) + 1e-5) * weight + bias

    def heads(a: Any) -> Any:
        return a.reshape(8, 32, 4, 16).transpose(0, 2, 1, 3)

    def perceptron(p: Any) -> Any:
        scores = jax.nn.relu(x @ p["w1"].T + p["b1"]) @ p["w2"].T + p["b2"]
        return -jnp.take_along_axis(jax.nn.log_softmax(scores), y[:, None], 1).mean()

    def recurrent(p: Any) -> Any:
        h = c = jnp.zeros((16, 32))
        for part in x:
            i, f, z, o = jnp.split(part @ p["wi"].T + p["bi"] + h @ p["wh"].T + p["bh"], 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(z)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return ((h @ p["w"].T + p["b"]) ** 2).mean()

    def encoder(p: Any) -> Any:
        q, k, v = map(heads, jnp.split(x @ p["wqkv"].T + p["bqkv"], 3, -1))
        a = jax.nn.softmax(q @ k.swapaxes(2, 3) / 4.0, -1) @ v
        a = a.transpose(0, 2, 1, 3).reshape(8, 32, 64) @ p["wo"].T + p["bo"]
        h = layer_norm(x + a, p["g1"], p["n1"])
        f = jax.nn.relu(h @ p["w1"].T + p["b1"]) @ p["w2"].T + p["b2"]
        return ((layer_norm(h + f, p["g2"], p["n2"]) - y) ** 2).mean()

    loss_of = {"mlp": perceptron, "lstm": recurrent, "transformer": encoder}[name]
    if name == "transformer":
        params |= {k: jnp.full(64, float(k[0] == "g")) for k in ("g1", "n1", "g2", "n2")}

    @jax.jit
    def update(p: Any, m: Any, v: Any, t: Any) -> Any:
        loss, g = jax.value_and_grad(loss_of)(p)
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        size, root = 1e-3 / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        p = jax.tree.map(lambda p, m, v: p - size * m / (jnp.sqrt(v) / root + 1e-8), p, m, v)
        return loss, p, m, v, t

    zeros = jax.tree.map(jnp.zeros_like, params)
    state = [params, zeros, zeros, jnp.float32(0)]

    def step() -> Any:
        loss, *state[:] = update(*state)
        jax.block_until_ready(state[0])
        return loss

    return step


# ------------------------------------------------------------------------------------------------ NumPy by hand
def by_hand(name: str, data: dict[str, Any]) -> Step | None:
    """Return the perceptron written in NumPy; nobody writes the others by hand."""
    if name != "mlp":
        return None
    params = [data[k].copy() for k in ("w1", "b1", "w2", "b2")]
    means, squares = ([np.zeros_like(p) for p in params] for _ in range(2))
    x, y, rows, t = data["x"], data["y"], np.arange(64), [0]

    def step() -> Any:
        w1, b1, w2, b2 = params
        a = x @ w1.T + b1
        h = np.maximum(a, 0)
        z = h @ w2.T + b2
        e = np.exp(z - z.max(1, keepdims=True))
        q = e / e.sum(1, keepdims=True)
        loss = -np.log(q[rows, y]).mean()
        q[rows, y] -= 1
        q /= F(64)
        back = (q @ w2) * (a > 0)
        t[0] += 1
        size, root = F(1e-3 / (1 - 0.9 ** t[0])), F((1 - 0.999 ** t[0]) ** 0.5)
        for p, g, m, v in zip(params, (back.T @ x, back.sum(0), q.T @ h, q.sum(0)), means, squares, strict=True):
            m += F(0.1) * (g - m)
            v *= F(0.999)
            v += F(0.001) * g * g
            p -= size * m / (np.sqrt(v) / root + F(1e-8))
        return loss

    return step
