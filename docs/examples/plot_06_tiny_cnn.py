r"""
The 5x5 network
===============

A convolutional network small enough to follow every number: a 5x5 image, convolution 2x2 with one bias, ReLU, max-pool
2x2, three sigmoid units, two sigmoid units. It has 5 + 15 + 8 = 28 parameters. The loss is
:math:`(z_0 - y_0)^2 + (z_1 - y_1)^2`.

Backward pass: the gradient of the loss is :math:`2(z - y)`; a sigmoid multiplies by :math:`s(1 - s)`; a dense layer
multiplies by its transposed weights; max-pool sends the gradient to the first maximum of each window; ReLU passes it
where its input was positive; and the gradient of the kernel is the image correlated with the result.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import optim
from tinygrad_lite.models import TinyCNN
from tinygrad_lite.models.recipes.tiny_cnn import CIRCLE, CROSS, data, squared
from tinygrad_lite.testing import Arr, check_module
from tinygrad_lite.viz import draw, summary

tl.manual_seed(9)
model = TinyCNN(dtype=np.float64)
image, wanted = tl.tensor(CROSS[None, None]), tl.tensor([[1.0, 0.0]], dtype=tl.float64)
print(model.count())
print(" -> ".join("x".join(map(str, s)) for s in model.shapes(image)))

# %%
# Every number, forward and backward
# ----------------------------------

convolved = model.conv(image)
rectified = convolved.relu()
pooled = model.pool(rectified)
hidden = model.hidden(pooled.flatten(1)).sigmoid()
out = model.out(hidden).sigmoid()
values = {"convolution": convolved, "ReLU": rectified, "max-pool": pooled, "hidden": hidden, "output": out}
for t in values.values():
    t.retain_grad()
loss = squared(out, wanted)
loss.backward()
for name, t in values.items():
    print(name, "\n", t.array.squeeze().round(3), "\n gradient\n", t.grad.array.squeeze().round(4))

# %%
# The same numbers in a picture, and a check of all gradients:

print(summary(model, image))
print(check_module(model, Arr("n 1 5 5", min=1), examples=5))
draw(loss, graph="both", names=model, show=("shape", "value", "grad"))

# %%
# By hand and by the library
# --------------------------

W3, W2, k = model.out.weight.array, model.hidden.weight.array, model.conv.weight.array[0, 0]
z, s, p = out.array, hidden.array, pooled.array.reshape(1, 4)
d3 = 2 * (z - wanted.array) * z * (1 - z)
d2 = (d3 @ W3) * s * (1 - s)
windows = rectified.array.reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)  # one row per 2x2 window
back = np.zeros((4, 4))
back[np.arange(4), windows.argmax(1)] = (d2 @ W2)[0]  # to the first maximum
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
    print("accuracy on new images:", (model(tl.tensor(test)).array.argmax(1) == answers.argmax(1)).mean())

figure, axes = plt.subplots(1, 5, figsize=(13, 2.8), layout="constrained")
with tl.no_grad():
    maps = [model.conv(tl.tensor(i[None, None])).relu().array[0, 0] for i in (CROSS, CIRCLE)]
pictures = {"cross": CROSS, "its feature map": maps[0], "circle": CIRCLE, "its feature map ": maps[1]}
for axis, (title, picture) in zip(axes, pictures.items()):
    axis.imshow(picture, cmap="gray_r")
    axis.set(title=title, xticks=[], yticks=[])
axes[4].semilogy(losses)
axes[4].set(title="training", xlabel="epoch")
plt.show()

# %%
# Exercises
# ---------
# 1. Use the circle instead of the cross before training. Which entries of the kernel's gradient are zero, and why?
# 2. In which windows of the cross is the maximum tied? What would change if ties shared the gradient equally?
#
# The graph with all these numbers: :doc:`/seeing_graphs`. The whole system: ``tinygrad-lite train tiny-cnn``.
