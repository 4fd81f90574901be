"""Hooks of all modules, for debugging and profiling; PyTorch's name for this is ``torch.nn.modules.module``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_lite.engine.hooks import RemovableHandle
from tinygrad_lite.nn.hooks import EVERY, REGISTERED, Everywhere
from tinygrad_lite.nn.module import Module as Module

__all__ = [
    "Module", "register_module_backward_hook", "register_module_buffer_registration_hook",
    "register_module_forward_hook", "register_module_forward_pre_hook", "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook", "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]  # fmt: skip

Hook = Callable[..., Any]


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, args)`` before ``forward`` of every module."""
    return Everywhere(EVERY.add_before(hook))


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after ``forward`` of every module."""
    return Everywhere(EVERY.add_after(hook, False, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before the backward pass of every module."""
    return Everywhere(RemovableHandle(EVERY.backward_before, hook))


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` in the backward pass of every module."""
    return Everywhere(EVERY.add_backward(hook, True))


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """The older name of `register_module_full_backward_hook`."""
    return Everywhere(EVERY.add_backward(hook, False))


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` when a parameter is registered; it may return another one."""
    return RemovableHandle(REGISTERED["parameter"], hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` when a buffer is registered; it may return another one."""
    return RemovableHandle(REGISTERED["buffer"], hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(module, name, child)`` when a child is registered; it may return another one."""
    return RemovableHandle(REGISTERED["module"], hook)
