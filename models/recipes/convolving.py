"""Convolution from its definition: loops, im2col, and a banded matrix.

Then a kernel is learned back from an image and its response, by the gradients of the convolution alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite import datasets, nn, optim, tensor
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job
from tinygrad_lite.models.recipes.pictures import BLUE, finish, image
from tinygrad_lite.models.recipes.proof import as_function, gradients

EPOCHS, LR = 300, 0.02
F = nn.functional
SOBEL = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return nn.Conv2d(1, 1, 3), (tensor(np.zeros((1, 1, 8, 8), np.float32)),)


def banded(kernel: Any, size: int, mode: str, stride: int = 1) -> Any:
    """Return the matrix M with conv(x, k) = M @ x for x of ``size`` values.

    Its columns are the convolutions of the unit vectors.
    """
    units = tensor(np.eye(size)[:, None])
    return (
        F.conv1d(units, tensor(np.asarray(kernel, float)[None, None]), stride=stride, padding=mode, flip=True)
        .array[:, 0]
        .T
    )


def run(job: Job) -> None:
    """Show, prove, learn, compare, draw."""
    rng = np.random.default_rng(job.seed)
    sizes(job, rng)
    in_one_dimension(job, rng)

    images, _ = datasets.digits(dtype=np.float64)
    x = tensor(images[:32])
    response = F.conv2d(x, tensor(SOBEL[None, None]))
    model = nn.Conv2d(1, 1, 3, bias=False, dtype=np.float64)

    def loss_of(out: Any) -> Any:
        return F.mse_loss(out, response, reduction="sum") * (1 / 32)

    left = 2 / 32 * (model(x).array - response.array)[:, 0]
    hand = sum(by_hand.correlated(one, g) for one, g in zip(images[:32, 0], left, strict=True))
    job.prove(
        "kernel: correlation of the image with g",
        gradients(model, lambda m: loss_of(m(x))),
        [np.asarray(hand)[None, None]],
    )
    seen = tensor(images[:1], requires_grad=True)
    g = rng.standard_normal((1, 1, 6, 6))
    F.conv2d(seen, model.weight).backward(tensor(g))
    job.prove(
        "image: full convolution of g with the kernel",
        [seen.grad],
        [by_hand.convolved(g[0, 0], model.weight.array[0, 0])[None, None]],
    )
    function, values = as_function(model, loss_of, x)
    job.check("squared error of the response", function, *values)
    job.graph(loss_of(model(x)), names={"images": x, "wanted": response, "kernel": model.weight})

    job.say("", "a kernel learned back from 32 digits and their responses to it")
    before, optimiser = model.weight.array[0, 0].copy(), optim.SGD(model.parameters(), lr=job.lr, momentum=0.9)
    for epoch in job.rounds(job.epochs):
        optimiser.zero_grad()
        loss = loss_of(model(x))
        loss.backward()
        optimiser.step()
        job.record(epoch=epoch, loss=loss.item())
    after = model.weight.array[0, 0]
    apart = float(np.abs(after - SOBEL).max())
    job.compare("kernel learned back: largest difference", apart, 0.0, "Sobel's kernel, at most 1e-3", apart <= 1e-3)
    job.metrics = {"kernel": after.tolist()}
    job.model(model)
    if job.pictures:
        draw(job, images[0, 0], before, after)


def sizes(job: Job, rng: np.random.Generator) -> None:
    """Compare im2col with the loops for many kernels, strides and paddings."""
    job.say("output size = floor((size + 2 padding - kernel) / stride) + 1, height and width apart", "")
    job.say("  image   kernel  stride  padding     output")
    worst = 0.0
    for (h, w), (kh, kw), stride, padding in (
        ((5, 5), (2, 2), (1, 1), 0), ((8, 6), (3, 2), (2, 1), 0), ((7, 7), (3, 3), (2, 2), 1),
        ((8, 8), (3, 5), (3, 2), (1, 2)),
        ((9, 4), (3, 3), (1, 1), "same"), ((5, 5), (3, 3), (1, 1), "full"), ((6, 6), (4, 4), (4, 4), 0),
    ):  # fmt: skip
        x, kernels = rng.standard_normal((2, 3, h, w)), rng.standard_normal((4, 3, kh, kw))
        out = F.conv2d(tensor(x), tensor(kernels), stride=stride, padding=padding).array
        named = {"same": ((kh - 1) // 2, (kw - 1) // 2), "full": (kh - 1, kw - 1)}
        pads: Any = named.get(str(padding), padding)
        ph, pw = (pads, pads) if isinstance(pads, int) else (int(pads[0]), int(pads[1]))
        grown = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
        loops = np.stack(
            [
                [sum(by_hand.correlated(c, k) for c, k in zip(one, kernel, strict=True)) for kernel in kernels]
                for one in grown
            ]
        )
        loops = loops[:, :, :: stride[0], :: stride[1]]
        worst = max(worst, float(np.abs(out - loops).max())) if out.shape == loops.shape else np.inf
        job.say(
            f"  {h}x{w}     {kh}x{kw}     {stride[0]}x{stride[1]}     {str(padding):<10}  {out.shape[2]}x{out.shape[3]}"
        )
    job.compare("conv2d: largest difference to the loops", worst, 0.0, "the definition, at most 1e-12", worst <= 1e-12)
    x, k = rng.standard_normal((1, 1, 6, 6)), rng.standard_normal((1, 1, 3, 3))
    turned = F.conv2d(tensor(x), tensor(k[..., ::-1, ::-1].copy())).array
    same = float(np.abs(F.conv2d(tensor(x), tensor(k), flip=True).array - turned).max())
    job.compare("convolution = correlation, kernel turned by 180°", same, 0.0, "identity, at most 1e-12", same <= 1e-12)


def in_one_dimension(job: Job, rng: np.random.Generator) -> None:
    """Show a 1-D convolution as a banded matrix; compare it with numpy.convolve."""
    x, k = rng.standard_normal(6), np.array([1.0, 2.0, 3.0])
    for mode in ("valid", "full"):
        M = banded(k, 6, mode)
        job.say("", f"conv(x, [1 2 3]) = M @ x, '{mode}', M {M.shape[0]}x{M.shape[1]}:")
        job.say(*["  " + " ".join(f"{v:2.0f}" if v else " ." for v in row) for row in M])
        apart = float(np.abs(M @ x - np.convolve(x, k, mode)).max())
        job.compare(f"M @ x, '{mode}': largest difference", apart, 0.0, "numpy.convolve, at most 1e-12", apart <= 1e-12)
    strided = banded(k, 6, "full", 2)
    apart = float(np.abs(strided @ x - np.convolve(x, k)[::2]).max())
    job.compare(
        "M @ x, 'full', stride 2: largest difference", apart, 0.0, "numpy.convolve, at most 1e-12", apart <= 1e-12
    )


def draw(job: Job, digit: Any, before: Any, after: Any) -> None:
    """Draw the banded matrices, and kernel and output before and after learning."""
    with job.figure("matrices.png", 9, 3.6) as figure:
        for axis, (title, M) in zip(
            figure.subplots(1, 3),
            {"'valid'": banded([1, 2, 3], 8, "valid"), "'full'": banded([1, 2, 3], 8, "full"),
             "'full', stride 2": banded([1, 2, 3], 8, "full", 2)}.items(),
            strict=True,
        ):  # fmt: skip
            image(axis, M, f"{title}, {M.shape[0]}x{M.shape[1]}", numbers=False)
            axis.set(xlabel="value of x (column)", ylabel="value of the result (row)")
            for (i, j), v in np.ndenumerate(M):
                if v:
                    axis.text(
                        j, i, f"{v:.0f}", ha="center", va="center", fontsize=8, color="white" if v > 1.5 else "black"
                    )
        figure.suptitle("convolution with [1 2 3] as a matrix: conv(x, k) = M @ x, 8 values of x")
    with job.figure("kernels.png", 9, 4.8) as figure:
        rows = figure.subplots(2, 4)
        for column, (title, k) in enumerate({"before": before, "learned": after, "Sobel's": SOBEL}.items()):
            image(rows[0, column], k, f"kernel {title}", signed=True, numbers=True)
            image(rows[1, column], by_hand.correlated(digit, k), f"response, {title}", signed=True)
        image(rows[0, 3], digit, "a digit")
        rows[1, 3].semilogy([r["epoch"] for r in job.history], [r["loss"] for r in job.history], color=BLUE)
        finish(rows[1, 3], xlabel="epoch", ylabel="squared error", title="training")
