"""Layers that only change the shape."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.errors import ShapeError
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.shape.reshaping import flatten, reshape_op, sizes

__all__ = ["Flatten", "Reshape", "Unflatten"]


class Flatten(Module):
    """Join the axes from ``start_dim`` to ``end_dim``; by default all but the first.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Flatten()(tl.ones(2, 3, 4)).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Any) -> Any:
        """Return ``input`` flattened."""
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Make the axis ``dim`` several of lengths ``unflattened_size`` (one may be -1).

    >>> import tinygrad_lite as tl
    >>> tl.nn.Unflatten(1, (2, 3))(tl.ones(4, 6)).shape
    (4, 2, 3)
    """

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError("Unflatten: dim must be an integer; named dimensions are not supported")
        if isinstance(unflattened_size, int) or not all(isinstance(n, int) for n in unflattened_size):
            raise TypeError(f"unflattened_size must be a tuple of ints, got {unflattened_size!r}")
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Any) -> Any:
        """Return ``input`` with one axis made several."""
        shape = tuple(input.shape)
        if not -len(shape) <= self.dim < len(shape):
            raise IndexError(f"Unflatten: dim {self.dim} is out of range for shape {shape}")
        d = self.dim % len(shape)
        known = 1
        for n in self.unflattened_size:
            known *= n
        if known >= 0 and known != shape[d] or known < 0 and shape[d] % -known:
            raise ShapeError(
                f"Unflatten: axis {self.dim} of {shape} does not divide into {tuple(self.unflattened_size)}"
            )
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Reshape(Module):
    """Give each sample another shape.

    ``Reshape(1, 28, 28)`` turns (N, 784) into (N, 1, 28, 28).

    >>> import tinygrad_lite as tl
    >>> tl.nn.Reshape(2, 3)(tl.ones(4, 6)).shape
    (4, 2, 3)
    """

    def __init__(self, *shape: Any) -> None:
        super().__init__()
        self.shape = sizes(shape)

    def forward(self, input: Any) -> Any:
        """Return ``input`` reshaped."""
        return reshape_op(input, (input.shape[0], *self.shape))

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return ", ".join(map(str, self.shape))
