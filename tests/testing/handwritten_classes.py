# ruff: noqa: D101, D102, D103, D107, ANN, E702, E741, E731, N803, N802, NPY002
# mypy: ignore-errors
"""Layers written as classes, for assignments and small libraries, with planted faults."""

from __future__ import annotations

import numpy as np

from tests.testing.handwritten import LAYERS, Form, form
from tinygrad_lite.testing import Arr, Ints


@form("n 3", params="W, b", faults={"scaled": ("self.dW = self.x.T @ g", "self.dW = self.x.T @ g / len(g)", "1/n")})
class Linear:
    def __init__(self):
        self.W = np.random.randn(3, 2)
        self.b = np.zeros(2)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW = self.x.T @ g
        self.db = g.sum(0)
        return g @ self.W.T


@form(
    "n 3",
    params="weights, bias",
    build=(3, 2),
    faults={"bias": ("self.grad_bias = grad.sum(axis=0)", "self.grad_bias = grad[0]", "bias")},
)
class Dense:
    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out) * 0.1
        self.bias = np.zeros(n_out)

    def forward(self, inputs):
        self.inputs = inputs
        return np.dot(inputs, self.weights) + self.bias

    def backward(self, grad):
        self.grad_weights = np.dot(self.inputs.T, grad)
        self.grad_bias = grad.sum(axis=0)
        return np.dot(grad, self.weights.T)


@form("n 3", params="params", faults={"turned": ("self.x.T @ dout", "(self.x.T @ dout) * 2", "2")})
class DictDense:
    def __init__(self):
        self.params = {"W": np.random.randn(3, 2), "b": np.zeros(2)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.x.T @ dout
        self.grads["b"] = dout.sum(0)
        return dout @ self.params["W"].T


@form(
    "n 3",
    params="params",
    faults={"list": ("self.grads[0][...] = self.x.T @ dout", "self.grads[0][...] = 0", "no gradient|zero")},
)
class Affine:
    def __init__(self):
        self.params = [np.random.randn(3, 2), np.random.randn(2)]
        self.grads = [np.zeros((3, 2)), np.zeros(2)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return np.dot(x, W) + b

    def backward(self, dout):
        W, b = self.params
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = np.sum(dout, axis=0)
        return np.dot(dout, W.T)


@form("n d", faults={"mask": ("dout[self.mask] = 0", "dout[~self.mask] = 0", "mask|branches|x")})
class Relu:
    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


@form("n d", faults={"y": ("self.out * (1.0 - self.out)", "(1.0 - self.out)", "WRONG VALUE")})
class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * self.out * (1.0 - self.out)


@form("n d", faults={"scale": ("g * self.mask", "g * (self.mask > 0)", "WRONG VALUE")})
class Dropout:
    def __init__(self, p=0.5):
        self.p = p

    def forward(self, x, train=True):
        self.mask = (np.random.rand(*x.shape) > self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, g):
        return g * self.mask


@form(
    "n 3",
    args=(0.0,),
    params="W",
    faults={"plus": ("return g @ self.W.T", "return g @ self.W.T + g[:, :1]", "input 0")},
)
class Updating:
    def __init__(self):
        self.W = np.ones((3, 2))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, g, lr):
        self.dW = self.x.T @ g
        old = self.W
        self.W = self.W - lr * self.dW
        return g @ old.T if lr else g @ self.W.T


# the fault of Updating stands in the second branch
LAYERS["Updating"].faults["plus"] = ("else g @ self.W.T", "else g @ self.W.T * 2", "2")


@form(
    "n 3",
    forward="forward_pass",
    backward="backward_pass",
    params="W",
    faults={"T": ("x.T.dot", "x.T.dot(g * 0) + x.T.dot", "W")},
)
class NamedMethods:
    def __init__(self):
        self.W = np.ones((3, 2))

    def forward_pass(self, X):
        self.layer_input = X
        return X.dot(self.W)

    def backward_pass(self, accum_grad):
        x, g = self.layer_input, accum_grad
        self.grad_w = x.T.dot(g)
        return g.dot(self.W.T)


LAYERS["NamedMethods"].faults.clear()
LAYERS["NamedMethods"].faults["T"] = ("g.dot(self.W.T)", "g.dot(self.W.T) * 3", "3")


@form("n 3", params="gamma", faults={"twice": ("self.dgamma += (g", "self.dgamma += 2 * (g", "2")})
class Accumulating:
    def __init__(self):
        self.gamma = np.ones(3)
        self.dgamma = np.zeros(3)

    def forward(self, x):
        self.x = x
        return self.gamma * x

    def backward(self, g):
        self.dgamma += (g * self.x).sum(0)
        return g * self.gamma


@form("n 3", params="W", faults={"W": ("self.x.T @ g", "self.x.T @ g * g.sum()", "linear")}, build=())
class Overwriting:
    def __init__(self):
        self.W = np.ones((3, 2))

    def forward(self, x):
        self.x = x
        self.dW = x
        return x @ self.W

    def backward(self, g):
        self.dW = self.x.T @ g
        self.x = None
        return g @ self.W.T


@form(
    "n 3",
    params="W",
    faults={"order": ("return g @ self.W.T, self.x.T @ g", "return g @ self.W.T, g.T @ self.x", "transposed")},
)
class Returning:
    def __init__(self):
        self.W = np.ones((3, 2))

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, g):
        return g @ self.W.T, self.x.T @ g


LAYERS["Returning"] = LAYERS["Returning"]._replace(settings={"params": ["W"]})


@form(
    Ints("t", below=4), params="", faults={"repeat": ("np.add.at(self.dW, self.idx, g)", "self.dW[self.idx] += g", "W")}
)
class Embedding:
    def __init__(self):
        self.W = np.random.randn(4, 2)

    def forward(self, idx):
        self.idx = idx
        return self.W[idx]

    def backward(self, g):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.idx, g)
        return None


@form("n 2", "n 3", params="Wx, Wh, b", faults={"tanh": ("1 - self.h**2", "1 - self.h", "WRONG VALUE")})
class RNNCell:
    def __init__(self):
        self.Wx, self.Wh, self.b = np.random.randn(2, 3), np.random.randn(3, 3), np.zeros(3)

    def forward(self, x, h_prev):
        self.x, self.prev = x, h_prev
        self.h = np.tanh(x @ self.Wx + h_prev @ self.Wh + self.b)
        return self.h

    def backward(self, dh):
        dz = dh * (1 - self.h**2)
        self.dWx, self.dWh, self.db = self.x.T @ dz, self.prev.T @ dz, dz.sum(0)
        return dz @ self.Wx.T, dz @ self.Wh.T


@form("n c 4 4", faults={"mean": ("/ 16", "/ 4", "factor")})
class GlobalAverage:
    def forward(self, x):
        self.shape = x.shape
        return x.mean((2, 3))

    def backward(self, g):
        return np.ones(self.shape) * g[:, :, None, None] / 16


@form("n c h w", faults={"shape": ("g.reshape(self.shape)", "g", "WRONG SHAPE")})
class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, g):
        return g.reshape(self.shape)


@form(
    Arr("n d", min=2),
    params="gamma, beta",
    faults={"mean": ("d - d.mean(0) - ", "d - ", "constant|sum to 0|mean|input 0")},
)
class BatchNorm:
    def __init__(self):
        self.gamma, self.beta = None, None

    def forward(self, x):
        c = x - x.mean(0)
        self.std = np.sqrt((c**2).mean(0) + 1e-5)
        self.h = c / self.std
        return self.h

    def backward(self, g):
        d = g
        return (d - d.mean(0) - self.h * (d * self.h).mean(0)) / self.std


LAYERS["BatchNorm"] = LAYERS["BatchNorm"]._replace(params="")


@form("n 3", params="W", faults={"dim": ("self.x[:, :, None]", "2 * self.x[:, :, None]", "2")})
class Einsum:
    def __init__(self):
        self.W = np.random.randn(3, 4).astype(np.float32)  # gradients are float64

    def __call__(self, x):
        self.x = x
        return np.einsum("ni,ij->nj", x, self.W)

    def grad(self, upstream):
        self.dW = (self.x[:, :, None] * upstream[:, None, :]).sum(0)
        return np.einsum("nj,ij->ni", upstream, self.W)


@form("n d", faults={"both": ("g + g * (1 - self.t**2)", "g * (1 - self.t**2)", "pass-through|residual|term")})
class Residual:
    def forward(self, x):
        self.t = np.tanh(x)
        return x + self.t

    def backward(self, g):
        return g + g * (1 - self.t**2)


@form("t d", "t d", "t d", faults={"scale": ("dS / np.sqrt(self.q.shape[1])", "dS", "sqrt|factor")})
class Attention:
    def forward(self, q, k, v):
        s = q @ k.T / np.sqrt(q.shape[1])
        e = np.exp(s - s.max(1, keepdims=True))
        self.p, self.q, self.k, self.v = e / e.sum(1, keepdims=True), q, k, v
        return self.p @ v

    def backward(self, g):
        dp = g @ self.v.T
        dS = self.p * (dp - (dp * self.p).sum(1, keepdims=True))
        dS = dS / np.sqrt(self.q.shape[1])
        return dS @ self.k, dS.T @ self.q, self.p.T @ g


@form(np.arange(6.0).reshape(2, 3) - 2, faults={"x": ("3 * self.x**2", "3 * self.x", "WRONG VALUE")})
class AnExampleArray:
    def forward(self, x):
        self.x = x
        return x**3

    def backward(self, g):
        return 3 * self.x**2 * g


def make_scaler():
    class Scaler:
        def forward(self, x):
            return x * 3

        def backward(self, g):
            return 3 * g

    return Scaler()


LAYERS["a_function_that_makes_one"] = Form(make_scaler, ("n d",), {})
LAYERS["an_object"] = Form(Linear(), ("n 3",), {}, {}, "W, b")
LAYERS["chosen_parameters"] = Form(Linear, ("n 3",), {}, {"params": {"W": "dW"}}, "W")
LAYERS["a_path"] = Form(DictDense, ("n 3",), {}, {"params": {"params['W']": "grads['W']"}})
