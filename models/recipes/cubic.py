"""The noisy cubic: 700 points, y = x³ + 4 + N(0, 10), a line and a network.

A straight line cannot follow the points; ten ReLU units can.

The line is fitted by 10,000 steps of gradient descent, its bias a column of ones. The network is 1-10-1.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from tinygrad_lite import datasets, nn, no_grad, optim, tensor
from tinygrad_lite.models.networks import CubicNet
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job, whole
from tinygrad_lite.models.recipes.pictures import BLUE, GREY, ORANGE, RED, finish
from tinygrad_lite.models.recipes.proof import as_function, gradients

EPOCHS, LR = 2000, 0.03
GRID = np.linspace(0, 5, 300)
"""Where the pictures draw the curves."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this recipe."""
    parser.add_argument(
        "--steps", type=whole(1), default=10_000, help="gradient steps of the straight line (default: 10000)"
    )


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return CubicNet(), (tensor(np.zeros((4, 1), np.float32)),)


def fit_line(job: Job, x: Any, y: Any) -> Any:
    """Fit the straight line by gradient descent; returns (offset, slope)."""
    X = np.column_stack([np.ones(len(x)), x])
    w, columns, target = nn.Parameter(np.zeros((2, 1))), tensor(X), tensor(y[:, None])
    loss = nn.functional.mse_loss(columns @ w, target)
    loss.backward()
    assert w.grad is not None
    hand, _ = by_hand.mean_squares(X, y, w.array[:, 0], 0.0)
    job.prove("straight line: -2/n X^T r", [w.grad], [hand[:, None]])
    optimiser = optim.SGD([w], lr=0.1)
    for _ in range(job.args.steps):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(columns @ w, target)
        loss.backward()
        optimiser.step()
    exact = np.linalg.lstsq(X, y, rcond=None)[0]
    apart = float(np.abs(w.array[:, 0] - exact).max() / np.abs(exact).max())
    job.compare(
        f"line after {job.args.steps} steps: distance",
        apart,
        0.0,
        "least squares, relative, at most 1e-6",
        apart <= 1e-6,
    )
    return w.array[:, 0]


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    X, y = datasets.make_cubic(seed=job.seed, dtype=np.float64)
    fresh, fresh_y = datasets.make_cubic(seed=job.seed + 1_000_003, dtype=np.float64)
    x = X[:, 0]
    job.say(
        "700 points of y = x³ + 4 with noise of standard deviation 10: no model can get below a squared error of 100"
    )
    offset, slope = fit_line(job, x, y)

    # x and y are standardised, because the initial weights suit numbers around 1
    middle, spread, y_middle, y_spread = x.mean(), x.std(), y.mean(), y.std()
    model = CubicNet(dtype=np.float64)
    inputs, target = tensor((X - middle) / spread), tensor(((y - y_middle) / y_spread)[:, None])

    check(job, model, inputs, target)
    optimiser = optim.Adam(model.parameters(), lr=job.lr)
    for epoch in job.rounds(job.epochs):
        # the learning rate decays, so that training converges
        optimiser.param_groups[0]["lr"] = job.lr * (0.02 + 0.49 * (1 + np.cos(np.pi * epoch / job.epochs)))
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(model(inputs), target)
        loss.backward()
        optimiser.step()
        job.record(epoch=epoch, loss=loss.item() * y_spread**2)

    def estimate(at: Any) -> Any:
        with no_grad():
            return model(tensor((at - middle) / spread)).array[:, 0] * y_spread + y_middle

    floor = float(((y - x**3 - 4) ** 2).mean())
    ours, new = (float(((t - estimate(a)) ** 2).mean()) for a, t in ((X, y), (fresh, fresh_y)))
    straight = float(((y - offset - slope * x) ** 2).mean())
    job.compare("network: mean squared error", ours, 100.0, "noise floor, within 10 %", ours <= 110.0)
    floor_new = float(((fresh_y - fresh[:, 0] ** 3 - 4) ** 2).mean())
    job.compare(
        "network: on 700 new points", new, floor_new, "the true curve there, within 10 %", new <= 1.1 * floor_new
    )
    job.compare("straight line: mean squared error", straight, floor, "the true curve", True)
    job.metrics = {"network_mse": ours, "network_mse_new_points": new, "line_mse": straight, "line": [offset, slope]}
    job.model(model)
    if job.pictures:
        draw(job, x, y, offset + slope * GRID, straight, estimate(GRID[:, None]), ours)


def check(job: Job, model: CubicNet, inputs: Any, target: Any) -> None:
    """Check the gradients by formula and finite differences; draw the network."""

    def loss_of(out: Any) -> Any:
        return nn.functional.mse_loss(out, target)

    p = {name: value.array for name, value in model.named_parameters()}
    layers = [(p["hidden.weight"], p["hidden.bias"], "relu"), (p["out.weight"], p["out.bias"], "identity")]
    hand, _ = by_hand.dense(inputs.array, layers, lambda z: 2 * (z - target.array) / len(z))
    job.prove("1-10-1 network: layer by layer", gradients(model, lambda m: loss_of(m(inputs))), hand)
    function, values = as_function(model, lambda out: nn.functional.mse_loss(out, target[:40]), inputs[:40])
    job.check("1-10-1 network", function, *values)
    job.graph(model, inputs[:4])


def draw(job: Job, x: Any, y: Any, line: Any, line_error: float, network: Any, network_error: float) -> None:
    """Draw data and fits (given on `GRID`), and the training loss of the network."""
    with job.figure("fits.png", 7.5, 5) as figure:
        axis = figure.subplots()
        axis.scatter(x, y, s=7, color=GREY, alpha=0.4, label="data")
        axis.plot(GRID, GRID**3 + 4, color="black", linewidth=2, label="true f(x) = x³ + 4")
        axis.plot(GRID, line, "--", color=ORANGE, linewidth=2, label=f"straight line (MSE {line_error:.0f})")
        axis.plot(GRID, network, "-.", color=BLUE, linewidth=2, label=f"1-10-1 ReLU network (MSE {network_error:.0f})")
        finish(axis, "upper left", xlabel="x", ylabel="y", title="a noisy cubic and two fits")
    with job.figure("loss.png") as figure:
        axis = figure.subplots()
        axis.loglog([r["epoch"] for r in job.history], [r["loss"] for r in job.history], color=BLUE, label="network")
        axis.axhline(100, linestyle="--", color=RED, label="noise floor 100")
        finish(axis, xlabel="epoch", ylabel="mean squared error (units of y²)", title="training of the network")
