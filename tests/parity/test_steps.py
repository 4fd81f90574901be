"""Rounding and sign, flat nearly everywhere: recorded with a gradient of zeros, as PyTorch does."""

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")

STEPS = {
    "floor": lambda lib, x: lib.floor(x),
    "ceil": lambda lib, x: lib.ceil(x),
    "trunc": lambda lib, x: lib.trunc(x),
    "fix": lambda lib, x: lib.fix(x),
    "round": lambda lib, x: lib.round(x),
    "round to tenths": lambda lib, x: lib.round(x, decimals=1),
    "sign": lambda lib, x: lib.sign(x),
    "sgn": lambda lib, x: lib.sgn(x),
    "frac": lambda lib, x: lib.frac(x),
    "div down": lambda lib, x: lib.div(x, 2, rounding_mode="floor"),
    "div to zero": lambda lib, x: lib.div(x, lib.ones(3) * 2, rounding_mode="trunc"),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", STEPS)
def test_gradient_of_zeros(name, dtype):
    values = np.array([1.5, -2.0, 0.0], dtype)
    ours, theirs = tl.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    y, z = STEPS[name](tl, ours), STEPS[name](torch, theirs)
    assert y.requires_grad == z.requires_grad is True
    assert y.detach().numpy().tolist() == z.detach().numpy().tolist()
    up = np.array([np.inf, 2.0, -1.0], dtype)  # whatever comes in
    y.backward(tl.tensor(up))
    z.backward(torch.tensor(up))
    assert ours.grad.dtype == ours.dtype and ours.grad.tolist() == (theirs.grad.new_zeros(3) + theirs.grad).tolist()


def test_both_sides_of_a_rounded_quotient():
    for mode in ("floor", "trunc"):
        pairs = []
        for lib in (tl, torch):
            a, b = (lib.tensor(v, requires_grad=True) for v in ([7.0, -7.0], [2.0]))
            lib.div(a, b, rounding_mode=mode).sum().backward()
            pairs.append((a.grad.tolist(), b.grad.tolist()))
        assert pairs[0] == pairs[1] == ([0.0, 0.0], [0.0])


def test_a_step_inside_a_network_stops_nothing_else():
    x = tl.tensor([0.3, 1.7], requires_grad=True)
    (x.round() * x).sum().backward()
    assert x.grad.tolist() == [0.0, 2.0]
    (g,) = tl.grad((x.floor() * x**2).sum(), x, create_graph=True)
    (h,) = tl.grad(g.sum(), x)
    assert g.tolist() == pytest.approx([0.0, 3.4]) and h.tolist() == [0.0, 2.0]
