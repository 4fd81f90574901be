"""Short texts for shapes, dtypes, numbers, sizes, times and options."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.errors import visible

PAD = "\u00a0"
"""A no-break space: SVG keeps it, so columns of numbers stay aligned."""

DTYPES = {"float": "f", "int": "i", "uint": "u", "complex": "c"}


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as Python writes it.

    >>> shape_text((4, 5)), shape_text((3,)), shape_text(())
    ('(4, 5)', '(3,)', '()')
    """
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def dtype_text(dtype: str) -> str:
    """Return ``f32`` for ``float32`` and so on.

    >>> dtype_text("float32"), dtype_text("int64"), dtype_text("bool")
    ('f32', 'i64', 'bool')
    """
    name = dtype.rstrip("0123456789")
    return DTYPES[name] + dtype[len(name) :] if name in DTYPES and len(name) < len(dtype) else dtype


def number_text(x: float, digits: int = 4) -> str:
    """Return a number in a few characters; NaN and infinities by name.

    >>> number_text(0.693147), number_text(2.0), number_text(1.2e-12), number_text(float("nan"))
    ('0.6931', '2', '1.2e-12', 'nan')
    """
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x))
    if isinstance(x, (int, np.integer)):
        return str(int(x))
    x = float(x)
    if not math.isfinite(x):
        return str(x)
    if x == int(x) and abs(x) < 1e6:
        return str(int(x))
    text = f"{x:.{digits}g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def count_text(n: float, unit: str = "") -> str:
    """Return a count with a thousands letter: exact below 10,000.

    >>> count_text(1234), count_text(1234567), count_text(3e9, "FLOP")
    ('1,234', '1.23 M', '3 GFLOP')
    """
    if n < 10_000:
        return f"{int(n):,}{' ' + unit if unit else ''}"
    power = min(int(math.log10(n)) // 3, 6)
    return f"{n / 1000**power:.3g} {' kMGTPE'[power]}{unit}"


def bytes_text(n: int) -> str:
    """Return a size in bytes with its unit, in powers of 1024.

    >>> bytes_text(512), bytes_text(2048), bytes_text(3 * 2**20)
    ('512 B', '2.0 KiB', '3.0 MiB')
    """
    if n < 1024:
        return f"{n} B"
    power = min((n.bit_length() - 1) // 10, 4)
    return f"{n / 1024**power:.1f} {'KMGT'[power - 1]}iB"


def time_text(seconds: float) -> str:
    """Return a duration with its unit.

    >>> time_text(3.2e-5), time_text(0.0123), time_text(1.5)
    ('32 µs', '12.3 ms', '1.5 s')
    """
    for factor, unit in ((1e6, "µs"), (1e3, "ms")):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def option_text(value: Any) -> str:
    """Return one option of an op in a few characters.

    >>> option_text((1, 1)), option_text(slice(None, None, 2)), option_text((slice(None), 0, Ellipsis))
    ('(1, 1)', '::2', '[:, 0, ...]')
    """
    if isinstance(value, slice):
        parts = ["" if v is None else str(v) for v in (value.start, value.stop, value.step)]
        return ":".join(parts if parts[2] else parts[:2])
    if value is Ellipsis:
        return "..."
    if isinstance(value, tuple) and value and all(hasattr(step, "op") and hasattr(step, "options") for step in value):
        return "".join(map(step_text, value))  # the path to a region that is written in place
    if isinstance(value, np.ndarray):
        return f"array{shape_text(value.shape)}" if value.size > 6 else str(value.tolist())
    if isinstance(value, np.dtype) or isinstance(value, type) and issubclass(value, np.generic):
        return str(np.dtype(value))
    if isinstance(value, (tuple, list)):
        indexing = any(isinstance(v, slice) or v is Ellipsis for v in value)
        inside = ", ".join(map(option_text, value)) + ("," if len(value) == 1 and isinstance(value, tuple) else "")
        return f"[{inside}]" if indexing or isinstance(value, list) else f"({inside})"
    if isinstance(value, (float, int, np.number, np.bool_)):
        return number_text(value)  # type: ignore[arg-type]
    text = value if isinstance(value, str) else getattr(value, "__name__", None) or ADDRESS.sub("", repr(value))
    return text if len(text) <= 40 else text[:37] + "..."


def step_text(step: Any) -> str:
    """Return one view on the way to a region: an index in brackets, or the name of an op with its options."""
    if step.op.name != "getitem":
        return f".{step.op.name}({', '.join(map(option_text, step.options))})"
    text = option_text(step.options[0])
    if text.startswith("("):
        text = text[1:-1]
    return text if text.startswith("[") else f"[{text}]"


def exact_text(value: Any, dtype: str = "") -> str:
    """Return one option as Python writes it, with all its digits.

    >>> exact_text(0.1 + 0.2), exact_text(float(np.float32(0.1)), "float32"), exact_text((slice(1, None), 0.25))
    ('0.30000000000000004', '0.1', '[1:, 0.25]')
    """
    if isinstance(value, (tuple, list)) and not any(hasattr(v, "options") for v in value):
        indexing = any(isinstance(v, slice) or v is Ellipsis for v in value)
        inside = ", ".join(map(exact_text, value)) + ("," if len(value) == 1 and isinstance(value, tuple) else "")
        return f"[{inside}]" if indexing or isinstance(value, list) else f"({inside})"
    if isinstance(value, np.generic):
        value, dtype = value.item(), str(value.dtype)
    if isinstance(value, float):
        kind = np.dtype(dtype) if dtype.startswith("float") else np.dtype("float64")
        text = str(kind.type(value))
        return text.removesuffix(".0") if abs(value) < 1e6 else text
    if isinstance(value, np.ndarray) and value.size <= 64:
        return str(value.tolist())
    return str(value) if isinstance(value, int) else option_text(value)


NUMBER = re.compile(r"\d+")


def series(texts: Sequence[str]) -> str:
    """Return several texts as one, with the numbers that differ in braces.

    >>> series(["a.0.w", "a.1.w", "a.2.w"]), series(["x"] * 3), series(["[0, :]", "[2, :]", "[4, :]", "[6, :]"])
    ('a.{0…2}.w', 'x', '[{0, 2…6}, :]')
    >>> series(["p", "q"])
    '{p | q}'
    """
    if len(set(texts)) == 1:
        return texts[0]
    frames = {NUMBER.sub("#", text) for text in texts}
    if len(frames) == 1 and "#" not in NUMBER.sub("", texts[0]):
        out, at = [], 0
        columns = zip(*(map(int, NUMBER.findall(text)) for text in texts), strict=True)
        for found, column in zip(NUMBER.finditer(texts[0]), columns, strict=True):
            stride = column[1] - column[0]
            if any(n != column[0] + k * stride for k, n in enumerate(column)):
                break
            second = "" if stride in (0, 1) else f", {column[1]}"
            out += [texts[0][at : found.start()], found[0] if not stride else f"{{{column[0]}{second}…{column[-1]}}}"]
            at = found.end()
        else:
            return "".join(out) + texts[0][at:]
    return f"{{{' | '.join(texts)}}}"


SPOKEN = {
    "conv": "conv#d", "conv_input": "conv_transpose#d", "max_pool": "max_pool#d", "sum_pool": "sum_pool#d",
    "normalise_batch": "batch_norm", "normalise_known": "batch_norm",
    "cross_entropy_index": "cross_entropy", "gelu_exact": "gelu", "gelu_tanh": "gelu",
    "bce_logits": "binary_cross_entropy_with_logits", "lstm_steps": "lstm", "gru_steps": "gru",
    "rnn_steps": "rnn", "euclidean": "cdist",
    "cast": "to", "rows": "embedding", "window_max": "max_pool#d",
}  # fmt: skip
"""What users call an op whose registered name is another; ``#`` is the number of spatial axes."""


def spoken(node: Any) -> str:
    """Return the name of an op that users know.

    >>> from tinygrad_lite.viz.model import GraphNode
    >>> spoken(GraphNode("conv.1", "op", op="conv", shape=(4, 5, 6, 6))), spoken(GraphNode("a", "op", op="add"))
    ('conv2d', 'add')
    """
    known = SPOKEN.get(node.op)
    if known is None:
        return plain(node.op)
    axes = max(len(node.shape) - 2, 0)
    return known.replace("#d", f"{axes}d" if axes else "")


def options_text(attrs: Mapping[str, Any], sep: str = " ") -> str:
    """Return ``name=value`` of each option.

    >>> options_text({"dim": 1, "keepdim": True})
    'dim=1 keepdim=True'
    """
    return sep.join(f"{name}={option_text(value)}" for name, value in attrs.items())


def plain(text: str) -> str:
    """Return ``text`` on one line, control characters as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == PAD else " " if c.isspace() else visible(c) for c in text)
