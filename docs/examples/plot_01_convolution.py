r"""
Convolution
===========

Each output is the sum over one window of the image, weighted by the kernel:

.. math:: y_{ij} = \sum_{a, b} x_{i + a,\, j + b}\; k_{ab}

This is cross-correlation, which neural networks call convolution; convolution proper rotates the kernel by 180 degrees.
The output has :math:`\lfloor (n + 2p - k) / s \rfloor + 1` values along each axis.

Let :math:`g` be the gradient of the loss with respect to :math:`y`. The gradient of the kernel is the correlation of
the image with :math:`g`; the gradient of the image is the full convolution of :math:`g` with the kernel:

.. math:: \frac{\partial L}{\partial k} = x \star g \qquad \frac{\partial L}{\partial x} = g *_{\text{full}} k
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn, optim
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw, summary

F = nn.functional
images, _ = datasets.digits(dtype=np.float64)
x = tl.tensor(images[:32])
sobel = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
response = F.conv2d(x, tl.tensor(sobel[None, None]))
print(response.shape)

# %%
# By hand and by the library
# --------------------------
# ``by_hand.correlated`` and ``by_hand.convolved`` compute the sums above in loops.

tl.manual_seed(0)
image = tl.tensor(images[:1], requires_grad=True)
kernel = tl.tensor(np.random.default_rng(0).standard_normal((1, 1, 3, 3)), requires_grad=True)
y = F.conv2d(image, kernel)
g = np.random.default_rng(1).standard_normal(y.shape)
y.backward(tl.tensor(g))

print(np.allclose(y.array[0, 0], by_hand.correlated(images[0, 0], kernel.array[0, 0])))
print(np.allclose(kernel.grad.array[0, 0], by_hand.correlated(images[0, 0], g[0, 0])))
print(np.allclose(image.grad.array[0, 0], by_hand.convolved(g[0, 0], kernel.array[0, 0])))

# %%
# The picture and the check
# -------------------------
# The layer forward and backward. Both gradients of a convolution are convolutions again.

print(gradcheck(F.conv2d, images[:1], sobel[None, None]))
y = F.conv2d(image, kernel)
print(draw(y.square().mean(), graph="both", names={"image": image, "kernel": kernel}))
draw(y.square().mean(), graph="both", names={"image": image, "kernel": kernel})

# %%
# Recovering a kernel
# -------------------
# Given images and their responses to an unknown kernel, gradient descent finds the kernel.

model = nn.Conv2d(1, 1, 3, bias=False, dtype=np.float64)
before = model.weight.array[0, 0].copy()
optimiser = optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
losses = []
for _ in range(150):
    optimiser.zero_grad()
    loss = F.mse_loss(model(x), response, reduction="sum") / 32
    loss.backward()
    optimiser.step()
    losses.append(loss.item())
after = model.weight.array[0, 0]
print(after.round(3))
print(summary(model, x))

figure, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
for axis, (title, picture) in zip(
    axes, {"a digit": images[0, 0], "kernel before": before, "kernel learned": after}.items()
):
    axis.imshow(picture, cmap="PuOr_r", vmin=-2, vmax=2)
    axis.set(title=title, xticks=[], yticks=[])
axes[3].semilogy(losses)
axes[3].set(title="training", xlabel="step", ylabel="squared error")
plt.show()

# %%
# As a matrix
# -----------
# A convolution is linear, so it can be written as a matrix. In one dimension the matrix is banded.

k = tl.tensor([1.0, 2.0, 3.0])
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
for axis, (padding, stride) in zip(axes, (("valid", 1), ("full", 1), ("full", 2))):
    M = F.conv_matrix(k, 6, stride=stride, padding=padding, flip=True).array
    axis.imshow(M, cmap="Blues", vmax=5)
    for (i, j), v in np.ndenumerate(M):
        axis.text(j, i, f"{v:.0f}" if v else "", ha="center", va="center")
    axis.set(title=f"'{padding}', stride {stride}: {M.shape[0]}x{M.shape[1]}", xlabel="value of x", ylabel="value of y")
plt.show()

v = np.arange(6.0)
print(np.allclose(F.conv_matrix(k, 6, padding="full", flip=True).array @ v, np.convolve(v, [1, 2, 3])))

# %%
# Exercises
# ---------
# 1. Recover the kernel from a single image. Why does it take longer, and when is it impossible?
# 2. ``conv_matrix(k, 6).T`` maps four values back to six. Which layer of ``tinygrad_lite.nn`` is this?
#
# The whole system, with every reference: ``tinygrad-lite train convolution``.
