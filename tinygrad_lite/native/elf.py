"""Object code on Linux and x86-64 into memory without LLVM, whose import costs 40 ms and 50 MiB.

Such a file (ELF) is a list of sections, and a list of places in them that must hold the address of a symbol. LLVM's
code for programs in memory uses one kind of place, a whole address, and calls at most functions of the C library.
Anything else is left to LLVM.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
import sys
from functools import cache
from pathlib import Path
from typing import Any

HEAD = b"\x7fELF\x02\x01\x01"
OBJECT_FOR_X86 = struct.pack("<HH", 1, 62)
BITS, SYMBOLS, PLACES, NOTHING = 1, 2, 4, 8
"""Types of sections: contents, the table of symbols, places to fill in, and zeros."""
IN_MEMORY = 2
ADDRESS = 1
"""The kind of place that holds an address of 64 bits."""
DESCRIPTION = "vendor_id", "cpu family", "model", "stepping", "flags"
_kept: list[Any] = []
"""Owns the memory of the code."""


@cache
def library() -> ctypes.CDLL:
    """Return what the process has loaded, the C library above all."""
    return ctypes.CDLL(None)


def possible() -> bool:
    """Return whether the system has this format."""
    return sys.platform == "linux" and ctypes.sizeof(ctypes.c_void_p) == 8


@cache
def processor() -> str:
    """Return how the system describes the processor, as far as its instructions are concerned; "" elsewhere."""
    if not possible():
        return ""
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return ""
    lines = [line for line in first.splitlines() if line.startswith(DESCRIPTION)]
    return "\n".join(lines) if any(line.startswith("flags") for line in lines) else ""


def addresses(code: bytes, names: list[str]) -> list[int] | None:
    """Load object code and return the addresses of functions in it; None if that takes LLVM."""
    if not possible() or code[:7] != HEAD or code[16:20] != OBJECT_FOR_X86:
        return None
    try:
        return _loaded(code, names)
    except (AttributeError, IndexError, KeyError, OSError, ValueError, struct.error):
        return None  # a function that is not in the C library, a system that lends no memory for code


def _loaded(code: bytes, names: list[str]) -> list[int]:
    sections = _table(code, "<IIQQQQIIQQ", struct.unpack_from("<Q", code, 40)[0], *struct.unpack_from("<H", code, 60))
    # of a section: name, type, flags, address, offset, size, link, info, alignment, bytes of an entry
    starts, size = {}, 0
    for i, (_, kind, flags, _, _, length, _, _, alignment, _) in enumerate(sections):
        if flags & IN_MEMORY and kind in (BITS, NOTHING):
            alignment = max(alignment, 1)
            starts[i] = -(-size // alignment) * alignment
            size = starts[i] + length
    memory = mmap.mmap(-1, max(size, 1), prot=mmap.PROT_READ | mmap.PROT_WRITE)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for i, start in starts.items():
        if sections[i][1] == BITS:
            memory[start : start + sections[i][5]] = code[sections[i][4] : sections[i][4] + sections[i][5]]

    (symbols,) = (s for s in sections if s[1] == SYMBOLS)
    strings = sections[symbols[6]][4]
    known = []
    for name, _, _, section, value, _ in _table(code, "<IBBHQQ", symbols[4], symbols[5] // 24):
        start = strings + name
        word = code[start : code.index(b"\0", start)].decode()
        # index 0: of another file; from 0xFF00 on: no place, as the name of the source
        known.append((word, base + starts[section] + value if section in starts else None, section))
    for section in sections:
        if section[1] == PLACES and section[7] in starts:
            for offset, info, addend in _table(code, "<QQq", section[4], section[5] // 24):
                word, address, home = known[info >> 32]
                if info & 0xFFFFFFFF != ADDRESS or (address is None and home):
                    raise ValueError(f"no address: {word}")
                if address is None:
                    address = ctypes.cast(getattr(library(), word), ctypes.c_void_p).value or 0
                struct.pack_into("<q", memory, starts[section[7]] + offset, address + addend)
    if library().mprotect(ctypes.c_void_p(base), ctypes.c_size_t(size), mmap.PROT_READ | mmap.PROT_EXEC):
        raise OSError("no memory for code")
    _kept.append(memory)
    found = {word: address for word, address, _ in known if address is not None}
    return [found[name] for name in names]


def _table(code: bytes, form: str, start: int, count: int) -> list[Any]:
    size = struct.calcsize(form)
    return list(struct.iter_unpack(form, code[start : start + size * count]))
