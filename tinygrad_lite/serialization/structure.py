"""Nested dicts, lists, numbers and strings as JSON text, with the arrays taken out and named."""

from __future__ import annotations

import json
import math
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_lite.engine.devices import Device
from tinygrad_lite.engine.dtype import DType
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import DTypeError, FileError, describe
from tinygrad_lite.serialization.opcodes import check_keys
from tinygrad_lite.serialization.parsing import parsed
from tinygrad_lite.serialization.sharing import place_in, shared, view_of
from tinygrad_lite.serialization.unsupported import Unsupported

MARK = "$"
"""Key of a JSON object that stands for a type JSON does not have."""


def take_apart(value: Any) -> tuple[str, dict[str, Any]]:
    """Return ``value`` as JSON text, and its arrays by name; raise DTypeError for values that cannot be written."""
    parts = Parts()
    # identifying arrays by id is safe only while they live: `value` holds them, and `parts.arrays` the scalars
    try:
        tree = parts.plain(value, "")
        parts.share()
        return json.dumps(tree, allow_nan=False), parts.arrays
    except RecursionError:
        raise DTypeError("save: the object is nested too deeply") from None


class Parts:
    """The arrays taken out of an object so far, each under the path where it was first found."""

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.names: dict[int, str] = {}  # of the arrays, by id
        self.open: set[int] = set()  # ids of the containers around the current value
        self.marks: dict[int, list[dict[str, Any]]] = {}  # what stands in the text for an array, by its id

    def named(self, array: Any, path: str) -> str:
        """Return the name of an array, a new one at its first appearance."""
        if array.dtype.kind not in "biuf":
            raise DTypeError(f"save: {path or 'the array'} has dtype {array.dtype}; only numbers are written")
        if id(array) not in self.names:
            name, n = path or "tensor", 1
            while name in self.arrays:
                n += 1
                name = f"{path}~{n}"
            self.names[id(array)] = name
            self.arrays[name] = array
        elif path and path not in self.arrays:
            # tied weights: NumPy's load finds the array under each of its names
            self.arrays[path] = array
        return self.names[id(array)]

    def marked(self, kind: str, array: Any, path: str, **more: Any) -> dict[str, Any]:
        """Return what stands in the text for an array."""
        mark = {MARK: kind, "name": self.named(array, path), **more}
        self.marks.setdefault(id(array), []).append(mark)
        return mark

    def share(self) -> None:
        """Note which arrays are views of another; if none of a group covers the others, their memory is written."""
        for whole, group in shared({id(a): a for a in self.arrays.values()}.values()):
            name = self.names.get(id(whole)) or self.named(whole, "shared memory")
            for array in group:
                for mark in self.marks.get(id(array), ()):
                    if mark["name"] != name:
                        mark["view"] = {"of": name, **place_in(array, whole)}

    def plain(self, v: Any, path: str) -> Any:
        """Return ``v`` in the types of JSON; objects with the key `MARK` stand for the others."""
        if v is None or isinstance(v, (bool, str)):
            return v
        if isinstance(v, Tensor):
            more = {"parameter": True} if getattr(type(v), "_is_param", False) else {}
            return self.marked("tensor", v.array, path, requires_grad=v.tracked and v.node is None, **more)
        if isinstance(v, np.ndarray):
            return self.marked("array", v, path)
        if isinstance(v, np.generic):
            return {MARK: "scalar", "name": self.named(np.asarray(v), path)}
        if isinstance(v, (np.dtype, DType)):
            return {MARK: "dtype", "name": v.name, **({"ours": True} if isinstance(v, DType) else {})}
        if isinstance(v, Device):
            return {MARK: "device", "name": str(v)}
        if isinstance(v, int):
            return int(v)
        if isinstance(v, float):
            return float(v) if math.isfinite(v) else {MARK: "float", "text": repr(float(v))}
        if isinstance(v, (Mapping, list, tuple)):
            return self.container(v, path)
        if hasattr(v, "state_dict"):
            raise DTypeError(
                f"save: {path or 'the object'} is a whole {type(v).__name__}, which would need pickle; save its "
                f"state_dict() and load it with {type(v).__name__}(...).load_state_dict(load(file))"
            )
        raise DTypeError(
            f"save: cannot write {path or 'the object'}, {describe(v)} (tensors, arrays, numbers, strings, None, "
            f"and dicts, lists and tuples of these are written)"
        )

    def container(self, v: Any, path: str) -> Any:
        """Return a dict, list or tuple in the types of JSON; raise DTypeError if it contains itself."""
        if id(v) in self.open:
            raise DTypeError(f"save: {path or 'the object'} contains itself")
        self.open.add(id(v))
        start = f"{path}." if path else ""
        out: Any
        if isinstance(v, Mapping):
            pairs = [(k, self.plain(u, f"{start}{k}")) for k, u in v.items()]
            ordered = isinstance(v, OrderedDict)
            if all(isinstance(k, str) for k in v) and MARK not in v and not ordered:
                out = dict(pairs)
            else:
                out = {MARK: "dict", "items": [[self.plain(k, path), u] for k, u in pairs]}
                if ordered:  # programs tell a state dict from a dict that holds one by its type
                    out["ordered"] = True
        else:
            out = [self.plain(u, f"{start}{i}") for i, u in enumerate(v)]
            if isinstance(v, tuple):
                out = {MARK: "tuple", "items": out}
        self.open.discard(id(v))
        return out


def _built(v: Any, array: Callable[[str], Any]) -> Any:
    if isinstance(v, list):
        return [_built(u, array) for u in v]
    if not isinstance(v, dict):
        return v
    if MARK not in v:
        return {k: _built(u, array) for k, u in v.items()}
    return MEANINGS[v[MARK]](v, array)


def _keyed(pairs: list[tuple[Any, Any]], kind: type[dict[Any, Any]]) -> dict[Any, Any]:
    check_keys([key for key, _ in pairs], sys.maxsize)
    return kind(pairs)


def _array(v: Any, array: Callable[[str], Any]) -> Any:
    """Return an array, or the view of another that it was."""
    view = v.get("view")
    if view is None or not isinstance(whole := array(view["of"]), np.ndarray):
        return array(v["name"])
    return view_of(whole.reshape(-1), view["offset"], tuple(view["size"]), tuple(view["stride"]))


def _tensor(v: Any, array: Callable[[str], Any]) -> Any:
    found = _array(v, array)
    if isinstance(found, Unsupported):
        return found
    t = parameter(found) if v.get("parameter") else make(found)
    t.tracked = bool(v.get("requires_grad")) and t.array.dtype.kind == "f"
    return t


def parameter(array: Any) -> Any:
    """Return an `nn.Parameter` of an array; its class is in a higher room, which is loaded when a file has one."""
    return import_module("tinygrad_lite.nn.parameter").Parameter(make(array), requires_grad=False)


MEANINGS: dict[str, Callable[[Any, Callable[[str], Any]], Any]] = {
    "tensor": _tensor,
    "array": _array,
    "scalar": lambda v, array: found if isinstance(found := array(v["name"]), Unsupported) else found[()],
    "dtype": lambda v, array: (DType if v.get("ours") else np.dtype)(str(v["name"])),
    "device": lambda v, array: Device(str(v["name"])),
    "float": lambda v, array: float(v["text"]),
    "tuple": lambda v, array: tuple(_built(u, array) for u in v["items"]),
    "dict": lambda v, array: _keyed(
        [(_built(k, array), _built(u, array)) for k, u in v["items"]], OrderedDict if v.get("ordered") else dict
    ),
}
"""How the marked parts of a description are built."""


def put_together(text: bytes, array: Callable[[str], Any]) -> Any:
    """Rebuild an object from the JSON text of `take_apart`; ``array`` finds an array by name. Raises FileError."""
    try:
        tree = parsed(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"load: the description of the content is not JSON ({error})") from None
    try:
        return _built(tree, array)
    except FileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FileError(f"load: the description of the content is damaged ({type(error).__name__}: {error})") from None
