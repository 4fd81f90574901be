"""Small windows looked up in a table, against the ways that large images go."""

from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine import new
from tinygrad_lite.nn import functional as F
from tinygrad_lite.ops.windows import table as lookup
from tinygrad_lite.ops.windows.blocked import fast_convolution


@pytest.fixture
def nothing_looked_up(monkeypatch):
    """No table is short enough."""

    def switch():
        monkeypatch.setattr(lookup, "FEW", 0)
        lookup.columns.cache_clear()
        lookup.windows.cache_clear()

    yield switch
    lookup.columns.cache_clear()
    lookup.windows.cache_clear()


def both(function, *arrays):
    """Value and gradients of a function of arrays."""
    tensors = [tl.tensor(a, requires_grad=True) for a in arrays]
    out = function(*tensors)
    weights = np.random.default_rng(1).normal(size=out.shape).astype(out.dtype)
    (out * tl.tensor(weights)).sum().backward()
    return [out.array, *[t.grad.array for t in tensors]]


@pytest.mark.parametrize("n, c, o, size, kernel, stride, dilation", [
    (1, 1, 1, (5, 5), (2, 2), 1, 1),
    (1, 3, 4, (6, 7), (3, 2), (2, 1), 1),
    (3, 2, 5, (6, 7), (2, 3), 1, (2, 1)),
    (2, 2, 3, (9,), (3,), 2, 1),
    (1, 2, 2, (3, 4, 5), (2, 2, 2), 1, 1),
])  # fmt: skip
@pytest.mark.parametrize("with_bias", [False, True])
def test_convolution(n, c, o, size, kernel, stride, dilation, with_bias, nothing_looked_up):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(n, c, *size)).astype("f"), rng.normal(size=(o, c, *kernel)).astype("f")
    assert lookup.columns(x.shape, kernel, (1,) * len(size), ((0, 0),) * len(size), (1,) * len(size)) is not None
    arrays = (x, w, rng.normal(size=o).astype("f")) if with_bias else (x, w)
    function = getattr(F, f"conv{len(size)}d")

    def call(x, w, b=None):
        return function(x, w, b, stride, 0, dilation)

    few = both(call, *arrays)
    with fast_convolution(False):
        plain = both(call, *arrays)
    nothing_looked_up()
    many = both(call, *arrays)
    for a, b, d in zip(few, plain, many, strict=True):
        assert a.dtype == np.float32 and a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose(a, d, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("shape, kernel, stride", [
    ((1, 1, 4, 4), 2, None), ((2, 3, 5, 7), (2, 3), (2, 4)), ((2, 1, 8), 3, 3), ((1, 2, 4, 4, 4), 2, 2),
])  # fmt: skip
def test_max_pooling_with_ties_and_without(dtype, shape, kernel, stride, nothing_looked_up):
    rng = np.random.default_rng(0)
    function = getattr(F, f"max_pool{len(shape) - 2}d")
    draws = [rng.normal(size=shape).astype(dtype), rng.integers(0, 2, shape).astype(dtype), np.zeros(shape, dtype)]
    few = [both(lambda x: function(x, kernel, stride), x) for x in draws]
    nothing_looked_up()
    many = [both(lambda x: function(x, kernel, stride), x) for x in draws]
    for one, other in zip(few, many, strict=True):
        for a, b in zip(one, other, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def test_nan_infinity_and_integers_are_pooled_as_in_large_images(nothing_looked_up):
    x = np.array([[[[np.nan, 1, 2, np.inf], [3, np.nan, 5, 1], [-np.inf] * 4, [-np.inf, 0, -np.inf, -np.inf]]]])
    few = both(lambda x: F.max_pool2d(x, 2), x)
    few_ints = F.max_pool2d(tl.arange(16).reshape(1, 1, 4, 4), 2)
    nothing_looked_up()
    many = both(lambda x: F.max_pool2d(x, 2), x)
    for a, b in zip(few, many, strict=True):
        np.testing.assert_array_equal(a, b)
    assert few_ints.tolist() == F.max_pool2d(tl.arange(16).reshape(1, 1, 4, 4), 2).tolist() == [[[[5, 7], [13, 15]]]]
    assert few_ints.dtype == tl.int64


def test_an_image_that_is_not_contiguous():
    x = np.random.default_rng(0).normal(size=(1, 4, 5, 2)).astype("f").transpose(0, 3, 1, 2)
    w = np.random.default_rng(1).normal(size=(2, 2, 2, 2)).astype("f")
    for one, other in [
        (F.conv2d(tl.tensor(x), tl.tensor(w)), F.conv2d(tl.tensor(x.copy()), tl.tensor(w))),
        (F.max_pool2d(tl.tensor(x), 2), F.max_pool2d(tl.tensor(x.copy()), 2)),
    ]:
        np.testing.assert_array_equal(one.array, other.array)


def test_tables_cannot_be_written_and_large_ones_are_not_made():
    table, count = lookup.columns((1, 1, 5, 5), (2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1))
    assert table.shape == (4, 16) and count == (4, 4) and not table.flags.writeable
    assert lookup.columns((64, 3, 32, 32), (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1)) is None
    assert lookup.windows((1, 1, 4, 4), (2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1)) is None, "windows overlap"
    assert lookup.windows((1, 1, 4, 4), (2, 2), (2, 2), ((1, 1), (1, 1)), (1, 1)) is None, "padding"


@pytest.mark.parametrize("build", [lookup.columns, lookup.windows])
def test_tables_of_another_maker_are_not_kept(build):
    shape = (2, 1, 6, 6), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)
    build.cache_clear()
    made = []

    def arange(*args):
        made.append(args)
        return np.arange(*args)

    with new.redirect(SimpleNamespace(arange=arange)):
        inside = build(*shape)
    assert made
    outside = build(*shape)
    assert outside[0] is not inside[0] and build(*shape)[0] is outside[0]
    made.clear()
    with new.redirect(SimpleNamespace(arange=arange)):
        build(*shape)
    assert made, "a table kept from before hides what the maker should see"
