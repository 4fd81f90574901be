"""The cost of an op: floating-point operations by the formula in its declaration, bytes from the shapes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from tinygrad_lite.engine.arguments import words_of

FREE = {"shape", "indexing", "random"}
"""Kinds of op that only move numbers."""


def flops_of(
    op: Any, shapes: Mapping[str, tuple[int, ...]], result: tuple[int, ...], options: Mapping[str, Any]
) -> int:
    """Return the floating-point operations of one call.

    By the op's own ``flops`` formula where it has one. Otherwise one per element of the result, or for a reduction one
    per element of its argument; ops that only move numbers cost none.

    >>> import tinygrad_lite as tl
    >>> flops_of(tl.OPS["matmul"], {"input": (2, 3), "other": (3, 4)}, (2, 4), {})
    48
    """
    if op.flops is not None:
        asked = words_of(op.flops)
        return int(op.flops(**{word: asked_for(word, shapes, result, options) for word in asked}))
    if op.kind in FREE:
        return 0
    if op.kind in ("reduction", "loss", "norm") and shapes:
        return max(prod(s) for s in shapes.values())
    return prod(result)


def asked_for(
    word: str, shapes: Mapping[str, tuple[int, ...]], result: tuple[int, ...], options: Mapping[str, Any]
) -> Any:
    """Return the value of a formula's parameter: ``y_shape``, ``x_shape`` or an option."""
    if word == "y_shape":
        return result
    if word.endswith("_shape") and word.removesuffix("_shape") in shapes:
        return shapes[word.removesuffix("_shape")]
    return options.get(word)


def saved_bytes(node: Any, known: Mapping[int, tuple[str, str]]) -> int:
    """Return the bytes a node keeps alive for backward; parameters, in ``known`` by id, do not count."""
    seen: dict[int, int] = {}
    for value in node.saved or ():
        for part in value if isinstance(value, (list, tuple)) else (value,):
            if hasattr(part, "nbytes") and known.get(id(part), ("", ""))[1] not in ("param", "buffer"):
                seen[id(part)] = int(part.nbytes)
    return sum(seen.values())
