"""tinygrad_lite with `tl.compile(step, backend="numpy")` around the whole step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinygrad_lite as tl
from benchmarks.peers import ours


def compiled(make: Callable[[dict[str, Any]], Callable[[], Any]]) -> Callable[[dict[str, Any]], Callable[[], Any]]:
    """Return the function that makes the compiled step; the second call records the program."""

    def made(data: dict[str, Any]) -> Callable[[], Any]:
        step: Callable[[], Any] = tl.compile(make(data), backend="numpy")
        return step

    return made


net, conv, kmeans, ridge, lasso, chain = map(
    compiled, (ours.net, ours.conv, ours.kmeans, ours.ridge, ours.lasso, ours.chain)
)
