r"""
Up or down
==========

Fifty short time series trend up or down. The model is one kernel with two weights; its prediction is the mean of the
convolution:

.. math:: p_i = \frac{1}{T - 1} \sum_t k_0 x_{i,t} + k_1 x_{i,t+1}, \qquad L = \frac{1}{2n} \sum_i (p_i - y_i)^2

This is a weighted sum of two means, over all values but the last and over all values but the first, so

.. math:: \frac{\partial L}{\partial k_0} = \frac1n \sum_i (p_i - y_i)\, \bar x_{i,\,t<T}, \qquad
   \frac{\partial L}{\partial k_1} = \frac1n \sum_i (p_i - y_i)\, \bar x_{i,\,t>1}
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, optim
from tinygrad_lite.models import UpDown
from tinygrad_lite.testing import Arr, check_module
from tinygrad_lite.viz import draw, summary

X, y = datasets.make_up_down(50, 5, noise=0.3, seed=0, dtype=np.float64)
x, target = tl.tensor(X), tl.tensor(y)

# %%
# By hand and by the library
# --------------------------

tl.manual_seed(0)
model = UpDown(np.float64)
(((model(x) - target) ** 2).mean() * 0.5).backward()
means = np.column_stack([X[:, 0, :-1].mean(1), X[:, 0, 1:].mean(1)])
k = model.conv.weight.array.reshape(2)
print(np.allclose(model.conv.weight.grad.array.reshape(2), (means @ k - y) @ means / len(y)))

# %%
# The picture and the check
# -------------------------

print(summary(model, x))
print(check_module(model, Arr("n 1 5", min=1), examples=5))
loss = ((model(x) - target) ** 2).mean() * 0.5
print(draw(loss, graph="both", names=model))
draw(loss, graph="both", names=model)

# %%
# Training
# --------
# The kernel becomes a difference filter, (-1, 1).

optimiser = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
path, accuracy = [k.copy()], []
for _ in range(300):
    optimiser.zero_grad()
    out = model(x)
    loss = ((out - target) ** 2).mean() * 0.5
    loss.backward()
    optimiser.step()
    path.append(model.conv.weight.array.reshape(2).copy())
    accuracy.append(100 * (np.sign(out.array) == y).mean())
path = np.array(path)
print("kernel:", path[-1].round(2), f" accuracy: {accuracy[-1]:.0f} %")
print("least squares gives the same:", np.allclose(path[-1], np.linalg.lstsq(means, y, rcond=None)[0], atol=0.05))

figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
for way, colour, style in ((1, "#0072B2", "-"), (-1, "#D55E00", "--")):
    axes[0].plot(X[y == way][:10, 0].T, style, color=colour, linewidth=1)
axes[0].set(title="series that go up and down", xlabel="time")
axes[1].plot(path, label=["first weight", "second weight"])
axes[1].set(title="the kernel", xlabel="epoch")
axes[1].legend()
axes[2].plot(accuracy)
axes[2].set(title="accuracy in %", xlabel="epoch")
plt.show()

# %%
# Exercises
# ---------
# 1. Train a kernel with three weights. Which filter does it become?
# 2. Raise the noise to 1.0. Why do longer series help, and why does the kernel hardly change?
#
# As an animation: ``tinygrad-lite train up-down`` writes ``training.gif``.
