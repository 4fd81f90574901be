"""How long a training takes beside its parts: steps, and a loader whose threads decode ahead.

``python -m benchmarks.loading`` prints, for examples that wait (a disk, a network) and for PNG images, the time of the
steps, of loading without threads, of one after the other, of loading with four threads, and of steps while they load;
last the ratio of that to the longer of the first two. Steps use one core. Decoding in threads and steps share the
cores and the interpreter's lock: where both take equally long, two cores have no room left. On a busy machine the
ratios mean nothing.
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

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

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


def measured(loader: Any, step: Callable[[], None] | None, load: bool = True) -> float:
    """Return the seconds that the steps take, the loading, or both."""
    begin = time.perf_counter()
    for _ in loader if load else range(len(loader)):
        if step is not None:
            step()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--batches", type=int, default=120)
    given = parser.parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    columns = "examples, steps / loading | steps | loading | in turn | four threads | and steps | / longer"
    print(f"| {columns} |\n| --- |" + " --- |" * 6)
    sets: tuple[tuple[str, Any, Any], ...] = (
        ("wait 1 ms", Waiting(16 * given.batches, 0.001), (0.2, 0.5, 1, 2)),
        ("PNG, 160 x 160", Pictures(16 * given.batches, 160), (0.2, 0.5, 1, 2)),
    )
    for name, data, shares in sets:
        plain, ahead = DataLoader(data, batch_size=16), DataLoader(data, batch_size=16, num_workers=4)
        for share in shares:
            step = product(share * measured(plain, None) / len(plain))
            runs = []
            for _ in range(given.runs):
                steps, loads = measured(plain, step, load=False), measured(plain, None)
                both = measured(ahead, step)
                row = steps, loads, measured(plain, step), measured(ahead, None), both, both / max(steps, loads)
                runs.append(row)
            *seconds, ratio = (statistics.median(column) for column in zip(*runs, strict=True))
            print(f"| {name}, {share} | {' | '.join(f'{s:.3f} s' for s in seconds)} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
