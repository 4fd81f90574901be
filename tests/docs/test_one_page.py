"""The engine on one page computes the gradients of the engine, for every op of the registry that it can call."""

from __future__ import annotations

import os
import runpy
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.autograd.registry_calls import OPS, calls

PAGE = Path(__file__).parents[2] / "docs" / "examples" / "plot_00_the_engine.py"
EXAMPLES = 5


@pytest.fixture(scope="module")
def page() -> Any:
    pytest.importorskip("matplotlib")
    os.environ.setdefault("MPLBACKEND", "Agg")
    return SimpleNamespace(**runpy.run_path(str(PAGE)))


def in_reach(name: str) -> bool:
    return tl.OPS[name].sequence is None


def drawn(name: str) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Yield what an op is really called with, after its samples have made the drawn arrays fit."""
    op = tl.OPS[name]
    how = op.samples.call or (lambda f, *arrays, **options: f(*arrays, **options))
    caught: list[tuple[list[Any], dict[str, Any]]] = []

    def catch(*args: Any, **options: Any) -> Any:
        caught.append(([a.array if isinstance(a, tl.Tensor) else a for a in args], options))
        return op.call(*args, **options)

    for _, arrays, options in calls(name, EXAMPLES):
        how(catch, *map(tl.tensor, arrays), **options)
        yield caught[-1]


def compared(page: Any, name: str) -> int:
    """Return on how many drawn calls of an op the gradients of all operands were compared."""
    op, done = tl.OPS[name], 0
    for args, options in drawn(name):
        floating = [getattr(a, "dtype", np.dtype(bool)).kind == "f" for a in args]
        here = [page.Var(a) if f else a for a, f in zip(args, floating, strict=True)]
        there = [tl.tensor(a, requires_grad=True) if f else a for a, f in zip(args, floating, strict=True)]
        expected = op.call(*there, **options)
        if isinstance(expected, tuple) or not expected.requires_grad:
            continue  # several results, or integers
        weights = 0.5 + np.arange(expected.numel()).reshape(expected.shape)
        y = page.call(name, *here, **options)
        np.testing.assert_array_equal(y.array, expected.array)
        page.backward(page.call("sum", page.call("add", page.call("mul", y, weights), y)))  # y is used twice
        with tl.zero_guard(False):
            (expected * weights + expected).sum().backward()
        for var, leaf in zip(here, there, strict=True):
            if isinstance(var, page.Var):
                assert (var.grad is None) == (leaf.grad is None)
                if var.grad is not None:
                    np.testing.assert_allclose(var.grad, leaf.grad.array, rtol=1e-12, atol=1e-12)
        done += 1
    return done


def left_out(name: str) -> bool:
    """Whether an op takes a list of tensors or has several results, which the page leaves out."""
    op = tl.OPS[name]
    return op.sequence is not None or any(isinstance(op.call(*args, **kw), tuple) for args, kw in drawn(name))


# the limits of the two slopes are an option, which the draws of this test would make a tensor
LEFT_OUT = {name for name in OPS if left_out(name)} | {"eigenvalue_slope", "singular_value_slope"}


@pytest.mark.parametrize("name", sorted({*OPS} - LEFT_OUT))
def test_the_page_agrees_with_the_engine(page: Any, name: str) -> None:
    assert compared(page, name) >= 2


def test_few_ops_are_left_out() -> None:
    assert len(OPS) > 150 and len(LEFT_OUT) < 0.1 * len(OPS)
    assert {"cat", "svd"} <= LEFT_OUT


def test_it_is_one_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    engine = text[text.index("number = ") : text.index("# By hand and by the library")]
    lines = [line for line in engine.splitlines() if line.strip() and not line.lstrip().startswith(("#", '"""'))]
    assert f"{len(lines)} lines of code" in text and len(lines) < 40
