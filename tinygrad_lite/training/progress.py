"""Telling how far a training is: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from tinygrad_lite.errors import MissingExtra, require


def line(epoch: int, epochs: int, numbers: dict[str, float]) -> str:
    """Return one line about an epoch.

    >>> line(3, 10, {"loss": 0.25, "val_accuracy": 0.5})
    'epoch  3/10  loss 0.2500  val_accuracy 0.5000'
    """
    shown = [
        f"{name} {value:.4f}" if abs(value) >= 1e-3 or not value else f"{name} {value:.1e}"
        for name, value in numbers.items()
    ]
    return "  ".join([f"epoch {epoch:>{len(str(epochs))}}/{epochs}", *shown])


class Progress:
    """Shows nothing."""

    def start(self, epoch: int, epochs: int, batches: int | None) -> None:
        """Begin an epoch."""

    def batch(self, numbers: dict[str, float]) -> None:
        """One batch is done."""

    def end(self, text: str) -> None:
        """End an epoch, or the training, with one line."""

    def close(self) -> None:
        """Clean up, also after an error."""


class Lines(Progress):
    """One line per epoch."""

    def end(self, text: str) -> None:
        """Print the line."""
        print(text, flush=True)


class Bar(Progress):
    """A bar that fills during an epoch, and one line after it."""

    def __init__(self, tqdm: ModuleType) -> None:
        self.tqdm = tqdm
        self.bar: Any = None

    def start(self, epoch: int, epochs: int, batches: int | None) -> None:
        """Begin an empty bar."""
        self.bar = self.tqdm.tqdm(total=batches, desc=f"epoch {epoch}/{epochs}", unit="batch", leave=False)

    def batch(self, numbers: dict[str, float]) -> None:
        """Fill the bar by one batch."""
        self.bar.set_postfix({k: f"{v:.4f}" for k, v in numbers.items()}, refresh=False)
        self.bar.update()

    def end(self, text: str) -> None:
        """Replace the bar by a line."""
        self.close()
        self.tqdm.tqdm.write(text)

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def chosen(progress: bool | None) -> Progress:
    """Return how to show progress: True for a bar, False for nothing, None for what fits."""
    if progress is False:
        return Progress()
    if progress is None and not sys.stderr.isatty():
        return Lines()
    try:
        return Bar(require("tqdm", extra="demo"))
    except MissingExtra:
        if progress:
            raise
        return Lines()
