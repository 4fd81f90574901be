"""The door that PyTorch's import paths need: `tinygrad_lite.utils.data`."""

from typing import Any as _Any

from tinygrad_lite.utils import checkpoint as checkpoint, data as data, dlpack as dlpack, hooks as hooks


def __getattr__(name: str) -> _Any:
    """Find the rest of ``torch.utils`` on first use."""
    if name in ("_pytree", "benchmark", "collect_env", "model_zoo", "tensorboard"):
        from importlib import import_module

        return import_module(f"tinygrad_lite.utils.{name}")
    raise AttributeError(f"module 'tinygrad_lite.utils' has no attribute '{name}'")
