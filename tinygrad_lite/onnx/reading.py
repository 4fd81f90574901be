"""Files of ONNX as plain data: sizes are checked before memory is taken, and nothing in a file is executed."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from tinygrad_lite.errors import ArgumentError, FileError, require
from tinygrad_lite.onnx.operators.elementwise import dtype_of

LARGEST = (1 << 31) - 1
"""The most bytes of a file; protobuf, its format, has this limit. Weights beyond it lie in a second file."""


def read(f: Any) -> tuple[Any, str | None]:
    """Return a file as a ModelProto, and the folder it lies in (None for anything but a path)."""
    onnx = require("onnx", extra="onnx")
    if isinstance(f, onnx.ModelProto):
        return f, None
    folder = None
    if isinstance(f, (bytes, bytearray, memoryview)):
        data = bytes(f)
    elif hasattr(f, "read"):
        data = f.read(LARGEST + 1)
    elif isinstance(f, (str, os.PathLike)):
        folder = os.path.dirname(os.path.abspath(os.fspath(f)))
        with open(f, "rb") as file:
            data = file.read(LARGEST + 1)
    else:
        raise ArgumentError(f"onnx.load: expected a path, a binary file or bytes, got a {type(f).__name__}")
    if len(data) > LARGEST:
        raise FileError("onnx.load: the file has more than 2 GB, which no ONNX file can have")
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except Exception as error:  # noqa: BLE001 - protobuf's error class depends on its implementation
        raise FileError(f"onnx.load: this is no ONNX file, or it is damaged ({error})") from None
    if not proto.HasField("graph") or not proto.graph.output:
        raise FileError("onnx.load: this is no ONNX file: it has no graph with outputs")
    return proto, folder


def array(t: Any, folder: str | None) -> Any:
    """Return a TensorProto as an array of its own; raise FileError for sizes that disagree with its data."""
    dtype, shape = dtype_of(t.data_type), tuple(t.dims)
    if any(n < 0 for n in shape):
        raise FileError(f"onnx.load: the tensor '{t.name}' has the shape {list(shape)}")
    count = math.prod(shape)
    if t.data_location == 1:
        raw: Any = _external(t, count * dtype.itemsize, folder)
    elif t.HasField("raw_data"):
        raw = t.raw_data
    else:
        return _listed(t, dtype, shape, count)
    if len(raw) != count * dtype.itemsize:
        raise FileError(f"onnx.load: the tensor '{t.name}' of shape {list(shape)} has {len(raw)} bytes, not "
                        f"{count * dtype.itemsize}")  # fmt: skip
    return np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype).reshape(shape)


def _listed(t: Any, dtype: Any, shape: Any, count: int) -> Any:
    """Return numbers that are listed one by one."""
    field = {"f4": t.float_data, "f8": t.double_data, "i8": t.int64_data, "u8": t.uint64_data, "u4": t.uint64_data}
    numbers = field.get(dtype.str[1:], t.int32_data)
    if len(numbers) != count:
        raise FileError(f"onnx.load: the tensor '{t.name}' of shape {list(shape)} has {len(numbers)} numbers")
    if dtype == np.float16:  # its bits, as integers
        return np.array(numbers, np.uint16).view(np.float16).reshape(shape)
    return np.array(numbers).astype(dtype).reshape(shape)


def _external(t: Any, size: int, folder: str | None) -> bytes:
    """Return the bytes of a tensor whose data lies in another file, which must be in the folder of the model."""
    said = {entry.key: entry.value for entry in t.external_data}
    place = said.get("location", "")
    if folder is None:
        raise FileError(f"onnx.load: the data of '{t.name}' lies in the file {place!r}; load the model by its path")
    path = os.path.realpath(os.path.join(folder, place))
    inside = os.path.commonpath([os.path.realpath(folder), path]) == os.path.realpath(folder)
    if not place or os.path.isabs(place) or not inside or not os.path.isfile(path):
        raise FileError(f"onnx.load: the data of '{t.name}' lies in {place!r}, which is no file in the folder of the "
                        f"model")  # fmt: skip
    try:
        start, length = int(said.get("offset", 0)), int(said.get("length", size))
    except ValueError:
        raise FileError(f"onnx.load: the place of the data of '{t.name}' is no number") from None
    if start < 0 or length != size or start + length > os.path.getsize(path):
        raise FileError(f"onnx.load: '{t.name}' needs {size} bytes from {start} on of {place!r}, which has "
                        f"{os.path.getsize(path)}")  # fmt: skip
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(length)


def versions(proto: Any) -> dict[str, int]:
    """Return the version of each set of operators that the file uses."""
    return {"" if o.domain == "ai.onnx" else o.domain: int(o.version) for o in proto.opset_import} or {"": 1}


def inlined(proto: Any) -> Any:
    """Return the file with its functions written out where they are called."""
    if not proto.functions:
        return proto
    if len(proto.functions) > 1000:
        raise FileError(f"onnx.load: the file has {len(proto.functions)} functions; at most 1000 are read")
    _bounded(proto)
    from onnx import inliner

    try:
        return inliner.inline_local_functions(proto)
    except Exception as error:  # noqa: BLE001 - errors of a C++ library
        raise FileError(f"onnx.load: a function in the file cannot be written out ({error})") from None


def _bounded(proto: Any) -> None:
    """Raise FileError if functions that call each other grow without end when they are written out."""
    bodies = {(f.domain, f.name): list(f.node) for f in proto.functions}
    sizes: dict[Any, int] = {}

    def size(nodes: Any, above: tuple[Any, ...]) -> int:
        total = 0
        for node in nodes:
            key = node.domain, node.op_type
            if key in above:
                raise FileError(f"onnx.load: the function '{node.op_type}' calls itself")
            if key in bodies and key not in sizes:
                sizes[key] = size(bodies[key], (*above, key))
            total += sizes.get(key, 1)
        return total

    if size(proto.graph.node, ()) > 1_000_000:
        raise FileError("onnx.load: written out, the functions in the file have more than 1,000,000 nodes")
