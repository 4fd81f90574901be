"""Native loops for large float32 arrays: in use where the extra ``compile`` (llvmlite) is installed.

``enabled`` may be set; `flags` sets it for a ``with`` block. The environment variable ``TINYGRAD_LITE_NATIVE=0`` turns
the loops off from the start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tinygrad_lite.errors import OptionError, require
from tinygrad_lite.native import routes


def is_available() -> bool:
    """Return whether llvmlite is installed and works.

    >>> import tinygrad_lite as tl
    >>> tl.backends.native.is_available() in (True, False)
    True
    """
    from tinygrad_lite.native import library  # only now, as it is of no use without llvmlite

    return library.works()


@contextmanager
def flags(enabled: bool = False) -> Iterator[None]:
    """Turn native loops on or off for a ``with`` block, in all threads.

    >>> import tinygrad_lite as tl
    >>> with tl.backends.native.flags(enabled=False):
    ...     tl.backends.native.enabled
    False
    """
    before = routes.in_use()
    _set(enabled)
    try:
        yield
    finally:
        _set(before)


def _set(value: bool) -> None:
    if not isinstance(value, bool):
        raise OptionError(f"backends.native.enabled: expected True or False, got {value!r}")
    if not value:
        routes.uninstall()
    elif routes.found():
        routes.install()
    else:
        require("llvmlite", extra="compile")


class _Switch(ModuleType):
    """A module whose ``enabled`` is a switch."""

    @property
    def enabled(self) -> bool:
        """Whether native loops are in use."""
        return routes.in_use()

    @enabled.setter
    def enabled(self, value: bool) -> None:
        _set(value)


sys.modules[__name__].__class__ = _Switch
