"""Nested dicts, lists, numbers and strings as JSON, with every tensor taken out and named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import DTypeError, FileError, describe

MARK = "$"
"""Key of a JSON object that stands for something JSON does not have."""


def take_apart(value: Any) -> tuple[str, dict[str, Any]]:
    """Return ``value`` as JSON text, and its arrays by name. Raises DTypeError for what cannot be written."""
    arrays: dict[str, Any] = {}
    names: dict[int, str] = {}
    inside: set[int] = set()

    def named(array: Any, path: str) -> str:
        if array.dtype.kind not in "biuf":
            raise DTypeError(f"save: {path or 'the array'} has dtype {array.dtype}; only numbers are written")
        if id(array) not in names:
            name, n = path or "tensor", 1
            while name in arrays:
                n += 1
                name = f"{path}~{n}"
            names[id(array)] = name
            arrays[name] = array
        return names[id(array)]

    def plain(v: Any, path: str) -> Any:
        if v is None or isinstance(v, (bool, str)):
            return v
        if isinstance(v, Tensor):
            return {MARK: "tensor", "name": named(v.array, path), "requires_grad": v.tracked and v.node is None}
        if isinstance(v, np.ndarray):
            return {MARK: "array", "name": named(v, path)}
        if isinstance(v, np.generic):
            return {MARK: "scalar", "name": named(np.asarray(v), path)}
        if isinstance(v, np.dtype):
            return {MARK: "dtype", "name": v.name}
        if isinstance(v, int):
            return int(v)
        if isinstance(v, float):
            return float(v) if math.isfinite(v) else {MARK: "float", "text": repr(float(v))}
        if isinstance(v, (Mapping, list, tuple)):
            if id(v) in inside:
                raise DTypeError(f"save: {path or 'the object'} contains itself")
            inside.add(id(v))
            out = container(v, path)
            inside.discard(id(v))
            return out
        hint = "; pass its .state_dict()" if hasattr(v, "state_dict") else ""
        raise DTypeError(
            f"save: cannot write {path or 'the object'}, {describe(v)}{hint} (tensors, arrays, numbers, strings, None, "
            f"and dicts, lists and tuples of these are written)"
        )

    def container(v: Any, path: str) -> Any:
        start = f"{path}." if path else ""
        if isinstance(v, tuple):
            return {MARK: "tuple", "items": [plain(u, f"{start}{i}") for i, u in enumerate(v)]}
        if isinstance(v, list):
            return [plain(u, f"{start}{i}") for i, u in enumerate(v)]
        if all(isinstance(k, str) for k in v) and MARK not in v:
            return {k: plain(u, f"{start}{k}") for k, u in v.items()}
        return {MARK: "dict", "items": [[plain(k, path), plain(u, f"{start}{k}")] for k, u in v.items()]}

    # taking the arrays by id is safe only while they live: `value` holds them, scalars are held by `arrays`
    try:
        return json.dumps(plain(value, ""), allow_nan=False), arrays
    except RecursionError:
        raise DTypeError("save: the object is nested too deeply") from None


def put_together(text: bytes, array: Callable[[str], Any]) -> Any:
    """Return what `take_apart` took apart; ``array`` finds an array by name. Raises FileError."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"load: the description of the content is not JSON ({error})") from None

    def built(v: Any) -> Any:
        if isinstance(v, list):
            return [built(u) for u in v]
        if not isinstance(v, dict):
            return v
        if MARK not in v:
            return {k: built(u) for k, u in v.items()}
        return MEANINGS[v[MARK]](v)

    def tensor(v: Any) -> Tensor:
        t = make(array(v["name"]))
        t.tracked = bool(v.get("requires_grad")) and t.array.dtype.kind == "f"
        return t

    MEANINGS: dict[str, Callable[[Any], Any]] = {
        "tensor": tensor,
        "array": lambda v: array(v["name"]),
        "scalar": lambda v: array(v["name"])[()],
        "dtype": lambda v: np.dtype(str(v["name"])),
        "float": lambda v: float(v["text"]),
        "tuple": lambda v: tuple(built(u) for u in v["items"]),
        "dict": lambda v: {built(k): built(u) for k, u in v["items"]},
    }
    try:
        return built(tree)
    except FileError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise FileError(f"load: the description of the content is damaged ({type(error).__name__}: {error})") from None
