"""Layers without initial values."""

from __future__ import annotations

import inspect
from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.nn.module import Module


@named
def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a layer made of ``module_cls`` with parameters and buffers whose values are not set.

    The class must take ``device``, as every layer with parameters does.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.skip_init(tl.nn.Linear, 2, 3)
    Linear(in_features=2, out_features=3, bias=True)
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    return module_cls(*args, **kwargs).to_empty(device=kwargs.get("device"))
