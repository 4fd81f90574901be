"""PyTorch's ``.pt`` files (the zip format, since 1.6): state dicts and containers of tensors, numbers and strings.

Such a file is a zip archive: a pickle that describes the objects, and one member with the data of each storage.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import FileError
from tinygrad_lite.serialization import structure
from tinygrad_lite.serialization.npz import contents, damaged, fill
from tinygrad_lite.serialization.opcodes import read_pickle
from tinygrad_lite.serialization.safetensors import bfloat16
from tinygrad_lite.serialization.sharing import view_of
from tinygrad_lite.serialization.unsupported import Unsupported

STORAGES = {
    "DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2", "BFloat16Storage": "bf16", "LongStorage": "i8",
    "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
    "UntypedStorage": "u1",
}  # fmt: skip
DTYPES = {
    "float64": "f8", "double": "f8", "float32": "f4", "float": "f4", "float16": "f2", "half": "f2",
    "int64": "i8", "long": "i8", "int32": "i4", "int": "i4", "int16": "i2", "short": "i2", "int8": "i1", "uint8": "u1",
    "uint16": "u2", "uint32": "u4", "uint64": "u8", "bool": "?",
}  # fmt: skip


class Kind:
    """The dtype of a storage; ``bf16`` is read as integers and converted to float32."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.readable = not code.startswith("unsupported ")
        self.raw = np.dtype("u1" if not self.readable else "u2" if code == "bf16" else code)


class Storage:
    """The data of one or several tensors, read when the first of them is built."""

    def __init__(self, read: Callable[[], Any], kind: Kind, size: int) -> None:
        self.read, self.kind, self.size = read, kind, size
        self.arrays: dict[str, Any] = {}

    def numbers(self, kind: Kind | None = None) -> Any:
        """Return the data as one flat array; ``kind`` is the dtype for an untyped storage."""
        kind = kind or self.kind
        if kind.code not in self.arrays:
            if "raw" not in self.arrays:
                self.arrays["raw"] = self.read()
            raw = self.arrays["raw"].view(kind.raw)
            self.arrays[kind.code] = bfloat16(raw) if kind.code == "bf16" else raw
        return self.arrays[kind.code]


def read_torch(archive: zipfile.ZipFile, description: str, strict: bool = True) -> Any:
    """Return the object that PyTorch saved; ``description`` names the pickle in the archive. Raises FileError."""
    members = {info.filename: info for info in archive.infolist()}
    folder = description.removesuffix("data.pkl")
    order = contents(archive, members[folder + "byteorder"]) if folder + "byteorder" in members else b"little"
    storages: dict[str, Storage] = {}

    def persistent(described: Any) -> Storage:
        word, kind, key, _, size = described
        if word != "storage" or not isinstance(kind, Kind) or type(size) is not int:
            raise FileError(f"load: the file refers to {described!r:.80}, which is no storage")
        if key not in storages:
            member = members.get(f"{folder}data/{key}")
            if member is None:
                raise FileError(f"load: the numbers of storage '{key}' are missing; the file may be truncated")
            if kind.readable and member.file_size != size * kind.raw.itemsize:
                raise FileError(
                    f"load: storage '{key}' has {member.file_size} bytes, {size} x {kind.code} were announced"
                )

            def read(member: zipfile.ZipInfo = member, dtype: Any = kind.raw) -> Any:
                data = np.empty(member.file_size // dtype.itemsize, dtype)
                try:
                    with archive.open(member) as stream:
                        fill(data, stream, member)
                except (zipfile.BadZipFile, OSError, EOFError) as error:
                    raise damaged(member, error) from None
                return data.byteswap() if order == b"big" else data

            storages[key] = Storage(read, kind, size)
        return storages[key]

    meaning = known if strict else known_or_unsupported
    return read_pickle(contents(archive, members[description]), meaning, persistent)


# ------------------------------------------------------------------------------------------------ the allowed names
def rebuild(storage: Any, offset: int, size: Any, stride: Any, requires_grad: bool = False, hooks: Any = None,
            kind: Any = None, metadata: Any = None) -> Any:  # fmt: skip
    """Return the tensor with ``size`` and ``stride`` in a storage."""
    sizes, strides = tuple(size), tuple(stride)
    if not isinstance(storage, Storage) or len(sizes) != len(strides):
        raise FileError("load: a tensor is described without storage, or with size and stride of different length")
    kind = Kind(kind.str) if isinstance(kind, np.dtype) else kind
    refused = next((k for k in (kind, storage.kind) if isinstance(k, Kind) and not k.readable), None)
    if refused is not None:
        return Unsupported(refused.code.removeprefix("unsupported "))
    array = view_of(storage.numbers(kind), offset, sizes, strides)  # tensors that shared memory share it here too
    t = make(array)
    t.tracked = bool(requires_grad) and array.dtype.kind == "f"
    return t


def parameter(data: Any, requires_grad: bool, hooks: Any, state: Any = None) -> Any:
    """Return a saved Parameter."""
    if isinstance(data, Unsupported):
        return data
    t = structure.parameter(data.array)
    t.tracked = bool(requires_grad) and t.array.dtype.kind == "f"
    return t


def numbered(v: Any = ()) -> Any:
    """Return a dict for a dict-like container."""
    return dict(v)


def encoded(text: str, encoding: str) -> bytes:
    """Return bytes that an old pickle stored as text."""
    if encoding not in ("latin1", "latin-1"):
        raise FileError(f"load: text in the encoding {encoding!r:.40}")
    return text.encode("latin-1")


NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): numbered,
    ("collections", "Counter"): numbered,
    ("torch", "Size"): tuple,
    ("torch", "device"): lambda *where: ":".join(map(str, where)),
    ("torch._utils", "_rebuild_tensor"): rebuild,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild,
    ("torch._utils", "_rebuild_tensor_v3"): rebuild,
    ("torch._utils", "_rebuild_parameter"): parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): lambda function, kind, args, state: function(*args),
    ("torch", "Tensor"): Tensor,
    ("torch.nn.parameter", "Parameter"): Tensor,
    ("_codecs", "encode"): encoded,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "complex"): complex,
}
NAMES.update({("torch", name): Kind(code) for name, code in {**STORAGES, "bfloat16": "bf16"}.items()})
NAMES.update({("torch", name): np.dtype(code) for name, code in DTYPES.items()})
NAMES["torch.storage", "UntypedStorage"] = NAMES["torch", "UntypedStorage"]


def known(module: str, name: str) -> Any:
    """Return the meaning of a name in the file; raise FileError if `NAMES` does not have it."""
    module = "builtins" if module == "__builtin__" else module
    if (module, name) not in NAMES:
        raise FileError(
            f"load: the file holds a {module}.{name}; only tensors, numbers, strings and containers are read, and "
            f"nothing is executed. In PyTorch, save model.state_dict() instead of the object"
        )
    return NAMES[module, name]


def known_or_unsupported(module: str, name: str) -> Any:
    """Return the meaning of a name; a dtype or storage that is not supported stands for arrays that are left out."""
    number = name.removesuffix("Storage").lower().startswith(("complex", "float8", "float4", "quint", "qint", "int1"))
    if module == "torch" and number and (module, name) not in NAMES:
        return Kind(f"unsupported {name.removesuffix('Storage')}")
    return known(module, name)


def first_torch_pickle(archive: zipfile.ZipFile) -> str | None:
    """Return the name of the pickle in an archive of PyTorch; None for another archive."""
    for name in archive.namelist():
        if name.endswith("/data.pkl") and name.count("/") == 1:
            return name
    return None


def refuse_pickle(file: BinaryIO) -> None:
    """Raise the error for a file that is a bare pickle."""
    start = file.read(64)
    if b"l\xfc\x9cF\xf9 j\xa8P\x19" in start:
        raise FileError(
            "load: this is PyTorch's format from before version 1.6, which is not read; load it in PyTorch and save it "
            "again, best with safetensors"
        )
    raise FileError("load: this is a pickle, which could run any code; it is not read")
