"""Native loops of K-means: nearest centroids and totals are those of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.models import KMeans
from tinygrad_lite.native.nearest import nearest, totals

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


def test_the_first_of_equal_distances() -> None:
    for columns in (2, 20):
        x, centers = np.ones((5, columns)), np.ones((3, columns))
        least, labels = np.empty(5), np.empty(5, np.int32)
        assert nearest(x, centers, np.array([2.0, 1.0, 1.0]), least, labels)
        assert labels.tolist() == [1] * 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(500, 3), (300, 12)])
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
