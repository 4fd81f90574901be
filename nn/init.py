"""Initial values of parameters, filled in place.

Sources: Glorot, Bengio 2010 (xavier), He et al. 2015 (kaiming), Saxe et al. 2013 (orthogonal), Martens 2010 (sparse).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.arrays import number
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import GradientError, ShapeError, describe
from tinygrad_lite.random import default_generator

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_",
    "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip


def _generator(generator: Any, tensor: Tensor) -> np.random.Generator:
    if not tensor.array.flags.writeable:  # before anything is drawn
        raise GradientError(f"init: this tensor {describe(tensor)} is read-only; use .clone() first")
    return default_generator() if generator is None else generator


def _fill(tensor: Tensor, values: Any) -> Tensor:
    if not new.writable(tensor.array):
        raise GradientError(f"init: this tensor {describe(tensor)} is read-only, or expanded; use .clone() first")
    tensor.array[...] = new.beside(values, tensor)
    bump(tensor.array)
    return tensor


@named
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor by which to scale initial weights for ``nonlinearity``.

    With it the output of the nonlinearity is spread as widely as its input.

    >>> calculate_gain("relu") ** 2
    2.0000000000000004
    """
    if nonlinearity in (
        "linear",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "sigmoid",
    ):
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is not None and (isinstance(param, bool) or not isinstance(param, (int, float))):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return fan-in and fan-out of a weight (out, in, *kernel).

    Fan-in counts the inputs of one output, fan-out the outputs of one input.
    """
    shape = tensor.array.shape
    if len(shape) < 2:
        raise ShapeError(f"fan in and fan out need a weight of at least two axes, got shape {shape}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


_calculate_fan_in_and_fan_out = fans


def _calculate_correct_fan(tensor: Any, mode: str) -> int:
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode.lower()} not supported, please use one of ['fan_in', 'fan_out']")
    return fans(tensor)[mode.lower() == "fan_out"]


@named
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with uniform random numbers between ``a`` and ``b``.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.init.uniform_(tl.empty(2, 3))
    tensor([[0.6370, 0.2698, 0.0410],
            [0.0165, 0.8133, 0.9128]])
    """
    if b < a:
        raise ValueError(f"uniform_: b must not be smaller than a, got a={a} and b={b}")
    return _fill(tensor, _generator(generator, tensor).uniform(a, b, tensor.array.shape))


@named
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with normal random numbers.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.init.normal_(tl.empty(2, 3))
    tensor([[ 0.1257, -0.1321,  0.6404],
            [ 0.1049, -0.5357,  0.3616]])
    """
    if std < 0:
        raise ValueError(f"normal_: std must not be negative, got {std}")
    return _fill(tensor, _generator(generator, tensor).normal(mean, std, tensor.array.shape))


@named
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Fill with normal random numbers, drawn again while outside ``[a, b]``.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.init.trunc_normal_(tl.empty(2, 3))
    tensor([[ 0.1257, -0.1321,  0.6404],
            [ 0.1049, -0.5357,  0.3616]])
    """
    mean, std, a, b = float(mean), float(std), float(a), float(b)
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    rng = _generator(generator, tensor)
    values = rng.normal(mean, std, tensor.array.shape)
    for _ in range(100):
        out = (values < a) | (values > b)
        if not out.any():
            break
        values[out] = rng.normal(mean, std, int(out.sum()))
    return _fill(tensor, np.clip(values, a, b))


@named
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value.

    >>> import tinygrad_lite as tl
    >>> tl.nn.init.constant_(tl.empty(2, 3), 0.5)
    tensor([[0.5000, 0.5000, 0.5000],
            [0.5000, 0.5000, 0.5000]])
    """
    return _fill(tensor, number("constant_", val, tensor.array.dtype))


@named
def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones.

    >>> import tinygrad_lite as tl
    >>> tl.nn.init.ones_(tl.empty(2, 3))
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    return _fill(tensor, 1)


@named
def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros.

    >>> import tinygrad_lite as tl
    >>> tl.nn.init.zeros_(tl.empty(2, 3))
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return _fill(tensor, 0)


@named
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on its diagonal, zeros elsewhere.

    >>> import tinygrad_lite as tl
    >>> tl.nn.init.eye_(tl.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return _fill(tensor, new.eye(*tensor.array.shape))


@named
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution weight so that it hands on as many input channels as it can.

    >>> import tinygrad_lite as tl
    >>> tl.nn.init.dirac_(tl.empty(2, 2, 3))
    tensor([[[0., 1., 0.],
             [0., 0., 0.]],
    <BLANKLINE>
            [[0., 0., 0.],
             [0., 1., 0.]]])
    """
    shape = tensor.array.shape
    if len(shape) not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    values = new.zeros(shape)
    middle = tuple(n // 2 for n in shape[2:])
    each = shape[0] // groups
    for group in range(groups):
        for i in range(min(each, shape[1])):
            values[(group * each + i, i, *middle)] = 1
    return _fill(tensor, values)


@named
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    r"""Fill with uniform numbers, scaled by fan-in plus fan-out.

    They lie between :math:`\pm\text{gain}\sqrt{6 / (\text{in} + \text{out})}`.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.init.xavier_uniform_(tl.empty(2, 3))
    tensor([[ 0.3001, -0.5044, -1.0057],
            [-1.0592,  0.6863,  0.9043]])
    """
    bound = gain * math.sqrt(6.0 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


@named
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    r"""Fill with normal numbers, scaled by fan-in plus fan-out.

    Their standard deviation is :math:`\text{gain}\sqrt{2 / (\text{in} + \text{out})}`.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.init.xavier_normal_(tl.empty(2, 3))
    tensor([[ 0.0795, -0.0836,  0.4050],
            [ 0.0663, -0.3388,  0.2287]])
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor))), generator)


def _he(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fans(tensor)[mode == "fan_out"], 1))


@named
def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    r"""Fill with uniform numbers between :math:`\pm\text{gain}\sqrt{3 / \text{fan}}`.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.init.kaiming_uniform_(tl.empty(2, 3))
    tensor([[ 0.3874, -0.6511, -1.2983],
            [-1.3675,  0.8861,  1.1674]])
    """
    if not tensor.array.size:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    bound = math.sqrt(3.0) * _he(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


@named
def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    r"""Fill with normal numbers, scaled by fan-in or fan-out.

    Their standard deviation is :math:`\text{gain} / \sqrt{\text{fan}}`.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.init.kaiming_normal_(tl.empty(2, 3))
    tensor([[ 0.1027, -0.1079,  0.5229],
            [ 0.0857, -0.4374,  0.2952]])
    """
    if not tensor.array.size:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    return normal_(tensor, 0.0, _he(tensor, a, mode, nonlinearity), generator)


@named
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with a random (semi-)orthogonal matrix.

    The axes after the first count as one.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.init.orthogonal_(tl.empty(2, 3))
    tensor([[ 0.1489,  0.7585, -0.6344],
            [-0.2958,  0.6464,  0.7033]])
    """
    shape, gain = tensor.array.shape, float(gain)
    if len(shape) < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.array.size:
        return tensor
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(_generator(generator, tensor).normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # makes the distribution uniform
    return _fill(tensor, gain * (q if rows >= columns else q.T).reshape(shape))


@named
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill a matrix with normal numbers, some of them zero.

    ``sparsity`` is the share of zeros in each column.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.init.sparse_(tl.empty(2, 3), 0.5)
    tensor([[ 0.0000,  0.0000,  0.0000],
            [ 0.0010, -0.0054,  0.0036]])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rng = _generator(generator, tensor)
    rows, columns = tensor.array.shape
    zeros = math.ceil(sparsity * rows)
    values = rng.normal(0, std, (rows, columns))
    for c in range(columns):
        values[rng.permutation(rows)[:zeros], c] = 0
    return _fill(tensor, values)


def _old(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return ``function`` under its name without the underscore, which PyTorch deprecated."""
    name = function.__name__

    def call(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{name[:-1]}` is now deprecated in favor of `nn.init.{name}`.", FutureWarning, stacklevel=2
        )
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = name[:-1]
    call.__doc__ = f"The older name of `{name}`."
    return call


uniform, normal, constant = _old(uniform_), _old(normal_), _old(constant_)
eye, dirac = _old(eye_), _old(dirac_)
xavier_uniform, xavier_normal = _old(xavier_uniform_), _old(xavier_normal_)
kaiming_uniform, kaiming_normal = _old(kaiming_uniform_), _old(kaiming_normal_)
orthogonal, sparse = _old(orthogonal_), _old(sparse_)
