"""Parametrizations: a weight that is a function of the tensors that are trained.

``module.weight`` becomes a property: reading it calls the parametrization, assigning to it calls the inverse. The
trained tensors move to ``module.parametrizations.weight.original``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tinygrad_lite.engine.mode import no_grad
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.nn.container import ModuleDict, ModuleList
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip

CACHE: dict[tuple[int, str], Any] = {}
DEPTH = [0]
"""How many `cached` blocks are open."""


@contextmanager
def cached() -> Iterator[None]:
    """Compute every parametrized tensor once inside the block, however often it is read.

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.utils.parametrizations.orthogonal(tl.nn.Linear(2, 2))
    >>> with tl.nn.utils.parametrize.cached():
    ...     same = layer.weight is layer.weight
    ...
    >>> same
    True
    """
    DEPTH[0] += 1
    try:
        yield
    finally:
        DEPTH[0] -= 1
        if not DEPTH[0]:
            CACHE.clear()


def _register(module: Any, name: str, tensor: Any) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _inverse(parametrization: Any, value: Any) -> Any:
    """Return the inverse of ``value``; ``value`` itself if the parametrization defines no inverse."""
    if hasattr(parametrization, "right_inverse"):
        try:
            return parametrization.right_inverse(value)
        except NotImplementedError:
            pass
    return value


def _same(what: str, old: Any, new: Any, before: str, after: str) -> None:
    if old != new:
        raise ValueError(
            f"Registering a parametrization may not change the {what} of the tensor, unless `unsafe` flag is enabled.\n"
            f"{before}: {old}\n{after}: {new}"
        )


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor in the order in which they are applied, and what they are applied to.

    `register_parametrization` makes it. The trained tensor is ``original``; if the first inverse returns several, they
    are ``original0``, ``original1`` ...

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.utils.parametrizations.orthogonal(tl.nn.Linear(2, 2))
    >>> isinstance(layer.parametrizations.weight, tl.nn.utils.parametrize.ParametrizationList)
    True
    """

    original: Any
    unsafe: bool

    def __init__(self, modules: Sequence[Module], original: Any, unsafe: bool = False) -> None:
        if not len(modules):
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with no_grad():
            new = original
            for module in reversed(list(self)):
                new = _inverse(module, new)
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            if dtype != new.dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                    f"original.dtype: {dtype}\nright_inverse(original).dtype: {new.dtype}"
                )
            original.data = new  # the same object, so that optimisers need not be changed
            _register(self, "original", original)
        else:
            self._register_several(original, new)
        if not self.unsafe:
            self._check(shape, dtype)

    def _register_several(self, original: Any, new: Sequence[Any]) -> None:
        for i, part in enumerate(new):
            if not isinstance(part, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                    f"Got element {i} of the sequence with type {type(part).__name__}."
                )
            kept = Parameter(part, original.requires_grad) if isinstance(original, Parameter) else part
            _register(self, f"original{i}", kept.requires_grad_(original.requires_grad))

    def _check(self, shape: Any, dtype: Any) -> None:
        value = self()
        if not isinstance(value, Tensor):
            raise ValueError(f"A parametrization must return a tensor. Got {type(value).__name__}.")
        _same("dtype", dtype, value.dtype, "unparametrized dtype", "parametrized dtype")
        _same("shape", shape, value.shape, "unparametrized shape", "parametrized shape")

    def right_inverse(self, value: Any) -> None:
        """Set the trained tensors so that the parametrized one becomes ``value``."""
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                value = module.right_inverse(value)  # pyright: ignore[reportAttributeAccessIssue]
        if self.is_tensor:
            if not isinstance(value, Tensor):
                raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
            if value.dtype != self.original.dtype:
                raise ValueError(
                    f"The tensor returned by `right_inverse` has dtype {value.dtype} while `original` has dtype "
                    f"{self.original.dtype}"
                )
            self.original.data = value
            return
        if not isinstance(value, Sequence):
            raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(value).__name__}.")
        if len(value) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of "
                f"length {len(value)}."
            )
        for i, part in enumerate(value):
            old = getattr(self, f"original{i}")
            if part.dtype != old.dtype:
                raise ValueError(
                    f"Tensor {i} returned by `right_inverse` has dtype {part.dtype} while `original{i}` has dtype "
                    f"{old.dtype}"
                )
            old.data = part

    def forward(self) -> Any:
        """Return the parametrized tensor."""
        first, *rest = self
        if self.is_tensor:
            value = first(self.original)
        else:
            value = first(*(getattr(self, f"original{i}") for i in range(self.ntensors)))
        for module in rest:
            value = module(value)
        return value


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    if id(self) in memo:
        return memo[id(self)]
    replica = memo[id(self)] = self.__new__(type(self))
    replica.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return replica


def _no_pickle(self: Any) -> Any:
    raise RuntimeError("Serialization of parametrized modules is only supported through state_dict().")


def _new_class(module: Any) -> None:
    """Give ``module`` its own class, to which properties can be added."""
    cls = type(module)
    members: dict[str, Any] = {"__getstate__": _no_pickle, "__module__": cls.__module__}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)


def _new_property(module: Any, name: str) -> None:
    def read(self: Any) -> Any:
        if not DEPTH[0]:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in CACHE:
            CACHE[key] = self.parametrizations[name]()
        return CACHE[key]

    def write(self: Any, value: Any) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, write))


def register_parametrization(module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool = False) -> Any:
    """Make a tensor of ``module`` the output of ``parametrization``; returns the module.

    ``parametrization.right_inverse``, if there is one, computes what is trained from the tensor's current value.
    Several parametrizations of one tensor are applied one after the other. Without ``unsafe`` they may not change
    shape or dtype.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.mT).all())
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_another(module, tensor_name, parametrization)
        module.parametrizations[tensor_name].append(parametrization)
        module.parametrizations[tensor_name].unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        listed = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _new_class(module)
            module.parametrizations = ModuleDict()
        _new_property(module, tensor_name)
        module.parametrizations[tensor_name] = listed
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def _check_another(module: Any, name: str, parametrization: Any) -> None:
    before = getattr(module, name)
    after = parametrization(before)
    if not isinstance(after, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    shown = f"module.{name}", f"parametrization(module.{name})"
    _same("dtype", before.dtype, after.dtype, f"{shown[0]}.dtype", f"{shown[1]}.dtype")
    _same("shape", before.shape, after.shape, f"{shown[0]}.shape", f"{shown[1]}.shape")
    back = _inverse(parametrization, after)
    if not isinstance(back, Tensor):
        raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
    for what in ("dtype", "shape"):
        old, new = getattr(before, what), getattr(back, what)
        if old != new:
            raise ValueError(
                f"The tensor returned by parametrization.right_inverse must have the same {what} as module.{name}, "
                f"unless the `unsafe` flag is enabled.\nmodule.{name}.{what}: {old}\nreturned {what}: {new}"
            )


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Return whether ``module`` has a parametrized tensor, or whether the one named is parametrized.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.parametrize.is_parametrized(tl.nn.Linear(2, 2))
    False
    """
    listed = getattr(module, "parametrizations", None)
    if not isinstance(listed, ModuleDict):
        return False
    return len(listed) > 0 if tensor_name is None else tensor_name in listed


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Make a parametrized tensor a parameter or buffer again; returns the module.

    It keeps its current value, or without ``leave_parametrized`` gets the value of the original tensor.

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.utils.parametrizations.orthogonal(tl.nn.Linear(2, 2))
    >>> tl.nn.utils.parametrize.remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    listed = module.parametrizations[tensor_name]
    if listed.is_tensor:
        original = listed.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Any) -> type:
    """Return the class that ``module`` had before it was parametrized.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.parametrize.type_before_parametrizations(tl.nn.Linear(2, 2))
    <class 'tinygrad_lite.nn.linear.Linear'>
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module: Any, to_module: Any, tensor_name: str | None = None) -> Any:
    """Give ``to_module`` the parametrizations of ``from_module`` and what they are applied to; returns ``to_module``.

    All of them, or those of the tensor named.

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.utils.parametrizations.orthogonal(tl.nn.Linear(2, 2))
    >>> other = tl.nn.utils.parametrize.transfer_parametrizations_and_params(layer, tl.nn.Linear(2, 2))
    >>> list(other.parametrizations)
    ['weight']
    """
    if not is_parametrized(from_module):
        return to_module
    for name in list(from_module.parametrizations) if tensor_name is None else [tensor_name]:
        listed = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        for parametrization in listed:
            register_parametrization(to_module, name, parametrization)
        for kept in ["original"] if listed.is_tensor else [f"original{i}" for i in range(listed.ntensors)]:
            setattr(to_module.parametrizations[name], kept, getattr(listed, kept))
    return to_module
