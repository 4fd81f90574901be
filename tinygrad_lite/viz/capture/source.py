"""The line of the user's program that called an op."""

from __future__ import annotations

import dis
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = str(Path(__file__).parents[2])
ROOMS = tuple(str(Path(HERE, room).resolve()) for room in ("nn", "models"))


@lru_cache(maxsize=4096)
def inside(file: str) -> bool:
    """Whether a source file belongs to this package."""
    return file.startswith((HERE, *ROOMS, "<tinygrad_lite"))


@lru_cache(maxsize=4096)
def short(file: str) -> str:
    """Return a file name that is the same on every machine: relative to the current folder, or two parts."""
    path = Path(file)
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return "/".join(path.parts[-2:]) if path.is_absolute() else file


def place_of(frame: Any) -> str:
    """Return ``file:line`` of the innermost call outside this package."""
    here = frame
    while here is not None and inside(here.f_code.co_filename):
        here = here.f_back
    here = here or frame
    return f"{short(here.f_code.co_filename)}:{here.f_lineno}"


ONE_VARIABLE = {
    "LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_CHECK", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF",
}  # fmt: skip
"""Instructions that push the value of one variable; newer Python versions have others that push two."""


@lru_cache(maxsize=4096)
def literal_at(code: Any, offset: int) -> float | int | None:
    """Return the literal operand of the operator at ``offset``: the 1 in ``x + 1``.

    The engine does not keep a number that no rule needs; the instruction that called the op still has it.
    """
    steps = [s for s in dis.get_instructions(code) if s.opname not in ("CACHE", "EXTENDED_ARG", "NOP")]
    # a call is recorded at its last cache entry
    at = max((i for i, s in enumerate(steps) if s.offset <= offset), default=None)
    if at is not None and steps[at].opname == "CALL":
        return last_argument(steps, at)
    if at is None or not steps[at].opname.startswith("BINARY_OP") or steps[at].is_jump_target:
        return None  # two branches meet here, as in x + (1 if a else 2)
    right, left = (steps[at - k] if at >= k else None for k in (1, 2))
    # the left operand is below the right one on the stack: known only if the right one is one variable
    plain = right is not None and right.opname in ONE_VARIABLE and not right.is_jump_target
    for step in (right, left if plain else None):
        if step is not None and step.opname in ("LOAD_CONST", "LOAD_SMALL_INT") and type(step.argval) in (int, float):
            return step.argval  # type: ignore[no-any-return]
    return None


def last_argument(steps: list[Any], at: int) -> float | int | None:
    """Return the literal that is the last argument of the call at ``at``: the 3 in ``x.pow(3)``."""
    k = at - 1
    while k >= 0 and steps[k].opname == "PRECALL":
        k -= 1
    step = steps[k] if k >= 0 else None
    if step is None or step.opname not in ("LOAD_CONST", "LOAD_SMALL_INT") or steps[k].is_jump_target:
        return None  # a variable, or the names of keyword arguments
    return step.argval if type(step.argval) in (int, float) else None
