r"""
A neural ODE
============

A network :math:`f_\theta` is the right-hand side of a differential equation, and an integrator is the model:

.. math:: \frac{dx}{dt} = f_\theta(x), \qquad
   x_{k+1} = x_k + \tfrac h6 (k_1 + 2 k_2 + 2 k_3 + k_4)

The four slopes of a Runge-Kutta step are ordinary operations, so the gradient of the trajectory with respect to
:math:`\theta` needs nothing new. The data are the positions of a damped pendulum.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw, summary


def rk4(f, x, h):
    """Return the state after one step of length ``h``."""
    k1 = f(x)
    k2 = f(x + h / 2 * k1)
    k3 = f(x + h / 2 * k2)
    k4 = f(x + h * k3)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def pendulum(x):
    """Return the derivative of angle and angular velocity."""
    return np.stack([x[:, 1], -np.sin(x[:, 0]) * 4 - 0.3 * x[:, 1]], axis=1)


h, steps = 0.1, 60
truth = [np.array([[1.2, 0.0], [-0.6, 1.5], [2.0, -1.0]])]
for _ in range(steps):
    truth.append(rk4(pendulum, truth[-1], h))
truth = np.stack(truth)
data = tl.tensor((truth + 0.03 * np.random.default_rng(0).standard_normal(truth.shape)).astype(np.float32))
print(data.shape)

# %%
# The model
# ---------
# ``rk4`` runs on arrays and on tensors alike.

tl.manual_seed(0)
f = nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 2))
print(summary(f, data[0]))
draw(lambda x: rk4(f, x, h), data[0], names=f, depth=1)

# %%
# By hand and by the library
# --------------------------
# For :math:`f(x) = a x` a step multiplies by :math:`1 + z + z^2/2 + z^3/6 + z^4/24` with :math:`z = ha`:

a, x0 = tl.tensor(-0.7, dtype=tl.float64, requires_grad=True), tl.tensor([2.0], dtype=tl.float64)
rk4(lambda x: a * x, x0, h).sum().backward()
z = h * a.item()
print(np.isclose(a.grad.item(), 2 * h * (1 + z + z**2 / 2 + z**3 / 6)))
print(gradcheck(lambda x: rk4(f.double(), rk4(f, x, h), h), truth[0]))
f.float()
print(draw(rk4(lambda x: a * x, x0, h).sum(), graph="backward"))

# %%
# Training
# --------
# Short pieces of the trajectories, started at measured states. The whole step is compiled.

optimiser = optim.Adam(f.parameters(), lr=1e-2)


@tl.compile
def step(start, wanted):
    optimiser.zero_grad()
    x, loss = start, 0.0
    for k in range(5):
        x = rk4(f, x, h)
        loss = loss + ((x - wanted[k]) ** 2).mean()
    loss.backward()
    optimiser.step()
    return loss


windows = np.stack([data.array[k : k + 6] for k in range(steps - 5)], axis=1).reshape(6, -1, 2)
start, wanted = tl.tensor(windows[0]), tl.tensor(windows[1:])
losses = [step(start, wanted).item() for _ in range(500)]
print(f"{len(step.source.splitlines())} lines of NumPy per step; loss {losses[0]:.3f} -> {losses[-1]:.4f}")

# %%
# The learned equation, integrated from the first state alone:

x, path = tl.tensor(truth[0].astype(np.float32)), []
with tl.no_grad():
    for _ in range(steps):
        x = rk4(f, x, h)
        path.append(x.array)
path = np.stack(path)
print("mean error of the angle below 0.2:", bool(abs(path[:, :, 0] - truth[1:, :, 0]).mean() < 0.2))

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for n, colour in enumerate(("#0072B2", "#D55E00", "#009E73")):
    left.plot(np.arange(steps + 1) * h, data.array[:, n, 0], ".", color=colour, markersize=3)
    left.plot(np.arange(1, steps + 1) * h, path[:, n, 0], color=colour)
left.set(xlabel="time", ylabel="angle", title="data (dots) and learned equation (lines)")
grid = np.stack(np.meshgrid(np.linspace(-2.5, 2.5, 15), np.linspace(-3, 3, 15)), -1).reshape(-1, 2)
with tl.no_grad():
    right.quiver(*grid.T, *f(tl.tensor(grid.astype(np.float32))).array.T, color="#888888")
right.plot(truth[:, 0, 0], truth[:, 0, 1], color="#0072B2")
right.set(xlabel="angle", ylabel="angular velocity", title="learned vector field")
plt.show()

# %%
# Exercises
# ---------
# 1. Learn only the coefficients of :math:`-a \sin x - b v`. How few steps are enough?
# 2. Replace ``rk4`` by Euler's method. How large is the error of the learned trajectory?
