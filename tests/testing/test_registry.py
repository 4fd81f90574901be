"""Every registered op, searched by both engines and to second order; an op without samples fails."""

from __future__ import annotations

import pytest

import tinygrad_lite  # noqa: F401  registers the ops
from tinygrad_lite.engine.op import OPS
from tinygrad_lite.testing import Samples, check_op

DIFFERENTIABLE = sorted(name for name, op in OPS.items() if op.places)


def test_ops_are_registered() -> None:
    assert len(DIFFERENTIABLE) > 30


@pytest.mark.parametrize("engine", ["builtin", "hypothesis"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_op(name: str, engine: str) -> None:
    op = OPS[name]
    assert isinstance(op.samples, Samples), f"{name}: declare it with samples=Samples(...), so that it can be checked"
    if engine == "builtin":  # to second order, where there is one
        check_op(op.call, examples=8)
    else:
        check_op(op.call, engine=engine, examples=4, order=1)
