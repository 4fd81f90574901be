"""When hooks of leaves run within a backward pass, beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")


def pass_of(T: Any, seed: int) -> tuple[list[str], list[list[float]]]:
    """Return what runs in a pass over a chain in which parameters are used once, twice or not at the end."""
    rng, order = np.random.default_rng(seed), []
    ps = {name: T.tensor(rng.normal(size=3), requires_grad=True) for name in "abcde"}
    for name, p in ps.items():
        p.register_hook(lambda g, name=name: order.append(f"hook of {name}"))
        p.register_post_accumulate_grad_hook(lambda q, name=name: order.append(f"grad of {name}"))
    y = T.tensor(rng.normal(size=3))
    for step in range(6):
        for name in rng.choice(list(ps), size=rng.integers(1, 3), replace=False):
            y = (y * ps[str(name)]).tanh()
        y.register_hook(lambda g, step=step: order.append(f"step {step}"))
    y.sum().backward()
    return order, [[] if p.grad is None else p.grad.tolist() for p in ps.values()]


@pytest.mark.parametrize("seed", range(12))
def test_hooks_run_in_pytorchs_order(seed: int) -> None:
    (ours, grads), (theirs, expected) = (pass_of(T, seed) for T in (tl, torch))
    assert ours == theirs and any(line.startswith("grad") for line in ours[:-2])
    for a, b in zip(grads, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
