"""Every planted bug is found, and every correct function passes."""

from __future__ import annotations

import pytest

from tests.testing.table import load
from tinygrad_lite.testing import check_rule
from tinygrad_lite.testing.search.one_example import Trial
from tinygrad_lite.testing.search.search import find
from tinygrad_lite.testing.verdict.point import Rule

CASES = {c.name: c for c in load()}
BUGS = [(name, bug) for name, c in CASES.items() for bug in c.bugs]


def test_the_set_is_large_enough() -> None:
    assert len(CASES) >= 60
    assert len(BUGS) >= 60
    assert sum(c.held_out for c in CASES.values()) >= 20


@pytest.mark.parametrize("name", CASES)
def test_correct_functions_pass(name: str) -> None:
    c = CASES[name]
    report = check_rule(c.forward, c.backward, c.sampler, name=name, examples=12)
    assert report.ok, str(report)


@pytest.mark.parametrize(("name", "bug"), BUGS)
def test_planted_bugs_are_found(name: str, bug: str) -> None:
    c = CASES[name]
    seeds = range(3)  # one seed may be unlucky with a rare bug; three are not
    found = [find(Trial(Rule(*c.planted(bug), name), c.sampler), 30, seed) is not None for seed in seeds]
    assert sum(found) >= 2
