r"""
The engine on one page
======================

A gradient needs three things: operations that know how to pull a gradient back through themselves, a record of what was
computed, and a walk over that record in reverse. If :math:`\bar x` is the gradient of the result in :math:`x`, then

.. math:: \bar x = \sum_{y \,=\, f(\ldots, x, \ldots)} \left(\frac{\partial y}{\partial x}\right)^{\!\top} \bar y

with one term for every operation that used :math:`x`. The operations below are the library's own. The record and the
walk are the 32 lines of code on this page. They compute the same gradients as the library: a test compares the two on
every registered operation.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.engine.sums import unbroadcast
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw

# %%
# The operations
# --------------
# An op is a NumPy function and, for each operand, a rule. The rule of ``tanh`` is ``lambda g, y: g * (1 - y * y)``: it
# receives the incoming gradient ``g`` and asks by name for what else it needs, here the result ``y``. The registry says
# what each op asks for:

for name in ("add", "mul", "sub", "tanh", "square"):
    op = tl.OPS[name]
    print(f"{name:7} operands {op.arrays}  keeps {op.saved_names}")

# %%
# The record
# ----------
# A ``Var`` is an array that remembers how it was computed: by which op, from which operands, and with which values kept
# for the rules. Vars are numbered as they are made, so an operand always has a smaller number than its result.

number = itertools.count().__next__


class Var:
    """An array and, unless it is a leaf, the call that computed it."""

    def __init__(self, array, op=None, inputs=(), saved=()):
        self.array, self.op, self.inputs, self.saved = np.asarray(array), op, inputs, saved
        self.number, self.grad = number(), None


def call(name, *operands, **options):
    """Run the op ``name`` and record what its rules will ask for."""
    op = tl.OPS[name]
    given = {**op.defaults, **dict(zip(op.params, operands)), **options}
    bare = {word: value.array if isinstance(value, Var) else value for word, value in given.items()}
    y = op.forward(*(bare[word] for word in op.params))
    shapes = {f"{word}_shape": np.shape(bare[word]) for word in op.arrays}
    dtypes = {f"{word}_dtype": np.asarray(bare[word]).dtype for word in op.arrays}
    known = {**bare, **shapes, **dtypes, "y": y}
    return Var(y, op, [given[word] for word in op.arrays], [known[word] for word in op.saved_names])


# %%
# The walk
# --------
# Start with a gradient of one and visit the Vars from the largest number to the smallest. When a Var is visited,
# everything computed from it has already been visited, so its gradient is complete and its rules can run. A gradient
# larger than its operand is summed over the axes along which the operand was broadcast.


def backward(out):
    """Set ``.grad`` of every Var that ``out`` depends on."""
    found = {out: None}
    waiting = [out]
    while waiting:
        operands = [p for p in waiting.pop().inputs if isinstance(p, Var) and p not in found]
        found.update(dict.fromkeys(operands))
        waiting += operands
    out.grad = np.ones_like(out.array)
    for v in sorted(found, key=lambda v: v.number, reverse=True):
        for operand, g in pulled(v):
            if isinstance(operand, Var) and g is not None:
                g = unbroadcast(g, operand.array.shape)
                operand.grad = g if operand.grad is None else operand.grad + g


def pulled(v):
    """Yield each operand of ``v`` with the gradient that a rule of its op returns."""
    if v.op is not None and v.op.gather is not None:  # one rule for all operands, because they share work
        yield from ((v.inputs[i], g) for i, g in v.op.gather(v, v.grad, v.saved))
    elif v.op is not None:
        yield from ((v.inputs[i], rule(v.grad, v.saved)) for i, rule in v.op.rules if isinstance(v.inputs[i], Var))


# %%
# By hand and by the library
# --------------------------
# One neuron, :math:`p = \tanh(w x + b)` with the loss :math:`(p - t)^2`. By hand, from the end to the beginning:


def loss(w, b, x=2.0, t=1.0):
    """Return the loss of the neuron as a Var."""
    a = call("add", call("mul", w, x), b)
    return call("square", call("sub", call("tanh", a), t))


w, b = Var(0.5), Var(-0.5)
backward(loss(w, b))

p = np.tanh(0.5 * 2 - 0.5)
dp = 2 * (p - 1)
da = dp * (1 - p**2)
print(np.allclose([w.grad, b.grad], [da * 2, da]))

# the library itself
W, B = tl.tensor(0.5, dtype=tl.float64, requires_grad=True), tl.tensor(-0.5, dtype=tl.float64, requires_grad=True)
((W * 2 + B).tanh() - 1).square().backward()
print(np.array_equal([w.grad, b.grad], [W.grad.item(), B.grad.item()]))

# %%
# The picture and the check
# -------------------------
# The library draws what it recorded, here with the backward pass, prints it as a program, and compares every gradient
# with finite differences:


def neuron(w, b):
    """Return the loss of the neuron, computed by the library."""
    return ((w * 2 + b).tanh() - 1).square()


print(gradcheck(neuron, 0.5, -0.5))
print(draw(neuron(W, B), graph="both", names={"w": W, "b": B}))
draw(neuron(W, B), graph="both", names={"w": W, "b": B})

# %%
# Training
# --------
# Twenty steps of gradient descent, plotted over the loss as a function of both parameters:

path = [(-0.4, -0.9)]
for _ in range(20):
    w, b = map(Var, path[-1])
    backward(loss(w, b))
    path.append((w.array - 0.1 * w.grad, b.array - 0.1 * b.grad))

grid_w, grid_b = np.meshgrid(np.linspace(-0.8, 1.2, 80), np.linspace(-1.3, 0.7, 80))
surface = loss(Var(grid_w), Var(grid_b)).array
figure, axis = plt.subplots(figsize=(6, 4.2), layout="constrained")
shown = axis.contourf(grid_w, grid_b, surface, 20, cmap="cividis")
axis.plot(*np.transpose(path), "o-", color="white", markersize=4, linewidth=1)
axis.set(title="gradient descent by the engine above", xlabel="w", ylabel="b")
figure.colorbar(shown, ax=axis, label="loss")
plt.show()

# %%
# What the engine adds
# --------------------
# ``tinygrad_lite/engine/`` does the same and adds what this page leaves out: PyTorch's dtypes, ops over lists and with
# several results, views and in-place writes, hooks, observers, errors that name the op and the line, and freeing the
# saved values during the walk. For a gradient of a gradient it passes Tensors to the rules instead of arrays, so the
# rules are recorded in turn. :doc:`/how_it_works` continues from here.
#
# Exercises
# ---------
# 1. Remove the numbers and visit the Vars in the order in which ``backward`` finds them. For which graphs are the
#    gradients wrong?
# 2. ``found`` keeps every array alive until ``backward`` returns. Where could ``v.saved`` be freed earlier?
# 3. Let the rules run on Vars instead of arrays, and differentiate ``w.grad``. Which operators does ``Var`` need?
