"""Dropout as functions and as layers: random zeros in training only.

Sources: Srivastava et al. 2014 (dropout), Tompson et al. 2015 (whole channels), Klambauer et al. 2017 (alpha dropout).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.op import function
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import ArgumentError, DTypeError, ShapeError, describe
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.elementwise.activation import SELU_ALPHA, SELU_SCALE
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.shape.reshaping import reshape_op
from tinygrad_lite.random import default_generator

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


def check_probability(name: str, p: float) -> None:
    """Raise unless ``p`` is a number, or a 0-d tensor without a gradient, between 0 and 1."""
    if getattr(p, "ndim", 0) or getattr(p, "requires_grad", False):
        raise ArgumentError(f"{name}: p must be a number, got {describe(p)}")
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: dropout probability has to be between 0 and 1, but got {p}")


def check_numbers(name: str, input: Any) -> None:
    """Raise before anything is drawn for an array of something else than numbers."""
    if input.dtype.kind not in "biuf":
        raise DTypeError(f"{name}: expected numbers, got {describe(input)}")


def _chosen(name: str, input: Any, shape: tuple[int, ...], p: float) -> Any:
    """Return a mask of the elements to keep, each with probability ``1 - p``."""
    check_numbers(name, input)
    return default_generator().random(shape, np.float32) >= p


def _dropped(name: str, input: Any, p: float, training: bool, axes: int | None = None) -> Any:
    check_probability(name, p)
    if not training or p == 0:
        return input
    p = float(p)
    shape = tuple(input.shape) if axes is None else (*input.shape[: input.ndim - axes], *(1,) * axes)
    keep = _chosen(name, input, shape, p).astype(input.dtype)
    return input * new.beside(keep if p >= 1 else keep * new.asarray(1 / (1 - p), input.dtype), input)


@function(public=False)
def dropout(input: Array, p: float = 0.5, training: bool = True, inplace: bool = False) -> Array:
    """Set elements to zero with probability ``p``, and scale up the others.

    The others are divided by ``1 - p``.

    Without ``training`` the input is returned. With ``inplace`` the result is written into it. Raises ValueError.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.dropout(tl.ones(2, 3, 4, 4), 0.5, training=False).shape
    (2, 3, 4, 4)
    """
    return _dropped("dropout", input, p, training)


def _channels(name: str, n: int, input: Any, p: float, training: bool) -> Any:
    """Drop channels: axis 1 of a batch, axis 0 of one example; other numbers of axes warn, as in PyTorch."""
    check_probability(name, p)
    ndim = input.ndim
    if n == 1 and ndim not in (2, 3):
        raise ShapeError(f"{name}: Expected 2D or 3D input, x is {describe(input)}")
    if n > 1 and ndim not in (n + 1, n + 2):
        warnings.warn(f"{name}: received a {ndim}-D input; expected {n + 1} or {n + 2} axes", UserWarning, stacklevel=3)
    if n == 2 and ndim == 3:
        warnings.warn(
            f"{name}: a 3-D input is taken as (N, C, L), a batch of sequences; use dropout1d", UserWarning, stacklevel=3
        )
    lead = 2 if n == 2 or ndim == n + 2 else 1
    if training and 0 < p < 1 and ndim < lead:
        raise ShapeError(f"{name}: dropping channels requires at least {lead} axes, x is {describe(input)}")
    y = _dropped(name, input, p, training, max(ndim - lead, 0))
    # without a batch PyTorch adds an axis and removes it: never the tensor itself
    return reshape_op(input, tuple(input.shape)) if lead == 1 and y is input else y


@function(public=False)
def dropout1d(input: Array, p: float = 0.5, training: bool = True, inplace: bool = False) -> Array:
    """Set whole channels of sequences (N, C, L) to zero with probability ``p``.

    The others are divided by ``1 - p``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.dropout1d(tl.ones(2, 3, 4), 0.5, training=False).shape
    (2, 3, 4)
    """
    return _channels("dropout1d", 1, input, p, training)


@function(public=False)
def dropout2d(input: Array, p: float = 0.5, training: bool = True, inplace: bool = False) -> Array:
    """Set whole channels of images (N, C, H, W) to zero with probability ``p``.

    The others are divided by ``1 - p``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.dropout2d(tl.ones(2, 3, 4, 4), 0.5, training=False).shape
    (2, 3, 4, 4)
    """
    return _channels("dropout2d", 2, input, p, training)


@function(public=False)
def dropout3d(input: Array, p: float = 0.5, training: bool = True, inplace: bool = False) -> Array:
    """Set whole channels of volumes (N, C, D, H, W) to zero with probability ``p``.

    The others are divided by ``1 - p``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.dropout3d(tl.ones(2, 3, 4, 4, 4), 0.5, training=False).shape
    (2, 3, 4, 4, 4)
    """
    return _channels("dropout3d", 3, input, p, training)


@named
def feature_dropout(input: Array, p: float, train: bool) -> Array:
    """Set whole channels (axis 1) to zero with probability ``p``, and divide the others by ``1 - p``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.feature_dropout(tl.ones(2, 3, 4, 4), 0.5, False).shape
    (2, 3, 4, 4)
    """
    return _dropped("feature_dropout", input, p, train, max(input.ndim - 2, 0))


def _alpha(name: str, input: Any, p: float, training: bool, shape: tuple[int, ...]) -> Any:
    check_probability(name, p)
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0.0
    low = -SELU_ALPHA * SELU_SCALE
    a = ((1 - p) * (1 + p * low * low)) ** -0.5
    keep = new.beside(_chosen(name, input, shape, p), input)
    # dropped elements become SELU's lowest value; the factor a and the shift restore mean and variance
    return where(keep, input * a, new.asarray(low * a, input.dtype)) - a * p * low


@function(public=False)
def alpha_dropout(input: Array, p: float = 0.5, training: bool = False, inplace: bool = False) -> Array:
    """Set elements to SELU's lowest value, and keep mean and variance.

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.alpha_dropout(tl.ones(2, 3, 4, 4), 0.5, training=False).shape
    (2, 3, 4, 4)
    """
    return _alpha("alpha_dropout", input, p, training, tuple(input.shape))


@function(public=False)
def feature_alpha_dropout(input: Array, p: float = 0.5, training: bool = False, inplace: bool = False) -> Array:
    """Return `alpha_dropout` of whole channels (axis 1).

    >>> import tinygrad_lite as tl
    >>> tl.nn.functional.feature_alpha_dropout(tl.ones(2, 3, 4, 4), 0.5, training=False).shape
    (2, 3, 4, 4)
    """
    return _alpha("feature_alpha_dropout", input, p, training, (*input.shape[:2], *(1,) * (input.ndim - 2)))


class Dropout(Module):
    """Set elements to zero with probability ``p`` in training.

    The others are divided by ``1 - p``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Dropout().eval()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  2.0000])
    """

    function: Any = staticmethod(dropout)

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(type(self).__name__, p)
        self.p, self.inplace = p, inplace

    def forward(self, input: Any) -> Any:
        """Return ``input``, in training with random zeros."""
        return self.function(input, self.p, self.training, self.inplace) if self.training else input

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"p={self.p}, inplace={self.inplace}"


class _ChannelDropout(Dropout):
    def forward(self, input: Any) -> Any:
        """Return ``input``, in training with random channels of zeros; its axes are checked in both modes."""
        return self.function(input, self.p, self.training, self.inplace)


class Dropout1d(_ChannelDropout):
    """Set whole channels of sequences (N, C, L) to zero in training.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Dropout1d().eval()(tl.ones(1, 2, 4)).shape
    (1, 2, 4)
    """

    function = staticmethod(dropout1d)


class Dropout2d(_ChannelDropout):
    """Set whole channels of images (N, C, H, W) to zero in training.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Dropout2d().eval()(tl.ones(1, 2, 4, 4)).shape
    (1, 2, 4, 4)
    """

    function = staticmethod(dropout2d)


class Dropout3d(_ChannelDropout):
    """Set whole channels of volumes (N, C, D, H, W) to zero in training.

    >>> import tinygrad_lite as tl
    >>> tl.nn.Dropout3d().eval()(tl.ones(1, 2, 4, 4, 4)).shape
    (1, 2, 4, 4, 4)
    """

    function = staticmethod(dropout3d)


class AlphaDropout(Dropout):
    """Set elements to SELU's lowest value in training; keep mean 0 and variance 1.

    >>> import tinygrad_lite as tl
    >>> tl.nn.AlphaDropout().eval()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  2.0000])
    """

    function = staticmethod(alpha_dropout)


class FeatureAlphaDropout(Dropout):
    """Set whole channels to SELU's lowest value in training.

    Mean 0 and variance 1 are kept.

    >>> import tinygrad_lite as tl
    >>> tl.nn.FeatureAlphaDropout().eval()(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  2.0000])
    """

    function = staticmethod(feature_alpha_dropout)
