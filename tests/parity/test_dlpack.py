"""Memory goes to and comes from NumPy and PyTorch without a copy."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.utils.dlpack import from_dlpack, to_dlpack

torch = pytest.importorskip("torch")
DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


@pytest.mark.parametrize("dtype", DTYPES)
def test_pytorch_shares_the_memory_of_our_tensor(dtype: str) -> None:
    ours = tl.ones(2, 3, dtype=getattr(tl, dtype)).T
    theirs = torch.from_dlpack(ours)
    assert theirs.shape == (3, 2) and theirs.stride() == (1, 3)
    theirs[0, 0] = 0
    assert ours[0, 0].item() == 0
    assert torch.asarray(ours).tolist() == ours.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_we_share_the_memory_of_theirs(dtype: str) -> None:
    theirs = torch.ones(2, 3, dtype=getattr(torch, dtype)).T
    for ours in (from_dlpack(theirs), from_dlpack(torch.utils.dlpack.to_dlpack(theirs)), tl.asarray(theirs)):
        assert ours.shape == (3, 2) and str(ours.dtype) == str(theirs.dtype)
        theirs[0, 0] = 0
        assert ours[0, 0].item() == 0
        ours[0, 0] = 1
        assert theirs[0, 0].item() == 1


def test_numpy_shares_too() -> None:
    t = tl.arange(3.0)
    np.from_dlpack(t)[...]
    assert np.shares_memory(np.from_dlpack(t), t.array)
    a = np.arange(3.0)
    assert from_dlpack(a).array is a or np.shares_memory(from_dlpack(a).array, a)
    assert from_dlpack(to_dlpack(t)).tolist() == [0, 1, 2]
    assert not np.shares_memory(tl.from_dlpack(a, copy=True).array, a)


@pytest.mark.parametrize("lib", [tl, torch], ids=["ours", "theirs"])
def test_a_tensor_that_requires_gradients_is_not_exported(lib: Any) -> None:
    for call in (np.from_dlpack, lib.from_dlpack, torch.from_dlpack):
        with pytest.raises(BufferError, match="require gradient"):
            call(lib.ones(2, requires_grad=True))


def test_no_dlpack() -> None:
    with pytest.raises(AttributeError, match="__dlpack__"):
        tl.from_dlpack([1.0])


def test_asarray_shares_or_raises() -> None:
    a = np.zeros(2)
    tl.asarray(a).add_(1)
    assert a.tolist() == [1, 1]
    with pytest.raises(ValueError, match="alias"):
        tl.asarray(a, dtype=tl.float32, copy=False)
    assert tl.asarray(a, requires_grad=True).requires_grad
    assert tl.asarray(bytearray(4), dtype=tl.uint8).tolist() == [0] * 4


def test_jax_shares_and_copies() -> None:
    jnp = pytest.importorskip("jax.numpy")
    ours = tl.arange(6.0).reshape(2, 3)
    for there in (jnp.from_dlpack(ours), jnp.asarray(ours), jnp.array(ours.T), jnp.asarray(ours > 1)):
        np.testing.assert_array_equal(
            there, ours.T if there.shape == (3, 2) else ours > 1 if there.dtype == bool else ours
        )
    theirs = jnp.arange(3.0)
    for call in (tl.from_dlpack, tl.asarray, tl.tensor, tl.as_tensor):
        np.testing.assert_array_equal(call(theirs), [0, 1, 2])
    with pytest.raises(RuntimeError, match="detach"):
        jnp.asarray(tl.ones(2, requires_grad=True))


def test_pytorchs_tensors_stay_data_where_other_classes_are_asked() -> None:
    """PyTorch's classes have `__torch_function__`, which would call ours again, without an end."""
    code = (
        "import torch, tinygrad_lite as tl\n"
        "class Asked:\n"
        "    @classmethod\n"
        "    def __torch_function__(cls, func, types, args=(), kwargs=None):\n"
        "        return 7\n"
        "assert tl.add(Asked(), 1) == 7\n"
        "for given in torch.ones(2, 3), torch.nn.Parameter(torch.ones(2, 3)).data:\n"
        "    assert tl.from_dlpack(given).shape == tl.asarray(given).shape == tl.add(given, 1).shape == (2, 3)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
