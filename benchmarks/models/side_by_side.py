"""Both libraries in turns, each in a process of its own that is stopped while the other runs; or one of them alone.

``python -m benchmarks.models.side_by_side ORDER`` answers one JSON object; `benchmarks.models.__main__` calls it
with the number of threads in the environment. Whatever slows the machine down slows both, so the median of the
ratios of neighbouring turns is what counts. Who waits is stopped, because threads of OpenMP and of BLAS wait in busy
loops for their next task: in one process each library would pay for the other's.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

OURS, THEIRS = "tinygrad_lite", "torch"
TURN = 0.15
"""Seconds of a turn: threads that were stopped take some milliseconds to spread over the cores again."""


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


def served(T: str, name: str, sizes: dict[str, int], infer: bool, clock: str) -> None:
    """Take steps for each line of the standard input, after one without a clock; print their times."""
    now, step = getattr(time, clock), built(library(T), name, sizes, infer)
    for _ in range(3):
        step()
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    for _ in sys.stdin:
        step()  # bring the caches back
        times: list[float] = []
        end = time.perf_counter() + TURN
        while len(times) < 3 or time.perf_counter() < end:
            start = now()
            step()
            times.append(now() - start)
        print(json.dumps(times), flush=True)


def both(name: str, sizes: dict[str, int], infer: bool, seconds: float, clock: str) -> dict[str, Any]:
    """Return medians of both, and the median and spread of the ratios of neighbouring turns."""
    orders = [json.dumps({"serve": T, "name": name, "sizes": sizes, "infer": infer, "clock": clock})
              for T in (OURS, THEIRS)]  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.models.side_by_side"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    children = [subprocess.Popen([*command, order], **pipes) for order in orders]
    try:
        for child in children:
            if child.stdout.readline() != "ready\n":
                raise RuntimeError(f"{name}: a process ended at once")
            child.send_signal(signal.SIGSTOP)
        a, b = [], []
        end = time.perf_counter() + seconds
        while len(a) < 5 or time.perf_counter() < end:
            for child, found in zip(children, (a, b), strict=True):
                child.send_signal(signal.SIGCONT)
                child.stdin.write("go\n")
                child.stdin.flush()
                found.append(json.loads(child.stdout.readline()))
                child.send_signal(signal.SIGSTOP)
    finally:
        for child in children:
            child.kill()
    ours, theirs = ([statistics.median(times) for times in found] for found in (a, b))
    return {
        "ours": statistics.median(ours), "theirs": statistics.median(theirs), "steps": sum(map(len, a)),
        "ratio": statistics.median(x / y for x, y in zip(ours, theirs, strict=True)),
        "fastest": min(map(min, a)) / min(map(min, b)),
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
    if "serve" in order:
        return served(order.pop("serve"), **order)
    do = alone if "T" in order else both
    print(json.dumps(do(**order)))
    return None


if __name__ == "__main__":
    main()
