"""NumPy's and SciPy's functions without an op run on the arrays of tensors that require no gradients."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import scipy.special

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
