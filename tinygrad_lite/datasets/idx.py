"""Reader of the IDX format, the container of MNIST and its relatives."""

import gzip
import os
import zlib
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.engine.arguments import named

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_INFLATION = 1032  # the largest expansion of one byte of a DEFLATE stream
_CHUNK = 1 << 20


@named
def read_idx(path: str | os.PathLike[str], *, max_bytes: int = 1 << 30) -> NDArray[Any]:
    """Read one array from an IDX file, plain or gzipped.

    The header is two zero bytes, a type code, the number of dimensions, and each dimension as a big-endian 32-bit
    integer; the values follow, big-endian, last dimension fastest.  The length that the
    header announces is compared with the length that the file can have before memory of that size is allocated.

    Args:
        path: the file.
        max_bytes: refuse files that announce more data than this, in bytes (1 GiB by default).

    Returns:
        a writable array in the machine's own byte order; its dtype is ``uint8``, ``int8``, ``int16``, ``int32``,
        ``float32`` or ``float64``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not an IDX file, damaged, cut short, longer than announced, or larger than ``max_bytes``.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits (description of the format).

    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "labels")
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    ...     read_idx(file)
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"read_idx: {path} is not a file")
    size = path.stat().st_size
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            return _parse(raw, path, size, max_bytes)
        try:
            with gzip.open(raw) as inside:
                return _parse(cast(BinaryIO, inside), path, size * _MOST_INFLATION, max_bytes)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"read_idx: {path} is a damaged gzip file ({error})") from error


def _parse(file: BinaryIO, path: Path, most: int, max_bytes: int) -> NDArray[Any]:
    """Read header and values; ``most`` is the largest number of bytes that the file can hold."""
    magic = _read(file, 4)
    if len(magic) < 4 or magic[0] or magic[1] or magic[2] not in _TYPES:
        known = " ".join(f"{code:02x}" for code in _TYPES)
        raise ValueError(f"read_idx: {path} is not an IDX file: it starts with {magic.hex(' ')!r}, not 00 00 [{known}]")
    dtype, ndim = np.dtype(_TYPES[magic[2]]), magic[3]
    if ndim > 32:  # the limit of the oldest supported NumPy
        raise ValueError(f"read_idx: {path} announces {ndim} dimensions, at most 32 can be read")
    header = _read(file, 4 * ndim)
    if len(header) < 4 * ndim:
        raise ValueError(f"read_idx: {path} is cut short: {ndim} dimensions announced, the file ends inside them")
    shape = tuple(int.from_bytes(header[i : i + 4], "big") for i in range(0, 4 * ndim, 4))
    expected = prod(shape) * dtype.itemsize
    if expected > max_bytes:
        raise ValueError(f"read_idx: {path} announces {shape} {dtype.name}, {expected} bytes; max_bytes is {max_bytes}")
    short = f"read_idx: {path} is cut short: {shape} {dtype.name} needs {expected} bytes, the file has"
    if expected > most:
        raise ValueError(f"{short} room for at most {most}")
    data = _read(file, expected)
    if len(data) < expected:
        raise ValueError(f"{short} {len(data)}")
    if file.read(1):
        raise ValueError(f"read_idx: {path} goes on after its {shape} {dtype.name} values ({expected} bytes)")
    try:
        values = np.frombuffer(data, dtype).reshape(shape)
    except ValueError as error:  # dimensions beyond the address space beside a zero
        raise ValueError(f"read_idx: {path} announces an impossible shape {shape}") from error
    return values.astype(dtype.newbyteorder("="), copy=False)


def _read(file: BinaryIO, count: int) -> bytearray:
    """Read up to ``count`` bytes piece by piece, so that memory grows with the file, not with its header."""
    data = bytearray()
    while len(data) < count and (piece := file.read(min(_CHUNK, count - len(data)))):
        data += piece
    return data
