"""What is measured: each workload is data in NumPy, the same for every peer, and a goal relative to PyTorch eager.

A network is a list of layers; numbers start the same everywhere, so every peer must find the same first loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

F = np.float32


@dataclass
class Workload:
    name: str
    title: str
    goal: float | None
    kind: str  # which function of a peer runs it
    make: Callable[[np.random.Generator], dict[str, Any]]
    per: int = 1  # ops in a step, where the time is told per op
    options: dict[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        return {**self.make(np.random.default_rng(0)), **self.options}


def dense(rng: np.random.Generator, inputs: int, outputs: int) -> tuple[str, Any, Any]:
    bound = inputs**-0.5
    return (
        "linear",
        rng.uniform(-bound, bound, (outputs, inputs)).astype(F),
        rng.uniform(-bound, bound, outputs).astype(F),
    )


def conv(rng: np.random.Generator, inputs: int, outputs: int, kernel: int, pad: int) -> tuple[str, Any, Any, int]:
    bound = (inputs * kernel * kernel) ** -0.5
    w = rng.uniform(-bound, bound, (outputs, inputs, kernel, kernel)).astype(F)
    return "conv", w, rng.uniform(-bound, bound, outputs).astype(F), pad


def xor(rng: np.random.Generator) -> dict[str, Any]:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], F)
    y = np.array([[0], [1], [1], [0]], F)
    return {"x": x, "y": y, "layers": [dense(rng, 2, 3), ("tanh",), dense(rng, 3, 1), ("tanh",)], "loss": "mse"}


def line(rng: np.random.Generator) -> dict[str, Any]:
    x = rng.uniform(-1, 1, (700, 1)).astype(F)
    return {"x": x, "y": (3 * x + 2).astype(F), "layers": [dense(rng, 1, 1)], "loss": "mse"}


def cubic(rng: np.random.Generator) -> dict[str, Any]:
    x = rng.uniform(-1, 1, (700, 1)).astype(F)
    return {"x": x, "y": (x**3).astype(F), "layers": [dense(rng, 1, 10), ("relu",), dense(rng, 10, 1)], "loss": "mse"}


def cnn5(rng: np.random.Generator) -> dict[str, Any]:
    layers = [
        conv(rng, 1, 1, 2, 0), ("relu",), ("pool",), ("flatten",), dense(rng, 4, 3), ("sigmoid",),
        dense(rng, 3, 2), ("sigmoid",),
    ]  # fmt: skip
    return {"x": rng.random((1, 1, 5, 5), F), "y": np.array([[1, 0]], F), "layers": layers, "loss": "sse"}


def digits(batch: int) -> Callable[[np.random.Generator], dict[str, Any]]:
    def make(rng: np.random.Generator) -> dict[str, Any]:
        layers = [
            conv(rng, 1, 5, 3, 0), ("sigmoid",), ("flatten",), dense(rng, 3380, 100), ("sigmoid",), dense(rng, 100, 2),
            ("sigmoid",),
        ]  # fmt: skip
        y = np.eye(2, dtype=F)[rng.integers(0, 2, batch)]
        return {"x": rng.random((batch, 1, 28, 28), F), "y": y, "layers": layers, "loss": "bce"}

    return make


def lenet(rng: np.random.Generator) -> dict[str, Any]:
    layers = [
        conv(rng, 1, 16, 3, 1), ("relu",), ("pool",), conv(rng, 16, 32, 3, 1), ("relu",), ("pool",), ("flatten",),
        dense(rng, 32 * 49, 10),
    ]  # fmt: skip
    return {"x": rng.random((64, 1, 28, 28), F), "y": rng.integers(0, 10, 64), "layers": layers, "loss": "ce"}


def conv64(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "x": rng.standard_normal((32, 64, 32, 32), F), "w": rng.standard_normal((64, 64, 3, 3), F),
        "g": rng.standard_normal((32, 64, 32, 32), F),
    }  # fmt: skip


def points(rng: np.random.Generator) -> dict[str, Any]:
    x = rng.standard_normal((10_000, 16), F)
    return {"x": x, "c": x[:8].copy(), "beta": 0.5, "lr": 0.1}


def regression(rng: np.random.Generator) -> dict[str, Any]:
    x = rng.standard_normal((10_000, 100), F)
    w = rng.standard_normal(100).astype(F)
    y = (x @ w + 0.1 * rng.standard_normal(10_000)).astype(F)
    return {"x": x, "y": y, "w": np.zeros(100, F), "penalty": 0.01, "lr": 0.1}


def chain(rng: np.random.Generator) -> dict[str, Any]:
    return {"x": np.ones(3, F), "a": np.full(3, 0.01, F), "c": 0.99, "n": 1000}


NET = {"lr": 0.1}
WORKLOADS = [
    Workload("xor", "xor: 2-3-1 tanh, MSE, SGD, batch 4", 0.35, "net", xor, options=NET),
    Workload("line", "line: 700 points, Linear(1, 1), MSE", 0.5, "net", line, options=NET),
    Workload("cubic", "cubic: 700 points, 1-10-1 ReLU", 0.6, "net", cubic, options=NET),
    Workload("cnn5", "cnn5: the 5x5 network", 0.5, "net", cnn5, options=NET),
    Workload("digits28-1", "digits28, batch 1: conv 3x3x5, dense 3380-100-2, BCE", 1.0, "net", digits(1), options=NET),
    Workload("digits28-32", "digits28, batch 32", 0.9, "net", digits(32), options=NET),
    Workload("lenet", "lenet, batch 64: conv 16, pool, conv 32, pool, linear", 1.0, "net", lenet, options={"lr": 0.01}),
    Workload("conv64", "conv64: (32,64,32,32) * (64,64,3,3) pad 1, forward + both gradients", 1.0, "conv", conv64),
    Workload("kmeans", "soft K-means step: 10,000 x 16, 8 centroids", 0.35, "kmeans", points),
    Workload("ridge", "ridge step: 10,000 x 100", 0.6, "ridge", regression),
    Workload("lasso", "lasso step: 10,000 x 100", None, "lasso", regression),
    Workload("chain", "chain: 2,000 tiny ops forward + backward, per op", 0.7, "chain", chain, per=2000),
]
