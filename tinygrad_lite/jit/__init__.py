"""Names of ``torch.jit`` for scripts that decorate: functions and modules stay as they are."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Final as Final, NamedTuple

from tinygrad_lite.engine.no_effect import NO_EFFECT, absent, ignored
from tinygrad_lite.futures import Future as Future

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


_TORCHSCRIPT = "functions and modules run as they are, without TorchScript"
ScriptModule, ScriptFunction, RecursiveScriptModule, CompilationUnit = (
    absent(f"jit.{name}", _TORCHSCRIPT)
    for name in ("ScriptModule", "ScriptFunction", "RecursiveScriptModule", "CompilationUnit")
)
set_fusion_strategy = ignored("jit.set_fusion_strategy", _TORCHSCRIPT)
enable_onednn_fusion = ignored("jit.enable_onednn_fusion", _TORCHSCRIPT)
optimize_for_inference, trace_module = freeze, trace


class TracerWarning(Warning):
    """The warnings of tracing: none is given."""


def annotate(the_type: Any, the_value: Any) -> Any:
    """Return ``the_value``."""
    return the_value


def fork(func: Any, *args: Any, **kwargs: Any) -> Future:
    """Call the function now and return the future of its result.

    >>> wait(fork(max, 1, 2))
    2
    """
    return Future()._settle(func, *args, **kwargs)


def wait(future: Any) -> Any:
    """Return the result of a future."""
    return future.wait()


_overload = _overload_method = _script_if_tracing = export
Error = RuntimeError
isinstance = isinstance
strict_fusion = nullcontext


class Attribute(NamedTuple):
    """A value with a type; the value is what counts."""

    value: Any
    type: Any
