"""The two engines that draw and shrink inputs: our own search and Hypothesis."""

from __future__ import annotations

from tinygrad_lite.testing.report import GradReport
from tinygrad_lite.testing.search.hypothesis_engine import search_with_hypothesis
from tinygrad_lite.testing.search.one_example import Trial
from tinygrad_lite.testing.search.search import search

ENGINES = {"builtin": search, "hypothesis": search_with_hypothesis}


def run(trial: Trial, examples: int, seed: int, title: str, name: str, engine: str) -> GradReport:
    """Search for a failing input with the engine of this name."""
    if engine not in ENGINES:
        raise ValueError(f"check_op: engine must be 'builtin' or 'hypothesis', got {engine!r}")
    return ENGINES[engine](trial, examples, seed, title, name)
