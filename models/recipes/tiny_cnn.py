"""The 5x5 network with 28 parameters: convolution, max-pool, dense layers.

Convolution 2x2, ReLU, max-pool 2x2, 3 sigmoid units, 2 sigmoid units.

Small enough to print every number of one forward and one backward pass. It learns to distinguish a cross from a circle.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite import no_grad, optim, tensor
from tinygrad_lite.models.networks import TinyCNN
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job
from tinygrad_lite.models.recipes.pictures import BLUE, RED, finish, image
from tinygrad_lite.models.recipes.proof import as_function, exact, gradients

EPOCHS, LR = 600, 0.05
CROSS = np.array([[1, 0, 0, 0, 1], [0, 1, 0, 1, 0], [0, 0, 1, 0, 0], [0, 1, 0, 1, 0], [1, 0, 0, 0, 1]], float)
CIRCLE = np.array([[0, 1, 1, 1, 0], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [1, 0, 0, 0, 1], [0, 1, 1, 1, 0]], float)


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return TinyCNN(), (tensor(CROSS[None, None].astype(np.float32)),)


def squared(out: Any, target: Any) -> Any:
    """Return (z0 - y0)² + (z1 - y1)², the mean over the images."""
    left = out - target
    return (left * left).sum(1).mean()


def data(seed: int) -> tuple[Any, Any]:
    """Return noisy crosses and circles (40, 1, 5, 5), and one-hot targets."""
    rng = np.random.default_rng(seed)
    which = np.arange(40) % 2
    images = np.stack([CROSS, CIRCLE])[which] + 0.15 * rng.standard_normal((40, 5, 5))
    return images[:, None], np.eye(2)[which]


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    model = TinyCNN(dtype=np.float64)
    X, Y = data(job.seed)
    test, answers = data(job.seed + 1)
    x, y = tensor(X), tensor(Y)
    job.say(str(model), f"parameters: {model.count()}")
    shapes = [s if len(s) == 2 else s[0] for s in model.shapes(x[:1])]
    job.say("shapes: " + " -> ".join(f"{s[0]}x{s[1]}" if isinstance(s, tuple) else str(s) for s in shapes))
    count = sum(p.numel() for p in model.parameters())
    job.compare("parameters", count, 28, "5 + 15 + 8", count == 28 and model.count() == "5 + 15 + 8 = 28")

    first = tensor(CROSS[None, None])
    p = {name: value.array for name, value in model.named_parameters()}
    hand = by_hand.tiny_cnn(CROSS, np.array([1.0, 0.0]), p)
    job.prove("5x5 network: layer by layer", gradients(model, lambda m: squared(m(first), y[:1])), hand)
    function, values = as_function(exact(model), lambda out: squared(out, y[:6]), x[:6])
    job.check("5x5 network, all 28 parameters", function, *values)
    step_by_step(job, model, first, y[:1])

    optimiser = optim.Adam(model.parameters(), lr=job.lr)
    for epoch in job.rounds(job.epochs):
        optimiser.zero_grad()
        loss = squared(model(x), y)
        loss.backward()
        optimiser.step()
        job.record(epoch=epoch, loss=loss.item())
    with no_grad():
        right = float((model(tensor(test)).array.argmax(axis=1) == answers.argmax(axis=1)).mean())
    job.compare("accuracy on new noisy images", right, 1.0, "at least 95 %", right >= 0.95)
    job.metrics = {"loss": job.history[-1]["loss"], "accuracy": right, "parameters": count}
    job.model(model)
    if job.pictures:
        draw(job, model)


def draw(job: Job, model: TinyCNN) -> None:
    """Draw what each layer makes of a cross and a circle, and the training loss."""
    with job.figure("steps.png", 12, 5.2) as figure:
        for row, (name, picture) in zip(figure.subplots(2, 5), {"cross": CROSS, "circle": CIRCLE}.items(), strict=True):
            with no_grad():
                z = tensor(picture[None, None])
                convolved = model.conv(z).relu()
                pooled = model.pool(convolved)
                hidden = model.hidden(pooled.flatten(1)).sigmoid()
                out = model.out(hidden).sigmoid()
            image(row[0], picture, f"{name} 5x5", numbers=True)
            image(row[1], convolved.array[0, 0], "convolution, ReLU 4x4", numbers=True)
            image(row[2], pooled.array[0, 0], "max-pool 2x2", numbers=True)
            image(row[3], hidden.array.T, "3 sigmoid units", numbers=True)
            image(row[4], out.array.T, "2 outputs: cross, circle", numbers=True)
    with job.figure("loss.png") as figure:
        axis = figure.subplots()
        axis.semilogy(
            [r["epoch"] for r in job.history], [r["loss"] for r in job.history], color=BLUE, label="training images"
        )
        axis.axhline(0.01, linestyle=":", color=RED, label="0.01")
        finish(axis, xlabel="epoch", ylabel="(z₀ − y₀)² + (z₁ − y₁)²", title="training of the 5x5 network")


def step_by_step(job: Job, model: TinyCNN, x: Any, y: Any) -> None:
    """Print every number of one forward and one backward pass; draw the graph."""
    x.requires_grad = True
    model.zero_grad()
    steps = [("image", x)]
    convolved = model.conv(x)
    opened = convolved.relu()
    pooled = model.pool(opened)
    flat = pooled.flatten(1)
    hidden = model.hidden(flat).sigmoid()
    out = model.out(hidden).sigmoid()
    steps += [
        ("convolution", convolved),
        ("ReLU", opened),
        ("max-pool", pooled),
        ("flatten", flat),
        ("hidden", hidden),
        ("output", out),
    ]
    for _, t in steps[1:]:
        t.retain_grad()
    loss = squared(out, y)
    loss.backward(retain_graph=True)

    def whole(image: Any, wanted: Any) -> Any:
        return squared(model(image), wanted)

    # a traced run shows the layers and the target; the recorded graph keeps neither
    job.graph(whole, x, y, show=("shape", "value", "grad"), names=dict(model.named_parameters()))
    job.say("", "one forward and one backward pass, number by number")
    for name, t in [*steps, *model.named_parameters()]:
        assert t.grad is not None
        for title, values in ((name, t.array), (f"d loss / d {name}", t.grad.array)):
            text = np.array2string(values.squeeze(), precision=4, suppress_small=True, floatmode="fixed")
            job.say(f"{title:>26}  " + text.replace("\n", "\n" + " " * 28))
    job.say(f"{'loss':>26}  {loss.item():.6f}", "")
    model.zero_grad()
