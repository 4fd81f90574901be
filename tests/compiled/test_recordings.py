"""What a recording holds while it runs, and afterwards."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.compiled import compile


def chain(x):
    """Return the last of many results of one size, each of which dies when the next is there."""
    for n in range(20):
        x = (x * (1 + n)).sin()
    return x


def test_the_memory_of_dead_results_is_used_again():
    """A new array that takes the place, and the id, of a dead one is not taken for it."""
    step = compile(chain, fullgraph=True, backend="numpy")
    inputs = [tl.tensor(np.random.default_rng(i).standard_normal(64).astype(np.float32)) for i in range(4)]
    assert all(step(x).array.tobytes() == chain(x).array.tobytes() for x in inputs)
    assert step._last.facts["calls"] == 40


def test_only_constants_are_kept():
    """The arrays of results are gone after the recording; those of constants are part of the program."""
    step = compile(lambda x: chain(x) + tl.arange(64).sqrt(), fullgraph=True, backend="numpy")
    for _ in range(3):
        step(tl.ones(64))
    held = [(m.kind, m.own is not None) for m in step._last.r.tracer.memories if m.kind in ("temp", "constant")]
    assert ("constant", True) in held
    assert ("temp", True) not in held


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_is_left_as_it_was(collecting):
    """Garbage is not collected while a step is recorded, whether or not it becomes a program."""
    before = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        step = compile(chain, fullgraph=True)
        assert [(step(tl.ones(4)), gc.isenabled())[1] for _ in range(3)] == [collecting] * 3
        step = compile(lambda x: x * float(x.sum()))
        step(tl.ones(4))
        with pytest.warns(RuntimeWarning, match="a number is read"):
            step(tl.ones(4))
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("n", [1, 7])
def test_operands_of_other_layouts(n):
    """Rows, columns, single elements and transposed arrays, where the result takes the place of another operand."""
    draw = np.random.default_rng(0).standard_normal
    x, square = tl.tensor(draw((n, 5)).astype("f4")), tl.tensor(draw((5, 5)).astype("f4"))
    row, column, one = (tl.tensor(draw(s).astype("f4"), requires_grad=True) for s in ((5,), (n, 1), (1,)))
    leaves = [row, column, one]

    def step():
        for p in leaves:
            p.grad = None
        y = ((x * 2 + row) * column - one).tanh() / (one * one + 1) - row
        z = (square.T + row) * square.T - (square * 2).T
        value = (y * column).sum() + (z * z).sum()
        value.backward()
        with tl.no_grad():
            for p in leaves:
                p -= p.grad * 0.01
        return value

    start = [p.array.copy() for p in leaves]
    expected = [step().item() for _ in range(5)] + [p.array.tobytes() for p in leaves]
    for p, a in zip(leaves, start, strict=True):
        p.array[...] = a
        p.grad = None
    program = tl.compile(step, backend="numpy", fullgraph=True)
    assert [program().item() for _ in range(5)] + [p.array.tobytes() for p in leaves] == expected
    assert "compiled" in program.explain()


def test_the_line_of_an_in_place_write():
    """A program names the line that the step as written would name."""
    w = tl.ones(3, requires_grad=True)

    @tl.compile
    def step(x):
        with tl.no_grad():
            w.mul_(2)
        return x.sum()

    for _ in range(3):
        step(tl.ones(2))
    y = w * w
    step(tl.ones(2))
    line = step.__code__.co_firstlineno + 3
    with pytest.raises(RuntimeError, match=rf"changed by .*test_recordings.py:{line}\b"):
        y.sum().backward()


def test_gradients_side_by_side():
    """Small gradients share memory for one call in the update; a write to one is none to the others."""
    tl.manual_seed(0)
    w, b, x = tl.randn(3, requires_grad=True), tl.randn(1, requires_grad=True), tl.randn(5, 3)
    optimizer = tl.optim.SGD([w, b], lr=0.1)

    def step():
        optimizer.zero_grad()
        value = ((x @ w + b) ** 2).mean()
        value.backward()
        optimizer.step()
        return value

    twin = [p.array.copy() for p in (w, b)]
    expected = [(step().item(), w.grad.tolist(), b.grad.tolist()) for _ in range(4)]
    for p, a in zip((w, b), twin, strict=True):
        p.array[...], p.grad = a, None
    compiled = tl.compile(step, backend="numpy", fullgraph=True)
    assert [(compiled().item(), w.grad.tolist(), b.grad.tolist()) for _ in range(4)] == expected
    grad, other = w.grad, b.grad
    assert grad.array.base is other.array.base is not None
    kept, v = grad.tolist(), tl.ones(3, requires_grad=True)
    y = (grad * v).sum()
    other.mul_(2)
    y.backward()
    compiled()
    assert grad.tolist() == v.grad.tolist() == kept and w.grad is not grad


def test_the_first_call_sets_the_mode():
    """A function that puts its module into eval mode finds it there from the second call on; a change is noticed."""
    net = tl.nn.Sequential(tl.nn.Linear(2, 3), tl.nn.BatchNorm1d(3))

    def evaluate(x):
        net.eval()
        with tl.no_grad():
            return net(x) * 2

    f = tl.compile(evaluate, fullgraph=True)
    x = tl.randn(4, 2)
    wanted = evaluate(x).array
    net.train()
    for _ in range(5):
        assert (f(x).array == wanted).all() and not net.training
    assert f._last is not None and f._last.calls == 2
    net.train()
    with pytest.raises(RuntimeError, match="changes 'training'"):  # it does so in every call, as far as one can see
        f(x)
    assert (evaluate(x).array == wanted).all()
