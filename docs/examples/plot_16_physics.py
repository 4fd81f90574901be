r"""
Physics-informed fitting with SciPy
===================================

A network :math:`u_\theta(x)` solves the boundary value problem

.. math:: u''(x) + u(x) = x, \quad u(0) = 0, \quad u(2) = 0 \qquad\Rightarrow\qquad
   u(x) = x - \frac{2 \sin x}{\sin 2}

when the residual of the equation is small everywhere. The loss contains a second derivative of the network, and its
gradient a third one. SciPy's L-BFGS-B minimises it (extra ``scipy``).
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw, summary

tl.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)).double()
points = np.linspace(0, 2, 30)[:, None]
print(summary(model, tl.tensor(points)))


def u(x):
    """Return the solution, zero at both ends by construction."""
    return x * (2 - x) * model(x)


def residual(x):
    """Return u'' + u - x."""
    y = u(x)
    (slope,) = tl.autograd.grad(y.sum(), x, create_graph=True)
    (curvature,) = tl.autograd.grad(slope.sum(), x, create_graph=True)
    return curvature + y - x


def loss_of():
    x = tl.tensor(points, requires_grad=True)
    return (residual(x) ** 2).mean()


# %%
# The picture and the check
# -------------------------
# The graph of :math:`u` and, beside it, the graph of its derivative, which is a graph like any other:

x = tl.tensor(points, requires_grad=True)
(slope,) = tl.autograd.grad(u(x).sum(), x, create_graph=True)
print(gradcheck(lambda x: u(x), points[:3], order=2))
print(draw(slope, names={"x": x}))
draw(slope, names={"x": x})

# %%
# By hand and by the library
# --------------------------
# With one tanh unit, :math:`m = w_2 \tanh(w_1 x)`, the chain rule gives :math:`m'' = -2 w_2 w_1^2 t (1 - t^2)`:

x = tl.tensor([0.3, 1.1], dtype=tl.float64, requires_grad=True)
(slope,) = tl.autograd.grad((0.5 * (1.7 * x).tanh()).sum(), x, create_graph=True)
(curvature,) = tl.autograd.grad(slope.sum(), x)
t = np.tanh(1.7 * x.array)
print(np.allclose(curvature.array, -2 * 0.5 * 1.7**2 * t * (1 - t**2)))

# %%
# SciPy's optimiser
# -----------------
# ``optim.scipy_minimize`` gives SciPy the loss and its exact gradient as functions of one vector, and the network the
# vector that SciPy finds.

losses = []


def noted():
    losses.append(loss_of())
    return losses[-1]


result = optim.scipy_minimize(noted, model, method="L-BFGS-B", options={"maxiter": 200})
losses = [loss.item() for loss in losses]

grid = np.linspace(0, 2, 100)[:, None]
exact = grid - 2 * np.sin(grid) / np.sin(2)
with tl.no_grad():
    found = u(tl.tensor(grid)).array
print(f"{len(losses)} evaluations, loss {losses[0]:.2f} -> {losses[-1]:.1e}")
print("largest error below 1e-3:", bool(abs(found - exact).max() < 1e-3))

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
left.plot(grid, exact, "k", linewidth=3, alpha=0.3, label="exact")
left.plot(grid, found, "--", color="#D55E00", label="network")
left.plot(points, 0 * points, "|", color="#0072B2", label="collocation points")
left.set(xlabel="x", ylabel="u")
left.legend()
right.semilogy(losses)
right.set(xlabel="evaluation", ylabel="mean squared residual")
plt.show()

# %%
# Exercises
# ---------
# 1. Put the boundary conditions into the loss instead of the factor :math:`x (2 - x)`. What happens to the error?
# 2. ``optim.LBFGS`` with ``line_search_fn="strong_wolfe"`` is the same method. Does it need more evaluations?
