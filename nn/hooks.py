"""What happens around the forward of a module: hooks, the line it was called from, and where an error happened."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tinygrad_lite.engine.mode import MODE, Mode
from tinygrad_lite.engine.source import user_frame
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import DeviceError, DTypeError, GradientError, ShapeError, describe


class Hooks:
    """The hooks of one module; a module without any has none of these."""

    def __init__(self) -> None:
        self.before: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.after: dict[int, tuple[Callable[..., Any], bool, bool]] = {}
        self.backward: dict[int, Callable[..., Any]] = {}

    def __bool__(self) -> bool:
        return bool(self.before or self.after or self.backward)


def call_with_hooks(module: Any, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run ``module.forward`` with its hooks around it."""
    for before, with_kwargs in tuple(hooks.before.values()):
        answer = before(module, args, kwargs) if with_kwargs else before(module, args)
        if answer is None:
            continue
        if with_kwargs:
            if not (isinstance(answer, tuple) and len(answer) == 2):
                raise RuntimeError(f"forward pre-hook must return None or a tuple of (args, kwargs), but got {answer}.")
            args, kwargs = answer
        else:
            args = answer if isinstance(answer, tuple) else (answer,)
    watch = _Backward(module, tuple(hooks.backward.values())) if hooks.backward else None
    if watch is not None:
        args = watch.inputs(args)
    try:
        out = module.forward(*args, **kwargs)
    except Exception:
        for after, with_kwargs, always in tuple(hooks.after.values()):
            if always:
                after(module, args, kwargs, None) if with_kwargs else after(module, args, None)
        raise
    for after, with_kwargs, _ in tuple(hooks.after.values()):
        answer = after(module, args, kwargs, out) if with_kwargs else after(module, args, out)
        if answer is not None:
            out = answer
    return out if watch is None else watch.outputs(out)


class _Backward:
    """Collects the gradients of the inputs and outputs of one call, then tells the hooks."""

    def __init__(self, module: Any, hooks: tuple[Callable[..., Any], ...]) -> None:
        self.module, self.hooks = module, hooks
        self.count = 0
        self.grad_in: dict[int, Tensor] = {}
        self.grad_out: dict[int, Tensor] = {}
        self.places: list[int] = []

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.count = len(args)
        out = list(args)
        for i, a in enumerate(args):
            if isinstance(a, Tensor) and a.tracked:
                out[i] = a.reshape(a.shape)  # a step of its own: only what flows back through this module passes it
                out[i].register_hook(lambda g, i=i: self.arrived(i, g))
                self.places.append(i)
        return tuple(out)

    def outputs(self, out: Any) -> Any:
        several = out if isinstance(out, tuple) else (out,)
        answer = list(several)
        self.outs = len(several)
        for i, t in enumerate(several):
            if isinstance(t, Tensor) and t.tracked:
                answer[i] = t.reshape(t.shape)
                answer[i].register_hook(lambda g, i=i: self.leaving(i, g))
        return tuple(answer) if isinstance(out, tuple) else answer[0]

    def leaving(self, i: int, g: Tensor) -> None:
        self.grad_out[i] = g
        if not self.places:
            self.tell((None,) * self.count)

    def tell(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        given = tuple(self.grad_out.get(i) for i in range(self.outs))
        for hook in self.hooks:
            answer = hook(self.module, grads, given)
            if answer is not None:
                grads = answer if isinstance(answer, tuple) else (answer,)
        return grads

    def arrived(self, i: int, g: Tensor) -> Tensor | None:
        self.grad_in[i] = g
        if len(self.grad_in) < len(self.places):
            return None  # the gradient of the last input to arrive brings all of them
        grads = tuple(self.grad_in.get(k) for k in range(self.count))
        self.grad_in = {}
        answer = self.tell(grads)
        return answer[i] if answer is not grads else None


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
