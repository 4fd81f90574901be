"""Side effects of user code that no recording of arrays can repeat: found in its bytecode and its calls."""

from __future__ import annotations

import dis
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygrad_lite.compiled.program import Refused
from tinygrad_lite.engine.source import OURS

ALLOWED = {
    "len", "isinstance", "issubclass", "getattr", "hasattr", "callable", "min", "max", "sum", "abs", "round", "pow",
    "divmod", "any", "all", "sorted", "repr", "id", "items", "keys", "values", "get", "index", "count", "join",
    "format", "__build_class__", "type", "startswith", "endswith", "split", "__exit__", "__enter__", "iter", "copy",
    "__getitem__", "__contains__", "__new__", "__init__", "bit_length", "is_integer", "dot", "setprofile",
}  # fmt: skip
MUTATORS = {"append", "extend", "insert", "pop", "clear", "remove", "update", "setdefault", "add", "discard", "reverse",
            "sort", "popitem", "appendleft", "popleft", "__setitem__"}  # fmt: skip
ARRAY_WRITERS = {"fill", "sort", "put", "partition", "resize", "setfield", "setflags", "byteswap", "tofile", "dump"}
NEVER = {"print", "write", "writelines", "input", "system"}
MATH = ("math", "cmath", "_operator", "itertools", "_functools")
STDLIB = ("functools.py", "contextlib.py", "typing.py", "abc.py", "enum.py", "dataclasses.py", "operator.py",
          "_collections_abc.py", "numbers.py")  # fmt: skip


_LIB = os.path.dirname(dis.__file__) + os.sep
NUMPY, LLVMLITE = os.path.dirname(np.__file__) + os.sep, f"{os.sep}llvmlite{os.sep}"
WARNINGS = f"{os.sep}warnings.py"
KERNELS = os.path.join("tinygrad_lite", "native", "library.py")


def belongs(filename: str) -> bool:
    """Return whether a file is this package's, NumPy's, llvmlite's or Python's own."""
    return bool(OURS[filename]) or filename.startswith(("<", NUMPY, _LIB)) or LLVMLITE in filename


def stores(code: Any) -> str | None:
    """Return the first statement of a user's code that changes something outside it, with its line."""
    line = code.co_firstlineno
    for i in dis.get_instructions(code):
        line = i.starts_line or line
        if i.opname == "STORE_ATTR" and i.argval == "grad":
            continue  # what a step leaves in .grad is part of its program
        bad = i.opname in ("STORE_GLOBAL", "STORE_ATTR", "DELETE_GLOBAL", "DELETE_ATTR", "DELETE_SUBSCR", "IMPORT_NAME")
        bad = bad or i.opname in ("STORE_DEREF", "DELETE_DEREF") and i.argval in code.co_freevars
        bad = bad or i.opname in ("YIELD_VALUE", "GET_AWAITABLE") and code.co_name not in ("<genexpr>",)
        if bad:
            what = "yields" if i.opname == "YIELD_VALUE" else f"changes '{i.argval}'"
            return f"{code.co_filename}:{line}: the step {what}, which a program cannot repeat"
    return None


class Watch:
    """Collects the user's code that runs, and its calls of functions written in C, by a profile function."""

    def __init__(self, known: set[Any]) -> None:
        self.known, self.found = known, ""
        self.collecting = {getattr(call, "__code__", None) for call in gc.callbacks}
        self.outside: Any = sys._getframe(3)  # the function with the block
        # by id, as code objects are slow to hash; they are kept, so that no other gets the id
        self.seen: dict[int, Any] = {}
        self.inner: dict[int, Any] = {}

    def function(self) -> Any:
        """Return the profile function; the code of this package and of NumPy, most of it, is passed by quickly."""
        inner, seen = self.inner, self.seen

        def watch(frame: Any, event: str, arg: Any) -> None:
            if event == "c_call":
                if id(frame.f_code) in inner:
                    if arg.__name__ in NEVER and not self.found and not self.foreign(frame):
                        self.found = f"{_user_line(frame)}: {arg.__name__}() has an effect outside the arrays"
                elif not self.found:
                    self.called(frame, arg)
            elif event == "call" and (code := id(frame.f_code)) not in inner and code not in seen and not self.found:
                self.entered(frame)

        return watch

    def foreign(self, frame: Any) -> bool:
        """Return whether a frame is no part of the step.

        A module is imported at its first use, a kernel is compiled and kept on disk, a warning is shown, or garbage is
        collected.
        """
        while frame not in (None, self.outside):
            name = frame.f_code.co_filename
            if (
                frame.f_code in self.collecting
                or name.startswith("<frozen importlib")
                or name.endswith((KERNELS, WARNINGS))
            ):
                return True
            frame = frame.f_back
        return False

    def entered(self, frame: Any) -> None:
        """Look at a call of a function written in Python."""
        code = frame.f_code
        name = code.co_filename
        if not belongs(name):
            self.seen[id(code)] = code
            if self.foreign(frame):
                return
            self.found = stores(code) or ""
            if not self.found and code not in self.known:
                self.found = f"{name}:{code.co_firstlineno}: '{code.co_name}' was made where nothing watches it"
        elif not name.startswith(_LIB) or "site-packages" in name or name.endswith(STDLIB):
            self.inner[id(code)] = code
        else:
            caller = frame.f_back
            if caller is not None and not belongs(caller.f_code.co_filename) and not self.foreign(frame):
                self.found = f"{caller.f_code.co_filename}:{caller.f_lineno}: '{code.co_name}' of Python's library"

    def called(self, frame: Any, arg: Any) -> None:
        """Look at a call of a function written in C."""
        code, called = frame.f_code, getattr(arg, "__name__", "")
        if called in NEVER and not self.foreign(frame):
            self.found = f"{_user_line(frame)}: {called}() has an effect outside the arrays"
        elif not belongs(code.co_filename) and not self.foreign(frame):
            place = f"{code.co_filename}:{frame.f_lineno}"
            owner = getattr(arg, "__self__", None)
            if called in MUTATORS:
                mine = {code.co_varnames[i] for i in range(_arguments(code), len(code.co_varnames))}
                mine |= set(code.co_cellvars)
                inside = any(frame.f_locals.get(n) is owner for n in mine)
                if not inside or any(v is owner for n, v in frame.f_locals.items() if n not in mine):
                    self.found = f"{place}: {called}() changes an object outside the step"
            elif isinstance(owner, np.ndarray) and called not in ARRAY_WRITERS:
                pass
            elif called not in ALLOWED and getattr(arg, "__module__", None) not in MATH:
                self.found = f"{place}: {called}() is not known to be without effects"


def _arguments(code: Any) -> int:
    return int(code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8))


def _user_line(frame: Any) -> str:
    while frame.f_back is not None and belongs(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


@contextmanager
def watching(known: set[Any]) -> Iterator[Watch]:
    """Watch the user's code of this thread inside the block."""
    watch, before = Watch(known), sys.getprofile()
    if before is not None:
        raise Refused("a profiler is running")
    sys.setprofile(watch.function())
    try:
        yield watch
    finally:
        sys.setprofile(None)
