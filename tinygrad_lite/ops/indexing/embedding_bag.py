"""`embedding_bag`: sums, means or maxima over bags, which are groups of rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.op import functional
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.embedding import add_rows, embedding
from tinygrad_lite.ops.indexing.getitem import getitem, plain
from tinygrad_lite.ops.shape.reshaping import BadIndex

MODES = ("sum", "mean", "max")


def _bag_of(index: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, int]:
    """Return the bag number of each index, and the number of bags."""
    if index.ndim == 2:
        if offsets is not None:
            raise ValueError("embedding_bag: with input of two axes each row is a bag, offsets has to be None")
        return np.repeat(new.arange(index.shape[0]), index.shape[1]), index.shape[0]
    if index.ndim != 1:
        raise ValueError(f"embedding_bag: input has to be 1D or 2D Tensor, got {describe(index)}")
    begins = None if offsets is None else new.asarray(plain(offsets))
    if begins is None or begins.ndim != 1:
        raise ValueError(f"embedding_bag: for input of one axis offsets has to be a 1D Tensor, got {describe(offsets)}")
    if begins.dtype.kind not in "iu":
        raise DTypeError(f"embedding_bag: offsets must be integers, got {describe(offsets)}; use .long()")
    if include_last_offset:
        if not begins.size:
            raise OptionError("embedding_bag: include_last_offset: number of offsets should be at least 1")
        begins = begins[:-1]
    if begins.size and (begins[0] != 0 or begins[-1] > index.size or (begins[1:] < begins[:-1]).any()):
        raise OptionError(
            f"embedding_bag: offsets must begin with 0, not fall, and end at most at {index.size}, the length of input"
        )
    return np.searchsorted(begins, new.arange(index.size), "right") - 1, begins.size


def _largest(vectors: Array, bag: Any, count: int) -> Array:
    """Return the largest of each column in each bag, the first of equals.

    An empty bag gives 0.
    """
    first = np.flatnonzero(np.concatenate([[True], bag[1:] != bag[:-1]])) if bag.size else bag
    values = plain(vectors)
    taken = new.zeros((count, values.shape[1]), np.intp)
    if bag.size:
        largest = np.repeat(np.maximum.reduceat(values, first), np.diff(first, append=bag.size), axis=0)
        places = np.where((values == largest) | np.isnan(values), new.arange(bag.size)[:, None], bag.size)
        taken[bag[first]] = np.minimum.reduceat(places, first)
    else:
        return add_rows(vectors, bag, count)
    full = np.isin(new.arange(count), bag)[:, None]
    return where(full, getitem(vectors, (taken, new.arange(values.shape[1]))), 0.0)


@functional
@named
def embedding_bag(
    input: Array, weight: Array, offsets: Array | None = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
    per_sample_weights: Array | None = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> Array:  # fmt: skip
    """Return the sum, mean or columnwise maximum of each bag of rows of ``weight`` (n, d).

    ``input`` (B, k) holds a bag per row; if it has one axis, bags begin at ``offsets`` (B,), which also hold the end
    of the last bag if ``include_last_offset``. Returns (B, d); an empty bag is zero. Rows ``padding_idx`` are left
    out, also of the mean. ``per_sample_weights``, shaped as ``input``, multiply the rows of a sum. ``max_norm`` and
    ``sparse`` as in `embedding`. Raises ValueError, DTypeError, ShapeError, IndexError.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.embedding_bag(tl.tensor([[2, 0]]), tl.eye(3))
    tensor([[0.5000, 0.0000, 0.5000]])
    """
    if mode not in MODES:
        raise ValueError(f"embedding_bag: mode has to be one of {', '.join(MODES)}, got {mode!r}")
    if mode == "max" and (scale_grad_by_freq or sparse):
        word = "scaling the gradient by the frequency" if scale_grad_by_freq else "sparse weights"
        raise ValueError(f"embedding_bag: max mode does not support {word}")
    index = new.asarray(plain(input))
    bag, count = _bag_of(index, offsets, include_last_offset)
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError(f"embedding_bag: per_sample_weights belong to mode='sum', not {mode!r}")
        if per_sample_weights.shape != index.shape:
            raise ShapeError(
                f"embedding_bag: per_sample_weights {describe(per_sample_weights)} must have the shape of input "
                f"{describe(input)}"
            )
        per_sample_weights = per_sample_weights.reshape((-1,))
    index = index.reshape(-1)
    wrong = index[(index < 0) | (index >= weight.shape[0])]
    if wrong.size:
        raise BadIndex(f"embedding_bag: index {wrong[0]} is out of range for a table of {weight.shape[0]} rows")
    if padding_idx is not None:
        n = weight.shape[0]
        if not -n <= padding_idx < n:
            raise AssertionError("padding_idx must be within the number of embeddings")
        keep = np.flatnonzero(index != padding_idx % n)
        index, bag = index[keep], bag[keep]
        if per_sample_weights is not None:
            per_sample_weights = getitem(per_sample_weights, keep)
    vectors = embedding(index, weight, None, max_norm, norm_type, scale_grad_by_freq)
    if mode == "max":
        return _largest(vectors, bag, count)
    if per_sample_weights is not None:
        vectors = vectors * per_sample_weights.reshape((-1, 1))
    total = add_rows(vectors, bag, count)
    if mode == "sum":
        return total
    return total / np.maximum(np.bincount(bag, minlength=count), 1).astype(weight.dtype)[:, None]
