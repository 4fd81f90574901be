"""Text form of tensors, the same as PyTorch's, and tables for notebooks."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype
from tinygrad_lite.errors import visible


@dataclass
class Options:
    """Digits after the point, elements before shortening, elements kept at each end, characters per line."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


OPTIONS = Options()
PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=inf),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose how tensors are shown; ``profile`` is "default", "short" or "full", the others change single options.

    >>> import tinygrad_lite as tl
    >>> tl.set_printoptions(precision=2)
    >>> print(tl.tensor(1 / 3))
    tensor(0.33)
    >>> tl.set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in PROFILES:
            raise ValueError(f"set_printoptions: profile must be one of {', '.join(PROFILES)}, got {profile!r}")
        vars(OPTIONS).update(vars(PROFILES[profile]))
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    vars(OPTIONS).update({k: v for k, v in given.items() if v is not None}, sci_mode=sci_mode)


class Shown:
    """Formats elements in one width and in the notation that suits all of ``array``."""

    def __init__(self, array: Any) -> None:
        self.floating = array.dtype.kind == "f"
        self.whole, self.scientific, self.width = True, False, 1
        if not self.floating:
            self.width = max((len(str(v)) for v in array.ravel().tolist()), default=1)
            return
        seen = array[np.isfinite(array) & (array != 0)].astype(np.float64)
        if not seen.size:
            return
        size = np.abs(seen)
        self.whole = bool((seen == np.ceil(seen)).all())
        small, big = float(size.min()), float(size.max())
        self.scientific = big / small > 1000 or big > 1e8 or (not self.whole and small < 1e-4)
        if OPTIONS.sci_mode is not None:
            self.scientific = OPTIONS.sci_mode
        self.width = max(len(self.bare(v)) for v in seen)

    def bare(self, v: Any) -> str:
        """Return one element without padding."""
        if not self.floating:
            return str(v)
        if self.scientific:
            return f"{v:.{OPTIONS.precision}e}"
        if self.whole:
            return f"{v:.0f}." if np.isfinite(v) else f"{v:.0f}"
        return f"{v:.{OPTIONS.precision}f}"

    def __call__(self, v: Any) -> str:
        """Return one element, padded on the left."""
        return self.bare(v).rjust(self.width)


def summary(array: Any) -> Any:
    """Return the corners of ``array`` that are shown when it is shortened."""
    for axis in range(array.ndim):
        n, edge = array.shape[axis], OPTIONS.edgeitems
        if n > 2 * edge:
            array = np.take(array, [*range(edge), *range(n - edge, n)], axis)
    return array


def brackets(array: Any, indent: int, short: bool, shown: Shown) -> str:
    """Return the elements as nested brackets."""
    if not array.ndim:
        return shown(array.item())
    edge = OPTIONS.edgeitems
    cut = short and array.shape[0] > 2 * edge
    if array.ndim == 1:
        per_line = max(1, (OPTIONS.linewidth - indent) // (shown.width + 2))
        parts = [shown(v) for v in (array[:edge].tolist() if cut else array.tolist())]
        if cut:
            parts += [" ...", *(shown(v) for v in array[-edge:].tolist())]
        lines = [", ".join(parts[i : i + per_line]) for i in range(0, len(parts), per_line)] or [""]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    rows = list(array[:edge]) if cut else list(array)
    inner = [brackets(r, indent + 1, short, shown) for r in rows]
    if cut:
        inner += ["...", *(brackets(r, indent + 1, short, shown) for r in array[-edge:])]
    between: str = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + between.join(inner) + "]"


def numbers(array: Any, indent: int = 7) -> str:
    """Return the elements as nested brackets, long axes shortened."""
    if not array.size:
        return "[]"
    short = array.size > OPTIONS.threshold
    return brackets(array, indent, short, Shown(summary(array) if short else array))


def show(t: Any) -> str:
    """Return ``repr(t)``."""
    array = t.array
    notes = []
    if not array.size and array.ndim != 1:
        notes.append(f"size={tuple(array.shape)}")
    usual = (get_default_dtype(),) if not array.size else (get_default_dtype(), np.int64, np.bool_)
    if array.__class__ in new.KINDS:
        notes.append(f"device='{t.device}'")
        array = new.KINDS[array.__class__].host(array)
    if array.dtype not in usual:
        notes.append(f"dtype={array.dtype}")
    if t.node is not None:
        notes.append(f"grad_fn=<{visible(t.node.name())}>")
    elif t.tracked:
        notes.append("requires_grad=True")
    word = "tensor" if type(t).__module__.startswith("tinygrad_lite.") else type(t).__name__
    text: str = f"{word}(" + numbers(array, len(word) + 1)
    used = len(text) - text.rfind("\n") + 1
    for note in notes:
        if used + len(note) + 2 > OPTIONS.linewidth:
            text += ",\n" + " " * (len(word) + 1) + note
            used = len(word) + 1 + len(note)
        else:
            text += ", " + note
            used += len(note) + 2
    return text + ")"


Tensor.__repr__ = show  # type: ignore[method-assign]


def html_table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: Container[int] = (0,)) -> str:
    """Return a table as HTML in the colours of the page around it; the columns in ``left`` are aligned left.

    >>> html_table(["a", "n"], [["<x>", "1"]]).split("\\n")[3]
    '<tr><td style="text-align:left">&lt;x&gt;</td><td style="text-align:right">1</td></tr>'
    """
    from html import escape  # here: its table of entities would cost a millisecond of every import of the package

    def row(tag: str, cells: Sequence[str]) -> str:
        sides = ("text-align:left" if i in left else "text-align:right" for i in range(len(cells)))
        inside = (f'<{tag} style="{side}">{escape(c)}</{tag}>' for side, c in zip(sides, cells, strict=True))
        return f"<tr>{''.join(inside)}</tr>"

    body = "\n".join(row("td", cells) for cells in rows)
    return f"<table>\n<thead>{row('th', heads)}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
