r"""
Zeros against ones
==================

Handwritten digits of 8x8 pixels. Five kernels 3x3 with an **untied bias** (one per output position), sigmoid, 100
sigmoid units, two sigmoid outputs, and binary cross-entropy on one-hot targets, one image at a time:

.. math:: L = -\frac12 \sum_j y_j \log z_j + (1 - y_j) \log(1 - z_j)

.. math:: \frac{\partial L}{\partial z} = \frac12\, \frac{z - y}{z (1 - z)}, \qquad
   \delta = \frac{\partial L}{\partial z}\, z (1 - z) = \tfrac12 (z - y)

The derivative of the sigmoid cancels the denominator. The gradient of an untied bias is the gradient of its output
position; the gradient of a kernel is the image correlated with it.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn, optim
from tinygrad_lite.models import DigitsCNN
from tinygrad_lite.models.recipes import by_hand
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw, summary

images, labels = datasets.digits(classes=(0, 1), dtype=np.float64)
rng = np.random.default_rng(0)
rows = [rng.permutation(np.flatnonzero(labels == digit)) for digit in (0, 1)]
train, test = np.concatenate([r[:100] for r in rows]), np.concatenate([r[100:200] for r in rows])
targets = np.eye(2)[labels]

# %%
# By hand and by the library
# --------------------------
# ``by_hand.digits_cnn`` implements the formulas above in NumPy.

tl.manual_seed(0)
model = DigitsCNN(8, np.float64)
one = train[0]
nn.functional.binary_cross_entropy(model(tl.tensor(images[[one]])), tl.tensor(targets[[one]])).backward()
parameters = {name: p.array for name, p in model.named_parameters()}
hand = by_hand.digits_cnn(images[one, 0], targets[[one]], parameters)
for (name, p), expected in zip(model.named_parameters(), hand):
    print(f"{name:14} {str(p.shape):14} {np.allclose(p.grad.array, expected)}")

# %%
# The picture and the check
# -------------------------

image, wanted = tl.tensor(images[[one]]), tl.tensor(targets[[one]])
print(summary(model, image))
print(gradcheck(lambda x: nn.functional.binary_cross_entropy(model(x), wanted), image))
loss = nn.functional.binary_cross_entropy(model(image), wanted)
print(draw(loss, graph="both", names=model))
draw(loss, graph="both", names=model)

# %%
# Training
# --------

before = model.conv.weight.array.copy()
optimiser = optim.SGD(model.parameters(), lr=0.1)
curve = []
for _ in range(8):
    total = 0.0
    for i in rng.permutation(train):
        optimiser.zero_grad()
        loss = nn.functional.binary_cross_entropy(model(tl.tensor(images[[i]])), tl.tensor(targets[[i]]))
        loss.backward()
        optimiser.step()
        total += loss.item()
    curve.append(total / len(train))
with tl.no_grad():
    right = (model(tl.tensor(images[test])).array.argmax(1) == labels[test]).mean()
print(f"accuracy on {len(test)} other digits: {right:.1%}")

figure, axes = plt.subplots(2, 6, figsize=(11, 3.8), layout="constrained")
for k in range(5):
    for row, kernels, name in ((0, before, "before"), (1, model.conv.weight.array, "after")):
        axes[row, k].imshow(kernels[k, 0], cmap="PuOr_r", vmin=-1, vmax=1)
        axes[row, k].set(title=f"kernel {k + 1} {name}", xticks=[], yticks=[])
axes[0, 5].imshow(images[test[0], 0], cmap="gray_r")
axes[0, 5].set(title="a digit", xticks=[], yticks=[])
axes[1, 5].plot(range(1, 9), curve, "o-")
axes[1, 5].set(title="loss", xlabel="epoch")
plt.show()

# %%
# Exercises
# ---------
# 1. Use one bias per kernel (``nn.Conv2d(1, 5, 3)``). How many parameters does it save, and how does accuracy change?
# 2. Remove the last sigmoid and use ``binary_cross_entropy_with_logits``. Do the gradients change?
#
# With MNIST at 28x28: ``tinygrad-lite train digits01 --data mnist --download``.
