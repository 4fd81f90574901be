"""Names of ``torch.optim.optimizer`` that optimisers of other people import: most answer that nothing is special."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine.mode import switch
from tinygrad_lite.engine.tensor import Tensor

__all__ = [
    "ParamsT", "_default_to_fused_or_foreach", "_disable_dynamo_if_unsupported", "_dispatch_sqrt",
    "_get_capturable_supported_devices", "_get_scalar_dtype", "_get_value", "_params_t",
    "_use_grad_for_differentiable", "_view_as_real",
]  # fmt: skip

ParamsT = _params_t = Iterable[Any]


def _use_grad_for_differentiable(step: Any) -> Any:
    """Run a step as its optimiser's option ``differentiable`` says."""

    @functools.wraps(step)
    def run(self: Any, *args: Any, **words: Any) -> Any:
        with switch(grad=bool(self.defaults.get("differentiable", False))):
            return step(self, *args, **words)

    return run


def _default_to_fused_or_foreach(params: Any, differentiable: bool, use_fused: bool = False) -> tuple[bool, bool]:
    return False, False


def _get_value(x: Any) -> Any:
    return x.item() if isinstance(x, Tensor) else x


def _dispatch_sqrt(x: Any) -> Any:
    return x.sqrt() if isinstance(x, Tensor) else x**0.5


def _get_scalar_dtype(is_fused: Any = None) -> Any:
    return np.dtype(np.float32)


def _get_capturable_supported_devices(supports_xla: bool = True) -> list[str]:
    return []


def _disable_dynamo_if_unsupported(single_tensor_fn: Any = None) -> Any:
    return lambda f: f


def _view_as_real(params: Any, *states: Any) -> None:
    """Do nothing: no parameter is complex."""
