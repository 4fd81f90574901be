"""NumPy's and SciPy's functions without an op run on the arrays of tensors that require no gradients."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import scipy.cluster.vq
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.spatial
import scipy.special
import scipy.stats

import tinygrad_lite as tl

X = np.array([3.0, 1.0, 2.0], np.float32)
CALLS: dict[str, Any] = {
    "fft": np.fft.fft, "partition": lambda x: np.partition(x, 1), "nested": lambda x: np.histogram_bin_edges(x, bins=3),
    "polyfit": lambda x: np.polyfit([0.0, 1.0, 2.0], x, 1), "expit": scipy.special.expit, "frexp": np.frexp,
    "reduceat": lambda x: np.add.reduceat(x, [0, 1]), "out": lambda x: np.add(x, 1, out=np.zeros(3)),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_untracked_tensors_are_arrays(name: str) -> None:
    ours = CALLS[name](tl.tensor(X))
    assert not isinstance(ours, tl.Tensor)
    np.testing.assert_array_equal(ours, CALLS[name](X))


VECTOR, SQUARE = np.array([1.0, 2.0, 4.0, 3.0]), np.array([[2.0, 1.0], [1.0, 3.0]])
WHOLE: dict[str, tuple[Any, Any]] = {
    "savetxt": (lambda x: text(np.savetxt, x), VECTOR), "save": (lambda x: text(np.save, x, io.BytesIO), VECTOR),
    "polyval": (lambda x: np.polyval(x, 2.0), VECTOR), "roots": (np.roots, VECTOR), "vander": (np.vander, VECTOR),
    "fft2": (np.fft.fft2, SQUARE), "ifft": (np.fft.ifft, VECTOR), "eig": (lambda x: tuple(np.linalg.eig(x)), SQUARE),
    "eigvals": (np.linalg.eigvals, SQUARE), "cond": (np.linalg.cond, SQUARE), "i0": (np.i0, VECTOR),
    "histogram2d": (lambda x: np.histogram2d(x, x), VECTOR), "unwrap": (np.unwrap, VECTOR),
    "apply_along_axis": (lambda x: np.apply_along_axis(np.ptp, 0, x), SQUARE),
    "nextafter": (lambda x: np.nextafter(x, 9), VECTOR),
    "interp": (lambda x: np.interp(2.5, np.sort(VECTOR), x), VECTOR),
    "piecewise": (lambda x: np.piecewise(x, [x < 2], [0, 1]), VECTOR),
    "vectorize": (lambda x: np.vectorize(lambda v: v + 1)(x), VECTOR), "gamma": (scipy.special.gamma, VECTOR),
    "jv": (lambda x: scipy.special.jv(1, x), VECTOR), "logsumexp": (scipy.special.logsumexp, VECTOR),
    "expm": (scipy.linalg.expm, SQUARE), "lu": (scipy.linalg.lu, SQUARE), "sqrtm": (scipy.linalg.sqrtm, SQUARE),
    "signal.convolve": (lambda x: scipy.signal.convolve(x, x), VECTOR),
    "find_peaks": (lambda x: scipy.signal.find_peaks(x)[0], VECTOR),
    "savgol": (lambda x: scipy.signal.savgol_filter(x, 3, 1), VECTOR),
    "describe": (lambda x: scipy.stats.describe(x)[2:], VECTOR),
    "ttest": (lambda x: tuple(scipy.stats.ttest_ind(x, x * 2)), VECTOR), "norm.pdf": (scipy.stats.norm.pdf, VECTOR),
    "kde": (lambda x: scipy.stats.gaussian_kde(x)(x), VECTOR),
    "spline": (lambda x: scipy.interpolate.CubicSpline(np.arange(4), x)(1.5), VECTOR),
    "dct": (scipy.fft.dct, VECTOR), "gaussian_filter": (lambda x: scipy.ndimage.gaussian_filter(x, 1), SQUARE),
    "nnls": (lambda x: scipy.optimize.nnls(x, x[0])[0], SQUARE),
    "cdist": (lambda x: scipy.spatial.distance.cdist(x, x), SQUARE),
    "curve_fit": (lambda x: scipy.optimize.curve_fit(lambda t, a: a * t, x, x)[0], VECTOR),
    "simpson": (scipy.integrate.simpson, VECTOR), "whiten": (scipy.cluster.vq.whiten, SQUARE),
    "KDTree": (lambda x: scipy.spatial.KDTree(x).query(x[:1])[1], SQUARE),
}  # fmt: skip


def text(write: Any, x: Any, kind: Any = io.StringIO) -> Any:
    file = kind()
    write(file, x)
    return file.getvalue()


@pytest.mark.parametrize("name", WHOLE)
def test_whole_calls_take_tensors_like_arrays(name: str) -> None:
    call, x = WHOLE[name]
    ours, theirs = call(tl.tensor(x)), call(x)
    if isinstance(theirs, (str, bytes)):
        assert ours == theirs
    else:
        for a, b in zip(*((y if isinstance(y, tuple) else (y,)) for y in (ours, theirs)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("name", CALLS)
def test_tracked_tensors_raise(name: str) -> None:
    x = tl.tensor(X, requires_grad=True)
    with pytest.raises(TypeError, match="not supported"):
        CALLS[name](x)
    with tl.no_grad():  # nothing is recorded here, so nothing can be lost
        np.testing.assert_array_equal(CALLS[name](x), CALLS[name](X))


def test_save() -> None:
    file = io.BytesIO()
    np.save(file, tl.tensor(X))
    file.seek(0)
    np.testing.assert_array_equal(np.load(file), X)


@pytest.mark.parametrize(
    "write",
    [
        lambda t: np.copyto(t, 1.0), lambda t: np.put(t, 0, 1.0), lambda t: np.add.at(t, [0], 1),
        lambda t: np.add(X, 1, out=t), lambda t: np.frexp(X, out=(t, None)), lambda t: np.fill_diagonal(t, 0.0),
    ],
)  # fmt: skip
def test_no_array_is_written_behind_a_tensor(write: Any) -> None:
    t = tl.tensor(X)
    with pytest.raises(TypeError):
        write(t)
    np.testing.assert_array_equal(t.numpy(), X)


@pytest.mark.parametrize(
    "write",
    [
        lambda a, t: np.copyto(a, t), lambda a, t: np.put(a, [2, 0, 1], t), lambda a, t: np.add.at(a, [0, 0, 1], t),
        lambda a, t: np.putmask(a, t > 1, t), lambda a, t: np.place(a, t > 1, t), lambda a, t: np.copyto(dst=a, src=t),
    ],
)  # fmt: skip
def test_tensors_are_written_into_arrays(write: Any) -> None:
    ours, theirs = np.zeros(3), np.zeros(3)
    write(ours, tl.tensor(X))
    write(theirs, X)
    np.testing.assert_array_equal(ours, theirs)
    assert theirs.any()
    with pytest.raises(TypeError):
        write(ours, tl.tensor(X, requires_grad=True))
    np.testing.assert_array_equal(ours, theirs)


REDUCTIONS = ("sum", "prod", "max", "min", "mean", "var", "std", "median", "nansum", "nanmean", "any", "all")


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_over_no_axis(name: str) -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(getattr(np, name)(tl.tensor(x), axis=()), getattr(np, name)(x, axis=()))


def test_cross_with_axes() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 4, 5)), rng.normal(size=(4, 3, 5))
    ours = np.cross(tl.tensor(a), tl.tensor(b), axisa=0, axisb=1, axisc=0)
    np.testing.assert_allclose(ours.numpy(), np.cross(a, b, axisa=0, axisb=1, axisc=0))


def test_numpy_force() -> None:
    x = tl.ones(2, requires_grad=True)
    assert x.numpy(force=True) is x.array
