"""Exclusive or by a 2-3-1 network: no single line separates the classes.

A hundred networks are trained from a hundred seeds; the decision surface is that of the first that solves it.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from tinygrad_lite import datasets, manual_seed, nn, no_grad, optim, tensor
from tinygrad_lite.models.networks import XorNet
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job, whole
from tinygrad_lite.models.recipes.pictures import BLUE, RED, finish
from tinygrad_lite.models.recipes.proof import as_function, gradients

EPOCHS, LR = 1000, 0.05


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this recipe."""
    parser.add_argument(
        "--activation", choices=("tanh", "sigmoid"), default="tanh", help="of both layers (default: tanh)"
    )
    parser.add_argument("--seeds", type=whole(1), default=100, help="networks to train, from --seed on (default: 100)")


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return XorNet(), (tensor(datasets.make_xor()[0]),)


def train(activation: str, seed: int, epochs: int, lr: float) -> tuple[XorNet, list[float]]:
    """Train one network; returns it and its loss after each epoch."""
    manual_seed(seed)
    X, y = datasets.make_xor()
    x, target = tensor(X), tensor(y[:, None])
    model = XorNet(activation)
    optimiser = optim.Adam(
        model.parameters(), lr=lr, weight_decay=1e-4
    )  # keeps units out of saturation, where slopes vanish
    losses = []
    for _ in range(epochs):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(model(x), target)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return model, losses


def solved(model: XorNet) -> bool:
    """Whether rounding the answers gives the truth table."""
    X, y = datasets.make_xor()
    with no_grad():
        return bool((np.rint(model(tensor(X)).array[:, 0]) == y).all())


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    activation = job.args.activation
    job.say(
        f"the truth table of XOR, a 2-3-1 {activation} network of 13 parameters, trained from {job.args.seeds} seeds"
    )
    check(job, activation)
    runs: list[tuple[XorNet, list[float], bool]] = []
    for i in job.rounds(job.args.seeds, unit="seed"):
        model, losses = train(activation, job.seed + i - 1, job.epochs, job.lr)
        runs.append((model, losses, solved(model)))
        job.record(seed=job.seed + i - 1, loss=losses[-1], solved=runs[-1][2])
    count = sum(ok for _, _, ok in runs)
    job.compare(
        f"seeds of {len(runs)} that reach the truth table", count, len(runs), "at least 90 %", count >= 0.9 * len(runs)
    )
    best = next((r for r in runs if r[2]), runs[0])[0]
    X, _ = datasets.make_xor()
    with no_grad():
        answers = best(tensor(X)).array[:, 0]
    job.say("", *[f"  {int(a)} xor {int(b)} = {z:.3f}" for (a, b), z in zip(X, answers, strict=True)])
    job.metrics = {"solved": count, "of": len(runs), "answers": answers.tolist()}
    job.model(best)
    if job.pictures:
        draw(job, best, runs)


def check(job: Job, activation: str) -> None:
    """Check the gradients by formula and finite differences; draw the loss."""
    X, y = datasets.make_xor(dtype=np.float64)
    x, target = tensor(X), tensor(y[:, None])
    fresh = XorNet(activation, dtype=np.float64)

    def loss_of(out: Any) -> Any:
        return nn.functional.mse_loss(out, target)

    p = {name: value.array for name, value in fresh.named_parameters()}
    layers = [(p["hidden.weight"], p["hidden.bias"], activation), (p["out.weight"], p["out.bias"], activation)]
    hand, _ = by_hand.dense(X, layers, lambda z: 2 * (z - y[:, None]) / 4)
    job.prove("2-3-1 network: layer by layer", gradients(fresh, lambda m: loss_of(m(x))), hand)
    function, values = as_function(fresh, loss_of, x)
    job.check("2-3-1 network", function, *values)
    job.graph(loss_of(fresh(x)), names={"x": x, "truth": target, **dict(fresh.named_parameters())})


def draw(job: Job, best: XorNet, runs: list[tuple[XorNet, list[float], bool]]) -> None:
    """Draw the decision surface of one network, and the training loss of all of them."""
    X, y = datasets.make_xor()
    count = sum(ok for _, _, ok in runs)
    with job.figure("surface.png", 6.2, 5) as figure:
        axis = figure.subplots()
        grid = np.linspace(-0.3, 1.3, 160, dtype=np.float32)
        a, b = np.meshgrid(grid, grid)
        with no_grad():
            surface = best(tensor(np.column_stack([a.ravel(), b.ravel()]))).array.reshape(a.shape)
        shown = axis.contourf(a, b, surface, 20, cmap="cividis")
        axis.contour(a, b, surface, [0.5], colors="white", linewidths=2)
        figure.colorbar(shown, ax=axis, label="answer of the network (line: 0.5)")
        for value, mark, colour, name in ((0, "o", BLUE, "0"), (1, "s", RED, "1")):
            axis.scatter(
                *X[y == value].T,
                s=120,
                marker=mark,
                color=colour,
                edgecolor="white",
                linewidth=2,
                label=f"truth {name}",
            )
        finish(axis, "upper center", xlabel="x₁", ylabel="x₂", title="decision surface of XOR")
    with job.figure("loss.png") as figure:
        axis = figure.subplots()
        for name, ok, colour, style in (("solved", True, BLUE, "-"), ("stuck", False, RED, "--")):
            for i, (_, losses, _) in enumerate([r for r in runs if r[2] is ok]):
                axis.semilogy(losses, style, color=colour, alpha=0.35, linewidth=0.8, label=name if i == 0 else None)
        finish(axis, xlabel="epoch", ylabel="mean squared error", title=f"{len(runs)} seeds, {count} solved")
