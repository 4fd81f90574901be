"""Smooth rectifiers: SiLU, softplus, log sigmoid, Mish, GELU.

GELU and its derivative are computed in float32 in blocks that stay in the cache:
``Phi(-a) = exp(-a a / 2) Q(1 / (1 + 0.3 a))`` with Q of degree 8, fitted to a relative error of 6e-8 for a <= 14.5.
Selecting by masks would take ten times as long in NumPy, so ``x Phi(x) = max(x, 0) - |x| Phi(-|x|)`` covers both signs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.half import wide
from tinygrad_lite.engine.op import function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.ops.elementwise.activation import sigmoid, tanh
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.elementwise.special import erfc

F32 = np.dtype(np.float32)
ANY = Samples("()->()")
BLOCK = 1 << 14
Q = tuple(
    new.array(v, np.float32)
    for v in (
        0.03840739279985428,
        -0.16930745542049408,
        0.22895176708698273,
        -0.0768396407365799,
        0.14276525378227234,
        0.09458587318658829,
        0.12194526195526123,
        0.11948420852422714,
        7.372373147518374e-06,
    )
)
HALF, MINUS_HALF, ONE, MINUS_TWO, SPREAD, TOP, DENSITY = (
    new.array(v, np.float32) for v in (0.5, -0.5, 1, -2, 0.3, 16, 1 / math.sqrt(2 * math.pi))
)


def gelu32(x: Any, slope: bool) -> Any:
    """Return ``x Phi(x)``, or its derivative ``Phi(x) + x phi(x)``."""
    flat = new.ascontiguousarray(x).reshape(-1)
    out = new.empty(flat.size, np.float32)
    n = min(flat.size, BLOCK)
    scratch = new.empty((4, n), np.float32)
    multiply, add, subtract = np.multiply, np.add, np.subtract
    with np.errstate(under="ignore", over="ignore", invalid="ignore"):
        for i in range(0, flat.size, BLOCK):
            s = flat[i : i + BLOCK]
            e, a, t, p = scratch[:, : s.size]
            o = out[i : i + BLOCK]
            np.abs(s, a)
            np.minimum(a, TOP, out=a)  # infinity times the zero below would be NaN
            multiply(a, a, e)
            multiply(e, MINUS_HALF, e)
            np.exp(e, e)
            multiply(a, SPREAD, t)
            add(t, ONE, t)
            np.divide(ONE, t, t)
            multiply(t, Q[0], p)
            for q in Q[1:-1]:
                add(p, q, p)
                multiply(p, t, p)
            add(p, Q[-1], p)
            multiply(p, e, p)  # Phi(-|x|)
            if slope:  # the derivative at -|x|, and one minus it where x > 0
                multiply(e, DENSITY, e)
                multiply(e, a, e)
                subtract(p, e, p)
                multiply(p, MINUS_TWO, t)
                add(t, ONE, t)
                multiply(t, s > 0, t)
                add(p, t, o)
            else:
                multiply(p, a, p)
                np.maximum(s, 0, out=o)
                subtract(o, p, o)
    return out.reshape(x.shape)


def _silu_slope(g: Array, input: Array) -> Array:
    s = sigmoid(input)
    return g * (s * (1 + input * (1 - s)))


@op(input=_silu_slope, kind="activation", singular=True, label="SiLU", method=False, promote="single", samples=ANY)
def silu(input: Array, inplace: bool = False) -> Array:
    """Return ``input * sigmoid(input)``.

    >>> import tinygrad_lite as tl
    >>> tl.silu(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.2689,  0.3112,  1.7616])
    """
    return input * sigmoid(input)


@op(
    input=lambda g, input, beta, threshold: where(input * beta > threshold, g, g * sigmoid(input * beta)),
    kind="activation", label="softplus", method=False, promote="single",
    samples=Samples("()->()", options={"beta": (1.0, 2.0), "threshold": (20.0,)}, kinks="report"),
)  # fmt: skip
def softplus(input: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """Return ``log(1 + exp(beta * input)) / beta``.

    It is ``input`` above ``threshold / beta``.

    >>> import tinygrad_lite as tl
    >>> tl.softplus(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([0.3133, 0.9741, 2.1269])
    """
    factor = new.asarray(float(beta), input.dtype)
    z = input * factor
    soft = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
    return np.where(z > threshold, input, soft / factor)


@op(
    input=lambda g, input: g * sigmoid(-input),
    kind="activation",
    layout="contiguous",
    label="log σ",
    method=False,
    promote="single",
    samples=ANY,
)
def logsigmoid(input: Array) -> Array:
    """Return ``log(sigmoid(input))``, accurate for large inputs too.

    >>> import tinygrad_lite as tl
    >>> tl.logsigmoid(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-1.3133, -0.4741, -0.1269])
    """
    return np.minimum(input, 0) - np.log1p(np.exp(-np.abs(input)))


def _mish_slope(g: Array, input: Array) -> Array:
    t = tanh(softplus(input))
    return g * (t + input * (1 - t * t) * sigmoid(input))


@op(
    input=_mish_slope,
    kind="activation",
    singular=True,
    label="Mish",
    method=False,
    promote="single",
    samples=Samples("()->()", kinks="report"),
)
def mish(input: Array, inplace: bool = False) -> Array:
    """Return ``input * tanh(softplus(input))``.

    >>> import tinygrad_lite as tl
    >>> tl.mish(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.3034,  0.3752,  1.9440])
    """
    return input * tanh(softplus(input))


HALF_ROOT, PEAK = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)
ROOT_2_PI, CUBE = math.sqrt(2 / math.pi), 0.044715


def _gelu_slope(g: Array, input: Array) -> Array:
    if input.__class__ is np.ndarray and g.__class__ is np.ndarray and input.dtype is F32:
        slope = gelu32(input, True)
        return np.multiply(slope, g, slope) if slope.shape == g.shape else slope * g
    return g * (erfc(input * -HALF_ROOT) * 0.5 + input * np.exp(input * input * -0.5) * PEAK)


@op(
    input=_gelu_slope, kind="activation", layout="operands", singular=True, label="GELU", public=False,
    promote="single", samples=Samples("()->()", lo=-30.0, hi=30.0),
)  # fmt: skip
def gelu_exact(input: Array) -> Array:
    """Return ``input * Phi(input)``, ``Phi`` the normal distribution function."""
    if input.__class__ is np.ndarray and input.dtype is F32:
        return gelu32(input, False)
    return input * (erfc(input * new.asarray(-HALF_ROOT, input.dtype)) * new.asarray(0.5, input.dtype))


def _gelu_tanh_slope(g: Array, input: Array) -> Array:
    square = input * input
    t = tanh(ROOT_2_PI * (input + CUBE * square * input))
    return g * (0.5 * (1 + t) + 0.5 * input * (1 - t * t) * (ROOT_2_PI * (1 + 3 * CUBE * square)))


@op(
    input=_gelu_tanh_slope, kind="activation", layout="operands", singular=True, label="GELU", public=False,
    promote="single", samples=Samples("()->()", lo=-30.0, hi=30.0),
)  # fmt: skip
@wide
def gelu_tanh(input: Array) -> Array:
    """Return ``input (1 + tanh(sqrt(2 / pi) (input + 0.044715 input^3))) / 2``."""
    y: Array = 0.5 * input * (1 + np.tanh(ROOT_2_PI * (input + CUBE * input * input * input)))
    return y


@function(method=False, functional=True)
def gelu(input: Array, approximate: str = "none") -> Array:
    r"""Return :math:`x \Phi(x)`, ``Phi`` the normal distribution function.

    ``approximate='tanh'`` gives the usual approximation (Hendrycks, Gimpel 2016).

    >>> import tinygrad_lite as tl
    >>> tl.gelu(tl.tensor([-1.0, 0.5, 2.0]))
    tensor([-0.1587,  0.3457,  1.9545])
    """
    if approximate == "none":
        return gelu_exact(input)
    if approximate != "tanh":
        raise RuntimeError(f"gelu: approximate argument must be either none or tanh, got {approximate!r}")
    return gelu_tanh(input)
