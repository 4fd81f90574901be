"""The pytest plugin: the ``gradcheck`` fixture, ``--grad-examples`` and ``--grad-seed``.

A module outside the package, so that starting pytest in another project imports neither NumPy nor tinygrad_lite.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tinygrad_lite.testing import GradReport


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that apply to every gradient check of a run."""
    group = parser.getgroup("gradient checks")
    group.addoption("--grad-examples", type=int, default=None, help="examples per gradient check (default 30)")
    group.addoption("--grad-seed", type=int, default=0, help="seed of the gradient checks (default 0)")


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> Callable[..., GradReport]:
    """Check a gradient with the seed of this run, as `tinygrad_lite.testing.gradcheck`."""
    from tinygrad_lite.testing import gradcheck

    return partial(gradcheck, seed=int(request.config.getoption("--grad-seed") or 0))
