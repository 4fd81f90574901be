"""Distances without an array (n, m, d): against float64, at equal and close points, and rounding beside PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.linalg import points

SIZES = [(30, 5, 2), (5, 40, 3), (200, 60, 16), (40, 300, 64), (7, 9, 20), (100, 3, 5)]


def exact(x: Any, y: Any, g: Any) -> list[Any]:
    d = x[:, None].astype(np.float64) - y.astype(np.float64)
    r = np.sqrt((d * d).sum(-1))
    share = np.where(r == 0, 0, g / np.where(r == 0, 1, r))[..., None] * d
    return [r, share.sum(1), -share.sum(0)]


def measured(lib: Any, x: Any, y: Any, g: Any) -> list[Any]:
    a, b = lib.tensor(x, requires_grad=True), lib.tensor(y, requires_grad=True)
    r = lib.cdist(a, b)
    r.backward(lib.tensor(g))
    return [v.detach().numpy() for v in (r, a.grad, b.grad)]


def drawn(n: int, m: int, d: int, kind: str, dtype: Any = np.float32) -> list[Any]:
    rng = np.random.default_rng(n)
    x, y, g = (rng.standard_normal(s).astype(dtype) for s in ((n, d), (m, d), (n, m)))
    k = min(n, m) // 2
    if kind == "equal points":
        y[:k] = x[:k]
    elif kind == "close points":
        y[:k] = x[:k] + dtype(1e-4) * y[:k]
    elif kind == "far away":
        x, y = x + dtype(100), y + dtype(100)
    return [x, y, g]


@pytest.mark.parametrize("kind", ["plain", "equal points", "close points", "far away"])
@pytest.mark.parametrize("size", SIZES)
def test_rounding_is_at_most_twice_that_of_pytorch(size: tuple[int, int, int], kind: str) -> None:
    torch = pytest.importorskip("torch")
    x, y, g = drawn(*size, kind)
    expected = exact(x, y, g)
    for ours, theirs, right in zip(measured(tl, x, y, g), measured(torch, x, y, g), expected, strict=True):
        assert ours.shape == right.shape and ours.dtype == np.float32
        wrong = [np.abs(v - right).max() / np.abs(right).max() for v in (ours, theirs)]
        assert wrong[0] <= 2 * wrong[1] + 5e-7


@pytest.mark.parametrize("size", SIZES)
def test_float64_is_exact_and_equal_points_have_no_distance(size: tuple[int, int, int]) -> None:
    for found, right in zip(
        measured(tl, *(arrays := drawn(*size, "equal points", np.float64))), exact(*arrays), strict=True
    ):
        np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12)
    x = drawn(*size, "plain")[0]
    r = tl.cdist(tl.tensor(x), tl.tensor(x)).numpy()
    assert (np.diag(r) == 0).all() and r.flags.c_contiguous


def test_many_close_pairs_are_computed_in_parts() -> None:
    x = np.random.default_rng(0).standard_normal((400, 8)).astype(np.float32)
    x = np.repeat(x[:2], 200, axis=0) + np.float32(1e-5) * x
    np.testing.assert_allclose(np.sqrt(points._squared(x, x)), exact(x, x, np.ones(1))[0], rtol=1e-5, atol=1e-7)


def test_twice() -> None:
    x, y = (tl.tensor(v, requires_grad=True) for v in drawn(6, 5, 3, "plain", np.float64)[:2])
    (g,) = tl.grad((tl.cdist(x, y) ** 3).sum(), x, create_graph=True)
    (h,) = tl.grad((g * g).sum(), y)
    step, out = 1e-6, np.zeros(y.shape)
    for i in np.ndindex(*y.shape):
        two = []
        for s in (step, -step):
            moved = y.detach().numpy().copy()
            moved[i] += s
            (g,) = tl.grad((tl.cdist(x, tl.tensor(moved)) ** 3).sum(), x)
            two.append((g.numpy() ** 2).sum())
        out[i] = (two[0] - two[1]) / (2 * step)
    np.testing.assert_allclose(h.numpy(), out, rtol=1e-5)
