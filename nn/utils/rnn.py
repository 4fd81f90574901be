"""Sequences of different lengths in one tensor: padded, or packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.getitem import getitem, plain
from tinygrad_lite.ops.shape.joining import stack
from tinygrad_lite.ops.windows.padding import pad_constant

__all__ = [
    "PackedSequence", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence", "pad_sequence",
    "unpack_sequence", "unpad_sequence",
]  # fmt: skip


class PackedSequence(NamedTuple):
    """Sequences of different lengths, packed time step by time step.

    The longest sequence comes first: all first time steps, then all second ones, and so on.

    ``data`` (sum of lengths, *), ``batch_sizes`` the number of sequences that reach each time step. ``sorted_indices``
    is the order they were sorted into, ``unsorted_indices`` the way back; None if they were sorted already.

    >>> import tinygrad_lite as tl
    >>> packed = tl.nn.utils.rnn.pack_sequence([tl.ones(3), tl.ones(2)])
    >>> packed.data.shape, packed.batch_sizes
    ((5,), tensor([2, 2, 1]))
    """

    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None

    @property
    def is_cuda(self) -> bool:
        """Whether the data are on a GPU."""
        return bool(self.data.is_cuda)

    def is_pinned(self) -> bool:
        """Return whether the data are in pinned memory."""
        return bool(self.data.is_pinned())

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Return the sequences with their data in another dtype or on another device."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else self._replace(data=data)

    def cpu(self) -> PackedSequence:
        """Return the sequences in main memory."""
        return self.to("cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Return the sequences on a GPU."""
        return self._replace(data=self.data.cuda(*args, **kwargs))

    def float(self) -> PackedSequence:
        """Return the sequences in float32."""
        return self._replace(data=self.data.float())

    def double(self) -> PackedSequence:
        """Return the sequences in float64."""
        return self._replace(data=self.data.double())


def _cast(name: str) -> Any:
    def cast(self: PackedSequence) -> PackedSequence:
        return self._replace(data=getattr(self.data, name)())

    cast.__name__, cast.__doc__ = name, f"Return the sequences as `Tensor.{name}` has them."
    return cast


for _name in ("half", "long", "int", "short", "char", "byte"):
    setattr(PackedSequence, _name, _cast(_name))


@named
def pad_sequence(
    sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Stack sequences (L_i, *) into (L, N, *), padded with ``padding_value``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.rnn.pad_sequence([tl.ones(2), tl.ones(2)])
    tensor([[1., 1.],
            [1., 1.]])
    """
    if padding_side not in ("left", "right"):
        raise ValueError(f"padding_side must be 'left' or 'right', got {padding_side!r}")
    if not len(sequences):
        raise RuntimeError("pad_sequence: received an empty list of sequences")
    rest = tuple(sequences[0].shape[1:])
    for s in sequences:
        if tuple(s.shape[1:]) != rest:
            raise ShapeError(
                f"pad_sequence: sequences must agree after their first axis: {describe(sequences[0])}, {describe(s)}"
            )
    longest = max(s.shape[0] for s in sequences)
    out = []
    for s in sequences:
        room = longest - s.shape[0]
        sides = (0, room) if padding_side == "right" else (room, 0)
        out.append(pad_constant(s, (sides, *((0, 0),) * len(rest)), padding_value))
    return stack(out, 0 if batch_first else 1)


@named
def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """Return the sequences that `pad_sequence` joined, from their lengths.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.rnn.unpad_sequence(tl.ones(3, 2), tl.tensor([3, 2]))
    [tensor([1., 1., 1.]), tensor([1., 1.])]
    """
    x = padded_sequences if batch_first else padded_sequences.swapaxes(0, 1)
    return [x[i, : int(n)] for i, n in enumerate(lengths)]


def _steps(batch_sizes: Any) -> tuple[Any, Any, Any]:
    """Return time step and sequence of each packed row, and the lengths."""
    sizes = new.asarray(plain(batch_sizes))
    count = int(sizes[0])
    step = np.repeat(new.arange(len(sizes)), sizes)
    sequence = new.arange(len(step)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return step, sequence, (sizes[:, None] > new.arange(count)).sum(0)


def spread(packed: PackedSequence, length: int | None = None, value: float = 0.0) -> tuple[Any, Any]:
    """Return packed rows as padded (L, N, *) in sorted order, and the lengths."""
    step, sequence, lengths = _steps(packed.batch_sizes)
    place = new.full((length or int(lengths[0]), len(lengths)), -1)
    place[step, sequence] = new.arange(len(step))
    x = getitem(packed.data, np.maximum(place, 0))
    known = (place >= 0).reshape(*place.shape, *(1,) * (x.ndim - 2))
    return (x if known.all() else where(known, x, new.asarray(value, x.dtype))), lengths


def gathered(x: Any, packed: PackedSequence) -> PackedSequence:
    """Return the rows of ``x`` (L, N, *) inside the sequences, packed as ``packed``."""
    step, sequence, _ = _steps(packed.batch_sizes)
    return packed._replace(data=getitem(x, (step, sequence)))


@named
def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack padded sequences (L, N, *), dropping the padding after ``lengths``.

    With ``enforce_sorted`` they must come longest first. Raises RuntimeError (ShapeError) for lengths that do not fit.

    >>> import tinygrad_lite as tl
    >>> packed = pack_padded_sequence(tl.tensor([[1, 2], [3, 0]]), [2, 1])
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([1, 2, 3], [2, 1])
    """
    x = input.swapaxes(0, 1) if batch_first else input
    sizes = new.asarray(plain(lengths), np.int64)
    if x.ndim < 2 or sizes.shape != (x.shape[1],):
        raise ShapeError(
            f"pack_padded_sequence: expected one length for each of the sequences, got {describe(lengths)} and input "
            f"{describe(input)}"
        )
    if not sizes.size or sizes.min() < 1 or sizes.max() > x.shape[0]:
        raise ShapeError(
            f"pack_padded_sequence: lengths must be 1..{x.shape[0]} as the input {describe(input)} is long"
        )
    order = back = None
    if not enforce_sorted:
        longest_first = new.int64(np.argsort(-sizes, kind="stable"))
        order, back = make(longest_first), make(new.int64(np.argsort(longest_first)))
        sizes, x = sizes[longest_first], getitem(x, (slice(None), longest_first))
    elif (np.diff(sizes) > 0).any():
        raise ShapeError(
            "pack_padded_sequence: lengths must be sorted in decreasing order, or pass enforce_sorted=False"
        )
    counts = (sizes > new.arange(sizes[0])[:, None]).sum(1)
    return gathered(x, PackedSequence(None, make(counts), order, back))


@named
def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Any, Tensor]:
    """Return packed sequences padded as (L, N, *) in their original order.

    Returns their lengths too.

    Shorter ones are filled up with ``padding_value``, all of them up to ``total_length`` if that is given.

    >>> import tinygrad_lite as tl
    >>> packed = tl.nn.utils.rnn.pack_sequence([tl.ones(3), tl.ones(2)])
    >>> tl.nn.utils.rnn.pad_packed_sequence(packed)
    (tensor([[1., 1.],
            [1., 1.],
            [1., 0.]]), tensor([3, 2]))
    """
    longest = len(sequence.batch_sizes)
    if total_length is not None and total_length < longest:
        raise ValueError(
            f"Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {longest}"
        )
    x, lengths = spread(sequence, total_length, padding_value)
    if sequence.unsorted_indices is not None:
        back = plain(sequence.unsorted_indices)
        x, lengths = getitem(x, (slice(None), back)), lengths[back]
    return (x.swapaxes(0, 1) if batch_first else x), make(lengths)


@named
def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Return sequences (L_i, *) packed.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.rnn.pack_sequence([tl.ones(3), tl.ones(2)]).batch_sizes
    tensor([2, 2, 1])
    """
    lengths = [s.shape[0] for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


@named
def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """Return the sequences that were packed, in the order they came in.

    >>> import tinygrad_lite as tl
    >>> packed = tl.nn.utils.rnn.pack_sequence([tl.ones(3), tl.ones(2)])
    >>> tl.nn.utils.rnn.unpack_sequence(packed)
    [tensor([1., 1., 1.]), tensor([1., 1.])]
    """
    return unpad_sequence(*pad_packed_sequence(packed_sequences))
