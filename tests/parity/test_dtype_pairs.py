"""Every binary function with every pair of dtypes: the result's dtype and value are PyTorch's, or both refuse."""
# ruff: noqa: E501 - a table

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
DTYPES = ("bool", "uint8", "int16", "int64", "float16", "float32", "float64")
NUMBERS = (True, 2, 1.5)
SHAPES = (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ()))
NAMES = """add sub mul div floor_divide remainder fmod float_power maximum minimum fmax fmin atan2 hypot copysign logaddexp
xlogy eq lt isclose logical_and bitwise_and bitwise_left_shift ldexp outer inner kron""".split()
FUNCTIONS: dict[str, Any] = {n: lambda lib, a, b, n=n: getattr(lib, n)(a, b) for n in NAMES} | {
    "add with alpha": lambda lib, a, b: lib.add(a, b, alpha=2),
    "clamp": lambda lib, a, b: lib.clamp(a, b),
    "masked_fill": lambda lib, a, b: lib.masked_fill(a, lib.tensor([True, False]), b),
    "index_fill": lambda lib, a, b: lib.index_fill(a, 0, lib.tensor([0]), b),
    "scatter": lambda lib, a, b: lib.scatter(a.reshape(-1), 0, lib.tensor([0]), b),
    "fill_": lambda lib, a, b: a.clone().fill_(b),
    "setitem": lambda lib, a, b: written(a.clone(), b),
    "iadd": lambda lib, a, b: a.clone().add_(b),
    "cosine_similarity": lambda lib, a, b: lib.cosine_similarity(a, b, dim=0),
    "matmul": lambda lib, a, b: a.reshape(1, -1) @ b.reshape(-1, 1),
    "linear": lambda lib, a, b: lib.nn.functional.linear(a.reshape(1, -1), b.reshape(1, -1)),
    "conv1d": lambda lib, a, b: lib.nn.functional.conv1d(a.reshape(1, 1, -1), b.reshape(1, 1, -1)),
    "solve": lambda lib, a, b: lib.linalg.solve(a.reshape(-1, 1, 1), b.reshape(-1, 1, 1)),
    "layer_norm": lambda lib, a, b: lib.nn.functional.layer_norm(a, tuple(a.shape), b),
}
STRICT = ("matmul", "linear", "conv1d", "solve", "layer_norm")
"""Functions that must refuse what PyTorch refuses; elsewhere NumPy may know bools that PyTorch does not."""


def written(t: Any, value: Any) -> Any:
    t[...] = value
    return t


def outcome(call: Any, lib: Any, a: Any, b: Any) -> Any:
    try:
        y = call(lib, a, b)
        return str(y.dtype).removeprefix("torch."), np.asarray(y.numpy(), np.float64)
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        return error


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_pair(name: str) -> None:
    wrong = []
    for a, b, shapes in itertools.product(DTYPES, (*DTYPES, *NUMBERS), SHAPES):
        if not isinstance(b, str) and shapes[1]:
            continue
        x, y = (
            np.full(s, v).astype(d) if isinstance(d, str) else d for s, v, d in zip(shapes, (3, 2), (a, b), strict=True)
        )
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            theirs = outcome(
                FUNCTIONS[name], torch, torch.from_numpy(x), torch.from_numpy(y) if isinstance(b, str) else y
            )
            ours = outcome(FUNCTIONS[name], tl, tl.tensor(x), tl.tensor(y) if isinstance(b, str) else y)
        if isinstance(theirs, Exception):
            half = "float16" in (a, b)  # PyTorch mixes it with float32 in layers
            if name in STRICT and not isinstance(ours, Exception) and "bool" not in (a, b) and a != b and not half:
                wrong.append((a, b, shapes, theirs, ours))
        elif isinstance(ours, Exception) or ours[0] != theirs[0] or not np.allclose(ours[1], theirs[1], rtol=2e-3):
            if not (name == "layer_norm" and a != b):
                wrong.append((a, b, shapes, theirs, ours))
    assert not wrong, f"{len(wrong)} differ: {wrong[:4]}"
