"""The safetensors format: a length, a JSON header with dtype, shape and offsets of each tensor, then the data."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import DTypeError, FileError, describe
from tinygrad_lite.serialization.atomic import replacing
from tinygrad_lite.serialization.npz import repeated
from tinygrad_lite.serialization.parsing import parsed
from tinygrad_lite.serialization.unsupported import Unsupported

DTYPES = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
NAMES = {np.dtype(code).newbyteorder("="): name for name, code in DTYPES.items() if name != "BF16"}
LONGEST_HEAD = 100_000_000


@named
def save_file(tensors: Mapping[str, Any], filename: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors or arrays by name to a safetensors file.

    ``filename`` is a path or binary file; ``metadata`` is text by name.
    Every safetensors reader can load it. The write is atomic. Raises DTypeError for a value that the format cannot
    hold, before the file is changed.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.safetensors")
    >>> tl.serialization.save_file({"weight": tl.ones(2)}, path)
    >>> tl.serialization.load_file(path)
    {'weight': tensor([1., 1.])}
    """
    arrays: dict[str, Any] = {}
    if not isinstance(tensors, Mapping):
        raise DTypeError(f"save: a .safetensors file holds a dict of tensors, not {describe(tensors)}")
    for name, value in tensors.items():
        array = value.array if isinstance(value, Tensor) else value
        if not isinstance(name, str) or name == "__metadata__" or not isinstance(array, np.ndarray):
            raise DTypeError(
                f"save: a .safetensors file holds tensors by name only, not {name!r}: {describe(value)}; .npz holds "
                f"nested dicts, lists, numbers and strings too"
            )
        if array.dtype.newbyteorder("=") not in NAMES:
            raise DTypeError(f"save: a .safetensors file cannot hold '{name}' of dtype {array.dtype}")
        arrays[name] = array
    head: dict[str, Any] = {}
    if metadata is not None:
        if any(not isinstance(text, str) for item in metadata.items() for text in item):
            raise DTypeError(
                f"save: the metadata of a .safetensors file is text by name, not {describe(dict(metadata))}"
            )
        head["__metadata__"] = dict(metadata)
    # widest dtype first, so that every tensor is aligned to its own width
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    end = 0
    for name in order:
        start, end = end, end + arrays[name].nbytes
        kind = NAMES[arrays[name].dtype.newbyteorder("=")]
        head[name] = {"dtype": kind, "shape": list(arrays[name].shape), "data_offsets": [start, end]}
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with replacing(filename) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            array = arrays[name]
            little = array.dtype.newbyteorder("<")
            file.write(np.ascontiguousarray(array, little).reshape(-1).view(np.uint8).data if array.size else b"")


@named
def load_file(filename: Any) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name.

    ``filename`` is a path or binary file. bfloat16 becomes float32. Raises FileError.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.safetensors")
    >>> tl.serialization.save_file({"weight": tl.ones(2)}, path)
    >>> tl.serialization.load_file(path)
    {'weight': tensor([1., 1.])}
    """
    if hasattr(filename, "read"):
        return read_safetensors(filename)
    with open(os.fspath(filename), "rb") as file:
        return read_safetensors(file)


def read_safetensors(file: BinaryIO, strict: bool = True) -> dict[str, Any]:
    """Return the tensors of an open file; the whole header is checked before any data is read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(LONGEST_HEAD, size - 8):
        raise FileError(f"load: the head claims {length} bytes, the file has {size}; truncated, or not safetensors")
    head = parse_head(file.read(length))
    places = [(name, *entry(name, head[name], strict)) for name in head if name != "__metadata__"]
    places.sort(key=lambda place: place[3:])
    reached = 0
    for name, _, _, start, end in places:
        if start != reached:
            what = "overlaps another" if start < reached else "leaves a hole before it"
            raise FileError(f"load: tensor '{name}' at bytes {start} to {end} {what}")
        reached = end
    if reached != size - 8 - length:
        raise FileError(
            f"load: the tensors need {reached} bytes, the file has {size - 8 - length}; it may be truncated"
        )
    found: dict[str, Any] = {}
    for name, kind, shape, start, end in places:
        if kind not in DTYPES:
            found[name] = Unsupported(kind)
            file.seek(end - start, os.SEEK_CUR)
            continue
        data: Any = np.empty((end - start) // np.dtype(DTYPES[kind]).itemsize, DTYPES[kind])
        if data.size and file.readinto(memoryview(data).cast("B")) != end - start:  # type: ignore[attr-defined]
            raise FileError(f"load: the file ends inside tensor '{name}'")
        if kind == "BF16":
            data = bfloat16(data)
        found[name] = make(data.astype(data.dtype.newbyteorder("="), copy=False).reshape(shape))
    return {name: found[name] for name in head if name in found}


def bfloat16(upper: Any) -> Any:
    """Convert bfloat16, given as uint16, to float32."""
    return (upper.astype(np.uint32) << 16).view(np.float32)


def parse_head(text: bytes) -> dict[str, Any]:
    """Return the header as a dict; raise FileError if it is not a valid JSON object."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise FileError(f"load: '{repeated(name for name, _ in pairs)}' stands twice in the head")
        return result

    if not text.startswith(b"{"):
        raise FileError("load: the head is not a JSON object; this is not a safetensors file")
    try:
        head = parsed(text, object_pairs_hook=once)
    except FileError:
        raise
    except (ValueError, RecursionError) as error:
        raise FileError(f"load: the head is not JSON ({type(error).__name__}: {error})") from None
    metadata = head.get("__metadata__", {})
    if not isinstance(metadata, dict) or any(not isinstance(v, str) for v in metadata.values()):
        raise FileError("load: the metadata is not text by name")
    return head  # type: ignore[no-any-return]


def entry(name: str, value: Any, strict: bool = True) -> tuple[str, tuple[int, ...], int, int]:
    """Return dtype, shape, first and last byte of one tensor; raise FileError if they disagree."""
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise FileError(f"load: tensor '{name}' needs dtype, shape and data_offsets")
    kind, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(kind, str) or (kind not in DTYPES and (strict or not kind.isidentifier())):
        raise FileError(f"load: tensor '{name}' has dtype {kind!r:.40}; read are {', '.join(DTYPES)}")
    for what, numbers in (("shape", shape), ("data_offsets", offsets)):
        if not isinstance(numbers, list) or any(type(n) is not int or n < 0 for n in numbers):
            raise FileError(f"load: tensor '{name}' has {what} {numbers!r:.60}; expected numbers from 0")
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        raise FileError(f"load: tensor '{name}' has data_offsets {offsets!r:.60}; expected first and last byte")
    if kind not in DTYPES:
        return kind, tuple(shape), offsets[0], offsets[1]
    if len(shape) > 64 or math.prod(shape) * np.dtype(DTYPES[kind]).itemsize != offsets[1] - offsets[0]:
        raise FileError(f"load: tensor '{name}' {kind} {shape!r:.60} does not fill {offsets[1] - offsets[0]} bytes")
    return kind, tuple(shape), offsets[0], offsets[1]
