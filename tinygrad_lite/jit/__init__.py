"""Names of ``torch.jit`` for scripts that decorate: functions and modules stay as they are."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.no_effect import NO_EFFECT, absent

for _name in ("script", "export", "ignore", "unused", "interface", "script_if_tracing", "script_method", "freeze"):
    NO_EFFECT[f"jit.{_name}"] = "functions and modules run as they are"
NO_EFFECT["jit.trace"] = "the function or module is returned as it is"


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """Return ``obj`` as it is."""
    return obj


def trace(func: Any, example_inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Return ``func`` as it is."""
    return func


def export(fn: Any) -> Any:
    """Return ``fn`` as it is."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Return the function as it is, also as ``@ignore()``."""
    return drop if callable(drop) else lambda fn: fn


unused = interface = script_if_tracing = script_method = export


def freeze(mod: Any, *args: Any, **kwargs: Any) -> Any:
    """Return ``mod`` as it is."""
    return mod


def is_scripting() -> bool:
    """Return False."""
    return False


def is_tracing() -> bool:
    """Return False."""
    return False


save = absent("jit.save", "save(model.state_dict(), path) keeps the weights")
load = absent("jit.load", "load() reads .npz, .safetensors and the weights in .pt files")


class ScriptModule:
    """The type of scripted modules: no module here is one."""
