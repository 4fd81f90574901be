"""Base of the clusterings: starts, empty clusters, and the estimator's interface."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.models.estimator import Estimator
from tinygrad_lite.models.points import Ints, Points
from tinygrad_lite.models.validation import (
    Floats,
    check_count,
    check_finite,
    check_rows,
    check_weights,
    generator,
    is_sparse,
    warn,
)


class Starts:
    """Draw starting centroids of weighted points: at random or by k-means++.

    The draw looks up the cumulated weights along a random direction, not along the rows of X. So the order of the rows
    does not matter, and a point of weight 2 is the same as that point twice.
    """

    def __init__(self, points: Points, weights: Floats, rng: np.random.Generator) -> None:
        along = points.along(rng.standard_normal(points.d).astype(points.dtype))
        self.order = np.argsort(along, kind="stable")
        self.points, self.weights, self.rng = points, weights, rng

    def pick(self, chances: Floats, count: int = 1) -> Ints:
        """Return the indices of ``count`` points, drawn in proportion to ``chances``."""
        total = np.cumsum(chances[self.order])
        places: Ints = np.searchsorted(total, self.rng.random(count) * total[-1], side="right")
        # rounding may select an index past the last point with positive probability
        last = int(np.searchsorted(total, total[-1], side="left"))
        return np.asarray(self.order[np.minimum(places, last)])

    def random(self, k: int) -> Floats:
        """Return ``k`` different points, as long as enough have positive weight."""
        chances = self.weights.copy()
        chosen = []
        for _ in range(k):
            at = int(self.pick(chances if chances.any() else self.weights)[0])
            chosen.append(at)
            chances[at] = 0.0
            if not self.points.sparse:
                chances[(self.points.X == self.points.X[at]).all(axis=1)] = 0.0
        return self.points.rows(chosen)

    def plus_plus(self, k: int) -> Floats:
        """Return ``k`` points far apart, by k-means++.

        Each is the best of 2 + log k draws, with chances proportional to the squared distance.

        Source: D. Arthur, S. Vassilvitskii (2007), k-means++: the advantages of careful seeding, SODA.
        """
        points = self.points
        chosen = self.pick(self.weights)
        nearest = points.distances(points.rows(chosen))[:, 0]
        for _ in range(k - 1):
            chances = nearest * self.weights
            if not chances.any():
                # fewer distinct points than clusters: the remaining centroids are copies
                chosen = np.append(chosen, self.pick(self.weights))
                continue
            trial = self.pick(chances, 2 + int(log(k)))
            left = np.minimum(nearest[:, None], points.distances(points.rows(trial)))
            best = int((self.weights @ left).argmin())
            chosen, nearest = np.append(chosen, trial[best]), left[:, best].copy()
        return points.rows(chosen)


def reseat(centers: Floats, empty: Ints, points: Points, weights: Floats, labels: Any, nearest: Floats) -> None:
    """Move centroids without points to the points farthest from their centroids.

    All arrays are changed in place.

    The point leaves its old cluster, so the sum of squared distances cannot rise.
    """
    far = np.argsort(-(nearest * (weights > 0)), kind="stable")[: len(empty)]
    for cluster, point in zip(empty, far, strict=True):
        if nearest[point] > 0:
            labels[point], nearest[point] = cluster, 0.0
            centers[cluster] = points.rows([point])[0]


def first_of_best(ends: list[float]) -> int:
    """Return the index of the lowest end; ties within rounding go to the first."""
    least = min(ends)
    return next(i for i, end in enumerate(ends) if end <= least + 1e-10 * abs(least))


class Clustering(Estimator):
    """Base of KMeans and SoftKMeans: checks, starts, distances to the centroids."""

    _estimator_type = "clusterer"
    n_clusters: int
    init: Any
    n_init: Any
    cluster_centers_: Floats

    def _checked(self, X: Any, sample_weight: Any) -> tuple[Any, Floats]:
        """Return X, and weights that add up to its number of rows.

        Raises ValueError for fewer points than clusters.
        """
        owner = type(self).__name__
        k = check_count(owner, "n_clusters", self.n_clusters)
        rows = self._fit_rows(X)
        if rows.shape[0] < k:
            raise ValueError(f"n_samples={rows.shape[0]} should be >= n_clusters={k}.")
        weights = check_weights(rows, sample_weight)
        return rows, np.ones(rows.shape[0]) if weights is None else weights

    def _given(self, start: Any, points: Points) -> Floats:
        """Return centroids that the user gave, moved like the points."""
        given = np.array(check_rows(start, "init", points.dtype))
        for size, wanted, what in (
            (given.shape[0], self.n_clusters, "clusters"),
            (given.shape[1], points.d, "features of the data"),
        ):
            if size != wanted:
                raise ValueError(
                    f"The shape of the initial centers {given.shape} does not match the number of {what} {wanted}."
                )
        check_finite(given, "init")
        return np.asarray(given - points.middle)

    def _starts(self, points: Points, weights: Floats, random_state: Any, X: Any) -> list[Floats]:
        """Return the starting centroids of each attempt, moved like the points."""
        owner, k = type(self).__name__, self.n_clusters
        rng = generator(random_state)  # given centroids need none, but a wrong one is an error all the same
        if callable(self.init):
            attempts = 10 if self.n_init == "auto" else check_count(owner, "n_init", self.n_init)
            states = [np.random.RandomState(int(rng.integers(2**31))) for _ in range(attempts)]
            return [self._given(self.init(X, k, random_state=state), points) for state in states]
        if not isinstance(self.init, str):
            if self.n_init not in ("auto", 1):
                warn(
                    RuntimeWarning,
                    f"Explicit initial center position passed: performing only one init in {owner} instead of "
                    f"n_init={self.n_init}.",
                )
            return [self._given(self.init, points)]
        if self.init not in ("k-means++", "random"):
            raise ValueError(
                f"The 'init' parameter of {owner} must be 'k-means++', 'random', a function or an array of centroids. "
                f"Got {self.init!r} instead."
            )
        usual = 1 if self.init == "k-means++" else 10
        attempts = usual if self.n_init == "auto" else check_count(owner, "n_init", self.n_init)
        return [
            s.random(k) if self.init == "random" else s.plus_plus(k)
            for s in (Starts(points, weights, rng) for _ in range(attempts))
        ]

    def transform(self, X: Any) -> Any:
        """Return the distance of each row to each centroid (n, n_clusters)."""
        rows = self._rows(X)
        if is_sparse(rows):
            return self._contained(np.sqrt(Points(rows).distances(self.cluster_centers_)), X)
        # by differences: a point on its centroid is at distance 0, not at the root of a rounding error
        distances = np.stack([((rows - c) ** 2).sum(axis=1) for c in self.cluster_centers_], axis=1)
        return self._contained(np.sqrt(distances), X)

    def predict(self, X: Any) -> Any:
        """Return the number of the nearest centroid of each row."""
        points = Points(self._rows(X))
        return points.labels((self.cluster_centers_ - points.middle).astype(points.dtype))

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Return the distances to the centroids of a fit to ``X``."""
        self.fit(X, y, sample_weight=sample_weight)
        return self.transform(X)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Return the clusters of a fit to ``X``."""
        self.fit(X, y, sample_weight=sample_weight)
        return getattr(self, "labels_")  # noqa: B009 - learned by the subclass

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Find the centroids."""
        raise NotImplementedError

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the sum of squared distances to the nearest centroids.

        Larger is better.
        """
        points = Points(self._rows(X))
        nearest = points.nearest((self.cluster_centers_ - points.middle).astype(points.dtype))[1].astype(np.float64)
        weights = check_weights(nearest, sample_weight)
        return -float(nearest.sum() if weights is None else nearest @ weights)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns that `transform` gives."""
        self._check_fitted()
        name = type(self).__name__.lower()
        return np.array([f"{name}{i}" for i in range(len(self.cluster_centers_))], dtype=object)
