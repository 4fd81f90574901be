"""`save` and `load`: the format follows from the name when writing, from the content when reading."""

from __future__ import annotations

import io
import os
from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.errors import FileError
from tinygrad_lite.serialization.atomic import replacing
from tinygrad_lite.serialization.npz import opened, read_npz, write_npz
from tinygrad_lite.serialization.safetensors import read_safetensors, save_file
from tinygrad_lite.serialization.structure import take_apart
from tinygrad_lite.serialization.torch_zip import first_torch_pickle, read_torch, refuse_pickle
from tinygrad_lite.serialization.unsupported import without_unsupported


@named
def save(
    obj: Any, f: Any, pickle_module: Any = None, pickle_protocol: int = 2, _use_new_zipfile_serialization: bool = True
) -> None:
    """Write ``obj`` to a path or binary file, without pickle: ``pickle_module`` and ``pickle_protocol`` change nothing.

    ``obj`` may be a tensor, array, number, string or None, or dicts, lists and tuples of these, such as the
    ``state_dict()`` of a module or an optimiser. The format is NumPy's ``.npz`` for any name of the file
    (``model.pt`` too), and `numpy.load` reads the tensors by name. A name ending in ``.safetensors`` selects that
    format, which holds a dict of tensors only and can be read in PyTorch.

    The write is atomic: a killed program leaves the old file intact. Raises DTypeError, naming the path within ``obj``,
    for a value that cannot be written, before the file is changed.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "checkpoint.npz")
    >>> save({"epoch": 3, "weight": tl.tensor([1.0, 2.0])}, path)
    >>> load(path)
    {'epoch': 3, 'weight': tensor([1., 2.])}
    """
    if not hasattr(f, "write") and os.fsdecode(f).endswith(".safetensors"):
        save_file(obj, f)
        return
    content = take_apart(obj)
    with replacing(f) as file:
        write_npz(content, file)


@named
def load(
    f: Any, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None, strict: bool = True
) -> Any:
    """Return the content of a ``.npz``, safetensors or PyTorch ``.pt`` file.

    ``f`` is a path or a binary file.
    A ``.pt`` file may hold tensors, numbers, strings and containers of these. Nothing in a file is ever executed.
    bfloat16 becomes float32. An array of another dtype that is not supported (fp8, complex) is an error; with
    ``strict=False`` it is left out of its dict with a warning, and everything else is read. ``map_location``,
    ``weights_only`` and ``mmap`` are accepted and have no effect.

    Raises FileNotFoundError, and FileError for a file that is damaged or has other content. Sizes announced in a file
    are checked before memory is allocated.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.npz")
    >>> tl.save(tl.nn.Linear(2, 1).state_dict(), path)
    >>> sorted(tl.load(path))
    ['bias', 'weight']
    """
    if hasattr(f, "read"):
        content = read(f if f.seekable() else io.BytesIO(f.read()), strict)
    else:
        with open(os.fspath(f), "rb") as file:
            content = read(file, strict)
    return content if strict else without_unsupported(content)


def read(file: Any, strict: bool = True) -> Any:
    """Return the content of an open binary file in any of the formats."""
    start = file.read(9)
    file.seek(0)
    if start[:2] == b"PK":
        with opened(file) as archive:
            description = first_torch_pickle(archive)
            if description is None:
                return read_npz(archive, strict)
            return read_torch(archive, description, strict)
    if start[8:9] == b"{":
        return read_safetensors(file, strict)
    if start[:1] == b"\x80":
        refuse_pickle(file)
    raise FileError(
        f"load: the file starts with {start[:8]!r}; expected .npz, .safetensors or PyTorch's zip format"
        if start
        else "load: the file is empty"
    )
