"""Read a pickle as data: a stack machine that builds containers and numbers and calls functions of a given table only.

Python's own reader calls any function that a file names. This one knows the instructions that plain data needs, and for
names only the given meanings; it refuses everything else and names it in the error.
"""

from __future__ import annotations

import pickletools
import sys
from collections.abc import Callable
from typing import Any

from tinygrad_lite.errors import FileError

PUSHES = frozenset(
    "BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT BINUNICODE BINUNICODE8 SHORT_BINUNICODE "
    "BINBYTES SHORT_BINBYTES BINBYTES8 SHORT_BINSTRING BINSTRING".split()
)
"""Instructions that push the value written behind them."""

MARK = object()


class Named:
    """A function that a file names and may call; kept apart from the file's data."""

    def __init__(self, meaning: Callable[..., Any]) -> None:
        self.meaning = meaning


def check_keys(items: list[Any], limit: int) -> int:
    """Return how many elements the keys have in all their tuples, a shared one counted as often as it is hashed.

    Raise FileError for more than ``limit``, and for whole numbers so large that many of them can have one hash.
    """
    if all(type(key) is str for key in items):
        return 0
    count, waiting = 0, [iter(items)]
    while waiting:
        key = next(waiting[-1], waiting)
        if key is waiting:
            waiting.pop()
        elif isinstance(key, (tuple, frozenset)):
            waiting.append(iter(key))
            count += len(key)
            if count > limit:
                raise FileError("load: a key has more elements than the file; refused")
        elif isinstance(key, int) and abs(key) >= sys.hash_info.modulus:
            bits = sys.hash_info.modulus.bit_length() - 1  # 60; 30 on a 32-bit platform
            raise FileError(f"load: a key is a whole number of more than {bits} bits; refused")
    return count


class Machine:
    """The stack and the memo of a pickle being read, and one method for each instruction that does more than push."""

    def __init__(self, limit: int, known: Callable[[str, str], Any], persistent: Callable[[Any], Any]) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.known, self.persistent = known, persistent
        self.limit, self.copied = limit, 0

    def since_mark(self) -> list[Any]:
        """Pop and return everything above the last mark; pop the mark too."""
        stack = self.stack
        for i in range(len(stack) - 1, -1, -1):
            if stack[i] is MARK:
                items = stack[i + 1 :]
                del stack[i:]
                return items
        raise FileError("load: the pickle is damaged (an end without a beginning)")

    # -------------------------------------------------------------------------------- containers
    def last_as_tuple(self, count: int) -> None:
        """Replace the last ``count`` items by a tuple of them."""
        items = [self.stack.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(items)))

    def marked_as(self, kind: Callable[[list[Any]], Any]) -> None:
        """Replace the items above the mark by one container of them."""
        self.stack.append(kind(self.since_mark()))

    def append(self) -> None:
        """Append an item to the list below it."""
        item, target = self.stack.pop(), self.stack[-1]
        target.append(item)

    def extend(self) -> None:
        """Append the marked items to the list below them."""
        items = self.since_mark()
        self.stack[-1].extend(items)

    def add_items(self) -> None:
        """Add the marked items to the set below them."""
        items = self.since_mark()
        self.keys(items)
        self.stack[-1].update(items)

    def set_item(self) -> None:
        """Set one key of the dict below key and value."""
        item, key = self.stack.pop(), self.stack.pop()
        self.keys([key])
        self.stack[-1][key] = item

    def set_items(self) -> None:
        """Set the marked keys and values in the dict below them."""
        items = self.since_mark()
        self.keys(items[::2])
        self.stack[-1].update(zip(items[::2], items[1::2], strict=True))

    def keys(self, items: list[Any]) -> None:
        """Raise FileError for keys made to cost time: `check_keys`, and tuples with more elements than the file has."""
        self.copied += check_keys(items, self.limit - self.copied)

    def build(self) -> None:
        """Drop the attributes of a container, such as the versions that PyTorch attaches to a state dict."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise FileError(f"load: the pickle sets attributes of a {type(self.stack[-1]).__name__}")

    # -------------------------------------------------------------------------------- names and calls
    def name(self, module: str, attribute: str) -> None:
        """Push the meaning of a name."""
        meaning = self.known(module, attribute)
        self.stack.append(Named(meaning) if callable(meaning) else meaning)

    def name_on_stack(self) -> None:
        """Push the meaning of a name whose parts are on the stack."""
        attribute, module = self.stack.pop(), self.stack.pop()
        self.name(str(module), str(attribute))

    def call(self) -> None:
        """Call a known function with the arguments on the stack."""
        args, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Named) or not isinstance(args, tuple):
            raise FileError(f"load: the pickle calls {function!r:.60}, which is not a function")
        # every element of a container is somewhere in the file; a file that asks for more copies is hostile
        self.copied += sum(len(a) for a in args if isinstance(a, (str, bytes, list, tuple, dict, set)))
        if self.copied > self.limit:
            raise FileError("load: the pickle copies more elements than it has; refused")
        self.stack.append(function.meaning(*[a.meaning if isinstance(a, Named) else a for a in args]))


Action = Callable[[Machine, Any], None]
"""What an instruction does to the machine, given the value written behind it in the file."""


def remember(machine: Machine, place: Any) -> None:
    """Store the top of the stack in the memo."""
    machine.memo[int(place)] = machine.stack[-1]


def recall(machine: Machine, place: Any) -> None:
    """Push an object from the memo."""
    machine.stack.append(machine.memo[int(place)])


ACTIONS: dict[str, Action] = {
    **dict.fromkeys(PUSHES, lambda m, value: m.stack.append(value)),
    "NONE": lambda m, _: m.stack.append(None),
    "NEWTRUE": lambda m, _: m.stack.append(True),
    "NEWFALSE": lambda m, _: m.stack.append(False),
    "MARK": lambda m, _: m.stack.append(MARK),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "EMPTY_TUPLE": lambda m, _: m.stack.append(()),
    "EMPTY_SET": lambda m, _: m.stack.append(set()),
    "TUPLE1": lambda m, _: m.last_as_tuple(1),
    "TUPLE2": lambda m, _: m.last_as_tuple(2),
    "TUPLE3": lambda m, _: m.last_as_tuple(3),
    "TUPLE": lambda m, _: m.marked_as(tuple),
    "FROZENSET": lambda m, _: m.marked_as(frozenset),
    "APPEND": lambda m, _: m.append(),
    "APPENDS": lambda m, _: m.extend(),
    "ADDITEMS": lambda m, _: m.add_items(),
    "SETITEM": lambda m, _: m.set_item(),
    "SETITEMS": lambda m, _: m.set_items(),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "PUT"), remember),
    "MEMOIZE": lambda m, _: remember(m, len(m.memo)),
    **dict.fromkeys(("BINGET", "LONG_BINGET", "GET"), recall),
    "GLOBAL": lambda m, value: m.name(*value.partition(" ")[::2]),
    "STACK_GLOBAL": lambda m, _: m.name_on_stack(),
    "REDUCE": lambda m, _: m.call(),
    "NEWOBJ": lambda m, _: m.call(),
    "BUILD": lambda m, _: m.build(),
    "BINPERSID": lambda m, _: m.stack.append(m.persistent(m.stack.pop())),
    "PROTO": lambda m, _: None,
    "FRAME": lambda m, _: None,
}
"""Every instruction that is read; any other is refused."""


def read_pickle(data: bytes, known: Callable[[str, str], Any], persistent: Callable[[Any], Any]) -> Any:
    """Return the object that ``data`` describes.

    ``known(module, name)`` gives the meaning of a name or raises FileError; a meaning that can be called is called
    with the arguments in the file. ``persistent`` finds what is stored outside. Raises FileError.
    """
    try:
        return run(data, known, persistent)
    except (FileError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file can provoke: wrong stack, wrong arguments, unhashable keys
        raise FileError(f"load: the pickle is damaged ({type(error).__name__}: {error!s:.120})") from None


def run(data: bytes, known: Callable[[str, str], Any], persistent: Callable[[Any], Any]) -> Any:
    """Execute the instructions one by one and return the object that is left on the stack."""
    machine = Machine(len(data), known, persistent)
    for code, value, position in pickletools.genops(data):
        if code.name == "STOP":
            (result,) = machine.stack
            return result
        action = ACTIONS.get(code.name)
        if action is None:
            raise FileError(
                f"load: the pickle has the instruction {code.name} at byte {position}, which plain data never needs"
            )
        action(machine, value)
    raise FileError("load: the pickle has no end")
