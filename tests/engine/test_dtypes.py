"""dtype objects: PyTorch's attributes, NumPy's dtypes both ways, and the older tensor types."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

NAMES = ("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")


@pytest.mark.parametrize("name", NAMES)
def test_a_dtype_answers_both_worlds(name: str) -> None:
    d, theirs = getattr(tl, name), np.dtype(name)
    x = tl.zeros(2, dtype=d)
    assert x.dtype is d and isinstance(d, tl.dtype) and tl.dtype(name) is d
    assert d == theirs and theirs == d and d == theirs.type and theirs.type == d and hash(d) == hash(theirs)
    assert {theirs: 1}[d] == {d: 1}[theirs] == 1 and d in (theirs,) and d != np.dtype("complex64") and d != None  # noqa: E711
    assert np.zeros(2, d).dtype == theirs and np.ones(2).astype(d).dtype == theirs and np.dtype(d) is theirs
    assert d.itemsize == theirs.itemsize and d.is_floating_point == (theirs.kind == "f") and not d.is_complex
    assert d.kind == theirs.kind and d.name == name and d.type is theirs.type and d.char == theirs.char
    assert np.issubdtype(d, np.floating) == d.is_floating_point and np.can_cast(d, d)
    assert str(d) == repr(d) == f"{d}" == f"torch.{name}"
    assert copy.deepcopy(d) is d and pickle.loads(pickle.dumps(d)) is d
    if d.is_floating_point:
        assert tl.finfo(d).eps == np.finfo(theirs).eps
    for way in (d, theirs, name, f"torch.{name}", theirs.type):
        assert tl.zeros(1).to(way).dtype is tl.zeros(1, dtype=way).dtype is d


def test_like_pytorch() -> None:
    torch = pytest.importorskip("torch")
    for name in NAMES:
        ours, theirs = getattr(tl, name), getattr(torch, name)
        assert str(ours) == str(theirs)
        for word in ("itemsize", "is_floating_point", "is_complex", "is_signed"):
            assert getattr(ours, word) == getattr(theirs, word), (name, word)
        assert tl.zeros(1, dtype=ours).type() == torch.zeros(1, dtype=theirs).type()


OLD = {
    "Float": "float32", "Double": "float64", "Half": "float16", "Byte": "uint8", "Char": "int8", "Short": "int16",
    "Int": "int32", "Long": "int64", "Bool": "bool",
}  # fmt: skip


@pytest.mark.parametrize(("old", "name"), OLD.items())
def test_older_tensor_types(old: str, name: str) -> None:
    kind: Any = getattr(tl, f"{old}Tensor")
    assert kind([1, 0]).tolist() == [1, 0] and kind([1, 0]).dtype == name
    assert kind(2, 3).shape == (2, 3) and kind().shape == (0,) and kind(2, device="cpu").dtype == name
    x = tl.zeros(2, dtype=name)
    assert isinstance(x, kind) and not isinstance(x, tl.IntTensor if name != "int32" else tl.LongTensor)
    assert x.type() == f"torch.{old}Tensor"
    for way in (kind, f"torch.{old}Tensor", f"{old}Tensor", getattr(tl, name)):
        assert tl.ones(2).type(way).dtype == name


def test_wrong_dtypes_are_refused() -> None:
    for wrong in ("complex64", "S3", "object", "torch.float128x", "QuantTensor", 3, print):
        with pytest.raises(TypeError, match="dtype"):
            tl.zeros(2, dtype=wrong)
