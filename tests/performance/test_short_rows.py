"""Ops of many short rows: to the last bit what NumPy computes, in NumPy's order in memory, whatever the layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine import new
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


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No native loop in front."""
    monkeypatch.setattr(short_rows, "FAST", [])


@pytest.mark.parametrize("n", [1, 2, 3, 8, 32, 33])
def test_native_rows_are_numpys_to_the_last_bit(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_rows, "FAST", [(1, 1 << 62, function) for *_, function in short_rows.FAST])
    compare(n, np.float32)


@pytest.mark.parametrize("n", [1, 3, 32, 33])
def test_several_threads_compute_numpys_numbers(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if not short_rows.FAST:
        pytest.skip("needs llvmlite")
    from tinygrad_lite.native import arithmetic, library

    monkeypatch.setattr(short_rows, "FAST", [(1, 1, function) for *_, function in short_rows.FAST])
    monkeypatch.setattr(arithmetic, "LARGE", 1)
    monkeypatch.setattr(library, "SHARED", 1)
    monkeypatch.setattr(library, "WAKING", 1)
    before = tl.get_num_threads()
    try:
        tl.set_num_threads(3)
        compare(n, np.float32)
        x = np.random.default_rng(n).standard_normal((70, n, 30)).astype(np.float32)
        for other in (2.5, np.float32(-3), x[0], x[:, :1], x[:1, :, :1], x.swapaxes(0, 2).copy().swapaxes(0, 2)):
            for ufunc in UFUNCS:
                found = short_rows.applied(ufunc, x, other)
                expected = ufunc(x, other)
                np.testing.assert_array_equal(found, expected, err_msg=str(ufunc), strict=True)
                assert found.strides == expected.strides
        wide = np.ones((7, n, 70), np.float32)  # turned around, its rows stay rows, but in another order
        for turned in (x.transpose(2, 0, 1), wide.transpose(1, 0, 2)):
            assert short_rows.applied(np.add, turned, turned).strides == (turned + turned).strides
    finally:
        tl.set_num_threads(before)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 32, 33])
def test_short_rows_are_numpys_to_the_last_bit(n: int, dtype: Any) -> None:
    compare(n, dtype)


def compare(n: int, dtype: Any) -> None:
    for name, (a, b) in operands(n, dtype).items():
        for ufunc in UFUNCS:
            with np.errstate(all="ignore"):
                expected, found = ufunc(a, b), short_rows.applied(ufunc, a, b)
            np.testing.assert_array_equal(found, expected, err_msg=f"{name} {ufunc}", strict=True)
            assert found.strides == expected.strides or name in ("transposed", "broadcast", "rows twice"), name


@pytest.mark.usefixtures("plain")
def test_rows_are_laid_out_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    laid: list[bool] = []
    rows = short_rows._rows
    monkeypatch.setattr(short_rows, "_rows", lambda a, n: laid.append(rows(a, n) is not a) or rows(a, n))
    x, knots = tl.rand(50, 60, 1), tl.rand(60, 9)
    y = x - knots[:, :-1]
    assert laid == [True, True] and y.shape == (50, 60, 8) and y.is_contiguous()
    images = tl.rand(16, 8, 16, 16)
    _ = images * tl.rand(8, 1, 1)
    assert laid == [True, True, False, False], "one number for all rows of a channel"
    del laid[:]
    y = knots[:, :-1] - x
    assert laid == [True, True] and y.is_contiguous(), "the second operand may be the large one"
    _ = tl.rand(5, 6, 1) - knots[:6, :-1]
    assert len(laid) == 2, "few rows"


@pytest.mark.parametrize("shape", [(70, 40, 2), (70, 40, 32), (9, 50, 64), (3000, 5, 4), (4096, 3), (2, 3, 40, 50)])
def test_sums_round_no_more_than_numpys(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)
    wide = x.astype(np.float64)
    for axis in (*range(len(shape)), -2):
        exact, scale = wide.sum(axis, keepdims=True), np.abs(wide).sum(axis, keepdims=True)
        for keepdim in (False, True):
            y = tl.sum(tl.tensor(x), axis, keepdim).numpy()
            assert y.shape == np.sum(x, axis, keepdims=keepdim).shape and y.dtype == np.float32
            assert (np.abs(y.reshape(exact.shape) - exact) <= 5e-7 * scale).all()
            mean = tl.mean(tl.tensor(x), axis, keepdim).numpy()
            np.testing.assert_array_equal(mean, (y / np.float32(shape[axis])).astype(np.float32))
        assert tl.sum(tl.tensor(wide), axis).numpy().tobytes() == wide.sum(axis).tobytes(), "float64 is plain"
        spread = tl.zeros(exact.shape, requires_grad=True)
        (tl.tensor(x) * spread).sum().backward()
        assert (np.abs(spread.grad.numpy() - exact) <= 5e-7 * scale).all(), "the sum is the gradient of broadcasting"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gram_matrices_of_short_rows_are_whole_products(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[tuple[int, ...]] = []
    contiguous = new.ascontiguousarray
    monkeypatch.setattr(new, "ascontiguousarray", lambda a: copied.append(a.shape) or contiguous(a))
    for shape in ((300, 7), (3, 90, 5)):
        x = tl.tensor(np.random.default_rng(0).standard_normal(shape).astype(dtype))
        parts = tl.cat([x, x + 1], -1)
        left, right = parts[..., : shape[-1]], parts[..., shape[-1] :]
        for a, b, gram in ((x, x.mT, True), (left, left.mT, True), (left, right.mT, False), (x.mT, x, False)):
            del copied[:]
            y = (a @ b).numpy()
            exact = a.numpy().astype(np.float64) @ b.numpy().astype(np.float64)
            np.testing.assert_allclose(y, exact, rtol=1e-5, atol=1e-5)
            assert copied == [tuple(b.shape)] * gram, "NumPy would copy half of the result number by number"


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


@pytest.mark.parametrize("shape", [(500, 10), (40, 4, 33), (64, 128), (2000, 2)])
def test_softmax_of_short_rows(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = 5 * rng.standard_normal(shape).astype(np.float32)
    masked, apart, nan, none = x.copy(), x + 0, x.copy(), x.copy()
    masked[..., 1:][x[..., 1:] > 0] = -np.inf
    apart[0] += 200
    nan[3, ..., 1] = np.nan
    none[5] = -np.inf
    for name, v in {"plain": x, "masked": masked, "apart": apart, "nan": nan, "none": none}.items():
        with np.errstate(invalid="ignore"):
            y = tl.softmax(tl.tensor(v), -1).numpy()
            e = np.exp(v.astype(np.float64) - v.max(-1, keepdims=True))
            expected = e / e.sum(-1, keepdims=True)
        np.testing.assert_allclose(y, expected, rtol=6e-6, atol=2e-7 * (name == "apart"), err_msg=name)


@pytest.mark.parametrize(("size", "kernel"), [((8, 8), (8, 8)), ((9, 7), (2, 3)), ((16, 4), (4, 1)), ((5, 5), (1, 1))])
def test_windows_side_by_side(size: tuple[int, int], kernel: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal((3, 4, *size))
    found = []
    for lib in (tl, torch):
        t = lib.tensor(x, requires_grad=True)
        y = lib.nn.functional.avg_pool2d(t, kernel)
        (y * y).sum().backward()
        found.append([y.detach().numpy(), t.grad.numpy()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
