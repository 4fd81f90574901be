r"""
Linear, ridge and lasso
=======================

A straight line through points, found by going downhill on the mean squared error

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

rng = np.random.default_rng(0)
n, truth = 120, np.zeros(20)
truth[[2, 5, 9, 12, 17]] = 90.0, -70.0, 50.0, -30.0, 15.0
X = rng.standard_normal((n, 20))
y = X @ truth + 10 + 20 * rng.standard_normal(n)
x, target = tl.tensor(X), tl.tensor(y[:, None])

# %%
# By hand and by the library
# --------------------------

tl.manual_seed(0)
model, lam = nn.Linear(20, 1, dtype=np.float64), 10.0
w, b = model.weight.array[0], model.bias.array[0]
left = y - X @ w - b
slope, slope_b = -2 / n * X.T @ left, -2 / n * left.sum()

for name, penalty, extra in (
    ("none", lambda w: 0.0, 0.0),
    ("ridge", lambda w: lam * (w * w).sum(), 2 * lam * w),
    ("lasso", lambda w: lam * w.abs().sum(), lam * np.sign(w)),
):
    loss = nn.functional.mse_loss(model(x), target) + penalty(model.weight)
    gw, gb = tl.autograd.grad(loss, [model.weight, model.bias])
    print(f"{name:6}", np.allclose(gw.array[0], slope + extra), np.allclose(gb.array, slope_b))

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
lasso = Lasso(lam / 2).fit(X, y)  # its loss is the half: 1/(2n) sum r^2 + alpha |w|
print("zeros:", zeros[-1], " same as the estimator:", np.allclose(model.weight.array[0], lasso.coef_, atol=1e-3))

# %%
# What the penalty does to the weights
# ------------------------------------
# Ridge makes all weights smaller. Lasso makes those that do not matter exactly zero.

strengths = np.logspace(-1, 2, 25)
figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
for axis, name, make in ((axes[0], "ridge", lambda a: Ridge(a * n / 10)), (axes[1], "lasso", Lasso)):
    weights = np.array([make(a).fit(X, y).coef_ for a in strengths])
    for k in range(20):
        matters = truth[k] != 0
        axis.semilogx(strengths, weights[:, k], "-" if matters else ":", color="#0072B2" if matters else "#888888")
    axis.set(title=name, xlabel="strength")
axes[0].set_ylabel("weight (solid: features that matter)")
plt.show()

# %%
# Exercises
# ---------
# 1. Take the lasso penalty into the loss and use plain SGD. How many weights become exactly zero, and why?
# 2. Add both penalties (elastic net). Which of the two curves do the paths look like with ``l1_ratio=0.1``?
#
# More: :doc:`/regression`, ``tinygrad-lite train linear``, ``tinygrad-lite train penalties``.
