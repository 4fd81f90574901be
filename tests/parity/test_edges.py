"""Calls at the edge (nothing, one number, 0-d tensors, ignored targets, NaN): both libraries answer alike, or refuse.

The calls stand in the tables `edges_*.py`, one a line. ``T`` is the library, ``F`` its nn.functional, ``G(f, *values)``
the gradients of the sum of ``f``.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.parity import edges_gradients, edges_layers, edges_reductions

torch = pytest.importorskip("torch")
CALLS = [
    line for table in (edges_reductions, edges_layers, edges_gradients) for line in table.CALLS.strip().splitlines()
]
GROUPS = 40


def plain(y: Any) -> Any:
    """Return an answer in comparable form: shapes, dtypes and numbers."""
    if hasattr(y, "detach"):
        array = np.asarray(y.detach().numpy())
        return (array.dtype.name, array.shape, array.astype(float).tolist())
    if isinstance(y, (tuple, list)):
        return [plain(part) for part in y]
    return y if isinstance(y, (int, float, bool)) else str(y).removeprefix("torch.")


def gradients(lib: Any, f: Any, values: Any) -> list[Any]:
    leaves = [lib.tensor(v, dtype=lib.float32, requires_grad=True) for v in values]
    y = f(*leaves)
    (y[0] if isinstance(y, tuple) else y).sum().backward()
    return [None if leaf.grad is None else leaf.grad.tolist() for leaf in leaves]


def answer(call: str, lib: Any) -> tuple[Any, Exception | None, bool]:
    """Return (result, error, whether the library warned about degrees of freedom or a target's shape)."""
    names = {
        "T": lib, "F": lib.nn.functional, "nan": float("nan"), "inf": float("inf"), "e": lib.empty(0),
        "e2": lib.empty(0, 3),
        "G": lambda f, *values: gradients(lib, f, values), "x": lib.tensor([[1.0, 5.0, 2.0], [3.0, 0.0, 9.0]]),
    }  # fmt: skip
    with warnings.catch_warnings(record=True) as seen, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        try:
            y, error = plain(eval(call, names)), None
        except Exception as e:
            y, error = None, e
    said = any(word in str(w.message) for w in seen for word in ("freedom", "target"))
    return y, error, said


def close(a: Any, b: Any) -> bool:
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return bool(np.isclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True))
    return bool(a == b)


@pytest.mark.parametrize("group", range(GROUPS))
def test_edges(group: int) -> None:
    wrong = []
    for call in CALLS[group::GROUPS]:
        (theirs, refused, warned), (ours, failed, said) = answer(call, torch), answer(call, tl)
        if refused is not None or failed is not None:
            if refused is None or failed is None:
                wrong.append((call, refused or theirs, failed or ours))
        elif not close(theirs, ours):
            wrong.append((call, theirs, ours))
        elif warned and not said:
            wrong.append((call, "PyTorch warns", "no warning"))
    assert not wrong, wrong


def test_the_tables_are_long() -> None:
    assert len(CALLS) > 700
    assert sum(answer(call, torch)[1] is None for call in CALLS) > 600
