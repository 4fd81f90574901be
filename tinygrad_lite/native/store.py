"""Machine code on disk, so that it is compiled once per machine and version.

A file holds the digest of its contents and the contents; nothing is unpickled. Only a directory and files that belong
to the user, and that nobody else can write to, are read. Whatever is missing, damaged or foreign counts as absent, and
an unwritable directory means that every process compiles its own.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

PLACE = "TINYGRAD_LITE_CACHE"
"""Environment variable with another directory; empty: keep nothing."""
MAGIC = b"tinygrad_lite machine code\n"


def folder() -> Path | None:
    """Return the directory of the user's cache, or None."""
    given = os.environ.get(PLACE)
    if given is not None:
        return Path(given) if given else None
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # no home
        return None
    return base / "tinygrad_lite" if base.is_absolute() else None


def _ours(found: os.stat_result) -> bool:
    """Return whether the file or directory belongs to the user and nobody else can write to it."""
    if not hasattr(os, "geteuid"):
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _usable(place: Path) -> bool:
    found = os.lstat(place)
    return stat.S_ISDIR(found.st_mode) and _ours(found)


def read(key: str) -> bytes | None:
    """Return what was written under ``key``, or None."""
    place = folder()
    if place is None:
        return None
    try:
        if not _usable(place):
            return None
        file = os.open(place / f"{key}.o", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        with open(file, "rb") as stream:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or not _ours(found):
                return None
            content = stream.read()
    except OSError:
        return None
    head, content = content[: len(MAGIC) + 32], content[len(MAGIC) + 32 :]
    return content if head == MAGIC + hashlib.sha256(content).digest() else None


def write(key: str, content: bytes) -> bool:
    """Write ``content`` under ``key``, at once or not at all; return whether it was written."""
    place = folder()
    if place is None:
        return False
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _usable(place):
            return False
        file, name = tempfile.mkstemp(dir=place)
        try:
            with open(file, "wb") as stream:
                stream.write(MAGIC + hashlib.sha256(content).digest() + content)
            os.replace(name, place / f"{key}.o")
        except BaseException:
            os.unlink(name)
            raise
    except OSError:
        return False
    return True
