r"""
Many runs with joblib
=====================

One training says little: the result depends on the seed. This page trains the network of the exclusive or from 16 seeds
at two learning rates, in several processes, and compares the success rates with their standard error (``pip install
joblib``):

.. math:: \mathrm{se} = \sqrt{p (1 - p) / n}
"""

import matplotlib.pyplot as plt
import numpy as np
from joblib import Parallel, delayed

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.testing import Arr, check_module
from tinygrad_lite.viz import draw, summary

X = tl.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = tl.tensor([[0.0], [1.0], [1.0], [0.0]])
print(np.column_stack([X.array, Y.array]))


def make(seed):
    """Return a new network. The seed belongs to the run, so every run can be repeated alone."""
    tl.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))


model = make(0)
print(summary(model, X))
print(check_module(model, Arr("n 2"), examples=5))
loss = nn.functional.mse_loss(model(X), Y)
print(draw(loss, graph="both", names=model))
draw(loss, graph="both", names=model)

# %%
# By hand and by the library
# --------------------------
# The gradient of the last bias is twice the mean error:

loss.backward()
print(np.isclose(model[2].bias.grad.item(), 2 * (model(X).detach().array - Y.array).mean()))

# %%
# One run
# -------
# A function of its arguments that returns plain data: this is all that joblib needs. Models can be returned as well,
# because modules can be pickled.


def run(seed, lr, steps=120):
    """Return the losses of one training."""
    model = make(seed)
    optimiser = optim.Adam(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = nn.functional.mse_loss(model(X), Y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


# %%
# Many runs
# ---------
# joblib starts processes and returns the results in order. Set ``OMP_NUM_THREADS=1``, so that the processes do not
# compete for the cores.

rates, seeds = (0.02, 0.1), range(16)
jobs = [(seed, lr) for lr in rates for seed in seeds]
curves = np.array(Parallel(n_jobs=2)(delayed(run)(*job) for job in jobs)).reshape(2, 16, -1)
print("same as in this process:", np.array_equal(curves[0, 0], run(0, 0.02)))

figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
for axis, lr, losses in zip(axes, rates, curves):
    p = (losses[:, -1] < 0.05).mean()
    print(f"lr {lr}: solved {p:.0%} +- {np.sqrt(p * (1 - p) / 16):.0%}")
    axis.semilogy(losses.T, color="#0072B2", alpha=0.3, linewidth=1)
    axis.set(title=f"learning rate {lr}", xlabel="step", ylim=(1e-6, 2))
axes[0].set_ylabel("mean squared error")
plt.show()

# %%
# Exercises
# ---------
# 1. How many seeds are needed to see a difference of ten percentage points?
# 2. ``func.stack_module_state`` and ``func.vmap`` train all networks in one process. Which is faster?
