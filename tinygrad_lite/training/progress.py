"""Progress of a training: a bar in a terminal, one line per epoch elsewhere."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from tinygrad_lite.errors import MissingExtra, require


def line(epoch: int, epochs: int, numbers: dict[str, float]) -> str:
    """Return the report of one epoch as a line.

    >>> line(3, 10, {"loss": 0.25, "val_accuracy": 0.5})
    'epoch  3/10  loss 0.2500  val_accuracy 0.5000'
    """
    shown = [
        f"{name} {value:.4f}" if abs(value) >= 1e-3 or not value else f"{name} {value:.1e}"
        for name, value in numbers.items()
    ]
    return "  ".join([f"epoch {epoch:>{len(str(epochs))}}/{epochs}", *shown])


class Progress:
    """Base of progress displays; shows nothing."""

    def start(self, epoch: int, epochs: int, batches: int | None) -> None:
        """Begin an epoch."""

    def batch(self, numbers: dict[str, float]) -> None:
        """Show that one batch is done."""

    def end(self, text: str) -> None:
        """Show one line at the end of an epoch or of the training."""

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
        """Show an empty bar."""
        self.bar = self.tqdm.tqdm(total=batches, desc=f"epoch {epoch}/{epochs}", unit="batch", leave=False)

    def batch(self, numbers: dict[str, float]) -> None:
        """Advance the bar by one batch."""
        self.bar.set_postfix({k: f"{v:.4f}" for k, v in numbers.items()}, refresh=False)
        self.bar.update()

    def end(self, text: str) -> None:
        """Replace the bar with a line."""
        self.close()
        self.tqdm.tqdm.write(text)

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def chosen(progress: bool | None) -> Progress:
    """Return the display: a bar (True), nothing (False), or a bar only in a terminal (None)."""
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
