"""Zeros against ones: a CNN with 5 kernels and untied bias, image by image.

5 kernels 3x3, sigmoid, 100 sigmoid units, 2 sigmoid outputs.

100 zeros and 100 ones to learn from, up to as many others to be tested on; binary cross-entropy on one-hot targets,
one image at a time, learning rate 0.1, 20 epochs. `--data mnist` takes the 28x28 images of MNIST.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from tinygrad_lite import datasets, nn, no_grad, optim, tensor
from tinygrad_lite.models.networks import DigitsCNN
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job
from tinygrad_lite.models.recipes.pictures import BLUE, GREY, RED, finish, image, whole_numbers
from tinygrad_lite.models.recipes.proof import as_function, exact, gradients

EPOCHS, LR = 20, 0.1


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this recipe."""
    parser.add_argument(
        "--data", choices=("uci", "mnist"), default="uci", help="8x8 scans that come along, or MNIST (default: uci)"
    )
    parser.add_argument("--root", default="data", help="folder of the MNIST files (default: data)")
    parser.add_argument("--download", action="store_true", help="fetch the MNIST files into --root if they are missing")


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return DigitsCNN(8), (tensor(np.zeros((1, 1, 8, 8), np.float32)),)


def data(args: argparse.Namespace, seed: int) -> tuple[Any, Any, Any, Any]:
    """Return images (n, 1, size, size) and labels, for training and for testing.

    100 of each digit for training, up to 100 others of each for testing.
    """
    if args.data == "mnist":
        images, labels = datasets.mnist(args.root, classes=(0, 1), download=args.download, dtype=np.float64)
    else:
        images, labels = datasets.digits(classes=(0, 1), dtype=np.float64)
    rng = np.random.default_rng(seed)
    rows = [rng.permutation(np.flatnonzero(labels == digit)) for digit in (0, 1)]
    train, test = np.concatenate([r[:100] for r in rows]), np.concatenate([r[100:200] for r in rows])
    return images[train], images[test], labels[train], labels[test]


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    train_x, test_x, train_y, test_y = data(job.args, job.seed)
    size = train_x.shape[-1]
    job.say(
        f"{len(train_x)} digits to learn from, {len(test_x)} others to test on, {size}x{size} pixels, one at a time"
    )
    model = DigitsCNN(size, np.float64)
    job.say(str(model), f"parameters: {sum(p.numel() for p in model.parameters())}")
    targets = np.eye(2)[train_y]

    def loss_of(out: Any, target: Any) -> Any:
        return nn.functional.binary_cross_entropy(out, target)

    one, wanted = tensor(train_x[:1]), tensor(targets[:1])
    p = {name: value.array for name, value in model.named_parameters()}
    hand = by_hand.digits_cnn(train_x[0, 0], targets[:1], p)
    job.prove(
        "convolution, untied bias, dense layers: by hand", gradients(model, lambda m: loss_of(m(one), wanted)), hand
    )
    function, values = as_function(exact(model), lambda out: loss_of(out, wanted), one)
    job.check("binary cross-entropy, all parameters", function, *values)
    job.graph(model, one)
    before = model.conv.weight.array.copy()

    def right(images: Any, labels: Any) -> float:
        with no_grad():
            return float((model(tensor(images)).array.argmax(axis=1) == labels).mean())

    optimiser = optim.SGD(model.parameters(), lr=job.lr)
    rng = np.random.default_rng(job.seed)
    for epoch in job.rounds(job.epochs, every=1):
        total = 0.0
        for i in rng.permutation(len(train_x)):
            optimiser.zero_grad()
            loss = loss_of(model(tensor(train_x[i : i + 1])), tensor(targets[i : i + 1]))
            loss.backward()
            optimiser.step()
            total += loss.item()
        job.record(epoch=epoch, loss=total / len(train_x), train=right(train_x, train_y), test=right(test_x, test_y))

    reached = job.history[-1]["test"]
    job.compare("test accuracy", reached, 0.98, "at least 98 %", reached >= 0.98)
    job.metrics = {"test_accuracy": reached, "train_accuracy": job.history[-1]["train"]}
    job.model(model)
    if job.pictures:
        draw(job, model, before, test_x, test_y)


def draw(job: Job, model: DigitsCNN, before: Any, test_x: Any, test_y: Any) -> None:
    """Draw loss and accuracy, the kernels before and after, and what they see."""
    epochs = [row["epoch"] for row in job.history]
    with job.figure("training.png", 10, 4) as figure:
        left, right = figure.subplots(1, 2)
        left.semilogy(epochs, [row["loss"] for row in job.history], "o-", color=BLUE, markersize=4)
        finish(left, xlabel="epoch", ylabel="binary cross-entropy (nats)", title="loss on the training digits")
        for key, name, colour, style in (("train", "training", BLUE, "o-"), ("test", "test", RED, "s--")):
            right.plot(epochs, [100 * row[key] for row in job.history], style, color=colour, markersize=4, label=name)
        right.axhline(98, color=GREY, linestyle=":", label="98 %")
        finish(right, "lower right", xlabel="epoch", ylabel="% right", title="accuracy")
        whole_numbers(left)
        whole_numbers(right)
    with job.figure("kernels.png", 10, 7.2) as figure:
        rows = figure.subplots(4, 6)
        first = [int(np.flatnonzero(test_y == digit)[0]) for digit in (0, 1)]
        with no_grad():
            seen = [model.conv(tensor(test_x[i : i + 1])).sigmoid().array[0] for i in first]
        for k in range(5):
            image(rows[0, k + 1], before[k, 0], f"kernel {k + 1} before", signed=True)
            image(rows[1, k + 1], model.conv.weight.array[k, 0], f"kernel {k + 1} after", signed=True)
            for row, maps in zip(rows[2:], seen, strict=True):
                image(row[k + 1], maps[k], f"response to kernel {k + 1}")
        for row, i in zip(rows[2:], first, strict=True):
            image(row[0], test_x[i, 0], f"a {int(test_y[i])}")
        for axis, text in (
            (rows[0, 0], "kernels:\norange positive,\nwhite zero,\npurple negative"),
            (rows[1, 0], "responses:\nblack high"),
        ):
            axis.axis("off")
            axis.text(0.5, 0.5, text, ha="center", va="center", fontsize=9)
