"""The protocol ``__torch_function__``: a function asks the classes of its arguments what it should do.

Asking costs time in every op, so nothing is asked until a program derives a class from Tensor, enters a
`TorchFunctionMode` or passes an object with ``__torch_function__``. From then on every public function asks first: its
code is exchanged, so that it does so wherever it was imported to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import CodeType, FunctionType
from typing import Any

from tinygrad_lite.engine import functional
from tinygrad_lite.engine.absent import as_it_is
from tinygrad_lite.engine.failure import foreign, unanswered
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import OPS, PUBLIC
from tinygrad_lite.engine.tensor import Tensor

MODES: ContextVar[tuple[Any, ...]] = ContextVar("modes", default=())
"""The running modes, the innermost one last."""
SILENT: ContextVar[bool] = ContextVar("silent", default=False)
"""Whether classes are not asked: inside the default ``__torch_function__``."""
BEFORE: list[tuple[FunctionType, FunctionType]] = []
"""The functions that ask, each with one that has its own code."""
PROTOCOL = "__torch_function__"
NOT_ASKED = ("as_subclass", "from_numpy", "named", "warn")
BY_MODES = ("tensor", "as_tensor")
"""Functions that modes see, but no class of their arguments."""


def kept(cls: type[Tensor], func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Call ``func`` and return its tensors as instances of ``cls``: the ``__torch_function__`` of Tensor."""
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    with quiet():
        return _converted(func(*args, **(kwargs or {})), cls)


def _converted(result: Any, cls: type[Tensor]) -> Any:
    if isinstance(result, Tensor):
        return result if cls is Tensor or isinstance(result, cls) else Methods.as_subclass(result, cls)
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*[_converted(r, cls) for r in result])
    return type(result)(_converted(r, cls) for r in result) if type(result) in (list, tuple) else result


@contextmanager
def quiet() -> Iterator[None]:
    """Ask no class in this block."""
    before = SILENT.set(True)
    try:
        yield
    finally:
        SILENT.reset(before)


def asks(kind: type) -> bool:
    """Return whether objects of this class want to be asked.

    PyTorch's own answer calls the function again: its tensors are data here, like those of other libraries.
    """
    answer = getattr(kind, PROTOCOL, None)
    if answer is None or answer is as_it_is or kind is Tensor:
        return False
    return str(getattr(answer, "__module__", "")).partition(".")[0] != "torch"


def askers(values: Any, deep: int = 3) -> list[Any]:
    """Return the arguments whose classes are to be asked, one of each class, derived classes first.

    They are looked for in lists too, ``deep`` levels of them.
    """
    found: list[Any] = []
    for v in values:
        kind = type(v)
        if kind in (list, tuple):
            inner: Any = askers(v, deep - 1) if deep else ()
        else:
            inner = [v] if kind is not Tensor and asks(kind) else ()
        for new in inner:
            if all(type(f) is not type(new) for f in found):
                at = next((i for i, f in enumerate(found) if issubclass(type(new), type(f))), len(found))
                found.insert(at, new)
    return found


def ask(func: Any, found: list[Any], args: tuple[Any, ...], words: Mapping[str, Any]) -> Any:
    """Return what the innermost mode, or the first of the classes of ``found`` that has an answer, makes of a call."""
    types, modes = tuple([type(f) for f in found]), MODES.get()
    if modes:
        before = MODES.set(modes[:-1])
        try:
            answer = modes[-1].__torch_function__(func, types, args, dict(words))
        finally:
            MODES.reset(before)
        if answer is not NotImplemented:
            return answer
    for kind in types:
        answer = kind.__torch_function__(func, types, args, dict(words))
        if answer is not NotImplemented:
            return answer
    name = getattr(func, "__name__", func)
    asked = [getattr(t, "__qualname__", t) for t in types]
    raise TypeError(f"Multiple dispatch failed for '{name}': __torch_function__ of {asked} returned NotImplemented")


def _asked(call: Any, plain: Any, args: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """Ask if there is somebody to ask, else run the function's own code."""
    modes, silent = MODES.get(), SILENT.get()
    found = [] if silent or call.__name__ in BY_MODES else askers((*args, *words.values()) if words else args)
    if not found and (silent or not modes):
        return plain(*args, **words)
    op = getattr(call, "op", None)
    if op is not None and plain.__globals__.get("failed") is unanswered and any(map(foreign, args)):
        return NotImplemented
    func = PUBLIC.get(op.name, call) if op is not None else call  # `x + y` calls the op behind `add`
    func = getattr(Methods, getattr(call, "stands_for", ""), func)  # and `x += y` is `add_`
    return ask(func, found, args, words)


PLACE = "the constant that is replaced"
SOURCE = f"""
def around({{names}}):
    def asking(*args, **words):
        asked = {PLACE!r}
        return asked(args, words)
        {{names}}
    return asking
"""


@cache
def _asking(count: int) -> CodeType:
    """Return the code of a function that passes its arguments on, and has as many free variables as its owner."""
    space: dict[str, Any] = {}
    exec(compile(SOURCE.format(names=", ".join(f"v{i}" for i in range(count))), __file__, "exec"), space)
    return space["around"](*range(count)).__code__  # type: ignore[no-any-return]


def intercept(call: FunctionType) -> None:
    """Let a function ask before it runs; its code is replaced by one that has what to call among its constants."""
    own = call.__code__
    if own.co_filename == __file__:
        return
    plain = FunctionType(own, call.__globals__, call.__name__, call.__defaults__, call.__closure__)
    plain.__kwdefaults__ = call.__kwdefaults__
    plain.__dict__.update(call.__dict__)
    if "_call" in call.__globals__:  # an op that has not run yet would exchange its code then
        call.__globals__["_call"] = plain

    def asked(args: tuple[Any, ...], words: dict[str, Any]) -> Any:
        return _asked(call, plain, args, words)

    code = _asking(len(own.co_freevars))
    call.__code__ = code.replace(co_consts=tuple([asked if c == PLACE else c for c in code.co_consts]))
    call.__defaults__ = call.__kwdefaults__ = None
    BEFORE.append((call, plain))


def begin() -> bool:
    """Let every public function and method ask from now on; return False if they did before."""
    if BEFORE:
        return False
    setattr(Tensor, PROTOCOL, classmethod(kept))
    for call in _public():
        if type(call) is FunctionType and call.__name__ not in NOT_ASKED:
            intercept(call)
    for cls in filter(_own, (Tensor, *_derived_from(Tensor))):
        _settle(cls)
    return True


def derived(cls: type[Tensor]) -> None:
    """Begin to ask when a program derives a class from Tensor; the package's own classes have nothing to answer."""
    if not _own(cls):
        begin()
    elif BEFORE:
        _settle(cls)


def _settle(cls: Any) -> None:
    if "__init__" in vars(cls) and "__new__" not in vars(cls):
        _constructed_once(cls)
    if cls is not Tensor:
        setattr(cls, PROTOCOL, staticmethod(as_it_is))


def _public() -> Iterator[Any]:
    yield from (op.call for op in OPS.values())
    for names in (PUBLIC, vars(functional), vars(Methods)):
        yield from names.values()
    layers = vars(sys.modules.get("tinygrad_lite.nn.functional", functional))
    yield from (f for name, f in layers.items() if name[0] != "_")
    homes = ("tinygrad_lite.ops.creation", "tinygrad_lite.engine.grad")
    yield from (f for f in vars(sys.modules["tinygrad_lite"]).values() if getattr(f, "__module__", "") in homes)
    yield from (Tensor.detach, Tensor.backward)
    for name in ("T", "mT", "H", "mH", "data", "real"):
        yield getattr(vars(Tensor).get(name) or vars(Methods).get(name), "fget", None)


def end() -> None:
    """Return to functions that do not ask."""
    while BEFORE:
        call, plain = BEFORE.pop()
        call.__code__, call.__defaults__, call.__kwdefaults__ = plain.__code__, plain.__defaults__, plain.__kwdefaults__
        if call.__globals__.get("_call") is plain:
            call.__globals__["_call"] = call


def _derived_from(cls: type) -> Iterator[Any]:
    derived: Any
    for derived in cls.__subclasses__():
        yield derived
        yield from _derived_from(derived)


def _own(cls: type) -> bool:
    return cls.__module__.startswith("tinygrad_lite.")


def _constructed_once(cls: Any) -> None:
    """Let instances of classes derived from ``cls`` be complete after ``__new__``, as in PyTorch.

    This is never undone: Python does not find the inherited ``__new__`` again once a class has had its own.
    """
    init = cls.__init__

    def __new__(kind: Any, *args: Any, **words: Any) -> Any:  # noqa: N807
        t = object.__new__(kind)
        if not _own(kind):
            init(t, *args, **words)
        return t

    def __init__(self: Any, *args: Any, **words: Any) -> None:  # noqa: N807
        if _own(type(self)):
            init(self, *args, **words)

    cls.__new__, cls.__init__ = __new__, __init__
