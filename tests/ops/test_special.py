"""Special functions against SciPy, to the last digits."""
# ruff: noqa: E501 - a table, one row per line

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.elementwise import special_values as values

special = pytest.importorskip("scipy.special")
RNG = np.random.default_rng(0)
WIDE = np.concatenate([RNG.normal(size=300), RNG.uniform(-6, 6, 300), 10.0 ** RNG.uniform(-12, 0, 100), [0.0]])
POSITIVE = np.concatenate([RNG.uniform(0.01, 20, 300), 10.0 ** RNG.uniform(-8, 6, 100), [1.0, 2.0, 3.0]])
NEGATIVE = -RNG.uniform(0.05, 0.95, 200) - RNG.integers(0, 6, 200)


@pytest.mark.parametrize(("mine", "theirs", "at", "rtol"), [
    (values.erf, special.erf, WIDE, 1e-15),
    (values.erfc, special.erfc, np.concatenate([WIDE, RNG.uniform(5, 26, 100)]), 1e-13),
    (values.erfinv, special.erfinv, np.concatenate([RNG.uniform(-1, 1, 300), 1 - 10.0 ** RNG.uniform(-15, -1, 50)]), 2e-15),
    (values.lgamma, special.gammaln, POSITIVE, 1e-14),
    (values.lgamma, special.gammaln, NEGATIVE, 1e-12),
    (values.digamma, special.digamma, POSITIVE, 1e-14),
    (values.digamma, special.digamma, NEGATIVE, 1e-11),
    (lambda x: values.polygamma(1, x), lambda x: special.polygamma(1, x), POSITIVE, 1e-14),
    (lambda x: values.polygamma(3, x), lambda x: special.polygamma(3, x), POSITIVE, 1e-14),
    (lambda x: values.bessel_i(0, x), special.i0, np.concatenate([WIDE * 5, RNG.uniform(-500, 500, 50)]), 5e-15),
    (lambda x: values.bessel_i(1, x), special.i1, np.concatenate([WIDE * 5, RNG.uniform(-500, 500, 50)]), 5e-15),
    (lambda x: values.bessel_i(2, x), lambda x: special.iv(2, x), WIDE * 5, 1e-14),
], ids=["erf", "erfc", "erfinv", "lgamma", "lgamma<0", "digamma", "digamma<0", "polygamma1", "polygamma3", "i0", "i1", "i2"])  # fmt: skip
def test_like_scipy(mine: Any, theirs: Any, at: Any, rtol: float) -> None:
    np.testing.assert_allclose(mine(at), theirs(at), rtol=rtol, atol=0)


@pytest.mark.parametrize(("name", "at", "expected"), [
    ("erf", [np.inf, -np.inf, 0.0], [1.0, -1.0, 0.0]),
    ("erfc", [np.inf, -np.inf, 0.0], [0.0, 2.0, 1.0]),
    ("erfinv", [1.0, -1.0, 0.0], [np.inf, -np.inf, 0.0]),
    ("lgamma", [0.0, -1.0, 1.0, 2.0, np.inf], [np.inf, np.inf, 0.0, 0.0, np.inf]),
    ("digamma", [0.0, np.inf], [-np.inf, np.inf]),
    ("i0", [0.0], [1.0]),
    ("sinc", [0.0, 1.0], [1.0, 0.0]),
])  # fmt: skip
def test_ends(name: str, at: list[float], expected: list[float]) -> None:
    y = getattr(tl, name)(tl.tensor(at, dtype=tl.float64))
    np.testing.assert_allclose(y.array, expected, atol=1e-15)


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv", "lgamma", "digamma", "i0"])
def test_nan_dtype_and_shape_are_kept(name: str) -> None:
    for dtype in (tl.float32, tl.float64):
        y = getattr(tl, name)(tl.tensor([[np.nan], [0.5]], dtype=dtype))
        assert y.dtype == dtype and y.shape == (2, 1)
        assert np.isnan(y.array[0, 0]) and np.isfinite(y.array[1, 0])
    assert getattr(tl, name)(tl.tensor(0.5)).shape == ()
    assert getattr(tl, name)(tl.zeros(0, 3)).shape == (0, 3)


def test_large_arrays_go_block_by_block() -> None:
    x = np.linspace(-4, 4, 3 * values.BLOCK + 7)
    np.testing.assert_allclose(values.erf(x), special.erf(x), rtol=1e-15)
    np.testing.assert_allclose(values.erf(x.astype(np.float32)[::-2]), special.erf(x[::-2]), rtol=1e-6)


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv", "gammaln", "digamma", "erfcx", "ndtri", "log_ndtr"])
def test_few_values_have_the_same_bits_as_many(name: str) -> None:
    drawn = np.random.default_rng(0)
    edges = [0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 1e-300, 0.1, 0.9]
    x = np.concatenate([drawn.normal(size=40), drawn.uniform(0, 30, 40), drawn.uniform(size=40), edges])
    f = getattr(tl.special, name)
    many = f(tl.tensor(x)).numpy()
    few = np.concatenate([f(tl.tensor(x[i : i + 3])).numpy() for i in range(0, len(x), 3)])
    assert np.array_equal(many, few, equal_nan=True)
    assert np.array_equal(np.signbit(many) & ~np.isnan(many), np.signbit(few) & ~np.isnan(few))


def test_long_vectors_of_incomplete_integrals_are_computed_in_blocks() -> None:
    a, x = np.random.default_rng(0).uniform(0.1, 20, (2, 3000))
    whole = tl.special.gammainc(tl.tensor(a), tl.tensor(x)).numpy()
    parts = [tl.special.gammainc(tl.tensor(a[i : i + 7]), tl.tensor(x[i : i + 7])).numpy() for i in range(0, 3000, 7)]
    np.testing.assert_allclose(whole, np.concatenate(parts), rtol=1e-13)
