"""``torch.cuda.amp``: the older names of `tinygrad_lite.amp`."""

from __future__ import annotations

from typing import Any

from tinygrad_lite import amp
from tinygrad_lite.amp import custom_bwd as custom_bwd, custom_fwd as custom_fwd


class autocast(amp.autocast):  # noqa: N801 - PyTorch's name
    """`amp.autocast` for CUDA, which does not exist here: computes as without it."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(amp.GradScaler):
    """`amp.GradScaler` for CUDA, which does not exist here: it scales nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("cuda", *args, **kwargs)
