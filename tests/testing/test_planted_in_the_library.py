"""Bugs planted in the library's own ops are found by the check that guards them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_lite.engine import backward
from tinygrad_lite.engine.op import OPS, op
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.testing import GradReport, check_op


def report(name: str) -> GradReport:
    return check_op(OPS[name].call, raise_exception=False)


def test_an_error_of_a_tenth_of_a_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    ((place, rule),) = OPS["tanh"].rules
    monkeypatch.setattr(OPS["tanh"], "rules", ((place, lambda g, saved: rule(g, saved) * 1.001),))
    found = report("tanh")
    assert not found.ok and found.kind == "wrong value", found


def test_a_missing_sum_over_a_broadcast_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backward, "unbroadcast", lambda g, shape: g)
    found = report("add")
    assert not found.ok, found


def test_a_sum_over_the_wrong_axis(monkeypatch: pytest.MonkeyPatch) -> None:
    right = backward.unbroadcast

    def first_only(g: Any, shape: Any) -> Any:
        summed = right(g, shape)
        return np.broadcast_to(np.take(g.reshape((-1, *np.shape(summed))), 0, 0), np.shape(summed))

    monkeypatch.setattr(backward, "unbroadcast", first_only)
    assert not report("mul").ok


def test_right_at_first_order_and_wrong_at_second() -> None:
    @op(x=lambda g, x: g * 2 * np.asarray(getattr(x, "array", x)), samples=Samples("()->()"), public=False)
    def forgetful_square(x):  # type: ignore[no-untyped-def]
        return x * x

    try:
        first = check_op(forgetful_square, order=1, raise_exception=False)
        assert first.ok, first
        second = check_op(forgetful_square, order=2, raise_exception=False)
        assert not second.ok, second
    finally:
        del OPS["forgetful_square"]


def test_a_swapped_index_in_col2im(monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped(cols: Any, size: Any, kernel: Any, *rest: Any) -> Any:
        turned = np.ascontiguousarray(np.swapaxes(cols, 2, 3)).reshape(cols.shape)
        return forward(turned, size, kernel, *rest)

    names = OPS["col2im"].call.__globals__
    forward = names["forward"]
    monkeypatch.setitem(names, "forward", swapped)
    assert not report("im2col").ok  # whose rule it is
    assert not report("col2im").ok


@pytest.mark.parametrize("name", ["tanh", "add", "mul", "im2col", "col2im"])
def test_unchanged_ops_pass(name: str) -> None:
    assert report(name).ok
