"""The pytest plugin: ``@gradtest``, the ``gradcheck`` fixture, ``--grad-examples`` and ``--grad-seed``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tinygrad_lite.samples import Arr, Choices, Ints
    from tinygrad_lite.testing.report import GradReport


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two options for every gradient check of the run."""
    group = parser.getgroup("gradient checks")
    group.addoption("--grad-examples", type=int, default=None, help="inputs searched per gradient check (30)")
    group.addoption("--grad-seed", type=int, default=0, help="seed of the gradient checks (0)")


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> Callable[..., GradReport]:
    """`tinygrad_lite.testing.gradcheck` with the seed of this run; fails the test with the report."""
    from tinygrad_lite.testing import gradcheck

    return partial(gradcheck, seed=int(request.config.getoption("--grad-seed") or 0))


def gradtest(
    op: Any,
    *args: Arr | Ints,
    options: Mapping[str, Choices] | None = None,
    examples: int | None = None,
    **settings: Any,
) -> Callable[[Callable[[], Any]], Callable[[pytest.FixtureRequest], None]]:
    """Turn a function into a gradient check of ``op``; its body, usually ``pass``, runs first.

    ::

        @gradtest(my_op, Arr("n k"), options={"dim": (-1, 0)})
        def test_my_op(): ...
    """

    def decorate(function: Callable[[], Any]) -> Callable[[pytest.FixtureRequest], None]:
        def test(request: pytest.FixtureRequest) -> None:
            from tinygrad_lite.testing import check_op

            function()
            config = request.config
            seed = int(config.getoption("--grad-seed") or 0)
            count = config.getoption("--grad-examples") or examples or 30
            check_op(op, *args, options=options, examples=count, seed=seed, **settings)

        test.__name__, test.__doc__, test.__module__ = function.__name__, function.__doc__, function.__module__
        return test

    return decorate
