"""Every op of the registry and its rules through a recording, replayed on fresh numbers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS, agree, content
from tinygrad_lite.compiled import compile
from tinygrad_lite.engine.op import OPS
from tinygrad_lite.testing.search.samplers import sampler_of_samples
from tinygrad_lite.testing.search.source import Source

NAMES = sorted(name for name, op in OPS.items() if op.samples is not None)
GROUPS = [NAMES[i::4] for i in range(4)]


def step_of(op, arrays, options):
    """Return a function that runs the op and its backward pass on tensors of its own, and the tensors."""
    tensors = [tl.tensor(a.astype(np.float32) if a.dtype.kind == "f" else a) for a in arrays]
    leaves = [t.requires_grad_() for t in tensors if t.dtype.kind == "f"]
    call = op.samples.call or (lambda f, *a, **k: f(*a, **k))

    def step():
        for leaf in leaves:
            leaf.grad = None
        y = call(op.call, *tensors, **options)
        outs = y if isinstance(y, tuple) else (y,)
        tracked = [v for v in outs if v.requires_grad]
        if tracked:
            sum((v * v).sum() for v in tracked).backward()
        return tuple(v.detach().clone() for v in outs)

    return step, tensors, leaves


def outcome(run, leaves):
    try:
        values = [content(v.array) for v in run()]
    except Exception as error:
        return type(error), str(error)
    return values, [None if p.grad is None else content(p.grad.array) for p in leaves]


def fresh(tensors, random):
    for t in tensors:
        a = t.array
        if a.dtype.kind == "f":
            a[...] = a * random.uniform(0.5, 1, a.shape)
        else:
            a[...] = random.permutation(a.ravel()).reshape(a.shape)


def compared(name, backend):
    """Run an op as written and compiled; return whether a program ran."""
    op = OPS[name]
    arrays, options = sampler_of_samples(op.samples, op.arrays)(Source(np.random.default_rng(1)))
    seen = []
    for compiled in (False, True):
        step, tensors, leaves = step_of(op, [np.array(a) for a in arrays], options)
        run = compile(step, backend=backend) if compiled else step
        random = np.random.default_rng(2)
        found = []
        for i in range(5):
            if i > 2:
                fresh(tensors, random)
            found.append(outcome(run, leaves))
        seen.append(found)
    assert agree(*seen, backend), name
    return run._last is not None and run._last.calls > 0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("group", range(4))
def test_every_op(group, backend):
    """The numbers are equal; most ops become programs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ran = [compared(name, backend) for name in GROUPS[group]]
    assert sum(ran) > 0.8 * len(ran)
