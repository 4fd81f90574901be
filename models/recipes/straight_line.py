"""Linear regression by gradient descent on the mean squared error.

The same answer as least squares, to 1e-6, first by a plain training loop, then by the estimator.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from tinygrad_lite import datasets, nn, optim, tensor
from tinygrad_lite.models.linear import LinearRegression
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job, whole
from tinygrad_lite.models.recipes.pictures import BLUE, GREY, RED, finish
from tinygrad_lite.models.recipes.proof import as_function, gradients

EPOCHS, LR = 400, 0.1


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this recipe."""
    parser.add_argument("--features", type=whole(1), default=1, help="number of features (default: 1)")


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return nn.Linear(1, 1), (tensor(np.zeros((4, 1), np.float32)),)


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    n, features = 200, job.args.features
    X, y = datasets.make_regression(
        n, features, n_informative=features, bias=30.0, noise=15.0, random_state=job.seed, dtype=np.float64
    )
    job.say(
        f"{n} points, {features} feature(s): find w and b of y = x·w + b by gradient descent on the mean squared error"
    )
    model = nn.Linear(features, 1, dtype=np.float64)
    check(job, model, X, y)
    x, target = tensor(X), tensor(y[:, None])
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(n)]), y, rcond=None)[0]
    least = float(((y - np.column_stack([X, np.ones(n)]) @ exact) ** 2).mean())
    optimiser = optim.SGD(model.parameters(), lr=job.lr)
    for epoch in job.rounds(job.epochs):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(model(x), target)
        loss.backward()
        optimiser.step()
        job.record(epoch=epoch, loss=loss.item(), above_least_squares=max(loss.item() - least, 0.0))

    found = np.append(*(p.array for p in model.parameters()))
    estimator = LinearRegression().fit(X, y)
    fitted = np.append(estimator.coef_, estimator.intercept_)
    for name, ours in (("training loop", found), ("LinearRegression", fitted)):
        apart = float(np.abs(ours - exact).max() / np.abs(exact).max())
        job.compare(f"{name}: distance to least squares", apart, 0.0, "relative, at most 1e-6", apart <= 1e-6)
    reached = job.history[-1]["loss"]
    job.compare("mean squared error", reached, least, "least squares", reached <= least * (1 + 1e-6))
    job.metrics = {"weights": found.tolist(), "least_squares": exact.tolist()}
    job.model(model)
    if job.pictures:
        draw(job, X, y, found, exact, least)


def check(job: Job, model: nn.Linear, X: Any, y: Any) -> None:
    """Check the gradients by formula and finite differences; draw the loss."""
    x, target = tensor(X), tensor(y[:, None])

    def loss_of(out: Any) -> Any:
        return nn.functional.mse_loss(out, target)

    w, b = by_hand.mean_squares(
        X, y, model.weight.array[0], float(model.bias.array[0]) if model.bias is not None else 0.0
    )
    job.prove(
        "mean squared error: -2/n X^T r and -2/n sum r", gradients(model, lambda m: loss_of(m(x))), [w[None], [b]]
    )
    function, values = as_function(model, loss_of, x)
    job.check("mean squared error", function, *values)
    job.graph(loss_of(model(x)), names={"X": x, "y": target, "weight": model.weight, "bias": model.bias})


def draw(job: Job, X: Any, y: Any, found: Any, exact: Any, least: float) -> None:
    """Draw data and fit (or estimates against targets), and the loss per step."""
    with job.figure("fit.png", 10, 4.2) as figure:
        left, right = figure.subplots(1, 2)
        if X.shape[1] == 1:
            ends = np.array([[X.min()], [X.max()]])
            left.scatter(X, y, s=10, color=GREY, alpha=0.6, label="data")
            left.plot(ends, ends * found[0] + found[1], color=BLUE, linewidth=2, label="gradient descent")
            left.plot(ends, ends * exact[0] + exact[1], "--", color=RED, label="least squares")
            finish(left, xlabel="x", ylabel="y", title="data and fit")
        else:
            guess = X @ found[:-1] + found[-1]
            left.scatter(y, guess, s=10, color=BLUE, label="points")
            left.plot([y.min(), y.max()], [y.min(), y.max()], "--", color=GREY, label="exact")
            finish(left, xlabel="y", ylabel="estimate of y", title="estimates")
        above = np.array([row["loss"] for row in job.history]) - least
        right.semilogy(range(1, len(above) + 1), np.maximum(above, 1e-12 * least), color=BLUE, label="down to rounding")
        finish(right, xlabel="step", ylabel="loss above least squares (units of y²)", title="gradient descent")
