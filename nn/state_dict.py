"""State dicts: read and load the parameters and buffers of a module by name.

Loading changes no tensor if anything does not fit: what was copied before the error was found is copied back.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.devices import moved
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import visible
from tinygrad_lite.nn.hooks import Hooked
from tinygrad_lite.nn.members import Members
from tinygrad_lite.nn.parameter import Parameter, is_lazy

EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Errors(list[str]):
    """The error messages of one `load_state_dict`, and how to undo what it has changed so far."""

    def __init__(self) -> None:
        super().__init__()
        self.undo: list[Callable[[], None]] = []

    def take_back(self) -> None:
        """Undo every change, the last one first."""
        while self.undo:
            self.undo.pop()()


class Stateful(Members, Hooked):
    """The part of `Module` that saves and loads state."""

    _version: int = 1
    """Version of the layer's state; stored with a state dict, for layers that have to load older ones."""

    def get_extra_state(self) -> Any:
        """Return what else belongs into the state dict; define it together with `set_extra_state`."""
        raise RuntimeError(f"{type(self).__name__} defines no get_extra_state")

    def set_extra_state(self, state: Any) -> None:
        """Take over what `get_extra_state` returned."""
        raise RuntimeError(f"{type(self).__name__} defines no set_extra_state")

    # -------------------------------------------------------------------------------- saving
    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Write the entries of this module alone into ``destination``; layers may override it."""
        for name, param in self._parameters.items():
            if param is not None:
                destination[prefix + name] = param if keep_vars else param.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Stateful.get_extra_state:
            destination[prefix + EXTRA] = self.get_extra_state()

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Return parameters and persistent buffers by dotted name, sharing memory.

        The dict has an attribute ``_metadata``: the version of each module's state.
        """
        if args:
            warnings.warn("state_dict: positional arguments are deprecated, use keywords", FutureWarning, stacklevel=2)
            given = (destination, prefix, keep_vars)
            destination, prefix, keep_vars = (*args, *given[len(args) :])  # type: ignore[misc]
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        hooks = self._hooks
        for hook in () if hooks is None else tuple(hooks.saving.values()):
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in () if hooks is None else tuple(hooks.saved.values()):
            answer = hook(self, destination, prefix, metadata)
            if answer is not None:
                if getattr(hook, "_from_public_api", False):
                    raise RuntimeError("state_dict post-hook must return None")
                destination = answer
        return destination

    # -------------------------------------------------------------------------------- loading
    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], strict: bool, missing_keys: list[str],
        unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Copy the entries of this module alone out of ``state_dict``; layers may override it.

        Problems are added to the three lists, not raised.
        """
        for before, with_module in () if self._hooks is None else tuple(self._hooks.loading.values()):
            given = (state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
            before(self, *given) if with_module else before(*given)
        kept = {k: b for k, b in self._buffers.items() if k not in self._non_persistent_buffers_set}
        mine = {name: t for name, t in {**self._parameters, **kept}.items() if t is not None}
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, t in mine.items():
            key = prefix + name
            if key in state_dict:
                _load_one(self, name, t, key, state_dict[key], assign, error_msgs)
            elif strict:
                missing_keys.append(key)
        extra = prefix + EXTRA
        if type(self).set_extra_state is not Stateful.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        for key in state_dict if strict else ():
            if key.startswith(prefix) and key != extra:
                first, *below = key[len(prefix) :].split(".", 1)
                if first not in (self._modules if below else mine):
                    unexpected_keys.append(key)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copy a state dict into the module.

        With ``strict`` the names must match exactly. With ``assign`` its tensors become the parameters and buffers.

        Returns the missing and the unexpected names. Raises RuntimeError, and changes no tensor, if anything does not
        fit.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        state = OrderedDict(state_dict)
        if metadata is not None:
            state._metadata = metadata  # type: ignore[attr-defined]
        keys, errors = IncompatibleKeys([], []), Errors()
        try:
            _load(self, state, "", metadata or {}, assign, keys, errors)
        except BaseException:
            errors.take_back()
            raise
        found = list(errors)
        if strict:
            for words, names in (("Unexpected", keys.unexpected_keys), ("Missing", keys.missing_keys)):
                if names:
                    listed = ", ".join(f'"{visible(name)}"' for name in names)
                    found.insert(0, f"{words} key(s) in state_dict: {listed}. ")
        if found:
            errors.take_back()
            listed = "\n\t".join(found)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}")
        return keys


def _load(
    module: Any, state: Any, prefix: str, metadata: Any, assign: bool, keys: IncompatibleKeys, errors: Errors
) -> None:
    """Load a module, then its children, each from the entries under its own name."""
    local = metadata.get(prefix[:-1], {})
    if assign:
        local["assign_to_params_buffers"] = assign
    module._load_from_state_dict(state, prefix, local, True, keys.missing_keys, keys.unexpected_keys, errors)
    for name, child in module._modules.items():
        if child is not None:
            below = f"{prefix}{name}."
            part = {k: v for k, v in state.items() if k.startswith(below)}
            _load(child, part, below, metadata, assign, keys, errors)
    for hook in tuple(module._hooks.loaded.values()) if module._hooks is not None else ():
        if hook(module, keys) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, "
                "if incompatible_keys need to be modified, it should be done inplace."
            )


def _load_one(module: Any, name: str, t: Any, key: str, value: Any, assign: bool, errors: list[str]) -> None:
    if is_lazy(value):
        if not is_lazy(t):
            errors.append(
                f"{key}: Can't access the shape of an uninitialized parameter or buffer. The state dict is that of a "
                "lazy module before its first forward, this module is initialized"
            )
        return
    array = value.array if isinstance(value, Tensor) else value
    if not new.is_array(array):
        errors.append(
            f'While copying the parameter named "{visible(key)}", expected a tensor from checkpoint object but '
            f"received {type(value)}"
        )
        return
    if t.ndim == 0 and array.shape == (1,):
        value = array = array[0, ...]
    if array.shape != t.shape:
        errors.append(
            f"size mismatch for {visible(key)}: copying a param with shape {tuple(array.shape)} from checkpoint, the "
            f"shape in current model is {tuple(t.shape)}."
        )
    elif array.dtype.kind not in "biuf":
        errors.append(f"{key}: cannot copy dtype {array.dtype} into {t.dtype}")
    else:
        undo = errors.undo if isinstance(errors, Errors) else []
        if assign:
            undo.append(lambda: setattr(module, name, t))
            setattr(module, name, _assigned(t, value))
        else:
            undo.append(_copied(t, array))


def _assigned(old: Any, value: Any) -> Any:
    """Return ``value`` as what takes the place of ``old``."""
    t = value if isinstance(value, Tensor) else make(value)
    if not isinstance(old, Parameter):
        return t
    if not isinstance(t, Parameter):
        return Parameter(t, requires_grad=old.requires_grad)
    return t.requires_grad_(old.requires_grad)


def _copied(t: Any, array: Any) -> Callable[[], None]:
    """Copy ``array`` into a tensor and return what undoes it."""
    old = t.array
    array = moved(array, t.device)
    if not new.writable(old):
        t.array = array.astype(old.dtype)
        return lambda: setattr(t, "array", old)
    before = old.copy()

    def put(values: Any) -> None:
        np.copyto(old, values, casting="unsafe")
        bump(old)

    put(array)
    return lambda: put(before)
