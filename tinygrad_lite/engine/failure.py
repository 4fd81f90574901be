"""What an op does when its forward fails: it asks the classes of its operands, or raises an error that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_lite.engine.keywords import check_given
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import (
    DTypeError,
    GradientError,
    LinAlgError,
    OptionError,
    OutOfMemoryError,
    ShapeError,
    describe,
    in_our_words,
)  # fmt: skip

OPERANDS = (Tensor, np.ndarray, np.generic, np.dtype, int, float, complex, str, list, tuple, type, type(None))
ARRAYS = ("__array__", "__array_ufunc__", "__array_namespace__", "__torch_function__")


def failed(op: Any, args: Sequence[Any], error: Exception) -> Any:
    """Return what an operand with ``__torch_function__`` makes of the call, or raise the error that explains it."""
    if unasked(args):
        given = len(args)  # the class is asked about the arguments of the call, without the defaults
        while given and args[given - 1] is op.defaults.get(op.params[given - 1], op):
            given -= 1
        return op.call(*args[:given])
    raise explain(op, args, error) from error


def unanswered(op: Any, args: Sequence[Any], error: Exception) -> Any:
    """Return what `failed` does for an operator: NotImplemented for an operand of another class, which Python asks."""
    return NotImplemented if any(map(foreign, args)) else failed(op, args, error)


def foreign(value: Any) -> bool:
    """Return whether ``value`` is of a class that nothing here computes with, whose own operators are to be asked."""
    return not isinstance(value, OPERANDS) and not any(hasattr(type(value), name) for name in ARRAYS)


def unasked(values: Sequence[Any], deep: int = 3) -> bool:
    """Return whether an argument has ``__torch_function__`` and functions begin to ask only now."""
    for v in values:
        if v.__class__ in (list, tuple):
            if deep and unasked(v, deep - 1):
                return True
        elif not isinstance(v, Tensor) and hasattr(type(v), "__torch_function__"):
            return bool(import_module("tinygrad_lite.engine.overriding").begin())
    return False


def no_tensor(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> str | None:
    """Return a sentence about the argument that should be a tensor and is not, or None."""
    for name, value in given.items():
        if not hasattr(value, "ndim") and not (value is None and name in defaults):
            return f"{name} must be a tensor, got {describe(value)}"
    return None


def explain(op: Any, args: Sequence[Any], error: Exception) -> Exception:
    """Return ``error`` as one of this package's, with the op's name and the shape and dtype of every argument."""
    if isinstance(error, GradientError) or getattr(error, "explained", False):
        return error
    check_given(op.name, op.params, args)
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    kind: type[Exception]
    if isinstance(error, (ShapeError, DTypeError)):
        kind = type(error)
    elif isinstance(error, IndexError):  # includes NumPy's AxisError
        kind = IndexError
    elif isinstance(error, (TypeError, AttributeError)):
        kind = DTypeError
        needed = {n: a for n, a in zip(op.params, args, strict=False) if n in op.arrays}
        if not isinstance(error, AttributeError):  # numbers are accepted
            needed = {n: a for n, a in needed.items() if a is None or isinstance(a, str)}
        text = no_tensor(needed, op.defaults) or text
    elif isinstance(error, np.linalg.LinAlgError):
        kind = LinAlgError
    elif isinstance(error, ValueError):
        kind = ShapeError if any(w in text for w in ("shape", "broadcast", "dimension", "'axis'")) else OptionError
    elif isinstance(error, MemoryError):  # NumPy raises a class of its own
        kind = OutOfMemoryError
    else:
        kind = type(error) if type(error) in (ZeroDivisionError, OverflowError) else RuntimeError
    text = in_our_words(text)
    if not text.startswith(f"{op.name}: "):
        shown = ", ".join(f"{n} {describe(a)}" for n, a in zip(op.params, args, strict=False) if a is not None)
        named = text.partition(": ")[0].isidentifier()  # the text names the function that the user called
        text = (text if named else f"{op.name}: {text}") + (f" ({shown})" if shown else "")
    ours = kind(text)
    ours.explained = True  # type: ignore[attr-defined]
    return ours
