"""Module hooks: functions called around ``forward``, in the backward pass, and when state is saved or loaded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from tinygrad_lite.engine.hooks import RemovableHandle
from tinygrad_lite.nn.backward_hooks import BackwardHook

REGISTERED: dict[str, dict[int, Callable[..., Any]]] = {"parameter": {}, "buffer": {}, "module": {}}
"""Hooks of all modules, called when a parameter, buffer or child is registered."""

ACTIVE: dict[int, Any] = {}
"""The hooks of all modules that a call has to look at, by number; while it is empty, a call skips them."""


class Hooks:
    """The hooks of one module, or of all; a module without any has None instead."""

    def __init__(self) -> None:
        self.before: dict[int, Callable[..., Any]] = {}
        self.before_kwargs: dict[int, bool] = {}
        self.after: dict[int, Callable[..., Any]] = {}
        self.after_kwargs: dict[int, bool] = {}
        self.after_always: dict[int, bool] = {}
        self.backward: dict[int, Callable[..., Any]] = {}
        self.backward_before: dict[int, Callable[..., Any]] = {}
        self.full: bool | None = None  # whether `backward` holds full hooks or those of the older kind
        self.saving: dict[int, Callable[..., Any]] = {}
        self.saved: dict[int, Callable[..., Any]] = {}
        self.loading: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.loaded: dict[int, Callable[..., Any]] = {}

    def __bool__(self) -> bool:
        return bool(self.before or self.after or self.backward or self.backward_before)

    def add_before(self, hook: Callable[..., Any], prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Add a hook that runs before ``forward``."""
        handle = RemovableHandle(self.before, hook, prepend)
        if with_kwargs:
            self.before_kwargs[handle.id] = True
        return handle

    def add_after(
        self, hook: Callable[..., Any], prepend: bool = False, with_kwargs: bool = False, always: bool = False
    ) -> RemovableHandle:
        """Add a hook that runs after ``forward``."""
        handle = RemovableHandle(self.after, hook, prepend)
        if with_kwargs:
            self.after_kwargs[handle.id] = True
        if always:
            self.after_always[handle.id] = True
        return handle

    def add_backward(self, hook: Callable[..., Any], full: bool, prepend: bool = False) -> RemovableHandle:
        """Add a hook that runs in the backward pass; full hooks and older ones exclude each other."""
        if self.full is not None and self.full is not full:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. "
                "Please use only one of them."
            )
        self.full = full
        return RemovableHandle(self.backward, hook, prepend)


EVERY = Hooks()
"""The hooks of all modules."""


class Everywhere(RemovableHandle):
    """The handle of a hook of all modules."""

    __slots__ = ()

    def __init__(self, handle: RemovableHandle) -> None:
        self.hooks, self.id = handle.hooks, handle.id
        ACTIVE[self.id] = handle.hooks

    def remove(self) -> None:
        """Remove the hook; does nothing the second time."""
        super().remove()
        ACTIVE.pop(self.id, None)


def hooks_of(module: Any) -> Hooks:
    """Return the hooks of ``module``, which has a place for them from now on."""
    if module._hooks is None:
        module.__dict__["_hooks"] = Hooks()
    return module._hooks  # type: ignore[no-any-return]


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run ``module.forward`` with the hooks of all modules and its own around it."""
    own = module._hooks or Hooks()
    called: set[int] = set()
    state: list[Any] = [args, kwargs, None]  # the arguments and the output as the hooks have changed them
    try:
        return _run(module, own, state, called)
    except Exception:
        for number, hook, with_kwargs in _after(own):
            if number in called or not (number in own.after_always or number in EVERY.after_always):
                continue
            try:
                answer = hook(module, *state) if with_kwargs else hook(module, state[0], state[2])
            except Exception as error:
                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception that was silenced as another "
                    f"error was raised in forward: {error}",
                    stacklevel=2,
                )
            else:
                state[2] = state[2] if answer is None else answer
        raise


def _after(own: Hooks) -> Iterator[tuple[int, Callable[..., Any], bool]]:
    for hooks in (EVERY, own):
        for number, hook in tuple(hooks.after.items()):
            yield number, hook, number in hooks.after_kwargs


def _run(module: Any, own: Hooks, state: list[Any], called: set[int]) -> Any:
    for hooks in (EVERY, own):
        for number, hook in tuple(hooks.before.items()):
            if number in hooks.before_kwargs:
                answer = hook(module, state[0], state[1])
                if answer is None:
                    continue
                if not (isinstance(answer, tuple) and len(answer) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {answer}."
                    )
                state[:2] = answer
            else:
                answer = hook(module, state[0])
                if answer is not None:
                    state[0] = answer if isinstance(answer, tuple) else (answer,)
    watch = None
    backward, before = ((*EVERY.backward.values(), *own.backward.values()),
                        (*EVERY.backward_before.values(), *own.backward_before.values()))  # fmt: skip
    if backward or before:
        watch = BackwardHook(module, backward, before)
        state[0] = watch.setup_input_hook(state[0])
    state[2] = module.forward(*state[0], **state[1])
    for number, hook, with_kwargs in _after(own):
        called.add(number)
        answer = hook(module, *state) if with_kwargs else hook(module, state[0], state[2])
        if answer is not None:
            state[2] = answer
    return state[2] if watch is None else watch.setup_output_hook(state[2])


class Hooked:
    """The part of `Module` that registers hooks of one module."""

    _hooks: Hooks | None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``.

        A return value other than None replaces the arguments.
        """
        return hooks_of(self).add_before(hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``.

        A return value other than None replaces the output. ``always_call``: also after an error in ``forward``.
        """
        return hooks_of(self).add_after(hook, prepend, with_kwargs, always_call)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the backward pass of the module.

        A return value other than None replaces ``grad_output``.
        """
        return RemovableHandle(hooks_of(self).backward_before, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` in the backward pass.

        A return value other than None replaces ``grad_input``.
        """
        return hooks_of(self).add_backward(hook, True, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The older name of `register_full_backward_hook`; a module has hooks of one kind only."""
        return hooks_of(self).add_backward(hook, False)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` in `state_dict`; it may return another dict."""
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was previously registered via "
                "register_state_dict_post_hook"
            )
        return RemovableHandle(hooks_of(self).saved, hook)

    def register_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after the state was read; it changes the dict."""
        hook._from_public_api = True
        return RemovableHandle(hooks_of(self).saved, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before `state_dict` reads the module."""
        return RemovableHandle(hooks_of(self).saving, hook)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        """Call ``hook(state_dict, prefix, ...)`` before loading; ``with_module``: with the module first."""
        return RemovableHandle(hooks_of(self).loading, (hook, with_module))

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, ...)`` before loading.

        The other arguments are ``local_metadata, strict, missing_keys, unexpected_keys, error_msgs``.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; it may change the lists of names."""
        return RemovableHandle(hooks_of(self).loaded, hook)


def _table(field: str) -> Any:
    def read(self: Any) -> Any:
        return getattr(hooks_of(self), field)

    return property(read, doc=f"The hooks {field!r} by number, as a dict that may be changed.")


for _name, _field in {
    "_forward_pre_hooks": "before", "_forward_pre_hooks_with_kwargs": "before_kwargs", "_forward_hooks": "after",
    "_forward_hooks_with_kwargs": "after_kwargs", "_forward_hooks_always_called": "after_always",
    "_backward_hooks": "backward", "_backward_pre_hooks": "backward_before", "_state_dict_pre_hooks": "saving",
    "_state_dict_hooks": "saved", "_load_state_dict_pre_hooks": "loading", "_load_state_dict_post_hooks": "loaded",
}.items():  # fmt: skip
    setattr(Hooked, _name, _table(_field))
