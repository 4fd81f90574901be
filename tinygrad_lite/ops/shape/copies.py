"""Names of views that copy (``view_copy``), and of splits that PyTorch calls unsafe."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.layout import contiguous_format
from tinygrad_lite.engine.op import described, function, publish
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.cast import clone
from tinygrad_lite.ops.shape.joining import chunk, split

COLUMN = "tensor([[1],\n        [2]])"
COPYING = {
    "as_strided": (", (2,), (1,)", "tensor([1, 2])"), "detach": ("", "tensor([[1, 2]])"),
    "diagonal": ("", "tensor([1])"), "expand": (", (1, 1, 2)", "tensor([[[1, 2]]])"), "permute": (", (1, 0)", COLUMN),
    "select": (", 1, 0", "tensor([1])"), "split": (", 1, 1", "(tensor([[1]]), tensor([[2]]))"),
    "split_with_sizes": (", [1, 1], 1", "(tensor([[1]]), tensor([[2]]))"), "squeeze": ("", "tensor([1, 2])"),
    "t": ("", COLUMN), "transpose": (", 0, 1", COLUMN), "unbind": (", 1", "(tensor([1]), tensor([2]))"),
    "unfold": (", 1, 1, 1", "tensor([[[1],\n         [2]]])"), "unsqueeze": (", 0", "tensor([[[1, 2]]])"),
    "view": (", (2,)", "tensor([1, 2])"),
}  # fmt: skip
"""The views whose copying form ``NAME_copy`` is a function of PyTorch's, with the arguments of an example."""


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
    """Return the same as `split_with_sizes`, which is safe here.

    >>> import tinygrad_lite as tl
    >>> tl.unsafe_split_with_sizes(tl.arange(4), [1, 3])
    (tensor([0]), tensor([1, 2, 3]))
    """
    return split(input, list(split_sizes), dim)


@function()
def unsafe_split(tensor: Array, split_size: Any, dim: int = 0) -> tuple[Array, ...]:
    """Return the same as `split`, which is safe here.

    >>> import tinygrad_lite as tl
    >>> tl.unsafe_split(tl.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    return split(tensor, split_size, dim)


@function()
def unsafe_chunk(input: Array, chunks: int, dim: int = 0) -> tuple[Array, ...]:
    """Return the same as `chunk`, which is safe here.

    >>> import tinygrad_lite as tl
    >>> tl.unsafe_chunk(tl.arange(4), 2)
    (tensor([0, 1]), tensor([2, 3]))
    """
    return chunk(input, chunks, dim)


@function(method=False)
def alias_copy(input: Array) -> Array:
    """Return a copy of ``input``: `clone`.

    >>> import tinygrad_lite as tl
    >>> tl.alias_copy(tl.tensor([[1.0, 2.0]]))
    tensor([[1., 2.]])
    """
    return clone(input, contiguous_format)


@function()
def narrow_copy(input: Array, dim: int, start: int, length: int) -> Array:
    """Return a copy of what `narrow` shows.

    >>> import tinygrad_lite as tl
    >>> tl.narrow_copy(tl.arange(4), 0, 1, 2)
    tensor([1, 2])
    """
    return clone(input.narrow(dim, start, length), contiguous_format)


def _copying(name: str, args: str, result: str) -> None:
    def copied(input: Array, *args: Any, **kwargs: Any) -> Any:
        y = getattr(input, name)(*args, **kwargs)
        return tuple(clone(t, contiguous_format) for t in y) if isinstance(y, tuple) else clone(y, contiguous_format)

    full, summary = f"{name}_copy", f"Return a copy of the view that `{name}` returns."
    described(copied, full, summary, f"tl.{full}(tl.tensor([[1, 2]]){args})", result)
    publish(full, named(copied), (), method=False)


for _name, _example in COPYING.items():
    _copying(_name, *_example)
