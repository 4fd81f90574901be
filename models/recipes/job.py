"""One run of a recipe: its output, its files, its comparisons."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_lite import manual_seed
from tinygrad_lite.errors import require
from tinygrad_lite.models.recipes import pictures
from tinygrad_lite.serialization import save
from tinygrad_lite.serialization.atomic import replacing


class WrongOption(ValueError):
    """Options that do not go together."""


def whole(least: int) -> Callable[[str], int]:
    """Return a command-line type: whole numbers of at least ``least``."""

    def read(text: str) -> int:
        if not text.lstrip("+-").isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
        return int(text)

    return read


def positive(text: str) -> float:
    """Read a positive number from the command line."""
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not 0 < number < np.inf:
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text!r}")
    return number


def output_folder(given: str | None, name: str, overwrite: bool) -> Path:
    """Create the output folder, and check that it is writable, before any work.

    Without ``given`` a folder that does not exist yet; a given one must be empty, unless ``overwrite``.
    """
    if given is None:
        path, n = Path(f"tinygrad-lite-{name}"), 2
        while path.exists():
            path, n = Path(f"tinygrad-lite-{name}-{n}"), n + 1
    else:
        path = Path(given)
        if path.exists() and not path.is_dir():
            raise OSError(f"--out {path}: is a file, a folder is needed")
        if path.exists() and any(path.iterdir()) and not overwrite:
            raise OSError(f"--out {path}: is not empty; choose another folder or add --overwrite")
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise OSError(f"--out {path}: cannot write there: {error.strerror}") from error
    return path


class Job:
    """The argument of a recipe's ``run``: settings, checks, figures and files."""

    def __init__(self, name: str, args: argparse.Namespace) -> None:
        self.name, self.args = name, args
        self.seed, self.epochs, self.lr = args.seed, args.epochs, args.lr
        self.pictures = not args.no_pictures
        if self.pictures:
            require("matplotlib", extra="plot")  # fails now, not after the training
        self.out = output_folder(args.out, name, args.overwrite)
        self.history: list[dict[str, float]] = []
        self.metrics: dict[str, Any] = {}
        self.comparisons: list[dict[str, Any]] = []
        self.proofs: list[dict[str, Any]] = []
        self.files: list[str] = []

    def run(self, recipe: Callable[[Job], None]) -> int:
        """Run the recipe and write all files; returns the exit status."""
        manual_seed(self.seed)
        started, stopped = time.perf_counter(), False
        try:
            recipe(self)
        except (OSError, WrongOption) as error:  # missing data, failed download, conflicting options
            print(f"tinygrad-lite train {self.name}: {error}", file=sys.stderr)
            if not any(self.out.iterdir()):
                self.out.rmdir()
            return 1
        except KeyboardInterrupt:
            stopped = True
            print("\nstopped by Ctrl-C; what was measured so far is kept")
        self.write(time.perf_counter() - started)
        self.report()
        if stopped:
            return 130
        wrong = [p for p in self.proofs if not p["ok"]]
        missed = [c for c in self.comparisons if not c["ok"]]
        return 1 if wrong or (missed and self.args.strict) else 0

    # -------------------------------------------------------------------------------- reporting
    def say(self, *lines: str) -> None:
        """Print lines."""
        for line in lines:
            print(line, flush=True)

    def compare(self, what: str, ours: float, reference: float, source: str, ok: bool) -> None:
        """Record a result, its reference, and whether they agree."""
        self.comparisons.append(
            {"what": what, "ours": float(ours), "reference": float(reference), "source": source, "ok": bool(ok)}
        )

    def prove(self, what: str, ours: Sequence[Any], by_hand: Sequence[Any], within: float = 1e-9) -> None:
        """Record the relative distance of gradients from formulas written by hand."""
        worst = 0.0
        for a, b in zip(ours, by_hand, strict=True):
            a, b = np.asarray(getattr(a, "array", a), float), np.asarray(b, float)
            if a.shape != b.shape:
                raise ValueError(f"{what}: gradient of shape {a.shape}, formula of shape {b.shape}")
            worst = max(worst, float(np.abs(a - b).max()) / (float(np.abs(b).max()) or 1.0))
        self.proofs.append({"what": what, "difference": worst, "ok": worst <= within})

    def check(self, what: str, loss: Callable[..., Any], *inputs: Any) -> None:
        """Record whether the gradients of a loss agree with finite differences."""
        from tinygrad_lite.testing import gradcheck

        report = gradcheck(loss, *inputs, raise_exception=False)
        self.proofs.append({"what": f"{what}, against finite differences", "difference": None, "ok": bool(report.ok)})
        if not report.ok:
            print(report)

    def record(self, **row: float) -> None:
        """Keep one row of the training history."""
        self.history.append({k: float(v) for k, v in row.items()})

    def rounds(self, total: int, every: int | None = None, unit: str = "epoch") -> Iterator[int]:
        """Yield 1, 2, ... ``total`` and show the progress.

        A bar on a terminal, else the last row of the history every ``every`` rounds, by default after rounds 1, 2, 5,
        10, 20, 50, ...: most of a training happens at its beginning.
        """
        bar = None
        if sys.stderr.isatty():
            try:
                bar = require("tqdm", extra="demo").tqdm(total=total, unit=unit, leave=False)
            except ImportError:
                bar = None
        try:
            for i in range(1, total + 1):
                yield i
                shown = "  ".join(
                    f"{k} {v:.5g}" for k, v in (self.history[-1] if self.history else {}).items() if k != unit
                )
                if bar is not None:
                    bar.set_postfix_str(shown, refresh=False)
                    bar.update()
                elif i == total or (i % every == 0 if every else str(i).rstrip("0") in ("1", "2", "5")):
                    self.say(f"{unit} {i:6d}  {shown}")
        finally:
            if bar is not None:
                bar.close()

    # -------------------------------------------------------------------------------- writing
    @contextmanager
    def figure(self, file: str, width: float = 7.0, height: float = 4.5) -> Iterator[Any]:
        """Give a matplotlib figure to draw into, saved as ``file`` afterwards."""
        figure = pictures.new_figure(width, height)
        yield figure
        with replacing(self.out / file) as out:
            figure.savefig(out, dpi=130, format=Path(file).suffix[1:])
        self.files.append(file)

    def animation(self, file: str, figure: Any, frame: Callable[[int], Any], count: int, per_second: int = 5) -> None:
        """Save ``count`` frames of ``figure``, drawn by ``frame(i)``, as a GIF."""
        pictures.save_gif(self.out / file, figure, frame, count, per_second)
        self.files.append(file)

    def model(self, module: Any) -> None:
        """Save the parameters of a module as ``model.npz``."""
        save(module.state_dict(), self.out / "model.npz")
        self.files.append("model.npz")

    def graph(self, loss: Any, *inputs: Any, **options: Any) -> None:
        """Save a picture of a loss or model as ``graph.svg`` and ``graph.html``.

        ``inputs`` are the arguments to call a model with.
        """
        from tinygrad_lite.viz import draw

        graph = draw(loss, *inputs, **options)
        for file in ("graph.svg", "graph.html"):
            graph.save(self.out / file)
            self.files.append(file)

    def write(self, seconds: float) -> None:
        """Write metrics.json and history.csv."""
        self.files = ["metrics.json", "history.csv", *dict.fromkeys(self.files)]
        found = {
            "recipe": self.name, "seed": self.seed, "epochs": self.epochs, "lr": self.lr, "seconds": round(seconds, 2),
            "metrics": self.metrics, "compared": self.comparisons, "gradients": self.proofs, "files": self.files,
        }  # fmt: skip
        with replacing(self.out / "metrics.json") as file:
            file.write((json.dumps(found, indent=2, default=float) + "\n").encode())
        columns = list(dict.fromkeys(k for row in self.history for k in row))
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, columns)
        writer.writeheader()
        writer.writerows(self.history)
        with replacing(self.out / "history.csv") as file:
            file.write(table.getvalue().encode())

    def report(self) -> None:
        """Print gradients, results beside their references, and the files."""
        if self.proofs:
            self.say("", "gradients")
        for p in self.proofs:
            size = "" if p["difference"] is None else f"largest difference {p['difference']:.1e}"
            self.say(f"  {'agree' if p['ok'] else 'WRONG':<6} {p['what']:<58} {size}")
        if self.comparisons:
            self.say("", f"  {'result':<46} {'here':>13} {'reference':>13}")
        for c in self.comparisons:
            end = "" if c["ok"] else "   MISSED"
            self.say(f"  {c['what']:<46} {c['ours']:>13.7g} {c['reference']:>13.7g}  {c['source']}{end}")
        self.say("", f"  {self.verdict()}", "", *[f"  {self.out / file}" for file in self.files])

    def verdict(self) -> str:
        """Return one sentence on gradients and results."""
        right, met = sum(p["ok"] for p in self.proofs), sum(c["ok"] for c in self.comparisons)
        good = right == len(self.proofs) and met == len(self.comparisons)
        return (
            f"{'passed' if good else 'FAILED'}: {right} of {len(self.proofs)} gradients agree, {met} of "
            f"{len(self.comparisons)} results are as good as their references"
        )
