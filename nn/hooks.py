"""Module hooks: functions called around ``forward`` and in the backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_lite.engine.tensor import Tensor


class Hooks:
    """The hooks of one module; None for a module without hooks."""

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
    """Collect the gradients of one call's inputs and outputs, then call the hooks."""

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
                out[i] = a.reshape(a.shape)  # a separate node: only this module's gradients reach it
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
            self.call_hooks((None,) * self.count)

    def call_hooks(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        given = tuple(self.grad_out.get(i) for i in range(self.outs))
        for hook in self.hooks:
            answer = hook(self.module, grads, given)
            if answer is not None:
                grads = answer if isinstance(answer, tuple) else (answer,)
        return grads

    def arrived(self, i: int, g: Tensor) -> Tensor | None:
        self.grad_in[i] = g
        if len(self.grad_in) < len(self.places):
            return None  # the hooks run once, with the last input's gradient
        grads = tuple(self.grad_in.get(k) for k in range(self.count))
        self.grad_in = {}
        answer = self.call_hooks(grads)
        return answer[i] if answer is not grads else None
