"""State dicts: read and load the parameters and buffers of a module by name.

Loading checks everything first and changes nothing if anything does not fit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import bump

EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What `Module.load_state_dict` could not match."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def entries(module: Any, prefix: str = "") -> dict[str, tuple[Any, str]]:
    """Return (module, attribute) of every entry of the state dict, by full name.

    The order is PyTorch's.
    """
    found: dict[str, tuple[Any, str]] = {}
    for kind in ("parameter", "buffer"):
        for name, k in module._kinds.items():
            if k == kind and name not in module._not_saved and getattr(module, name) is not None:
                found[prefix + name] = (module, name)
    if hasattr(module, "get_extra_state"):
        found[prefix + EXTRA] = (module, EXTRA)
    for name, k in module._kinds.items():
        child = getattr(module, name, None) if k == "module" else None
        if child is not None:
            found.update(entries(child, f"{prefix}{name}."))
    return found


def read_state(module: Any, prefix: str, keep_vars: bool) -> OrderedDict[str, Any]:
    """Return the state dict of ``module``.

    Its tensors share the memory of the parameters and buffers.
    """
    out: OrderedDict[str, Any] = OrderedDict()
    for full, (owner, name) in entries(module, prefix).items():
        if name == EXTRA:
            out[full] = owner.get_extra_state()
        else:
            value = getattr(owner, name)
            out[full] = value if keep_vars else make(value.array)
    return out


def write_state(module: Any, state: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy ``state`` into ``module`` after checking all of it.

    Nothing changes if anything does not fit.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state)}.")
    places = entries(module)
    missing = [k for k in places if k not in state]
    unexpected = [k for k in state if k not in places]
    wrong: list[str] = []
    if strict and unexpected:
        wrong.append("Unexpected key(s) in state_dict: " + ", ".join(f'"{k}"' for k in unexpected) + ". ")
    if strict and missing:
        wrong.append("Missing key(s) in state_dict: " + ", ".join(f'"{k}"' for k in missing) + ". ")
    ready: list[tuple[Any, str, Any]] = []
    for full, (owner, name) in places.items():
        if full not in state:
            continue
        value = state[full]
        if name == EXTRA:
            ready.append((owner, name, value))
            continue
        mine = getattr(owner, name)
        array = value.array if isinstance(value, Tensor) else value
        if not isinstance(array, np.ndarray):
            wrong.append(
                f'While copying the parameter named "{full}", expected a tensor from checkpoint object but received '
                f"{type(value)}"
            )
        elif array.shape != mine.array.shape and not (array.shape == (1,) and mine.array.ndim == 0):
            wrong.append(
                f"size mismatch for {full}: copying a param with shape {_size(array)} from checkpoint, the shape in "
                f"current model is {_size(mine.array)}."
            )
        elif array.dtype.kind not in "biuf":
            wrong.append(f"{full}: cannot copy dtype {array.dtype} into {mine.array.dtype}")
        else:
            ready.append((owner, name, value))
    if wrong:
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t" + "\n\t".join(wrong))
    for owner, name, value in ready:
        if name == EXTRA:
            owner.set_extra_state(value)
        else:
            _put(owner, name, value, assign)
    return IncompatibleKeys(missing, unexpected)


def _size(array: Any) -> str:
    return f"{tuple(array.shape)}"


def _put(owner: Any, name: str, value: Any, assign: bool) -> None:
    mine = getattr(owner, name)
    array = value.array if isinstance(value, Tensor) else value
    if assign:
        mine.array = array if array.shape == mine.array.shape else array.reshape(mine.array.shape)
    elif mine.array.flags.writeable:
        np.copyto(mine.array, array.reshape(mine.array.shape), casting="unsafe")
        bump(mine.array)
    else:
        mine.array = array.astype(mine.array.dtype).reshape(mine.array.shape)
