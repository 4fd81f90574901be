"""How long a training takes beside its parts: a step, and a loader whose threads decode ahead.

``python -m benchmarks.loading`` prints, for examples that wait (a disk, a network) and for PNG images, the time of all
steps, of all loading, of both at once, and the ratio of that to the longer part. Decoding and steps that both use the
processor share its cores: no less than their work / cores is possible, the last number. On a busy machine the ratios
mean nothing.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.utils.data import DataLoader


class Waiting:
    """Examples that arrive after some time, without work for the processor."""

    def __init__(self, n: int, seconds: float) -> None:
        self.n, self.seconds = n, seconds

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> tuple[Any, int]:
        time.sleep(self.seconds)
        return np.full((3, 32, 32), i, np.float32), i % 10


class Pictures:
    """PNG images in memory."""

    def __init__(self, n: int, side: int) -> None:
        Image = importlib.import_module("PIL.Image")

        self.n, noise = n, np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(noise).save(file, "png")
        self.content = file.getvalue()

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, i: int) -> tuple[Any, int]:
        Image = importlib.import_module("PIL.Image")

        picture = Image.open(io.BytesIO(self.content)).convert("RGB")
        return np.asarray(picture, np.float32).transpose(2, 0, 1)[:, :32, :32], i % 10


def product(seconds: float) -> Callable[[], None]:
    """Return a step of matrix products that takes about so long."""
    a = np.random.default_rng(0).standard_normal((300, 300))
    begin = time.perf_counter()
    for _ in range(20):
        np.matmul(a, a)
    count = max(1, round(20 * seconds / (time.perf_counter() - begin)))

    def step() -> None:
        for _ in range(count):
            np.matmul(a, a)

    return step


def measured(loader: Any, step: Callable[[], None]) -> tuple[float, float, float, float]:
    """Return the seconds of all steps, of all loading, of both at once, and the processor time of both."""
    times, work = [], 0.0
    for load, run in ((False, True), (True, False), (True, True)):
        begin, spent = time.perf_counter(), time.process_time()
        for _ in loader if load else range(len(loader)):
            if run:
                step()
        times.append(time.perf_counter() - begin)
        work = time.process_time() - spent
    return times[0], times[1], times[2], work


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--batches", type=int, default=30)
    given = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f}")
    print("| examples | steps | loading | both | both / longer | work / cores / longer |\n| --- |" + " --- |" * 5)
    sets: tuple[tuple[str, Any], ...] = (
        ("wait 2 ms", Waiting(16 * given.batches, 0.002)),
        ("PNG, 160 x 160", Pictures(16 * given.batches, 160)),
    )
    for name, data in sets:
        loader = DataLoader(data, batch_size=16, num_workers=4)
        step = product(measured(loader, lambda: None)[1] / len(loader))
        runs = [measured(loader, step) for _ in range(given.runs)]
        steps, loads, both, work = (statistics.median(r[i] for r in runs) for i in range(4))
        least = work / cores / max(steps, loads)
        ratio = statistics.median(r[2] / max(r[0], r[1]) for r in runs)
        print(f"| {name} | {steps:.3f} s | {loads:.3f} s | {both:.3f} s | {ratio:.2f} | {least:.2f} |")


if __name__ == "__main__":
    main()
