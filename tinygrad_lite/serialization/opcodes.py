"""Reading a pickle as data: a stack machine that builds containers and numbers and calls nothing but a given table.

Python's own reader calls whatever a file names. This one knows the instructions that plain data needs, and for names
only the meanings it was given; everything else is refused, and named in the error.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any

from tinygrad_lite.errors import FileError

PUSHES = frozenset(
    "NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT BINUNICODE BINUNICODE8 SHORT_BINUNICODE "
    "BINBYTES SHORT_BINBYTES BINBYTES8 SHORT_BINSTRING BINSTRING".split()
)
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "EMPTY_SET": set}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
MARK = object()


class Named:
    """A function that a file names and may call; kept apart from its data."""

    def __init__(self, meaning: Callable[..., Any]) -> None:
        self.meaning = meaning


def read_pickle(data: bytes, known: Callable[[str, str], Any], persistent: Callable[[Any], Any]) -> Any:
    """Return the object that ``data`` describes.

    ``known(module, name)`` gives the meaning of a name or raises FileError; a meaning that can be called is called
    with the arguments in the file. ``persistent`` finds what is stored outside. Raises FileError.
    """
    try:
        return run(data, known, persistent)
    except FileError:
        raise
    except Exception as error:  # whatever a damaged file can provoke: wrong stack, wrong arguments, unhashable keys
        raise FileError(f"load: the pickle is damaged ({type(error).__name__}: {error!s:.120})") from None


def run(data: bytes, known: Callable[[str, str], Any], persistent: Callable[[Any], Any]) -> Any:
    """Run the instructions one by one."""
    stack: list[Any] = []
    copied = 0
    memo: dict[int, Any] = {}

    def since_mark() -> list[Any]:
        for i in range(len(stack) - 1, -1, -1):
            if stack[i] is MARK:
                items = stack[i + 1 :]
                del stack[i:]
                return items
        raise FileError("load: the pickle is damaged (an end without a beginning)")

    value: Any
    top: Any
    for code, value, position in pickletools.genops(data):
        name = code.name
        if name in PUSHES:
            stack.append(CONSTANTS.get(name, value))
        elif name in EMPTY:
            stack.append(EMPTY[name]())
        elif name == "MARK":
            stack.append(MARK)
        elif name in TUPLES:
            items = [stack.pop() for _ in range(TUPLES[name])]
            stack.append(tuple(reversed(items)))
        elif name == "TUPLE":
            stack.append(tuple(since_mark()))
        elif name == "APPEND":
            item, top = stack.pop(), stack[-1]
            top.append(item)
        elif name == "APPENDS":
            items, top = since_mark(), stack[-1]
            top.extend(items)
        elif name == "ADDITEMS":
            items = since_mark()
            stack[-1].update(items)
        elif name == "FROZENSET":
            stack.append(frozenset(since_mark()))
        elif name == "SETITEM":
            item, key = stack.pop(), stack.pop()
            stack[-1][key] = item
        elif name == "SETITEMS":
            items = since_mark()
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[int(value)] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memo[int(value)])
        elif name == "GLOBAL":
            module, _, attribute = value.partition(" ")
            meaning = known(module, attribute)
            stack.append(Named(meaning) if callable(meaning) else meaning)
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            meaning = known(str(module), str(attribute))
            stack.append(Named(meaning) if callable(meaning) else meaning)
        elif name in ("REDUCE", "NEWOBJ"):
            args, function = stack.pop(), stack.pop()
            if not isinstance(function, Named) or not isinstance(args, tuple):
                raise FileError(f"load: the pickle calls {function!r:.60}, which is not a function")
            # each element of a container stands somewhere in the file; a file that asks for more copies is hostile
            copied += sum(len(a) for a in args if isinstance(a, (str, bytes, list, tuple, dict, set)))
            if copied > len(data):
                raise FileError("load: the pickle copies more elements than it has; refused")
            stack.append(function.meaning(*[a.meaning if isinstance(a, Named) else a for a in args]))
        elif name == "BUILD":
            # attributes of a container, such as the versions that PyTorch hangs on a state dict
            stack.pop()
            if not isinstance(stack[-1], dict):
                raise FileError(f"load: the pickle sets attributes of a {type(stack[-1]).__name__}")
        elif name == "BINPERSID":
            stack.append(persistent(stack.pop()))
        elif name == "STOP":
            (result,) = stack
            return result
        elif name not in ("PROTO", "FRAME"):
            raise FileError(
                f"load: the pickle has the instruction {name} at byte {position}, which plain data never needs"
            )
    raise FileError("load: the pickle has no end")
