"""Sequences of different lengths in one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.ops.arrange import stack
from tinygrad_lite.ops.padding import pad_constant

__all__ = ["pad_sequence", "unpad_sequence"]


def pad_sequence(
    sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Return sequences (L_i, *) as one tensor (L, N, *), the shorter ones filled up with ``padding_value``."""
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


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """Return the sequences that `pad_sequence` joined, from their lengths."""
    x = padded_sequences if batch_first else padded_sequences.swapaxes(0, 1)
    return [x[i, : int(n)] for i, n in enumerate(lengths)]
