"""The old place of `functional_call`, which is `tinygrad_lite.func.functional_call`."""

from __future__ import annotations

import warnings
from typing import Any

from tinygrad_lite.func.modules import functional_call as _functional_call

__all__ = ["functional_call"]


def functional_call(
    module: Any, parameters_and_buffers: dict[str, Any], args: Any = None, kwargs: dict[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """Call ``module`` with other tensors as its parameters and buffers, by the old import path."""
    warnings.warn(
        "This API is deprecated: `torch.nn.utils.stateless.functional_call` is now `torch.func.functional_call`.",
        FutureWarning,
        stacklevel=2,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)
