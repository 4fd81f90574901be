"""Both libraries in one process, a step of one, then a step of the other; or one of them alone in a fresh process.

``python -m benchmarks.models.side_by_side ORDER`` answers one JSON object; `benchmarks.models.__main__` calls it
with the number of threads in the environment. Whatever slows the machine down slows both, so the median of the
ratios of neighbouring steps is what counts.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OURS, THEIRS = "tinygrad_lite", "torch"


def library(name: str) -> Any:
    """Import a library and limit it to the threads given in OMP_NUM_THREADS."""
    T = importlib.import_module(name)
    T.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    T.manual_seed(0)
    return T


def built(T: Any, name: str, sizes: dict[str, int], infer: bool) -> Callable[[], Any]:
    """Return the training step of one library, or its inference without gradients."""
    from benchmarks.models import STEPS

    step, inference = STEPS[name][1](T, **sizes)
    if not infer:
        return step

    def quiet() -> Any:
        with T.no_grad():
            return inference()

    return quiet


def both(name: str, sizes: dict[str, int], infer: bool, seconds: float, clock: str) -> dict[str, Any]:
    """Return medians of both, and the median and spread of the ratios of neighbouring steps."""
    now = getattr(time, clock)
    ours, theirs = (built(library(T), name, sizes, infer) for T in (OURS, THEIRS))
    for _ in range(3):
        ours(), theirs()
    gc.collect()
    gc.freeze()
    a, b = [], []
    end = time.perf_counter() + seconds
    while len(a) < 7 or time.perf_counter() < end:
        start = now()
        ours()
        middle = now()
        theirs()
        a.append(middle - start)
        b.append(now() - middle)
    ratios = sorted(x / y for x, y in zip(a, b, strict=True))
    return {
        "ours": statistics.median(a), "theirs": statistics.median(b), "steps": len(a),
        "ratio": statistics.median(ratios), "fastest": min(a) / min(b),
    }  # fmt: skip


def status(field: str) -> float:
    """Return a field of /proc/self/status in MiB; NaN where the system has none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), float("nan"))


def alone(T: str, name: str, sizes: dict[str, int], infer: bool, clock: str) -> dict[str, Any]:
    """Return the time of the first step, and the peak memory of five steps over that of the imports."""
    made = library(T)
    before = status("VmRSS")
    step = built(made, name, sizes, infer)
    now = getattr(time, clock)
    start = now()
    step()
    first = now() - start
    for _ in range(4):
        step()
    return {"first": first, "peak": status("VmHWM") - before}


def main() -> None:
    order = json.loads(sys.argv[1])
    do = alone if "T" in order else both
    print(json.dumps(do(**order)))


if __name__ == "__main__":
    main()
