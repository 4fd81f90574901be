"""Fused combinations of three operands: `lerp`, `addcmul` and `addcdiv`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.promotion import result_dtype
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.arithmetic import add, div, mul
from tinygrad_lite.ops.elementwise.cast import to


@op(
    input=lambda g, weight: g * (1 - weight), end=lambda g, weight: g * weight,
    weight=lambda g, input, end: g * (end - input),
    kind="elementwise", promote="same", samples=Samples("(),(),()->()"),
)  # fmt: skip
def lerp(input: Array, end: Array, weight: Array) -> Array:
    """Return ``input + weight * (end - input)``, exact at both ends.

    >>> import tinygrad_lite as tl
    >>> tl.lerp(tl.tensor([0.0, 10.0]), tl.tensor([1.0, 20.0]), 0.25)
    tensor([ 0.2500, 12.5000])
    """
    d = end - input
    y = np.where(np.abs(weight) < 0.5, input + weight * d, end - d * (1 - weight))
    return y.astype(d.dtype, copy=False)


def _like_result(input: Array, *factors: Array) -> list[Array]:
    """Return ``factors`` in the dtype of the result: a product of small integers would wrap around."""
    dtype = result_dtype([input, *factors])
    return [to(f, dtype) if hasattr(f, "dtype") and f.dtype != dtype else f for f in factors]


@function(inplace=True)
def addcmul(input: Array, tensor1: Array, tensor2: Array, *, value: Any = 1) -> Array:
    """Return ``input + value * tensor1 * tensor2``.

    >>> import tinygrad_lite as tl
    >>> tl.addcmul(tl.tensor([1.0]), tl.tensor([2.0]), tl.tensor([3.0]), value=10)
    tensor([61.])
    """
    tensor1, tensor2 = _like_result(input, tensor1, tensor2)
    product = mul(tensor1, tensor2)
    value = int(value) if product.dtype.kind in "iu" else value  # as PyTorch's kernels cut it
    return add(input, product if value == 1 else mul(product, value))


@function(inplace=True)
def addcdiv(input: Array, tensor1: Array, tensor2: Array, *, value: Any = 1) -> Array:
    """Return ``input + value * tensor1 / tensor2``.

    >>> import tinygrad_lite as tl
    >>> tl.addcdiv(tl.tensor([1.0]), tl.tensor([6.0]), tl.tensor([3.0]), value=10)
    tensor([21.])
    """
    tensor1, tensor2 = _like_result(input, tensor1, tensor2)
    return add(input, div(tensor1 if value == 1 else mul(tensor1, value), tensor2))
