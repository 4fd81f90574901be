"""The one writer of files: a killed program leaves either the old file or the new one, never a part."""

from __future__ import annotations

import os
import platform
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO
from zlib import crc32

from tinygrad_lite.errors import visible

_writing: set[str] = set()
"""The unfinished files of this process."""


@contextmanager
def replacing(target: Any) -> Iterator[BinaryIO]:
    """Open ``target`` (a path, or a binary file as it is) for writing.

    A path is written under a temporary name in the same folder and then renamed; if anything fails, the old file stays.
    Links are followed and the mode of an existing file is kept. What exists and is no file (a device, a pipe) is
    written into. What a killed process left of the same path is removed.
    """
    if hasattr(target, "write"):
        yield target
        return
    path = os.fsdecode(target)
    with suppress(FileNotFoundError):
        if _written_into(path):
            with open(path, "wb") as file:
                yield file
            return
    path = os.path.realpath(path)  # replace the file, not the link
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"save: there is no folder {visible(folder)}")
    if os.path.isdir(path):
        raise IsADirectoryError(f"save: {visible(path)} is a folder")
    start = f".{os.fsencode(name)[:100].decode(errors='ignore')}."
    host = f"{crc32(platform.node().encode()):08x}"
    _remove_strays(folder, start, host)
    beside = os.path.join(folder, f"{start}{os.getpid()}-{host}-{secrets.token_hex(6)}.part")
    try:
        _writing.add(beside)
        with open(beside, "xb") as file:
            with suppress(FileNotFoundError):
                os.chmod(beside, os.stat(path).st_mode & 0o777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        _sync_folder(folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    finally:
        _writing.discard(beside)


def _written_into(path: str) -> bool:
    """Return whether ``path`` is a device, a pipe or an open file of a process; raise FileNotFoundError if nothing."""
    mode = os.stat(path).st_mode
    opened = os.path.abspath(path).startswith(("/dev/fd/", "/dev/std", "/proc/"))
    return opened or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _sync_folder(folder: str) -> None:
    """Let the new name of a file reach the disk, where the system can do that for folders."""
    opened: list[int] = []
    with suppress(OSError):
        try:  # Ctrl-C is answered after any call: in one call the descriptor is opened and kept where it is closed
            opened.extend(map(os.open, (folder,), (os.O_RDONLY,)))
            os.fsync(opened[0])
        finally:
            for descriptor in opened:
                os.close(descriptor)


def _remove_strays(folder: str, start: str, host: str) -> None:
    """Remove unfinished files of one path whose process on this computer is gone."""
    pattern = re.compile(rf"{re.escape(start)}(\d+)-{host}-[0-9a-f]{{12}}\.part")
    with suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            match = pattern.fullmatch(entry.name)
            if match and _gone(int(match[1]), entry.path):
                with suppress(OSError):
                    os.unlink(entry.path)


def _gone(process: int, part: str) -> bool:
    """Return whether nobody writes ``part`` any more, a file of ``process``."""
    if process == os.getpid():  # a number may come again, as that of the only program of a container does
        return os.path.join(os.path.realpath(os.path.dirname(part)), os.path.basename(part)) not in _writing
    if os.name != "posix":  # elsewhere asking with `os.kill` would end the process
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False
