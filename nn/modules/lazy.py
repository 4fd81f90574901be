"""The part that lazy layers share, by PyTorch's import path."""

from tinygrad_lite.nn.lazy import LazyModuleMixin as LazyModuleMixin
