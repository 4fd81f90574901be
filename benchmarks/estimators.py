"""Estimators beside scikit-learn's: fit, predict and memory, in one process, in turns.

Times are processor time of one thread (set OMP_NUM_THREADS=1), so that other programs count less; each ratio is the
median of the ratios of neighbouring turns.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SHOWN = ("alpha", "positive", "solver", "l1_ratio", "n_clusters")
START, END = "<!-- estimators -->", "<!-- end of estimators -->"


def regression(n: int, p: int) -> tuple[Any, Any]:
    """Return rows and a target that depends on ten columns."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    return X, X[:, :10] @ rng.standard_normal(10) + rng.standard_normal(n)


def blobs(n: int, p: int) -> tuple[Any, None]:
    """Return points around four centres."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, p)) + 4 * rng.integers(0, 4, (n, 1)), None


def classes(n: int, p: int) -> tuple[Any, Any]:
    """Return rows and two classes."""
    X, y = regression(n, p)
    return X, (y > 0).astype(int)


def digits() -> tuple[Any, Any]:
    """Return the handwritten digits, scaled to [0, 1]."""
    from tinygrad_lite import datasets

    X, y = datasets.digits(flat=True, dtype=np.float64)
    return X / X.max(), y


def rows() -> list[tuple[str, dict[str, Any], tuple[Any, Any]]]:
    """Return the table's rows: the estimator, its settings, the data."""
    sizes = [(2000, 50), (200, 1000), (100_000, 20)]
    out: list[tuple[str, dict[str, Any], tuple[Any, Any]]] = [("Ridge", {}, regression(*size)) for size in sizes]
    out.append(("LinearRegression", {}, regression(100_000, 20)))
    out += [("LinearRegression", {"positive": True}, regression(*size)) for size in ((2000, 50), (400, 2000))]
    for name in ("Lasso", "ElasticNet"):
        out += [(name, {"alpha": alpha}, regression(*size)) for size in sizes for alpha in (1.0, 0.1)]
    out += [("LogisticRegression", {}, digits()), ("LogisticRegression", {}, classes(20_000, 30))]
    out.append(("LogisticRegression", {"solver": "liblinear", "l1_ratio": 1.0, "C": 0.1}, classes(2000, 30)))
    for data, k in ((blobs(100_000, 3), 50), (digits(), 10), (blobs(20_000, 10), 8)):
        out.append(("KMeans", {"n_clusters": k, "n_init": 1, "tol": 0, "max_iter": 20, "init": data[0][:k]}, data))
    settings = {"max_iter": 5, "random_state": 0}
    return [*out, ("MLPClassifier", settings, digits()), ("MLPRegressor", settings, regression(2000, 50))]


def turns(calls: tuple[Callable[[], Any], Callable[[], Any]], seconds: float) -> tuple[float, float]:
    """Return the median time of the first call, and the median of the ratios of both."""
    times: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 50):
        pair = []
        for call in calls:
            begin = time.process_time()
            call()
            pair.append(time.process_time() - begin)
        times.append((pair[0], pair[1]))
    return statistics.median(a for a, _ in times), statistics.median(a / b for a, b in times)


def peak(call: Callable[[], Any]) -> float:
    """Return the most memory that a call allocates, in bytes."""
    tracemalloc.start()
    try:
        call()
        return float(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


PROCESS = """
import warnings
from benchmarks.estimators import classes, regression
from {module} import {name} as Model
warnings.simplefilter("ignore")
X, y = {data}
Model(**{settings}).fit(X[:200, :20], y[:200])
def most(): return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
before = most()
Model(**{settings}).fit(X, y)
print(most() - before)
"""
"""What prints by how many KiB the memory of a process has grown at the peak of ``fit``, on Linux."""
IN_C = {"solver": "classes(200_000, 30)", "positive": "regression(800, 4000)"}
"""Larger data for the settings with which scikit-learn allocates memory that Python knows nothing about."""


def grown(module: str, name: str, settings: dict[str, Any], data: str) -> float:
    """Return the most memory that a process of its own takes for ``fit``, in bytes."""
    code = PROCESS.format(module=module, name=name, settings=settings, data=data)
    return 1024 * float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)


def measured(name: str, settings: dict[str, Any], data: tuple[Any, Any], seconds: float) -> str:
    """Return one row of the table."""
    from sklearn import cluster, linear_model, neural_network

    from tinygrad_lite import models

    theirs = next(getattr(m, name) for m in (cluster, linear_model, neural_network) if hasattr(m, name))
    pair = getattr(models, name)(**settings), theirs(**settings)
    X, y = data
    fits = tuple((lambda m=m: m.fit(X, y)) for m in pair)
    predicts = tuple((lambda m=m: m.predict(X)) for m in pair)
    for fit in fits:
        fit()  # the first one compiles native loops
    memory = [peak(fit) for fit in fits]
    for data_in_c in [IN_C[k] for k in settings if k in IN_C]:
        modules = "tinygrad_lite.models", "sklearn.linear_model"
        memory = [grown(module, name, settings, data_in_c) for module in modules]
    ours, ratio = turns(fits, seconds)  # type: ignore[arg-type]
    shown = ", ".join(f"{k}={v}" for k, v in settings.items() if k in SHOWN)
    return (
        f"| `{name}({shown})` | {X.shape[0]} x {X.shape[1]} | {ours * 1e3:.2f} ms | {ratio:.2f} | "
        f"{turns(predicts, seconds)[1]:.2f} | {memory[0] / memory[1]:.2f} |"  # type: ignore[arg-type]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each comparison")
    parser.add_argument("--docs", type=Path, help="page whose table is replaced")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = ["| estimator | rows x columns | fit | ours / scikit-learn | predict | memory |", "| --- |" + " --- |" * 5]
    for row in rows():
        lines.append(measured(*row, given.seconds))
        print(lines[-1], flush=True)
    if given.docs is not None:
        page = given.docs.read_text()
        before, after = page.split(START)[0], page.split(END)[1]
        given.docs.write_text(f"{before}{START}\n\n" + "\n".join(lines) + f"\n\n{END}{after}")


if __name__ == "__main__":
    main()
