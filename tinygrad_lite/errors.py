"""The exceptions of tinygrad_lite, and the wording of their messages.

Every class inherits from the error PyTorch raises *and* from the one NumPy raises in the same place, so that
``except`` clauses written for either keep working.
"""

from __future__ import annotations

import re
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["ArgumentError", "DTypeError", "DeviceError", "FileError", "GradientError", "LinAlgError", "MissingExtra",
           "OptionError", "ShapeError", "describe", "require"]  # fmt: skip


class ShapeError(ValueError, RuntimeError):
    """Shapes that do not fit together."""


class OptionError(ValueError, RuntimeError):
    """An argument whose value is not allowed."""


class ArgumentError(TypeError, ValueError):
    """An argument of the wrong kind: a string for a number, a tensor for an option."""


class DTypeError(TypeError, NotImplementedError):
    """A dtype, or a kind of object, that the operation does not support (also a RuntimeError)."""


class GradientError(RuntimeError):
    """A backward pass that fails.

    Nothing was recorded, the graph was freed, a value was changed in place or is not finite.
    """


class LinAlgError(np.linalg.LinAlgError, RuntimeError):
    """A matrix that cannot be inverted or decomposed."""


class DeviceError(RuntimeError, ValueError):
    """A device that does not exist here."""


class FileError(ValueError, RuntimeError):
    """A file that is damaged, or whose format or content is not supported."""


class MissingExtra(ImportError):
    """An optional package is missing; the message names the extra to install."""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional ``module``; raise MissingExtra naming the extra to install.

    >>> require("math", extra="demo").sqrt(4.0)
    2.0
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"this needs the package '{module.partition('.')[0]}', which is not installed: "
            f"pip install 'tinygrad_lite[{extra}]'"
        ) from error


WORDS = tuple(
    (re.compile(pattern, re.DOTALL), ours)
    for pattern, ours in (
        (r"axis (-?\d+) is out of bounds for array of dimension (\d+).*", r"dim \1 is out of range for \2 axes"),
        (r"duplicate value in 'axis'", "a dim is named twice"),
        (r"operands could not be broadcast together with shapes", "cannot broadcast shapes"),
        (r"operands could not be broadcast together with remapped shapes.*", "the shapes do not broadcast together"),
        (r"shape mismatch: objects cannot be broadcast.*", "the shapes do not broadcast together"),
        (r"all the input array dimensions except for the concatenation axis must match exactly.*",
         "all tensors must have the same shape except along dim"),
        (r"all the input arrays must have same number of dimensions.*", "all tensors need equally many axes"),
        (r"cannot reshape array of size (\d+) into shape .*", r"cannot reshape \1 elements into this shape"),
        (r"matmul: Input operand \d does not have enough dimensions.*", "a number has no axis to sum over; use mul"),
        (r"ufunc '\w+' not supported for the input types.*", "not defined for these dtypes; convert with .to(dtype)"),
        (r"The numpy boolean negative.*", "not defined for bool tensors; use ~x or logical_not"),
        (r"boolean index did not match indexed array.*", "the mask does not have the shape of what it selects from"),
        (r"'(\w+)' object cannot be interpreted as an integer", r"expected a whole number, got a \1"),
        (r"invalid literal for int\(\) with base 10: ", "expected a whole number, got "),
        (r"numpy boolean subtract.*", "not defined for bool tensors; use ^ or logical_xor"),
    )
)  # fmt: skip


def in_our_words(text: str) -> str:
    """Reword a NumPy error message, the same for every version of NumPy.

    >>> in_our_words("axis 2 is out of bounds for array of dimension 1")
    'dim 2 is out of range for 1 axes'
    """
    for pattern, ours in WORDS:
        text = pattern.sub(ours, text)
    return text


def describe(value: Any) -> str:
    """Describe an argument: shape and dtype of an array, else value or type.

    >>> import numpy as np
    >>> describe(np.zeros((2, 3), np.float32)), describe(2.5), describe("text")
    ('(2, 3) float32', '2.5', "'text'")
    """
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, (tuple, list)) and dtype is not None:  # a class has an attribute of that name, but no shape
        return f"{tuple(shape)} {getattr(dtype, 'dtype', dtype)}"
    if isinstance(value, (list, tuple)) and any(hasattr(v, "shape") for v in value):
        shown = ", ".join(describe(v) for v in value[:4])
        return f"[{shown}{', ...' if len(value) > 4 else ''}]"
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"
