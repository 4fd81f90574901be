"""K-means clustering: each centroid is the mean of the points nearest to it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.models.cluster_estimator import Clustering, first_of_best, reseat
from tinygrad_lite.models.points import Points
from tinygrad_lite.models.validation import (
    ConvergenceWarning,
    Floats,
    check_choice,
    check_count,
    check_number,
    check_weights,
    warn,
)


class KMeans(Clustering):
    r"""Cluster by least squared distance to the centroids.

    Minimises :math:`\sum_i w_i \min_k \lVert x_i - c_k \rVert^2`.

    Assign each point to its nearest centroid, move each centroid to the mean of its points, until the sum of squared
    distances (SSE) no longer decreases. A centroid without points moves to the point farthest from its own.

    Args:
        n_clusters: how many.
        init: ``"k-means++"``, ``"random"``, centroids (n_clusters, features) to start from, or a function of X,
            n_clusters and random_state that returns them.
        n_init: attempts, of which the best is kept; ``"auto"`` is 1 for k-means++ and 10 for random starts.
        max_iter: most rounds of one attempt.
        tol: stop when the squares of all moves add up to no more than this share of the mean variance of the columns;
            0 is to the very end.
        random_state: seed of the starts.
        verbose: 1 prints each round. copy_x, algorithm: accepted for scikit-learn's sake.

    After ``fit``: ``cluster_centers_``, ``labels_``, ``inertia_`` (the SSE), ``n_iter_`` (with the last round, in which
    nothing changes), ``history_`` (the SSE after each round, decreasing) and ``path_`` (the centroids at the start and
    after each round).

    Source: S. P. Lloyd (1982), Least squares quantization in PCM, IEEE Transactions on Information Theory 28(2).

    >>> KMeans(2, random_state=0).fit([[0.0], [1.0], [10.0], [11.0]]).inertia_
    1.0
    """

    labels_: NDArray[np.int32]
    inertia_: float
    n_iter_: int
    history_: list[float]
    path_: list[Floats]

    _dtype: ClassVar[Any] = None
    _sparse: ClassVar[bool] = True

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 300,
        tol: float = 1e-4,
        verbose: int = 0,
        random_state: Any = None,
        copy_x: bool = True,
        algorithm: str = "lloyd",
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centroids of ``X`` (n, features), dense or sparse.

        ``sample_weight`` (n,) weighs the rows.

        Warns with ConvergenceWarning where fewer different points than clusters exist, or ``max_iter`` was too short.
        Raises ValueError where squared distances overflow.
        """
        most, tol = check_count("KMeans", "max_iter", self.max_iter), check_number("KMeans", "tol", self.tol)
        check_choice("KMeans", "algorithm", self.algorithm, ("lloyd", "elkan"))
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warn(
                RuntimeWarning,
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' instead.",
            )
        rows, weights = self._checked(X, sample_weight)
        points = Points(rows)
        starts = self._starts(points, weights, self.random_state, rows)
        self._remember(X, rows)
        shift = tol * points.scatter()
        attempts = [Descent(points, weights, start, most, shift, bool(self.verbose)) for start in starts]
        best = attempts[first_of_best([a.history[-1] for a in attempts])]
        self.path_ = [centers + points.middle for centers in best.path]
        self.cluster_centers_ = self.path_[-1]
        self.labels_ = best.labels
        self.inertia_ = exact_inertia(points, weights, best.path[-1], best)
        self.n_iter_, self.history_ = best.rounds, best.history
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
        points = Points(self._rows(X))
        given = check_weights(points.X, sample_weight)
        weights = np.ones(points.n) if given is None else given
        centers = (self.cluster_centers_ - points.middle).astype(points.dtype)
        labels, _, gained, sums = points.assigned(centers, weights)
        seen = self._weight_seen + gained
        change = (sums - gained[:, None] * centers) / np.where(seen > 0, seen, 1)[:, None]
        self.cluster_centers_ = (self.cluster_centers_ + change).astype(points.dtype)
        self._weight_seen, self.labels_ = seen, labels
        moved = (self.cluster_centers_ - points.middle).astype(points.dtype)
        self.inertia_ = float(weights @ points.nearest(moved)[1])
        self.n_iter_ += 1
        self.history_, self.path_ = [*self.history_, self.inertia_], [*self.path_, self.cluster_centers_.copy()]
        return self


def exact_inertia(points: Points, weights: Floats, centers: Floats, best: Descent) -> float:
    """Return the SSE by differences: points on their centroids are at distance 0, not at a rounding error."""
    if points.sparse:
        return float(weights @ best.nearest)
    total = 0.0
    for piece, rows in points.pieces():
        off = centers[best.labels[piece]]
        off -= points.bare(rows)
        total += float(weights[piece] @ np.einsum("ij,ij->i", off, off))
    return total


class Descent:
    """One attempt of K-means: the path of the centroids, and the SSE per round.

    Stops when the labels or the centroids (within ``shift``, a sum of squares) no longer change.
    """

    def __init__(self, points: Points, weights: Floats, centers: Floats, most: int, shift: float, tell: bool) -> None:
        self.path, self.converged, self.rounds = [centers], False, 0
        self.history: list[float] = []
        k = len(centers)
        labels, nearest, mass, sums = points.assigned(centers, weights)
        say = print if tell else lambda text: None
        say("Initialization complete")
        while self.rounds < most and not self.converged:
            self.rounds += 1
            empty = np.flatnonzero(mass == 0)
            if len(empty):
                reseat(centers := centers.copy(), empty, points, weights, labels, nearest)
                mass, sums = points.totals(labels, weights, k)
            moved = np.where(mass[:, None] > 0, sums / np.where(mass > 0, mass, 1)[:, None], centers)
            moved = moved.astype(points.dtype)
            now, least, mass, sums = points.assigned(moved, weights)
            sse = float(weights @ least)
            if self.history and sse > self.history[-1]:
                # only rounding still changes the centroids: keep the previous ones
                self.converged = True
                break
            moves = float(((moved - centers) ** 2).sum())
            rest, settled = moves <= shift, bool((now == labels).all())
            say(f"Iteration {self.rounds - 1}, inertia {sse}.")
            if settled or sse == 0:
                say(f"Converged at iteration {self.rounds - 1}: strict convergence.")
            elif rest:
                say(f"Converged at iteration {self.rounds - 1}: center shift {moves} within tolerance {shift}.")
            self.converged = rest or settled or sse == 0
            # the last iteration, which would find the same labels again, counts, as in scikit-learn
            self.rounds += settled and not rest and self.rounds < most
            centers, labels, nearest = moved, now, least
            self.path.append(centers)
            self.history.append(sse)
        self.labels, self.nearest = labels, nearest
