"""Products of operands with more than two axes, which BLAS does as one matrix, against einsum in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.nn import functional as F

LEADS = [(), (1,), (5,), (4, 3), (2, 1, 3), (0,), (3, 0), (0, 4)]


def arrays(*shapes: Any, dtype: Any = np.float64) -> list[Any]:
    rng = np.random.default_rng(len(shapes))
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def scattered(a: Any, form: str) -> Any:
    """Return ``a`` in another layout of memory."""
    if form == "transposed":
        return np.ascontiguousarray(a.T).T
    if form == "every second" and a.ndim:
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
        wide[..., ::2] = a
        return wide[..., ::2]
    if form == "reversed":
        return np.ascontiguousarray(a[::-1])[::-1]
    return a


def check(found: Any, leaves: Any, g: Any, y: Any, gradients: Any, tolerance: float = 1e-11) -> None:
    """Compare an output and the gradients that it gives with those expected."""
    assert tuple(found.shape) == y.shape
    np.testing.assert_allclose(found.detach().numpy(), y, rtol=tolerance, atol=tolerance)
    found.backward(tl.tensor(g))
    for leaf, expected in zip(leaves, gradients, strict=True):
        assert leaf.grad.shape == leaf.shape == expected.shape and leaf.grad.dtype == leaf.dtype
        np.testing.assert_allclose(leaf.grad.numpy(), expected, rtol=tolerance, atol=tolerance)


FORMS = ["contiguous", "transposed", "every second", "reversed"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("lead", [s for s in LEADS if s])
def test_matmul_with_a_matrix(lead: tuple[int, ...], form: str, dtype: Any) -> None:
    a, b, g = arrays((*lead, 6, 7), (7, 5), (*lead, 6, 5), dtype=dtype)
    leaves = [tl.from_numpy(scattered(v, form)).requires_grad_() for v in (a, b)]
    wide = [v.astype(np.float64) for v in (a, b, g)]
    check(
        leaves[0] @ leaves[1], leaves, g,
        np.einsum("...nk,km->...nm", wide[0], wide[1]),
        (np.einsum("...nm,km->...nk", wide[2], wide[1]), np.einsum("bnk,bnm->km", *(
            w.reshape(-1 if w.size else 0, *w.shape[-2:]) for w in (wide[0], wide[2])))),
        2e-5 if dtype is np.float32 else 1e-11,
    )  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("lead", LEADS)
def test_linear(lead: tuple[int, ...], form: str) -> None:
    x, w, b, g = arrays((*lead, 7), (5, 7), (5,), (*lead, 5))
    leaves = [tl.from_numpy(scattered(v, form)).requires_grad_() for v in (x, w, b)]
    rows_x, rows_g = (v.reshape(int(np.prod(lead)), v.shape[-1]) for v in (x, g))
    check(
        F.linear(*leaves), leaves, g,
        np.einsum("...k,mk->...m", x, w) + b,
        (np.einsum("...m,mk->...k", g, w), np.einsum("nm,nk->mk", rows_g, rows_x), rows_g.sum(0)),
    )  # fmt: skip


@pytest.mark.parametrize("sizes", [(0, 3, 2), (4, 0, 2), (4, 3, 0)])
def test_empty_axes(sizes: tuple[int, int, int]) -> None:
    n, k, m = sizes
    a, b, g = arrays((2, n, k), (k, m), (2, n, m))
    leaves = [tl.tensor(v, requires_grad=True) for v in (a, b)]
    check(leaves[0] @ leaves[1], leaves, g, a @ b, (g @ b.T, np.einsum("bnk,bnm->km", a, g)))
    w = tl.tensor(b.T.copy(), requires_grad=True)
    x = tl.tensor(a, requires_grad=True)
    check(F.linear(x, w), (x, w), g, a @ b, (g @ b.T, np.einsum("bnm,bnk->mk", g, a)))


@pytest.mark.parametrize(
    ("left", "right", "y"),
    [
        ("k", "km", "m"), ("bnk", "k", "bn"), ("k", "bkm", "bm"), ("bnk", "bkm", "bnm"), ("nk", "bkm", "bnm"),
        ("abnk", "bkm", "abnm"),
    ],
)  # fmt: skip
def test_matmul_of_other_shapes(left: str, right: str, y: str) -> None:
    sizes = dict(zip("abnkm", (2, 3, 4, 5, 6), strict=True))
    a, b, g = arrays(*([sizes[i] for i in word] for word in (left, right, y)))
    leaves = [tl.tensor(v, requires_grad=True) for v in (a, b)]
    check(
        leaves[0] @ leaves[1], leaves, g,
        np.einsum(f"{left},{right}->{y}", a, b),
        (np.einsum(f"{y},{right}->{left}", g, b), np.einsum(f"{left},{y}->{right}", a, g)),
    )  # fmt: skip


@pytest.mark.parametrize("rows", [40, 400])
def test_small_and_large_products_agree(rows: int) -> None:
    """Up to `threads.SMALL` multiplications NumPy's dot is called at once, above it the work may be shared out."""
    a, b, g = arrays((3, rows, 30), (30, 50), (3, rows, 50))
    leaves = [tl.tensor(v, requires_grad=True) for v in (a, b)]
    check(leaves[0] @ leaves[1], leaves, g, a @ b, (g @ b.T, np.einsum("bnk,bnm->km", a, g)))


def test_twice() -> None:
    x, w = (tl.tensor(v, requires_grad=True) for v in arrays((2, 3, 4), (5, 4)))
    (g_x,) = tl.grad((F.linear(x, w) ** 2).sum(), x, create_graph=True)
    (g_w,) = tl.grad(g_x.sum(), w)
    d = np.einsum("bnk,mk->bnm", x.detach().numpy(), w.detach().numpy())
    expected = 2 * (d.sum((0, 1))[:, None] + w.detach().numpy().sum(1)[:, None] * x.detach().numpy().sum((0, 1)))
    np.testing.assert_allclose(g_w.numpy(), expected, rtol=1e-10)
