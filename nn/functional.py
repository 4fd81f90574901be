"""Everything a layer computes, as plain functions: ``import tinygrad_lite.nn.functional as F``.

Ops and compositions declared with ``functional=True`` have their names here (`tinygrad_lite.engine.functional`). What
this file adds are functions of the layers, and those that take more arguments than the op of the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinygrad_lite.engine import functional as _declared
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.functional import *  # noqa: F403
from tinygrad_lite.engine.op import described as _described
from tinygrad_lite.engine.source import warn
from tinygrad_lite.nn.attention import (
    multi_head_attention_forward as multi_head_attention_forward,
    scaled_dot_product_attention as scaled_dot_product_attention,
)
from tinygrad_lite.nn.dropout import (
    alpha_dropout as alpha_dropout,
    dropout as dropout,
    dropout1d as dropout1d,
    dropout2d as dropout2d,
    dropout3d as dropout3d,
    feature_alpha_dropout as feature_alpha_dropout,
    feature_dropout as feature_dropout,
)
from tinygrad_lite.nn.fractional_pooling import (
    fractional_max_pool2d as fractional_max_pool2d,
    fractional_max_pool2d_with_indices as fractional_max_pool2d_with_indices,
    fractional_max_pool3d as fractional_max_pool3d,
    fractional_max_pool3d_with_indices as fractional_max_pool3d_with_indices,
)
from tinygrad_lite.nn.linear import bilinear as bilinear
from tinygrad_lite.nn.random_activation import gumbel_softmax as gumbel_softmax, rrelu as rrelu
from tinygrad_lite.ops.elementwise import activation as _activation
from tinygrad_lite.ops.windows.resize import interpolate as interpolate

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Find what was declared for this module after it was imported."""
        try:
            return vars(_declared)[name]
        except KeyError:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *vars(_declared)})


def relu(input: Any, inplace: bool = False) -> Any:
    """Return ``max(input, 0)``; the slope at 0 is taken as 0. With ``inplace`` it is written into ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.relu(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([0.0000, 0.5000, 2.0000])
    """
    return _activation.relu(input) if inplace is False else _relu(input, inplace)


@named
def _relu(input: Any, inplace: bool) -> Any:
    return input.relu_() if inplace and hasattr(input, "relu_") else _activation.relu(input)


@named
def relu_(input: Any) -> Any:
    """Set what is negative in ``input`` to 0, in place.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([-1.0, 0.5])
    >>> tl.nn.functional.relu_(x)
    tensor([0.0000, 0.5000])
    >>> x
    tensor([0.0000, 0.5000])
    """
    return input.relu_()


@named
def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return ``exp(input)`` divided by its sum along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.softmax(tl.tensor([1.0, 2.0, 3.0]), 0)
    tensor([0.0900, 0.2447, 0.6652])
    """
    dim = _usual("softmax", input) if dim is None else dim
    return _activation.softmax(input if dtype is None else input.to(dtype), dim)


@named
def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return the logarithm of the softmax along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.log_softmax(tl.tensor([1.0, 2.0, 3.0]), 0)
    tensor([-2.4076, -1.4076, -0.4076])
    """
    dim = _usual("log_softmax", input) if dim is None else dim
    return _activation.log_softmax(input if dtype is None else input.to(dtype), dim)


@named
def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return the softmax of ``-input`` along ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.softmin(tl.tensor([1.0, 2.0, 3.0]), 0)
    tensor([0.6652, 0.2447, 0.0900])
    """
    dim = _usual("softmin", input) if dim is None else dim
    return _activation.softmax(-(input if dtype is None else input.to(dtype)), dim)


def _usual(name: str, input: Any) -> int:
    warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.")
    return 0 if input.ndim in (0, 1, 3) else 1


@named
def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """Return `interpolate` of the input, by its old name.

    >>> import warnings, tinygrad_lite as tl
    >>> with warnings.catch_warnings(action="ignore"):  # deprecated
    ...     y = tl.nn.functional.upsample(tl.zeros(1, 1, 2, 2), scale_factor=2)
    >>> y.shape
    (1, 1, 4, 4)
    """
    warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode, align_corners)


@named
def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """Return `interpolate` of the input with ``mode='nearest'``, by its old name.

    >>> import warnings, tinygrad_lite as tl
    >>> with warnings.catch_warnings(action="ignore"):  # deprecated
    ...     y = tl.nn.functional.upsample_nearest(tl.zeros(1, 1, 2, 2), scale_factor=2)
    >>> y.shape
    (1, 1, 4, 4)
    """
    warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode="nearest")


@named
def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """Return bilinear `interpolate` of the input, corners staying corners, by its old name.

    >>> import warnings, tinygrad_lite as tl
    >>> with warnings.catch_warnings(action="ignore"):  # deprecated
    ...     y = tl.nn.functional.upsample_bilinear(tl.zeros(1, 1, 2, 2), scale_factor=2)
    >>> y.shape
    (1, 1, 4, 4)
    """
    warn("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


@named
def rrelu_(input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Any:
    """Write `rrelu` of ``input`` into it.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([-1.0, 0.5])
    >>> tl.nn.functional.rrelu_(x, training=False)
    tensor([-0.2292,  0.5000])
    >>> x
    tensor([-0.2292,  0.5000])
    """
    return rrelu(input, lower, upper, training, inplace=True)


@named
def conv_tbc(input: Any, weight: Any, bias: Any, pad: int = 0) -> Any:
    """Return `conv1d` of sequences (T, N, C) with a weight (K, C, out).

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.conv_tbc(tl.ones(4, 2, 3), tl.ones(2, 3, 5), tl.zeros(5)).shape
    (3, 2, 5)
    """
    return _declared.conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad).permute(2, 0, 1)


@named
def native_channel_shuffle(input: Any, groups: int) -> Any:
    """Return `channel_shuffle` of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.native_channel_shuffle(tl.arange(4.0).reshape(1, 4, 1, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    return _declared.channel_shuffle(input, groups)


def _with_indices(name: str) -> Any:
    pool = getattr(_declared, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        return pool(*args, **{**kwargs, "return_indices": True})

    n = int(name[-2])
    sizes, halves = (1, 2, 4, 6, 8)[: n + 2], (1, 2, 2, 2, 2) if name[0] == "a" else (1, 2, 2, 3, 4)
    full, summary = f"{name}_with_indices", f"Return `{name}` and the index of each maximum."
    example = f"tl.nn.functional.{full}(tl.ones({', '.join(map(str, sizes))}), 2)[1].shape"
    return named(_described(call, full, summary, example, str(halves[: n + 2])))


max_pool1d_with_indices = _with_indices("max_pool1d")
max_pool2d_with_indices = _with_indices("max_pool2d")
max_pool3d_with_indices = _with_indices("max_pool3d")
adaptive_max_pool1d_with_indices = _with_indices("adaptive_max_pool1d")
adaptive_max_pool2d_with_indices = _with_indices("adaptive_max_pool2d")
adaptive_max_pool3d_with_indices = _with_indices("adaptive_max_pool3d")
