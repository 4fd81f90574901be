"""Module: the base of every layer and network.

Parameters, buffers and children are ordinary attributes, so reading them costs no more than any attribute. The module
records which attributes are which (`_kinds`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import checked_constructor
from tinygrad_lite.engine.devices import Device, as_device
from tinygrad_lite.engine.hooks import RemovableHandle
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.source import OURS
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.nn.hooks import Hooks, call_with_hooks
from tinygrad_lite.nn.parameter import Buffer, Parameter
from tinygrad_lite.nn.source import located, placed
from tinygrad_lite.nn.state_dict import IncompatibleKeys, read_state, write_state

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


class Module:
    """Base of all layers and networks.

    Assign parameters and other modules to attributes in ``__init__``, and define ``forward``.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = nn.Linear(2, 3)
    ...     def forward(self, x):
    ...         return self.layer(x).relu()
    >>> net = Net()
    >>> net(tl.ones(4, 2)).shape, [name for name, _ in net.named_parameters()]
    ((4, 3), ['layer.weight', 'layer.bias'])
    """

    training: bool
    _kinds: dict[str, str]
    _not_saved: set[str]
    _hooks: Hooks | None

    _places: bool | None = None
    """True: nodes inside get the source line of the call. False: ``forward`` is user code with its own lines."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        checked_constructor(cls)
        if "forward" in cls.__dict__ and "_places" not in cls.__dict__:
            code = getattr(cls.__dict__["forward"], "__code__", None)
            cls._places = None if code is not None and OURS[code.co_filename] else False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:
            given = f"{len(args)} positional and {len(kwargs)} keyword arguments"
            raise TypeError(f"{type(self).__name__}.__init__: Module itself takes no arguments, {given} were given")
        known = self.__dict__
        known["_kinds"] = {}  # name of attribute -> "parameter", "buffer" or "module", in order of assignment
        known["_not_saved"] = set()
        known["_hooks"] = None
        known["training"] = True

    # -------------------------------------------------------------------------------- attributes
    if not TYPE_CHECKING:  # type checkers would accept any attribute name

        def __getattr__(self, name: str) -> Any:
            if name in ("_kinds", "_hooks", "_not_saved", "training"):
                cls = type(self).__name__
                raise AttributeError(f"{cls}.__init__() did not call super().__init__(), which makes it a Module")
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        kinds = self.__dict__.get("_kinds")
        kind = _kind_of(value)
        if kind is not None:
            if kinds is None:
                raise AttributeError(
                    f"cannot assign {kind}s before {type(self).__name__}.__init__() called super().__init__()"
                )
            if kinds.get(name) != kind:
                self._forget(name)
                kinds[name] = kind
            if kind == "buffer":
                self._not_saved.discard(name) if value.persistent else self._not_saved.add(name)
        elif kinds and name in kinds and value is not None:
            old = kinds[name]
            if old != "buffer" or not isinstance(value, Tensor):
                expected = {"parameter": "Parameter", "buffer": "Tensor", "module": "Module"}[old]
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as {old} '{name}' ({expected} or None expected); "
                    f"wrap it in nn.Parameter, or change .data" if old == "parameter" else
                    f"cannot assign '{type(value).__name__}' as {old} '{name}' ({expected} or None expected)"
                )  # fmt: skip
        elif name == "forward":
            object.__setattr__(self, "_places", False)  # user code, with source lines of its own
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name == "forward":
            self.__dict__.pop("_places", None)
        self._forget(name)

    def _forget(self, name: str) -> None:
        self._kinds.pop(name, None)
        self._not_saved.discard(name)

    def _register(self, kind: str, name: str, value: Any) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self._kinds:
            raise KeyError(f"attribute '{name}' already exists")
        self._forget(name)
        self._kinds[name] = kind
        object.__setattr__(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add ``param`` as attribute ``name``; None reserves the name."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' (nn.Parameter or None required)"
            )
        self._register("parameter", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is not trained; ``persistent``: include it in state dicts."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (Tensor or None required)"
            )
        self._register("buffer", name, tensor)
        if not persistent:
            self._not_saved.add(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a child: `add_module` by its other name."""
        self.add_module(name, module)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add ``module`` as attribute ``name``."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass{meant(module)}")
        self._register("module", name, module)

    def _of(self, kind: str) -> dict[str, Any]:
        known = self.__dict__
        return {name: known[name] for name, k in self._kinds.items() if k == kind}

    @property
    def _parameters(self) -> dict[str, Any]:
        return self._of("parameter")

    @property
    def _buffers(self) -> dict[str, Any]:
        return self._of("buffer")

    @property
    def _modules(self) -> dict[str, Any]:
        return self._of("module")

    # -------------------------------------------------------------------------------- walking
    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield (dotted name, module) of this module (``""``) and all below it, once."""
        memo = set() if memo is None else memo
        if id(self) in memo:
            return
        if remove_duplicate:
            memo.add(id(self))
        yield prefix, self
        for name, child in self._of("module").items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) of the modules that are attributes of this one."""
        seen: set[int] = set()
        for name, child in self._of("module").items():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Module]:
        """Yield the modules that are attributes of this one."""
        return (child for _, child in self.named_children())

    def _named(self, kind: str, prefix: str, recurse: bool, once: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=once) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in module._of(kind).items():
                if value is None or (once and id(value) in seen):
                    continue
                seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield (dotted name, parameter), a shared one once, under its first name."""
        return self._named("parameter", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters of this module and (``recurse``) all below it, each once."""
        return (p for _, p in self._named("parameter", "", recurse, True))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield (dotted name, buffer)."""
        return self._named("buffer", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers of this module and (``recurse``) all below it."""
        return (b for _, b in self._named("buffer", "", recurse, True))

    def get_submodule(self, target: str) -> Module:
        """Return the module at the dotted path ``target``."""
        here: Any = self
        for name in target.split(".") if target else ():
            below = getattr(here, name, None)
            if below is None:
                raise AttributeError(f"{type(here).__name__} has no attribute `{name}`")
            if not isinstance(below, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
            here = below
        return here  # type: ignore[no-any-return]

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at the path ``target``; ``strict``: only where one already is."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        if strict and not hasattr(owner, name):
            raise AttributeError(f"{type(owner).__name__} has no attribute `{name}`")
        setattr(owner, name, module)

    def _get(self, kind: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if not hasattr(owner, name):
            raise AttributeError(f"{type(owner).__name__} has no attribute `{name}`")
        if owner._kinds.get(name) != kind:
            raise AttributeError(f"`{name}` is not a {kind}")
        return getattr(owner, name)

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at the dotted path ``target``."""
        return self._get("parameter", target)  # type: ignore[no-any-return]

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at the dotted path ``target``."""
        return self._get("buffer", target)  # type: ignore[no-any-return]

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call ``fn`` with every module, children first, this one last; returns self."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # -------------------------------------------------------------------------------- calling
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` with hooks and observers; an error names the module's path."""
        mode = MODE.get()
        observers = mode.observers
        if self._hooks is None and not observers:
            try:
                if self._places is (mode.place is None):
                    return placed(mode, self.forward, args, kwargs)
                if len(args) == 1 and not kwargs:  # the common call, without packing arguments
                    return self.forward(args[0])
                return self.forward(*args, **kwargs)
            except Exception as error:
                located(self, args, error)
                raise
        for observer in observers:
            observer.enter(self, args)
        out = None
        try:
            if not self._hooks:
                out = self.forward(*args, **kwargs)
            elif mode.place is None:
                out = call_with_hooks(self, self._hooks, args, kwargs)
            else:  # hooks are user code, and forward may be
                out = placed(mode, call_with_hooks, (self, self._hooks, args, kwargs), {})
        except Exception as error:
            located(self, args, error)
            raise
        finally:
            for observer in observers:
                observer.leave(self, out)
        return out

    def _no_forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # declared as an attribute, so that type checkers accept any signature in a subclass
    forward: Callable[..., Any] = _no_forward

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``.

        A return value other than None replaces the arguments.
        """
        self._hooks = self._hooks or Hooks()
        return RemovableHandle(self._hooks.before, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``.

        A return value other than None replaces the output.
        """
        self._hooks = self._hooks or Hooks()
        return RemovableHandle(self._hooks.after, (hook, with_kwargs, always_call), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` in the backward pass.

        A return value other than None replaces ``grad_input``.
        """
        self._hooks = self._hooks or Hooks()
        return RemovableHandle(self._hooks.backward, hook, prepend)

    # -------------------------------------------------------------------------------- state
    def state_dict(
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """Return parameters and persistent buffers by dotted name, sharing memory."""
        found = read_state(self, prefix, keep_vars)
        if destination is None:
            return found
        destination.update(found)
        return destination  # type: ignore[no-any-return]

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy a state dict into the module.

        With ``strict`` the names must match exactly.

        Returns the missing and the unexpected names. Shapes are checked before anything is changed.
        Raises RuntimeError.
        """
        return write_state(self, state_dict, strict, assign)

    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below it to training mode."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: M) -> M:
        """Switch this module and all below it to evaluation: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set ``requires_grad`` of all parameters (False freezes them); returns self."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all parameters to None, or to zeros."""
        for p in self.parameters():
            if not set_to_none and p.grad is not None:
                p.grad = Tensor(new.zeros_like(p.grad.array))
            else:
                p.grad = None

    def _convert(self: M, dtype: Any) -> M:
        kind = np.dtype(dtype)
        if kind.kind != "f":
            raise TypeError(f"a module can be given a floating dtype only, got {kind}")
        for t in (*self.parameters(), *self.buffers()):
            if t.array.dtype.kind == "f":
                t.array = t.array.astype(kind, copy=False)
                if t.grad is not None:
                    t.grad.array = t.grad.array.astype(kind, copy=False)
        return self

    def to(self: M, *args: Any, device: Any = None, dtype: Any = None, **_: Any) -> M:
        """Convert to a floating dtype: ``to(dtype)``, ``to(device, dtype)`` ..."""
        for a in args:
            if isinstance(a, Tensor):
                dtype = a.dtype
            elif isinstance(a, (str, Device, int)) and not isinstance(a, bool):
                device = a
            elif a is not None and not isinstance(a, bool):
                dtype = a
        if device is not None:
            as_device(device)
        return self if dtype is None else self._convert(dtype)

    def type(self: M, dst_type: Any) -> M:
        """Give parameters and buffers the floating dtype ``dst_type``."""
        return self._convert(dst_type)

    def float(self: M) -> M:
        """Give parameters and buffers dtype float32."""
        return self._convert(np.float32)

    def double(self: M) -> M:
        """Give parameters and buffers dtype float64."""
        return self._convert(np.float64)

    def half(self: M) -> M:
        """Give parameters and buffers dtype float16."""
        return self._convert(np.float16)

    def cpu(self: M) -> M:
        """Return self: everything here lives in main memory."""
        return self

    def cuda(self: M, device: Any = None) -> M:
        """Raise DeviceError: there is no such device here."""
        as_device("cuda")
        return self

    # -------------------------------------------------------------------------------- showing
    def _get_name(self) -> str:
        return type(self).__name__

    def summary(self, *inputs: Any) -> Any:
        """Return a table of one run: layers, shapes, parameters, FLOPs, bytes.

        >>> from tinygrad_lite import nn, ones
        >>> print(nn.Linear(2, 3).summary(ones(4, 2)))
        Layer (type)  Output shape  Parameters  FLOPs  Bytes
        ----------------------------------------------------
        Linear        (4, 3)                 9     48   48 B
        ----------------------------------------------------
        Parameters: 9 (trainable 9, frozen 0)
        FLOPs, one forward pass: 48
        Bytes: results 48 B, parameters 36 B, kept for backward 32 B
        """
        # imported by name, because viz imports nn
        return import_module("tinygrad_lite.viz").summary(self, *inputs)

    def extra_repr(self) -> str:
        """Return what stands between the brackets of ``repr``; override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        children = [
            f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in self._of("module").items()
        ]  # fmt: skip
        if not children and len(extra) <= 1:
            return f"{self._get_name()}({''.join(extra)})"
        return f"{self._get_name()}(\n  " + "\n  ".join(extra + children) + "\n)"


def meant(given: Any) -> str:
    """Return a hint for a caller who passed something other than a module."""
    if isinstance(given, (list, tuple)):
        return "; give the modules one by one: Sequential(*layers), or use ModuleList(layers)"
    if isinstance(given, type):
        return f"; {given.__name__} is a class, a layer is made by calling it: {given.__name__}(...)"
    return "; a function belongs into forward, or use the module of that name" if callable(given) else ""


def _kind_of(value: Any) -> str | None:
    if isinstance(value, Tensor):
        return "parameter" if isinstance(value, Parameter) else "buffer" if isinstance(value, Buffer) else None
    return "module" if isinstance(value, Module) else None
