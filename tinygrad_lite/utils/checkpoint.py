"""Checkpoints: save memory by running a function again in the backward pass instead of keeping its saved tensors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from enum import Enum
from typing import Any

from tinygrad_lite.autograd.graph import saved_tensors_hooks
from tinygrad_lite.engine.mode import enable_grad
from tinygrad_lite.engine.no_effect import NO_EFFECT
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.random import get_rng_state, set_rng_state


class _Frame:
    """One checkpointed call: recomputes its saved tensors together when the first of them is asked for."""

    def __init__(self, run: Callable[[], Any], state: Any, determinism_check: str) -> None:
        self.run, self.state, self.check = run, state, determinism_check
        self.shapes: list[Any] = []
        self.values: list[Tensor] | None = None
        self.left = 0

    def pack(self, t: Tensor) -> int:
        self.shapes.append((tuple(t.shape), t.dtype))
        return len(self.shapes) - 1

    def unpack(self, i: int) -> Tensor:
        if self.values is None:
            self.values, self.left = self.again(), len(self.shapes)
        value = self.values[i]
        self.left -= 1
        if not self.left:  # all were used: a second backward pass recomputes again
            self.values = None
        return value

    def again(self) -> list[Tensor]:
        found: list[Tensor] = []
        now = get_rng_state()
        try:
            if self.state is not None:
                set_rng_state(self.state)
            with enable_grad(), saved_tensors_hooks(lambda t: found.append(t) or t, lambda t: t):  # type: ignore[func-returns-value]
                self.run()
        finally:
            set_rng_state(now)
        if self.check != "none" and [(tuple(t.shape), t.dtype) for t in found] != self.shapes:
            raise RuntimeError(
                f"checkpoint: the function saved {len(found)} tensors when it was recomputed and {len(self.shapes)} at "
                f"first, or of other shapes; it must do the same both times"
            )
        return found


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None, context_fn: Any = None,
    determinism_check: str = "default", debug: bool = False, preserve_rng_state: bool = True, early_stop: bool = True,
    **kwargs: Any,
) -> Any:  # fmt: skip
    """Return ``function(*args, **kwargs)``, whose saved tensors are recomputed in the backward pass.

    Memory for time: nothing inside ``function`` is kept, and it runs once more when a gradient is asked for, with the
    same random numbers if ``preserve_rng_state``. Gradients of every order are those without it. ``use_reentrant`` is
    accepted; both forms are this one.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, 2.0], requires_grad=True)
    >>> checkpoint(lambda a: (a * a).exp(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([  5.4366, 218.3926])
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(f"checkpoint: determinism_check must be 'default' or 'none', got {determinism_check!r}")
    if use_reentrant is None:
        warn("checkpoint: pass use_reentrant=True or False explicitly; both do the same here")
    first, second = context_fn() if context_fn is not None else (nullcontext(), nullcontext())

    def again() -> Any:
        with second:
            return function(*args, **kwargs)

    frame = _Frame(again, get_rng_state() if preserve_rng_state else None, determinism_check)
    with first, saved_tensors_hooks(frame.pack, frame.unpack):
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Run a Sequential in ``segments`` parts, each but the last one checkpointed.

    >>> import tinygrad_lite as tl
    >>> net = tl.nn.Sequential(tl.nn.Tanh(), tl.nn.Tanh(), tl.nn.Tanh())
    >>> checkpoint_sequential(net, 2, tl.zeros(1, requires_grad=True), use_reentrant=False)
    tensor([0.], grad_fn=<tanh>)
    """
    layers = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = max(1, len(layers) // segments)

    def part(start: int, end: int) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for layer in layers[start:end]:
                x = layer(x)
            return x

        return run

    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(part(start, end), input, use_reentrant=use_reentrant, **kwargs)
    return part(end, len(layers))(input)


class CheckpointError(RuntimeError):
    """The error of a checkpoint whose function does something else the second time."""


class CheckpointPolicy(Enum):
    """What `create_selective_checkpoint_contexts` may be asked for: every value is recomputed here.

    >>> import tinygrad_lite as tl
    >>> tl.utils.checkpoint.CheckpointPolicy.MUST_SAVE.name
    'MUST_SAVE'
    """

    MUST_SAVE, PREFER_SAVE, MUST_RECOMPUTE, PREFER_RECOMPUTE, MUST_CPU_OFFLOAD = range(5)


_WHOLE = "a checkpoint recomputes everything inside it"
for _name in ("create_selective_checkpoint_contexts", "set_checkpoint_early_stop", "set_checkpoint_debug_enabled"):
    NO_EFFECT[f"utils.checkpoint.{_name}"] = _WHOLE


def noop_context_fn() -> tuple[Any, Any]:
    """Return two contexts in which nothing is different.

    >>> import tinygrad_lite as tl
    >>> len(tl.utils.checkpoint.noop_context_fn())
    2
    """
    return nullcontext(), nullcontext()


def create_selective_checkpoint_contexts(policy_fn_or_list: Any, **words: Any) -> tuple[Any, Any]:
    """Accept a choice of what is saved; everything is recomputed.

    >>> import tinygrad_lite as tl
    >>> from functools import partial
    >>> policy = partial(tl.utils.checkpoint.create_selective_checkpoint_contexts, [])
    >>> layer = tl.nn.Linear(2, 1)
    >>> tl.utils.checkpoint.checkpoint(layer, tl.ones(1, 2), use_reentrant=False, context_fn=policy).shape
    (1, 1)
    """
    return noop_context_fn()


def set_checkpoint_early_stop(enable: bool) -> Any:
    """Return a context; a checkpoint always runs its function to the end.

    >>> import tinygrad_lite as tl
    >>> with tl.utils.checkpoint.set_checkpoint_debug_enabled(True):
    ...     pass
    ...
    """
    return nullcontext()


set_checkpoint_debug_enabled = set_checkpoint_early_stop


def detach_variable(inputs: Any) -> tuple[Any, ...]:
    """Return the inputs with new leaves in place of their tensors.

    >>> import tinygrad_lite as tl
    >>> x = tl.ones(2, requires_grad=True) * 2
    >>> (leaf,) = tl.utils.checkpoint.detach_variable((x,))
    >>> leaf.is_leaf, leaf.requires_grad
    (True, True)
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}")
    return tuple(x.detach().requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x for x in inputs)
