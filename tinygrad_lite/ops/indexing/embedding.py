"""Embedding lookup, its gradient, and one-hot codes."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.mode import computed
from tinygrad_lite.engine.op import functional, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.indexing.getitem import plain


def _samples(src: Any) -> Any:
    n, d = src.size(3, lo=2), src.size(2)
    return (src.floats((n, d)), src.indices(src.choice([(4,), (2, 3)]), n)), {}


def _add_samples(src: Any) -> Any:
    (weight, index), _ = _samples(src)
    return (src.floats((*index.shape, weight.shape[1])), index), {"count": weight.shape[0]}


def _add_rows_rule(g: Any, index: Any) -> Any:
    return rows(g, index)


@op(values=_add_rows_rule, kind="indexing", label="rows +=", public=False, samples=Samples(draw=_add_samples))
@new.whole
def add_rows(values: Array, index: Array, count: int) -> Array:
    """Sum ``values`` (*, d) by ``index`` (*).

    Row i of the ``count`` rows is the sum of those with index i.
    """
    d = values.shape[-1]
    at = index.reshape(-1)
    flat = values.reshape(at.size, d)
    out = new.zeros((count, d), values.dtype)
    if not at.size:
        return out
    # sort equal indices next to each other, then sum each run
    order = np.argsort(at.astype(np.uint16) if count <= 1 << 16 else at, kind="stable")  # NumPy sorts uint16 by radix
    at = at[order]
    first = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]]))
    if len(at) < 4 * len(first):  # few repeats: add all first occurrences at once, then all second ones ...
        found, row = np.diff(np.append(first, len(at))), at[first]
        out[row] = flat[order[first]]
        k, live = 1, np.flatnonzero(found > 1)
        while len(live) > 8:
            out[row[live]] += flat[order[first[live] + k]]
            k += 1
            live = live[found[live] > k]
        for j in live.tolist():
            out[row[j]] += np.add.reduce(flat[order[first[j] + k : first[j] + found[j]]], 0)
        return out
    out[at[first]] = np.add.reduceat(flat[order], first, axis=0)
    return out


def _rule(g: Array, index: Any, weight_shape: Any, padding_idx: Any, scale_grad_by_freq: Any) -> Array:
    if padding_idx is not None:
        g = g * np.expand_dims(plain(index) != padding_idx, -1).astype(g.dtype)
    if scale_grad_by_freq:
        count = np.bincount(index.reshape(-1), minlength=weight_shape[0])
        g = g / np.expand_dims(count[index], -1).astype(g.dtype)
    return add_rows(g, index, weight_shape[0])


@op(weight=_rule, kind="indexing", label="rows", public=False, samples=Samples(draw=_samples))
def rows(weight: Array, index: Array, padding_idx: int | None = None, scale_grad_by_freq: bool = False) -> Array:
    """Return row ``index`` of ``weight`` (n, d) for each element: (*, d).

    No gradient goes to row ``padding_idx``.
    """
    if weight.ndim != 2:
        raise ShapeError(f"embedding: weight must be a matrix, got {describe(weight)}")
    if index.dtype.kind not in "iu":
        raise DTypeError(f"embedding: row numbers must be integers, input is {describe(index)}; use .long()")
    if index.size and not (index.min() >= 0 and index.max() < weight.shape[0]):
        wrong = int(index.min()) if index.min() < 0 else int(index.max())
        raise IndexError(f"embedding: index {wrong} is out of range for a table of {weight.shape[0]} rows")
    return np.take(weight, index, axis=0) if weight.__class__ is np.ndarray else weight[index]


@functional
@named
def embedding(
    input: Array, weight: Array, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Array:  # fmt: skip
    """Return row ``input`` of ``weight`` (n, d) for each element of ``input``: (*, d).

    No gradient goes to row ``padding_idx``. With ``max_norm`` the rows used are first shortened, in place, to that
    norm. ``sparse`` is accepted; gradients are dense. Raises DTypeError, IndexError.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.embedding(tl.tensor([2, 0]), tl.eye(3))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    if padding_idx is not None:
        n = weight.shape[0]
        if not -n <= padding_idx < n:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= n
    index = new.asarray(plain(input))
    if max_norm is not None and index.size:
        used = np.unique(index)
        table = plain(weight)
        length = (np.abs(table[used]) ** norm_type).sum(1, keepdims=True) ** (1 / norm_type)
        # 1e-7 as in PyTorch
        table[used] *= np.where(length > max_norm, max_norm / (length + 1e-7), 1.0).astype(table.dtype)
    return rows(weight, index, padding_idx, scale_grad_by_freq)


@functional
@named
def one_hot(tensor: Array, num_classes: int = -1) -> Array:
    """Return integers that are 1 at the class number and 0 elsewhere on a new last axis.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.one_hot(tl.arange(3), num_classes=3)
    tensor([[1, 0, 0],
            [0, 1, 0],
            [0, 0, 1]])
    """
    index = new.asarray(plain(tensor))
    if index.dtype.kind not in "iu":
        raise DTypeError(f"one_hot: class numbers must be integers, got {describe(tensor)}; use .long()")
    if index.size and index.min() < 0:
        raise OptionError("one_hot: class numbers must not be negative")
    num_classes = operator.index(num_classes)
    if num_classes < 0:
        if not index.size:
            raise OptionError("one_hot: cannot infer the number of classes from an empty tensor; give num_classes")
        num_classes = int(index.max()) + 1
    elif index.size and index.max() >= num_classes:
        raise OptionError(f"one_hot: class number {int(index.max())} must be smaller than num_classes {num_classes}")
    from tinygrad_lite.engine.tensor import make

    codes = new.ascontiguousarray((index[..., None] == new.arange(num_classes)).astype(np.int64))
    return make(computed("one_hot", (tensor, num_classes), codes))
