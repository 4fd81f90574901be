"""``torch._foreach_add_`` and its family: one function on each tensor of a list, for optimisers written that way."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ArgumentError, ShapeError
from tinygrad_lite.ops.linalg.matrix_norm import vector_norm

ONE = """abs acos asin atan ceil clone cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 max neg
    reciprocal round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc zero""".split()
MORE = "add addcdiv addcmul clamp_max clamp_min copy div lerp maximum minimum mm mul norm pow powsum sub".split()
ONLY_IN_PLACE, NEVER_IN_PLACE = {"copy", "zero"}, {"clone", "max", "mm", "norm", "powsum"}
NAMES = [f"_foreach_{n}" for n in ONE + MORE if n not in ONLY_IN_PLACE]
NAMES += [f"_foreach_{n}_" for n in ONE + MORE if n not in NEVER_IN_PLACE]


def _norm(x: Any, ord: Any = 2, dtype: Any = None) -> Any:
    return vector_norm(x, ord, dtype=dtype)


def _powsum(x: Any, ord: Any = 2, dtype: Any = None) -> Any:
    return (x.abs() ** ord).sum(dtype=dtype)


def _limit(name: str) -> Callable[..., Any]:
    """`maximum` takes numbers too in these functions."""
    bound = {"maximum": "clamp_min", "minimum": "clamp_max"}[name.rstrip("_")] + name[7:]
    return lambda x, other: getattr(x, bound)(other)


def _pow(x: Any, exponent: Any) -> Any:
    return PUBLIC["pow"](x, exponent)


def _single(name: str) -> Callable[..., Any]:
    own: dict[str, Callable[..., Any]] = {"norm": _norm, "powsum": _powsum, "pow": _pow}
    if name.rstrip("_") in ("maximum", "minimum"):
        return _limit(name)
    return own.get(name, lambda x, *args, **words: getattr(x, name)(*args, **words))


def _fits(shape: Sequence[int], into: Sequence[int]) -> bool:
    """Say whether the first shape broadcasts to the second."""
    pairs = zip(reversed(shape), reversed(into), strict=False)
    return len(shape) <= len(into) and all(a in (1, b) for a, b in pairs)


def _checked(name: str, lists: list[Any], written: bool) -> None:
    """Everything is checked before the first tensor is written."""
    tensors = lists[0]
    for other in lists[1:]:
        if len(other) != len(tensors):
            raise ArgumentError(f"{name}: the lists must be of one length, got {len(tensors)} and {len(other)}")
    for i, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            raise ArgumentError(f"{name}: expected a list of tensors, got {type(x).__name__} in place {i}")
        shapes = [getattr(other[i], "shape", ()) for other in lists[1:]]
        if written and not all(_fits(shape, x.shape) for shape in shapes):
            raise ShapeError(f"{name}: tensor {i} has shape {tuple(x.shape)}, got {[tuple(s) for s in shapes]}")


@functools.cache
def foreach(name: str) -> Callable[..., Any]:
    """Return the function called ``name``; its arguments are numbers, tensors, or lists with one for each tensor.

    The functions return a tuple; those that end in ``_`` change the tensors and return them in a list.

    >>> import tinygrad_lite as tl
    >>> xs = [tl.ones(2), tl.zeros(1)]
    >>> tl._foreach_add_(xs, 1.0)
    [tensor([2., 2.]), tensor([1.])]
    >>> tl._foreach_mul(xs, [2.0, 3.0])
    (tensor([4., 4.]), tensor([3.]))
    """
    verb = name.removeprefix("_foreach_")
    single, written = _single(verb), verb.endswith("_")
    plural = {"scalars": "value" if verb.startswith("addc") else "other", "weights": "weight"}

    def apply(self: Sequence[Tensor], *args: Any, **words: Any) -> Any:
        if verb == "pow" and not isinstance(self, list | tuple):  # a number to the power of each
            return tuple(PUBLIC["pow"](self, x) for x in args[0])
        if verb.startswith("addc") and len(args) > 2:
            words, args = {"value": args[2]}, args[:2]
        words = {plural.get(key, key): value for key, value in words.items()}
        if "scalar" in words:
            args = (*args, words.pop("scalar"))
        if isinstance(words.get("value"), Tensor):
            words["value"] = words["value"].tolist()
        words.pop("non_blocking", None)
        if not isinstance(self, list | tuple) or not self:
            raise ArgumentError(f"{name}: expected a list of at least one tensor, got {self!r}")
        given = [*args, *words.values()]
        _checked(name, [self, *(a for a in given if isinstance(a, list | tuple))], written)

        def at(value: Any, i: int) -> Any:
            return value[i] if isinstance(value, list | tuple) else value

        results = [
            single(x, *(at(a, i) for a in args), **{k: at(v, i) for k, v in words.items()}) for i, x in enumerate(self)
        ]
        return results if written else tuple(results)

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"`{verb}` of each tensor in a list."
    return apply
