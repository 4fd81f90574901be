"""Soft K-means: every point belongs to every centroid, in shares.

The shares are softmax(-beta · squared distance).

Trained by its fixed point (EM) and by gradient descent, which agree; with growing beta it becomes K-means. Then its
distortion joins another loss: a linear map is learned that keeps the data and clusters them at once.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from tinygrad_lite import datasets, nn, optim, tensor
from tinygrad_lite.models.kmeans import KMeans
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.models.recipes.job import Job, positive, whole
from tinygrad_lite.models.recipes.pictures import BLUE, COLOURS, ORANGE, RED, finish
from tinygrad_lite.models.soft_kmeans import SoftClusters, SoftKMeans

EPOCHS, LR = 300, 0.05


def options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this recipe."""
    parser.add_argument("--clusters", type=whole(1), default=3, help="number of clusters (default: 3)")
    parser.add_argument("--beta", type=positive, default=0.3, help="stiffness of the borders (default: 0.3)")


def example() -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model and an input."""
    return SoftClusters(3, 2), (tensor(np.zeros((4, 2), np.float32)),)


def run(job: Job) -> None:
    """Train, check the gradients, compare, draw."""
    k, beta = job.args.clusters, job.args.beta
    places = 3.0 * np.array([[np.cos(t), np.sin(t)] for t in 2 * np.pi * np.arange(k) / k])
    X, _ = datasets.make_blobs(400, 2, centers=places, cluster_std=1.3, random_state=job.seed, dtype=np.float64)
    job.say(f"400 points in {k} overlapping clouds, beta = {beta}")
    layer = SoftClusters(k, 2, beta, np.float64)
    x = tensor(X, requires_grad=True)
    layer.free_energy(x, "sum").backward()
    in_points, in_centers = by_hand.soft_centroids(X, layer.centroids.array, beta)
    job.prove(
        "free energy: 2 sum a (x - c) and 2 sum a (c - x)", [x.grad, layer.centroids.grad], [in_points, in_centers]
    )

    def as_loss(points: Any, centers: Any) -> Any:
        module = SoftClusters(k, 2, beta, np.float64)
        object.__setattr__(module, "centroids", centers)
        return module.free_energy(points) + module.distortion(points)

    job.check("free energy + distortion, points and centroids", as_loss, X[:20], layer.centroids.array)
    job.graph(layer.distortion(tensor(X[:6])))

    em = SoftKMeans(k, beta=beta, n_init=5, random_state=job.seed).fit(X)
    descent = SoftKMeans(k, beta=beta, n_init=5, method="gradient", random_state=job.seed).fit(X)
    gap = abs(em.free_energy_ - descent.free_energy_) / abs(em.free_energy_)
    job.compare("free energy by gradient descent", descent.free_energy_, em.free_energy_, "by EM, to 1e-6", gap <= 1e-6)
    hard = KMeans(k, n_init=5, random_state=job.seed).fit(X)
    stiff = SoftKMeans(k, beta=1e6, n_init=5, random_state=job.seed).fit(X)
    same = bool((stiff.labels_ == hard.labels_).all())
    job.compare(
        "SSE at beta = 1e6",
        stiff.inertia_,
        hard.inertia_,
        "K-means, same labels",
        same and abs(stiff.inertia_ / hard.inertia_ - 1) < 1e-9,
    )
    job.metrics = {"free_energy": em.free_energy_, "rounds_em": em.n_iter_, "rounds_gradient": descent.n_iter_,
                   "centroids": em.cluster_centers_.tolist()}  # fmt: skip
    joined(job)
    job.model(em.module_)
    if job.pictures:
        draw(job, X, em, hard)


def joined(job: Job) -> None:
    """Train a linear autoencoder of three digits; a clustering loss joins halfway."""
    images, labels = datasets.digits(classes=(0, 3, 6), flat=True, dtype=np.float64)
    x = tensor(images - images.mean(axis=0))
    encode, decode = nn.Linear(64, 2, dtype=np.float64), nn.Linear(2, 64, dtype=np.float64)
    clusters = SoftClusters(3, 2, 2.0, np.float64)
    optimiser = optim.Adam([*encode.parameters(), *decode.parameters(), *clusters.parameters()], lr=job.lr)

    def code_of(x: Any) -> Any:
        # with unit spread; otherwise shrinking the code would reduce the distortion
        z = encode(x)
        z = z - z.mean(0)
        return z / (z * z).mean(0).sqrt()

    half = job.epochs // 2
    for epoch in job.rounds(job.epochs):
        optimiser.zero_grad()
        code = code_of(x)
        if epoch == half + 1:
            clusters.centroids.data = tensor(KMeans(3, n_init=5, random_state=job.seed).fit(code).cluster_centers_)
        rebuilt, tight = nn.functional.mse_loss(decode(code), x), clusters.distortion(code)
        (rebuilt + 0.05 * tight if epoch > half else rebuilt).backward()
        optimiser.step()
        job.record(epoch=epoch, reconstruction=rebuilt.item(), distortion=tight.item())
    found = clusters(code_of(x)).array.argmax(axis=1)
    purity = sum(np.bincount(labels[found == c]).max() for c in range(3) if (found == c).any()) / len(labels)
    job.compare("digits 0, 3, 6: purity of the clusters", purity, 1.0, "at least 0.9", purity >= 0.9)
    first, last = job.history[half]["distortion"], job.history[-1]["distortion"]
    job.compare("distortion in the joint loss, last", last, first, "when it joined (at most)", last <= first)


def draw(job: Job, X: Any, em: Any, hard: Any) -> None:
    """Draw the points by share, the centroids' paths, the free energy, and beta."""
    from matplotlib.colors import to_rgb

    k = len(em.cluster_centers_)
    palette = np.array([to_rgb(COLOURS[c % 8]) for c in range(k)])
    betas = [0.02, 0.3, 1e6]
    with job.figure("shares.png", 12, 4.4) as figure:
        for axis, beta in zip(figure.subplots(1, 3, sharex=True, sharey=True), betas, strict=True):
            model = SoftKMeans(k, beta=beta, n_init=5, random_state=job.seed, max_iter=20_000).fit(X)
            path = np.array(model.path_)
            axis.scatter(*X.T, s=14, c=model.predict_proba(X) @ palette, linewidths=0)
            axis.plot(path[:, :, 0], path[:, :, 1], "-", color="black", linewidth=1)
            axis.scatter(*path[0].T, s=40, facecolor="white", edgecolor="black", zorder=3, label="start")
            axis.scatter(*path[-1].T, s=150, marker="*", color=RED, edgecolor="black", zorder=4, label="centroids")
            finish(axis, "upper right" if beta == betas[-1] else None, xlabel="x₁", title=f"beta = {beta:g}")
        figure.axes[0].set_ylabel("x₂")
    with job.figure("training.png", 10, 4) as figure:
        left, right = figure.subplots(1, 2)
        descent = SoftKMeans(k, beta=em.beta, n_init=5, method="gradient", random_state=job.seed).fit(X)
        for model, name, colour, style in ((em, "EM", BLUE, "o-"), (descent, "gradient descent", ORANGE, "s-")):
            above = np.array(model.history_) - min(min(em.history_), min(descent.history_))
            left.loglog(
                range(1, len(above) + 1), np.maximum(above, 1e-10), style, color=colour, markersize=3, label=name
            )
        finish(left, xlabel="round", ylabel="free energy above the optimum", title="two ways to the same place")
        sweep = np.logspace(-2, 3, 26)
        inertia = [
            SoftKMeans(k, beta=float(b), n_init=3, max_iter=20_000, random_state=job.seed).fit(X).inertia_
            for b in sweep
        ]
        right.semilogx(sweep, inertia, "o-", color=BLUE, markersize=3, label="soft K-means")
        right.axhline(hard.inertia_, linestyle="--", color=RED, label="K-means")
        finish(
            right, xlabel="beta (1 / squared distance)", ylabel="sum of squared distances", title="towards hard borders"
        )
