"""Ctrl-C, fork, threads and errors in the middle: nothing is left half-way, and the programs go on."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.test_training import batches, equal, everything, mlp, runs, step_of
from tinygrad_lite import nn
from tinygrad_lite.compiled import compile
from tinygrad_lite.compiled.capture import Capture
from tinygrad_lite.engine import new
from tinygrad_lite.random import Generator, default_generator


def test_ctrl_c_during_the_recording(monkeypatch):
    """Arrays, generator and observers are as before, and a later call records anew."""
    tl.manual_seed(3)
    m = mlp(batch_norm=True, dropout=0.25)
    o = tl.optim.Adam(m.parameters(), lr=0.01)
    step = compile(step_of(m, nn.CrossEntropyLoss(), o), fullgraph=True)
    given = batches(6)
    step(*given[0])
    before, state = everything(m, o), tl.random.get_rng_state()["state"]["state"]

    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Capture, "results", interrupted)
        with pytest.raises(KeyboardInterrupt):
            step(*given[1])
    assert equal(before, everything(m, o))
    assert tl.random.get_rng_state()["state"]["state"] == state
    assert type(default_generator()) is Generator
    assert not new.REDIRECTED[0]
    assert all(type(t.array) is np.ndarray for t in (*m.parameters(), *m.buffers()))
    for x, y in given[1:]:
        step(x, y)
    assert runs(step) == [4]


def test_ctrl_c_while_the_program_runs():
    """An interrupted program has changed no more than some of the parameters; the next call is a whole step again."""
    results = []
    for stopped in (False, True):
        tl.manual_seed(3)
        m = nn.Sequential(nn.Linear(4, 3))
        o = tl.optim.SGD(m.parameters(), lr=0.1)
        step = compile(step_of(m, nn.CrossEntropyLoss(), o), fullgraph=True)
        for i, (x, y) in enumerate(batches(8)):
            if stopped and i == 5:
                names = step._way.express.__globals__
                run, names["run"] = names["run"], lambda flat: (_ for _ in ()).throw(KeyboardInterrupt)
                with pytest.raises(KeyboardInterrupt):
                    step(x, y)
                names["run"] = run
            step(x, y)
        assert runs(step) == [6]
        results.append(everything(m, o))
    assert equal(*results)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork():
    """A child goes on with the program that it inherits."""
    m = mlp()
    o = tl.optim.SGD(m.parameters(), lr=0.1)
    step = compile(step_of(m, nn.CrossEntropyLoss(), o), fullgraph=True)
    given = batches(6)
    for x, y in given[:4]:
        step(x, y)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, np.float32(step(*given[4]).item()).tobytes())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 4) == np.float32(step(*given[4]).item()).tobytes()
    os.close(read), os.close(write)


def test_threads_with_a_module():
    """Forward in one thread and backward in another; calls from other threads run as written, at the same time."""
    m = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    f = compile(m, fullgraph=True)
    given = [x for x, _ in batches(4)]
    for x in given:
        f(x).sum().backward()
    expected = [tl.autograd.grad(m(x).pow(2).sum(), list(m.parameters())) for x in given]
    found = [None] * 4

    def pull(i, y):
        found[i] = tl.autograd.grad(y.pow(2).sum(), list(m.parameters()))

    def whole(i):
        found[i] = tl.autograd.grad(f(given[i]).pow(2).sum(), list(m.parameters()))

    threads = [threading.Thread(target=pull, args=(i, f(given[i]))) for i in range(2)]
    threads += [threading.Thread(target=whole, args=(i,)) for i in (2, 3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for a, b in zip(expected, found, strict=True):
        assert equal([t.array for t in a], [t.array for t in b])
