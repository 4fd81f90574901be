"""Names for annotations, as in ``torch.types``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO, TypeAlias

from tinygrad_lite.engine.devices import Device as _CPU
from tinygrad_lite.engine.dtype import DType
from tinygrad_lite.engine.tensor import Size, Tensor

Number: TypeAlias = int | float | bool
Device: TypeAlias = _CPU | str | int | None
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]
_TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
_dtype, _device, _size = DType, _CPU, Size | list[int] | tuple[int, ...]
__all__ = ["Device", "FileLike", "Number"]
