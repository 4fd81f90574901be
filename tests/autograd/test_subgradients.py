"""Where the derivative does not exist: the choice, written down once and held to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

# function, where, the gradient chosen there
TABLE: dict[str, tuple[Callable[[Any], Any], Any, Any]] = {
    "relu": (lambda x: x.relu(), [0.0], [0.0]),
    "abs": (lambda x: x.abs(), [0.0], [0.0]),
    "sign": (lambda x: x.sign() + x, [0.0], [1.0]),
    "clamp at its bounds": (lambda x: x.clamp(-1.0, 1.0), [-1.0, 1.0, 2.0], [1.0, 1.0, 0.0]),
    "maximum of equals": (lambda x: tl.maximum(x, tl.zeros(1, dtype=tl.float64)), [0.0], [0.5]),
    "minimum of equals": (lambda x: tl.minimum(x, tl.zeros(1, dtype=tl.float64)), [0.0], [0.5]),
    "amax of equals": (lambda x: x.amax(), [2.0, 2.0, 1.0], [0.5, 0.5, 0.0]),
    "amin of equals": (lambda x: x.amin(), [2.0, 1.0, 1.0], [0.0, 0.5, 0.5]),
    "max of equals": (lambda x: x.max(), [2.0, 2.0, 1.0], [0.5, 0.5, 0.0]),
    "max along dim": (lambda x: x.max(0).values, [2.0, 2.0, 1.0], [1.0, 0.0, 0.0]),
    "min along dim": (lambda x: x.min(0).values, [1.0, 2.0, 1.0], [1.0, 0.0, 0.0]),
    "max pooling": (lambda x: tl.nn.functional.max_pool1d(x.reshape(1, 1, 3), 3), [2.0, 2.0, 1.0], [1.0, 0.0, 0.0]),
    "norm at zero": (lambda x: x.norm(), [0.0, 0.0], [0.0, 0.0]),
    "std of equals": (lambda x: x.std(), [3.0, 3.0], [0.0, 0.0]),
    "hypot at zero": (lambda x: tl.hypot(x, x), [0.0], [0.0]),
    "prod with one zero": (lambda x: x.prod(), [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
    "prod with two zeros": (lambda x: x.prod(), [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
    "cumprod with a zero": (lambda x: x.cumprod(0), [2.0, 0.0, 3.0], [1.0, 8.0, 0.0]),
    "floor": (lambda x: x.floor() + x, [1.0], [1.0]),
    "x ** 0 at zero": (lambda x: x**0, [0.0], [0.0]),
    "0 ** e": (lambda x: tl.zeros(1, dtype=tl.float64) ** x, [0.0], [0.0]),
    "leaky_relu": (lambda x: tl.nn.functional.leaky_relu(x, 0.25), [0.0], [0.25]),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_choice(name: str) -> None:
    f, at, expected = TABLE[name]
    x = tl.tensor(at, dtype=tl.float64, requires_grad=True)
    out = f(x).sum()
    if out.requires_grad:
        out.backward()
    np.testing.assert_allclose(np.zeros(len(at)) if x.grad is None else x.grad.numpy(), expected, rtol=1e-12)
