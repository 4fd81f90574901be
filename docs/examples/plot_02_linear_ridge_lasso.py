r"""
Linear, ridge and lasso
=======================

Linear regression minimises the mean squared error

.. math:: L(w, b) = \frac1n \sum_i (y_i - x_i \cdot w - b)^2

.. math::
   \frac{\partial L}{\partial w} = -\frac2n X^\top (y - Xw - b) \qquad
   \frac{\partial L}{\partial b} = -\frac2n \sum_i (y_i - x_i \cdot w - b)

**Ridge** adds :math:`\lambda \sum w^2`, **lasso** :math:`\lambda \sum |w|`. The intercept is not penalised.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.models import Lasso, Ridge
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw

rng = np.random.default_rng(0)
n, truth = 120, np.zeros(20)
truth[[2, 5, 9, 12, 17]] = 90.0, -70.0, 50.0, -30.0, 15.0
X = rng.standard_normal((n, 20))
y = X @ truth + 10 + 20 * rng.standard_normal(n)
x, target = tl.tensor(X), tl.tensor(y[:, None])

figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), sharey=True, layout="constrained")
for axis, k in zip(axes, (2, 9, 0)):
    axis.scatter(X[:, k], y, s=8)
    axis.set(title=f"feature {k}, true weight {truth[k]:.0f}", xlabel=f"x{k}")
axes[0].set_ylabel("y")
plt.show()

# %%
# By hand and by the library
# --------------------------

tl.manual_seed(0)
model, lam = nn.Linear(20, 1, dtype=np.float64), 10.0
w, b = model.weight.array[0], model.bias.array[0]
residual = y - X @ w - b
slope, slope_b = -2 / n * X.T @ residual, -2 / n * residual.sum()

for name, penalty, extra in (
    ("none", lambda w: 0.0, 0.0),
    ("ridge", lambda w: lam * (w * w).sum(), 2 * lam * w),
    ("lasso", lambda w: lam * w.abs().sum(), lam * np.sign(w)),
):
    loss = nn.functional.mse_loss(model(x), target) + penalty(model.weight)
    gw, gb = tl.autograd.grad(loss, [model.weight, model.bias])
    print(f"{name:6}", np.allclose(gw.array[0], slope + extra), np.allclose(gb.array, slope_b))

# %%
# The picture and the check
# -------------------------
# The ridge loss with its backward pass. The gradients of the error and of the penalty add up.


def ridge(w, b):
    """Return the mean squared error plus the ridge penalty."""
    return nn.functional.mse_loss(x @ w.T + b, target) + lam * (w * w).sum()


print(gradcheck(ridge, model.weight.array, model.bias.array))
loss, names = ridge(model.weight, model.bias), {"weight": model.weight, "bias": model.bias}
print(draw(loss, graph="both", names=names))
draw(loss, graph="both", names=names)

# %%
# Training
# --------
# With ``l1=`` an optimiser takes the proximal step: it shrinks each weight and stops at zero, so zeros are exact.

optimiser = optim.SGD([{"params": [model.weight], "l1": lam}, {"params": [model.bias]}], lr=0.05)
zeros = []
for _ in range(400):
    optimiser.zero_grad()
    nn.functional.mse_loss(model(x), target).backward()
    optimiser.step()
    zeros.append(int((model.weight.array == 0).sum()))
lasso = Lasso(lam / 2).fit(X, y)  # minimises half this loss: 1/(2n) sum r^2 + alpha |w|
print("zeros:", zeros[-1], " same as the estimator:", np.allclose(model.weight.array[0], lasso.coef_, atol=1e-3))

# %%
# The effect of the penalty on the weights
# ----------------------------------------
# Ridge shrinks all weights. Lasso sets the weights of irrelevant features to exactly zero.

strengths = np.logspace(-1, 2, 25)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
for axis, name, make in ((axes[0], "ridge", lambda a: Ridge(a * n / 10)), (axes[1], "lasso", Lasso)):
    weights = np.array([make(a).fit(X, y).coef_ for a in strengths])
    for k in range(20):
        matters = truth[k] != 0
        axis.semilogx(strengths, weights[:, k], "-" if matters else ":", color="#0072B2" if matters else "#888888")
    axis.set(title=name, xlabel="strength")
axes[0].set_ylabel("weight (solid: relevant features)")
plt.show()

# %%
# Exercises
# ---------
# 1. Add the lasso penalty to the loss and use plain SGD. How many weights become exactly zero, and why?
# 2. Use both penalties (elastic net). Which of the two plots do the paths resemble with ``l1_ratio=0.1``?
#
# More: :doc:`/regression`, ``tinygrad-lite train linear``, ``tinygrad-lite train penalties``.
