"""Atomic writes: a killed program leaves either the old file or the new one, never a part."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO


@contextmanager
def replacing(target: Any) -> Iterator[BinaryIO]:
    """Open ``target`` (a path, or a binary file as it is) for writing.

    A path is written under a temporary name in the same folder and then renamed; if anything fails, the old file stays.
    """
    if hasattr(target, "write"):
        yield target
        return
    path = os.path.realpath(os.fspath(target))  # follow links: replace the file, not the link
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"save: there is no folder {folder}")
    if os.path.isdir(path):
        raise IsADirectoryError(f"save: {path} is a folder")
    beside = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(6)}.part")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            os.chmod(beside, os.stat(path).st_mode & 0o777)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
