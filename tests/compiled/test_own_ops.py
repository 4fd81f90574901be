"""Ops that a user declares take part in programs, and what they depend on is watched."""

from __future__ import annotations

import sys
import warnings

import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS, near
from tests.compiled.test_training import data
from tinygrad_lite import nn
from tinygrad_lite.compiled import compile
from tinygrad_lite.engine import functional
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.op import IN_PLACE, PUBLIC

FACTOR = 3.0


def scaled(x):
    return x * FACTOR


@pytest.fixture
def op():
    @tl.op(x=lambda g, x: g * scaled(x * x), kind="activation")
    def my_cube(x):
        """Return a third of ``FACTOR x ** 3``."""
        return scaled(x * x * x) / 3

    @tl.op(together=lambda g, x, y: (g * scaled(y), g * scaled(x)), public=False)
    def my_product(x, y):
        """Return ``FACTOR x y``."""
        return scaled(x * y)

    yield my_product
    for name in ("my_cube", "my_product"):
        del tl.OPS[name]
    IN_PLACE.pop("my_cube", None)
    for name in ("my_cube", "my_cube_"):
        PUBLIC.pop(name, None)
        for place in (Methods, functional):
            if name in vars(place):
                delattr(place, name)
        vars(tl).pop(name, None)


def trained(op, backend, monkeypatch):
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    tl.manual_seed(1)
    m, x = nn.Linear(3, 2), data(4, 3)
    o = tl.optim.SGD(m.parameters(), lr=0.01)

    def step(x):
        o.zero_grad()
        y = m(x)
        loss = (op(y, y.my_cube()) + tl.my_cube(y)).sum()
        loss.backward()
        o.step()
        return loss

    run = compile(step, fullgraph=True, backend=backend) if backend else step
    found = []
    for i in range(10):
        if i == 5:
            monkeypatch.setitem(globals(), "FACTOR", 2.0)
        found += [run(x).array.copy(), *(p.array.copy() for p in m.parameters())]
    return found, run


@pytest.mark.parametrize("backend", BACKENDS)
def test_ops_of_a_user(op, backend, monkeypatch):
    """As a function, as a method, with rules of one argument and of all; a global that they read may change."""
    expected, _ = trained(op, "", monkeypatch)
    found, run = trained(op, backend, monkeypatch)
    for a, b in zip(expected, found, strict=True):
        assert near(a, b, backend)
    assert "global variable 'FACTOR'" in run.explain()
    assert "my_cube" in run.source
    assert sum(p.calls for ps in run._programs.values() for p in ps) == 6


def test_an_op_that_a_step_does_not_name_is_none_of_its_business(op):
    numbers = iter(range(10))  # what cannot be watched

    @tl.op(x=lambda g, x: g * next(numbers), public=False)
    def elsewhere(x):
        return x * next(numbers)

    try:
        f = compile(lambda x: x.my_cube() + 1, fullgraph=True, backend="numpy")
        assert [f(tl.ones(2)).tolist() for _ in range(3)] == [[2.0, 2.0]] * 3
        assert "my_cube" in f.source
    finally:
        del tl.OPS["elsewhere"]


def test_a_warning_is_no_effect(monkeypatch, capsys):
    """NumPy's warning in the first call is shown, and the step becomes a program."""
    monkeypatch.setattr(warnings, "showwarning", lambda message, *more: sys.stderr.write(str(message)))
    x = tl.tensor([1e30, 1.0])
    f = compile(lambda x: x * x, fullgraph=True, backend="numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        for _ in range(3):
            f(x)
    assert capsys.readouterr().err.startswith("overflow")
    assert f.source
