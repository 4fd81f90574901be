"""Ops of many short rows: to the last bit what NumPy computes, in NumPy's order in memory, whatever the layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.elementwise import short_rows

UFUNCS = [np.add, np.subtract, np.multiply, np.true_divide, np.less, np.equal]


def operands(n: int, dtype: Any) -> dict[str, tuple[Any, Any]]:
    rng = np.random.default_rng(n)
    full = rng.standard_normal((40, 60, n + 3)).astype(dtype)
    x, knots = full[..., :1] + 1, rng.standard_normal((60, n + 3)).astype(dtype)
    whole = np.ascontiguousarray(full[..., :n])
    return {
        "points and knots": (x, knots[:, :n]), "knots and points": (knots[:, 3:], x),
        "whole and slice": (whole, full[..., 1 : n + 1]), "two slices": (full[..., :n], full[..., 3:]),
        "points and whole": (x, whole), "vector": (full[..., :n], knots[0, :n]), "column": (whole, x[0, :, :1]),
        "transposed": (full.transpose(1, 0, 2)[..., :n], x.transpose(1, 0, 2)), "strided": (full[..., :n:2], x),
        "reversed": (full[..., n - 1 :: -1] if n > 1 else whole, x),
        "broadcast": (np.broadcast_to(x, whole.shape), whole),
        "rows twice": (np.broadcast_to(knots[:1, :n], (2400, n)), np.ones((2400, 1), dtype)),
    }  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 32, 33])
def test_short_rows_are_numpys_to_the_last_bit(n: int, dtype: Any) -> None:
    for name, (a, b) in operands(n, dtype).items():
        for ufunc in UFUNCS:
            with np.errstate(all="ignore"):
                expected, found = ufunc(a, b), short_rows.applied(ufunc, a, b)
            np.testing.assert_array_equal(found, expected, err_msg=f"{name} {ufunc}", strict=True)
            assert found.strides == expected.strides or name in ("transposed", "broadcast", "rows twice"), name


def test_rows_are_laid_out_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    laid: list[bool] = []
    rows = short_rows._rows
    monkeypatch.setattr(short_rows, "_rows", lambda a, n: laid.append(rows(a, n) is not a) or rows(a, n))
    x, knots = tl.rand(50, 60, 1), tl.rand(60, 9)
    y = x - knots[:, :-1]
    assert laid == [True, True] and y.shape == (50, 60, 8) and y.is_contiguous()
    _ = tl.rand(5, 6, 1) - knots[:6, :-1]
    assert len(laid) == 2, "few rows"


@pytest.mark.parametrize("n", [2, 5, 32])
def test_sums_of_short_rows_round_no_more_than_numpys(n: int) -> None:
    x = np.random.default_rng(n).standard_normal((70, 40, n)).astype(np.float32)
    exact = x.astype(np.float64).sum(-1)
    scale = np.abs(x).sum(-1)
    for keepdim in (False, True):
        y = tl.sum(tl.tensor(x), -1, keepdim).numpy()
        assert y.shape == ((70, 40, 1) if keepdim else (70, 40)) and y.dtype == np.float32
        assert (np.abs(y.reshape(70, 40) - exact) <= 2e-7 * scale).all()
    assert tl.sum(tl.tensor(x.astype(np.float64)), -1).numpy().tobytes() == np.add.reduce(x, -1, np.float64).tobytes()


def test_gradients_of_points_and_knots() -> None:
    torch = pytest.importorskip("torch")
    found = []
    for lib in (tl, torch):
        rng = np.random.default_rng(0)
        x, t = (lib.tensor(rng.standard_normal(s), requires_grad=True) for s in ((40, 50, 1), (50, 9)))
        y = (x - t[:, :-1]) / (t[:, 1:] - t[:, :-1]) * x
        (y * y).sum().backward()
        found.append([v.detach().numpy() for v in (y, x.grad, t.grad)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
