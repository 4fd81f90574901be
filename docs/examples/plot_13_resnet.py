r"""
A ResNet on digits
==================

A residual block computes :math:`y = x + f(x)`, so its gradient is

.. math:: \bar x = \bar y + \left(\frac{\partial f}{\partial x}\right)^{\!\top} \bar y

The first term reaches the input undiminished however many blocks there are (He et al., 2016). The page trains a small
ResNet and shows what the skip connections do to the gradients.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn, optim
from tinygrad_lite.testing import check_module
from tinygrad_lite.utils.data import DataLoader, TensorDataset
from tinygrad_lite.viz import draw, summary

F = nn.functional
train_x, test_x, train_y, test_y = datasets.split(*datasets.digits(), test=0.2, seed=0)

figure, axes = plt.subplots(1, 10, figsize=(10, 1.3), layout="constrained")
for axis, image, label in zip(axes, train_x, train_y):
    axis.imshow(image[0], cmap="gray_r")
    axis.set(title=str(label), xticks=[], yticks=[])
plt.show()

# %%
# The model
# ---------


class Block(nn.Module):
    """Two convolutions with batch normalisation, added to the input unless ``skip`` is False."""

    def __init__(self, channels, skip=True):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2, self.skip = nn.BatchNorm2d(channels), skip

    def forward(self, x):
        y = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        return (x + y if self.skip else y).relu()


def resnet(blocks, skip=True, channels=8):
    stem = nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.ReLU())
    body = nn.Sequential(*(Block(channels, skip) for _ in range(blocks)))
    return nn.Sequential(stem, body, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16 * channels, 10))


tl.manual_seed(0)
model = resnet(2)
x, y = tl.tensor(train_x[:4]), tl.tensor(train_y[:4])
print(summary(model, x, depth=2))

# %%
# The picture: the two equal blocks are drawn once, with the skip connection.

draw(model, x)

# %%
# By hand and by the library
# --------------------------
# Without the second normalisation's weight the block is the identity on positive inputs, and so is its gradient. Then
# the check of a whole block, in training and in evaluation mode:

block = Block(2).double()
nn.init.zeros_(block.norm2.weight)
t = tl.rand(3, 2, 4, 4, dtype=tl.float64, requires_grad=True)
g = tl.randn(3, 2, 4, 4, dtype=tl.float64)
block(t).backward(g)
print(np.allclose(t.grad.array, g.array))
print(check_module(Block(1), np.random.default_rng(0).standard_normal((2, 1, 3, 3)), examples=3))
print(draw(F.cross_entropy(model[-2:](model[:-2](x)), y), graph="backward"))

# %%
# Training
# --------

optimiser = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
batches = DataLoader(TensorDataset(tl.tensor(train_x[:1000]), tl.tensor(train_y[:1000])), batch_size=32, shuffle=True)
for epoch in range(2):
    total = 0.0
    for x, y in batches:
        optimiser.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step()
        total += loss.item() / len(batches)
    print(f"epoch {epoch + 1}: loss {total:.3f}")
model.eval()
with tl.no_grad():
    print(f"accuracy: {(model(tl.tensor(test_x)).array.argmax(1) == test_y).mean():.1%}")

# %%
# The gradients with and without skip connections
# -----------------------------------------------
# The norm of the weight gradient in each of 20 untrained blocks:

figure, axis = plt.subplots(figsize=(7, 3.2), layout="constrained")
for skip in (True, False):
    tl.manual_seed(0)
    deep = resnet(20, skip)
    F.cross_entropy(deep(tl.tensor(train_x[:32])), tl.tensor(train_y[:32])).backward()
    name = "with skip connections" if skip else "without"
    axis.semilogy([block.conv1.weight.grad.norm().item() for block in deep[1]], "o-", label=name)
axis.set(xlabel="block", ylabel="norm of the gradient")
axis.legend()
plt.show()

# %%
# Exercises
# ---------
# 1. Draw 20 blocks with ``color_by="grad_norm"``, with and without skip connections.
# 2. Remove the normalisation too. What do the two curves look like now?
