"""Run every test on one example."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_lite.errors import ArgumentError
from tinygrad_lite.testing.search.source import Sampler, Source
from tinygrad_lite.testing.verdict.contract import aliased, contract, formed, low_precision
from tinygrad_lite.testing.verdict.kinks import nudged
from tinygrad_lite.testing.verdict.numeric import RTOL, full_precision, learn, numeric
from tinygrad_lite.testing.verdict.point import Array, Failure, OutOfTime, Point, Profile, Rule

LEARNED = 10  # examples tried for an ordinary slope


@dataclass
class Trial:
    """A rule, the sampler of its inputs, and how strictly it is judged."""

    rule: Rule
    sampler: Sampler | None = None
    kinks: str = "strict"
    rtol: float = RTOL
    contract: bool = True
    atol: float = 0.0
    nondet: float = 0.0
    profile: Profile = field(default_factory=Profile)

    def learn(self, seed: int) -> None:
        """Fill the profile from the first two examples, which hold ordinary values; from more if all slopes are zero.

        The profile depends on the seed alone, so that the verdict on an example depends on no other example.
        """
        for n in range(LEARNED):
            if n > 1 and self.profile.typical > 0:
                return
            try:
                with quiet():
                    learn(self.point(Source.example(seed, n)), self.profile)
            except Exception:  # the search reports a rule that raises
                continue

    def point(self, src: Source) -> Point:
        """Draw a point from a source."""
        if self.sampler is None:
            raise ArgumentError("check_rule: sampler must be a function of a source, got None")
        arrays, kw = self.sampler(src)
        seed = int(src.rng.integers(2**32))
        return Point(self.rule, [np.asarray(a) for a in arrays], kw, seed, self.profile, self.kinks)

    def example(self, src: Source, thorough: bool, brief: bool = False) -> Point:
        """Judge one searched example; the data of a ``Failure`` holds the point."""
        with quiet():
            p = self.point(src)
            made = [] if p.kinks == "skip" else src.made
            self.judge(p, thorough, src.mode == "normal", made, brief)
        return p

    def judge(
        self,
        p: Point,
        thorough: bool,
        ordinary: bool,
        made: Sequence[tuple[Array, float, float]] = (),
        brief: bool = False,
    ) -> None:
        """Run all tests of one point; if ``brief``, only shapes, dtypes and one direction."""
        p.allowed, p.nondet = (0.0, self.atol), self.nondet
        try:
            if p.kinks == "skip":
                nudged(p)
            if brief:
                formed(p)
                numeric(p, self.rtol, one=True)
                return
            whole = not self.contract or contract(p, thorough)  # otherwise some outputs are not finite
            if self.contract and whole and not p.rule.lenient:
                aliased(p, made)
            if ordinary and whole and not (p.flaws or p.rule.lenient):
                full_precision(p)
            numeric(p, self.rtol)
            if self.contract and whole and not p.rule.lenient and (thorough or ordinary):
                low_precision(p)
            if p.flaws:
                raise p.flaws[0]
        except Exception as e:
            failure = e if isinstance(e, Failure) else Failure("backward raises", f"{type(e).__name__}: {e}", error=e)
            failure.data.setdefault("point", p)
            failure.data.setdefault("also", [f for f in p.flaws if f is not failure])
            if isinstance(e, OutOfTime):
                raise
            refused = p.refused is not None and failure.data.get("error") is p.refused
            if refused and not (ordinary and failure.kind == "forward raises"):
                p.warnings.append(f"not checked where the function raises ({p.refused})")
                return
            if failure is e:
                raise
            raise failure from e


class quiet(warnings.catch_warnings):  # noqa: N801  used like a function
    """Silence warnings and floating-point errors, which special values cause."""

    def __init__(self) -> None:
        super().__init__(record=False, action="ignore")
        self._state = np.errstate(all="ignore")

    def __enter__(self) -> None:
        super().__enter__()
        self._state.__enter__()

    def __exit__(self, *exc: Any) -> None:
        self._state.__exit__(*exc)
        super().__exit__(*exc)
