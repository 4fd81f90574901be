"""NumPy's file format, ``.npz``: a zip archive with one ``.npy`` file per tensor, and one JSON text for the rest."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np

from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import FileError
from tinygrad_lite.serialization.structure import put_together
from tinygrad_lite.serialization.unsupported import Unsupported

STRUCTURE = "structure.json"

EXPANSION = 200
LARGE = 64 << 20
SMALL, DENSEST = 1 << 16, 20
"""A description may expand to `SMALL` bytes; above that, to `DENSEST` times its size: objects take more than text."""
"""A compressed archive may expand to `LARGE` bytes; above that, to `EXPANSION` times its size."""


def write_npz(content: tuple[str, dict[str, Any]], file: BinaryIO) -> None:
    """Write the result of `take_apart`; `numpy.load` reads the tensors by name."""
    text, arrays = content
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            with archive.open(entry(f"{name}.npy"), "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.asarray(array), allow_pickle=False)
        archive.writestr(entry(STRUCTURE), text)


def entry(name: str) -> zipfile.ZipInfo:
    """Return the header of an archive member without a date, so that equal content gives equal files."""
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o644 << 16
    return info


def read_npz(archive: zipfile.ZipFile, strict: bool = True) -> Any:
    """Read a file of `write_npz`, or a file of `numpy.savez` as a dict of tensors. Raises FileError."""
    members = {info.filename: info for info in archive.infolist()}
    found: dict[str, Any] = {}

    def array(name: Any) -> Any:
        member = members.get(f"{name}.npy")
        if member is None:
            raise FileError(f"load: the tensor '{name}' is missing in the file")
        if name not in found:
            found[name] = read_array(archive, member, strict)
        return found[name]

    strange = [name for name in members if name != STRUCTURE and not name.endswith(".npy")]
    if strange:
        raise FileError(f"load: a zip archive with '{strange[0]}' in it is neither .npz nor a file of PyTorch")
    if STRUCTURE in members:
        return put_together(contents(archive, members[STRUCTURE]), array)
    arrays = {name.removesuffix(".npy"): array(name.removesuffix(".npy")) for name in members}
    return {name: a if isinstance(a, Unsupported) else make(a) for name, a in arrays.items()}


def opened(file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip archive; raise FileError if it is damaged or announces more than it can hold."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise FileError(f"load: not a complete zip archive, it may be truncated ({error})") from None
    infos = archive.infolist()
    if (twice := repeated(info.filename for info in infos)) is not None:
        raise FileError(f"load: '{twice}' stands twice in the archive")
    if sum(info.compress_size for info in infos) > size:
        raise FileError("load: the members of the archive overlap")
    total = sum(info.file_size for info in infos)
    if total > max(LARGE, EXPANSION * size):
        raise FileError(f"load: an archive of {size} bytes claims to hold {total} bytes; refused as a zip bomb")
    return archive


def repeated(names: Iterable[str]) -> str | None:
    """Return the first name that comes twice, or None."""
    known: set[str] = set()
    for name in names:
        if name in known:
            return name
        known.add(name)
    return None


def contents(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int = LARGE) -> bytes:
    """Return all bytes of one member."""
    if member.file_size > limit:
        raise FileError(f"load: '{member.filename}' has {member.file_size} bytes, at most {limit} are read")
    if member.file_size > max(SMALL, DENSEST * member.compress_size):
        raise FileError(
            f"load: '{member.filename}' of {member.compress_size} bytes claims {member.file_size}; refused as a "
            f"zip bomb"
        )
    try:
        with archive.open(member) as stream:
            data = stream.read(member.file_size + 1)
    except MemoryError:
        raise
    except Exception as error:  # zlib, struct and zipfile raise different errors
        raise damaged(member, error) from None
    if len(data) != member.file_size:
        raise FileError(f"load: '{member.filename}' has {len(data)} bytes, {member.file_size} were announced")
    return data


def damaged(member: zipfile.ZipInfo, error: Exception) -> FileError:
    """Return the error for a member that cannot be read."""
    return FileError(f"load: '{member.filename}' is damaged ({type(error).__name__}: {error})")


def fill(data: Any, stream: Any, member: zipfile.ZipInfo) -> None:
    """Read the rest of a member into an array; raise FileError if it ends early or its checksum differs."""
    place, filled = data.view(np.uint8).data, 0
    while filled < data.nbytes:
        n = stream.readinto(place[filled:])
        if not n:
            raise FileError(f"load: '{member.filename}' ends after {filled} of {data.nbytes} bytes")
        filled += n  # reading the last byte compares the checksum


LONGEST = 2_000
"""Bytes of the header of an array; 64 axes with the largest numbers need 1,400."""


def _header(stream: Any, version: Any) -> tuple[Any, bool, Any]:
    """Return shape, order and dtype; NumPy has Python read them, which ``-`` 1,900 times over ends in a browser."""
    length = stream.read(2 if version == (1, 0) else 4)
    text = stream.read(min(int.from_bytes(length, "little"), LONGEST + 1))
    if len(text) > LONGEST or sum(map(text.count, b"+-~")) > 64:
        raise ValueError("the header of the array is too long or nested too deeply")
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return head(io.BytesIO(length + text), max_header_size=LONGEST)


def read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, strict: bool = True) -> Any:
    """Return one array; memory is allocated only if its header and the size of the member agree."""
    try:
        with archive.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            if version not in ((1, 0), (2, 0)):
                raise FileError(f"load: '{member.filename}' has the unknown array format {version}")
            shape, fortran, dtype = _header(stream, version)
            if not strict and (dtype.kind in "cV" and not dtype.hasobject):
                return Unsupported(str(dtype))
            if dtype.kind not in "biuf":
                raise FileError(
                    f"load: '{member.filename}' has dtype {dtype}; only numbers are read, nothing is executed"
                )
            expected = math.prod(shape) * dtype.itemsize
            rest = member.file_size - stream.tell()
            if len(shape) > 64 or any(type(n) is not int or not 0 <= n < 2**63 for n in shape):
                raise FileError(
                    f"load: '{member.filename}' has shape {shape!r:.60}; it needs at most 64 numbers from 0"
                )
            if rest != expected:
                raise FileError(
                    f"load: '{member.filename}' {shape} {dtype} needs {expected} bytes, the file has {rest}"
                )
            data = np.empty(math.prod(shape), dtype)
            fill(data, stream, member)
    except (FileError, MemoryError):
        raise
    except Exception as error:
        raise damaged(member, error) from None
    if not dtype.isnative:
        data = data.astype(dtype.newbyteorder("="))
    return data.reshape(shape[::-1]).T.copy() if fortran else data.reshape(shape)
