"""The current autograd mode: recording on or off, the zero-gradient rule, and the observers."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from contextvars import ContextVar
from types import CodeType
from typing import Any, TypeVar

from tinygrad_lite.engine.arguments import named_constructor

F = TypeVar("F", bound=Callable[..., Any])


class Observer:
    """Base of everything that watches ops run: pictures, profiles, anomaly detection, tracing, batching.

    Override what you need. While an observer is in the mode (``switch(observers=...)``), every op, module call and
    gradient rule of this thread or task passes it; a program without observers pays nothing.
    """

    __slots__ = ()

    def before(self, op: Any, args: tuple[Any, ...]) -> None:
        """An op is about to run on ``args``."""

    def after(self, op: Any, args: tuple[Any, ...], out: Any, frame: Any) -> None:
        """An op has returned ``out``; ``frame`` is the caller's."""

    def written(self, t: Any, value: Any, root: Any, path: Any, frame: Any) -> None:
        """``value`` was written into ``t`` in place, which is the region of ``root`` at the end of ``path``."""

    def computed(self, name: str, args: tuple[Any, ...], out: Any) -> None:
        """A function that is no op, such as ``sort`` looking for an order, has computed the array ``out``."""

    def read(self, t: Any) -> None:
        """A number is about to be read out of ``t``: by ``item()``, ``tolist()``, or as a condition."""

    def enter(self, module: Any, args: tuple[Any, ...]) -> None:
        """A module is about to run ``forward``."""

    def leave(self, module: Any, output: Any) -> None:
        """A module has returned ``output``, or has failed (None)."""

    def backward_starts(self) -> None:
        """A backward pass begins."""

    def pulled(self, node: Any, position: int, g: Any, gp: Any) -> None:
        """The rule of ``node`` for its operand ``position`` has turned the gradient ``g`` into ``gp``."""


class Mode:
    """The current autograd mode; one per thread and asyncio task, never changed, only replaced.

    ``grad``: record nodes. ``guard``: an exactly zero incoming gradient gives an exactly zero outgoing one.
    ``inference``: no gradients will be asked of the results. ``observers``: the running `Observer` objects.
    ``outer``: the mode to return to. ``place``: the line that called one of this package's modules, so that no op
    inside it has to look for it.
    """

    __slots__ = ("grad", "guard", "inference", "observers", "outer", "place")

    def __init__(
        self, grad: bool = True, guard: bool = True, inference: bool = False, observers: tuple[Observer, ...] = (),
        outer: Mode | None = None, place: tuple[CodeType, int] | None = None,
    ) -> None:  # fmt: skip
        self.grad, self.guard, self.inference, self.observers, self.outer = grad, guard, inference, observers, outer
        self.place = place

    def at(self, place: tuple[CodeType, int] | None) -> Mode:
        """Return this mode with another ``place``."""
        return Mode(self.grad, self.guard, self.inference, self.observers, self.outer, place)

    def but(self, **changes: Any) -> Mode:
        """Return this mode with some fields replaced."""
        fields = {name: getattr(self, name) for name in Mode.__slots__}
        return Mode(**{**fields, **changes})


RECORDING = Mode()
MODE: ContextVar[Mode] = ContextVar("tinygrad_lite_mode", default=RECORDING)  # noqa: B039 - a Mode is never changed


def enter(mode: Mode) -> None:
    """Make ``mode`` the current one, or leave the old one if that fails or is interrupted: no block will end it."""
    before = MODE.get()
    try:
        MODE.set(mode)
    except BaseException:
        restore(before)
        raise


def leave() -> None:
    """End a block: return to the mode around it, also when memory is so short that even a call fails."""
    try:
        restore(MODE.get().outer or RECORDING)
    except MemoryError:
        restore(MODE.get().outer or RECORDING)


def restore(mode: Mode) -> None:
    """Return to ``mode``, also when memory is short: what the failed attempt freed is enough for the second."""
    try:
        MODE.set(mode)
    except MemoryError:
        MODE.set(mode)


class switch:  # noqa: N801 - used like a function
    """Replace fields of the current mode: as a context manager, or as a decorator.

    A switch has no state: it can be entered again, and by several threads at once. A decorated generator or
    coroutine is switched only while it runs itself.
    """

    def __init__(self, **changes: Any) -> None:
        self.changes = changes

    def __enter__(self) -> None:
        mode = MODE.get()
        enter(mode.but(**self.changes, outer=mode))

    def __exit__(self, kind: Any = None, error: Any = None, trace: Any = None) -> None:
        leave()

    def __call__(self, function: F) -> F:
        """Decorate a function, generator or coroutine."""
        changes = self.changes
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def steps(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                return _stepwise(function(*args, **kwargs), changes)

            return steps  # type: ignore[return-value]
        if inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def asteps(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
                walk = function(*args, **kwargs)
                try:
                    while True:
                        try:
                            with switch(**changes):
                                item = await walk.__anext__()
                        except StopAsyncIteration:
                            return
                        yield item
                finally:
                    await walk.aclose()

            return asteps  # type: ignore[return-value]
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def later(*args: Any, **kwargs: Any) -> Any:
                with switch(**changes):
                    return await function(*args, **kwargs)

            return later  # type: ignore[return-value]

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with switch(**changes):
                return function(*args, **kwargs)

        return inside  # type: ignore[return-value]


def _stepwise(walk: Generator[Any, Any, Any], changes: dict[str, Any]) -> Generator[Any, Any, Any]:
    """Run a generator with fields of the mode replaced while it runs, not while its consumer does."""
    step: Callable[[Any], Any] = walk.send
    given: Any = None
    try:
        while True:
            try:
                with switch(**changes):
                    item = step(given)
            except StopIteration as end:
                return end.value
            try:
                step, given = walk.send, (yield item)
            except GeneratorExit:
                raise
            except BaseException as error:  # thrown in with .throw(): the generator handles it
                step, given = walk.throw, error
    finally:
        with switch(**changes):
            walk.close()


class no_grad(switch):  # noqa: N801 - PyTorch's name
    """Disable recording: ``with no_grad(): ...``, or ``@no_grad()`` on a function.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, 2.0], requires_grad=True)
    >>> with tl.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, function: Any = None) -> Any:
        """Decorate at once when used as ``@no_grad`` without parentheses."""
        return _bare_decorator(cls, function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(grad=False)


class enable_grad(switch):  # noqa: N801 - PyTorch's name
    """Enable recording inside a `no_grad` block.

    >>> import tinygrad_lite as tl
    >>> with tl.enable_grad():
    ...     y = (tl.ones(1, requires_grad=True) * 2).requires_grad
    ...
    >>> y
    True
    """

    def __new__(cls, function: Any = None) -> Any:
        """Decorate at once when used as ``@enable_grad`` without parentheses."""
        return _bare_decorator(cls, function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(grad=True)


@named_constructor
class inference_mode(switch):  # noqa: N801 - PyTorch's name
    """Disable recording for code whose results never need gradients, like `no_grad`.

    >>> import tinygrad_lite as tl
    >>> with tl.inference_mode():
    ...     y = (tl.ones(1, requires_grad=True) * 2).requires_grad
    ...
    >>> y
    False
    """

    def __new__(cls, mode: Any = True) -> Any:
        """Decorate at once when used as ``@inference_mode`` without parentheses."""
        return _bare_decorator(cls, mode)

    def __init__(self, mode: Any = True) -> None:
        super().__init__(**({"grad": False, "inference": True} if mode else {}))


def _bare_decorator(kind: type[Any], function: Any) -> Any:
    """Return a new switch of this ``kind``, or ``function`` decorated by one if it is callable."""
    self = object.__new__(kind)
    if not callable(function):
        return self
    self.__init__()
    return self(function)


@named_constructor
class set_grad_enabled(switch):  # noqa: N801 - PyTorch's name
    """Switch recording on or off, at once as a function call or for a ``with`` block.

    >>> import tinygrad_lite as tl
    >>> with tl.set_grad_enabled(False):
    ...     y = (tl.ones(1, requires_grad=True) * 2).requires_grad
    ...
    >>> y
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=bool(mode))
        self.before = MODE.get()
        MODE.set(self.before.but(grad=bool(mode)))

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any = None, error: Any = None, trace: Any = None) -> None:
        restore(self.before)

    def __call__(self, function: F) -> F:
        """Decorate a function, generator or coroutine."""
        restore(self.before)
        return switch(**self.changes)(function)


@named_constructor
class zero_guard(switch):  # noqa: N801 - used like a function
    """Switch off (or on) the rule that an exactly zero incoming gradient gives an exactly zero outgoing one.

    With the rule (the default) the untaken branch of ``where(x > 0, sqrt(x), 0)`` never makes NaN. Without it the
    plain product ``0 * inf`` is NaN, as in other libraries.

    >>> import numpy as np, tinygrad_lite as tl
    >>> x = tl.tensor(0.0, requires_grad=True)
    >>> (x.sqrt() * 0).backward()
    >>> x.grad.item()
    0.0
    """

    def __init__(self, enabled: bool = True) -> None:
        super().__init__(guard=bool(enabled))


def computed(name: str, args: tuple[Any, ...], out: Any) -> Any:
    """Return ``out`` after the observers have been given it: an array that no op has made of ``args``."""
    for observer in MODE.get().observers:
        observer.computed(name, args, out)
    return out


def read(t: Any) -> None:
    """Say to the observers that a number is read out of ``t``."""
    for observer in MODE.get().observers:
        observer.read(t)


def is_grad_enabled() -> bool:
    """Return whether operations are being recorded.

    >>> import tinygrad_lite as tl
    >>> tl.is_grad_enabled()
    True
    """
    return MODE.get().grad


def is_inference_mode_enabled() -> bool:
    """Return whether an `inference_mode` block is running.

    >>> import tinygrad_lite as tl
    >>> tl.is_inference_mode_enabled()
    False
    """
    return MODE.get().inference
