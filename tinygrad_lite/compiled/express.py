"""The way of a call whose program fits: guards, program, in-place writes and result in one generated function.

A step of a small network takes a few microseconds, and a handful of Python calls around it would cost as much again.
"""

from __future__ import annotations

import threading
from typing import Any

from tinygrad_lite.compiled.replay import Program, wrapped
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.node import clock
from tinygrad_lite.engine.tensor import Tensor, allocate, make
from tinygrad_lite.engine.versions import LATEST

MISS = object()
"""Returned where the program does not fit: the guards are asked one by one then."""

SOURCE = """
def express(args):
    mode = MODE.get()
    if mode.observers or get_ident() != thread or recording{warm}:
        return MISS
    try:
        if ({quick}) is not True or ({fits}) is not True{free}:
            return MISS
    except Exception:
        return MISS
{body}
"""
BODY = """
    values = program.ran(frame, args) if saving else run(args)
{writes}{result}    program.calls += 1
    return result
"""
TRACKED = """
    if program.missing is not None:
        return MISS
    return program(args, (args, EMPTY, args))
"""
WRITES = """
    latest[0] = now = clock()
"""
PLAIN = """
    result = allocate(Tensor)
    result.array = values[0].copy()
    result._grad = result.node = result.hooks = result.base = None
    result.tracked = False
"""


def express(program: Program, thread: int, recording: set[int], runs: int | None) -> Any:
    """Return the function of the arguments for a program whose arguments are a few tensors, otherwise None.

    ``runs``: after so many the program is machine code.
    """
    if program.quick is None:
        return None
    guard = program.guard
    space: dict[str, Any] = {
        **guard.space, **program.quick.space, "MODE": MODE, "MISS": MISS,
        "get_ident": threading.get_ident, "thread": thread, "recording": recording,
        "latest": LATEST, "clock": clock, "allocate": allocate, "Tensor": Tensor, "make": make, "wrapped": wrapped,
        "program": program, "frame": program.frame,
        "run": program.frame.run, "saving": program.saving, "EMPTY": {}, "free": program.frame.free,
    }  # fmt: skip
    writes = WRITES.lstrip("\n") if program.changes else ""
    for i, (change, n, line) in enumerate(program.changes):
        space |= {f"change{i}": change, f"line{i}": line}
        writes += f"    change{i}.count += {n}\n    change{i}.when = now\n    change{i}.line = line{i}\n"
    if program.plain:
        result = PLAIN.lstrip("\n")
    else:
        result = "    result = wrapped(program.r, [v.copy() for v in values], args, make)\n"
    body = BODY.format(writes=writes, result=result) if type(program) is Program else TRACKED
    source = SOURCE.format(quick=program.quick.text, fits=guard.text, body=body.strip("\n"),
                           free=" or not free()" if type(program) is Program and program.built.handed else "",
                           warm="" if runs is None else f" or program.calls >= {runs}")  # fmt: skip
    exec(compile(source, "<tinygrad_lite express>", "exec"), space)
    return space["express"]
