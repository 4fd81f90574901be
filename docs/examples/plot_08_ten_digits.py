r"""
Ten digits
==========

A small CNN classifies all ten digits. Its scores :math:`s` become probabilities :math:`p = \mathrm{softmax}(s)`; the
loss is the cross-entropy

.. math:: L = -\frac1n \sum_i \log p_{i, y_i}, \qquad
   \frac{\partial L}{\partial s} = \frac{p - \text{one-hot}(y)}{n}
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn, optim
from tinygrad_lite.models import SmallCNN
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.utils.data import DataLoader, TensorDataset
from tinygrad_lite.viz import draw, summary

train_x, test_x, train_y, test_y = datasets.split(*datasets.digits(), test=0.2, seed=0)
print(train_x.shape, test_x.shape)

figure, axes = plt.subplots(1, 10, figsize=(10, 1.3), layout="constrained")
for axis, image, label in zip(axes, train_x, train_y):
    axis.imshow(image[0], cmap="gray_r")
    axis.set(title=str(label), xticks=[], yticks=[])
plt.show()

# %%
# By hand and by the library
# --------------------------

scores = tl.tensor(np.random.default_rng(0).standard_normal((4, 10)), requires_grad=True)
nn.functional.cross_entropy(scores, tl.tensor(train_y[:4])).backward()
e = np.exp(scores.array)
print(np.allclose(scores.grad.array, (e / e.sum(1, keepdims=True) - np.eye(10)[train_y[:4]]) / 4))

# %%
# The picture and the check
# -------------------------
# In evaluation mode, because dropout and batch statistics are random or depend on the whole batch.

tl.manual_seed(0)
model = SmallCNN().eval()
x, y = tl.tensor(train_x[:4]), tl.tensor(train_y[:4])
print(summary(model, x))
print(gradcheck(lambda x: nn.functional.cross_entropy(model.double()(x), y), x.double()))
model.float()
loss = nn.functional.cross_entropy(model(x), y)
print(draw(loss, graph="both", names=model))
draw(model, x, show=("shape", "flops"))

# %%
# Training
# --------
# Two epochs, so that this page builds quickly; ``tinygrad-lite train digits`` runs twenty and exceeds 98 %.

model.train()
optimiser = optim.Adam(model.parameters(), lr=2e-3)
batches = DataLoader(TensorDataset(tl.tensor(train_x), tl.tensor(train_y)), batch_size=32, shuffle=True)
losses = []
for _ in range(2):
    for x, y in batches:
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())

model.eval()
with tl.no_grad():
    guess = model(tl.tensor(test_x)).array.argmax(1)
print(f"accuracy on {len(test_y)} held-out digits: {(guess == test_y).mean():.1%}")

table = np.zeros((10, 10), int)
np.add.at(table, (test_y, guess), 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.imshow(np.log1p(table), cmap="Blues")
for (i, j), n in np.ndenumerate(table):
    left.text(j, i, n or "", ha="center", va="center", fontsize=8, color="white" if n > 8 else "black")
left.set(xlabel="predicted", ylabel="digit", xticks=range(10), yticks=range(10))
right.semilogy(losses)
right.set(xlabel="batch", ylabel="cross-entropy")
plt.show()

# %%
# Exercises
# ---------
# 1. Plot the misclassified digits: ``np.flatnonzero(guess != test_y)``. Which would you have misread?
# 2. Remove ``model.eval()`` before the evaluation. What changes, and why?
