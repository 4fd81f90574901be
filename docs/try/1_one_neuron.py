# One neuron, with the value and the gradient in every box
import tinygrad_lite as tl
from tinygrad_lite.testing import gradcheck
from tinygrad_lite.viz import draw

x = tl.tensor(2.0)
w = tl.tensor(0.5, requires_grad=True)
b = tl.tensor(-0.5, requires_grad=True)


def loss_of(w, b):
    return ((w * x + b).tanh() - 1) ** 2


loss = loss_of(w, b)
loss.backward()
print("loss", loss.item())
print("dloss/dw", w.grad.item(), " dloss/db", b.grad.item())

picture = draw(loss, show=("value", "grad"), names={"x": x, "w": w, "b": b}, rankdir="LR")
check = gradcheck(loss_of, w.double(), b.double())
