"""All ten digits: a small CNN with dropout, Adam on shuffled batches.

The default is the UCI digits (1,797 scans of 8x8 pixels, a fifth held out); `--data mnist` trains LeNet-5 on MNIST.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from tinygrad_lite import datasets, nn, no_grad, optim, tensor
from tinygrad_lite.data import DataLoader, TensorDataset
from tinygrad_lite.models.networks import LeNet, SmallCNN
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job
from tinygrad_lite.models.recipes.pictures import BLUE, GREY, RED, finish, image, whole_numbers
from tinygrad_lite.models.recipes.proof import as_function, exact, gradients
from tinygrad_lite.models.recipes.two_digits import options as options

EPOCHS, LR = 20, 2e-3


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return SmallCNN(), (tensor(np.zeros((1, 1, 8, 8), np.float32)),)


def data(args: argparse.Namespace) -> tuple[Any, Any, Any, Any]:
    """Return training and test images and labels."""
    if args.data == "mnist":
        (a, b), (c, d) = (datasets.mnist(args.root, train=part, download=args.download) for part in (True, False))
        return a, c, b, d
    return datasets.split(*datasets.digits(), test=0.2, seed=0)


def predicted(model: Any, images: Any) -> Any:
    """Return the class of each image."""
    model.eval()
    with no_grad():
        parts = [model(tensor(images[i : i + 1000])).array.argmax(axis=1) for i in range(0, len(images), 1000)]
    model.train()
    return np.concatenate(parts)


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    train_x, test_x, train_y, test_y = data(job.args)
    model: Any = LeNet() if job.args.data == "mnist" else SmallCNN()
    job.say(f"{len(train_x)} digits to learn from, {len(test_x)} held out", str(model))
    job.say(f"parameters: {sum(p.numel() for p in model.parameters())}")

    sample, labels = tensor(train_x[:3].astype(np.float64)), tensor(train_y[:3])
    double = exact(model)
    function, values = as_function(double, lambda out: nn.functional.cross_entropy(out, labels), sample)
    job.check("cross-entropy, all parameters", function, *values)
    scores = tensor(double(sample).array, requires_grad=True)
    nn.functional.cross_entropy(scores, labels).backward()
    shares = np.exp(scores.array - scores.array.max(axis=1, keepdims=True))
    hand = (shares / shares.sum(axis=1, keepdims=True) - np.eye(10)[train_y[:3]]) / 3
    job.prove("scores: (softmax - one-hot) / n", [scores.grad], [hand])
    found = gradients(double, lambda m: nn.functional.cross_entropy(m(sample), labels))
    if isinstance(double, SmallCNN):
        with no_grad():
            seen = double.features(sample).array.reshape(3, -1)
        weights = [v.array for v in (*double.hidden.parameters(), *double.out.parameters())]
        layers = [(weights[0], weights[1], "relu"), (weights[2], weights[3], "identity")]
        job.prove("dense layers: by hand", found[-4:], by_hand.dense(seen, layers, lambda _: hand)[0])
    job.graph(model, tensor(train_x[:1]))

    first = model.conv1.weight.array.copy()
    batches = DataLoader(TensorDataset(tensor(train_x), tensor(train_y)), batch_size=32, shuffle=True)
    optimiser = optim.Adam(model.parameters(), lr=job.lr)
    for epoch in job.rounds(job.epochs, every=1):
        total = seen = right = 0.0
        # the learning rate decays to zero
        optimiser.param_groups[0]["lr"] = job.lr * 0.5 * (1 + np.cos(np.pi * (epoch - 1) / job.epochs))
        for x, y in batches:
            optimiser.zero_grad()
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            loss.backward()
            optimiser.step()
            total, seen = total + loss.item() * len(y), seen + len(y)
            right += float((out.array.argmax(axis=1) == y.array).sum())
        job.record(
            epoch=epoch, loss=total / seen, train=right / seen, test=float((predicted(model, test_x) == test_y).mean())
        )

    reached = job.history[-1]["test"]
    job.compare("held-out accuracy", reached, 0.98, "at least 98 %", reached >= 0.98)
    job.metrics = {"test_accuracy": reached}
    job.model(model)
    if job.pictures:
        draw(job, model, first, test_x, test_y)


def draw(job: Job, model: Any, first: Any, test_x: Any, test_y: Any) -> None:
    """Draw loss, accuracy, confusion matrix, filters, and misread digits."""
    epochs, guess = [row["epoch"] for row in job.history], predicted(model, test_x)
    with job.figure("training.png", 10, 4) as figure:
        left, right = figure.subplots(1, 2)
        left.semilogy(epochs, [row["loss"] for row in job.history], "o-", color=BLUE, markersize=4)
        finish(left, xlabel="epoch", ylabel="cross-entropy (nats)", title="loss on the training digits")
        for key, name, colour, style in (("train", "training", BLUE, "o-"), ("test", "held out", RED, "s--")):
            right.plot(epochs, [100 * row[key] for row in job.history], style, color=colour, markersize=4, label=name)
        right.axhline(98, color=GREY, linestyle=":", label="98 %")
        finish(right, "lower right", xlabel="epoch", ylabel="% right", title="accuracy", ylim=(80, 100.5))
        whole_numbers(left)
        whole_numbers(right)
    with job.figure("confusion.png", 6, 5.4) as figure:
        axis, table = figure.subplots(), np.zeros((10, 10), np.int64)
        np.add.at(table, (test_y, guess), 1)
        shown = axis.imshow(np.log1p(table), cmap="Blues")
        for (i, j), n in np.ndenumerate(table):
            if n:
                axis.text(j, i, str(n), ha="center", va="center", fontsize=9, color="white" if n > 8 else "black")
        axis.set(
            xlabel="read as",
            ylabel="digit",
            xticks=range(10),
            yticks=range(10),
            title=f"{int((guess != test_y).sum())} of {len(test_y)} misread",
        )
        figure.colorbar(shown, ax=axis, shrink=0.85, label="log(1 + number of digits)")
    with job.figure("filters.png", 10, 4.6) as figure:
        count = min(8, len(first))
        rows = figure.subplots(3, count)
        wrong = np.flatnonzero(guess != test_y)
        for k in range(count):
            image(rows[0, k], first[k, 0], f"filter {k + 1} before", signed=True)
            image(rows[1, k], model.conv1.weight.array[k, 0], f"filter {k + 1} after", signed=True)
            if k < len(wrong):
                i = int(wrong[k])
                image(rows[2, k], test_x[i, 0], f"{int(test_y[i])} read as {int(guess[i])}")
            else:
                rows[2, k].axis("off")
        figure.suptitle("first layer (orange positive, white zero, purple negative) and misread digits", fontsize=10)
