"""Small generated data sets, as used in textbooks and in the recipes.

``make_blobs`` and ``make_regression`` have scikit-learn's arguments, except the rarer ones.  The same seed gives the
same data on every machine.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tinygrad_lite.datasets.seeds import seeded
from tinygrad_lite.engine.arguments import named

Seed = int | np.random.Generator | None
Arrays = tuple[NDArray[Any], NDArray[Any]]


@named
def make_cubic(n: int = 700, noise: float = 10.0, seed: Seed = 0, dtype: DTypeLike = np.float32) -> Arrays:
    """Return points of a noisy cubic, ``y = x**3 + 4 + N(0, noise)``.

    x is uniform in [0, 5] and sorted.

    Args:
        n: number of points.
        noise: standard deviation of the normal noise, in units of y; its square is the least mean squared error that a
            model can reach on new points.
        seed: of the noise and of x.
        dtype: floating type of both arrays.

    Returns:
        x ``(n, 1)`` and y ``(n,)``.

    >>> x, y = make_cubic(5, noise=0.0)
    >>> bool(np.allclose(y, x[:, 0] ** 3 + 4))
    True
    """
    _at_least("make_cubic", "n", n, 1)
    _spread("make_cubic", "noise", noise)
    rng, out = seeded("make_cubic", seed), _floating("make_cubic", dtype)
    x = np.sort(rng.uniform(0.0, 5.0, n))
    y = x**3 + 4.0 + noise * rng.standard_normal(n)
    return x[:, None].astype(out), y.astype(out)


@named
def make_xor(n: int = 4, noise: float = 0.0, seed: Seed = 0, dtype: DTypeLike = np.float32) -> Arrays:
    """Return the truth table of XOR, its four rows repeated, plus ``N(0, noise)``.

    Args:
        n: number of rows; four give the table once.
        noise: standard deviation of the normal noise on the inputs.
        seed: of the noise.
        dtype: floating type of both arrays.

    Returns:
        X ``(n, 2)`` and y ``(n,)`` of zeros and ones.

    >>> X, y = make_xor()
    >>> X.tolist(), y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0, 0.0])
    """
    _at_least("make_xor", "n", n, 1)
    _spread("make_xor", "noise", noise)
    rng, out = seeded("make_xor", seed), _floating("make_xor", dtype)
    row = np.arange(n) % 4
    X = np.stack([row // 2, row % 2], axis=1) + noise * rng.standard_normal((n, 2))
    return X.astype(out), ((row == 1) | (row == 2)).astype(out)


@named
def make_up_down(
    n: int = 50, length: int = 10, noise: float = 0.1, seed: Seed = 0, dtype: DTypeLike = np.float32
) -> Arrays:
    """Return short series that rise or fall by one unit per step, half of each.

    Each series starts at a uniform point of [-1, 1]; ``N(0, noise)`` is added to every value.  The
    two-weight kernel (-1, 1), the difference of neighbours, separates them: its mean response is the target up to
    noise.

    Args:
        n: number of series.
        length: values per series, at least 2.
        noise: standard deviation of the normal noise.
        seed: of order, starts and noise.
        dtype: floating type of both arrays.

    Returns:
        X ``(n, 1, length)``, channels in the middle as a 1-D convolution expects them, and y ``(n,)``: 1 up, -1 down.

    >>> X, y = make_up_down(4, length=3, noise=0.0)
    >>> (X[:, 0, 1:] - X[:, 0, :-1]).mean(axis=1).round(5).tolist() == y.tolist()
    True
    """
    _at_least("make_up_down", "n", n, 1)
    _at_least("make_up_down", "length", length, 2)
    _spread("make_up_down", "noise", noise)
    rng, out = seeded("make_up_down", seed), _floating("make_up_down", dtype)
    y = rng.permutation(np.where(np.arange(n) % 2, -1.0, 1.0))
    X = rng.uniform(-1.0, 1.0, (n, 1)) + y[:, None] * np.arange(length) + noise * rng.standard_normal((n, length))
    return X[:, None, :].astype(out), y.astype(out)


@named
def make_blobs(
    n_samples: int = 100,
    n_features: int = 2,
    *,
    centers: int | ArrayLike = 3,
    cluster_std: float = 1.0,
    center_box: tuple[float, float] = (-10.0, 10.0),
    shuffle: bool = True,
    random_state: Seed = None,
    dtype: DTypeLike = np.float32,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return round clusters of points around centres, of equal size up to one point.

    Args:
        n_samples: number of points in all.
        n_features: dimensions, if ``centers`` is a number.
        centers: their number, drawn uniformly from ``center_box``; or their positions ``(k, n_features)``.
        cluster_std: standard deviation of every cluster in every direction.
        center_box: lowest and highest coordinate of drawn centres.
        shuffle: shuffle the points; otherwise they are ordered by cluster.
        random_state: seed; ``None`` for different data each time.
        dtype: floating type of X.

    Returns:
        X ``(n_samples, n_features)`` and the index of each point's cluster ``(n_samples,)``, ``int64``.

    >>> X, y = make_blobs(6, centers=[[0, 0], [9, 9]], cluster_std=0.1, shuffle=False, random_state=0)
    >>> X.shape, bool((X[:3] < 1).all()), y.tolist()
    ((6, 2), True, [0, 0, 0, 1, 1, 1])
    """
    _at_least("make_blobs", "n_samples", n_samples, 1)
    _spread("make_blobs", "cluster_std", cluster_std)
    rng, out = seeded("make_blobs", random_state), _floating("make_blobs", dtype)
    if isinstance(centers, (int, np.integer)):
        _at_least("make_blobs", "centers", centers, 1)
        _at_least("make_blobs", "n_features", n_features, 1)
        low, high = center_box
        if not np.isfinite([low, high]).all() or low > high:
            raise ValueError(f"make_blobs: center_box expects (lowest, highest), got {center_box!r}")
        places = rng.uniform(low, high, (int(centers), n_features))
    else:
        places = np.asarray(centers, dtype=np.float64)
        if places.ndim != 2 or places.size == 0 or not np.isfinite(places).all():
            raise ValueError(
                f"make_blobs: centers expects a number or finite places (k, n_features), got {places.shape}"
            )
    y = np.sort(np.arange(n_samples) % len(places))
    if shuffle:
        y = rng.permutation(y)
    X = places[y] + cluster_std * rng.standard_normal((n_samples, places.shape[1]))
    return X.astype(out), y.astype(np.int64)


@named
def make_regression(
    n_samples: int = 100,
    n_features: int = 100,
    *,
    n_informative: int = 10,
    n_targets: int = 1,
    bias: float = 0.0,
    noise: float = 0.0,
    coef: bool = False,
    random_state: Seed = None,
    dtype: DTypeLike = np.float32,
) -> tuple[NDArray[Any], ...]:
    """Return a linear problem in which only some features matter.

    ``y = X @ w + bias + N(0, noise)``.
    X is standard normal; ``min(n_informative, n_features)`` rows of w, anywhere, are uniform in [0, 100), the others 0.

    Args:
        n_samples: number of rows.
        n_features: number of columns.
        n_informative: the number of features that matter.
        n_targets: number of targets; one gives flat y and w.
        bias: the intercept.
        noise: standard deviation of the normal noise on y.
        coef: return w as well.
        random_state: seed; ``None`` for different data each time.
        dtype: floating type of all arrays.

    Returns:
        X ``(n_samples, n_features)``, y ``(n_samples,)`` or ``(n_samples, n_targets)``, and with ``coef`` also w
        ``(n_features,)`` or ``(n_features, n_targets)``.

    >>> X, y, w = make_regression(20, 3, bias=2.0, coef=True, random_state=0, dtype=np.float64)
    >>> bool(np.allclose(y, X @ w + 2.0))
    True
    """
    sizes = {"n_samples": n_samples, "n_features": n_features, "n_targets": n_targets}
    for name, value in sizes.items():
        _at_least("make_regression", name, value, 1)
    _at_least("make_regression", "n_informative", n_informative, 0)
    _spread("make_regression", "noise", noise)
    if not np.isfinite(bias):
        raise ValueError(f"make_regression: bias expects a finite number, got {bias!r}")
    rng, out = seeded("make_regression", random_state), _floating("make_regression", dtype)
    X = rng.standard_normal((n_samples, n_features))
    w = np.zeros((n_features, n_targets))
    informative = rng.permutation(n_features)[:n_informative]
    w[informative] = rng.uniform(0.0, 100.0, (len(informative), n_targets))
    y = X @ w + bias + noise * rng.standard_normal((n_samples, n_targets))
    if n_targets == 1:
        w, y = w[:, 0], y[:, 0]
    return tuple(array.astype(out) for array in ((X, y, w) if coef else (X, y)))


def _at_least(maker: str, name: str, value: int | np.integer[Any], least: int) -> None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{maker}: {name} expects a whole number, got {value!r}")
    if value < least:
        raise ValueError(f"{maker}: {name} expects at least {least}, got {value}")


def _spread(maker: str, name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{maker}: {name} expects a number, got {value!r}")
    if not (np.isfinite(value) and value >= 0):
        raise ValueError(f"{maker}: {name} expects a finite number, at least 0, got {value!r}")


def _floating(maker: str, dtype: DTypeLike) -> np.dtype[Any]:
    out = np.dtype(dtype)
    if out.kind != "f":
        raise TypeError(f"{maker}: dtype expects a floating type, got {out}")
    return out
