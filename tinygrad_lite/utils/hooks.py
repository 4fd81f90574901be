"""The handle of a hook, by PyTorch's import path."""

from tinygrad_lite.engine.hooks import RemovableHandle as RemovableHandle
