"""The pytest plugin: the ``gradcheck`` fixture, ``--grad-examples`` and ``--grad-seed``.

A module of its own, so that starting pytest in any project imports neither NumPy nor the package.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tinygrad_lite.testing import GradReport


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options of every gradient check of the run."""
    group = parser.getgroup("gradient checks")
    group.addoption("--grad-examples", type=int, default=None, help="inputs searched per gradient check (30)")
    group.addoption("--grad-seed", type=int, default=0, help="seed of the gradient checks (0)")


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> Callable[..., GradReport]:
    """`tinygrad_lite.testing.gradcheck` with the seed of this run; fails the test with the report."""
    from tinygrad_lite.testing import gradcheck

    return partial(gradcheck, seed=int(request.config.getoption("--grad-seed") or 0))
