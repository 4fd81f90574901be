"""Large results of calls are used where they are: only new arrays, whatever else the function may return."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS, near
from tests.compiled.test_training import data
from tinygrad_lite import nn
from tinygrad_lite.compiled import compile
from tinygrad_lite.compiled.program import Missed
from tinygrad_lite.compiled.source import own
from tinygrad_lite.ops.elementwise import activation

LARGE = (64, 512)
F32 = np.dtype(np.float32)


def test_what_is_taken():
    """A new array in row-major order, or all of one; the rest is copied, and another shape or dtype does not fit."""
    kept = np.ones(LARGE, F32)
    address = kept.__array_interface__["data"][0]
    found = []

    def made():
        found.append(id(a := np.ones(LARGE, F32)))
        return a

    taken = own(made(), LARGE, F32)
    assert id(taken) == found[0]
    taken = own(made().reshape(-1).reshape(LARGE), LARGE, F32)
    assert taken.base is not None  # all of a new array
    for value in (kept, kept[:], kept.T.copy().T):
        taken = own(value, LARGE, F32)
        assert taken.flags.c_contiguous
        assert taken.__array_interface__["data"][0] != address
    for value in (np.ones(3, F32), np.ones(LARGE)):
        with pytest.raises(Missed):
            own(value, LARGE, F32)


def test_constants_that_ops_keep():
    """What an op makes once and keeps for later calls is an ordinary array, also if a recording makes it."""
    kept = activation._number, activation._repeated
    for function in kept:
        function.cache_clear()
    f = compile(lambda x: (x.tanh() + x.relu()).sum(), fullgraph=True)
    x = data(128, 160).requires_grad_()
    for _ in range(3):
        y = f(x)
    y.backward()
    assert all(function.cache_info().currsize for function in kept)
    found = [
        activation._repeated(0.0, F32),
        *(activation._number(n, F32) for n in (0.0, 1.0)),
    ]
    assert {type(a) for a in found} == {np.ndarray}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("module", [False, True])
def test_steps_with_large_results(backend, module):
    """Convolutions, pooling and masks that exceed the limit, as whole steps and as modules in the graph."""
    results = []
    for compiled in (False, True):
        tl.manual_seed(0)
        m = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.5), nn.Flatten(),
                          nn.Linear(8 * 256, 5))  # fmt: skip
        o, x = tl.optim.SGD(m.parameters(), lr=0.01), data(8, 3, 32, 32)
        net = compile(m, backend=backend) if compiled and module else m

        def step(x, net=net, o=o):
            o.zero_grad()
            loss = net(x).square().mean()
            loss.backward()
            o.step()
            return loss.detach()

        run = compile(step, backend=backend) if compiled and not module else step
        losses = [run(x).item() for _ in range(6)]
        results.append([np.array(losses), *(p.array.copy() for p in m.parameters())])
        if compiled:
            built = (net._compiled if module else run)._last.built
            assert built.taken_over
            assert not built.taken_over & set(built.blocks)
    assert all(near(a, b, backend) for a, b in zip(*results, strict=True))
