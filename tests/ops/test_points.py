"""Squared distances against their definition, in all the shapes that are treated differently."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.linalg.squared_distances import less


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("n, k, d", [
    (3, 5, 2), (7, 1, 3), (40, 3, 2), (5000, 4, 3), (5003, 8, 16), (6, 1, 0), (0, 3, 2), (4, 0, 2), (300, 2, 700),
])  # fmt: skip
def test_values_and_gradients(dtype, n, k, d):
    rng = np.random.default_rng(0)
    x, c = rng.normal(size=(n, d)).astype(dtype), rng.normal(size=(k, d)).astype(dtype)
    g = rng.normal(size=(n, k)).astype(dtype)
    X, C = tl.tensor(x, requires_grad=True), tl.tensor(c, requires_grad=True)
    out = tl.squared_distances(X, C)
    out.backward(g)
    apart = x.astype("d")[:, None] - c.astype("d")
    tol = {"rtol": 2e-4, "atol": 2e-3} if dtype == "f" else {"rtol": 1e-9, "atol": 1e-9}
    assert out.dtype == X.dtype and out.shape == (n, k) and (out.array >= 0).all()
    np.testing.assert_allclose(out.array, (apart**2).sum(2), **tol)
    np.testing.assert_allclose(X.grad.array, 2 * (g[..., None] * apart).sum(1), **tol)
    np.testing.assert_allclose(C.grad.array, -2 * (g[..., None] * apart).sum(0), **tol)


@pytest.mark.parametrize("n, d", [(5, 3), (4099, 7), (2048, 512), (3000, 1), (2000, 2000)])
def test_rows_less_a_row(n, d):
    rng = np.random.default_rng(0)
    x, row = rng.normal(size=(n, d)), rng.normal(size=d)
    np.testing.assert_array_equal(less(x, row), x - row)
    np.testing.assert_array_equal(less(np.asfortranarray(x), row), x - row)


def test_far_from_the_origin_nothing_cancels():
    x = np.array([[0.0, 0.0], [1.0, 0.0]], "f") + np.float32(1e4)
    for points in (x, np.repeat(x, 3000, 0)):
        out = tl.squared_distances(tl.tensor(points), tl.tensor(x[:1])).array.ravel()
        np.testing.assert_allclose(np.unique(out), [0, 1], atol=1e-6)
