"""Max-pooling by comparisons says what a search in every window says."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.ops.windows.correlation import max_pool, out_size, padded, to_largest, window_max, windows

pytestmark = pytest.mark.usefixtures("numpy_alone")

CASES = [
    # size, kernel, stride, pads, dilation
    ((6, 8), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((7, 9), (2, 2), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((7, 9), (3, 2), (1, 2), ((1, 1), (1, 0)), (1, 1)),
    ((9, 9), (2, 3), (3, 1), ((0, 1), (0, 0)), (2, 1)),
    ((5, 6), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ((5, 6), (1, 1), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((8,), (3,), (2,), ((1, 1),), (1,)),
    ((4, 5, 6), (2, 2, 3), (2, 1, 3), ((0, 0), (1, 0), (0, 0)), (1, 1, 1)),
]


def searched(x, kernel, stride, pads, dilation):
    """Return values and indices found with argmax over copies of all windows."""
    size = x.shape[2:]
    count = out_size(size, kernel, stride, pads, dilation)
    view = windows(padded(x, pads, -np.inf), kernel, stride, dilation, count)
    flat = view.reshape(*x.shape[:2], int(np.prod(kernel)), *count)
    best = flat.argmax(axis=2)
    index = np.zeros(best.shape, int)
    for axis, inside in enumerate(np.unravel_index(best, kernel)):
        start = np.arange(count[axis]) * stride[axis] - pads[axis][0]
        index = index * size[axis] + inside * dilation[axis] + start.reshape(-1, *(1,) * (len(size) - 1 - axis))
    return np.take_along_axis(flat, best[:, :, None], 2)[:, :, 0], index


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("kind", ["ties", "floats", "nan", "infinite", "double"])
def test_against_search(case, kind):
    size, *how = case
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 3, *size)).astype(np.float64 if kind == "double" else np.float32)
    if kind == "ties":
        x = np.round(x)
    if kind == "nan":
        x[rng.random(x.shape) < 0.1] = np.nan
    if kind == "infinite":
        x[rng.random(x.shape) < 0.2] = np.inf
    values, index = searched(x, *how)
    assert np.array_equal(window_max(x, *how), values, equal_nan=True)
    ours = max_pool(x, *how)
    assert np.array_equal(ours[0], values, equal_nan=True) and np.array_equal(ours[1], index)
    for g in (rng.standard_normal(values.shape).astype(x.dtype), np.full(values.shape, np.inf, x.dtype)):
        there = np.zeros((*x.shape[:2], int(np.prod(size))), x.dtype)
        np.add.at(there, (*np.indices(values.shape, sparse=True)[:2], index), g)
        assert np.allclose(to_largest(g, x, values, *how), there.reshape(x.shape), rtol=1e-6, equal_nan=False)


def test_integers():
    x = np.arange(2 * 16).reshape(1, 2, 4, 4) % 7
    y = window_max(x, (2, 2), (2, 2), ((1, 1), (0, 0)), (1, 1))
    assert y.dtype == x.dtype and y[0, 0, 0, 0] == 1


def test_the_result_is_never_the_input():
    x = tl.ones(1, 1, 3, 3)
    y = tl.nn.functional.max_pool2d(x, 1)
    y.array[...] = 5
    assert (x.array == 1).all()


def test_one_input_and_one_result_are_kept():
    x = tl.ones(1, 1, 4, 4)
    x.requires_grad = True
    y = tl.nn.functional.max_pool2d(x, 2)
    kept = [v for v in y.node.saved if isinstance(v, np.ndarray)]
    assert sorted(a.size for a in kept) == [4, 16]
