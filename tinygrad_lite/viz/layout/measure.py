"""The width of text without a font: an upper estimate for the usual sans-serif faces."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

# widths of the printable ASCII characters in 1/100 of the font size
ASCII = (
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
    84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61,
    69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59,
    82, 59, 59, 52, 64, 34, 64, 84,
)  # fmt: skip

HEAD, BODY, LINE = 12.0, 10.5, 15.0
PAD_X, PAD_Y = 10.0, 5.0
BOLD, MONO = 1.1, 0.61
LEAST = 44.0


def text_width(text: str, size: float = BODY, role: str = "") -> float:
    """Return the width of ``text``: bold for the role head, monospace for the role value.

    >>> text_width("") == 0.0 and text_width("iii") < text_width("www")
    True
    """
    if role == "value":
        return size * MONO * len(text)
    total = 0
    for c in text:
        code = ord(c)
        if 32 <= code < 127:
            total += ASCII[code - 32]
        else:
            total += 0 if unicodedata.combining(c) else 102 if unicodedata.east_asian_width(c) in "WF" else 84
    return size * total / 100 * (BOLD if role in ("head", "mark") else 1.0)


def box_size(lines: Sequence[tuple[str, str]], arguments: int = 0) -> tuple[float, float]:
    """Return width and height of a box with these (text, role) lines and ``arguments`` edges into it."""
    width = max((text_width(t, HEAD if role == "head" else BODY, role) for t, role in lines), default=0.0)
    width = max(width + 2 * PAD_X, LEAST, 14.0 * min(arguments, 12) + 12)
    return round(width, 1), LINE * len(lines) + 2 * PAD_Y
