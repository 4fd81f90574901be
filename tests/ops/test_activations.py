"""Exact GELU in float32 against erfc in float64, and leaky ReLU against PyTorch, over the whole range of numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.nn import functional as F

TINY = float(np.finfo(np.float32).smallest_subnormal)
EDGES = np.array(
    [0.0, -0.0, TINY, -TINY, 1e-39, -1e-39, 1e-30, -1e-30, 0.5, -0.5, 5.5, -5.5, 14.5, -14.5, 16, -16, 17, -17,
     1e10, -1e10, 3e38, -3e38],
    np.float32,
)  # fmt: skip


def normal(x: Any) -> Any:
    """Return the normal distribution function, by erfc: exact in the tail too."""
    return np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x.astype(np.float64)])


def density(x: Any) -> Any:
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(-(x.astype(np.float64) ** 2) / 2) / math.sqrt(2 * math.pi)


def gelu_and_slope(x: Any) -> tuple[Any, Any]:
    t = tl.tensor(x, requires_grad=True)
    y = F.gelu(t)
    y.sum().backward()
    assert y.dtype == t.grad.dtype == np.float32
    return y.detach().numpy(), t.grad.numpy()


@pytest.mark.parametrize("shape", [(120_001,), (3, 40_000)])
def test_gelu_float32_over_its_range(shape: tuple[int, ...]) -> None:
    x = np.linspace(-13, 13, math.prod(shape)).astype(np.float32).reshape(shape)
    y, slope = (v.ravel() for v in gelu_and_slope(x))
    d = x.astype(np.float64).ravel()
    expected, expected_slope = d * normal(d), normal(d) + d * density(d)
    # the rounding of x * x in exp(-x * x / 2) grows with x * x
    allowed = (5e-7 + 6e-8 * d * d) * np.abs(expected)
    allowed_slope = np.minimum(5e-7, (5e-7 + 6e-8 * d * d) * (np.abs(normal(d)) + np.abs(d) * density(d)))
    ordinary = np.abs(expected) > np.finfo(np.float32).tiny
    assert ordinary.sum() > 0.9 * d.size
    assert (np.abs(y - expected) <= allowed)[ordinary].all()
    assert (np.abs(slope - expected_slope) <= allowed_slope)[ordinary].all()


def test_gelu_float32_at_the_edges() -> None:
    y, slope = gelu_and_slope(EDGES)
    d = EDGES.astype(np.float64)
    expected = d * normal(d)
    assert (np.abs(y - expected) <= 5e-7 * np.abs(expected) + TINY).all()
    assert (np.abs(slope - (normal(d) + d * density(d))) <= 5e-7).all()
    assert (np.abs(slope[[2, 3]] - 0.5) <= 1e-7).all()


def test_gelu_float32_of_infinity_and_nan() -> None:
    y, slope = gelu_and_slope(np.array([np.inf, -np.inf, np.nan], np.float32))
    np.testing.assert_array_equal(y, np.array([np.inf, 0, np.nan], np.float32))
    np.testing.assert_array_equal(slope, np.array([1, 0, np.nan], np.float32))


@pytest.mark.parametrize(
    "x", [np.zeros((0, 3), np.float32), np.float32(1.5).reshape(()), np.ones((4, 6), np.float32)[:, ::2]]
)
def test_gelu_float32_of_any_shape(x: Any) -> None:
    y, slope = gelu_and_slope(x)
    assert y.shape == slope.shape == x.shape
    np.testing.assert_allclose(y, (x * normal(x.ravel()).reshape(x.shape)), rtol=5e-7)


def test_gelu_differentiates_twice_in_float32() -> None:
    x = tl.tensor(np.linspace(-4, 4, 41, dtype=np.float32), requires_grad=True)
    (first,) = tl.grad(F.gelu(x).sum(), x, create_graph=True)
    (second,) = tl.grad(first.sum(), x)
    d = np.linspace(-4, 4, 41)
    np.testing.assert_allclose(second.numpy(), (2 - d * d) * density(d), atol=2e-6)


VALUES = [-np.inf, -3e38, -2.0, -TINY, -0.0, 0.0, TINY, 0.5, 3e38, np.inf, np.nan]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slope", [0.0, 0.01, 0.3, 1.0, 1.5, -0.5])
def test_leaky_relu_is_pytorchs(slope: float, dtype: Any) -> None:
    x = np.array(VALUES, dtype)
    torch = pytest.importorskip("torch")
    ours, theirs = tl.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    with np.errstate(over="ignore", invalid="ignore"):  # 3e38 * 1.5 and inf * 0
        y, z = F.leaky_relu(ours, slope), torch.nn.functional.leaky_relu(theirs, slope)
    g = np.linspace(1, 2, len(x)).astype(dtype)
    y.backward(tl.tensor(g))
    z.backward(torch.tensor(g))
    np.testing.assert_array_equal(y.detach().numpy(), z.detach().numpy())
    assert y.dtype == dtype
    np.testing.assert_array_equal(np.signbit(y.detach().numpy()[:-1]), np.signbit(z.detach().numpy()[:-1]))
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-6)


def test_leaky_relu_leaves_its_input_alone() -> None:
    x = tl.tensor([-1.0, 2.0])
    F.leaky_relu(x, 1.0).add_(1)
    assert x.tolist() == [-1, 2]
