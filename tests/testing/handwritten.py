# ruff: noqa: D101, D102, D103, D107, ANN, E702, E741, E731, N803, N802, NPY002
# mypy: ignore-errors
"""Layers, losses and activations as people write them for assignments and small libraries, with planted faults."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.testing import Arr, Ints


class Form(NamedTuple):
    layer: Any
    specs: tuple[Any, ...]
    faults: dict[str, tuple[str, str, str]]  # the text to change, its replacement, words of the report
    settings: dict[str, Any] = {}
    params: str = ""
    build: tuple[Any, ...] = ()


LAYERS: dict[str, Form] = {}


def form(*specs, faults=None, params="", build=None, **settings):
    def add(layer):
        made = layer if build is None else layer(*build)
        LAYERS[layer.__name__] = Form(made, specs, faults or {}, settings, params, build or ())
        return layer

    return add


def pair(name, forward, backward, *specs, faults=None, **settings):
    LAYERS[name] = Form((forward, backward), specs, faults or {}, settings)


# ------------------------------------------------------------------- functions that return (out, cache)
def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


pair(
    "affine",
    affine_forward,
    affine_backward,
    "n d",
    "d m",
    "m",
    faults={
        "mean": ("db = np.sum(dout, axis=0)", "db = np.mean(dout, axis=0)", "1/n"),
        "keepdims": ("db = np.sum(dout, axis=0)", "db = np.sum(dout, axis=0, keepdims=True)", "keepdims"),
        "order": ("return dx, dw, db", "return dx, db, dw", "WRONG SHAPE"),
    },
)


def relu_forward(x):
    return np.maximum(0, x), x


def relu_backward(dout, cache):
    dx, x = None, cache
    dx = dout * (x > 0)
    return dx


pair(
    "relu",
    relu_forward,
    relu_backward,
    "n d",
    faults={
        "mask": ("(x > 0)", "(x < 0)", "mask|branches|x <|x >"),
        "none": ("dx = dout * (x > 0)", "dx = dout", "x <"),
    },
)


def batchnorm_forward(x, gamma, beta):
    mu, var = x.mean(0), x.var(0)
    xhat = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * xhat + beta, (xhat, gamma, var)


def batchnorm_backward(dout, cache):
    xhat, gamma, var = cache
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dx = (N * dxhat - dxhat.sum(0) - xhat * (dxhat * xhat).sum(0)) / (N * np.sqrt(var + 1e-5))
    return dx, dgamma, dbeta


pair(
    "batchnorm",
    batchnorm_forward,
    batchnorm_backward,
    Arr("n d", min=3),
    "d",
    "d",
    faults={"variance": (" - xhat * (dxhat * xhat).sum(0)", "", "input 0 (x|variance|x: ")},
)


def layernorm_forward(x, gamma):
    mu = x.mean(-1, keepdims=True)
    std = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    xhat = (x - mu) / std
    return xhat * gamma, (xhat, std, gamma)


def layernorm_backward(dout, cache):
    xhat, std, gamma = cache
    d = dout * gamma
    dx = (d - d.mean(-1, keepdims=True) - xhat * (d * xhat).mean(-1, keepdims=True)) / std
    return dx, (dout * xhat).sum(0)


pair(
    "layernorm",
    layernorm_forward,
    layernorm_backward,
    Arr("n d", min=3),
    "d",
    faults={"constant": ("d - d.mean(-1, keepdims=True)", "d", "constant|sum to 0|mean|(x: ")},
)


def softmax_forward(x):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    s = e / np.sum(e, axis=1, keepdims=True)
    return s, s


def softmax_backward(dout, s):
    return s * (dout - np.sum(dout * s, axis=1, keepdims=True))


pair(
    "softmax",
    softmax_forward,
    softmax_backward,
    "n c",
    faults={
        "fused": ("return s * (dout - np.sum(dout * s, axis=1, keepdims=True))", "return dout", "passed on unchanged"),
        "axis": ("np.sum(dout * s, axis=1", "np.sum(dout * s, axis=0", "axis"),
    },
)


def dropout_forward(x):
    mask = (np.random.rand(*x.shape) < 0.7) / 0.7
    return x * mask, mask


def dropout_backward(dout, mask):
    return dout * mask


pair(
    "dropout",
    dropout_forward,
    dropout_backward,
    "n d",
    faults={"newmask": ("return dout * mask", "return dout", "WRONG VALUE")},
)


def conv_forward(x, w):
    n, c, h, wd = x.shape
    f, _, k, _ = w.shape
    out = np.zeros((n, f, h - k + 1, wd - k + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = np.tensordot(x[:, :, i : i + k, j : j + k], w, ([1, 2, 3], [1, 2, 3]))
    return out, (x, w)


def conv_backward(dout, cache):
    x, w = cache
    k = w.shape[2]
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dx[:, :, i : i + k, j : j + k] += np.tensordot(dout[:, :, i, j], w, (1, 0))
            dw += np.tensordot(dout[:, :, i, j], x[:, :, i : i + k, j : j + k], (0, 0))
    return dx, dw


pair(
    "conv",
    conv_forward,
    conv_backward,
    Arr("n 2 4 4"),
    Arr("2 2 2 2"),
    faults={
        "assigned": (
            "dx[:, :, i : i + k, j : j + k] +=",
            "dx[:, :, i : i + k, j : j + k] =",
            "only one is kept|input 0",
        )
    },
)


def maxpool_forward(x):
    n, c, h, w = x.shape
    r = x.reshape(n, c, h // 2, 2, w // 2, 2)
    return r.max(axis=3).max(axis=4), (x, r)


def maxpool_backward(dout, cache):
    x, r = cache
    top = r.max(axis=(3, 5), keepdims=True)
    mask = r == top
    mask = mask / mask.sum(axis=(3, 5), keepdims=True)
    return (mask * dout[:, :, :, None, :, None]).reshape(x.shape)


pair(
    "maxpool",
    maxpool_forward,
    maxpool_backward,
    Arr("n 2 4 4"),
    faults={"spread": ("mask = r == top", "mask = np.ones(r.shape)", "WRONG VALUE")},
)


def pad_forward(x):
    return np.pad(x, ((0, 0), (1, 1))), None


def pad_backward(dout, cache):
    return dout[:, 1:-1]


pair(
    "pad",
    pad_forward,
    pad_backward,
    "n d",
    faults={"on": ("return dout[:, 1:-1]", "return dout", "padding")},
)


# ------------------------------------------------------------------- several caches, output alone, dicts
def dense_many(x, W):
    return x @ W, x, W


def dense_many_back(g, x, W):
    return {"dx": g @ W.T, "dW": x.T @ g}


pair(
    "dict_of_gradients",
    dense_many,
    dense_many_back,
    "n d",
    "d m",
    faults={"turned": ("x.T @ g", "g.T @ x", "transposed")},
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_derivative(x):
    s = sigmoid(x)
    return s * (1 - s)


pair(
    "derivative_of_the_input",
    sigmoid,
    sigmoid_derivative,
    "n d",
    faults={"of_output": ("s = sigmoid(x)", "s = x", "WRONG VALUE")},
)


def tanh_forward(z):
    return np.tanh(z)


def tanh_back(grad_output, z):
    return grad_output * (1 - np.tanh(z) ** 2)


pair(
    "output_alone", tanh_forward, tanh_back, "n d", faults={"square": ("np.tanh(z) ** 2", "np.tanh(z)", "WRONG VALUE")}
)


def scale_forward(x, a):
    return x * a, {"x": x, "a": a}


def scale_back(cache, dout):
    return dout * cache["a"], (dout * cache["x"]).sum(0)


pair(
    "cache_first",
    scale_forward,
    scale_back,
    "n d",
    "d",
    faults={"swap": ('cache["a"], (dout', 'cache["x"], (dout', "input")},
)


def leaky_forward(x, slope=0.1):
    return np.where(x > 0, x, slope * x), (x, slope)


def leaky_back(g, cache):
    x, slope = cache
    return g * np.where(x > 0, 1.0, slope)


pair(
    "options",
    leaky_forward,
    leaky_back,
    "n d",
    options={"slope": (0.1, 0.3)},
    faults={"fixed": ("np.where(x > 0, 1.0, slope)", "np.where(x > 0, 1.0, 0.1)", "slope")},
)


def popped_forward(x):
    return x * 2.0, [x, 2.0]


def popped_back(g, cache):
    k = cache.pop()
    return g * k


pair("cache_is_used_up", popped_forward, popped_back, "n d", faults={"k": ("return g * k", "return g / k", "factor")})


# ------------------------------------------------------------------- losses
@form("n c", Ints("n", below="c"), faults={"batch": ("dx /= N", "dx /= 1", "length of axis 0|a sum where a mean")})
def softmax_loss(x, y):
    probs = np.exp(x - np.max(x, axis=1, keepdims=True))
    probs /= np.sum(probs, axis=1, keepdims=True)
    N = x.shape[0]
    loss = -np.sum(np.log(probs[np.arange(N), y] + 1e-10)) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


@form("n c", Ints("n", below="c"), faults={"count": ("-= num_pos", "-= 1", "WRONG VALUE")})
def svm_loss(x, y):
    N = x.shape[0]
    margins = np.maximum(0, x - x[np.arange(N), y][:, None] + 1.0)
    margins[np.arange(N), y] = 0
    loss = np.sum(margins) / N
    num_pos = np.sum(margins > 0, axis=1)
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    dx[np.arange(N), y] -= num_pos
    dx /= N
    return loss, dx


@form("n d", "n d", faults={"two": ("2 * (p - t)", "(p - t)", "1/2")})
def mse_both(p, t):
    d = 2 * (p - t) / p.size
    return np.mean((p - t) ** 2), d, -d


def bce(p, y):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def bce_grad(p, y):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return (p - y) / (p * (1 - p)) / p.size


pair(
    "loss_and_its_gradient",
    bce,
    bce_grad,
    Arr("n", lo=0.0, hi=1.0),
    Ints("n", below=2),
    faults={"logits": (" / (p * (1 - p))", "", "logits")},
)


@form("n d", "n d", faults={"sign": ("self.p - self.t", "self.t - self.p", "-1")})
class MSELoss:
    def forward(self, p, t):
        self.p, self.t = p, t
        return np.mean((p - t) ** 2)

    def backward(self):
        return 2 * (self.p - self.t) / self.p.size


@form(
    "n c", Ints("n", below="c"), faults={"labels": ("d[np.arange(len(d)), self.y] -= 1", "d[:, 0] -= 1", "WRONG VALUE")}
)
class CrossEntropy:
    def __call__(self, z, y):
        self.y = y
        e = np.exp(z - z.max(1, keepdims=True))
        self.p = e / e.sum(1, keepdims=True)
        return -np.log(self.p[np.arange(len(y)), y] + 1e-12).mean()

    def backward(self, dout=1):
        d = self.p.copy()
        d[np.arange(len(d)), self.y] -= 1
        return dout * d / len(d)
