r"""
Ten digits
==========

All ten digits with a small CNN. The scores :math:`s` become probabilities :math:`p = \mathrm{softmax}(s)`; the loss is
the cross-entropy

.. math:: L = -\frac1n \sum_i \log p_{i, y_i}, \qquad
   \frac{\partial L}{\partial s} = \frac{p - \text{one-hot}(y)}{n}
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn, optim
from tinygrad_lite.models import SmallCNN
from tinygrad_lite.utils.data import DataLoader, TensorDataset

train_x, test_x, train_y, test_y = datasets.split(*datasets.digits(), test=0.2, seed=0)
print(train_x.shape, test_x.shape)

# %%
# By hand and by the library
# --------------------------

scores = tl.tensor(np.random.default_rng(0).standard_normal((4, 10)), requires_grad=True)
nn.functional.cross_entropy(scores, tl.tensor(train_y[:4])).backward()
e = np.exp(scores.array)
print(np.allclose(scores.grad.array, (e / e.sum(1, keepdims=True) - np.eye(10)[train_y[:4]]) / 4))

# %%
# Training
# --------
# Two epochs, so that this page builds quickly; ``tinygrad-lite train digits`` runs twenty and passes 98 %.

tl.manual_seed(0)
model = SmallCNN()
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
print(f"right on {len(test_y)} held-out digits: {(guess == test_y).mean():.1%}")

table = np.zeros((10, 10), int)
np.add.at(table, (test_y, guess), 1)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.imshow(np.log1p(table), cmap="Blues")
for (i, j), n in np.ndenumerate(table):
    left.text(j, i, n or "", ha="center", va="center", fontsize=8, color="white" if n > 8 else "black")
left.set(xlabel="read as", ylabel="digit", xticks=range(10), yticks=range(10))
right.semilogy(losses)
right.set(xlabel="batch", ylabel="cross-entropy")
plt.show()

# %%
# Exercises
# ---------
# 1. Show the misread digits: ``np.flatnonzero(guess != test_y)``. Which would you have misread?
# 2. Leave out ``model.eval()``. What changes, and why?
