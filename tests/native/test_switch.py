"""When native loops are in use, and that nothing depends on them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.native.cases import F, numbers
from tinygrad_lite.native import routes

ROOT = Path(__file__).parents[2]
HERE = routes.found()
needs_llvmlite = pytest.mark.skipif(not HERE, reason="needs llvmlite")


def run(program: str, **environment: str) -> str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]), **environment}
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


USE = """
import sys, numpy as np, tinygrad_lite as tl
x = tl.ones(1 << 15)
assert "llvmlite" not in sys.modules
y = tl.sigmoid(x)
print(tl.backends.native.enabled, "llvmlite" in sys.modules, abs(float(y[0]) - 0.7310586) < 1e-6)
"""
ABSENT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "llvmlite":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
"""


@needs_llvmlite
def test_llvmlite_is_imported_at_the_first_large_call() -> None:
    assert run(USE) == "True True True\n"


def test_the_environment_turns_it_off() -> None:
    assert run(USE, TINYGRAD_LITE_NATIVE="0") == "False False True\n"


def test_without_llvmlite() -> None:
    check = """
assert not tl.backends.native.is_available()
try:
    tl.backends.native.enabled = True
except ImportError as error:
    print(error)
"""
    out = run(ABSENT + USE + check)
    assert out.startswith("False False True\n") and "tinygrad_lite[compile]" in out


@needs_llvmlite
def test_flags() -> None:
    with tl.backends.native.flags(enabled=False):
        forward = tl.OPS["sigmoid"].forward
        assert not tl.backends.native.enabled and forward.__module__ == "tinygrad_lite.ops.elementwise.activation"
        with tl.backends.native.flags(enabled=True):
            assert tl.backends.native.enabled and tl.OPS["sigmoid"].forward is not forward
            tl.backends.native.enabled = True  # twice is once
        assert tl.OPS["sigmoid"].forward is forward and not tl.backends.native.enabled
        with pytest.raises(ValueError, match=r"enabled: expected True or False, got 1"):
            tl.backends.native.enabled = 1
    with pytest.raises(KeyError), tl.backends.native.flags(enabled=False):
        raise KeyError
    assert tl.backends.native.enabled


@needs_llvmlite
def test_a_broken_llvmlite_is_said_once() -> None:
    program = """
import warnings, llvmlite.binding as b
def broken(*args): raise RuntimeError("no such processor")
b.parse_assembly = broken
import tinygrad_lite as tl
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for _ in range(2):
        print(float(tl.sigmoid(tl.zeros(1 << 15))[5]), tl.backends.native.enabled)
print([str(w.message) for w in seen], tl.backends.native.is_available())
"""
    assert run(program, TINYGRAD_LITE_CACHE="") == (
        "0.5 False\n0.5 False\n['native loops are off, as llvmlite failed: RuntimeError: no such processor'] False\n"
    )


@needs_llvmlite
def test_tracers_see_every_call() -> None:
    x = np.ones(1 << 15, np.float32)
    made = []

    class Maker:
        def __getattr__(self, name: str) -> Any:
            made.append(name)
            return getattr(np, name)

    with tl.engine.new.redirect(Maker()):
        tl.OPS["softplus"].forward(x)
    assert made


@needs_llvmlite
def test_results_do_not_depend_on_the_threads() -> None:
    x, w = numbers(1 << 10, 1 << 10), numbers(1 << 10, seed=1)
    images = numbers(64, 16, 32, 32)

    def some() -> list[Any]:
        t, i = tl.tensor(x, requires_grad=True), tl.tensor(images, requires_grad=True)
        y = F.layer_norm(F.gelu(t), w.shape, tl.tensor(w))
        z = F.max_pool2d(F.group_norm(F.batch_norm(i, None, None, training=True), 4), 3, 2, 1)
        return [y.array, z.array, *(g.array for g in tl.grad((y * y).sum() + (z * z).sum(), [t, i]))]

    before = tl.get_num_threads()
    try:
        one, many = some(), []
        tl.set_num_threads(3)
        many = some()
        threads = [threading.Thread(target=lambda: many.extend(some())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        tl.set_num_threads(before)
    assert len(many) == 3 * len(one)
    for i, found in enumerate(many):
        np.testing.assert_array_equal(found, one[i % len(one)])


@needs_llvmlite
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_goes_on() -> None:
    program = """
import os, tinygrad_lite as tl
x = tl.zeros(1 << 15)
tl.sigmoid(x)
child = os.fork()
y = tl.nn.functional.silu(x + 1) + tl.sigmoid(x)
if not child:
    os._exit(int(abs(float(y[7]) - 1.2310586) > 1e-6))
print(os.waitpid(child, 0)[1], abs(float(y[7]) - 1.2310586) < 1e-6)
"""
    assert run(program) == "0 True\n"
