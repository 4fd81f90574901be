"""The Hypothesis engine and the command line run the same checks as the builtin search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import tinygrad_lite as tl
from tinygrad_lite.engine.op import OPS, op
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.testing import Arr, Ints, Samples, check_op
from tinygrad_lite.testing.cli import run
from tinygrad_lite.testing.search.hypothesis_engine import calls


@pytest.fixture
def doubled() -> Iterator[Any]:
    """An op whose gradient is twice too large."""

    @op(x=lambda g, x: g * 4 * x, public=False, samples=Samples("()->()"))
    def doubled_square(x: Array) -> Array:
        return x * x

    yield doubled_square
    del OPS["doubled_square"]


@given(calls(Arr("n k", lo=0.0, hi=2.0), Ints("b", below="n", negative=True), Arr("~n k"), options={"p": (1, 2)}))
def test_strategies_keep_to_the_specs(call: Any) -> None:
    (x, index, y), options = call
    assert x.ndim == 2 and x.min(initial=0.0) >= 0 and x.max(initial=0.0) <= 2
    assert index.ndim == 1 and index.dtype == np.int64
    assert not index.size or (-len(x) <= index.min() and index.max() < len(x))
    assert np.broadcast_shapes(x.shape, y.shape) == x.shape
    assert options["p"] in (1, 2)


def test_hypothesis_finds_and_shrinks(doubled: Any) -> None:
    report = check_op(doubled, engine="hypothesis", raise_exception=False)
    assert report.kind == "wrong value" and report.smallest[0].size == 1
    assert "factor 2" in str(report.suspicion) and report.origin == "shrunk by Hypothesis"
    assert check_op(tl.tanh, engine="hypothesis", examples=15).ok


def test_command(doubled: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tanh", "add"]) == 0
    assert run(["tanh", "--examples", "0"]) == 2
    text = capsys.readouterr().out
    assert "tanh  ok" in text and "2 of 2 right" in text
    assert run(["tanh", "doubled_square", "--examples", "5"]) == 1
    text = capsys.readouterr().out
    assert "WRONG" in text and "suspected: off by the factor 2" in text and "1 of 2 right" in text
    for wrong in ([], ["tahn"], ["argmax"], ["os:getcwd"], ["no.such:thing"]):
        assert run(wrong) == 2, wrong
        assert capsys.readouterr().err.startswith("gradcheck: ")
    assert run(["tinygrad_lite:tanh", "--examples", "3"]) == 0
