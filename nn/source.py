"""Where something happens: the user's line that called a module, and the module an error comes from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tinygrad_lite.engine.mode import MODE, Mode
from tinygrad_lite.engine.source import user_frame
from tinygrad_lite.errors import DeviceError, DTypeError, GradientError, ShapeError, describe


def placed(mode: Mode, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run ``forward`` with the user's line noted once for all steps inside, or, if one is noted already, forgotten."""
    place = None
    if mode.place is None:
        frame = user_frame(sys._getframe(2))
        place = (frame.f_code, frame.f_lasti)
    inside = mode.at(place)
    MODE.set(inside)
    try:
        return forward(*args, **kwargs)
    finally:
        left = MODE.get()  # forward may have changed it for good: set_grad_enabled(False)
        MODE.set(mode if left is inside else left.at(mode.place))


def located(module: Any, args: Any, error: Exception) -> None:
    """Say in ``error`` in which submodule it happened: ``error in layers.2 (Conv2d): ...``.

    The module that failed is remembered with the error; each module around it that the error passes through puts its
    own name for it in front. An error that is not ours keeps its text and gets a note. One of our layers that is given
    something else than a tensor says so.
    """
    place = getattr(error, "_place", None)
    if place is None:
        ours = type(module).__module__.startswith("tinygrad_lite.nn.")
        if ours and isinstance(error, (AttributeError, TypeError)) and not isinstance(error, DTypeError):
            if args and not hasattr(args[0], "ndim") and not isinstance(args[0], tuple):
                clear = DTypeError(f"{type(module).__name__}: expected a tensor, got {describe(args[0])}")
                located(module, args, clear)
                raise clear from error
        error._place = (module, "", type(module).__name__, error.args)  # type: ignore[attr-defined]
        return
    below, path, kind, said = place
    name = next((n for n, m in module.named_modules() if m is below), "")
    if not name:
        return
    path = f"{name}.{path}" if path else name
    error._place = (module, path, kind, said)  # type: ignore[attr-defined]
    where = f"error in {path} ({kind})"
    ours = isinstance(error, (ShapeError, DTypeError, DeviceError, GradientError)) or hasattr(error, "explained")
    if ours and len(said) == 1 and isinstance(said[0], str):
        error.args = (f"{where}: {said[0]}",)
    else:
        notes = [n for n in getattr(error, "__notes__", ()) if not n.startswith("error in ")]
        error.__notes__ = [*notes, where]
