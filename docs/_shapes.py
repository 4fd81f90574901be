"""Pictures of shapes: the layer of an example, drawn with the input of the example."""

from __future__ import annotations

import doctest
import inspect
import warnings
from pathlib import Path
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.nn.modules.module import register_module_forward_pre_hook
from tinygrad_lite.viz import draw

CONTAINERS = {"Module", "Container", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict", "DataParallel"}


def drawable() -> list[str]:
    """Return the names of the layers and losses."""
    found = [n for n in vars(nn) if inspect.isclass(getattr(nn, n)) and issubclass(getattr(nn, n), nn.Module)]
    return sorted({*found} - CONTAINERS)


def code(name: str) -> str:
    """Return the program of the example in a layer's docstring."""
    return "".join(e.source for e in doctest.DocTestParser().get_examples(inspect.getdoc(getattr(nn, name)) or ""))


def first_call(name: str) -> tuple[Any, tuple[Any, ...]] | None:
    """Run the example of a layer; return the layer and the arguments of its first call."""
    cls, calls = getattr(nn, name), []

    def seen(layer: Any, args: tuple[Any, ...]) -> None:
        if type(layer) is cls and all(isinstance(a, tl.Tensor) for a in args):
            calls.append((layer, args))

    handle = register_module_forward_pre_hook(seen)
    try:
        tl.manual_seed(0)
        exec(code(name), {"tl": tl, "nn": nn, name: cls})
    except Exception:  # an example that shows an error
        return None
    finally:
        handle.remove()
    return calls[0] if calls else None


def draw_layers(out: Path) -> list[str]:
    """Draw every layer whose example calls it; return their names."""
    found = []
    for name in drawable():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if call := first_call(name):
                draw(call[0], *call[1], depth=1, rankdir="LR").save(out / f"nn.{name}.svg")
                found.append(name)
    return found
