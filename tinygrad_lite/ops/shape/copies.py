"""Names of views that copy (``view_copy``), and of splits that PyTorch calls unsafe."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.layout import contiguous_format
from tinygrad_lite.engine.op import function, publish
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.cast import clone
from tinygrad_lite.ops.shape.joining import chunk, split

COPYING = (
    "as_strided", "detach", "diagonal", "expand", "permute", "select", "split", "split_with_sizes", "squeeze", "t",
    "transpose", "unbind", "unfold", "unsqueeze", "view",
)  # fmt: skip
"""The views whose copying form ``NAME_copy`` is a function of PyTorch's."""


@function()
def split_with_sizes(input: Array, split_sizes: Any, dim: int = 0) -> tuple[Array, ...]:
    """Return views of ``input``, cut along ``dim`` into pieces of the given sizes.

    >>> import tinygrad_lite as tl
    >>> tl.split_with_sizes(tl.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return split(input, list(split_sizes), dim)


@function()
def unsafe_split_with_sizes(input: Array, split_sizes: Any, dim: int = 0) -> tuple[Array, ...]:
    """Return the same as `split_with_sizes`, which is safe here."""
    return split(input, list(split_sizes), dim)


@function()
def unsafe_split(tensor: Array, split_size: Any, dim: int = 0) -> tuple[Array, ...]:
    """Return the same as `split`, which is safe here."""
    return split(tensor, split_size, dim)


@function()
def unsafe_chunk(input: Array, chunks: int, dim: int = 0) -> tuple[Array, ...]:
    """Return the same as `chunk`, which is safe here."""
    return chunk(input, chunks, dim)


@function(method=False)
def alias_copy(input: Array) -> Array:
    """Return a copy of ``input``: `clone`."""
    return clone(input, contiguous_format)


@function()
def narrow_copy(input: Array, dim: int, start: int, length: int) -> Array:
    """Return a copy of what `narrow` shows.

    >>> import tinygrad_lite as tl
    >>> tl.narrow_copy(tl.arange(4), 0, 1, 2)
    tensor([1, 2])
    """
    return clone(input.narrow(dim, start, length), contiguous_format)


def _copying(name: str) -> None:
    def copied(input: Array, *args: Any, **kwargs: Any) -> Any:
        y = getattr(input, name)(*args, **kwargs)
        return tuple(clone(t, contiguous_format) for t in y) if isinstance(y, tuple) else clone(y, contiguous_format)

    copied.__name__ = copied.__qualname__ = f"{name}_copy"
    copied.__doc__ = f"Return a copy of the view that `{name}` returns."
    publish(copied.__name__, named(copied), (), method=False)


for _name in COPYING:
    _copying(_name)
