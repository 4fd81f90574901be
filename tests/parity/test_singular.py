"""Derivatives of decompositions at singular, repeated and badly scaled matrices: right, or NaN, nothing else."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

RNG = np.random.default_rng(0)
Q, P = (np.linalg.qr(RNG.normal(size=(n, n)))[0] for n in (3, 4))
SQUARE = {
    "identity": np.eye(2),
    "three times the same": 2 * np.eye(3),
    "two of three": Q @ np.diag([1.0, 1.0, 2.0]) @ Q.T,
    "zeros": np.zeros((2, 2)),
    "rank one": np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 2.0]),
    "rank two, repeated": np.diag([1.0, 1.0, 0.0]),
    "badly scaled": np.diag([1e4, 1.0, 1e-4]),
    "distinct": RNG.normal(size=(3, 3)),
}
RECTANGLES = {
    "tall, repeated": P[:, :2] * 1.5,
    "wide, repeated": (P[:, :2] * 1.5).T,
    "tall, rank one": np.outer([1.0, 2.0, 3.0, 1.0], [1.0, 0.0, 2.0]) / 3,
    "tall": RNG.normal(size=(3, 2)),
}


def hessian(f: Any, A: Any) -> Any:
    with np.errstate(all="ignore"):
        return tl.func.hessian(f)(tl.tensor(A)).numpy().reshape(A.size, A.size)


def numeric(f: Any, A: Any, h: float = 1e-4) -> Any:
    """Return second differences of ``f`` for every pair of elements."""
    unit = np.eye(A.size).reshape(A.size, *A.shape) * h

    def at(B: Any) -> float:
        return float(f(tl.tensor(B)).item())

    rows = [[at(A + a + b) - at(A + a - b) - at(A - a + b) + at(A - a - b) for b in unit] for a in unit]
    return np.array(rows) / (4 * h * h)


@pytest.mark.parametrize("name", SQUARE)
def test_second_derivative_of_det(name: str) -> None:
    A = SQUARE[name]
    n = len(A)
    exact = np.zeros((n, n, n, n))  # det is linear in every row
    for i, j, k, m in np.ndindex(exact.shape):
        if i != k:
            B = A.copy()
            B[i], B[k] = np.eye(n)[j], np.eye(n)[m]
            exact[i, j, k, m] = np.linalg.det(B)
    np.testing.assert_allclose(hessian(tl.linalg.det, A), exact.reshape(n * n, n * n), atol=1e-9 * np.abs(exact).max())


SPECTRAL: dict[str, Any] = {
    "squares": lambda w: (w**2).sum(),
    "exp": lambda w: w.exp().sum(),
    "square of the sum": lambda w: w.sum() ** 2,
    "mixed": lambda w: (w**3).sum() * w.sum(),
    "product": lambda w: w.prod(),
    "logsumexp": lambda w: w.logsumexp(0),
}


@pytest.mark.parametrize("function", SPECTRAL)
@pytest.mark.parametrize("name", [n for n in SQUARE if n != "badly scaled"])
def test_second_derivative_of_eigenvalues(name: str, function: str) -> None:
    def f(a: Any) -> Any:
        return SPECTRAL[function](tl.linalg.eigvalsh((a + a.mT) / 2))

    got, want = hessian(f, SQUARE[name]), numeric(f, SQUARE[name])
    np.testing.assert_allclose(got, want, atol=1e-5 * max(1.0, np.abs(want).max()))


SINGULAR: dict[str, Any] = {
    "squares": lambda s: (s**2).sum(),
    "fourth powers": lambda s: (s**4).sum(),
    "square of squares": lambda s: (s**2).sum() ** 2,
    "exp of squares": lambda s: (-(s**2)).exp().sum(),
    "nuclear norm": lambda s: s.sum(),
}


@pytest.mark.parametrize("function", SINGULAR)
@pytest.mark.parametrize("name", [n for n in (*SQUARE, *RECTANGLES) if n != "badly scaled"])
def test_second_derivative_of_singular_values(name: str, function: str) -> None:
    A = {**SQUARE, **RECTANGLES}[name]

    def f(a: Any) -> Any:
        return SINGULAR[function](tl.linalg.svdvals(a))

    got = hessian(f, A)
    if function == "nuclear norm" and np.linalg.matrix_rank(A) < min(A.shape):
        assert np.isnan(got).any()  # the norm has a kink there
        return
    want = numeric(f, A)
    np.testing.assert_allclose(got, want, atol=1e-5 * max(1.0, np.abs(want).max()))


def test_no_second_derivative_where_eigenvalues_cross() -> None:
    a = tl.tensor(np.eye(2), requires_grad=True)
    (g,) = tl.autograd.grad(tl.linalg.eigvalsh((a + a.mT) / 2)[0], a, create_graph=True)
    (h,) = tl.autograd.grad((g * tl.tensor([[1.0, 2.0], [2.0, 3.0]], dtype=tl.float64)).sum(), a)
    assert h.isnan().all()


def test_third_derivative_at_equal_eigenvalues_is_unknown() -> None:
    a = tl.tensor(np.eye(2), requires_grad=True)
    y = (tl.linalg.eigvalsh((a + a.mT) / 2) ** 3).sum()
    for _ in range(2):
        (y,) = tl.autograd.grad(y.sum(), a, create_graph=True)
    (third,) = tl.autograd.grad(y.sum(), a)
    assert third.isnan().all()


# ------------------------------------------------------------------------------------------------ pinv and lstsq
CALLS: dict[str, Any] = {
    "pinv": lambda lib, a: lib.linalg.pinv(a, rtol=1e-9),
    "pinverse": lambda lib, a: lib.pinverse(a, 1e-9),
    "lstsq": lambda lib, a: lib.linalg.lstsq(a, lib.ones(a.shape[0], 2, dtype=lib.float64), rcond=1e-9, **driver(lib))[
        0
    ],
}


def driver(lib: Any) -> dict[str, Any]:
    return {} if lib is tl else {"driver": "gelsd"}  # PyTorch's usual driver asks for full rank


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (2, 4), (4, 2), (3, 5), (5, 3)])
@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-6])
@pytest.mark.parametrize("name", CALLS)
def test_gradients_below_full_rank(name: str, scale: float, shape: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch")
    m, n = shape
    for rank in range(1, min(shape) + 1):
        b, c = RNG.normal(size=(m, rank)) * scale, RNG.normal(size=(rank, n))
        grads = []
        for lib in (tl, torch):
            left, right = (lib.tensor(v, requires_grad=True) for v in (b, c))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                y = CALLS[name](lib, left @ right)
            weight = np.cos(np.arange(np.prod(tuple(y.shape)))).reshape(tuple(y.shape))
            (y * lib.tensor(weight)).sum().backward()
            grads.append([left.grad.numpy(), right.grad.numpy()])
        for ours, theirs in zip(*grads, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7 * np.abs(theirs).max())
