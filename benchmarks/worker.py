"""One library in a process of its own: reads orders as JSON lines, answers in JSON lines. Started by `session`."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import time
from typing import Any

NOT_OFFERED = "not something it does"


def number(loss: Any) -> float:
    for name in ("detach", "item"):
        if hasattr(loss, name):
            loss = getattr(loss, name)()
    return float(loss)


class Worker:
    def __init__(self, module: str) -> None:
        self.peer = importlib.import_module(f"benchmarks.peers.{module}")
        self.steps: dict[str, Any] = {}

    def setup(self, name: str) -> dict[str, Any]:
        from benchmarks.workloads import WORKLOADS

        workload = next(w for w in WORKLOADS if w.name == name)
        make = getattr(self.peer, workload.kind, None)
        if make is None:
            return {"absent": getattr(self.peer, "ABSENT", {}).get(workload.kind, NOT_OFFERED)}
        step = make(workload.data())
        start = time.perf_counter()
        loss = number(step())
        first = time.perf_counter() - start
        for _ in range(3):
            step()
        self.steps = {name: step}
        gc.collect()
        return {"loss": loss, "first": first, "comparable": not getattr(self.peer, "NOT_A_STEP", False)}

    def run(self, name: str, seconds: float) -> dict[str, Any]:
        step, clock = self.steps[name], time.perf_counter
        times = []
        step()  # bring the caches back: the other peers had their turn
        end = clock() + seconds
        while not times or clock() < end:
            start = clock()
            step()
            times.append(clock() - start)
        return {"times": times}

    def free(self) -> dict[str, Any]:
        self.steps = {}
        gc.collect()
        return {}


def main() -> None:
    # only answers go to the real standard output; whatever a library prints does not
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with contextlib.suppress(BrokenPipeError):
        try:
            worker = Worker(sys.argv[1])
            answer: dict[str, Any] = {"ready": True}
        except ImportError as error:
            answer = {"missing": str(error)}
        print(json.dumps(answer), file=answers, flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            try:
                answer = getattr(worker, order.pop("do"))(**order)
            except Exception as error:  # one workload that fails must not end the table
                answer = {"absent": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
