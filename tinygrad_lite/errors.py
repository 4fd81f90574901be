"""The errors that tinygrad_lite raises, and the words they are made of.

Every class inherits from the error PyTorch raises *and* from the one NumPy raises in the same place, so that
``except`` clauses written for either keep working.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["DTypeError", "DeviceError", "FileError", "GradientError", "LinAlgError", "MissingExtra", "OptionError",
           "ShapeError", "describe", "require"]  # fmt: skip


class ShapeError(ValueError, RuntimeError):
    """Shapes that do not fit together."""


class OptionError(ValueError, RuntimeError):
    """An argument with a value that cannot be used."""


class DTypeError(TypeError, RuntimeError):
    """A dtype, or a kind of object, that the operation cannot work on."""


class GradientError(RuntimeError):
    """A backward pass that cannot be done: nothing to differentiate, freed, changed in place, not finite."""


class LinAlgError(np.linalg.LinAlgError, RuntimeError):
    """A matrix that cannot be inverted or decomposed."""


class DeviceError(RuntimeError, ValueError):
    """A device that does not exist here."""


class FileError(ValueError, RuntimeError):
    """A file that is damaged, or of a format or content that is not read here."""


class MissingExtra(ImportError):
    """An optional package that is not installed; the message names the extra that brings it."""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional ``module`` or raise one clear error that names the extra to install.

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


def describe(value: Any) -> str:
    """Say in a few characters what an argument is: shape and dtype of an array, else its value or type.

    >>> import numpy as np
    >>> describe(np.zeros((2, 3), np.float32)), describe(2.5), describe("text")
    ('(2, 3) float32', '2.5', "'text'")
    """
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:
        return f"{tuple(shape)} {dtype}"
    if isinstance(value, (list, tuple)) and any(hasattr(v, "shape") for v in value):
        shown = ", ".join(describe(v) for v in value[:4])
        return f"[{shown}{', ...' if len(value) > 4 else ''}]"
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"
