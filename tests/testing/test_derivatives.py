"""Numeric Jacobians and gradients, each with an error that covers the true one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.testing import numeric_gradient, numeric_jacobian

FUNCTIONS: list[tuple[Any, Any]] = [
    (np.sin, np.cos),
    (np.exp, np.exp),
    (lambda x: x**3, lambda x: 3 * x**2),
    (lambda x: np.sin(50 * x), lambda x: 50 * np.cos(50 * x)),
    (lambda x: (x + 1e6) - 1e6, np.ones_like),
]


@pytest.mark.parametrize(("f", "slope"), FUNCTIONS)
@pytest.mark.parametrize("seed", range(3))
def test_the_error_covers_the_difference(f: Any, slope: Any, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(4)
    J, error = numeric_jacobian(f, x)
    assert J.shape == error.shape == (4, 4)
    assert (np.abs(J - np.diag(slope(x))) <= 8 * error + 1e-12).all() and error.max() < 1e-2


def test_tensors_shapes_and_inputs() -> None:
    w = np.arange(6.0).reshape(3, 2)
    J, _ = numeric_jacobian(lambda x, w: x @ w, tl.tensor(np.ones(3)), tl.tensor(w))
    assert J.shape == (2, 3) and np.allclose(J, w.T)
    J, _ = numeric_jacobian(lambda x, w: x @ w, np.ones(3), w, wrt=1)
    assert J.shape == (2, 3, 2)
    assert np.allclose(numeric_gradient(lambda x: (x**2).sum(), np.array([1.0, -2.0])).value, [2, -4])
    with pytest.raises(TypeError, match="one floating-point array"):
        numeric_jacobian(np.sin, np.arange(3))
    with pytest.raises(TypeError, match="one floating-point output"):
        numeric_jacobian(lambda x: (x, x), np.ones(3))


def test_an_estimate_that_fails_is_nan_with_an_infinite_error() -> None:
    J, error = numeric_jacobian(np.log, np.array([0.0, 1.0]))
    assert np.isnan(J[0, 0]) and np.isinf(error[0, 0]) and abs(J[1, 1] - 1) < 1e-9
