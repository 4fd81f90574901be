"""Hooks of optimisers: before and after a step, and when state is saved or loaded."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tinygrad_lite.engine.hooks import RemovableHandle

Hook = Callable[..., Any]

BEFORE: dict[int, Hook] = {}
AFTER: dict[int, Hook] = {}
"""The hooks of all optimisers, called before and after every step."""


def register_optimizer_step_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before every step of every optimiser."""
    return RemovableHandle(BEFORE, hook)


def register_optimizer_step_post_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after every step of every optimiser."""
    return RemovableHandle(AFTER, hook)


def run_hooked(optimizer: Any, step: Hook, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call ``step(*args, **kwargs)`` with the hooks around it; the first argument is the optimiser."""
    for hook in (*BEFORE.values(), *optimizer._optimizer_step_pre_hooks.values()):
        answer = hook(optimizer, args, kwargs)
        if answer is not None:
            if not (isinstance(answer, tuple) and len(answer) == 2):
                raise RuntimeError(f"step must return None or a tuple of (new_args, new_kwargs), but got {answer}.")
            args, kwargs = answer
    out = step(*args, **kwargs)
    for hook in (*optimizer._optimizer_step_post_hooks.values(), *AFTER.values()):
        hook(optimizer, args, kwargs)
    return out


def hooked(step: Any) -> Any:
    """Return a user's own ``step``, counted and with the hooks around it."""
    if getattr(step, "hooked", False):
        return step

    @functools.wraps(step)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        optimizer = args[0]
        if optimizer._inside:  # ``super().step()`` inside a step
            return step(*args, **kwargs)
        count, optimizer._inside = optimizer.count, True
        try:
            return run_hooked(optimizer, step, args, kwargs)
        finally:
            optimizer._inside, optimizer.count = False, count + 1

    wrapper.hooked = True  # type: ignore[attr-defined]
    return wrapper


class HookedOptimizer:
    """The part of `Optimizer` that registers hooks."""

    count: int
    _inside: bool

    def _make_hooks(self) -> None:
        self._optimizer_step_pre_hooks: dict[int, Hook] = {}
        self._optimizer_step_post_hooks: dict[int, Hook] = {}
        self._optimizer_state_dict_pre_hooks: dict[int, Hook] = {}
        self._optimizer_state_dict_post_hooks: dict[int, Hook] = {}
        self._optimizer_load_state_dict_pre_hooks: dict[int, Hook] = {}
        self._optimizer_load_state_dict_post_hooks: dict[int, Hook] = {}

    profile_hook_step = staticmethod(hooked)

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before every step.

        ``args`` begins with the optimiser. A pair of new arguments may be returned.
        """
        return RemovableHandle(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after every step."""
        return RemovableHandle(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict`."""
        return RemovableHandle(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` at the end of `state_dict`; it may return another dict."""
        return RemovableHandle(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before `load_state_dict`; it may return another dict."""
        return RemovableHandle(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after `load_state_dict`."""
        return RemovableHandle(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    def _changed_by(self, hooks: dict[int, Hook], state: Any) -> Any:
        """Return a state dict after hooks that may return another one."""
        for hook in tuple(hooks.values()):
            answer = hook(self, state)
            if answer is not None:
                state = answer
        return state
