"""``python -m benchmarks.compiled``: steps as written, as NumPy programs and as machine code, beside JAX and by hand.

All sides of a step take turns in one process; the tables show medians of processor time. What the first
calls cost is measured in a process each, after the compilation of another step, so that imports are not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

START, END = "<!-- compiled: start -->", "<!-- compiled: end -->"
TITLES = {
    "xor": "xor, 2-3-1 tanh", "line": "line, 700 points", "cubic": "cubic, 1-10-1 ReLU", "cnn5": "the 5x5 network",
    "digits28-1": "digits 28x28, batch 1", "digits28-32": "digits 28x28, batch 32",
    "kmeans": "soft K-means, 10,000 x 16", "lstm": "LSTMCell, 20 steps, Adam", "mlp": "MLP 784-128-10, Adam",
    "transformer": "transformer layer, Adam", "lenet": "LeNet, batch 64",
}  # fmt: skip


def made(side: str, name: str) -> Any:
    """Return the step of one side, None where it has none."""
    import numpy as np

    from benchmarks import deeper
    from benchmarks.workloads import WORKLOADS

    if name in deeper.DATA:
        data = deeper.DATA[name](np.random.default_rng(0))
        make = {"jax": deeper.jaxs, "hand": deeper.by_hand}.get(side, deeper.ours)
        step = make(name, data)
    else:
        from benchmarks.peers import ours

        workload = next(w for w in WORKLOADS if w.name == name)
        peer: Any = ours
        if side == "jax":
            from benchmarks.peers import jax_jit as peer
        elif side == "hand":
            from benchmarks.peers import by_hand as peer
        step = getattr(peer, workload.kind)(workload.data())
    if side in ("numpy", "native"):
        import tinygrad_lite as tl

        return tl.compile(step, backend=side, fullgraph=True)
    return step


def turns(name: str, rounds: int) -> dict[str, float]:
    """Return the median processor time of a step of each side, in microseconds."""
    steps = {}
    for side in ("written", "numpy", "native", "jax", "hand"):
        with contextlib.suppress(ImportError):
            step = made(side, name)
            if step is not None:
                steps[side] = step
    times: dict[str, list[float]] = {side: [] for side in steps}
    often = {}
    for side, step in steps.items():
        for _ in range(5):
            step()
        start = time.perf_counter()
        step()
        often[side] = max(1, int(0.01 / (time.perf_counter() - start)))
    for turn in range(rounds):
        for side in list(steps)[:: 1 if turn % 2 else -1]:
            step, n = steps[side], often[side]
            step()  # in a training the step before was the same one, and its arrays are in the cache
            # JAX computes in threads of its own, which may still be busy in the turn after its own
            clock = time.process_time if side == "jax" else time.thread_time
            start = clock()
            for _ in range(n):
                step()
            times[side].append((clock() - start) / n * 1e6)
    return {side: statistics.median(t) for side, t in times.items()}


def first(name: str, side: str) -> dict[str, float]:
    """Return what the calls before the program runs cost beyond a step as written, in ms, and the memory it keeps."""
    warm = made(side, "line" if name != "line" else "cubic")
    written = made("written", name)
    for step in (warm, warm, warm, written, written):
        step()
    start = time.process_time()
    written()
    plain = time.process_time() - start
    step = made(side, name)
    start = time.process_time()
    step()
    step()
    cost = time.process_time() - start - 2 * plain
    tracemalloc.start()
    written()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"ms": cost * 1e3, "kept": step._last.facts["bytes"] / 2**10, "peak": peak / 2**10}


def asked(order: str, name: str, *more: str, **env: str) -> Any:
    """Return the answer of a fresh process."""
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    flags = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.compiled", "--ask", order, name, *more], capture_output=True, text=True,
        check=True, env={**os.environ, **threads, **flags, **env},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def measured(name: str, rounds: int) -> dict[str, Any]:
    """Return everything about one step."""
    with tempfile.TemporaryDirectory() as folder:
        place = {"TINYGRAD_LITE_CACHE": folder}
        costs = {
            "numpy": asked("first", name, "numpy", **place), "native": asked("first", name, "native", **place),
            "cached": asked("first", name, "native", **place),
        }  # fmt: skip
        return {"steps": asked("turns", name, str(rounds), **place), "first": costs}


def table(found: dict[str, Any]) -> str:
    """Return the tables as Markdown."""

    def ratio(steps: dict[str, float], a: str, b: str) -> str:
        return f"{steps[a] / steps[b]:.2f}" if a in steps and b in steps else ""

    heads = "NumPy / as written | NumPy / by hand | machine code / as written | machine code / JAX"
    lines = [f"| step | as written, us | {heads} |",
             "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    pairs = (("numpy", "written"), ("numpy", "hand"), ("native", "written"), ("native", "jax"))
    for name, value in found.items():
        steps = value["steps"]
        cells = " | ".join(ratio(steps, *pair) for pair in pairs)
        lines.append(f"| {TITLES[name]} | {steps['written']:,.0f} | {cells} |")
    lines += ["", "| first calls, ms | NumPy | machine code | from disk | temporaries, KiB | peak as written, KiB |",
              "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for name, value in found.items():
        costs = value["first"]
        cells = " | ".join(f"{costs[k]['ms']:,.0f}" for k in ("numpy", "native", "cached"))
        lines.append(f"| {TITLES[name]} | {cells} | {costs['numpy']['kept']:,.0f} | {costs['numpy']['peak']:,.0f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled", description=__doc__)
    parser.add_argument("--only", default=",".join(TITLES), help="steps, of " + ",".join(TITLES))
    parser.add_argument("--rounds", type=int, default=31, help="turns of each side")
    parser.add_argument("--docs", type=Path, help="page whose measured part is replaced, for example docs/compiled.md")
    parser.add_argument("--ask", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        order, name, word = given.ask
        print(json.dumps(first(name, word) if order == "first" else turns(name, int(word))))
        return
    found: dict[str, Any] = {}
    for name in given.only.split(","):
        found[name] = measured(name, given.rounds)
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    text = table(found)
    print(text)
    if given.docs:
        page = given.docs.read_text()
        head, rest = page.split(START)
        given.docs.write_text(f"{head}{START}\n\n{text}\n\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
