"""The pictures on the page "Seeing graphs", made by the library while the documentation is built."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.models import SmallCNN, SoftClusters, TinyCNN, XorNet
from tinygrad_lite.models.recipes.tiny_cnn import CROSS, squared
from tinygrad_lite.profiler import profile
from tinygrad_lite.viz import Recorder, diff, draw, trace


def scalar() -> dict[str, Any]:
    """One neuron, with the value and the gradient in every box."""
    x, w, b = tl.tensor(2.0), tl.tensor(0.5, requires_grad=True), tl.tensor(-0.5, requires_grad=True)
    loss = ((w * x + b).tanh() - 1) ** 2
    return {"scalar.svg": draw(loss, show=("value", "grad"), names={"x": x, "w": w, "b": b}, rankdir="LR")}


def xor() -> dict[str, Any]:
    """The network of exclusive or, and its loss with the backward pass."""
    net, x = XorNet(), tl.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return {"xor.svg": draw(net, x, rankdir="LR"), "xor_backward.svg": draw(net, x, graph="both")}


def tiny_cnn() -> dict[str, Any]:
    """The 5x5 network with all its numbers."""
    tl.manual_seed(9)  # as in the tutorial, so that the numbers are the same
    net = TinyCNN(dtype=np.float64)
    image = tl.tensor(CROSS[None, None], requires_grad=True)
    wanted = tl.tensor([[1.0, 0.0]], dtype=tl.float64)

    def loss(image: Any, wanted: Any) -> Any:
        return squared(net(image), wanted)

    # a run, not the recorded graph: it knows the layers, and the wanted output, which no gradient rule keeps
    names = dict(net.named_parameters())
    return {"tiny_cnn.svg": draw(loss, image, wanted, show=("shape", "value", "grad"), names=names)}


def digits() -> dict[str, Any]:
    """The CNN of the ten digits, closed and open."""
    net, x = SmallCNN(), tl.zeros(1, 1, 8, 8)
    return {
        "digits_closed.svg": draw(net, x, depth=1, rankdir="LR"),
        "digits.svg": draw(net, x, show=("shape", "flops")),
        "digits.html": draw(net, x, depth=1),
    }


class Block(nn.Module):
    """A residual block: x + f(x)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Any) -> Any:
        return x + self.down(self.up(self.norm(x)).relu())


def residual() -> dict[str, Any]:
    """Sixty residual blocks."""
    net = nn.Sequential(nn.Linear(8, 16), *(Block(16) for _ in range(60)), nn.Linear(16, 2))
    return {"residual.svg": draw(net, tl.zeros(4, 8))}


def lstm() -> dict[str, Any]:
    """Three steps of an LSTM cell."""
    cell = nn.LSTMCell(4, 6)

    def unrolled(series: Any) -> Any:
        h, c = tl.zeros(1, 6), tl.zeros(1, 6)
        for t in range(3):
            h, c = cell(series[t], (h, c))
        return h

    return {"lstm.svg": draw(unrolled, tl.zeros(3, 1, 4), names=cell, fold_repeats=False)}


def attention() -> dict[str, Any]:
    """Self-attention written out."""

    class Attention(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

        def forward(self, x: Any) -> Any:
            q, k, v = self.query(x), self.key(x), self.value(x)
            share = (q @ k.transpose(-2, -1) / 8**0.5).softmax(-1)
            return x + share @ v

    return {"attention.svg": draw(Attention(8), tl.zeros(1, 5, 8))}


def soft_kmeans() -> dict[str, Any]:
    """One step of soft K-means."""
    layer = SoftClusters(3, 2)
    return {"soft_kmeans.svg": draw(layer.distortion, tl.zeros(6, 2), names=layer, rankdir="LR")}


def second_order() -> dict[str, Any]:
    """The gradient of a gradient."""
    x = tl.tensor(0.5, requires_grad=True)
    (slope,) = tl.autograd.grad(x.tanh() * x, x, create_graph=True)
    return {"second_order.svg": draw(slope, names={"x": x}, show=("value",), rankdir="LR")}


def ill() -> dict[str, Any]:
    """A NaN that is found, and gradients that vanish."""
    x = tl.tensor([1.0, 0.0, 4.0], requires_grad=True)
    loss = (x.log() * x).sum()
    deep = nn.Sequential(*(layer for _ in range(8) for layer in (nn.Linear(8, 8), nn.Sigmoid())))
    deep_x = tl.tensor(np.random.default_rng(0).standard_normal((4, 8)).astype(np.float32))
    return {
        "nan.svg": draw(loss, names={"x": x}, show=("value", "grad"), rankdir="LR"),
        "vanishing.svg": draw(lambda x: deep(x).sum(), deep_x, color_by="grad_norm", names=deep, rankdir="LR"),
    }


def profiled() -> dict[str, Any]:
    """The CNN of the ten digits, coloured by the time of a training step."""
    net, x, y = SmallCNN(), tl.rand(32, 1, 8, 8), tl.arange(32) % 10
    nn.functional.cross_entropy(net(x), y).backward()  # what happens only once is not what a step takes
    with profile() as p:
        for _ in range(10):
            nn.functional.cross_entropy(net(x), y).backward()
    return {"profiled.svg": draw(net, x, profile=p, color_by="time", depth=1)}


def differences() -> dict[str, Any]:
    """What a change of the model changed in its graph."""
    x = tl.zeros(4, 2)
    before = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    after = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))
    return {"diff.svg": diff(trace(before, x), trace(after, x))}


def replay() -> dict[str, Any]:
    """A training to be watched again."""
    net = XorNet()
    recorder = Recorder(net, every=10)
    optimiser = optim.Adam(net.parameters(), lr=0.05)
    x = tl.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = tl.tensor([[0.0], [1.0], [1.0], [0.0]])
    for _ in range(300):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        recorder.step(loss)
        optimiser.step()
    return {"replay.html": recorder}


PICTURES: tuple[Callable[[], dict[str, Any]], ...] = (
    scalar, xor, tiny_cnn, digits, residual, lstm, attention, soft_kmeans, second_order, ill, profiled, differences,
    replay,
)  # fmt: skip


def draw_all(out: Path) -> None:
    """Write every picture into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    for make in PICTURES:
        tl.manual_seed(1)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # some of these graphs are ill on purpose
            for name, graph in make().items():
                if isinstance(graph, Recorder):
                    graph.save_html(out / name)
                else:
                    graph.save(out / name)
