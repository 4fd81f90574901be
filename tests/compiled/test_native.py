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
