"""Comparisons, logic, tests and rounding: piecewise constant functions with a zero gradient or none."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.op import described, function, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import DTypeError, OptionError
from tinygrad_lite.ops.elementwise.cast import bare
from tinygrad_lite.ops.elementwise.short_rows import applied

COMPARED, LOGICAL, BITS = (
    "tl.tensor([1, 2, 3]), tl.tensor([3, 2, 1])", "tl.tensor([True, True, False]), tl.tensor([True, False, False])",
    "tl.tensor([12, 5]), tl.tensor([10, 3])",
)  # fmt: skip
TWO: tuple[tuple[Any, str, str, str, str], ...] = (  # function, its name, what it computes, an example, its result
    (np.greater, "gt", "input > other", COMPARED, "[False, False,  True]"),
    (np.greater_equal, "ge", "input >= other", COMPARED, "[False,  True,  True]"),
    (np.less, "lt", "input < other", COMPARED, "[ True, False, False]"),
    (np.less_equal, "le", "input <= other", COMPARED, "[ True,  True, False]"),
    (np.equal, "eq", "input == other", COMPARED, "[False,  True, False]"),
    (np.not_equal, "ne", "input != other", COMPARED, "[ True, False,  True]"),
    (np.logical_and, "logical_and", "input and other", LOGICAL, "[ True, False, False]"),
    (np.logical_or, "logical_or", "input or other", LOGICAL, "[ True,  True, False]"),
    (np.logical_xor, "logical_xor", "(input or other) and not (input and other)", LOGICAL, "[False,  True, False]"),
    (np.bitwise_and, "bitwise_and", "input & other", BITS, "[8, 1]"),
    (np.bitwise_or, "bitwise_or", "input | other", BITS, "[14,  7]"),
    (np.bitwise_xor, "bitwise_xor", "input ^ other", BITS, "[6, 6]"),
    (np.left_shift, "bitwise_left_shift", "input << other", BITS, "[12288,    40]"),
    (np.right_shift, "bitwise_right_shift", "input >> other", BITS, "[0, 0]"),
    (np.gcd, "gcd", "gcd(input, other)", BITS, "[2, 1]"),
    (np.lcm, "lcm", "lcm(input, other)", BITS, "[60, 15]"),
)
NUMBERS = "tl.tensor([1.0, -tl.inf, tl.nan])"
TESTS: tuple[tuple[Any, str, str, str, str], ...] = (
    (np.isnan, "isnan", "whether each element is NaN", NUMBERS, "[False, False,  True]"),
    (np.isinf, "isinf", "whether each element is infinite", NUMBERS, "[False,  True, False]"),
    (np.isfinite, "isfinite", "whether each element is neither infinite nor NaN", NUMBERS, "[ True, False, False]"),
    (np.signbit, "signbit", "whether each element is below zero, or is -0.0", NUMBERS, "[False,  True, False]"),
    (np.logical_not, "logical_not", "``not input`` element by element", "tl.tensor([True, False])", "[False,  True]"),
    (np.invert, "bitwise_not", "``~input`` element by element", "tl.tensor([5, -1])", "[-6,  0]"),
)
# A step function has no slope at a jump, so the gradient check skips jumps.
STEPS: Samples = Samples("()->()", kinks="skip")
QUOTIENTS = Samples("(),()->()", domain={"other": (0.5, 4.0)}, kinks="skip")


def flat(g: Array) -> Array:
    """Return zeros: the gradient of a piecewise constant function."""
    return new.zeros_like(g)


def _two(ufunc: Any, name: str, formula: str, operands: str, result: str) -> None:
    def answer(input: Array, other: Array) -> Array:
        return applied(ufunc, input, other)

    described(
        answer, name, f"Return ``{formula}`` element by element; no gradient.", f"tl.{name}({operands})",
        f"tensor({result})",
    )  # fmt: skip
    op(kind="elementwise", label=ufunc.__name__, numpy=ufunc, promote="same" if operands is BITS else None)(answer)


def _one(ufunc: Any, name: str, summary: str, operand: str, result: str) -> None:
    def answer(input: Array) -> Array:
        return ufunc(input)

    described(answer, name, f"Return {summary}; no gradient.", f"tl.{name}({operand})", f"tensor({result})")
    changes = ufunc in (np.logical_not, np.invert)  # the others are questions: isnan ...
    op(kind="elementwise", label=ufunc.__name__, numpy=ufunc, inplace=changes)(answer)


for _row in TWO:
    _two(*_row)
for _row in TESTS:
    _one(*_row)


@op(inplace=False, kind="elementwise", numpy=np.isposinf)
def isposinf(input: Array) -> Array:
    """Return whether each element is +infinity.

    >>> import tinygrad_lite as tl
    >>> tl.isposinf(tl.tensor([1.0, tl.inf, -tl.inf]))
    tensor([False,  True, False])
    """
    return np.isposinf(input)


@op(inplace=False, kind="elementwise", numpy=np.isneginf)
def isneginf(input: Array) -> Array:
    """Return whether each element is -infinity.

    >>> import tinygrad_lite as tl
    >>> tl.isneginf(tl.tensor([1.0, tl.inf, -tl.inf]))
    tensor([False, False,  True])
    """
    return np.isneginf(input)


@op(kind="elementwise", promote="equal", numpy=np.heaviside)
def heaviside(input: Array, values: Array) -> Array:
    """Return 0 below zero and for NaN, 1 above, ``values`` at zero; no gradient.

    >>> import tinygrad_lite as tl
    >>> tl.heaviside(tl.tensor([-1.0, 0.0, 2.0]), tl.tensor([0.5]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return np.where(input == 0, values, (input > 0).astype(input.dtype))


@op(inplace=False, kind="elementwise", numpy=np.isclose)
def isclose(input: Array, other: Array, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Array:
    """Return whether ``|input - other| <= atol + rtol * |other|`` element by element.

    >>> import tinygrad_lite as tl
    >>> tl.isclose(tl.tensor([1.0, 2.0]), tl.tensor([1.000001, 2.1]))
    tensor([ True, False])
    """
    if rtol < 0 or atol < 0:
        raise OptionError(f"isclose: rtol and atol must not be negative, got {rtol} and {atol}")
    return np.isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


@function(numpy=np.allclose)
def allclose(input: Array, other: Array, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> bool:
    """Return whether every element `isclose`.

    >>> import tinygrad_lite as tl
    >>> tl.allclose(tl.tensor([1.0]), tl.tensor([1.000001]))
    True
    """
    return bool(bare(isclose(input, other, rtol, atol, equal_nan)).all())


@function(numpy=np.array_equal)
def equal(input: Array, other: Array) -> bool:
    """Return whether two tensors have the same shape and the same elements.

    >>> import tinygrad_lite as tl
    >>> tl.equal(tl.tensor([1, 2]), tl.tensor([1, 2]))
    True
    """
    return bool(np.array_equal(bare(input), bare(other)))


# ------------------------------------------------------------------------------------------------ rounding
@op(input=flat, kind="elementwise", numpy=np.floor, samples=STEPS)
def floor(input: Array) -> Array:
    """Return each element rounded down; the gradient is zero.

    >>> import tinygrad_lite as tl
    >>> tl.floor(tl.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return np.floor(input) if input.dtype.kind == "f" else input.copy()


@op(input=flat, kind="elementwise", numpy=np.ceil, samples=STEPS)
def ceil(input: Array) -> Array:
    """Return each element rounded up; the gradient is zero.

    >>> import tinygrad_lite as tl
    >>> tl.ceil(tl.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return np.ceil(input) if input.dtype.kind == "f" else input.copy()


@op(input=flat, kind="elementwise", numpy=(np.trunc, np.fix), samples=STEPS)
def trunc(input: Array) -> Array:
    """Return each element rounded towards zero; the gradient is zero.

    >>> import tinygrad_lite as tl
    >>> tl.trunc(tl.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return np.trunc(input) if input.dtype.kind == "f" else input.copy()


@op(
    input=flat, kind="elementwise", layout="operands", numpy=(np.round, np.rint),
    samples=Samples("()->()", options={"decimals": (0, 1, -1)}, kinks="skip"),
)  # fmt: skip
def round(input: Array, decimals: int = 0) -> Array:
    """Return each element rounded to ``decimals`` decimal places, halves to even.

    The gradient is zero.

    >>> import tinygrad_lite as tl
    >>> tl.round(tl.tensor([0.5, 1.5, 2.4]))
    tensor([0., 2., 2.])
    """
    return np.round(input, max(-1000, min(decimals, 1000)))  # NumPy counts up to the number


def _no_zero(name: str, input: Any, other: Any) -> None:
    whole = all(new.asarray(x).dtype.kind in "iub" for x in (input, other))
    if whole and np.size(input) and not np.all(other):
        raise ZeroDivision(f"{name}: integers cannot be divided by zero; use .float() to get infinities")


class ZeroDivision(ZeroDivisionError, RuntimeError):
    """An integer was divided by zero (PyTorch raises a RuntimeError)."""


@op(
    input=flat, other=flat, kind="elementwise", promote="same", numpy=np.floor_divide, samples=QUOTIENTS,
)  # fmt: skip
def floor_divide(input: Array, other: Array) -> Array:
    """Return ``input / other`` rounded down; the gradient is zero.

    >>> import tinygrad_lite as tl
    >>> tl.floor_divide(tl.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """
    _no_zero("floor_divide", input, other)
    return np.floor_divide(input, other)


@op(input=flat, other=flat, kind="elementwise", promote="same", public=False, samples=QUOTIENTS)
def trunc_divide(input: Array, other: Array) -> Array:
    """Return ``input / other`` rounded towards zero; the gradient is zero."""
    _no_zero("div", input, other)
    if np.result_type(input, other).kind == "f":
        return np.trunc(np.true_divide(input, other))
    down = np.floor_divide(input, other)
    return down + ((down < 0) & (down * other != input))


@op(
    input=lambda g: g, other=lambda g, input, other: -g * np.floor(input / other),
    kind="elementwise", singular=True, label="mod", promote="same", numpy=np.remainder,
    samples=Samples("(),()->()", domain={"other": (0.5, 4.0)}),
)  # fmt: skip
def remainder(input: Array, other: Array) -> Array:
    """Return the remainder of ``input / other``, with the sign of ``other``.

    >>> import tinygrad_lite as tl
    >>> tl.remainder(tl.tensor([7, -7]), 3)
    tensor([1, 2])
    """
    _no_zero("remainder", input, other)
    return np.remainder(input, other)


@op(
    input=lambda g: g, other=lambda g, input, other: -g * np.trunc(input / other),
    kind="elementwise", singular=True, label="mod", promote="same", numpy=np.fmod,
    samples=Samples("(),()->()", domain={"other": (0.5, 4.0)}),
)  # fmt: skip
def fmod(input: Array, other: Array) -> Array:
    """Return the remainder of ``input / other``, with the sign of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.fmod(tl.tensor([7, -7]), 3)
    tensor([ 1, -1])
    """
    _no_zero("fmod", input, other)
    return np.fmod(input, other)


@function(inplace=True)
def frac(input: Array) -> Array:
    """Return the fractional part, with the sign of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.frac(tl.tensor([-1.5, 1.25]))
    tensor([-0.5000,  0.2500])
    """
    if input.dtype.kind != "f":
        raise DTypeError(f"frac: expected floats, got {input.array.dtype}; integers have no fractional part")
    return input - trunc(input)
