"""Soft K-means: differentiable shares of every point in every centroid."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite import Tensor, nn, optim, tensor
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.models.cluster_estimator import Clustering, first_of_best
from tinygrad_lite.models.points import Points
from tinygrad_lite.models.validation import ConvergenceWarning, Floats, check_choice, check_count, check_number, warn
from tinygrad_lite.ops.linalg.squared_distances import squared_distances


class SoftClusters(nn.Module):
    r"""Map points (n, features) to their shares in centroids (n, n_clusters).

    The shares of a point add up to 1.

    :math:`a_{ik} = \mathrm{softmax}_k(-\beta \lVert x_i - c_k \rVert^2)`, differentiable in the points and in the
    centroids. `distortion` and `free_energy` are losses that can be added to any other.

    >>> import tinygrad_lite as tl
    >>> layer = SoftClusters(2, 1, beta=10.0)
    >>> layer.centroids.data = tl.tensor([[0.0], [4.0]])
    >>> layer(tl.tensor([[0.0], [2.0], [4.0]])).detach()
    tensor([[1.0000, 0.0000],
            [0.5000, 0.5000],
            [0.0000, 1.0000]])
    """

    def __init__(self, n_clusters: int, n_features: int, beta: float = 1.0, dtype: Any = None) -> None:
        super().__init__()
        self.n_clusters, self.n_features, self.beta = n_clusters, n_features, beta
        self.centroids = nn.Parameter(tensor(np.zeros((n_clusters, n_features), dtype or np.float32)))
        nn.init.normal_(self.centroids)

    def squared_distances(self, x: Any) -> Tensor:
        r"""Return :math:`\lVert x_i - c_k \rVert^2` (n, n_clusters)."""
        if x.ndim != 2 or x.shape[1] != self.n_features:
            raise ShapeError(f"SoftClusters: expected points (n, {self.n_features}), x is {describe(x)}")
        d: Tensor = squared_distances(x, self.centroids)
        return d

    def forward(self, x: Any) -> Tensor:
        """Return the share of each centroid in each point."""
        shares: Tensor = (self.squared_distances(x) * -self.beta).softmax(1)
        return shares

    def distortion(self, x: Any, reduction: str = "mean") -> Tensor:
        r"""Return the squared distances to the centroids, weighted by the shares.

        :math:`\sum_k a_{ik} \lVert x_i - c_k \rVert^2` of each point, its mean or its sum.
        """
        d = self.squared_distances(x)
        return reduced((d * (d * -self.beta).softmax(1)).sum(1), reduction)

    def free_energy(self, x: Any, reduction: str = "mean") -> Tensor:
        r"""Return the soft minimum of the squared distances to the centroids.

        :math:`-\frac1\beta \log \sum_k e^{-\beta \lVert x_i - c_k \rVert^2}`

        Its gradient is :math:`2 \sum_i a_{ik} (c_k - x_i)`: it rests exactly where the fixed-point update does.
        """
        z = self.squared_distances(x) * -self.beta
        lse = z[:, 0] - z.log_softmax(1)[:, 0]
        return reduced(lse * (-1 / self.beta), reduction)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"n_clusters={self.n_clusters}, n_features={self.n_features}, beta={self.beta}"


def reduced(each: Tensor, reduction: str) -> Tensor:
    """Return the mean, the sum or each of the values."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"SoftClusters: reduction must be one of mean, sum, none, got {reduction!r}")
    out: Tensor = each if reduction == "none" else each.mean() if reduction == "mean" else each.sum()
    return out


class SoftKMeans(Clustering):
    r"""Clusters with soft borders.

    :math:`\min -\frac1\beta \sum_i w_i \log \sum_k e^{-\beta \lVert x_i - c_k \rVert^2}`

    Args:
        n_clusters: how many.
        beta: stiffness, in 1 / (units of X)²; the larger, the harder the borders. Towards infinity this is `KMeans`.
        method: ``"em"``, the fixed-point update :math:`c_k = \sum_i a_{ik} x_i / \sum_i a_{ik}`; or ``"gradient"``,
            descent along the gradient of the graph. Both rest at the same places.
        init, n_init, random_state: as for `KMeans`; the same seed gives the same starts.
        max_iter: most rounds of one attempt.
        tol: stop when a round gains less than this share of the scatter of the points.

    After ``fit``: ``module_`` (the trained `SoftClusters`), ``cluster_centers_``, ``labels_`` (the largest share),
    ``inertia_`` (squared distances to the nearest centroids), ``free_energy_``, ``n_iter_``, ``history_`` (free energy
    per round, decreasing for ``"em"``) and ``path_`` (centroids per round).

    Source: D. MacKay (2003), Information Theory, Inference, and Learning Algorithms, chapter 20.

    >>> points = [[0.0], [1.0], [10.0], [11.0]]
    >>> SoftKMeans(2, beta=1.0, random_state=0).fit(points).predict_proba([[0.5], [5.5]]).round(3).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """

    module_: SoftClusters
    labels_: NDArray[np.int32]
    inertia_: float
    free_energy_: float
    n_iter_: int
    history_: list[float]
    path_: list[Floats]

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        beta: float = 1.0,
        method: str = "em",
        init: Any = "k-means++",
        n_init: Any = "auto",
        max_iter: int = 1000,
        tol: float = 1e-12,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.beta = beta
        self.method = method
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Find the centroids of ``X`` (n, features).

        ``sample_weight`` (n,) weighs the rows.
        """
        beta = check_number("SoftKMeans", "beta", self.beta, above=True)
        most = check_count("SoftKMeans", "max_iter", self.max_iter)
        tol = check_number("SoftKMeans", "tol", self.tol)
        by_em = check_choice("SoftKMeans", "method", self.method, ("em", "gradient")) == "em"
        rows, weights = self._checked(X, sample_weight)
        points = Points(rows)
        starts = [start + points.middle for start in self._starts(points, weights, self.random_state, rows)]
        self._remember(X, rows)
        least = tol * float(weights @ ((rows - np.average(rows, axis=0, weights=weights)) ** 2).sum(axis=1))
        train = by_fixed_point if by_em else by_gradient
        attempts = [train(rows, weights, s, beta, most, least) for s in starts]
        path, history, converged = attempts[first_of_best([history[-1] for _, history, _ in attempts])]
        self.path_, self.cluster_centers_ = path, path[-1]
        self.history_, self.free_energy_, self.n_iter_ = history, history[-1], len(history)
        self.module_ = SoftClusters(self.n_clusters, rows.shape[1], beta, np.float64)
        self.module_.centroids.data = tensor(self.cluster_centers_)
        d = squared_distances(rows, path[-1])
        self.labels_, self.inertia_ = d.argmin(axis=1).astype(np.int32), float(weights @ d.min(axis=1))
        if not converged:
            warn(
                ConvergenceWarning,
                f"SoftKMeans: the free energy still fell after max_iter={most} rounds; raise max_iter",
            )
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return the share of each cluster in each row (n, n_clusters)."""
        return shares(squared_distances(self._rows(X), self.cluster_centers_), self.module_.beta)[0]


Attempt = tuple[list[Floats], list[float], bool]
"""The centroids before and after each round, the free energy after each, and whether it came to rest."""


def shares(d: Floats, beta: float) -> tuple[Floats, Floats]:
    """Return softmax(-beta d) (n, k) and the free energy of each point (n,)."""
    nearest = d.min(axis=1, keepdims=True)
    e = np.exp(beta * (nearest - d))
    total = e.sum(axis=1, keepdims=True)
    return e / total, (nearest - np.log(total) / beta)[:, 0]


def by_fixed_point(X: Floats, weights: Floats, centers: Floats, beta: float, most: int, least: float) -> Attempt:
    """Move each centroid to the mean of its shares, again and again.

    Stops when the free energy falls by no more than ``least``.
    """
    path, history = [centers], []
    a, energy = shares(squared_distances(X, centers), beta)
    last = float(weights @ energy)
    for _ in range(most):
        w = a * weights[:, None]
        mass = w.sum(axis=0)[:, None]
        # a centroid whose shares have all vanished stays where it is
        centers = np.where(mass > 0, w.T @ X / np.where(mass > 0, mass, 1), centers)
        a, energy = shares(squared_distances(X, centers), beta)
        now = float(weights @ energy)
        path.append(centers)
        history.append(min(now, last))
        if last - now <= least:
            return path, history, True
        last = now
    return path, history, False


def by_gradient(X: Floats, weights: Floats, centers: Floats, beta: float, most: int, least: float) -> Attempt:
    """Descend along the gradient of the free energy.

    A step of 1/2 per unit of mass never overshoots.
    """
    module = SoftClusters(len(centers), X.shape[1], beta, np.float64)
    module.centroids.data = tensor(centers)
    x, w = tensor(X), tensor(weights / weights.sum())
    optimiser = optim.SGD(module.parameters(), lr=0.5)
    path, last = [centers], np.inf
    history: list[float] = []
    for _ in range(most):
        optimiser.zero_grad()
        loss = (module.free_energy(x, "none") * w).sum()
        loss.backward()
        now = loss.item() * float(weights.sum())
        optimiser.step()
        path.append(module.centroids.array.copy())
        history.append(now)
        if last - now <= least:
            return path, history, True
        last = now
    return path, history, False
