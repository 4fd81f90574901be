"""`DataParallel` without devices to divide the batch among: it runs the module."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.no_effect import NO_EFFECT
from tinygrad_lite.errors import ArgumentError, describe
from tinygrad_lite.nn.module import Module

__all__ = ["DataParallel", "data_parallel"]

NO_EFFECT["gradient_as_bucket_view="] = "gradients have memory of their own"
NO_EFFECT["nn.DataParallel"] = "there is one device, so it runs the module on the whole batch"


class DataParallel(Module):
    """Run ``module`` on the whole batch, as PyTorch does where there is no GPU.

    The module is the attribute ``module``; the names in the state dict begin with it.

    >>> import tinygrad_lite as tl
    >>> tl.nn.DataParallel(tl.nn.Linear(2, 3))(tl.ones(4, 2)).shape
    (4, 3)
    """

    def __init__(self, module: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        if not callable(module):
            raise ArgumentError(f"{type(self).__name__}: module must be a Module, got {describe(module)}")
        self.dim = dim
        self.module = module
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return what the module returns."""
        return self.module(*inputs, **kwargs)


@named
def data_parallel(
    module: Any, inputs: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """Return ``module(*inputs)``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.parallel.data_parallel(tl.nn.ReLU(), tl.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))
