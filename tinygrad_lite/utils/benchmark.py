"""Timing of statements, as in ``torch.utils.benchmark``; the times are wall-clock times of this process."""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

__all__ = ["Compare", "Measurement", "Timer"]


class Measurement:
    """The times of one statement: ``raw_times`` of whole runs, ``times`` of one execution each, in seconds.

    >>> import tinygrad_lite as tl
    >>> measurement = tl.utils.benchmark.Measurement(2, [0.2, 0.4], "sum")
    >>> measurement.times
    [0.1, 0.2]
    """

    def __init__(self, number_per_run: int, raw_times: list[float], title: str, sub_label: str | None = None,
                 description: str | None = None, num_threads: int = 1) -> None:  # fmt: skip
        self.number_per_run, self.raw_times, self.title = number_per_run, raw_times, title
        self.sub_label, self.description, self.num_threads = sub_label, description, num_threads
        self.times = [t / number_per_run for t in raw_times]

    @property
    def mean(self) -> float:
        """The mean time of one execution."""
        return statistics.fmean(self.times)

    @property
    def median(self) -> float:
        """The median time of one execution."""
        return statistics.median(self.times)

    @property
    def iqr(self) -> float:
        """The distance between the quartiles."""
        if len(self.times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return high - low

    def __repr__(self) -> str:
        runs = f"{len(self.times)} run{'s' if len(self.times) > 1 else ''} of {self.number_per_run}"
        return f"<Measurement {self.title}: median {_shown(self.median)}, IQR {_shown(self.iqr)}, {runs}>"


def _shown(seconds: float) -> str:
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.2f} {unit}"
    return f"{seconds * 1e9:.2f} ns"


class Timer:
    """Times a statement, given as text or as a function. ``num_threads`` is only kept.

    >>> timer = Timer("x + 1", globals={"x": 2})
    >>> timer.timeit(10).number_per_run
    10
    """

    def __init__(self, stmt: Any = "pass", setup: Any = "pass", global_setup: str = "",
                 timer: Callable[[], float] = timeit.default_timer, globals: dict[str, Any] | None = None,
                 label: str | None = None, sub_label: str | None = None, description: str | None = None,
                 env: str | None = None, num_threads: int = 1, language: Any = "python") -> None:  # fmt: skip
        self.num_threads = num_threads
        self.label = label or str(stmt if isinstance(stmt, str) else getattr(stmt, "__name__", "a function"))
        self.sub_label, self.description = sub_label, description
        self._timer = timeit.Timer(stmt, setup, timer, {"torch": import_module("tinygrad_lite"), **(globals or {})})

    def _measured(self, number: int, times: list[float]) -> Measurement:
        return Measurement(number, times, self.label, self.sub_label, self.description, self.num_threads)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """Run the statement ``number`` times."""
        self._timer.timeit(max(number // 100, 2))
        return self._measured(number, [self._timer.timeit(number)])

    def blocked_autorange(self, callback: Any = None, min_run_time: float = 0.2) -> Measurement:
        """Run blocks of the statement until ``min_run_time`` seconds have passed."""
        self._timer.timeit(2)  # what happens at the first call only
        number = 1
        while (spent := self._timer.timeit(number)) < min_run_time / 100:
            number *= 2 if spent > min_run_time / 1000 else 10
        times: list[float] = []
        while sum(times) < min_run_time:
            times.append(self._timer.timeit(number))
            if callback is not None:
                callback(number, times[-1])
        return self._measured(number, times)

    def adaptive_autorange(self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0,
                           callback: Any = None) -> Measurement:  # fmt: skip
        """Run blocks until the quartiles are within ``threshold`` of the median, or ``max_run_time`` has passed."""
        found = self.blocked_autorange(callback, min_run_time)
        while found.iqr > threshold * found.median and sum(found.raw_times) < max_run_time:
            more = [self._timer.timeit(found.number_per_run) for _ in found.raw_times]
            found = self._measured(found.number_per_run, found.raw_times + more)
        return found


class Compare:
    """Prints several measurements, one a line.

    >>> import tinygrad_lite as tl
    >>> measured = tl.utils.benchmark.Measurement(2, [0.2, 0.4], "sum")
    >>> tl.utils.benchmark.Compare([measured]).print()
    sum   150.00 ms
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self.results = list(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        self.results += results

    def __str__(self) -> str:
        rows = [(" ".join(filter(None, (m.title, m.sub_label, m.description))), _shown(m.median)) for m in self.results]
        width = max((len(name) for name, _ in rows), default=0)
        return "\n".join(f"{name:{width}}  {time:>10}" for name, time in rows)

    def print(self) -> None:
        """Print the table."""
        print(self)

    def trim_significant_figures(self) -> None:
        """Do nothing: times have few digits."""

    def colorize(self, rowwise: bool = False) -> None:
        """Do nothing: the table has no colours."""
