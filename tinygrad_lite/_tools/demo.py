"""``tinygrad-lite demo``: define, draw, check and train a small CNN on handwritten digits, in one minute."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_lite import Tensor, datasets, distributed, float64, manual_seed, nn, no_grad, optim, save, tensor
from tinygrad_lite.compiled import compile
from tinygrad_lite.errors import MissingExtra, require
from tinygrad_lite.models.recipes.job import output_folder
from tinygrad_lite.serialization.atomic import replacing
from tinygrad_lite.testing import GradReport, gradcheck
from tinygrad_lite.utils.data import DataLoader, DistributedSampler, TensorDataset
from tinygrad_lite.viz import draw, summary

FILES = ("graph.svg", "graph.html", "training.png", "model.npz", "metrics.json")


class DigitsNet(nn.Module):
    """Two convolutions, a max-pool and two linear layers: 8x8 scans in, ten scores out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.hidden = nn.Linear(32 * 4 * 4, 128)
        self.drop = nn.Dropout(0.5)
        self.out = nn.Linear(128, 10)

    def forward(self, x: Any) -> Any:
        """Map images (N, 1, 8, 8) to scores (N, 10)."""
        x = self.conv1(x).relu()
        x = self.pool(self.conv2(x).relu())
        x = self.hidden(x.flatten(1)).relu()
        return self.out(self.drop(x))


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return the fraction of images that get the highest score for their own class."""
    model.eval()
    with no_grad():
        right = int((model(x).argmax(1) == y).sum())
    model.train()
    return right / len(y)


def check(model: nn.Module, x: Tensor, y: Tensor) -> GradReport:
    """Check the gradients of the loss for every parameter against finite differences, in double precision."""
    import copy

    exact = copy.deepcopy(model).double().eval()
    names, values = zip(*exact.named_parameters(), strict=True)

    def loss(*parameters: Tensor) -> Any:
        from tinygrad_lite.func import functional_call

        scores = functional_call(exact, dict(zip(names, parameters, strict=True)), (x.double(),))
        return nn.functional.cross_entropy(scores, y)

    return gradcheck(loss, *[p.detach() for p in values], raise_exception=False)


def bar(total: int) -> Any:
    """Return a progress bar if standard error is a terminal, else None."""
    if not sys.stderr.isatty():
        return None
    return require("tqdm", extra="demo").tqdm(total=total, unit="batch", leave=False)


def sum_over_ranks(*numbers: float) -> list[float]:
    """Return the sums of numbers over all ranks."""
    sums = tensor(numbers, dtype=float64)
    distributed.all_reduce(sums)
    return [float(v) for v in sums.tolist()]


def wrapped(model: nn.Module, args: argparse.Namespace) -> Any:
    """Return the model as it is trained: over several ranks, compiled."""
    net = nn.parallel.DistributedDataParallel(model) if args.distributed else model
    return compile(net) if args.compile else net


def follow(args: argparse.Namespace) -> int:
    """Train on this rank's share of every batch, and leave everything else to rank 0."""
    manual_seed(args.seed + distributed.get_rank())  # another dropout; the weights are those of rank 0
    train_x, test_x, train_y, test_y = digits()
    for _ in train(wrapped(DigitsNet(), args), TensorDataset(train_x, train_y), (test_x, test_y), args.epochs, []):
        pass
    return 0


def train(
    model: nn.Module,
    train_set: TensorDataset,
    test: tuple[Tensor, Tensor],
    epochs: int,
    history: list[dict[str, float]],
) -> Iterator[dict[str, float]]:
    """Train with Adam on shuffled batches; yield loss and accuracy of each epoch and append them to ``history``.

    With several ranks each takes its share of a batch of 32.
    """
    ranks = distributed.get_world_size() if distributed.is_initialized() else 1
    sampler = DistributedSampler(train_set) if ranks > 1 else None
    batches = DataLoader(train_set, batch_size=max(1, 32 // ranks), shuffle=sampler is None, sampler=sampler)
    optimiser = optim.Adam(model.parameters(), lr=4e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs * len(batches))
    progress = bar(epochs * len(batches))
    try:
        for epoch in range(1, epochs + 1):
            total = seen = right = 0.0
            if sampler is not None:
                sampler.set_epoch(epoch)
            for x, y in batches:
                optimiser.zero_grad()
                scores = model(x)
                loss = nn.functional.cross_entropy(scores, y)
                loss.backward()
                optimiser.step()
                schedule.step()
                total += loss.item() * len(y)
                right += int((scores.argmax(1) == y).sum())
                seen += len(y)
                if progress is not None:
                    progress.set_description(f"epoch {epoch}/{epochs}  loss {total / seen:.4f}")
                    progress.update()
            if ranks > 1:
                total, seen, right = sum_over_ranks(total, seen, right)
            row = {
                "epoch": float(epoch),
                "loss": total / seen,
                "train_accuracy": right / seen,
                "test_accuracy": accuracy(model, *test),
            }
            history.append(row)
            yield row
    finally:
        if progress is not None:
            progress.close()


def picture(path: Path, model: nn.Module, history: list[dict[str, float]], x: Tensor, y: Tensor) -> None:
    """Plot loss, accuracy and the misclassified digits into the file ``path``."""
    require("matplotlib", extra="plot")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    model.eval()
    with no_grad():
        guess = model(x).argmax(1).numpy()
    wrong = np.flatnonzero(guess != y.numpy())[:12]
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    halves: Any = figure.subfigures(1, 2, width_ratios=[1.35, 1])
    curves, misread = halves
    left, right = curves.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], "o-", color="#0072B2", markersize=3)
    left.set(title="training loss", xlabel="epoch", ylabel="cross-entropy (nats)", yscale="log")
    for key, name, colour, line in (
        ("train_accuracy", "training (with dropout)", "#0072B2", "o-"),
        ("test_accuracy", "held out", "#D55E00", "s--"),
    ):
        right.plot(epochs, [100 * row[key] for row in history], line, color=colour, label=name, markersize=3)
    right.axhline(98, color="0.6", linewidth=0.8, linestyle=":")
    low = min(100 * row["test_accuracy"] for row in history)
    right.set(title="accuracy", xlabel="epoch", ylabel="% right", ylim=(min(90, low) - 1, 100.5))
    right.legend(loc="lower right", frameon=False)
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axis.grid(alpha=0.25)
    misread.suptitle(f"misread: {int((guess != y.numpy()).sum())} of {len(y)} held-out digits")
    columns = max(2, math.ceil(math.sqrt(len(wrong) * 4 / 3)))
    rows = max(2, math.ceil(len(wrong) / columns))
    for axis in misread.subplots(rows, columns).flat:
        axis.axis("off")
        if len(wrong):
            i, wrong = int(wrong[0]), wrong[1:]
            axis.imshow(x.numpy()[i, 0], cmap="gray_r", vmin=0, vmax=1)
            axis.set_title(f"{int(y.numpy()[i])} read as {int(guess[i])}", fontsize=9)
    with replacing(path) as file:
        figure.savefig(file, dpi=110, format="png")


def arguments(argv: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="tinygrad-lite demo", description=__doc__, allow_abbrev=False)
    parser.add_argument("--out", metavar="DIR", help="folder for the results (default: a new tinygrad-lite-demo)")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights, batches and dropout (default: 0)")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training digits (default: 30)")
    parser.add_argument(
        "--distributed", action="store_true", help="train in several processes: mpiexec -n 2 tinygrad-lite demo ..."
    )
    parser.add_argument("--compile", action="store_true", help="compile the model: the same numbers, faster")
    parser.add_argument("--overwrite", action="store_true", help="write over the results of an earlier run in --out")
    args = parser.parse_args(argv)
    if args.epochs < 1:
        parser.error(f"--epochs must be at least 1, got {args.epochs}")
    if args.seed < 0:
        parser.error(f"--seed must be 0 or more, got {args.seed}")
    return args


def run(argv: list[str]) -> int:
    """Run the demo; returns 0, 1 if it cannot write or a gradient is wrong, 130 if stopped by Ctrl-C."""
    args = arguments(argv)
    if not args.distributed:
        return 1 if (out := folder(args)) is None else lead(args, out)
    distributed.init_process_group("mpi")
    try:
        first = distributed.get_rank() == 0
        out = folder(args) if first else None
        ready = [out is not None]
        distributed.broadcast_object_list(ready)
        return 1 if not ready[0] else follow(args) if out is None else lead(args, out)
    finally:
        distributed.destroy_process_group()


def folder(args: argparse.Namespace) -> Path | None:
    """Return the folder for the results, or say why there is none."""
    try:
        out = output_folder(args.out, "demo", args.overwrite)
        require("matplotlib", extra="demo")  # fail before the training, not after it
    except (OSError, MissingExtra) as error:
        print(f"tinygrad-lite demo: {error}", file=sys.stderr)
        return None
    return out


def digits() -> list[Tensor]:
    """Return images to learn from, images held out, and the labels of both."""
    images, labels = datasets.digits()
    return [tensor(part) for part in datasets.split(images, labels, test=0.2, seed=0)]


def lead(args: argparse.Namespace, out: Path) -> int:
    """Run the demo in one process, or as rank 0 of several."""
    manual_seed(args.seed)
    train_x, test_x, train_y, test_y = digits()
    count = len(train_x) + len(test_x)
    print(f"data: {count} real handwritten digits, 8x8 pixels; {len(train_x)} to learn from, {len(test_x)} held out")
    model = DigitsNet()
    print(f"\n{summary(model, test_x[:1])}\n")
    graph = draw(model, test_x[:1])
    graph.save(out / "graph.svg")
    graph.save(out / "graph.html")
    report = check(model, train_x[:3], train_y[:3])
    print(f"gradients of all parameters against finite differences: {'agree' if report.ok else 'WRONG'}")
    if not report.ok:
        print(report)
        return 1
    net = wrapped(model, args)
    history: list[dict[str, float]] = []
    started, stopped = time.perf_counter(), False
    try:
        for row in train(net, TensorDataset(train_x, train_y), (test_x, test_y), args.epochs, history):
            print(
                f"epoch {row['epoch']:3.0f}   loss {row['loss']:.4f}   train {row['train_accuracy']:7.2%}   "
                f"held out {row['test_accuracy']:7.2%}",
                flush=True,
            )
    except KeyboardInterrupt:
        stopped = True
        print("\nstopped by Ctrl-C; the weights trained so far are saved")
    seconds = time.perf_counter() - started
    save(model.state_dict(), out / "model.npz")
    metrics = {
        "test_accuracy": accuracy(model, test_x, test_y),
        "train_seconds": round(seconds, 2),
        "parameters": sum(p.numel() for p in model.parameters()),
        "gradcheck": "ok",
        "epochs": len(history),
        "seed": args.seed,
        **({"ranks": distributed.get_world_size()} if args.distributed else {}),
    }
    with replacing(out / "metrics.json") as file:
        file.write((json.dumps(metrics, indent=2) + "\n").encode())
    if history:
        picture(out / "training.png", model, history, test_x, test_y)
    print(
        f"\nheld-out accuracy {metrics['test_accuracy']:.2%} after {len(history)} epochs, {seconds:.1f} s of training"
    )
    for name in FILES:
        if (out / name).exists():
            print(f"  {out / name}")
    return 130 if stopped else 0
