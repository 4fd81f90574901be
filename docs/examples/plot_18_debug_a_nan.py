r"""
Debug a NaN
===========

A loss becomes NaN or infinite during training. This page finds the line that made it so. The model predicts a rate
:math:`\lambda`, and the loss is the negative log-likelihood of a Poisson distribution,

.. math::
   L = \sum_i \lambda_i - y_i \log \lambda_i, \qquad \frac{\partial L}{\partial \lambda_i} = 1 - \frac{y_i}{\lambda_i}

which is infinite where a rate is zero.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.errors import GradientError
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw, summary

rng = np.random.default_rng(0)
x = tl.tensor(rng.uniform(0, 1, (40, 1)).astype(np.float32))
y = tl.tensor(rng.poisson(1 + 4 * x.array).astype(np.float32))
plt.figure(figsize=(5, 2.6), layout="constrained")
plt.scatter(x.array, y.array, s=12)
plt.xlabel("x")
plt.ylabel("count")
plt.show()


def loss_of(rate, y):
    """Return the negative log-likelihood per example."""
    return (rate - y * rate.log()).mean()


def train(model, steps=30):
    optimiser = optim.SGD(model.parameters(), lr=0.5)
    for step in range(steps):
        optimiser.zero_grad()
        loss = loss_of(model(x), y)
        if not np.isfinite(loss.item()):
            return step, loss
        loss.backward()
        optimiser.step()
    return steps, loss


tl.manual_seed(2)
model = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1), nn.ReLU())
print(summary(model, x))
with np.errstate(all="ignore"):
    step, loss = train(model)
print(f"step {step}: loss {loss.item()}")

# %%
# Where it begins
# ---------------
# ``detect_anomaly`` stops at the first operation that makes a NaN or an infinity, forward or backward, and names its
# input and its line:

with tl.autograd.detect_anomaly():
    try:
        loss_of(model(x), y).backward()
    except GradientError as error:
        print(str(error).splitlines()[0])

# %%
# The same in the picture, where the first bad value is marked. ReLU gave a rate of zero, and its logarithm is infinite.

with np.errstate(all="ignore"):
    loss = loss_of(model(x[:3]), y[:3])
    print(draw(loss, graph="both", names=model, show=("shape", "value")))
    picture = draw(loss, names=model, show=("shape", "value", "grad"))
picture

# %%
# The fix, by hand and by the library
# -----------------------------------
# By hand: with :math:`\lambda = e^s` the loss is :math:`e^s - y s`, and its gradient :math:`e^s - y` is finite for
# every score :math:`s`. The library has this loss as ``poisson_nll_loss``.

scores = rng.standard_normal(5)
s = tl.tensor(scores, requires_grad=True)
counts = tl.tensor(np.arange(5.0))
nn.functional.poisson_nll_loss(s, counts).backward()
print(np.allclose(s.grad.array, (np.exp(scores) - np.arange(5.0)) / 5))
print(gradcheck(lambda s: nn.functional.poisson_nll_loss(s, counts), scores))

tl.manual_seed(2)
model = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
optimiser = optim.Adam(model.parameters(), lr=0.05)
for _ in range(150):
    optimiser.zero_grad()
    loss = nn.functional.poisson_nll_loss(model(x), y)
    loss.backward()
    optimiser.step()
print("finite:", bool(np.isfinite(loss.item())))

grid = np.linspace(0, 1, 50, dtype=np.float32)[:, None]
plt.figure(figsize=(5, 3), layout="constrained")
plt.scatter(x.array, y.array, s=12, label="counts")
with tl.no_grad():
    plt.plot(grid, model(tl.tensor(grid)).exp().array, color="#D55E00", label="fitted rate")
plt.plot(grid, 1 + 4 * grid, "k--", label="true rate")
plt.legend()
plt.show()

# %%
# Branches that are not taken
# ---------------------------
# The branch of a ``where`` that is not taken makes no NaN, even where its derivative is infinite:
# :doc:`/subgradients`.

t = tl.tensor([0.0, 4.0], requires_grad=True)
tl.where(t > 0, t.sqrt(), 0.0).sum().backward()
print(t.grad)

# %%
# Exercises
# ---------
# 1. Start the first model with a bias of 3 in its last layer. Does training get through?
# 2. ``color_by="grad_norm"`` shows vanishing and exploding gradients. Draw the first model with it.
