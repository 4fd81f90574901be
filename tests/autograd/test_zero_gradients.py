"""Exactly zero in, exactly zero out: the branch that was not taken never makes NaN."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

# functions whose slope is infinite or undefined somewhere, and a place where it is
SINGULAR: dict[str, tuple[Callable[[Any], Any], float]] = {
    "sqrt": (lambda x: x.sqrt(), 0.0),
    "rsqrt": (lambda x: x.rsqrt(), 0.0),
    "log": (lambda x: x.log(), 0.0),
    "log2": (lambda x: x.log2(), 0.0),
    "log10": (lambda x: x.log10(), 0.0),
    "log1p": (lambda x: x.log1p(), -1.0),
    "1 / x": (lambda x: 1 / x, 0.0),
    "reciprocal": (lambda x: x.reciprocal(), 0.0),
    "x ** 0.5": (lambda x: x**0.5, 0.0),
    "x ** -1": (lambda x: x**-1, 0.0),
    "pow of tensors": (lambda x: x ** (x * 0 - 0.5), 0.0),
    "0 ** x": (lambda x: tl.zeros(2, dtype=tl.float64) ** x, 0.0),
    "norm": (lambda x: x.reshape((-1, 1)).norm(2, 1), 0.0),
    "norm 3": (lambda x: x.reshape((-1, 1)).norm(3, 1), 0.0),
    "std": (lambda x: tl.stack([x, x], 1).std(1), 0.5),
    "acos": (lambda x: x.acos(), 1.0),
    "asin": (lambda x: x.asin(), -1.0),
    "acosh": (lambda x: x.acosh(), 1.0),
    "atanh": (lambda x: x.atanh(), 1.0),
    "atan2": (lambda x: tl.atan2(x, x), 0.0),
    "hypot": (lambda x: tl.hypot(x, x), 0.0),
    "logit": (lambda x: x.logit(), 0.0),
    "xlogy": (lambda x: tl.xlogy(x, x), 0.0),
    "erfinv": (lambda x: x.erfinv(), 1.0),
    "lgamma": (lambda x: x.lgamma(), 0.0),
    "log_softmax": (lambda x: tl.stack([x, x * 0 - np.inf], 1).log_softmax(1)[:, 1], 0.0),
    "logaddexp": (lambda x: tl.logaddexp(x.log(), x.log()), 0.0),
    "cumprod": (lambda x: tl.stack([x, x], 1).cumprod(1)[:, 1].log(), 0.0),
    "prod": (lambda x: tl.stack([x, x], 1).prod(1).sqrt(), 0.0),
}

# ways not to take the branch: `bad` marks the element where the function is singular
NOT_TAKEN: dict[str, Callable[[Any, Any], Any]] = {
    "where": lambda y, bad: tl.where(bad, 0.0, y),
    "where with another branch": lambda y, bad: tl.where(bad, y * 0 + 1, y),
    "product with a mask": lambda y, bad: y.nan_to_num(0.0, 0.0, 0.0) * (~bad).to(y.dtype),
    "masked_fill": lambda y, bad: y.masked_fill(bad, 0.0),
    "mask": lambda y, bad: y[~bad],
    "write": lambda y, bad: _written(y * 1, bad),
    "times zero": lambda y, bad: tl.where(bad, 0.0, y) * 0,
}


def _written(y: Any, bad: Any) -> Any:
    y[bad] = 0.0
    return y


@pytest.mark.parametrize("way", NOT_TAKEN)
@pytest.mark.parametrize("name", SINGULAR)
def test_the_branch_not_taken(name: str, way: str) -> None:
    f, at = SINGULAR[name]
    x = tl.tensor([at, 1.5 if name == "acosh" else 0.5], dtype=tl.float64, requires_grad=True)
    bad = tl.tensor([True, False])
    with np.errstate(all="ignore"):
        out = NOT_TAKEN[way](f(x), bad)
        out.sum().backward(create_graph=True)
        assert x.grad[0].item() == 0.0, f"{name} through {way}: {x.grad}"
        assert np.isfinite(x.grad.detach().numpy()).all()
        (second,) = tl.grad(x.grad.sum(), x, allow_unused=True, materialize_grads=True)
    assert second[0].item() == 0.0, f"{name} through {way}, second order: {second}"


@pytest.mark.parametrize("choose", [tl.maximum, tl.minimum])
def test_the_side_that_lost(choose: Any) -> None:
    x = tl.tensor([0.0], dtype=tl.float64, requires_grad=True)
    sign = 1.0 if choose is tl.maximum else -1.0
    choose(x.sqrt() * sign, tl.tensor([sign], dtype=tl.float64)).sum().backward()
    assert x.grad.item() == 0.0


EXTREMES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 1000.0, -1000.0, np.inf, -np.inf, 1e308, -1e308]
PLAIN = [
    name
    for name, op in tl.OPS.items()
    if op.places and op.kind in ("elementwise", "activation") and name != "clip"
    and not {"dim", "n", "order"} & set(op.params) and 0 < len([p for p in op.params if p not in op.defaults]) < 3
]  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_every_elementwise_op_at_every_extreme(name: str) -> None:
    op = tl.OPS[name]
    samples = op.samples.options if op.samples is not None else {}
    if set(samples) & set(op.arrays):
        pytest.skip("one operand has no derivative; tests/special draws it")
    count = len([p for p in op.params if p not in op.defaults])
    options = {k: v[0] for k, v in samples.items() if not callable(v) and not callable(v[0])}
    places = [(a,) for a in EXTREMES] if count == 1 else [(a, b) for a in EXTREMES for b in EXTREMES]
    for at in places:
        xs = [tl.tensor([a], dtype=tl.float64, requires_grad=True) for a in at]
        with np.errstate(all="ignore"):
            y = op.call(*xs, **options)
            gs = tl.grad(y, xs, tl.zeros(1, dtype=tl.float64), create_graph=True, allow_unused=True)
        for g in gs:
            assert g is None or g.item() == 0.0, f"{name} at {at}: {g}"


def test_clipping() -> None:
    x = tl.tensor([0.0, 4.0], dtype=tl.float64, requires_grad=True)
    with np.errstate(all="ignore"):
        (1 / x).clamp(max=1.0).sum().backward()
    assert x.grad.tolist() == [0.0, -1 / 16]


def test_the_opt_out() -> None:
    x = tl.tensor([0.0, 4.0], requires_grad=True)
    with tl.zero_guard(False):
        tl.where(x > 0, x.sqrt(), 0.0).sum().backward()
    assert np.isnan(x.grad[0].item()) and x.grad[1].item() == 0.25
    x.grad = None
    tl.where(x > 0, x.sqrt(), 0.0).sum().backward()
    assert x.grad.tolist() == [0.0, 0.25]


def test_a_gradient_that_is_not_zero_stays_infinite() -> None:
    x = tl.tensor([0.0], requires_grad=True)
    x.sqrt().sum().backward()
    assert operator.eq(x.grad.item(), np.inf)
