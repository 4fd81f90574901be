"""K-means clustering: each centroid is the mean of the points nearest to it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.models.cluster_estimator import Clustering, Ints, first_of_best, reseat
from tinygrad_lite.models.validation import (
    ConvergenceWarning,
    Floats,
    check_count,
    check_number,
    check_weights,
    warn,
)
from tinygrad_lite.ops.linalg.squared_distances import squared_distances

PIECE = 1 << 14
"""Points that are added up at a time."""


class KMeans(Clustering):
    r"""Cluster by least squared distance to the centroids.

    Minimises :math:`\sum_i w_i \min_k \lVert x_i - c_k \rVert^2`.

    Assign each point to its nearest centroid, move each centroid to the mean of its points, until the sum of squared
    distances (SSE) no longer decreases. A centroid without points moves to the point farthest from its own.

    Args:
        n_clusters: how many.
        init: ``"k-means++"``, ``"random"`` or centroids (n_clusters, features) to start from.
        n_init: attempts, of which the best is kept; ``"auto"`` is 1 for k-means++ and 10 for random starts.
        max_iter: most rounds of one attempt.
        tol: stop when the SSE falls by no more than this share of itself; 0 is to the very end.
        random_state: seed of the starts.

    After ``fit``: ``cluster_centers_``, ``labels_``, ``inertia_`` (the SSE), ``n_iter_``, ``history_`` (the SSE after
    each round, decreasing) and ``path_`` (the centroids at the start and after each round).

    Source: S. P. Lloyd (1982), Least squares quantization in PCM, IEEE Transactions on Information Theory 28(2).

    >>> KMeans(2, random_state=0).fit([[0.0], [1.0], [10.0], [11.0]]).inertia_
    1.0
    """

    labels_: NDArray[np.int32]
    inertia_: float
    n_iter_: int
    history_: list[float]
    path_: list[Floats]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 300,
        tol: float = 0.0,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centroids of ``X`` (n, features).

        ``sample_weight`` (n,) weighs the rows.

        Warns with ConvergenceWarning where fewer different points than clusters exist, or ``max_iter`` was too short.
        """
        most, tol = check_count("KMeans", "max_iter", self.max_iter), check_number("KMeans", "tol", self.tol)
        rows, weights = self._checked(X, sample_weight)
        starts = self._starts(rows, weights, self.random_state)
        self._remember(X, rows)
        attempts = [Descent(rows, weights, start, most, tol) for start in starts]
        best = attempts[first_of_best([a.history[-1] for a in attempts])]
        self.cluster_centers_ = best.path[-1]
        self.labels_ = best.labels.astype(np.int32)
        # by differences: points on their centroids are at distance 0, not at a rounding error
        self.inertia_ = float(weights @ ((rows - self.cluster_centers_[best.labels]) ** 2).sum(axis=1))
        self.n_iter_ = len(best.history)
        self.history_, self.path_ = best.history, best.path
        self._weight_seen: Any = np.bincount(best.labels, weights, minlength=self.n_clusters)
        found = len(np.unique(best.labels[weights > 0]))
        if found < self.n_clusters:
            warn(
                ConvergenceWarning,
                f"Number of distinct clusters ({found}) found smaller than n_clusters ({self.n_clusters}). Possibly "
                "due to duplicate points in X.",
            )
        elif not best.converged:
            warn(ConvergenceWarning, f"KMeans: the SSE still decreased after max_iter={most} rounds; raise max_iter")
        return self

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Move each centroid to the mean of all its points so far, with one more batch.

        The first batch starts the centroids, as `fit` does.
        """
        if "n_features_in_" not in self.__dict__:
            return self.fit(X, y, sample_weight=sample_weight)
        rows = self._rows(X)
        given = check_weights(rows, sample_weight)
        weights = np.ones(len(rows)) if given is None else given
        labels: Ints = squared_distances(rows, self.cluster_centers_).argmin(axis=1)
        gained, sums = totals(rows, weights, labels, self.n_clusters)
        seen = self._weight_seen + gained
        change = (sums - gained[:, None] * self.cluster_centers_) / np.where(seen > 0, seen, 1)[:, None]
        self.cluster_centers_ = self.cluster_centers_ + change
        self._weight_seen, self.labels_ = seen, labels.astype(np.int32)
        self.inertia_ = float(weights @ squared_distances(rows, self.cluster_centers_).min(axis=1))
        self.n_iter_ += 1
        self.history_, self.path_ = [*self.history_, self.inertia_], [*self.path_, self.cluster_centers_.copy()]
        return self


def totals(X: Floats, weights: Floats, labels: Ints, k: int) -> tuple[Floats, Floats]:
    """Return weight (k,) and weighted sum of points (k, features) of each cluster."""
    mass: Any = np.bincount(labels, weights, minlength=k)
    sums = np.zeros((k, X.shape[1]))
    # a product with the matrix of memberships, in pieces: the whole of it would be large where the points are many
    for at in range(0, len(X), PIECE):
        piece = slice(at, at + PIECE)
        member = np.zeros((k, len(labels[piece])))
        member[labels[piece], np.arange(member.shape[1])] = weights[piece]
        sums += member @ X[piece]
    return mass, sums


class Descent:
    """One attempt of K-means: the path of the centroids, and the SSE per round."""

    def __init__(self, X: Floats, weights: Floats, centers: Floats, most: int, tol: float) -> None:
        self.path, self.converged = [centers], False
        self.history: list[float] = []
        k, rows = len(centers), np.arange(len(X))
        d = squared_distances(X, centers)
        for _ in range(most):
            labels = d.argmin(axis=1)
            mass, sums = totals(X, weights, labels, k)
            empty = np.flatnonzero(mass == 0)
            if len(empty):
                reseat(centers := centers.copy(), empty, X, weights, labels, d[rows, labels])
                mass, sums = totals(X, weights, labels, k)
            centers = np.where(mass[:, None] > 0, sums / np.where(mass > 0, mass, 1)[:, None], centers)
            d = squared_distances(X, centers)
            sse = float(weights @ d.min(axis=1))
            if self.history and not sse < self.history[-1] * (1 - tol):
                # no longer decreasing: what was found before stays
                self.converged = True
                break
            self.path.append(centers)
            self.history.append(sse)
            if sse == 0:
                self.converged = True
                break
        self.labels: Ints = squared_distances(X, self.path[-1]).argmin(axis=1)
