"""Source locations: the user's line of a call, the module path of an error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tinygrad_lite.engine.arguments import explained
from tinygrad_lite.engine.mode import MODE, Mode
from tinygrad_lite.engine.source import user_frame
from tinygrad_lite.errors import DeviceError, DTypeError, GradientError, ShapeError, describe


def placed(mode: Mode, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run ``forward`` with one source line for all nodes recorded inside.

    The line is the user's line that called the module. If a line is set already, it is cleared inside.
    """
    place = None
    if mode.place is None:
        frame = user_frame(sys._getframe(2))
        place = (frame.f_code, frame.f_lasti)
    inside = mode.at(place)
    try:
        MODE.set(inside)
        return forward(*args, **kwargs)
    finally:
        left = MODE.get()  # forward may have changed it for good: set_grad_enabled(False)
        before = mode if left is inside or left is mode else left.at(mode.place)
        try:
            MODE.set(before)
        except MemoryError:  # what the failed attempt freed is enough for the second
            MODE.set(before)


def located(module: Any, args: Any, error: Exception) -> None:
    """Add the path of the submodule to ``error``: ``error in layers.2 (Conv2d)``.

    The failing module is stored with the error, and each enclosing module prepends its own name for it. An error of
    another library keeps its text and gets a note. If a layer of this package got something other than a tensor, the
    error says so.
    """
    place = getattr(error, "_place", None)
    if place is None:
        ours = type(module).__module__.startswith("tinygrad_lite.")
        if ours and isinstance(error, (AttributeError, TypeError)) and not isinstance(error, DTypeError):
            if args and not hasattr(args[0], "ndim") and not isinstance(args[0], tuple):
                clear = DTypeError(f"{type(module).__name__}: expected a tensor, got {describe(args[0])}")
                located(module, args, clear)
                raise clear from error
        clearer = explained(type(module).__name__, type(module).forward, (module, *args), {}, error) if ours else None
        if clearer is not None:
            located(module, args, clearer)
            raise clearer from error
        error._place = (module, "", type(module).__name__, error.args)  # type: ignore[attr-defined]
        return
    below, path, kind, texts = place
    name = next((n for n, m in module.named_modules() if m is below), "")
    if not name:
        return
    path = f"{name}.{path}" if path else name
    error._place = (module, path, kind, texts)  # type: ignore[attr-defined]
    where = f"error in {path} ({kind})"
    ours = isinstance(error, (ShapeError, DTypeError, DeviceError, GradientError)) or hasattr(error, "explained")
    if ours and len(texts) == 1 and isinstance(texts[0], str):
        error.args = (f"{where}: {texts[0]}",)
    else:
        notes = [n for n in getattr(error, "__notes__", ()) if not n.startswith("error in ")]
        error.__notes__ = [*notes, where]
