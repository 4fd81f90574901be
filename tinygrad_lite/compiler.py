"""Names of ``torch.compiler`` for scripts that ask and decorate."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.no_effect import NO_EFFECT, ignored

__all__ = ["allow_in_graph", "compile", "disable", "is_compiling", "is_dynamo_compiling", "is_exporting", "reset"]
for _name in ("allow_in_graph", "disable"):
    NO_EFFECT[f"compiler.{_name}"] = "the function stays as it is"
reset = ignored("compiler.reset", "every compiled function keeps its own programs")
cudagraph_mark_step_begin = ignored("compiler.cudagraph_mark_step_begin", "there is no CUDA device")
set_stance = ignored("compiler.set_stance", "compiled functions have one stance")


def is_compiling() -> bool:
    """Return False: a function is recorded while it runs.

    >>> is_compiling()
    False
    """
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Return the function as it is, also as ``@disable()``."""
    return fn if fn is not None else lambda fn: fn


def allow_in_graph(fn: Any) -> Any:
    """Return the function as it is."""
    return fn


def compile(*args: Any, **kwargs: Any) -> Any:
    """Compile a function or module, as `tinygrad_lite.compile` does."""
    from tinygrad_lite.compiled import compile as compiled

    return compiled(*args, **kwargs)
