"""Gradients that a compiled step leaves in ``p.grad`` stay what they are while somebody else has them."""

from __future__ import annotations

import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS, near
from tests.compiled.test_training import data
from tinygrad_lite import nn
from tinygrad_lite.compiled import compile


def replace(p):
    p.grad.data = tl.ones_like(p)


KEEP = {
    "nothing": lambda p: None,
    "tensor": lambda p: p.grad,
    "array": lambda p: p.grad.array,
    "view": lambda p: p.grad.array[:1],
    "detached": lambda p: p.grad.detach().reshape(-1),
    "graph": lambda p: (p.grad * p.grad.clone().requires_grad_()).sum(),
    "replaced": replace,
    "tracked": lambda p: p.grad.requires_grad_().shape,
    "hooked": lambda p: p.grad.requires_grad_().register_hook(lambda g: g),
}


def trained(backend, keep):
    """Return the gradients after each step, what was kept of them, and the memory of the program over time."""
    tl.manual_seed(0)
    m, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4)), data(5, 3)
    o = tl.optim.SGD(m.parameters(), lr=0.1)

    def step(x):
        o.zero_grad()
        loss = m(x).square().mean()
        loss.backward()
        o.step()
        return loss

    run = compile(step, backend=backend, fullgraph=True) if backend else step
    seen, kept, frames = [], [], []
    for i in range(8):
        run(x)
        frames.append(run._last and run._last.frame if backend else None)
        assert not any(p.grad.requires_grad or p.grad.hooks for p in m.parameters())
        seen += [p.grad.array.copy() for p in m.parameters()]
        if i in (1, 4, 5):
            kept += [KEEP[keep](p) for p in m.parameters()]
    return seen, kept, frames


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("keep", KEEP)
def test_what_is_kept_stays(keep, backend):
    """Whatever of a gradient is kept, later steps do not change it: the program makes new ones from then on."""
    (expected, whole, _), (seen, kept, frames) = trained(None, keep), trained(backend, keep)
    for a, b in zip(expected, seen, strict=True):
        assert near(a, b, backend)
    for a, b in zip(whole, kept, strict=True):
        if hasattr(getattr(a, "array", a), "shape"):
            assert near(getattr(a, "array", a), getattr(b, "array", b), backend)
    assert frames[2] is frames[3] is frames[4]  # the gradient of step 1 was an eager one
    assert (frames[5] is frames[4]) == (keep == "nothing")
    assert frames[5] is frames[6] is frames[7]
