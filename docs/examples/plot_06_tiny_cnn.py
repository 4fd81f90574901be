r"""
The 5x5 network
===============

A convolutional network so small that every number can be followed: a 5x5 image, convolution 2x2 with one bias, ReLU,
max-pool 2x2, three sigmoid units, two sigmoid units. 5 + 15 + 8 = 28 parameters. The loss is
:math:`(z_0 - y_0)^2 + (z_1 - y_1)^2`.

Backwards: the slope of the loss is :math:`2(z - y)`; a sigmoid multiplies by :math:`s(1 - s)`; a dense layer by its
weights; max-pool hands everything to the first of the largest values of its square; ReLU lets it through where it was
open; and the kernel's gradient is the image correlated with what arrives.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import optim
from tinygrad_lite.models import TinyCNN
from tinygrad_lite.models.recipes.tiny_cnn import CIRCLE, CROSS, data, squared

tl.manual_seed(9)
model = TinyCNN(dtype=np.float64)
image, wanted = tl.tensor(CROSS[None, None]), tl.tensor([[1.0, 0.0]], dtype=tl.float64)
print(model.count())
print(" -> ".join("x".join(map(str, s)) for s in model.shapes(image)))

# %%
# Every number, forward and backward
# ----------------------------------

convolved = model.conv(image)
opened = convolved.relu()
pooled = model.pool(opened)
hidden = model.hidden(pooled.flatten(1)).sigmoid()
out = model.out(hidden).sigmoid()
steps = {"convolution": convolved, "ReLU": opened, "max-pool": pooled, "hidden": hidden, "output": out}
for t in steps.values():
    t.retain_grad()
loss = squared(out, wanted)
loss.backward()
for name, t in steps.items():
    print(name, "\n", t.array.squeeze().round(3), "\n slope of the loss\n", t.grad.array.squeeze().round(4))

# %%
# By hand and by the library
# --------------------------

W3, W2, k = model.out.weight.array, model.hidden.weight.array, model.conv.weight.array[0, 0]
z, s, p = out.array, hidden.array, pooled.array.reshape(1, 4)
d3 = 2 * (z - wanted.array) * z * (1 - z)
d2 = (d3 @ W3) * s * (1 - s)
squares = opened.array.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)  # one row per 2x2 square
back = np.zeros((4, 4))
back[np.arange(4), squares.argmax(1)] = (d2 @ W2)[0]  # to the first of the largest
back = back.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4) * (convolved.array[0, 0] > 0)
dk = np.array([[(CROSS[i : i + 4, j : j + 4] * back).sum() for j in range(2)] for i in range(2)])
by_hand = [dk[None, None], np.array([back.sum()]), d2.T @ p, d2.sum(0), d3.T @ s, d3.sum(0)]
for (name, parameter), hand in zip(model.named_parameters(), by_hand):
    print(f"{name:14}", np.allclose(parameter.grad.array, hand))

# %%
# Training: a cross or a circle
# -----------------------------

X, Y = data(0)
x, y = tl.tensor(X), tl.tensor(Y)
optimiser = optim.Adam(model.parameters(), lr=0.05)
losses = []
for _ in range(400):
    optimiser.zero_grad()
    loss = squared(model(x), y)
    loss.backward()
    optimiser.step()
    losses.append(loss.item())
test, answers = data(1)
with tl.no_grad():
    print("new images told apart:", (model(tl.tensor(test)).array.argmax(1) == answers.argmax(1)).mean())

figure, axes = plt.subplots(1, 5, figsize=(13, 2.8), layout="constrained")
with tl.no_grad():
    seen = [model.conv(tl.tensor(i[None, None])).relu().array[0, 0] for i in (CROSS, CIRCLE)]
pictures = {"cross": CROSS, "what the kernel sees": seen[0], "circle": CIRCLE, "what it sees": seen[1]}
for axis, (title, picture) in zip(axes, pictures.items()):
    axis.imshow(picture, cmap="gray_r")
    axis.set(title=title, xticks=[], yticks=[])
axes[4].semilogy(losses)
axes[4].set(title="training", xlabel="epoch")
plt.show()

# %%
# Exercises
# ---------
# 1. Put the circle in instead of the cross before training. Which entries of the kernel's gradient are zero, and why?
# 2. In which squares of the cross are two values equally large? What would sharing ties equally change?
#
# The graph with all these numbers: :doc:`/seeing_graphs`. The whole system: ``tinygrad-lite train tiny-cnn``.
