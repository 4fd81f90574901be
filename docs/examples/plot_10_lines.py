r"""
Detecting lines
===============

Four fixed kernels with the profile :math:`-1\;2\;-1`, for horizontal, vertical and both diagonal lines, respond
strongly to lines of their direction. Nothing is trained, but the response still has a gradient with respect to the
image: the correlation of the incoming gradient with the kernel,

.. math:: y = x *_{\text{full}} k, \qquad \frac{\partial L}{\partial x} = g \star k
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets
from tinygrad_lite.models import LineDetector
from tinygrad_lite.models.networks import LINES
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw, summary

images, _ = datasets.digits(classes=(7,), dtype=np.float64)
detector = LineDetector(dtype=np.float64)
x = tl.tensor(images[:1], requires_grad=True)
response = detector(x)
print(response.shape)

# %%
# By hand and by the library
# --------------------------

kernels = detector.kernels.array[:, 0]
print(all((response.array[0, k] == by_hand.convolved(images[0, 0], kernel)).all() for k, kernel in enumerate(kernels)))

g = np.random.default_rng(0).standard_normal(response.shape)
response.backward(tl.tensor(g))
print(np.allclose(x.grad.array[0, 0], sum(by_hand.correlated(g[0, k], kernel) for k, kernel in enumerate(kernels))))

# %%
# The picture and the check
# -------------------------

print(summary(detector, x))
print(gradcheck(detector, images[:1]))
print(draw(detector(x).square().mean(), graph="both", names={"image": x, "kernels": detector.kernels}))
draw(detector(x).square().mean(), graph="both", names={"image": x, "kernels": detector.kernels})

# %%
# The detected lines
# ------------------

found = detector.lines(x).array[0]
figure, axes = plt.subplots(3, 5, figsize=(9, 5.6), layout="constrained")
axes[0, 0].imshow(images[0, 0], cmap="gray_r")
axes[0, 0].set_title("a digit")
for axis in (axes[1, 0], axes[2, 0]):
    axis.axis("off")
for k, name in enumerate(LINES):
    axes[0, k + 1].imshow(kernels[k], cmap="PuOr_r", vmin=-2, vmax=2)
    axes[0, k + 1].set_title(name)
    axes[1, k + 1].imshow(response.detach().array[0, k], cmap="PuOr_r", vmin=-4, vmax=4)
    axes[1, k + 1].set_title("response")
    axes[2, k + 1].imshow(found[k], cmap="gray_r")
    axes[2, k + 1].set_title("above 1.5")
for axis in axes.flat:
    axis.set(xticks=[], yticks=[])
plt.show()

# %%
# Exercises
# ---------
# 1. The kernels sum to zero. What is the response to an image of constant grey?
# 2. Initialise ``nn.Conv2d(1, 4, 3)`` with these kernels and train it on the ten digits. Do they stay line detectors?
#
# ``tinygrad-lite train lines`` compares the responses with ``scipy.signal.convolve2d``.
