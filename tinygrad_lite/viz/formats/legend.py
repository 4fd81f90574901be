"""Where the entries of the legend stand below a picture."""

from __future__ import annotations

from tinygrad_lite.viz.layout.measure import text_width
from tinygrad_lite.viz.scene.colour import Colouring

ROW = 20
"""The height of one row of entries."""


def places(colouring: Colouring, width: float, top: float) -> list[tuple[str, str, float, float]]:
    """Return (class, words, x, y) of each entry, in rows of at most ``width``."""
    out = []
    x, y = 16.0, top + 4
    for name, words in colouring.entries():
        if x + entry_width(words) > width and x > 16:
            x, y = 16.0, y + ROW
        out.append((name, words, x, y))
        x += entry_width(words)
    return out


def entry_width(words: str) -> float:
    """Return the width of one entry with its colour sample."""
    return 24 + text_width(words) + 14
