"""Save and load tensors and containers of them without pickle; reading never executes code."""

from contextlib import contextmanager as _contextmanager
from typing import Any as _Any

from tinygrad_lite.engine.no_effect import NO_EFFECT as _NO_EFFECT, ignored as _ignored
from tinygrad_lite.serialization.files import load as load, save as save
from tinygrad_lite.serialization.safetensors import load_file as load_file, save_file as save_file

_SAFE = "nothing in a file is executed"
_NO_EFFECT["serialization.safe_globals"] = _SAFE
add_safe_globals = _ignored("serialization.add_safe_globals", _SAFE)
clear_safe_globals = _ignored("serialization.clear_safe_globals", _SAFE)
get_safe_globals = _ignored("serialization.get_safe_globals", _SAFE, [])


@_contextmanager
def safe_globals(safe_globals: _Any) -> _Any:
    """Accept names that a file may hold; a whitelist of the library decides.

    >>> import tinygrad_lite as tl
    >>> with tl.serialization.safe_globals([]):
    ...     pass
    ...
    """
    yield
