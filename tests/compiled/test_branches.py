"""Numbers on which an op decides: each side of the decision gets a program of its own."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS, near
from tinygrad_lite.compiled import compile


def large(n, size):
    """Return logits whose softmax takes one maximum for all rows where their ``size`` is small."""
    return tl.tensor(np.random.default_rng(n).standard_normal((64, 64)).astype(np.float32) * size)


@pytest.fixture
def without_kernels():
    with tl.backends.native.flags(enabled=False):
        yield


def turned(backend, sizes, targets=False):
    """Return the compiled function after a call for each size, whose results are those as written."""

    def f(x, y=None):
        p = x.softmax(1)
        return (p if y is None else tl.nn.functional.nll_loss(p, y)) * 2

    step = compile(f, fullgraph=True, backend=backend)
    for n, size in enumerate(sizes):
        x = large(n, size)
        given = (x, tl.tensor((np.arange(64) * 7 + n) % 64)) if targets else (x,)
        assert near(step(*given).array, f(*given).array, backend), n
    return step


@pytest.mark.parametrize("targets", [False, True])
def test_both_sides_become_programs(targets, without_kernels):
    """After two calls in a row that do not fit, another program is recorded; both stay."""
    step = turned("numpy", [1.0] * 5 + [60.0] * 40 + [1.0, 60.0] * 20, targets)
    (programs,) = step._programs.values()
    assert len(programs) == 2
    assert sum(p.calls for p in programs) >= 80
    assert "a check inside the program" in step.explain()


LAYERS = {
    "softmax": lambda x: x.softmax(1),
    "layer_norm": lambda x: tl.nn.functional.layer_norm(x + x.mean(), (64,)),
    "batch_norm": lambda x: tl.nn.functional.batch_norm(x + x.mean(1, True), None, None, training=True),
    "relu": lambda x: x.relu() * x,
}


@pytest.mark.skipif("native" not in BACKENDS, reason="needs llvmlite")
@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_machine_code_goes_one_way(name, kernels):
    """Whatever the numbers are: one program, whose calls all fit, as it need not have every bit of NumPy's results."""
    w = tl.nn.Parameter(tl.ones(64))

    def step(x):
        w.grad = None
        loss = (LAYERS[name](x * w) * x.sin()).sum()
        loss.backward()
        return loss

    with tl.backends.native.flags(enabled=kernels):
        f = compile(step, fullgraph=True, backend="native")
        for n, size in enumerate([1.0] * 4 + [60.0, 1e-3] * 4):
            x = large(n, size) + (size > 1) * 100
            found = f(x).array.copy(), w.grad.array.copy()
            for a, b in zip(found, (step(x).array, w.grad.array), strict=True):
                assert np.abs(a - b).max() <= 1e-3 * np.abs(b).max(), n
    (programs,) = f._programs.values()
    assert len(programs) == 1 and not f._misses
    assert "native:" in f.explain()


@pytest.mark.skipif("native" not in BACKENDS, reason="needs llvmlite")
def test_a_gradient_that_is_zero_but_for_rounding():
    """Adam makes whole steps of the noise in it, which is another in machine code: so NumPy runs it, and says why."""
    tl.manual_seed(0)
    nn = tl.nn
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 2))
    x, optimizer = tl.randn(16, 1, 8, 8), tl.optim.Adam(net.parameters(), lr=0.05)

    def step():
        optimizer.zero_grad()
        loss = net(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    f = compile(step, fullgraph=True, backend="native")
    for _ in range(3):
        f()
    assert "as Adam does for a bias before a batch norm" in f.explain()


def test_exceptions_run_as_written(without_kernels):
    """Single calls that do not fit neither record again nor end the programs, however many there are."""
    step = turned("numpy", [1.0] * 3 + [60.0, 1.0, 1.0] * 25)
    (programs,) = step._programs.values()
    assert [p.calls for p in programs] == [51]
    assert len(step._misses) == 8


def test_an_error_is_the_callers(without_kernels):
    """A call that fails as written fails compiled, and the program stays."""
    f = compile(lambda x, i: x[i].softmax(0) * 2, fullgraph=True, backend="numpy")
    x, good, bad = large(0, 1.0), tl.tensor([1, 2]), tl.tensor([1, 99])
    for _ in range(4):
        f(x, good)
    for _ in range(5):
        with pytest.raises(IndexError):
            f(x, bad)
    f(x, good)
    (programs,) = f._programs.values()
    assert programs[0].calls == 3
