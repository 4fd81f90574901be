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
           "OptionError", "ShapeError", "describe", "require", "visible"]  # fmt: skip


def visible(text: object) -> str:
    r"""Return ``text`` with control characters as escapes: a name from a file must not steer a terminal.

    >>> print(visible("weight\x1b[2J"))
    weight\x1b[2J
    """
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in shown)


class _Visible(Exception):
    def __str__(self) -> str:
        text: str = Exception.__str__(self)
        return visible(text)


class ShapeError(_Visible, ValueError, RuntimeError):
    """Shapes that do not fit together."""


class OptionError(_Visible, ValueError, RuntimeError):
    """An argument whose value is not allowed."""


class ArgumentError(_Visible, TypeError, ValueError):
    """An argument of the wrong kind: a string for a number, a tensor for an option."""


class DTypeError(_Visible, TypeError, NotImplementedError):
    """A dtype, or a kind of object, that the operation does not support (also a RuntimeError)."""


class GradientError(_Visible, RuntimeError):
    """A backward pass that fails.

    Nothing was recorded, the graph was freed, a value was changed in place or is not finite.
    """


class LinAlgError(_Visible, np.linalg.LinAlgError, RuntimeError):
    """A matrix that cannot be inverted or decomposed."""


class DeviceError(_Visible, RuntimeError, ValueError):
    """A device that does not exist here."""


class OutOfMemoryError(_Visible, MemoryError, RuntimeError):
    """No memory for a result; PyTorch raises a RuntimeError of this name, Python and NumPy a MemoryError."""


class FileError(_Visible, ValueError, RuntimeError):
    """A file that is damaged, or whose format or content is not supported."""


class MissingExtra(_Visible, ImportError):
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


WORDS = (
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
    (r"Python int(eger)? .*(too large|out of bounds).*", "a number is too large"),
    (r"(cannot fit .* into an index-sized integer|cannot convert float .* to integer)", "a number is too large"),
    (r"'(\w+)' object has no attribute '(\w+)'", r"got a \1, which has no \2"),
    (r"unsupported operand type\(s\) for (\S+): '(\S+)' and '(\S+)'", r"cannot compute \2 \1 \3"),
    (r"'(\w+)' object is not (iterable|subscriptable)", r"expected several values, got a \1"),
    (r"object of type '(\w+)' has no len\(\)", r"expected several values, got a \1"),
    (r"'(\w+)' object is not callable", r"expected a function, got a \1"),
    (r"'\S+' not supported between instances of '(\S+)' and '(\S+)'", r"cannot compare a \1 with a \2"),
    (r"Cannot interpret '(.*)' as a data type|data type '(.*)' not understood", r"there is no dtype \1\2"),
    (r"must be real number, not (\S+)", r"expected a number, got a \1"),
    (r"float\(\) argument must be a string or a real number, not '(\S+)'", r"expected a number, got a \1"),
    (r"int\(\) argument must be a string.*, not '(\S+)'", r"expected a whole number, got a \1"),
    (r"can't multiply sequence by non-int of type '(\S+)'", r"expected a whole number, got a \1"),
    (r"maximum recursion depth exceeded.*", "an argument contains itself, or is nested too deeply"),
    (r"The truth value of an array.*", "expected one value, got several"),
    (r"setting an array element with a sequence.*", "the rows have different lengths"),
    (r"^Unable to allocate", "out of memory: cannot allocate"),
    (r"^(_ArrayMemory|Memory)Error$", "out of memory"),
    (r"unhashable type: '(\S+)'", r"a \1 is not allowed here"),
    (r"(not enough|too many) values to unpack \(expected (\d+).*", r"expected \2 values"),
)  # fmt: skip


def in_our_words(text: str) -> str:
    """Reword a NumPy error message, the same for every version of NumPy.

    >>> in_our_words("axis 2 is out of bounds for array of dimension 1")
    'dim 2 is out of range for 1 axes'
    """
    for pattern, ours in WORDS:
        text = re.sub(pattern, ours, text, flags=re.DOTALL)
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
    text = visible(repr(value))
    return text if len(text) <= 60 else f"a {visible(type(value).__name__)}"
