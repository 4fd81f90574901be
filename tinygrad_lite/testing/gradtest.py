"""``@gradtest``: turn a function into a pytest test that checks gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.samples import Arr, Choices, Ints
from tinygrad_lite.testing.check import check_op

if TYPE_CHECKING:
    import pytest


@named
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
            function()
            config = request.config
            seed = int(config.getoption("--grad-seed") or 0)
            count = config.getoption("--grad-examples") or examples or 30
            check_op(op, *args, options=options, examples=count, seed=seed, **settings)

        test.__name__, test.__doc__, test.__module__ = function.__name__, function.__doc__, function.__module__
        return test

    return decorate
