"""The arguments of fuzzed calls: hostile ones of every kind, and ones that fit a parameter's name and annotation."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn

Draw = random.Random
SHAPES = [(), (1,), (3,), (2, 3), (3, 3), (2, 3, 4), (2, 3, 8, 8), (0,), (0, 3), (1, 1, 1)]
TENSORS = frozenset(
    "input self x a b other target weight tensor tensors y query key value mat mat1 mat2 vec A B src source index mask "
    "input1 input2 input3 output t z out_grad X grad_output".split()
)
COUNTS = frozenset(
    "n size k num kernel_size in_features out_features num_classes num_embeddings embedding_dim in_channels "
    "out_channels num_features".split()
)
FUNCTIONS = frozenset("f func fn function loss closure".split())


def a_tensor(draw: Draw, shape: tuple[int, ...] | None = None, kind: str = "") -> tl.Tensor:
    """Return a tensor of one of many kinds: integers, masks, NaN, half, broadcast, read-only, computed, infinite."""
    shape = draw.choice(SHAPES) if shape is None else shape
    values = np.asarray(np.random.default_rng(draw.randrange(10**9)).standard_normal(shape), np.float32)
    made: dict[str, Callable[[], tl.Tensor]] = {
        "float": lambda: tl.tensor(values),
        "grad": lambda: tl.tensor(values, requires_grad=True),
        "long": lambda: tl.tensor(np.asarray(values * 3).astype(np.int64)),
        "int": lambda: tl.tensor(np.asarray(np.abs(values * 2)).astype(np.int32)),
        "bool": lambda: tl.tensor(values > 0),
        "nan": lambda: tl.tensor(np.where(np.arange(values.size).reshape(shape) == 0, np.float32(np.nan), values)),
        "half": lambda: tl.tensor(values.astype(np.float16)),
        "broadcast": lambda: tl.tensor(np.float32(1.0)).expand(shape or (2,)),
        "read only": lambda: tl.from_numpy(read_only(values)),
        "computed": lambda: tl.tensor(values, requires_grad=True) * 2,
        "infinite": lambda: tl.tensor(values.astype(np.float64) * 1e308 * 10),
    }
    with np.errstate(all="ignore"):
        return made[kind or draw.choice(["float", "grad", *made])]()


def read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def containing_itself() -> list[Any]:
    inner: list[Any] = [1]
    inner.append(inner)
    return inner


class Evil:
    """Fails wherever Python asks it something."""

    def __len__(self) -> int:
        raise ZeroDivisionError("evil len")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def one_number() -> Any:
    yield 1


HOSTILE: list[Callable[[Draw], Any]] = [
    *(
        lambda draw, value=value: value
        for value in (
            None, True, -1, 0, 1, -(2**31), 2**31, 2**40, 2**63, 2**64, -(2**63), 10**30, 0.5, float("nan"),
            float("inf"), -1e308, 1j, "", "abc", "mean", b"x", "\0\ud800", "\x1b]0;title\x07", (), (2, 3), (2**40,),
            (2**20, 2**20, 2**20), (-1,), (0,), (1,) * 65, int, slice(None, None, 0), Ellipsis, np.float32, "float32",
            np.dtype("O"), np.uint64(2**64 - 1), one_number,
        )
    ),
    *(
        lambda draw, make=make: make()
        for make in (
            list, dict, object, Evil, one_number, containing_itself, lambda: [1, 2], lambda: [[1], [2, 3]],
            lambda: {"a": 1}, lambda: {1, 2}, lambda: lambda *args, **options: None,
            lambda: np.array([None, object()], object), lambda: np.empty((0, 3)),
            lambda: np.broadcast_to(np.float32(1), (3, 3)), lambda: np.ones((1,) * 32), lambda: np.array(["a", "b"]),
            lambda: np.array([1, 2], "M8[s]"), lambda: np.zeros(2, [("a", "f8")]), lambda: np.array([1 + 1j, 2]),
            lambda: nn.Linear(3, 3), lambda: np.ma.masked_array([1.0, 2.0], [0, 1]),
        )
    ),
    a_tensor, a_tensor, a_tensor,
]  # fmt: skip


def hostile(draw: Draw, seen: list[Any]) -> Any:
    """Return something a parameter was not made for, or the tensor of another argument again."""
    place = draw.randrange(len(HOSTILE) + 1)
    if place == len(HOSTILE):
        return draw.choice(seen) if seen else a_tensor(draw)
    return HOSTILE[place](draw)


def fitting(draw: Draw, parameter: inspect.Parameter, shape: tuple[int, ...], seen: list[Any]) -> Any:
    """Return something that ``parameter`` may well accept; tensors are added to ``seen``."""
    name, hint = parameter.name, str(parameter.annotation)
    if name in ("index", "indices", "target") and draw.random() < 0.5:
        return remembered(seen, a_tensor(draw, shape, "int"))
    if name in ("tensors", "params", "parameters", "inputs") or "Sequence" in hint and draw.random() < 0.5:
        return [remembered(seen, a_tensor(draw, shape, "grad")) for _ in range(2)]
    if name in TENSORS or "Array" in hint or "Tensor" in hint:
        return remembered(seen, a_tensor(draw, shape, draw.choice(["float", "grad"])))
    if name in ("dim", "axis", "dim0", "dim1"):
        return draw.choice([0, -1, 1])
    if name == "optimizer":
        return tl.optim.SGD([a_tensor(draw, (3,), "grad")], lr=0.1)
    if name in ("model", "module"):
        return nn.Linear(3, 3)
    if name == "dataset":
        return tl.utils.data.TensorDataset(tl.ones(4, 3), tl.ones(4))
    if name in FUNCTIONS:
        return draw.choice([lambda *args: args[0].sum() if args else None, tl.sin])
    if "bool" in hint:
        return draw.random() < 0.5
    if name in ("shape", "size", "sizes", "normalized_shape", "dims") and "int" not in hint:
        return shape
    if "int" in hint or name in COUNTS:
        return draw.choice([1, 2, 3, 3])
    if "float" in hint:
        return draw.choice([0.1, 0.5, 1.0, 0.0])
    if name == "reduction":
        return draw.choice(["mean", "sum", "none"])
    if parameter.default is not parameter.empty:
        return parameter.default
    return draw.choice([a_tensor(draw, shape), 1, (2, 3), 0.5])


def remembered(seen: list[Any], value: Any) -> Any:
    seen.append(value)
    return value


def shown(value: Any, depth: int = 0) -> str:
    """Return a short description of an argument, safe for objects whose own ``repr`` fails."""
    try:
        if isinstance(value, tl.Tensor):
            flags = "" if value.array.flags.writeable else " read-only"
            return f"T{tuple(value.shape)} {value.array.dtype}{' grad' if value.requires_grad else ''}{flags}"
        if isinstance(value, np.ndarray):
            return f"array{value.shape} {value.dtype}"
        if isinstance(value, (list, tuple)) and depth < 2:
            inner = ", ".join(shown(v, depth + 1) for v in value[:5])
            return f"[{inner}]" if isinstance(value, list) else f"({inner})"
        return ascii(value)[:60] if not callable(value) else getattr(value, "__name__", type(value).__name__)
    except BaseException:
        return type(value).__name__
