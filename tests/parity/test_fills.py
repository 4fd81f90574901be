"""Python numbers reach every dtype unchanged, by every way of creating, filling and writing, or are refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
DTYPES = ("bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64")
NUMBERS = (0.1, -0.7, 1e40, 1e-60, 300, -1, -300, 2.5, 70000.0, 2**40, 2**53 + 1, float("inf"), float("nan"), True)


def dtype_of(lib: Any, name: str) -> Any:
    return getattr(lib, name)


def zeros(lib: Any, dtype: str) -> Any:
    return lib.zeros(2, 2, dtype=dtype_of(lib, dtype))


def write(t: Any, index: Any, value: Any) -> Any:
    t[index] = value
    return t


WAYS: dict[str, Any] = {
    "full": lambda lib, d, v: lib.full((2, 2), v, dtype=dtype_of(lib, d)),
    "full_like": lambda lib, d, v: lib.full_like(zeros(lib, d), v),
    "new_full": lambda lib, d, v: zeros(lib, d).new_full((2,), v),
    "tensor": lambda lib, d, v: lib.tensor([v], dtype=dtype_of(lib, d)),
    "new_tensor": lambda lib, d, v: zeros(lib, d).new_tensor([v]),
    "fill_": lambda lib, d, v: zeros(lib, d).fill_(v),
    "fill_diagonal_": lambda lib, d, v: zeros(lib, d).fill_diagonal_(v),
    "number index": lambda lib, d, v: write(zeros(lib, d), 0, v),
    "slice": lambda lib, d, v: write(zeros(lib, d), (slice(None), 0), v),
    "ellipsis": lambda lib, d, v: write(zeros(lib, d), ..., v),
    "list": lambda lib, d, v: write(zeros(lib, d), [0, 1], v),
    "mask": lambda lib, d, v: write(zeros(lib, d), zeros(lib, d) == 0, v),
    "index tensor": lambda lib, d, v: write(zeros(lib, d), lib.tensor([1]), v),
    "masked_fill": lambda lib, d, v: zeros(lib, d).masked_fill(zeros(lib, d) == 0, v),
    "masked_fill_": lambda lib, d, v: zeros(lib, d).masked_fill_(zeros(lib, d) == 0, v),
    "index_fill": lambda lib, d, v: zeros(lib, d).index_fill(0, lib.tensor([0]), v),
    "scatter": lambda lib, d, v: zeros(lib, d).scatter(0, lib.tensor([[0, 1]]), v),
    "pad": lambda lib, d, v: lib.nn.functional.pad(zeros(lib, d), (1, 0), value=v),
    "constant_": lambda lib, d, v: lib.nn.init.constant_(zeros(lib, d), v),
}
UNCHECKED = ("pad", "constant_")
"""Ways that are compared where both accept the number."""


def outcome(call: Any, lib: Any, dtype: str, value: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call(lib, dtype, value).numpy()
        except (RuntimeError, TypeError, ValueError, OverflowError) as error:
            return error


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", WAYS)
def test_numbers_arrive_as_in_pytorch(way: str, dtype: str) -> None:
    for value in NUMBERS:
        if way == "pad" and value == 2**53 + 1:
            continue  # PyTorch takes it through a float
        theirs, ours = (outcome(WAYS[way], lib, dtype, value) for lib in (torch, tl))
        if isinstance(theirs, Exception):
            assert way in UNCHECKED or isinstance(ours, Exception), f"{value}: PyTorch raises {theirs!r}, ours {ours}"
            continue
        assert not isinstance(ours, Exception), f"{value}: {ours!r}, PyTorch {theirs}"
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs, err_msg=str(value))


LISTS: dict[str, Any] = {
    "one-element tensors": lambda lib: [lib.tensor([1.0]), lib.tensor([2.0])],
    "0-d tensors": lambda lib: [[lib.tensor(1)], [lib.tensor(2.5)]],
    "an integer tensor and a float": lambda lib: [lib.tensor(1), 2.5],
    "a double and a float": lambda lib: [lib.tensor(1.0, dtype=lib.float64), 2.5],
    "bool and int": lambda lib: [lib.tensor(True), 2],
    "deep": lambda lib: [[lib.tensor([[1]])], [lib.tensor(2)]],
    "NumPy's numbers": lambda lib: [np.float32(2.5), 1.0],
    "a float before NumPy's": lambda lib: [1.0, np.float64(2.5)],
    "arrays": lambda lib: [np.array([1.0, 2.0])],
    "numbers": lambda lib: [True, 2, 3.0],
    "longer tensors": lambda lib: [lib.tensor([1.0, 2.0])],
    "an empty tensor": lambda lib: (lib.tensor([]),),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy")
@pytest.mark.parametrize("maker", ["tensor", "as_tensor", "FloatTensor", "LongTensor"])
def test_lists_become_tensors_as_in_pytorch(name: str, maker: str) -> None:
    if maker == "LongTensor" and "2." in str(LISTS[name](tl)):
        return  # PyTorch refuses some of the floats that it truncates elsewhere
    theirs, ours = (outcome(lambda lib, *_: getattr(lib, maker)(LISTS[name](lib)), lib, "", 0) for lib in (torch, tl))
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), f"PyTorch raises {theirs!r}, ours gives {ours}"
    else:
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("maker", ["Tensor", "FloatTensor", "DoubleTensor", "LongTensor", "IntTensor", "BoolTensor"])
def test_older_constructors(maker: str) -> None:
    for args in ((), (0,), (2, 0), ([],), ([[]],), ([1, 0],), ((1, 0),)):
        theirs, ours = (getattr(lib, maker)(*args) for lib in (torch, tl))
        assert (tuple(ours.shape), str(ours.dtype)[-5:]) == (tuple(theirs.shape), str(theirs.dtype)[-5:]), args
    assert getattr(tl, maker)(tl.ones(2, 3).shape).shape == (2, 3)
