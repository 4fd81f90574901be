"""Native loops of K-means: nearest centroids and totals are those of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.models import KMeans
from tinygrad_lite.native.nearest import assign, nearest, totals

pytest.importorskip("llvmlite")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rows", "columns", "k"), [(1, 1, 1), (33, 3, 5), (100, 8, 2), (64, 9, 20), (50, 30, 7)])
def test_nearest_and_totals(rows: int, columns: int, k: int, dtype: Any) -> None:
    random = np.random.default_rng(0)
    for x in (random.integers(-2, 3, (rows, columns)), random.standard_normal((rows, 2 * columns))[:, ::2]):
        x = x.astype(dtype)
        centers, lengths = random.integers(-2, 3, (k, columns)).astype(dtype), random.random(k).astype(dtype)
        least, labels = np.empty(rows, dtype), np.empty(rows, np.int32)
        assert nearest(x, centers, lengths, least, labels)
        table = x @ centers.T + lengths
        np.testing.assert_allclose(least, table.min(1), 1e-5, 1e-5)
        np.testing.assert_allclose(table[np.arange(rows), labels], table.min(1), 1e-5, 1e-5)
        mass, sums, weights = np.ones(k), np.ones((k, columns)), random.random(rows)
        assert totals(x, labels, weights, mass, sums)
        member = np.equal.outer(np.arange(k), labels) * weights
        np.testing.assert_allclose(mass, 1 + member.sum(1))
        np.testing.assert_allclose(sums, 1 + member @ x.astype(float), 1e-6, 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rows", "columns", "k"), [(1, 1, 1), (33, 3, 5), (256, 8, 2), (513, 16, 7)])
def test_assign(rows: int, columns: int, k: int, dtype: Any) -> None:
    random = np.random.default_rng(0)
    x, middle = random.standard_normal((rows, columns)).astype(dtype), random.random(columns).astype(dtype)
    centers, weights = random.standard_normal((k, columns)).astype(dtype), random.random(rows)
    least, labels, mass, sums = np.empty(rows, dtype), np.empty(rows, np.int32), np.ones(k), np.ones((k, columns))
    assert assign(x, middle, centers, (labels, least), weights, mass, sums)
    moved = x - middle
    table = -2 * moved @ centers.T + (centers * centers).sum(1)
    np.testing.assert_allclose(least, table.min(1), 1e-5, 1e-5)
    assert (labels == table.argmin(1)).all()
    member = np.equal.outer(np.arange(k), labels) * weights
    np.testing.assert_allclose(mass, 1 + member.sum(1))
    np.testing.assert_allclose(sums, 1 + member @ moved.astype(float), 1e-6, 1e-6)
    again = np.empty(rows, np.int32)
    assert assign(x, middle, centers, (again, least[:0]), None, mass, sums)
    assert (again == labels).all() and (mass <= 1 + weights.sum()).all()
    assert not assign(np.asfortranarray(np.ones((3, 2), dtype)), middle[:2], centers, (labels, least), None, mass, sums)


def test_the_first_of_equal_distances() -> None:
    least, labels, sums = np.empty(5), np.empty(5, np.int32), np.zeros((3, 2))
    for k in (2, 3):  # centroids are read in pairs
        assert assign(np.ones((5, 2)), np.zeros(2), np.ones((k, 2)), (labels, least), None, sums[0], sums)
        assert labels.tolist() == [0] * 5
    for columns in (2, 20):
        x, centers = np.ones((5, columns)), np.ones((3, columns))
        least, labels = np.empty(5), np.empty(5, np.int32)
        assert nearest(x, centers, np.array([2.0, 1.0, 1.0]), least, labels)
        assert labels.tolist() == [1] * 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(500, 3), (300, 12), (300, 20)])
def test_the_same_clusters_without(shape: tuple[int, int], dtype: Any) -> None:
    random = np.random.default_rng(1)
    X = (random.standard_normal(shape) + 6 * random.integers(0, 4, (shape[0], 1))).astype(dtype)
    found = []
    for enabled in (False, True):
        with tl.backends.native.flags(enabled=enabled):
            m = KMeans(4, random_state=0).fit(X, sample_weight=np.linspace(0.5, 1.5, len(X)))
            found.append((m.labels_, m.predict(X), m.cluster_centers_, m.inertia_))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, 1e-5, 1e-5)
