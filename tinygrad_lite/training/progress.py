"""Progress of a training: a bar in a terminal or a notebook, log-spaced lines elsewhere."""

from __future__ import annotations

import html
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from tinygrad_lite.errors import MissingExtra, require, visible


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


def due(epoch: int) -> bool:
    """Return whether a log shows this epoch: 1 to 10, 20, 30, ..., 100, 200, ...

    >>> [epoch for epoch in range(1, 101) if due(epoch)][8:12]
    [9, 10, 20, 30]
    """
    return not epoch % 10 ** (len(str(epoch)) - 1)


class Progress:
    """Base of progress displays; shows nothing."""

    def start(self, epoch: int, epochs: int, batches: int | None) -> None:
        """Begin an epoch."""

    def batch(self, numbers: dict[str, float]) -> None:
        """Show that one batch is done."""

    def end(self, text: str) -> None:
        """Show one line at the end of an epoch."""

    def note(self, text: str) -> None:
        """Show a message that must not be skipped."""

    def close(self) -> None:
        """Clean up, also after an error."""


class Lines(Progress):
    """One line for epochs 1 to 10, 20, 30, ..., and for the last one."""

    def __init__(self) -> None:
        self.epoch = 0
        self.waiting = ""

    def start(self, epoch: int, epochs: int, batches: int | None) -> None:
        """Remember the number of the epoch."""
        self.epoch = epoch

    def end(self, text: str) -> None:
        """Print the line, or keep it in case the epoch is the last one."""
        self.waiting = "" if due(self.epoch) else text
        if not self.waiting:
            print(visible(text), flush=True)

    def note(self, text: str) -> None:
        """Print the last epoch and the message."""
        self.close()
        print(visible(text), flush=True)

    def close(self) -> None:
        """Print the last epoch if it was skipped."""
        if self.waiting:
            print(visible(self.waiting), flush=True)
        self.waiting = ""


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
        self.tqdm.tqdm.write(visible(text))

    def note(self, text: str) -> None:
        """Replace the bar with the message."""
        self.end(text)

    def close(self) -> None:
        """Remove the bar."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


class NotebookBar(Progress):
    """One bar over all epochs in a notebook's output cell, replaced in place after each epoch.

    It is an HTML element, not text on stderr, which notebooks show on red.
    """

    def __init__(self, display: Any) -> None:
        self.display = display
        self.handle: Any = None
        self.done = self.epochs = 0

    def start(self, epoch: int, epochs: int, batches: int | None) -> None:
        """Show the bar before the first epoch."""
        self.done, self.epochs = epoch - 1, epochs
        if self.handle is None:
            self.show("")

    def show(self, text: str) -> None:
        """Draw the bar with a line of text."""
        bar = f'<progress value="{self.done}" max="{self.epochs}"></progress> <code>{html.escape(text)}</code>'
        drawn = {"text/html": bar, "text/plain": text}
        if self.handle is None:
            self.handle = self.display(drawn, raw=True, display_id=True)
        else:
            self.handle.update(drawn, raw=True)

    def end(self, text: str) -> None:
        """Advance the bar by one epoch."""
        self.done += 1
        self.show(text)

    def note(self, text: str) -> None:
        """Show the message beside the bar."""
        self.show(text)


def notebook_display() -> Any:
    """Return IPython's ``display`` in a notebook kernel, else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return import_module("IPython.display").display


def chosen(progress: bool | None) -> Progress:
    """Return the display: a bar (True), nothing (False), or a bar only in a terminal or notebook (None)."""
    if progress is False:
        return Progress()
    display = notebook_display()
    if display is not None:
        return NotebookBar(display)
    if progress is None and not sys.stderr.isatty():
        return Lines()
    try:
        return Bar(require("tqdm", extra="demo"))
    except MissingExtra:
        if progress:
            raise
        return Lines()
