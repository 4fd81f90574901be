"""Rising or falling series: one kernel with two weights.

50 short series; the prediction is the mean of the convolution.

Half squared error against +1 (up) and -1 (down). The kernel becomes a difference filter: minus one, plus one.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from tinygrad_lite import datasets, optim, tensor
from tinygrad_lite.models.networks import UpDown
from tinygrad_lite.models.recipes.job import Job, whole
from tinygrad_lite.models.recipes.pictures import BLUE, GREY, ORANGE, RED, finish, new_figure
from tinygrad_lite.models.recipes.proof import as_function, gradients

EPOCHS, LR = 1000, 0.1


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this recipe."""
    parser.add_argument("--length", type=whole(2), default=5, help="values per series (default: 5)")


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return UpDown(), (tensor(datasets.make_up_down(4, 5)[0]),)


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    X, y = datasets.make_up_down(50, job.args.length, noise=0.3, seed=job.seed, dtype=np.float64)
    fresh, answers = datasets.make_up_down(200, job.args.length, noise=0.3, seed=job.seed + 1, dtype=np.float64)
    job.say(
        f"50 series of {job.args.length} values that go up or down; prediction = mean of a convolution with two weights"
    )
    model, x, target = UpDown(np.float64), tensor(X), tensor(y)

    def loss_of(out: Any) -> Any:
        left = out - target
        return (left * left).mean() * 0.5

    # the mean of the convolution is a weighted sum of two means: of all values but the last, and of all but the first
    means = np.column_stack([X[:, 0, :-1].mean(axis=1), X[:, 0, 1:].mean(axis=1)])
    kernel = model.conv.weight.array.reshape(2)
    hand = (means @ kernel - y) @ means / len(y)
    job.prove(
        "half squared error: mean of (p - y) · window means",
        gradients(model, lambda m: loss_of(m(x))),
        [hand.reshape(1, 1, 2)],
    )
    function, values = as_function(model, loss_of, x)
    job.check("half squared error", function, *values)
    job.graph(loss_of(model(x)), names={"series": x, "direction": target, "kernel": model.conv.weight})

    optimiser = optim.SGD(model.parameters(), lr=job.lr, momentum=0.5)
    frames = [kernel.copy()]
    for epoch in job.rounds(job.epochs):
        optimiser.zero_grad()
        out = model(x)
        loss = loss_of(out)
        loss.backward()
        optimiser.step()
        frames.append(model.conv.weight.array.reshape(2).copy())
        right = float((np.sign(out.array) == y).mean())
        job.record(epoch=epoch, loss=loss.item(), accuracy=right, first=frames[-1][0], second=frames[-1][1])

    exact = np.linalg.lstsq(means, y, rcond=None)[0]
    apart = float(np.abs(frames[-1] - exact).max())
    job.compare("kernel: distance to least squares", apart, 0.0, "at most 0.01", apart <= 0.01)
    tested = float((np.sign(model(tensor(fresh)).array) == answers).mean())
    job.compare("accuracy on 200 new series", tested, 1.0, "at least 98 %", tested >= 0.98)
    first, second = frames[-1]
    lean = (first + second) / (second - first)
    good = first < 0 < second and abs(lean) <= 0.15
    job.compare("kernel: difference filter, sum over difference", lean, 0.0, "at most 0.15", good)
    job.metrics = {"kernel": frames[-1].tolist(), "least_squares": exact.tolist(), "accuracy": tested}
    job.model(model)
    if job.pictures:
        draw(job, X, y, np.array(frames), means, exact)


def series(axis: Any, X: Any, y: Any) -> None:
    """Draw a dozen series of each direction."""
    steps = np.arange(X.shape[2])
    for way, colour, style, name in ((1, BLUE, "-", "up"), (-1, RED, "--", "down")):
        for i, row in enumerate(X[y == way][:12, 0]):
            axis.plot(steps, row, style, color=colour, alpha=0.6, linewidth=1, label=name if i == 0 else None)
    finish(axis, "upper left", xlabel="step", ylabel="value", title="some of the series")


def bars(axis: Any, kernel: Any, title: str) -> None:
    """Draw the two weights of a kernel as bars."""
    axis.bar([0, 1], kernel, color=[RED if v < 0 else BLUE for v in kernel], width=0.6)
    axis.axhline(0, color="black", linewidth=0.8)
    for place, v in enumerate(kernel):
        axis.text(place, v, f"{v:+.2f}", ha="center", va="bottom" if v >= 0 else "top")
    finish(axis, None, xlabel="place in the kernel", ylabel="weight", title=title, xticks=[0, 1], ylim=(-1.5, 1.5))


def draw(job: Job, X: Any, y: Any, frames: Any, means: Any, exact: Any) -> None:
    """Draw the series, the kernel before and after, and the training."""
    epochs = np.arange(len(frames))
    with job.figure("kernel.png", 12, 4) as figure:
        axes = figure.subplots(1, 4)
        series(axes[0], X, y)
        bars(axes[1], frames[0], "kernel before")
        bars(axes[2], frames[-1], "kernel after")
        for k, (name, colour, style) in enumerate((("first weight", RED, "-"), ("second weight", BLUE, "--"))):
            axes[3].plot(epochs, frames[:, k], style, color=colour, label=name)
            axes[3].axhline(exact[k], color=GREY, linestyle=":", label="least squares" if k == 0 else None)
        finish(axes[3], "center right", xlabel="epoch", ylabel="weight", title="training")
    with job.figure("loss.png", 9, 4) as figure:
        left, right = figure.subplots(1, 2)
        left.semilogy([r["epoch"] for r in job.history], [r["loss"] for r in job.history], color=BLUE)
        finish(left, xlabel="epoch", ylabel="half squared error", title="loss")
        right.plot([r["epoch"] for r in job.history], [100 * r["accuracy"] for r in job.history], color=ORANGE)
        finish(right, xlabel="epoch", ylabel="% right", title="accuracy on the training series", ylim=(-3, 103))
    animate(job, y, frames, means)


def animate(job: Job, y: Any, frames: Any, means: Any) -> None:
    """Draw the kernel and its predictions epoch by epoch, as a GIF."""
    figure = new_figure(9, 4)
    left, right = figure.subplots(1, 2)
    chosen = np.unique(np.minimum(np.round(np.geomspace(1, len(frames), 30)).astype(np.int64) - 1, len(frames) - 1))

    def frame(i: int) -> None:
        at = int(chosen[i])
        left.clear()
        right.clear()
        bars(left, frames[at], f"kernel after {at} epochs")
        guess = means @ frames[at]
        for way, colour, mark, name in ((1, BLUE, "o", "up"), (-1, RED, "s", "down")):
            mine = np.flatnonzero(y == way)
            right.scatter(mine, guess[mine], s=16, color=colour, marker=mark, label=name)
        right.axhline(0, color="black", linewidth=0.8)
        title = f"{100 * (np.sign(guess) == y).mean():.0f} % right"
        finish(right, "upper right", xlabel="series", ylabel="prediction", title=title, ylim=(-4, 4))

    job.animation("training.gif", figure, frame, len(chosen), per_second=8)
