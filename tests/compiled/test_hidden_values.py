"""A value computed out of sight of NumPy's protocols is found before the program runs, for every backend."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS
from tinygrad_lite import nn
from tinygrad_lite.compiled import compile

SOURCE = """
def largest(x):
    return max(memoryview(x.array).cast("B").cast("f"))
"""
"""Code that counts as the package's own, so that nothing but the comparison of numbers can find what it hides."""


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("last", [nn.Identity(), nn.GELU()])
def test_a_hidden_shift_is_found(backend, last):
    """The shift of a softmax changes the last bits alone: an outcome equal but for rounding would not show it.

    The array is large enough for GELU's kernel, without which machine code is recorded and checked.
    """
    space = {"__name__": "tinygrad_lite.planted"}
    exec(__builtins__["compile"](SOURCE, "<planted>", "exec"), space)
    largest = space["largest"]

    def softmax(x):
        e = (x - largest(x)).exp()
        return last(e / e.sum())

    step = compile(softmax, backend=backend)
    inputs = [tl.tensor(np.random.default_rng(i).standard_normal((64, 128)).astype(np.float32)) for i in range(4)]
    step(inputs[0])
    with pytest.warns(RuntimeWarning, match="out of sight of NumPy's protocols"):
        step(inputs[1])
    assert step._last is None
    assert all(step(x).array.tobytes() == softmax(x).array.tobytes() for x in inputs)
