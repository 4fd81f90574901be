"""Directional derivatives under the names of ``torch.autograd.forward_ad``.

A dual tensor is an ordinary one that remembers its tangent. `unpack_dual` differentiates the backward pass: the
gradient of ``v -> v J`` in the direction of the tangent is ``J t``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tinygrad_lite.engine.grad import grad
from tinygrad_lite.engine.mode import enable_grad
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import GradientError, ShapeError, describe
from tinygrad_lite.ops.creation import zeros_like

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]
_levels: list[list[tuple[Tensor, Tensor]]] = []


class UnpackedDualTensor(NamedTuple):
    """A tensor and its tangent, None if it does not depend on a dual tensor."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Begin a level and return its number; there is one at a time."""
    if _levels:
        raise RuntimeError("forward_ad: nested levels are not supported; use func.jvp inside func.jvp")
    _levels.append([])
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End the level; its tangents are forgotten."""
    if not _levels:
        raise RuntimeError("exit_dual_level: there is no level to end")
    _levels.pop()


@contextmanager
def dual_level() -> Iterator[int]:
    """Forget the tangents that were made inside at the end of the block.

    >>> import tinygrad_lite as tl
    >>> with dual_level():
    ...     x = make_dual(tl.tensor(3.0), tl.tensor(1.0))
    ...     unpack_dual(x * x).tangent
    tensor(6.)
    """
    level = enter_dual_level()
    try:
        yield level
    finally:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """Return ``tensor`` with ``tangent`` as its direction, until the level ends."""
    if not _levels:
        raise RuntimeError("make_dual: only inside dual_level()")
    if tensor.shape != tangent.shape or tensor.dtype != tangent.dtype:
        raise ShapeError(f"make_dual: tensor and tangent must agree, got {describe(tensor)} and {describe(tangent)}")
    if tensor.dtype.kind != "f":
        raise GradientError(f"make_dual: only floating tensors have tangents, got {describe(tensor)}")
    with enable_grad():
        dual = tensor.view_as(tensor) if tensor.requires_grad else tensor.detach().requires_grad_()
    _levels[-1].append((dual, tangent))
    return dual


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """Return the primal and the tangent of a tensor: the derivative along the tangents of all duals."""
    duals = _levels[-1] if _levels else []
    for dual, tangent in duals:
        if tensor is dual:
            return UnpackedDualTensor(tensor.detach(), tangent)
    if not duals or not tensor.requires_grad:
        return UnpackedDualTensor(tensor, None)
    with enable_grad():
        v = zeros_like(tensor).requires_grad_()
        rows = grad(tensor, [d for d, _ in duals], v, create_graph=True, retain_graph=True, allow_unused=True)
        used = [(row, t) for row, (_, t) in zip(rows, duals, strict=True) if row is not None]
        if not used:
            return UnpackedDualTensor(tensor.detach(), None)
        linear = [(row, t) for row, t in used if row.requires_grad]
        if not linear:
            return UnpackedDualTensor(tensor.detach(), zeros_like(tensor))
        (found,) = grad([r for r, _ in linear], [v], [t for _, t in linear], allow_unused=True)
    return UnpackedDualTensor(tensor.detach(), zeros_like(tensor) if found is None else found)
