"""Every layer and loss of nn, compiled: outputs, gradients and buffers are the same, bit for bit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS, agree, content
from tests.testing.test_modules import MODULES
from tinygrad_lite.compiled import compile
from tinygrad_lite.testing import Ints

EAGER = {
    "AdaptiveLogSoftmaxWithLoss": "rows are chosen by value",
    "CTCLoss": "loops over lengths",
    "Flatten": "a view of the argument",
    "MaxUnpool1d": "its size is found by value",
    "Reshape": "a view of the argument",
    "Unflatten": "a view of the argument",
}
"""Layers that run as written, and why."""


def drawn(spec, random):
    """Return a tensor for the description of an argument; every letter is 3 long."""
    shape = [int(n) if n.isdigit() else 3 for n in spec.shape.split()]
    if isinstance(spec, Ints):
        return tl.tensor(random.integers(0, spec.below, shape))
    lo, hi = max(spec.lo, -1.5), min(spec.hi, 1.5)
    return tl.tensor(random.uniform(lo, hi, shape).astype(np.float32), requires_grad=True)


def tensors(result):
    if isinstance(result, tl.Tensor):
        return [result]
    return [t for v in result for t in tensors(v)] if isinstance(result, (tuple, list)) else []


def outcome(name, backend, calls=4):
    """Return what a layer gives in some calls on fresh numbers, its gradients and buffers, and the layer called."""
    make, specs = MODULES[name]
    tl.manual_seed(1)
    m = make()
    f = compile(m, backend=backend) if backend else m
    random, found = np.random.default_rng(2), []
    for _ in range(calls):
        args = [drawn(spec, random) for spec in specs]
        m.zero_grad()
        outs = [t for t in tensors(f(*args)) if t.requires_grad]
        if outs:
            sum((t * t).sum() for t in outs).backward()
        found.append([content(t.array) for t in (*outs, *m.buffers())])
        found.append([None if t.grad is None else content(t.grad.array) for t in (*args, *m.parameters())])
    return found, f


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("part", range(4))
def test_every_layer(part, backend):
    """Those that run as written are known."""
    eager = {}
    for name in sorted(MODULES)[part::4]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected, _ = outcome(name, "")
            got, f = outcome(name, backend)
        assert agree(got, expected, backend), name
        c = f._compiled
        ran = sum(p.calls for ps in c._programs.values() for p in ps)
        assert backend == "numpy" or not ran or all("loops" in p.facts for ps in c._programs.values() for p in ps), name
        if c._eager is not None or not ran:
            eager[name] = c._eager or c.explain()
    assert eager.keys() == EAGER.keys() & set(sorted(MODULES)[part::4]), eager
