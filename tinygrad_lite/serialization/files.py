"""Saving and loading: the format follows from the name when writing and from the content when reading."""

from __future__ import annotations

import io
import os
from typing import Any

from tinygrad_lite.errors import FileError
from tinygrad_lite.serialization.atomic import replacing
from tinygrad_lite.serialization.npz import read_npz, write_npz


def save(obj: Any, f: Any) -> None:
    """Write ``obj`` to a path or binary file, in NumPy's ``.npz`` format and without pickle.

    ``obj`` may be a tensor, array, number, string or None, or dicts, lists and tuples of these, such as the
    ``state_dict()`` of a module or an optimiser. `numpy.load` reads the tensors of the file by name. A path is written
    beside its place and then renamed: a killed program never harms the old file.

    Raises DTypeError, naming the place, for anything else, before the file is touched.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "checkpoint.npz")
    >>> save({"epoch": 3, "weight": tl.tensor([1.0, 2.0])}, path)
    >>> load(path)
    {'epoch': 3, 'weight': tensor([1., 2.])}
    """
    with replacing(f) as file:
        write_npz(obj, file)


def load(f: Any, map_location: Any = None, *, weights_only: bool = True) -> Any:
    """Return what `save` wrote to a path or binary file. Nothing in a file is ever executed.

    ``map_location`` and ``weights_only`` are accepted for PyTorch's sake. Raises FileNotFoundError, and FileError for a
    file that is damaged or of another format.
    """
    if hasattr(f, "read"):
        return read(f if f.seekable() else io.BytesIO(f.read()))
    with open(os.fspath(f), "rb") as file:
        return read(file)


def read(file: Any) -> Any:
    """Return the content of an open binary file, whatever its format."""
    start = file.read(16)
    file.seek(0)
    if start[:2] == b"PK":
        return read_npz(file)
    raise FileError(f"load: the file starts with {start[:8]!r}; expected .npz, .safetensors or PyTorch's zip format")
