r"""
Your own op, from formula to picture
====================================

The softplus with a sharpness :math:`\beta` and its derivative are

.. math:: y = \frac1\beta \log(1 + e^{\beta x}), \qquad \frac{dy}{dx} = \frac{1}{1 + e^{-\beta x}} = 1 - e^{-\beta y}

One declaration makes it an operation: differentiable to any order, checked and drawn like the library's own.
"""

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn, op, optim
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.testing import check_layer, check_op
from tinygrad_lite.viz import draw, summary

# %%
# The declaration
# ---------------
# The function is plain NumPy. The rule is named after the argument and asks by name for what it needs: the incoming
# gradient ``g``, the result ``y``, the option ``beta``. Only the result is kept for the backward pass. ``samples`` says
# which inputs the check may draw.


@op(
    input=lambda g, y, beta: -g * np.expm1(-beta * y),
    kind="activation",
    label="soft",
    samples=Samples("()->()", lo=-5, hi=5, options={"beta": (1.0, 3.0)}),
)
def soft_ramp(input, beta=1.0):
    """Return ``log(1 + exp(beta * input)) / beta``."""
    return np.logaddexp(0, beta * input) / beta


x = tl.tensor([-1.0, 0.0, 2.0], requires_grad=True)
print(tl.soft_ramp(x), x.soft_ramp(beta=3.0))

# %%
# The check
# ---------
# Values against finite differences, to second order, on inputs that the check draws:

print(check_op(tl.soft_ramp))

# %%
# A wrong rule does not pass. Here the factor beta is forgotten, and the report names the option:


def forward(x, beta=1.0):
    y = np.logaddexp(0, beta * x) / beta
    return y, y


def backward(g, y):
    return (-g * np.expm1(-y),)


print(check_layer((forward, backward), "n", options={"beta": (1.0, 3.0)}, raise_exception=False))

# %%
# By hand and by the library
# --------------------------

x.grad = None
tl.soft_ramp(x, beta=3.0).sum().backward()
print(np.allclose(x.grad.array, 1 / (1 + np.exp(-3 * x.detach().array))))

# %%
# The picture
# -----------
# In a network, forward and backward. The box has the label and the colour of its kind.


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(1, 8), nn.Linear(8, 1)

    def forward(self, x):
        return self.out(self.hidden(x).soft_ramp(beta=3.0))


tl.manual_seed(0)
model = Net()
data = tl.linspace(-1, 1, 40).unsqueeze(1)
target = (3 * data).sin()
print(summary(model, data))
loss = nn.functional.mse_loss(model(data), target)
print(draw(loss, graph="both", names=model))
draw(loss, graph="both", names=model)

# %%
# Training with it
# ----------------

optimiser = optim.Adam(model.parameters(), lr=0.02)
for _ in range(300):
    optimiser.zero_grad()
    loss = nn.functional.mse_loss(model(data), target)
    loss.backward()
    optimiser.step()

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
grid = np.linspace(-2, 2, 200)
for beta in (1.0, 3.0, 10.0):
    left.plot(grid, tl.soft_ramp(grid, beta=beta), label=f"beta {beta:g}")
left.legend()
left.set(title="the function")
right.plot(data.array, target.array, "k.", markersize=4)
with tl.no_grad():
    right.plot(data.array, model(data).array, color="#D55E00")
right.set(title="a network with it")
plt.show()

# %%
# Exercises
# ---------
# 1. Write the rule with ``input`` instead of ``y``. What does ``tl.OPS["soft_ramp"].saved_names`` say now?
# 2. Make ``beta`` an operand with a gradient: give it a rule and check it.
#
# More: :doc:`/adding`.
