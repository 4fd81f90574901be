"""Hypothesis strategies from the same specs, and a search by Hypothesis.

`HypothesisSource` draws every choice of a sampler with Hypothesis, so one spec (or one ``draw`` function) serves both
engines. This engine adds Hypothesis's shrinking and its database of failing examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tinygrad_lite.engine.samples import Arr, Choices, Ints
from tinygrad_lite.errors import require
from tinygrad_lite.testing.explain.context import Outcome
from tinygrad_lite.testing.report import GradReport
from tinygrad_lite.testing.search.describe import describe
from tinygrad_lite.testing.search.one_example import Trial, quiet
from tinygrad_lite.testing.search.samplers import sampler_of
from tinygrad_lite.testing.search.source import INF, Sampler, Source
from tinygrad_lite.testing.verdict.point import Array, Failure, Point

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

FAR = 1e3  # largest magnitude that Hypothesis draws


def calls(
    *specs: Arr | Ints, options: Mapping[str, Choices] | None = None, sizes: Mapping[str, tuple[int, int]] | None = None
) -> SearchStrategy[tuple[list[Array], dict[str, Any]]]:
    """Return a strategy of ``(arrays, options)`` for arrays of these specs.

    >>> calls(Arr("n k"), Arr("k")) is not None
    True
    """
    return from_sampler(sampler_of(specs, options, sizes))


def arrays_of(spec: Arr | Ints) -> SearchStrategy[Array]:
    """Return a strategy of single arrays of a spec."""
    return calls(spec).map(lambda call: call[0][0])


def from_sampler(sampler: Sampler) -> SearchStrategy[tuple[list[Array], dict[str, Any]]]:
    """Return a strategy that draws every choice of a sampler with Hypothesis."""
    return _drawn(sampler)


def _drawn(sampler: Sampler) -> SearchStrategy[tuple[list[Array], dict[str, Any]]]:
    st = require("hypothesis.strategies", extra="test")

    def build(draw: DrawFn) -> tuple[list[Array], dict[str, Any]]:
        arrays, kw = sampler(HypothesisSource(draw))
        return [np.asarray(a) for a in arrays], kw

    return st.composite(build)()  # type: ignore[no-any-return]


class HypothesisSource(Source):
    """A source whose every choice is drawn by Hypothesis."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        super().__init__(0, "normal", "random")
        self._st = require("hypothesis.strategies", extra="test")
        self._numpy = require("hypothesis.extra.numpy", extra="test")
        self._draw = draw
        self.rng = np.random.default_rng(draw(self._st.integers(0, 2**16)))

    def _pick(self, usual: int, fresh: Callable[[], int], lo: int, hi: int) -> int:
        value = int(self._draw(self._st.integers(lo, hi)))
        self.used.append(value)
        self.simplest.append(lo)
        return value

    def floats(
        self, shape: int | Sequence[int], lo: float = -INF, hi: float = INF, dtype: DTypeLike | None = None
    ) -> Array:
        """Draw an array with elements anywhere in the domain, repeated and round ones among them."""
        low, high = max(lo, min(-FAR, hi)), min(hi, max(FAR, lo))
        round_ones = [t for t in (0.0, 1.0, -1.0, 0.5, 2.0, -2.0) if low <= t <= high]
        anywhere = self._st.floats(low, high, allow_subnormal=False)
        elements = self._st.one_of(self._st.sampled_from(round_ones), anywhere) if round_ones else anywhere
        v = np.asarray(self._draw(self._numpy.arrays(np.float64, shape, elements=elements)))
        v = np.where(np.abs(v) < 1e-6, np.clip(0.0, lo, hi), v).astype(dtype or np.float64)
        v = np.asarray(v)
        self.made.append((v, lo, hi))
        return v

    def indices(
        self, shape: int | Sequence[int], n: int, usual: Any = None, negative: bool = False
    ) -> NDArray[np.int64]:
        """Draw indices below ``n``."""
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        if n <= 0:
            return super().indices(shape, n)
        elements = self._st.integers(-n if negative else 0, n - 1)
        return np.asarray(self._draw(self._numpy.arrays(np.int64, shape, elements=elements)))


def search_with_hypothesis(trial: Trial, examples: int, seed: int, title: str, reproduce: str) -> GradReport:
    """Run a trial on inputs that Hypothesis draws; Hypothesis also shrinks a failure."""
    hypothesis = require("hypothesis", extra="test")
    sampler = trial.sampler
    assert sampler is not None
    trial.learn(seed)
    report = GradReport(title, examples=examples)
    passed: list[Outcome] = []

    def judge(call: tuple[list[Array], dict[str, Any]]) -> None:
        arrays, kw = call
        with quiet():
            p = Point(trial.rule, [np.array(a) for a in arrays], dict(kw), seed, trial.profile, trial.kinks)
            trial.judge(p, thorough=False, ordinary=False)
        report.inconclusive += p.unclear
        passed.append(Outcome("special", p, False))

    quietly = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=hypothesis.settings.default.database,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    test = hypothesis.seed(seed)(quietly(hypothesis.given(_drawn(sampler))(judge)))
    try:
        test()
    except Failure as e:
        with quiet():
            describe(report, e, reproduce, [Outcome("normal", e.data["point"], True), *passed])
        report.origin = "shrunk by Hypothesis"
    return report
