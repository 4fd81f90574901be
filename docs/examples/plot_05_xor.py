r"""
Exclusive or
============

No straight line separates these four points. A network with three hidden tanh units and one output can:

.. math:: h = \tanh(W_1 x + b_1), \quad z = \tanh(W_2 h + b_2), \quad L = \frac14 \sum (z - y)^2

The derivative of tanh is :math:`1 - \tanh^2`, so the backward pass is

.. math::
   \delta_2 = \tfrac24 (z - y)(1 - z^2), \quad \frac{\partial L}{\partial W_2} = \delta_2^\top h, \quad
   \delta_1 = (\delta_2 W_2)(1 - h^2), \quad \frac{\partial L}{\partial W_1} = \delta_1^\top x
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn
from tinygrad_lite.models import XorNet
from tinygrad_lite.models.recipes.exclusive_or import solved, train
from tinygrad_lite.testing import Arr, check_module
from tinygrad_lite.viz import draw, summary

# %%
# By hand and by the library
# --------------------------

tl.manual_seed(0)
X, y = datasets.make_xor(dtype=np.float64)
model = XorNet(dtype=np.float64)
nn.functional.mse_loss(model(tl.tensor(X)), tl.tensor(y[:, None])).backward()

W1, b1, W2, b2 = (p.array for p in model.parameters())
h = np.tanh(X @ W1.T + b1)
z = np.tanh(h @ W2.T + b2)
d2 = 2 / 4 * (z - y[:, None]) * (1 - z**2)
d1 = (d2 @ W2) * (1 - h**2)
for p, hand in zip(model.parameters(), (d1.T @ X, d1.sum(0), d2.T @ h, d2.sum(0))):
    print(np.allclose(p.grad.array, hand))

# %%
# The picture and the check
# -------------------------
# Every box of the backward pass stands beside the box of its operation.

print(summary(model, tl.tensor(X)))
print(check_module(model, Arr("n 2"), examples=5))
loss = nn.functional.mse_loss(model(tl.tensor(X)), tl.tensor(y[:, None]))
print(draw(loss, graph="both", names=model))
draw(loss, graph="both", names=model)

# %%
# Training from eight seeds
# -------------------------

runs = [train("tanh", seed, 500, 0.05) for seed in range(8)]
print("solved:", sum(solved(net) for net, _ in runs), "of", len(runs))
best = next(net for net, _ in runs if solved(net))

grid = np.linspace(-0.3, 1.3, 80, dtype=np.float32)
a, b = np.meshgrid(grid, grid)
with tl.no_grad():
    surface = best(tl.tensor(np.column_stack([a.ravel(), b.ravel()]))).array.reshape(a.shape)

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
shown = left.contourf(a, b, surface, 20, cmap="cividis")
left.contour(a, b, surface, [0.5], colors="white")
left.scatter(*X[y == 0].T, s=90, marker="o", color="#0072B2", edgecolor="white", label="0")
left.scatter(*X[y == 1].T, s=90, marker="s", color="#D55E00", edgecolor="white", label="1")
left.set(title="output of the network", xlabel="x1", ylabel="x2")
left.legend()
figure.colorbar(shown, ax=left)
for _, losses in runs:
    right.semilogy(losses, linewidth=1)
right.set(title="eight seeds", xlabel="epoch", ylabel="mean squared error")
plt.show()

# %%
# Exercises
# ---------
# 1. Train with two hidden units. For how many of 20 seeds does it work?
# 2. Replace tanh by sigmoid. How do the number of epochs and the learning rate have to change?
#
# The whole system: ``tinygrad-lite train xor``. The graph of this network is on the page :doc:`/seeing_graphs`.
