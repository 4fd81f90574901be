"""Line detection in a handwritten digit with four fixed 3x3 kernels.

The kernels are -1 2 -1 across rows, columns and both diagonals.

'Full' convolution, responses above 1.5 are lines. Nothing is trained; equals scipy.signal.convolve2d exactly.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_lite import datasets, tensor
from tinygrad_lite.models.networks import LINES, LineDetector
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job
from tinygrad_lite.models.recipes.pictures import image

EPOCHS, LR = 1, 1.0


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this recipe."""
    parser.add_argument("--digit", type=int, choices=range(10), default=7, help="which digit to look at (default: 7)")


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return LineDetector(), (tensor(np.zeros((1, 1, 8, 8), np.float32)),)


def run(job: Job) -> None:
    """Detect, prove, compare, draw."""
    images, _ = datasets.digits(classes=(job.args.digit,), dtype=np.float64)
    images = images[:20]
    detector = LineDetector(dtype=np.float64)
    x = tensor(images, requires_grad=True)
    responses = detector(x)
    job.say(f"20 scans of a {job.args.digit}, 8x8; 'full' convolution with 4 kernels 3x3 gives responses of 10x10")

    g = np.random.default_rng(job.seed).standard_normal(responses.shape)
    responses.backward(tensor(g))
    kernels = detector.kernels.array
    hand = np.stack([[sum(by_hand.correlated(g[i, k], kernels[k, 0]) for k in range(4))] for i in range(len(images))])
    job.prove("image: 'valid' correlation of g with the kernel", [x.grad], [hand])
    job.check("responses", lambda picture: detector(picture), images[:1])
    job.graph(detector, tensor(images[:1]))

    loops = np.stack([[by_hand.convolved(one[0], k[0]) for k in kernels] for one in images])
    wrong = int((responses.array != loops).sum())
    job.compare("values that differ from the loops", wrong, 0, "the definition, exactly", wrong == 0)
    try:
        convolve2d = import_module("scipy.signal").convolve2d
    except ImportError:
        job.say("SciPy is not installed: compared with the loops only")
    else:
        theirs = np.stack([[convolve2d(one[0], k[0], mode="full") for k in kernels] for one in images])
        wrong = int((responses.array != theirs).sum())
        job.compare("values that differ from convolve2d", wrong, 0, "scipy.signal, exactly", wrong == 0)
    found = detector.lines(x).array
    for name, one in zip(LINES, found[0], strict=True):
        job.record(pixels=one.sum())
        job.say(f"  {name:<11} {int(one.sum()):3d} pixels above 1.5")
    job.metrics = {name: int(one.sum()) for name, one in zip(LINES, found[0], strict=True)}
    job.model(detector)
    if not job.pictures:
        return
    with job.figure("lines.png", 9, 7.2) as figure:
        rows = figure.subplots(3, 5)
        image(rows[0, 0], images[0, 0], f"a {job.args.digit}, 8x8")
        for row, text in (
            (rows[1, 0], "response:\norange positive,\nwhite zero,\npurple negative"),
            (rows[2, 0], "black:\nresponse above 1.5"),
        ):
            row.axis("off")
            row.text(0.5, 0.5, text, ha="center", va="center", fontsize=9)
        for k, name in enumerate(LINES):
            image(rows[0, k + 1], kernels[k, 0], name, signed=True, numbers=True)
            image(rows[1, k + 1], responses.array[0, k], "response", signed=True)
            image(rows[2, k + 1], found[0, k], "lines")
