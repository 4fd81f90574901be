"""PyTorch's ``torch.masked``: functions that leave out the elements where ``mask`` is False.

Whatever is left out gets no gradient. A result of nothing is what the function has for an empty tensor: 0 for a sum,
NaN for a mean, minus infinity for a maximum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.no_effect import absent
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import DTypeError, describe

__all__ = ["amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "is_masked_tensor", "log_softmax", "logaddexp",
           "logsumexp", "mean", "median", "norm", "normalize", "prod", "softmax", "softmin", "std", "sum",
           "var"]  # fmt: skip
_INSTEAD = "use the functions of masked, which take mask="
MaskedTensor = absent("masked.MaskedTensor", _INSTEAD)
masked_tensor = absent("masked.masked_tensor", _INSTEAD)
as_masked_tensor = absent("masked.as_masked_tensor", _INSTEAD)


def is_masked_tensor(obj: Any) -> bool:
    """Return False: a mask is an argument here.

    >>> is_masked_tensor(1)
    False
    """
    return False


def _kept(name: str, input: Any, mask: Any, value: float, dtype: Any = None) -> Any:
    """Return ``input`` in ``dtype`` with ``value``, or the nearest number that it has, where ``mask`` is False."""
    if dtype is not None:
        input = input.to(dtype)
    if mask is None:
        return input
    if not isinstance(mask, Tensor) or mask.dtype.kind != "b":
        raise DTypeError(f"masked.{name}: mask must be a bool tensor, got {describe(mask)}")
    if not math.isfinite(value) and input.dtype.kind in "iu":
        limits = np.iinfo(input.dtype.dtype)
        value = limits.max if value > 0 else limits.min
    return PUBLIC["where"](mask, input, input.new_full((), value))


def _axes(input: Any, dim: Any) -> tuple[int, ...]:
    if dim is None or dim == ():
        return tuple(range(input.ndim))
    return tuple(d % input.ndim if input.ndim else d for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))


def _reduction(name: str, start: float, what: str, shown: str) -> Any:
    def reduction(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
        kept, axes = _kept(name, input, mask, start, dtype), _axes(input, dim)
        if name != "prod":
            return getattr(kept, name)(axes, keepdim)
        for axis in sorted(axes, reverse=True):
            kept = kept.prod(axis, keepdim)
        return kept

    reduction.__name__ = reduction.__qualname__ = name
    reduction.__doc__ = f"""Return the {what} over ``dim``, or of all elements, without those where ``mask`` is False.

    >>> import tinygrad_lite as tl
    >>> tl.masked.{name}(tl.tensor([1.0, 2.0, 3.0]), mask=tl.tensor([False, True, True]))
    tensor({shown})
    """
    return named(reduction)


sum = _reduction("sum", 0.0, "sum", "5.")
prod = _reduction("prod", 1.0, "product", "6.")
amax = _reduction("amax", -math.inf, "largest element", "3.")
amin = _reduction("amin", math.inf, "smallest element", "2.")
logsumexp = _reduction("logsumexp", -math.inf, "logarithm of the sum of the exponentials", "3.3133")


def _positions(name: str, start: float, word: str, shown: int) -> Any:
    def position(
        input: Any, dim: int | None = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
    ) -> Any:
        kept = _kept(name, input, mask, start, dtype)
        return getattr(kept, name)(dim, keepdim).to(kept.dtype)

    position.__name__ = position.__qualname__ = name
    position.__doc__ = f"""Return the index of the {word} element, in the dtype of ``input`` as in PyTorch.

    >>> import tinygrad_lite as tl
    >>> tl.masked.{name}(tl.tensor([1.0, 2.0, 3.0]), mask=tl.tensor([False, True, True]))
    tensor({shown}.)
    """
    return named(position)


argmax = _positions("argmax", -math.inf, "largest", 2)
argmin = _positions("argmin", math.inf, "smallest", 1)


def _along(name: str, start: float, what: str, shown: str) -> Any:
    def along(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
        kept = _kept(name, input, mask, start, dtype)
        return (-kept).softmax(dim) if name == "softmin" else getattr(kept, name)(dim).to(kept.dtype)

    along.__name__ = along.__qualname__ = name
    along.__doc__ = f"""Return the {what} along ``dim``; elements where ``mask`` is False count as {start:g}.

    >>> import tinygrad_lite as tl
    >>> tl.masked.{name}(tl.tensor([1.0, 2.0, 2.0]), 0, mask=tl.tensor([False, True, True]))
    tensor([{shown}])
    """
    return named(along)


softmax = _along("softmax", -math.inf, "softmax", "0.0000, 0.5000, 0.5000")
log_softmax = _along("log_softmax", -math.inf, "logarithm of softmax", "   -inf, -0.6931, -0.6931")
softmin = _along("softmin", math.inf, "softmax of the negative elements", "0.0000, 0.5000, 0.5000")
cumsum = _along("cumsum", 0.0, "running sum", "0., 2., 4.")
cumprod = _along("cumprod", 1.0, "running product", "1., 2., 4.")


@named
def mean(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Return the mean of the elements where ``mask`` is True, NaN where there are none.

    >>> import tinygrad_lite as tl
    >>> mean(tl.tensor([1.0, 2.0, 3.0]), mask=tl.tensor([False, True, True]))
    tensor(2.5000)
    """
    kept, axes = _kept("mean", input, mask, 0.0, dtype), _axes(input, dim)
    return kept.mean(axes, keepdim) if mask is None else kept.sum(axes, keepdim) / _count(input, mask, axes, keepdim)


def _count(input: Any, mask: Any, axes: Any, keepdim: bool) -> Any:
    return mask.expand(input.shape).sum(axes, keepdim)


@named
def median(input: Any, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """Return the lower median along ``dim`` of the elements where ``mask`` is True.

    >>> import tinygrad_lite as tl
    >>> median(tl.tensor([1.0, 2.0, 3.0]), mask=tl.tensor([False, True, True]))
    tensor(2.)
    """
    return _kept("median", input, mask, math.nan, dtype).nanmedian(dim, keepdim).values


@named
def var(
    input: Any, dim: Any = None, unbiased: bool | None = None, *, correction: float | None = None,
    keepdim: bool = False, dtype: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    """Return the variance of the elements where ``mask`` is True; ``correction`` is 1 unless ``unbiased`` is False.

    >>> import tinygrad_lite as tl
    >>> var(tl.tensor([1.0, 2.0, 4.0]), mask=tl.tensor([False, True, True]))
    tensor(2.)
    """
    less = int(unbiased is not False) if correction is None else correction
    axes, input = _axes(input, dim), input if dtype is None else input.to(dtype)
    if mask is None:
        return input.var(axes, correction=less, keepdim=keepdim)
    apart = _kept("var", input - mean(input, axes, keepdim=True, mask=mask), mask, 0.0)
    return apart.square().sum(axes, keepdim) / (_count(input, mask, axes, keepdim) - less).clamp(min=0)


@named
def std(
    input: Any, dim: Any = None, unbiased: bool | None = None, *, correction: int | None = None,
    keepdim: bool = False, dtype: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    """Return the square root of `var`.

    >>> import tinygrad_lite as tl
    >>> std(tl.tensor([1.0, 2.0, 4.0]), mask=tl.tensor([False, True, True]))
    tensor(1.4142)
    """
    return var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask).sqrt()


@named
def norm(
    input: Any, ord: float | None = 2.0, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Any:
    """Return the vector norm over ``dim`` of the elements where ``mask`` is True.

    >>> import tinygrad_lite as tl
    >>> norm(tl.tensor([1.0, 3.0, 4.0]), mask=tl.tensor([False, True, True]))
    tensor(5.)
    """
    least = math.inf if ord is not None and ord < 0 else 0.0
    return _kept("norm", input, mask, least, dtype).norm(2.0 if ord is None else ord, _axes(input, dim), keepdim)


@named
def normalize(
    input: Any, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Any = None
) -> Any:  # fmt: skip
    """Return ``input`` divided by its `norm` along ``dim``, by ``eps`` if that is larger; 0 where ``mask`` is False.

    >>> import tinygrad_lite as tl
    >>> normalize(tl.tensor([1.0, 3.0, 4.0]), 2.0, 0, mask=tl.tensor([False, True, True]))
    tensor([0.0000, 0.6000, 0.8000])
    """
    size = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask).clamp(min=eps)
    return _kept("normalize", input, mask, 0.0, dtype) / size


@named
def logaddexp(
    input: Any, other: Any, *, dtype: Any = None, input_mask: Any = None, other_mask: Any = None
) -> Any:  # fmt: skip
    """Return log(exp(input) + exp(other)), where what a mask leaves out adds nothing.

    >>> import tinygrad_lite as tl
    >>> logaddexp(tl.tensor([1.0]), tl.tensor([2.0]), other_mask=tl.tensor([False]))
    tensor([1.])
    """
    a = _kept("logaddexp", input, input_mask, -math.inf, dtype)
    return PUBLIC["logaddexp"](a, _kept("logaddexp", other, other_mask, -math.inf, dtype))
