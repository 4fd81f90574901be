"""The dtype of every combination of two arguments is PyTorch's: tensors with axes before 0-d ones before numbers."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
NUMBERS = (True, 2, 1.5)
FUNCTIONS: dict[str, Any] = {
    "add": lambda lib, a, b: a + b,
    "sub": lambda lib, a, b: a - b,
    "mul": lambda lib, a, b: a * b,
    "div": lambda lib, a, b: a / b,
    "pow": lambda lib, a, b: a**b,
    "floor_divide": lambda lib, a, b: a // b,
    "remainder": lambda lib, a, b: a % b,
    "eq": lambda lib, a, b: a == b,
    "lt": lambda lib, a, b: a < b,
    "and": lambda lib, a, b: a & b,
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "where": lambda lib, a, b: lib.where(lib.tensor([True, False]), a, b),
    "atan2": lambda lib, a, b: lib.atan2(a, b),
    "cat": lambda lib, a, b: lib.cat([a, b]),
    "stack": lambda lib, a, b: lib.stack([a, b]),
}
ONE: dict[str, Any] = {
    "sum": lambda lib, a: a.sum(),
    "prod": lambda lib, a: a.prod(0),
    "cumsum": lambda lib, a: a.cumsum(0),
    "amax": lambda lib, a: a.amax(),
    "argmax": lambda lib, a: a.argmax(),
    "exp": lambda lib, a: a.exp(),
    "sqrt": lambda lib, a: a.sqrt(),
    "sigmoid": lambda lib, a: a.sigmoid(),
    "neg": lambda lib, a: -a,
    "abs": lambda lib, a: a.abs(),
    "square": lambda lib, a: a.square(),
    "floor": lambda lib, a: a.floor(),
    "sign": lambda lib, a: a.sign(),
    "invert": lambda lib, a: ~a,
    "relu": lambda lib, a: a.relu(),
    "clamp": lambda lib, a: a.clamp(0, 1),
    "clamp float": lambda lib, a: a.clamp(0.5, 1.5),
    "any": lambda lib, a: a.bool().any(),
    "isnan": lambda lib, a: a.isnan(),
    "zeros_like": lambda lib, a: lib.zeros_like(a),
    "sort": lambda lib, a: a.sort().values,
    "reciprocal": lambda lib, a: a.reciprocal(),
    "erf": lambda lib, a: lib.erf(a),
    "tanh": lambda lib, a: a.tanh(),
    "ones_like": lambda lib, a: lib.ones_like(a),
    "tril": lambda lib, a: a.reshape(1, 2).tril(),
}


def outcome(call: Any, lib: Any, *args: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return str(call(lib, *args).dtype).removeprefix("torch.")
        except (RuntimeError, TypeError, ValueError) as e:
            return type(e)


def pair(dtype: str, shape: tuple[int, ...]) -> tuple[Any, Any]:
    array = np.ones(shape, dtype)
    return tl.tensor(array), torch.from_numpy(array)


def agree(theirs: Any, ours: Any, *dtypes: Any) -> bool:
    if "bool" in dtypes and (isinstance(theirs, type) or ours == "int8"):
        return True  # NumPy's arithmetic of bools, where PyTorch has none or a bool
    if isinstance(theirs, type) or isinstance(ours, type):
        return isinstance(theirs, type) and isinstance(ours, type) and issubclass(ours, (RuntimeError, TypeError))
    return bool(theirs == ours)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_two_arguments(name: str) -> None:
    call = FUNCTIONS[name]
    wrong = []
    for a, b in itertools.product(DTYPES, DTYPES):
        for shapes in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):
            if name in ("cat", "stack") and () in shapes:
                continue
            (x, s), (y, t) = pair(a, shapes[0]), pair(b, shapes[1])
            theirs, ours = outcome(call, torch, s, t), outcome(call, tl, x, y)
            if not agree(theirs, ours, a, b):
                wrong.append((a, b, shapes, theirs, ours))
    if name not in ("cat", "stack", "maximum", "atan2"):
        for a, number in itertools.product(DTYPES, NUMBERS):
            for shape in ((2,), ()):
                x, s = pair(a, shape)
                for swap in (False, True):
                    theirs = outcome(call, torch, *((number, s) if swap else (s, number)))
                    ours = outcome(call, tl, *((number, x) if swap else (x, number)))
                    if not agree(theirs, ours, a, "bool" if number is True else a):
                        wrong.append((a, number, shape, swap, theirs, ours))
    assert not wrong, f"{len(wrong)} differ: {wrong[:8]}"


@pytest.mark.parametrize("name", ONE)
def test_one_argument(name: str) -> None:
    wrong = []
    for dtype in DTYPES:
        x, s = pair(dtype, (2,))
        theirs, ours = outcome(ONE[name], torch, s), outcome(ONE[name], tl, x)
        if not agree(theirs, ours, dtype):
            wrong.append((dtype, theirs, ours))
    assert not wrong, wrong
