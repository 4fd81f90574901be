"""Large arrays against a number: by vector instructions, with the same result."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.elementwise.activation import RUN, bounded


@pytest.mark.parametrize("dtype", ["f", "d", "e", "l"])
@pytest.mark.parametrize("shape", [(), (3,), (4 * RUN - 1,), (4 * RUN,), (4 * RUN + 7,), (3, 5, 7 * RUN // 5)])
def test_the_same_as_numpy(dtype, shape):
    x = np.asarray(np.random.default_rng(0).normal(size=shape) * 5).astype(dtype)
    if x.size > 10 and x.dtype.kind == "f":
        x.ravel()[[1, 5, -1]] = [np.nan, np.inf, -np.inf]
    for ufunc in (np.maximum, np.minimum):
        one = x.dtype.type(1)  # a Python number decides over the dtype of a 0-d array in NumPy 1
        result = bounded(ufunc, x, one)
        assert result.dtype == x.dtype
        np.testing.assert_array_equal(result, ufunc(x, one))
        np.testing.assert_array_equal(bounded(ufunc, x.T, one), ufunc(x.T, one))
        into = np.array(x)
        assert bounded(ufunc, into, one, out=into) is into
        np.testing.assert_array_equal(into, ufunc(x, one))


@pytest.mark.parametrize("n", [5, 5 * RUN])
def test_relu_and_sigmoid_of_many_and_of_few(n):
    values = np.random.default_rng(0).normal(size=n) * 50
    values[:4] = [np.inf, -np.inf, 0.0, -0.0]
    for dtype in ("f", "d"):
        x = tl.tensor(values.astype(dtype), requires_grad=True)
        y = tl.relu(x)
        y.sum().backward()
        np.testing.assert_array_equal(y.array, np.maximum(x.array, 0))
        np.testing.assert_array_equal(x.grad.array, (x.array > 0).astype(dtype))
        with np.errstate(all="ignore"):
            exact = 1 / (1 + np.exp(-x.array.astype("d")))
        np.testing.assert_allclose(tl.sigmoid(x).array, exact, rtol=1e-6 if dtype == "f" else 1e-14, atol=1e-37)


@pytest.mark.parametrize("n", [4, 5 * RUN])
def test_relu_stops_even_an_infinite_gradient(n):
    x = tl.tensor(np.linspace(-1, 1, n), requires_grad=True)
    tl.relu(x).backward(np.full(n, np.inf))
    assert x.grad.array[0] == 0 and np.isinf(x.grad.array[-1]) and not np.isnan(x.grad.array).any()
