"""The dtype objects: NumPy's dtypes that also have the attributes of PyTorch's.

``x.dtype`` and ``tinygrad_lite.float32`` are `DType` objects, one per dtype. NumPy takes them wherever it takes a
dtype, and they equal NumPy's dtypes and scalar types both ways. The engine itself works on ``x.array.dtype``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.errors import DTypeError


class DType:
    """A dtype: ``is_floating_point``, ``itemsize`` ... as in PyTorch; ``kind``, ``name``, ``type`` ... as in NumPy.

    >>> import numpy as np, tinygrad_lite as tl
    >>> d = tl.tensor([1.0]).dtype
    >>> d, d.is_floating_point, d == np.float32, np.zeros(2, d).dtype
    (torch.float32, True, True, dtype('float32'))
    >>> d is tl.float32
    True
    """

    dtype: np.dtype[Any]
    kind: str
    name: str
    type: Any
    itemsize: int
    is_floating_point: bool
    is_complex: bool
    is_signed: bool
    __slots__ = ("dtype", "is_complex", "is_floating_point", "is_signed", "itemsize", "kind", "name", "type")

    def __new__(cls, dtype: Any) -> DType:
        """Return the one object of this dtype."""
        return as_dtype(dtype)

    @classmethod
    def _made(cls, dtype: np.dtype[Any]) -> DType:
        self = object.__new__(cls)
        self.dtype, self.kind, self.name, self.type, self.itemsize = (
            dtype, dtype.kind, dtype.name, dtype.type, dtype.itemsize
        )  # fmt: skip
        self.is_floating_point, self.is_complex, self.is_signed = dtype.kind == "f", False, dtype.kind in "if"
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "dtype"), name)

    def __eq__(self, other: object) -> bool:
        if other.__class__ is DType:
            return self is other
        if other is None:  # NumPy reads None as float64
            return False
        try:
            return bool(self.dtype == other)
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"torch.{'bool' if self.kind == 'b' else self.name}"

    def __reduce__(self) -> Any:
        return as_dtype, (self.name,)

    def to_real(self) -> DType:
        """Return the real dtype of this one, which is itself."""
        return self


class _DTypes(dict[Any, DType]):
    def __missing__(self, dtype: Any) -> DType:
        self[dtype] = made = DType._made(dtype)
        return made


DTYPES = _DTypes()
"""The `DType` of each NumPy dtype."""


def as_dtype(value: Any) -> DType:
    """Return the `DType` of anything that NumPy takes as a dtype, or of a name such as ``"torch.float32"``."""
    if isinstance(value, DType):
        return value
    if isinstance(value, str):
        value = value.removeprefix("torch.")
    try:
        return DTYPES[np.dtype(value)]
    except (TypeError, UnicodeError):
        raise DTypeError(f"{value!r} is not a dtype; use one such as float32 or int64") from None
