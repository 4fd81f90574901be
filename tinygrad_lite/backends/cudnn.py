"""cuDNN: not used here. Its switches may be set and change nothing."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tinygrad_lite.engine.no_effect import NO_EFFECT

if TYPE_CHECKING:
    from collections.abc import Iterator

enabled, benchmark, deterministic, allow_tf32, benchmark_limit = True, False, False, True, 10
for _name in ("enabled", "benchmark", "deterministic", "allow_tf32", "benchmark_limit"):
    NO_EFFECT[f"backends.cudnn.{_name}"] = "there is no cuDNN"


def is_available() -> bool:
    """Return False."""
    return False


def version() -> None:
    """Return None."""


def is_acceptable(tensor: Any) -> bool:
    """Return False."""
    return False


@contextmanager
def flags(*args: Any, **kwargs: Any) -> Iterator[None]:
    """Accept switches for a ``with`` block; they change nothing."""
    yield
