"""``python -m benchmarks.ranks``: data parallel training on 1, 2, ... ranks, the same batch on each of them.

The numbers of ranks take turns; the table shows the median of the fastest quarter of the steps of each.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

START, END = "<!-- measured: start -->", "<!-- measured: end -->"
NETWORKS = ("digits CNN, 32 images a rank", "perceptron 64-1024-1024-10, 64 a rank", "perceptron, 1024 a rank")
LINKS = {"10 Gbit/s Ethernet": (30e-6, 1.25e9), "100 Gbit/s InfiniBand": (2e-6, 12.5e9)}
"""Latency in seconds and bytes per second."""


def networks(tl: Any) -> list[tuple[Any, Any, Any]]:
    """Return a network, inputs and labels for each name."""
    nn = tl.nn
    images = tl.rand(32, 1, 8, 8)
    cnn = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    found = [(cnn, images, tl.randint(10, (32,)))]
    for batch in (64, 1024):
        wide = nn.Sequential(nn.Linear(64, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))
        found.append((wide, tl.rand(batch, 64), tl.randint(10, (batch,))))
    return found


def fastest(call: Callable[[], object], seconds: float = 1.5) -> float:
    """Return the median of the fastest quarter of the calls made in some seconds, on every rank equally many."""
    for _ in range(3):
        call()
    began = time.perf_counter()
    call()
    count = max(8, int(seconds / (time.perf_counter() - began)))
    import tinygrad_lite.distributed as dist

    many = [count]
    dist.broadcast_object_list(many)
    times = []
    for _ in range(many[0]):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 8]


def measure() -> None:
    """Print the times of a step and of the exchange alone, on rank 0."""
    import tinygrad_lite as tl
    import tinygrad_lite.distributed as dist

    dist.init_process_group("mpi")
    rows = []
    for net, x, y in networks(tl):
        model = tl.nn.parallel.DistributedDataParallel(net)
        optimiser = tl.optim.Adam(model.parameters())

        def step(model: Any = model, optimiser: Any = optimiser, x: Any = x, y: Any = y) -> None:
            optimiser.zero_grad()
            tl.nn.functional.cross_entropy(model(x), y).backward()
            optimiser.step()

        def local(model: Any = model, step: Any = step) -> None:
            with model.no_sync():
                step()

        flat = tl.zeros(sum(p.numel() for p in model.parameters()))
        exchange = fastest(lambda flat=flat: dist.all_reduce(flat))
        rows.append((fastest(step), fastest(local), exchange, flat.nbytes))
    if dist.get_rank() == 0:
        print(json.dumps(rows))
    dist.destroy_process_group()


def started(ranks: int) -> Any:
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if mpiexec is None:
        sys.exit("benchmarks.ranks: there is no mpiexec: pip install mpi4py mpich")
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    words = [mpiexec, "-n", str(ranks), sys.executable, "-m", "benchmarks.ranks", "--here"]
    return json.loads(subprocess.run(words, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout)


def on_paper(ranks: int, size: int, latency: float, speed: float) -> float:
    """Return the seconds of a ring all-reduce: 2 (n - 1) messages of 1/n of the bytes, one after another.

    >>> round(on_paper(64, 4_400_000, 2e-6, 12.5e9) * 1e3, 2)
    0.95
    """
    return 2 * (ranks - 1) * (latency + size / ranks / speed)


def tables(found: dict[int, list[Any]]) -> str:
    """Return the measured steps, and the exchange of the largest network on paper."""
    from benchmarks.report import machine

    counts = " | ".join("1 rank" if n == 1 else f"{n} ranks | {n} ranks, no exchange" for n in found)
    head = f"| | bytes of gradients | {counts} | exchange alone |"
    lines = [head, "|" + " --- |" * (head.count("|") - 1)]
    for i, name in enumerate(NETWORKS):
        rows = {n: rounds[i] for n, rounds in found.items()}
        first, last = next(iter(rows.values())), list(rows.values())[-1]
        cells = []
        for n, (step, local, _, _) in rows.items():
            share = [f"{s * 1e3:.1f} ms ({first[0] / s:.0%})" for s in (step, local)]
            cells += [f"{step * 1e3:.1f} ms"] if n == 1 else share
        lines.append(f"| {name} | {first[3]:,} | {' | '.join(cells)} | {last[2] * 1e3:.2f} ms |")
    size, ranks = last[3], (2, 4, 8, 16, 32, 64)
    lines += ["", "On paper, for the perceptron:", "", f"| all-reduce over | {' | '.join(map(str, ranks))} ranks |"]
    lines += ["| --- |" + " --- |" * len(ranks)]
    for name, (latency, speed) in LINKS.items():
        times = [f"{on_paper(n, size, latency, speed) * 1e3:.1f} ms" for n in ranks]
        lines.append(f"| {name} | {' | '.join(times)} |")
    sent = [f"{2 * (n - 1) / n * size / 1e6:.1f} MB" for n in ranks]
    lines.append(f"| bytes that each rank sends | {' | '.join(sent)} |")
    about = machine()
    machine = ", ".join(f"{key} {about[key]}" for key in ("processor", "cores", "load", "numpy") if key in about)
    return "\n".join([f"Machine: {machine}; one BLAS thread a rank.", "", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ranks", description=__doc__)
    parser.add_argument("--ranks", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5, help="starts of each number of ranks, in turns")
    parser.add_argument("--docs", type=Path, help="page whose measured part is replaced")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        return measure()
    rounds: dict[int, list[Any]] = {n: [] for n in given.ranks}
    for _ in range(given.rounds):
        for n in given.ranks:
            rounds[n].append(started(n))
    best: dict[int, list[Any]] = {}
    for n, runs in rounds.items():
        best[n] = [[min(column) for column in zip(*rows, strict=True)] for rows in zip(*runs, strict=True)]
    text = tables(best)
    print(text)
    if given.docs:
        page = given.docs.read_text(encoding="utf-8")
        new, count = re.subn(f"{START}.*?{END}", lambda _: f"{START}\n{text}\n{END}", page, flags=re.DOTALL)
        assert count == 1, "the page has no measured part"
        given.docs.write_text(new, encoding="utf-8")
    return None


if __name__ == "__main__":
    main()
