r"""
K-means and soft K-means
========================

K-means minimises the sum of squared distances to the nearest centroid,

.. math:: \mathrm{SSE} = \sum_i \min_k \lVert x_i - c_k \rVert^2, \qquad
   \frac{\partial\, \mathrm{SSE}}{\partial c_k} = 2 \sum_{i \in k} (c_k - x_i)

The gradient is zero where each centroid is the mean of its points. In soft K-means every point has a membership in
every cluster,

.. math:: a_{ik} = \mathrm{softmax}_k(-\beta \lVert x_i - c_k \rVert^2)

and minimises the free energy :math:`F = -\frac1\beta \sum_i \log \sum_k e^{-\beta \lVert x_i - c_k \rVert^2}`, with
:math:`\partial F / \partial c_k = 2 \sum_i a_{ik} (c_k - x_i)`.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets
from tinygrad_lite.models import KMeans, SoftClusters, SoftKMeans
from tinygrad_lite.testing import Arr, check_module, gradcheck
from tinygrad_lite.viz import draw

X, _ = datasets.make_blobs(400, 2, centers=3, cluster_std=1.6, random_state=3, dtype=np.float64)
start = X[np.argsort(X.sum(axis=1))[:3]]  # all in one corner, so that the paths are long enough to see

# %%
# By hand and by the library
# --------------------------

points, centers = tl.tensor(X), tl.tensor(start, requires_grad=True)
((points.unsqueeze(1) - centers) ** 2).sum(2).amin(1).sum().backward()
labels = ((X[:, None] - start) ** 2).sum(2).argmin(1)
print(np.allclose(centers.grad.array, [2 * (c - X[labels == k]).sum(0) for k, c in enumerate(start)]))

beta = 0.3
layer = SoftClusters(3, 2, beta, np.float64)
layer.centroids.data = tl.tensor(start)
layer.free_energy(points, "sum").backward()
apart = X[:, None] - start
d = (apart**2).sum(2)
a = np.exp(-beta * (d - d.min(1, keepdims=True)))
a /= a.sum(1, keepdims=True)
print(np.allclose(layer.centroids.grad.array, -2 * (a[:, :, None] * apart).sum(0)))

# %%
# The picture and the check
# -------------------------

print(gradcheck(lambda c: ((points.unsqueeze(1) - c) ** 2).sum(2).amin(1).sum(), start))
print(check_module(layer, Arr("n 2", min=1), loss=lambda shares: (shares**2).sum(), examples=5))
F = layer.free_energy(points, "sum")
print(draw(F, graph="both", names=layer))
draw(F, graph="both", names=layer)

# %%
# The paths of the centroids
# --------------------------

hard = KMeans(3, init=start).fit(X)
soft = SoftKMeans(3, beta=beta, init=start).fit(X)
print("SSE never rises:", (np.diff(hard.history_) <= 0).all(), [round(s) for s in hard.history_])

colours = np.array([[0.0, 0.45, 0.7], [0.9, 0.62, 0.0], [0.0, 0.62, 0.45]])
figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
for axis, model, shade in ((axes[0], hard, colours[hard.labels_]), (axes[1], soft, soft.predict_proba(X) @ colours)):
    path = np.array(model.path_)
    axis.scatter(*X.T, s=10, c=shade)
    axis.plot(path[:, :, 0], path[:, :, 1], "k-", linewidth=1)
    axis.scatter(*path[-1].T, s=140, marker="*", color="#D55E00", edgecolor="black", zorder=3)
    axis.set(title=type(model).__name__, xlabel="x1", ylabel="x2")
axes[2].plot(range(1, len(hard.history_) + 1), hard.history_, "o-")
axes[2].set(title="SSE of K-means", xlabel="iteration", ylabel="sum of squared distances")
plt.show()

# %%
# The limit of hard boundaries
# ----------------------------
# As :math:`\beta` grows, soft K-means becomes K-means.

stiff = SoftKMeans(3, beta=1e6, init=start).fit(X)
print((stiff.labels_ == hard.labels_).all(), np.allclose(stiff.cluster_centers_, hard.cluster_centers_))

# %%
# Exercises
# ---------
# 1. One iteration of K-means is one Newton step on the SSE. Derive this from the gradient above.
# 2. With ``beta=0.01`` all centroids coincide. Where, and above which ``beta`` do they separate?
#
# More: :doc:`/clustering`, ``tinygrad-lite train kmeans``, ``tinygrad-lite train soft-kmeans``.
