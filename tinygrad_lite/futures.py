"""Results that arrive later, as in ``torch.futures``; functions here run at once, so most of them have arrived."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

__all__ = ["Future", "collect_all", "wait_all"]


class Future:
    """The result of a call, or its exception, that another thread may set.

    >>> f = Future()
    >>> f.set_result(3)
    >>> f.then(lambda f: f.value() + 1).wait()
    4
    """

    def __init__(self, *, devices: Any = None) -> None:
        self._future: futures.Future[Any] = futures.Future()

    def done(self) -> bool:
        """Return whether the result or an exception is here."""
        return self._future.done()

    def wait(self) -> Any:
        """Return the result as soon as it is here; raise the exception if there is one."""
        return self._future.result()

    value = wait

    def set_result(self, result: Any) -> None:
        """Set the result; a second one is an error."""
        if self.done():
            raise RuntimeError("Future: it has a result already")
        self._future.set_result(result)

    def set_exception(self, result: BaseException) -> None:
        """Set the exception that `wait` raises."""
        if not isinstance(result, BaseException):
            raise TypeError(f"Future.set_exception: expected an exception, got {result!r}")
        self._future.set_exception(result)

    def add_done_callback(self, callback: Callable[[Future], Any]) -> None:
        """Call ``callback(self)`` when the result is here; at once if it is."""
        self._future.add_done_callback(lambda _: callback(self))

    def then(self, callback: Callable[[Future], Any]) -> Future:
        """Return the future of ``callback(self)``."""
        out = Future()
        self.add_done_callback(lambda done: out._settle(callback, done))
        return out

    def _settle(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
        try:
            self.set_result(function(*args, **kwargs))
        except Exception as error:
            self.set_exception(error)
        return self


def collect_all(futures: Sequence[Future]) -> Future:
    """Return the future of the list of ``futures``, all of them done."""
    out, waiting = Future(), list(futures)

    def check(_: Any) -> None:
        if all(f.done() for f in waiting) and not out.done():
            out.set_result(list(futures))

    for f in futures:
        f.add_done_callback(check)
    if not futures:
        out.set_result([])
    return out


def wait_all(futures: Sequence[Future]) -> list[Any]:
    """Return the results of all ``futures``.

    >>> done = Future()
    >>> done.set_result(1)
    >>> wait_all([done])
    [1]
    """
    return [f.wait() for f in futures]
