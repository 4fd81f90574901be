import numpy as np
import pytest

from tinygrad_lite.datasets import make_blobs, make_cubic, make_regression, make_up_down, make_xor


def test_cubic():
    x, y = make_cubic(dtype=np.float64)
    assert x.shape == (700, 1) and y.shape == (700,)
    assert x.min() >= 0 and x.max() <= 5 and (np.diff(x[:, 0]) >= 0).all()
    residual = y - (x[:, 0] ** 3 + 4)
    assert abs(residual.mean()) < 1.5 and 9 < residual.std() < 11


def test_xor():
    X, y = make_xor(9)
    np.testing.assert_array_equal(y, X.astype(bool)[:, 0] ^ X.astype(bool)[:, 1])
    assert X[8].tolist() == [0, 0]
    X, y = make_xor(400, noise=0.1)
    np.testing.assert_array_equal(y, (X[:, 0] > 0.5) ^ (X[:, 1] > 0.5))


def test_up_down():
    X, y = make_up_down()
    assert X.shape == (50, 1, 10) and sorted(set(y)) == [-1, 1] and y.sum() == 0
    np.testing.assert_array_equal(np.sign(X[:, 0, -1] - X[:, 0, 0]), y)
    assert (np.diff(y) != 0).sum() < 49
    assert make_up_down(3)[1].sum() == 1


def test_blobs():
    places = np.array([[0.0, 0, 0], [100, 0, 0]])
    X, y = make_blobs(101, centers=places, cluster_std=2.0, random_state=1, dtype=np.float64)
    assert X.shape == (101, 3) and y.dtype == np.int64 and np.bincount(y).tolist() == [51, 50]
    assert 1.7 < (X - places[y]).std() < 2.3
    assert (np.diff(y) < 0).any()
    X, y = make_blobs(9, 4, centers=2, center_box=(5, 5), cluster_std=0, shuffle=False)
    assert (X == 5).all() and X.shape == (9, 4) and (np.diff(y) >= 0).all()


def test_regression():
    X, y, w = make_regression(
        50, 20, n_informative=4, n_targets=2, bias=3.0, coef=True, random_state=0, dtype="float64"
    )
    assert X.shape == (50, 20) and y.shape == (50, 2) and w.shape == (20, 2)
    assert (w != 0).any(axis=1).sum() == 4
    np.testing.assert_allclose(y, X @ w + 3)
    X, y = make_regression(2000, 3, noise=5.0, random_state=0, dtype=np.float64)
    design = np.column_stack([X, np.ones(2000)])
    assert 4.5 < (y - design @ np.linalg.lstsq(design, y, rcond=None)[0]).std() < 5.5
    assert make_regression(5, 2, n_informative=0, coef=True)[2].tolist() == [0, 0]


@pytest.mark.parametrize("make", [make_cubic, make_xor, make_up_down])
def test_seed_and_dtype(make):
    for one, two in zip(make(20, noise=1.0, seed=5), make(20, noise=1.0, seed=5), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(make(20, noise=1.0, seed=5)[0], make(20, noise=1.0, seed=6)[0])
    assert not np.array_equal(make(20, noise=1.0, seed=None)[0], make(20, noise=1.0, seed=None)[0])
    assert make(20, dtype="float64")[0].dtype == np.float64


@pytest.mark.parametrize("make", [make_blobs, make_regression])
def test_random_state_and_dtype(make):
    for one, two in zip(make(20, random_state=5), make(20, random_state=np.random.default_rng(5)), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(make(20)[0], make(20)[0])
    assert make(20)[0].dtype == np.float32 and make(20, dtype=float)[0].dtype == np.float64


@pytest.mark.parametrize("make", [make_cubic, make_xor, make_up_down, make_blobs, make_regression])
def test_wrong_arguments(make):
    noise = "cluster_std" if make is make_blobs else "noise"
    for n in (0, -1):
        with pytest.raises(ValueError, match=f"{make.__name__}: n.* expects at least 1"):
            make(n)
    for n in (2.0, "3", True, None):
        with pytest.raises(TypeError, match=f"{make.__name__}: n.* expects a whole number"):
            make(n)
    for value in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"{make.__name__}: {noise} expects a finite number"):
            make(5, **{noise: value})
    for value in ("1", None, 1j, [1.0]):
        with pytest.raises(TypeError, match=f"{make.__name__}: {noise} expects a number"):
            make(5, **{noise: value})
    with pytest.raises(TypeError, match=f"{make.__name__}: dtype expects a floating type, got int64"):
        make(5, dtype=np.int64)


def test_wrong_values():
    with pytest.raises(ValueError, match="length expects at least 2"):
        make_up_down(3, length=1)
    for centers in ([1.0, 2.0], [[np.nan, 0]], np.zeros((0, 2))):
        with pytest.raises(ValueError, match="centers expects"):
            make_blobs(5, centers=centers)
    for box in ((1, 0), (0, np.inf)):
        with pytest.raises(ValueError, match="center_box expects"):
            make_blobs(5, center_box=box)
    with pytest.raises(ValueError, match="bias expects a finite number"):
        make_regression(5, 2, bias=np.nan)
