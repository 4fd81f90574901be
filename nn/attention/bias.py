"""Causal masks for attention between sequences of two lengths."""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Tensor, make

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(IntEnum):
    """The corner of the scores in which the diagonal of a causal mask begins.

    >>> import tinygrad_lite as tl
    >>> bias = tl.nn.attention.bias.causal_lower_right(2, 3)
    >>> bias.variant.name, bias.int().tolist()
    ('LOWER_RIGHT', [[1, 1, 0], [1, 1, 1]])
    """

    UPPER_LEFT = auto()
    LOWER_RIGHT = auto()


class CausalBias(Tensor):
    """A causal mask (True: look) that knows how it was made; `causal_upper_left` and `causal_lower_right` make it.

    >>> import tinygrad_lite as tl
    >>> bias = tl.nn.attention.bias.causal_lower_right(2, 3)
    >>> bias.variant.name, bias.int().tolist()
    ('LOWER_RIGHT', [[1, 1, 0], [1, 1, 1]])
    """

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int


def _causal(variant: CausalVariant, size: tuple[Any, ...]) -> CausalBias:
    if len(size) != 2 or any(not isinstance(n, int) for n in size):
        raise ValueError(f"causal_{variant.name.lower()}: expected two lengths, of queries and of keys, got {size}")
    length, source = size
    shift = source - length if variant is CausalVariant.LOWER_RIGHT else 0
    mask = new.tri(length, source, shift, dtype=bool)
    out: CausalBias = make(mask).as_subclass(CausalBias)
    out.variant, out.seq_len_q, out.seq_len_kv = variant, length, source
    return out


def causal_upper_left(*size: int) -> CausalBias:
    """Return the mask of (queries, keys) in which query ``i`` sees the keys up to ``i``.

    >>> causal_upper_left(2, 3).int().tolist()
    [[1, 0, 0], [1, 1, 0]]
    """
    return _causal(CausalVariant.UPPER_LEFT, size)


def causal_lower_right(*size: int) -> CausalBias:
    """Return the mask of (queries, keys) in which the last query sees every key.

    >>> causal_lower_right(2, 3).int().tolist()
    [[1, 1, 0], [1, 1, 1]]
    """
    return _causal(CausalVariant.LOWER_RIGHT, size)
