"""PyTorch's functions of complex numbers, for real ones: there are no complex tensors here."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.comparison import flat


@op(input=flat, kind="elementwise", promote="float", inplace=False, samples=Samples("()->()", kinks="skip"))
def angle(input: Array) -> Array:
    """Return the angle of each number in the complex plane: 0, or pi for a negative one.

    >>> import tinygrad_lite as tl
    >>> tl.angle(tl.tensor([2.0, -2.0]))
    tensor([0.0000, 3.1416])
    """
    return np.where(np.isnan(input), input, np.where(input < 0, input.dtype.type(pi), input.dtype.type(0)))


@function(method=False)
def real(input: Array) -> Array:
    """Return the real part: ``input`` itself.

    >>> import tinygrad_lite as tl
    >>> tl.real(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  2.0000])
    """
    return input


@function(method=False)
def imag(input: Array) -> Array:
    """Raise RuntimeError, as PyTorch does for real numbers."""
    raise RuntimeError("imag is not implemented for tensors with non-complex dtypes; the imaginary part is 0")


setattr(Methods, "imag", property(imag))  # noqa: B010 - Tensor inherits its methods from Methods


@function()
def conj(input: Array) -> Array:
    """Return the complex conjugate: ``input`` itself.

    >>> import tinygrad_lite as tl
    >>> tl.conj(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  2.0000])
    """
    return input


@function()
def resolve_conj(input: Array) -> Array:
    """Return ``input`` itself: conjugates are never postponed.

    >>> import tinygrad_lite as tl
    >>> tl.resolve_conj(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  2.0000])
    """
    return input


@function()
def resolve_neg(input: Array) -> Array:
    """Return ``input`` itself: negations are never postponed.

    >>> import tinygrad_lite as tl
    >>> tl.resolve_neg(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  2.0000])
    """
    return input


@op(input=lambda g: g, kind="elementwise", inplace=True, samples=Samples("()->()"))
def conj_physical(input: Array) -> Array:
    """Return a copy of ``input``, its own complex conjugate.

    >>> import tinygrad_lite as tl
    >>> tl.conj_physical(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  2.0000])
    """
    return new.array(input)


@op(kind="elementwise", inplace=False, samples=Samples("()->()"))
def isreal(input: Array) -> Array:
    """Return True for every element.

    >>> import tinygrad_lite as tl
    >>> tl.isreal(tl.tensor([1.0, -2.0]))
    tensor([True, True])
    """
    return np.logical_or(input, True)  # as every comparison, it keeps the order of the axes


# ------------------------------------------------------------------------------------------------ questions
@function()
def is_complex(input: Array) -> bool:
    """Return False.

    >>> import tinygrad_lite as tl
    >>> tl.is_complex(tl.tensor([-1.0, 0.5, 2.0]))
    False
    """
    return False


@function()
def is_conj(input: Array) -> bool:
    """Return False: conjugates are never postponed.

    >>> import tinygrad_lite as tl
    >>> tl.is_conj(tl.tensor([-1.0, 0.5, 2.0]))
    False
    """
    return False


@function()
def is_neg(input: Array) -> bool:
    """Return False: negations are never postponed.

    >>> import tinygrad_lite as tl
    >>> tl.is_neg(tl.tensor([-1.0, 0.5, 2.0]))
    False
    """
    return False


@function()
def is_signed(input: Array) -> bool:
    """Return whether the dtype can hold negative numbers.

    >>> import tinygrad_lite as tl
    >>> tl.is_signed(tl.tensor([1.0])), tl.is_signed(tl.tensor([True]))
    (True, False)
    """
    return bool(input.dtype.kind in "if")


@function()
def is_nonzero(input: Array) -> bool:
    """Return whether the one element of ``input`` is not 0; raise RuntimeError unless there is exactly one.

    >>> import tinygrad_lite as tl
    >>> tl.is_nonzero(tl.tensor([0.5]))
    True
    """
    count = int(np.prod(input.shape, dtype=np.int64))
    if count != 1:
        raise RuntimeError(f"is_nonzero: expected one element, the tensor has {count} {tuple(input.shape)}")
    return bool(input)


@function()
def is_same_size(input: Array, other: Array) -> bool:
    """Return whether two tensors have the same shape.

    >>> import tinygrad_lite as tl
    >>> tl.is_same_size(tl.tensor([3.0, 5.0]), tl.tensor([2.0, 4.0]))
    True
    """
    return tuple(input.shape) == tuple(other.shape)


def _false(name: str, why: str) -> None:
    def answer(self: Any) -> bool:
        return False

    answer.__name__ = answer.__qualname__ = name
    answer.__doc__ = f"False: {why}."
    setattr(Methods, name, property(answer))


for _name in ("is_xpu", "is_mps", "is_ipu", "is_xla", "is_mtia", "is_maia", "is_vulkan", "is_meta"):
    _false(_name, "there is only the CPU")
for _name in ("is_quantized", "is_mkldnn", "is_sparse_csr", "is_nested"):
    _false(_name, "every tensor is a plain array")
