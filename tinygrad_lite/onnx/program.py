"""What `export` returns."""

from __future__ import annotations

import io
import os
from typing import Any

from tinygrad_lite.errors import OptionError
from tinygrad_lite.serialization.atomic import replacing

LARGE = 1 << 30
"""From how many bytes on the weights go to a file of their own: one ONNX file may have 2 GB."""


class ONNXProgram:
    """An exported model: ``model_proto`` is the file as an object, ``save`` writes it, and a call runs it.

    >>> import tinygrad_lite as tl
    >>> program = tl.onnx.export(tl.nn.Linear(2, 3), (tl.ones(1, 2),))
    >>> program(tl.ones(1, 2))[0].shape
    (1, 3)
    """

    def __init__(self, model_proto: Any) -> None:
        self.model_proto = model_proto
        self._module: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph as `load` would; the result is a tuple of tensors."""
        if self._module is None:
            from tinygrad_lite.onnx.module import OnnxModule

            self._module = OnnxModule(self.model_proto)
        out = self._module(*args, **kwargs)
        return out if isinstance(out, tuple) else (out,)

    def save(self, destination: Any, *, external_data: bool | None = None) -> None:
        """Write the file, completely or not at all.

        With ``external_data=True``, or beyond 1 GB unless it is False, the weights go to a second file with ``.data``
        added to the name; both belong together in one folder.
        """
        size = self.model_proto.ByteSize()
        if external_data or external_data is None and size > LARGE:
            if not isinstance(destination, (str, os.PathLike)):
                raise OptionError("save: weights in a second file need a path, not a file object")
            self._save_apart(os.fspath(destination))
            return
        with replacing(destination) as file:
            file.write(self.model_proto.SerializeToString())

    def _save_apart(self, path: str) -> None:
        """Write the weights to a file of their own, and a graph that names it."""
        graph = type(self.model_proto)()
        graph.CopyFrom(self.model_proto)
        weights = io.BytesIO()
        for t in graph.graph.initializer:
            start = weights.tell()
            weights.write(t.raw_data)
            said = {"location": os.path.basename(path) + ".data", "offset": start, "length": len(t.raw_data)}
            t.ClearField("raw_data")
            t.data_location = t.EXTERNAL
            for key, value in said.items():
                entry = t.external_data.add()
                entry.key, entry.value = key, str(value)
        with replacing(path + ".data") as file:
            file.write(weights.getbuffer())
        with replacing(path) as file:
            file.write(graph.SerializeToString())

    def __repr__(self) -> str:
        graph = self.model_proto.graph
        return (f"ONNXProgram({', '.join(i.name for i in graph.input)} -> {', '.join(o.name for o in graph.output)}, "
                f"{len(graph.node)} nodes, {len(graph.initializer)} weights)")  # fmt: skip
