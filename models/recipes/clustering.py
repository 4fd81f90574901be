"""K-means: assign and recompute while the sum of squared distances falls.

One run from a poor random start is watched step by step; then k-means++ and random starts are compared.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

import numpy as np

from tinygrad_lite import Tensor, datasets, tensor
from tinygrad_lite.models.kmeans import KMeans
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job, WrongOption, whole
from tinygrad_lite.models.recipes.pictures import BLUE, COLOURS, MARKS, RED, finish, new_figure, whole_numbers
from tinygrad_lite.models.soft_kmeans import SoftClusters
from tinygrad_lite.serialization.atomic import replacing

EPOCHS, LR = 300, 1.0


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this recipe."""
    parser.add_argument("--clusters", type=whole(1), default=5, help="number of clusters (default: 5)")
    parser.add_argument("--points", type=whole(1), default=500, help="number of points (default: 500)")


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return SoftClusters(3, 2), (tensor(np.zeros((4, 2), np.float32)),)


def squared_error(points: Tensor, centers: Tensor) -> Tensor:
    """Return the sum of squared distances to the nearest centroid, on the graph."""
    apart = points.unsqueeze(1) - centers
    loss: Tensor = (apart * apart).sum(2).amin(1).sum()
    return loss


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    k = job.args.clusters
    if k > job.args.points:
        raise WrongOption(f"{k} clusters need at least as many points, --points is {job.args.points}")
    X, truth = datasets.make_blobs(
        job.args.points, 2, centers=k, cluster_std=1.2, random_state=job.seed, dtype=np.float64
    )
    job.say(f"{len(X)} points in {k} clouds; K-means lowers the sum of squared distances (SSE) to the nearest centroid")
    # all centroids start in one corner, so that their paths are visible
    start = X[np.argsort(X.sum(axis=1))[:k]]
    watched = KMeans(k, init=start, max_iter=job.epochs).fit(X)
    for i, sse in enumerate(watched.history_, 1):
        job.record(round=i, sse=sse)
        job.say(f"round {i:3d}  SSE {sse:.6g}")

    points, centers = tensor(X), tensor(start, requires_grad=True)
    loss = squared_error(points, centers)
    loss.backward()
    slope = by_hand.hard_centroids(X, start)
    assert centers.grad is not None
    job.prove("SSE: 2 sum (c_k - x) over cluster k", [centers.grad], [slope])
    job.check("SSE", squared_error, X[:40], start)
    labels = ((X[:, None] - start) ** 2).sum(axis=2).argmin(axis=1)
    # half the gradient over the number of points leads to their mean: one iteration is one Newton step
    step = start - slope / (2 * np.maximum(np.bincount(labels, minlength=k), 1))[:, None]
    filled = np.bincount(labels, minlength=k) > 0
    job.prove("one round is one Newton step of the SSE", [watched.path_[1][filled]], [step[filled]])
    job.graph(squared_error(tensor(X[:8]), tensor(start, requires_grad=True)))

    drops = np.diff(watched.history_)
    job.compare(
        "SSE from a bad start: rounds that rise", (drops > 0).sum(), 0, "SSE never rises", not (drops > 0).any()
    )
    truly = float(sum(((X[truth == c] - X[truth == c].mean(axis=0)) ** 2).sum() for c in range(k)))
    for name, init in (("k-means++", "k-means++"), ("random", "random")):
        ours = KMeans(k, init=init, n_init=10, random_state=job.seed).fit(X).inertia_
        job.compare(
            f"SSE, best of 10 {name} starts", ours, truly, "the true clouds (at most)", ours <= truly * (1 + 1e-9)
        )
    against_sklearn(job, X, k)
    best = KMeans(k, n_init=10, random_state=job.seed).fit(X)
    job.metrics = {"sse": best.inertia_, "rounds": best.n_iter_, "centroids": best.cluster_centers_.tolist()}
    with replacing(job.out / "model.npz") as file:
        np.savez(file, cluster_centers=best.cluster_centers_)
    job.files.append("model.npz")
    if job.pictures:
        draw(job, X, watched, best)


def against_sklearn(job: Job, X: Any, k: int) -> None:
    """Compare the SSE on blobs and digits with scikit-learn's, if installed.

    Both get the same number of starts.
    """
    try:
        theirs = import_module("sklearn.cluster").KMeans
    except ImportError:
        return
    for name, data, clusters in (("blobs", X, k), ("digits", datasets.digits(flat=True, dtype=np.float64)[0], 10)):
        ours = KMeans(clusters, n_init=10, random_state=job.seed).fit(data).inertia_
        other = float(theirs(clusters, n_init=10, random_state=job.seed).fit(data).inertia_)
        job.compare(f"SSE on {name}, best of 10", ours, other, "scikit-learn, within 1 %", ours <= 1.01 * other)


def scatter(axis: Any, X: Any, labels: Any, k: int) -> None:
    """Draw points, colour and mark by cluster."""
    for c in range(k):
        mine = X[labels == c]
        axis.scatter(mine[:, 0], mine[:, 1], s=14, color=COLOURS[c % 8], marker=MARKS[c % 8], alpha=0.55, linewidths=0)


def draw(job: Job, X: Any, watched: Any, best: Any) -> None:
    """Draw clusters with the paths of their centroids, the SSE, and the animation."""
    k, path = len(best.cluster_centers_), np.array(watched.path_)
    with job.figure("clusters.png", 11, 4.6) as figure:
        left, right = figure.subplots(1, 2, width_ratios=[1.3, 1])
        scatter(left, X, watched.labels_, k)
        for c in range(k):
            left.plot(
                path[:, c, 0],
                path[:, c, 1],
                "-",
                color="black",
                linewidth=1.2,
                label="path of a centroid" if c == 0 else None,
            )
        left.scatter(*path[0].T, s=50, facecolor="white", edgecolor="black", zorder=3, label="start")
        left.scatter(*path[-1].T, s=160, marker="*", color=RED, edgecolor="black", zorder=4, label="end")
        finish(left, xlabel="x₁", ylabel="x₂", title="clusters and the way of their centroids")
        rounds = range(1, len(watched.history_) + 1)
        right.semilogy(rounds, watched.history_, "o-", color=BLUE, label="from one corner")
        right.axhline(best.inertia_, linestyle="--", color=RED, label="best of 10 k-means++ starts")
        whole_numbers(right)
        finish(right, xlabel="round", ylabel="sum of squared distances", title="SSE")
    figure = new_figure(6, 5)
    axis = figure.subplots()

    def frame(i: int) -> None:
        axis.clear()
        labels = ((X[:, None] - path[i]) ** 2).sum(axis=2).argmin(axis=1)
        scatter(axis, X, labels, k)
        for c in range(k):
            axis.plot(path[: i + 1, c, 0], path[: i + 1, c, 1], "-", color="black", linewidth=1)
        axis.scatter(*path[i].T, s=160, marker="*", color=RED, edgecolor="black", zorder=4, label="centroids")
        sse = f", SSE {watched.history_[i - 1]:.0f}" if i else ""
        finish(axis, "upper left", xlabel="x₁", ylabel="x₂", title=f"round {i} of {len(path) - 1}{sse}")

    job.animation("clusters.gif", figure, frame, len(path), per_second=3)
