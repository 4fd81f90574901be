"""``SummaryWriter``, over the one of tensorboardX (extra ``tensorboard``); tensors are written as arrays."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any

from tinygrad_lite.errors import ArgumentError, require
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

    def add_graph(self, model: Any, input_to_model: Any = None, verbose: bool = False, **kwargs: Any) -> None:
        """Write the graph of ``model(input_to_model)``, a tuple for several arguments; needs the extra ``onnx`` too."""
        if input_to_model is None:
            raise ArgumentError("add_graph: pass input_to_model, the arguments to run the model with")
        with TemporaryDirectory() as folder:
            import_module("tinygrad_lite.onnx").export(model, input_to_model, os.path.join(folder, "graph.onnx"))
            with redirect_stdout(None if not verbose else sys.stdout):  # it prints every node
                self._writer.add_onnx_graph(os.path.join(folder, "graph.onnx"))

    def __getattr__(self, name: str) -> Any:
        found: Callable[..., Any] = getattr(self._writer, name)
        if not name.startswith("add_"):
            return found
        return lambda *args, **kwargs: found(*_plain(args), **_plain(kwargs))
