"""Names for a constant ratio between a wrong gradient and the right one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from tinygrad_lite.testing.point import Array


def factor(r: float, arrays: Sequence[Array], options: dict[str, Any]) -> list[tuple[str, str]]:
    """(key, text) for everything that the ratio may be; one entry with the bare number if nothing fits."""
    found = [
        (f"factor {key}", f"the factor {text}")
        for key, text, value in _candidates(arrays, options)
        if abs(r - value) < 1e-3 * abs(value)
    ]
    return found or [(f"factor {r:.3g}", f"a constant factor {r:.4g}")]


def _candidates(arrays: Sequence[Array], options: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    yield "-1", "-1 (sign)", -1.0
    yield "2", "2", 2.0
    yield "1/2", "1/2", 0.5
    yield "-2", "-2", -2.0
    for k, val in options.items():
        if isinstance(val, (int, float)) and not isinstance(val, bool) and val != 0:
            now = f"option {k} = {val}"
            for name, value in (
                (k, float(val)),
                (f"1/{k}", 1 / val),
                (f"-{k}", -float(val)),
                (f"{k} squared", float(val) ** 2),
                (f"1/{k} squared", 1 / float(val) ** 2),
                (f"1 - {k}", 1 - float(val)),
                (f"1/(1 - {k})", 1 / (1 - val) if val != 1 else math.nan),
            ):
                if value not in (0.0, 1.0):
                    yield f"option {name}", f"{name}, {now}", value
    for j, a in enumerate(arrays):
        sizes = [("shape", f"shape of input {j}[{ax}]", n) for ax, n in enumerate(a.shape)]
        sizes += [("size", f"size of input {j}", a.size)]
        sizes += [
            ("rest", f"axes of input {j} but {ax}", a.size // n) for ax, n in enumerate(a.shape) if n > 1 < a.ndim
        ]
        for kind, what, n in sizes:
            if n > 1:
                yield f"n {kind}", f"{n} = {what}: a sum where a mean is meant", n
                yield f"1/n {kind}", f"1/{n}, {what}: divided by a count once too often", 1 / n
                yield f"root {kind}", f"sqrt({n}), {what}", math.sqrt(n)
                yield f"1/root {kind}", f"1/sqrt({n}), {what}", 1 / math.sqrt(n)
                yield f"ddof {kind}", f"{n - 1}/{n}, {what} (ddof)", (n - 1) / n
                yield f"1/ddof {kind}", f"{n}/{n - 1}, {what} (ddof)", n / (n - 1)
