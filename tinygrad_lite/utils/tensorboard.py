"""``SummaryWriter``, over the one of tensorboardX (extra ``tensorboard``); tensors are written as arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_lite.errors import require
from tinygrad_lite.func.tree import tree_map

__all__ = ["SummaryWriter"]


def _plain(value: Any) -> Any:
    return tree_map(lambda leaf: leaf.detach().numpy() if hasattr(leaf, "detach") else leaf, value)


class SummaryWriter:
    """Write scalars, pictures, histograms and text for TensorBoard; arguments and methods are tensorboardX's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._writer = require("tensorboardX", "tensorboard").SummaryWriter(*args, **kwargs)

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self._writer.close()

    def __getattr__(self, name: str) -> Any:
        found: Callable[..., Any] = getattr(self._writer, name)
        if not name.startswith("add_"):
            return found
        return lambda *args, **kwargs: found(*_plain(args), **_plain(kwargs))
