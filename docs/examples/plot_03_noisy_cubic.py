r"""
A noisy cubic
=============

700 points of :math:`y = x^3 + 4` with noise of standard deviation 10, so no model can get much below a mean squared
error of 100. A straight line cannot follow the curve; ten ReLU units can:

.. math:: f(x) = W_2 \max(0, W_1 x + b_1) + b_2

With :math:`r = f(x) - y` the gradients are, layer by layer from the back,

.. math::
   \frac{\partial L}{\partial W_2} = \frac2n r^\top h \quad
   \delta = \Bigl(\frac2n r W_2\Bigr) \odot [h > 0] \quad
   \frac{\partial L}{\partial W_1} = \delta^\top x
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn, optim
from tinygrad_lite.models import CubicNet
from tinygrad_lite.testing import Arr, check_module
from tinygrad_lite.viz import draw, summary

X, y = datasets.make_cubic(seed=0, dtype=np.float64)
x = X[:, 0]
X1 = np.column_stack([np.ones(len(x)), x])  # the bias is a column of ones
offset, slope = np.linalg.lstsq(X1, y, rcond=None)[0]

# standardised, because the initial weights suit inputs and targets of that size
inputs = tl.tensor((X - x.mean()) / x.std())
target = tl.tensor(((y - y.mean()) / y.std())[:, None])

# %%
# By hand and by the library
# --------------------------

tl.manual_seed(0)
model = CubicNet(dtype=np.float64)
nn.functional.mse_loss(model(inputs), target).backward()

W1, b1 = model.hidden.weight.array, model.hidden.bias.array
W2, b2 = model.out.weight.array, model.out.bias.array
h = np.maximum(0, inputs.array @ W1.T + b1)
r = 2 / len(x) * (h @ W2.T + b2 - target.array)
delta = (r @ W2) * (h > 0)
by_hand = {
    "hidden.weight": delta.T @ inputs.array,
    "hidden.bias": delta.sum(0),
    "out.weight": r.T @ h,
    "out.bias": r.sum(0),
}
for name, p in model.named_parameters():
    print(f"{name:14}", np.allclose(p.grad.array, by_hand[name]))

# %%
# The picture and the check
# -------------------------

print(summary(model, inputs))
print(check_module(model, Arr("n 1"), examples=5))
loss = nn.functional.mse_loss(model(inputs), target)
print(draw(loss, graph="both", names=model))
draw(loss, graph="both", names=model)

# %%
# Training
# --------

optimiser = optim.Adam(model.parameters(), lr=0.03)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimiser, 1200)
losses = []
for _ in range(1200):
    optimiser.zero_grad()
    loss = nn.functional.mse_loss(model(inputs), target)
    loss.backward()
    optimiser.step()
    schedule.step()
    losses.append(loss.item() * y.var())

with tl.no_grad():
    fit = model(inputs).array[:, 0] * y.std() + y.mean()
print(f"straight line {((y - X1 @ [offset, slope]) ** 2).mean():.0f}, network {((y - fit) ** 2).mean():.0f}, noise 100")

order = np.argsort(x)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
left.scatter(x, y, s=6, color="#888888", alpha=0.5, label="data")
left.plot(x[order], x[order] ** 3 + 4, "k", linewidth=2, label="true f")
left.plot(x[order], offset + slope * x[order], "--", color="#E69F00", linewidth=2, label="straight line")
left.plot(x[order], fit[order], "-.", color="#0072B2", linewidth=2, label="1-10-1 network")
left.set(xlabel="x", ylabel="y")
left.legend()
right.loglog(losses, color="#0072B2")
right.axhline(100, linestyle="--", color="#D55E00", label="noise floor")
right.set(xlabel="step", ylabel="mean squared error")
right.legend()
plt.show()

# %%
# Exercises
# ---------
# 1. Remove the standardisation. How far does the loss get in the same number of steps?
# 2. How many kinks does the fitted curve have? Count the units with ``h > 0`` for some points and not for others.
#
# The whole system: ``tinygrad-lite train cubic``.
