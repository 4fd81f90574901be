r"""
Exporting to ONNX
=================

A network is trained here and used elsewhere: in a browser, on a phone, in a program in another language. ONNX is the
file that carries it: a graph of operators with weights, which onnxruntime and others run. This page trains a classifier
of digits, exports it, lets onnxruntime run the file, and reads the file again as a module that can be trained further
(extra ``onnx``, and ``pip install onnxruntime``). The loss of a class :math:`t` with scores :math:`z` is

.. math:: -\log p_t, \qquad p = \mathrm{softmax}(z), \qquad \frac{\partial}{\partial z} = p - e_t
"""

import io

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime

import tinygrad_lite as tl
from tinygrad_lite import datasets, nn, onnx, optim
from tinygrad_lite.testing import Arr, check_module
from tinygrad_lite.viz import draw, summary

tl.manual_seed(0)
X, X_test, Y, Y_test = map(tl.tensor, datasets.split(*datasets.digits(), test=0.2, seed=0))
X, X_test = X.reshape(-1, 1, 8, 8), X_test.reshape(-1, 1, 8, 8)
model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10)
)

print(summary(model, X[:1]))
draw(model, X[:1], rankdir="LR")

# %%
# Train
# -----

optimiser = optim.Adam(model.parameters(), lr=0.01)
for _ in range(4):
    for rows in tl.randperm(len(X)).split(72):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(X[rows]), Y[rows]).backward()
        optimiser.step()
model.eval()
print(f"accuracy {(model(X_test).argmax(1) == Y_test).float().mean().item():.2f}")

# %%
# Export
# ------
# One example is enough. The batch is declared dynamic: the model is run a second time with more rows, and what differs
# between the two runs becomes symbolic. Without it the file would take two rows and nothing else.

file = io.BytesIO()
program = onnx.export(
    model, (X_test[:2],), file, input_names=["image"], output_names=["scores"], dynamic_axes={"image": {0: "batch"}}
)
print(program, len(file.getvalue()), "bytes")
for node in program.model_proto.graph.node:
    print(f"{node.op_type:20} {', '.join(name for name in node.input if '.' in name)}")

# %%
# The names of the weights are those of the module's parameters.
#
# Another program runs the file
# -----------------------------

session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
scores = session.run(["scores"], {"image": X_test.numpy()})[0]
ours = model(X_test).detach().numpy()
print(np.allclose(scores, ours, atol=1e-4), scores.shape)

# %%
# And back
# --------
# ``load`` returns a module; the weights are its parameters. Its gradient of one example, by hand:

again = onnx.load(file.getvalue())
print(draw(again, X_test[:2]))
image, label = X_test[:1], Y_test[:1]
loss = nn.functional.cross_entropy(again(image), label)
loss.backward()
p = nn.functional.softmax(model(image), 1).detach().array
by_hand = p - np.eye(10, dtype=np.float32)[label.array]
print(np.allclose(again.get_parameter("5.bias").grad.array, by_hand[0], atol=1e-6))

# %%
# Every gradient of the loaded graph is checked like that of any module:

print(check_module(onnx.load(program.model_proto), Arr("n 1 8 8"), examples=2))

# %%
# What cannot be exported
# -----------------------
# A file is a graph of operators. What a program computes with NumPy or as a Python number is not in it, and is refused
# instead of being frozen:


def standardised(x):
    """Return rows with a standard deviation computed by NumPy."""
    return x / tl.tensor(np.std(x.array, axis=1, keepdims=True))


try:
    onnx.export(standardised, (tl.randn(3, 4),))
except onnx.OnnxExporterError as error:
    print(str(error).partition(" (in ")[0])

# %%
# ``x / x.std(1, keepdim=True, unbiased=False)`` says the same in operations, and can be exported.

correct = onnx.export(lambda x: x / x.std(1, keepdim=True, unbiased=False), (tl.randn(3, 4),))
print([node.op_type for node in correct.model_proto.graph.node if node.op_type != "Constant"])

fig, axes = plt.subplots(1, 6, figsize=(9, 2))
for ax, picture, row in zip(axes, X_test.array, scores, strict=False):
    ax.imshow(picture[0], cmap="gray_r")
    ax.set_title(f"onnxruntime: {row.argmax()}", fontsize=8)
    ax.axis("off")
plt.show()

# %%
# Exercises
# ---------
# 1. Export ``nn.LSTM(3, 5, batch_first=True)`` with batch and time dynamic. Which operator is it, and what happens to
#    its weights on the way?
# 2. Export a model with dropout in training mode: ``lambda x: nn.functional.dropout(x)``. What does the error say?
# 3. Load a file of another library and train its last layer alone.
