"""Attention whose scores go through a function of yours, and whose mask is one, as in ``torch.nn.attention``.

PyTorch calls these functions with one score and four indices at a time; here they are called once, with all scores and
with indices that broadcast: (B, 1, 1, 1), (1, H, 1, 1), (L, 1) and (S,).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Array, Tensor, make
from tinygrad_lite.errors import ArgumentError, ShapeError, describe
from tinygrad_lite.ops.elementwise.activation import softmax
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.reductions.reduction import amax, logsumexp
from tinygrad_lite.ops.shape.moving import repeat_interleave

__all__ = ["AuxOutput", "AuxRequest", "BlockMask", "and_masks", "create_block_mask", "create_mask", "flex_attention",
           "noop_mask", "or_masks"]  # fmt: skip
Mask = Callable[[Any, Any, Any, Any], Any]
_DEFAULT_SPARSE_BLOCK_SIZE = 128


class AuxRequest(NamedTuple):
    """What `flex_attention` returns besides its output.

    >>> import tinygrad_lite as tl
    >>> flex = tl.nn.attention.flex_attention
    >>> x = tl.ones(1, 1, 2, 4)
    >>> y, aux = flex.flex_attention(x, x, x, return_aux=flex.AuxRequest(lse=True))
    >>> aux.lse.shape
    (1, 1, 2)
    """

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """The logarithm of the sum of the exponentials of each query's scores, and the largest score.

    >>> import tinygrad_lite as tl
    >>> flex = tl.nn.attention.flex_attention
    >>> x = tl.ones(1, 1, 2, 4)
    >>> y, aux = flex.flex_attention(x, x, x, return_aux=flex.AuxRequest(lse=True))
    >>> aux.lse.shape
    (1, 1, 2)
    """

    lse: Any = None
    max_scores: Any = None


def _indices(batch: int, heads: int, length: int, source: int) -> tuple[Any, ...]:
    shapes = (batch, 1, 1, 1), (1, heads, 1, 1), (length, 1), (source,)
    counts = (batch, heads, length, source)
    return tuple(make(new.arange(n).reshape(shape)) for n, shape in zip(counts, shapes, strict=True))


def noop_mask(batch: Any, head: Any, q_idx: Any, kv_idx: Any) -> Any:
    """Return True for every pair.

    >>> import tinygrad_lite as tl
    >>> bool(tl.nn.attention.flex_attention.noop_mask(0, 0, 1, 2))
    True
    """
    return make(new.ones((), bool))


def _joined(name: str, masks: tuple[Mask, ...], both: Callable[[Any, Any], Any], start: bool) -> Mask:
    if not all(callable(m) for m in masks):
        raise RuntimeError(f"{name}: all inputs should be callable, got {masks}")

    def mask(b: Any, h: Any, q: Any, k: Any) -> Any:
        found = make(new.full((), start, bool))
        for m in masks:
            found = both(found, m(b, h, q, k))
        return found

    return mask


def and_masks(*mask_mods: Mask) -> Mask:
    """Return the mask that is True where all are.

    >>> import tinygrad_lite as tl
    >>> flex = tl.nn.attention.flex_attention
    >>> mask = tl.nn.attention.flex_attention.and_masks(lambda b, h, q, k: q >= k, lambda b, h, q, k: k > 0)
    >>> mask(0, 0, tl.arange(3), tl.tensor(1))
    tensor([False,  True,  True])
    """
    return _joined("and_masks", mask_mods, lambda a, b: a & b, True)


def or_masks(*mask_mods: Mask) -> Mask:
    """Return the mask that is True where one is.

    >>> import tinygrad_lite as tl
    >>> flex = tl.nn.attention.flex_attention
    >>> mask = tl.nn.attention.flex_attention.or_masks(lambda b, h, q, k: q >= k, lambda b, h, q, k: k > 0)
    >>> mask(0, 0, tl.arange(3), tl.tensor(1))
    tensor([True, True, True])
    """
    return _joined("or_masks", mask_mods, lambda a, b: a | b, False)


def create_mask(
    mod_fn: Mask, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None
) -> Tensor:  # fmt: skip
    """Return the mask (B, H, Q_LEN, KV_LEN) that a function of four indices describes; None means 1.

    >>> create_mask(lambda b, h, q, k: q >= k, None, None, 2, 2).int()
    tensor([[[[1, 0],
              [1, 1]]]], dtype=int32)
    """
    shape = (B or 1, H or 1, Q_LEN, KV_LEN)
    found = mod_fn(*_indices(*shape))
    if not isinstance(found, Tensor) or found.dtype != np.bool_:
        raise ArgumentError(f"create_mask: the function must return a bool tensor, got {describe(found)}")
    expanded: Tensor = found.expand(shape)
    return expanded


class BlockMask:
    """A mask given by a function; made by `create_block_mask`.

    >>> import tinygrad_lite as tl
    >>> flex = tl.nn.attention.flex_attention
    >>> mask = flex.create_block_mask(lambda b, h, q, k: q >= k, None, None, 3, 3)
    >>> mask
    BlockMask(shape=(1, 1, 3, 3))
    """

    def __init__(self, mask_mod: Mask, shape: tuple[int, ...], block: Any) -> None:
        self.mask_mod, self.shape = mask_mod, shape
        self.seq_lengths, self.BLOCK_SIZE = shape[2:], (block, block) if isinstance(block, int) else tuple(block)
        self._mask: Any = None

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape})"

    def mask(self) -> Tensor:
        """Return the mask of every pair."""
        if self._mask is None:
            self._mask = create_mask(self.mask_mod, *self.shape)
        mask: Tensor = self._mask
        return mask

    def numel(self) -> int:
        """Return the number of pairs."""
        return math.prod(self.shape)

    def to(self, device: Any) -> BlockMask:
        """Return it as it is: there is one device."""
        return self


def create_block_mask(
    mask_mod: Mask, B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None,
    BLOCK_SIZE: Any = _DEFAULT_SPARSE_BLOCK_SIZE, _compile: bool = False, **words: Any,
) -> BlockMask:  # fmt: skip
    """Return the mask of a function of (batch, head, query, key) for `flex_attention`; None means 1.

    ``BLOCK_SIZE`` and the other options are accepted and have no effect.

    >>> import tinygrad_lite as tl
    >>> flex = tl.nn.attention.flex_attention
    >>> mask = flex.create_block_mask(lambda b, h, q, k: q >= k, None, None, 3, 3)
    >>> mask
    BlockMask(shape=(1, 1, 3, 3))
    """
    return BlockMask(mask_mod, (B or 1, H or 1, Q_LEN, KV_LEN), BLOCK_SIZE)


def flex_attention(
    query: Array, key: Array, value: Array, score_mod: Any = None, block_mask: BlockMask | None = None,
    scale: float | None = None, enable_gqa: bool = False, return_lse: bool = False, kernel_options: Any = None, *,
    return_aux: AuxRequest | None = None,
) -> Any:  # fmt: skip
    r"""Return :math:`\operatorname{softmax}(f(Q K^\top / \sqrt{E})) V` with a function :math:`f` of yours.

    Query (B, H, L, E), key (B, H, S, E) and value (B, H, S, V) give (B, H, L, V). ``score_mod(score, batch, head,
    query, key)`` returns new scores; ``block_mask`` says which keys a query may look at. A query that may look at
    nothing gives zeros. ``kernel_options`` has no effect.

    >>> import tinygrad_lite as tl
    >>> mask = create_block_mask(lambda b, h, q, k: q >= k, None, None, 2, 2)
    >>> flex_attention(tl.zeros(1, 1, 2, 1), tl.ones(1, 1, 2, 1), tl.eye(2)[None, None], block_mask=mask)
    tensor([[[[1.0000, 0.0000],
              [0.5000, 0.5000]]]])
    """
    if not query.ndim == key.ndim == value.ndim == 4:
        raise NotImplementedError(
            f"flex_attention: query, key and value must be 4D, got {describe(query)}, {describe(key)}, "
            f"{describe(value)}; add an axis with unsqueeze(0)"
        )
    if enable_gqa:
        times = query.shape[1] // key.shape[1]
        key, value = repeat_interleave(key, times, 1), repeat_interleave(value, times, 1)
    shape = (*query.shape[:3], key.shape[2])
    scores = query @ key.swapaxes(-1, -2) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if score_mod is not None:
        scores = score_mod(scores, *_indices(*scores.shape)).to(query.dtype)
    if block_mask is not None:
        if any(m < n for m, n in zip(block_mask.seq_lengths, shape[2:], strict=True)):
            raise ShapeError(f"flex_attention: block_mask is for lengths {block_mask.seq_lengths}, got {shape[2:]}")
        scores = where(block_mask.mask()[:, :, : shape[2], : shape[3]], scores, -np.inf)
    empty = (scores == -np.inf).all(-1, keepdim=True)
    weights = where(empty, 0.0, softmax(where(empty, 0.0, scores), -1))
    y = weights @ value
    if return_aux is None and not return_lse:
        return y
    lse = where(empty[..., 0], -np.inf, logsumexp(where(empty, 0.0, scores), -1))
    if return_aux is None:
        return y, lse
    return y, AuxOutput(lse if return_aux.lse else None, amax(scores, -1) if return_aux.max_scores else None)
