"""Run the fuzzers for as long as wanted: ``python -m tests.fuzz [PART ...] --minutes N --jobs J``.

Each part gets an equal share of the time, and J of them run side by side. The exit status is 1 if anything was found;
the output says what, and how to make it happen again.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

PARTS = ("arguments", "readers", "saving", "commands", "memory", "threads", "soak", "pages")
ON_REQUEST = ("coverage",)  # needs an extra


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    known = f"some of {', '.join(PARTS)} (by default these), or coverage"
    parser.add_argument("parts", nargs="*", metavar="PART", help=known)
    parser.add_argument("--minutes", type=float, default=1.0, help="time for all parts together")
    parser.add_argument("--seed", type=int, help="repeat a run; by default drawn")
    parser.add_argument("--jobs", type=int, default=1, help="parts that run side by side, each in a process of its own")
    parser.add_argument("--repeat", action="store_true", help="stop where every machine gets: the same draws each time")
    options = parser.parse_args(argv)
    unknown = set(options.parts) - {*PARTS, *ON_REQUEST}
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS + ON_REQUEST)}")
    parts = options.parts or PARTS
    seed = int(time.time()) % 10_000 if options.seed is None else options.seed
    if options.jobs > 1 and len(parts) > 1:
        return side_by_side(parts, options.minutes / len(parts), seed, options.jobs, options.repeat)
    failed = False
    for part in parts:
        started = time.monotonic()
        module = importlib.import_module(f"tests.fuzz.{part}")
        turns = {"turns": module.TURNS} if options.repeat and hasattr(module, "TURNS") else {}
        found = module.fuzz(60 * options.minutes / len(parts), seed, **turns)
        print(f"{part} (seed {seed}, {time.monotonic() - started:.0f} s): {found}", flush=True)
        failed |= bool(found.faults())
    return int(failed)


def side_by_side(parts: Sequence[str], minutes: float, seed: int, jobs: int, repeat: bool) -> int:
    """Run each part in a process of its own for so many minutes; return 1 if one failed."""

    def run(part: str) -> int:
        command = [sys.executable, "-m", "tests.fuzz", part, "--minutes", str(minutes), "--seed", str(seed)]
        command += ["--repeat"] * repeat
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(done.stdout.rstrip(), flush=True)
        if done.returncode:
            print(f"{part}: exit status {done.returncode}", flush=True)
        return done.returncode

    with ThreadPoolExecutor(jobs) as pool:
        return int(any(list(pool.map(run, parts))))


if __name__ == "__main__":
    sys.exit(main())
