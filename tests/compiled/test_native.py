"""Compiled steps with the native loops: a kernel is one call of the program, and the numbers stay the same."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.test_training import both, data, runs
from tinygrad_lite import nn
from tinygrad_lite.compiled import compile
from tinygrad_lite.native.store import PLACE

pytest.importorskip("llvmlite")


def given(*shape):
    return [(data(*shape, seed=i), tl.tensor(np.arange(shape[0]) % 10)) for i in range(5)]


def layers():
    return nn.Sequential(nn.Linear(64, 256), nn.GELU(), nn.LayerNorm(256), nn.Linear(256, 10))


def images():
    m = [nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*m, nn.Linear(1024, 10))


@pytest.mark.parametrize(
    ("build", "kind", "options", "shape", "called"),
    [
        (layers, "Adam", {"lr": 0.001}, (128, 64), ["elementwise_gelu", "rows_normalise_back", "run_adam"]),
        (layers, "SGD", {"lr": 0.001, "momentum": 0.9, "nesterov": True}, (128, 64), ["elementwise_gelu"]),
        (images, "AdamW", {"lr": 0.001}, (32, 8, 16, 16), ["convolution_conv_weight", "channels_normalise_batch"]),
    ],
)
def test_kernels_are_calls(build, kind, options, shape, called):
    """Forward, rules and the step of the optimiser."""
    step = both(build, getattr(tl.optim, kind), options, nn.CrossEntropyLoss(), given(*shape))
    assert runs(step) == [3]
    for name in called:
        assert f"{name}(" in step.source, name


def test_a_step_of_a_cell_becomes_loops():
    """Its kernel, which the numbers of NumPy's program need, would keep gates and products out of the loops."""
    tl.manual_seed(0)
    cell, x = nn.LSTMCell(4, 32), data(16, 4)
    o = tl.optim.SGD(cell.parameters(), lr=0.1)

    def step():
        o.zero_grad()
        h, c = cell(x)
        h, _ = cell(x, (h, c))
        loss = h.pow(2).mean()
        loss.backward()
        o.step()
        return loss

    plain, native = (compile(step, fullgraph=True, backend=backend) for backend in ("numpy", "native"))
    for f in (plain, native):
        for _ in range(3):
            f()
    assert "recurrent_lstm_cell_back(" in plain.source and "recurrent_" not in native.source
    assert native._last.facts["left to NumPy"] == 0


def test_the_switch_is_a_guard():
    """A program is for native loops or without them."""
    m = nn.Sequential(nn.Linear(64, 256), nn.GELU())
    f = compile(m, fullgraph=True, backend="native")
    x = data(128, 64)
    for _ in range(3):
        f(x)
    for on in (False, True, False, True):
        tl.backends.native.enabled = on
        for _ in range(4):
            assert np.allclose(f(x).array, m(x).array, 1e-5, 1e-6)
    tl.backends.native.enabled = True


@pytest.fixture
def soon(monkeypatch):
    """Let programs become machine code after five runs."""
    monkeypatch.setattr("tinygrad_lite.compiled.step.WARM", 5)


def trained(backend, calls=12, module=False):
    """Return what each call finds, and the compiled function."""
    tl.manual_seed(3)
    m, x, y = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)), data(6, 4), data(6, 1, seed=1)
    o = tl.optim.Adam(m.parameters(), lr=0.05)
    net = compile(m, backend=backend) if module else m

    def step(x):
        o.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        o.step()
        return loss

    run = step if module else compile(step, fullgraph=True, backend=backend)
    return [run(x).array.copy() for _ in range(calls)], net._compiled if module else run


@pytest.mark.parametrize("module", [False, True])
def test_the_default_becomes_machine_code(soon, module):
    """Bit for bit the written step at first; equal to rounding, and machine code, once the program has run often."""
    exact, _ = trained("numpy", module=module)
    found, run = trained(None, calls=6, module=module)
    assert "native: after 5 runs" in run.explain()
    assert [a.tobytes() for a in found] == [a.tobytes() for a in exact[:6]]
    found, run = trained(None, module=module)
    assert "loops in" in run.explain()
    assert "native: after" not in run.explain()
    assert run._last.calls == 10
    assert np.allclose(found, exact, 1e-5, 1e-6)
    first = next(i for i, (a, b) in enumerate(zip(found, exact, strict=True)) if a.tobytes() != b.tobytes())
    assert first >= 7


def test_the_default_without_machine_code(soon, monkeypatch):
    """The switch keeps every bit, and so does an llvmlite that fails."""
    exact = [a.tobytes() for a in trained("numpy")[0]]
    with tl.backends.native.flags(enabled=False):
        found, run = trained(None)
    assert [a.tobytes() for a in found] == exact
    assert "native" not in run.explain()
    monkeypatch.setattr("tinygrad_lite.compiled.step.works", lambda: False)
    found, run = trained(None)
    assert [a.tobytes() for a in found] == exact
    assert run._last.calls == 10
    assert run._way.express is not None


FIRST = """
import warnings
warnings.simplefilter("error")
import tinygrad_lite as tl
from tinygrad_lite import nn
m = nn.Sequential(nn.Conv2d(8, 16, 3), nn.GELU(), nn.Flatten(), nn.Linear(3136, 10))
o, x = tl.optim.Adam(m.parameters()), tl.randn(16, 8, 16, 16)
@tl.compile
def step():
    o.zero_grad()
    loss = m(x).square().mean()
    loss.backward()
    o.step()
    return loss
for _ in range(4):
    step()
assert "elementwise_gelu(" in step.source
"""


def test_kernels_compiled_by_the_first_call(tmp_path):
    """Machine code that is made, kept and read while the first run is watched is no effect of the step."""
    env = {**os.environ, PLACE: str(tmp_path / "kernels"), "TINYGRAD_LITE_NATIVE": "1"}
    for _ in range(2):  # without and with the code on disk
        done = subprocess.run([sys.executable, "-c", FIRST], env=env, capture_output=True, text=True, check=False)
        assert not done.returncode, done.stderr
        assert list((tmp_path / "kernels").iterdir())
