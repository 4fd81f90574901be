"""Ridge, lasso and elastic net: what each penalty does to the weights.

The lasso is also trained by a plain loop, with the proximal step that makes exact zeros (`l1=` of the optimiser).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_lite import Tensor, nn, optim, tensor
from tinygrad_lite.models.linear import ElasticNet, Lasso, Ridge
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job, positive
from tinygrad_lite.models.recipes.pictures import COLOURS, GREY, finish
from tinygrad_lite.models.recipes.proof import gradients

EPOCHS, LR = 1500, 0.05


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this recipe."""
    parser.add_argument(
        "--strength", type=positive, default=10.0, help="lambda of the penalty of the loop (default: 10)"
    )


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return nn.Linear(20, 1), (tensor(np.zeros((4, 20), np.float32)),)


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    n, lam = 120, job.args.strength
    rng, truth = np.random.default_rng(job.seed), np.zeros(20)
    truth[[2, 5, 9, 12, 17]] = 90.0, -70.0, 50.0, -30.0, 15.0
    X = rng.standard_normal((n, 20))
    y = X @ truth + 10.0 + 20.0 * rng.standard_normal(n)
    job.say(
        f"{n} points, 20 features of which 5 matter; squared error plus a penalty on the weights, not on the intercept"
    )
    model = nn.Linear(20, 1, dtype=np.float64)
    check(job, model, X, y, lam)
    train(job, model, X, y, lam)
    fitted = {
        # Lasso and ElasticNet minimise half the mean squared error, Ridge the sum of squares
        "Ridge": Ridge(n * lam / 100).fit(X, y),
        "Lasso": Lasso(lam / 2).fit(X, y),
        "ElasticNet": ElasticNet(lam / 2, l1_ratio=0.9).fit(X, y),
    }
    compare(job, model, X, y, lam, fitted)
    against_sklearn(job, X, y, fitted)
    names = {"Ridge": "ridge", "Lasso": "lasso", "ElasticNet": "elastic_net"}
    job.metrics = {"true": truth.tolist(), **{names[k]: m.coef_.tolist() for k, m in fitted.items()}}
    job.model(model)
    if job.pictures:
        paths(job, X, y, truth)


def check(job: Job, model: nn.Linear, X: Any, y: Any, lam: float) -> None:
    """Check the gradients by formula and finite differences; draw the loss."""
    x, target, bias = tensor(X), tensor(y[:, None]), model.bias
    assert bias is not None

    def error(m: Any) -> Any:
        return nn.functional.mse_loss(m(x), target)

    w = model.weight.array[0]
    gw, gb = by_hand.mean_squares(X, y, w, float(bias.array[0]))
    job.prove("ridge: ... + 2 lambda w", gradients(model, lambda m: error(m) + lam * (m.weight * m.weight).sum()),
              [(gw + 2 * lam * w)[None], [gb]])  # fmt: skip
    job.prove("lasso: ... + lambda sign(w)", gradients(model, lambda m: error(m) + lam * m.weight.abs().sum()),
              [(gw + lam * np.sign(w))[None], [gb]])  # fmt: skip

    def penalised(weight: Tensor, offset: Tensor) -> Tensor:
        left = nn.functional.linear(x, weight, offset) - target
        loss: Tensor = (left * left).mean() + lam * weight.abs().sum() + lam * (weight * weight).sum()
        return loss

    job.check("both penalties", penalised, model.weight.array, bias.array)
    job.graph(penalised(model.weight, bias), names={"X": x, "y": target, "weight": model.weight, "bias": bias})


def train(job: Job, model: nn.Linear, X: Any, y: Any, lam: float) -> None:
    """Train the lasso; the optimiser's proximal step applies the penalty."""
    x, target = tensor(X), tensor(y[:, None])
    # the loss has no penalty term: the proximal step stops at exactly zero, a gradient step would not
    optimiser = optim.SGD([{"params": [model.weight], "l1": lam}, {"params": [model.bias]}], lr=job.lr)
    for epoch in job.rounds(job.epochs):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(model(x), target)
        loss.backward()
        optimiser.step()
        weights = model.weight.array
        penalty = lam * float(np.abs(weights).sum())
        zeros = int((weights == 0).sum())
        job.record(epoch=epoch, loss=loss.item() + penalty, error=loss.item(), penalty=penalty, zeros=zeros)


def compare(job: Job, model: nn.Linear, X: Any, y: Any, lam: float, fitted: dict[str, Any]) -> None:
    """Compare the loop with `Lasso`, and estimators with optimality conditions."""
    n, ridge, lasso = len(X), fitted["Ridge"].coef_, fitted["Lasso"].coef_
    ours = model.weight.array[0]
    apart = float(np.abs(ours - lasso).max() / np.abs(lasso).max())
    agree = apart <= 1e-4 and bool(((ours == 0) == (lasso == 0)).all())
    job.compare("training loop: distance to Lasso", apart, 0.0, "relative, at most 1e-4, same zeros", agree)
    moved, goal = X - X.mean(axis=0), y - y.mean()
    closed = np.linalg.solve(moved.T @ moved + n * lam / 100 * np.eye(20), moved.T @ goal)
    apart = float(np.abs(ridge - closed).max() / np.abs(closed).max())
    job.compare("Ridge: distance to the normal equations", apart, 0.0, "relative, at most 1e-6", apart <= 1e-6)
    for name, l1, l2 in (("Lasso", lam / 2, 0.0), ("ElasticNet", 0.45 * lam, 0.05 * lam)):
        w = fitted[name].coef_
        slope = -moved.T @ (goal - moved @ w) / n + l2 * w
        rest = np.where(w == 0, np.maximum(np.abs(slope) - l1, 0), slope + l1 * np.sign(w))
        worst = float(np.abs(rest).max() / l1)
        job.compare(f"{name}: slope left at the optimum", worst, 0.0, "relative to alpha, at most 1e-6", worst <= 1e-6)
        job.compare(f"{name}: weights that are exactly 0", (w == 0).sum(), 15, "features that do not matter", True)


def against_sklearn(job: Job, X: Any, y: Any, ours: dict[str, Any]) -> None:
    """Compare the coefficients with scikit-learn's, where it is installed."""
    try:
        theirs = import_module("sklearn.linear_model")
    except ImportError:
        job.say("scikit-learn is not installed: compared with the conditions of the optimum only")
        return
    for name, model in ours.items():
        settings = {k: v for k, v in model.get_params().items() if k in ("alpha", "l1_ratio")}
        other = getattr(theirs, name)(tol=1e-12, max_iter=100_000, **settings).fit(X, y).coef_
        apart = float(np.abs(model.coef_ - other).max() / np.abs(other).max())
        same = bool(((model.coef_ == 0) == (other == 0)).all())
        job.compare(
            f"{name}: distance to scikit-learn",
            apart,
            0.0,
            "relative, at most 1e-4, same zeros",
            apart <= 1e-4 and same,
        )


def paths(job: Job, X: Any, y: Any, truth: Any) -> None:
    """Draw the weights against the strength of each penalty."""
    strengths = np.logspace(-1, 2, 40)
    choices: dict[str, Callable[[float], Any]] = {
        "ridge": lambda a: Ridge(a * len(X)), "lasso": Lasso, "elastic net, half and half": ElasticNet,
    }  # fmt: skip
    with job.figure("paths.png", 11, 4.2) as figure:
        for axis, (name, make) in zip(
            figure.subplots(1, 3, sharey=True),
            choices.items(),
            strict=True,
        ):
            weights = np.array([make(a / 10 if name == "ridge" else a).fit(X, y).coef_ for a in strengths])
            for k in np.argsort(truth == 0, kind="stable"):
                matters = truth[k] != 0
                label = {True: "feature that matters", False: "other feature"}[bool(matters)]
                seen = label in axis.get_legend_handles_labels()[1]
                axis.semilogx(strengths / 10 if name == "ridge" else strengths, weights[:, k], "-" if matters else ":",
                              color=COLOURS[0] if matters else GREY, label=None if seen else label)  # fmt: skip
            legend = "upper right" if name == "ridge" else None
            finish(axis, legend, xlabel="alpha per point" if name == "ridge" else "alpha", title=name)
        figure.axes[0].set_ylabel("weight (units of y per unit of x)")
    with job.figure("zeros.png", 10, 4) as figure:
        left, right = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in job.history]
        left.loglog(epochs, [row["loss"] for row in job.history], color=COLOURS[0])
        finish(left, xlabel="step", ylabel="squared error + penalty (units of y²)", title="lasso, training loop")
        right.plot(epochs, [row["zeros"] for row in job.history], color=COLOURS[4])
        finish(
            right,
            xlabel="step",
            ylabel="weights that are exactly 0",
            title="zeros made by the proximal step",
            xscale="log",
        )
