"""Thirty models as people write them, small: each a function that returns a model and its inputs."""

import dataclasses

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.nn import functional as F


def rand(*shape):
    return tl.tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))


def ids(*shape, n=20):
    return tl.tensor(np.random.default_rng(0).integers(0, n, shape))


def module(forward, **layers):
    """Return a module with these layers and this forward(self, ...)."""

    def init(self):
        nn.Module.__init__(self)
        for name, layer in layers.items():
            setattr(self, name, layer)

    return type("Net", (nn.Module,), {"__init__": init, "forward": forward})()


class BasicBlock(nn.Module):
    def __init__(self, n, m, stride=1):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(n, m, 3, stride, 1, bias=False), nn.BatchNorm2d(m)
        self.conv2, self.bn2 = nn.Conv2d(m, m, 3, 1, 1, bias=False), nn.BatchNorm2d(m)
        self.relu = nn.ReLU(inplace=True)
        self.down = None if n == m else nn.Sequential(nn.Conv2d(n, m, 1, stride, bias=False), nn.BatchNorm2d(m))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += x if self.down is None else self.down(x)
        return self.relu(y)


class Cells(nn.Module):
    def __init__(self, cell, steps=6, both=False, last=False):
        super().__init__()
        self.last = last
        self.cell, self.out, self.steps, self.both = cell(3, 5), nn.Linear(5, 2), steps, both

    def forward(self, x):
        h = tl.zeros(x.shape[1], 5)
        state = (h, tl.zeros(x.shape[1], 5)) if self.both else h
        seen = []
        for t in range(self.steps):
            state = self.cell(x[t], state)
            seen.append(state[0] if self.both else state)
        y = self.out(state[0] if self.both else state)
        return y if self.last else (y, tl.stack(seen))


class GPTBlock(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.ln1, self.qkv, self.proj = nn.LayerNorm(n), nn.Linear(n, 3 * n), nn.Linear(n, n)
        self.ln2, self.mlp = nn.LayerNorm(n), nn.Sequential(nn.Linear(n, 2 * n), nn.GELU(), nn.Linear(2 * n, n))

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (y.reshape((b, t, 2, c // 2)).transpose(1, 2) for y in self.qkv(self.ln1(x)).split(c, -1))
        mask = tl.tril(tl.ones(t, t)) == 0
        weights = (q @ k.transpose(-2, -1) / (c // 2) ** 0.5).masked_fill(mask, float("-inf")).softmax(-1)
        x = x + self.proj((weights @ v).transpose(1, 2).reshape((b, t, c)))
        return x + self.mlp(self.ln2(x))


@dataclasses.dataclass
class Output:
    logits: object
    loss: object = None


def unet(self, x):
    a = self.down1(x).relu()
    b = self.down2(F.max_pool2d(a, 2)).relu()
    return self.out(tl.cat([a, self.up(b)], 1))


def vae(self, x):
    h = self.enc(x).relu()
    mean, log = self.mean(h), self.log(h)
    z = mean + (log * 0.5).exp() * tl.ones(*mean.shape)
    return self.dec(z).sigmoid(), mean, log


def inception(self, x):
    return tl.cat([self.a(x), self.c(self.b(x).relu()), self.d(F.avg_pool2d(x, 3, 1, 1))], 1)


def capsule(self, x):
    u = self.fc(x).reshape((2, 4, 3))
    n = (u**2).sum(-1, keepdim=True)
    return n / (1 + n) * u / (n + 1e-8).sqrt()


def seq2seq(self, src, tgt):
    _, h = self.enc(self.emb(src))
    y, _ = self.dec(self.emb(tgt), h)
    return self.out(y)


def graph_net(self, x, adjacency):
    for layer in (self.a, self.b):
        x = (adjacency @ layer(x)).relu()
    return x.mean(0)


def with_loss(self, x, labels=None):
    logits = self.fc(x)
    return Output(logits, None if labels is None else F.cross_entropy(logits, labels))


def nested_loops(self, x):
    for _ in range(3):
        for layer in self.layers:
            x = x + layer(x).tanh()
        x = self.norm(x)
    return x


def power(x):
    for _ in range(8):
        x = x @ x
        x = x / x.norm()
    return x


def newton(a):
    x = a
    for _ in range(6):
        x = 0.5 * (x + a / x)
    return {"root": x, "error": (x * x - a).abs().max()}


def fibonacci(a, b):
    for _ in range(9):
        a, b = b, a + b * 0.5
    return a, b


def quantised(self, x):
    z = self.enc(x)
    nearest = self.book(((z[:, None] - self.book.weight) ** 2).sum(-1).argmin(1))
    loss = F.mse_loss(nearest, z.detach()) + 0.25 * F.mse_loss(nearest.detach(), z)
    return self.dec(z + (nearest - z).detach()), loss


def adversaries(self, z, real):
    fake = self.g(z)
    return self.d(real).mean() - self.d(fake.detach()).mean(), -self.d(fake).mean()


def masked(self, x):
    w = self.fc.weight.detach()
    y = self.fc(x).clone(memory_format=tl.contiguous_format)
    y[y > 0.5] = 2.0
    y[0, (x[0, :2] * 0).long()] *= 10000 ** (w.norm() * 0.01)
    return y * (y.argsort(1)[:, :1] >= 0)


def two_parts():
    q, frozen = L(3, 2), L(3, 2).requires_grad_(False)
    return lambda x, y: F.mse_loss(q(x), 0.9 * frozen(y).detach())


def attention_pool(self, x):
    weights = self.score(x).softmax(1)
    return (weights * x).sum(1), weights


def linears(*sizes, act=nn.ReLU):
    pairs = list(zip(sizes, sizes[1:], strict=False))
    layers = [layer for n, m in pairs for layer in (nn.Linear(n, m), act())][:-1]
    return nn.Sequential(*layers)


L = nn.Linear
MODELS = {
    "mlp": lambda: (linears(4, 8, 8, 2), (rand(3, 4),)),
    "deep mlp": lambda: (linears(4, *[6] * 12, 2, act=nn.Tanh), (rand(3, 4),)),
    "lenet": lambda: (nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), L(16, 3)),
                      (rand(2, 1, 8, 8),)),
    "vgg": lambda: (nn.Sequential(*[m for _ in range(3) for m in (nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3),
                                                                  nn.ReLU(inplace=True))], nn.AdaptiveAvgPool2d(1)),
                    (rand(2, 3, 6, 6),)),
    "resnet": lambda: (nn.Sequential(BasicBlock(3, 4), *[BasicBlock(4, 4) for _ in range(4)], BasicBlock(4, 6, 2)),
                       (rand(2, 3, 6, 6),)),
    "unet": lambda: (module(unet, down1=nn.Conv2d(2, 4, 3, padding=1), down2=nn.Conv2d(4, 4, 3, padding=1),
                            up=nn.ConvTranspose2d(4, 4, 2, 2), out=nn.Conv2d(8, 2, 1)), (rand(1, 2, 8, 8),)),
    "inception": lambda: (module(inception, a=nn.Conv2d(3, 2, 1), b=nn.Conv2d(3, 2, 1), c=nn.Conv2d(2, 3, 3, padding=1),
                                 d=nn.Conv2d(3, 2, 1)), (rand(1, 3, 5, 5),)),
    "depthwise": lambda: (nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 8, 1), nn.ReLU6(),
                                        nn.GroupNorm(2, 8)), (rand(1, 4, 6, 6),)),
    "wavenet": lambda: (nn.Sequential(*[nn.Conv1d(2, 2, 2, dilation=2**i) for i in range(3)]), (rand(1, 2, 12),)),
    "autoencoder": lambda: (nn.Sequential(linears(6, 4, 2), linears(2, 4, 6)), (rand(3, 6),)),
    "vae": lambda: (module(vae, enc=L(6, 4), mean=L(4, 2), log=L(4, 2), dec=L(2, 6)), (rand(3, 6),)),
    "gan": lambda: (nn.Sequential(L(2, 8), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), L(8, 4), nn.Tanh()), (rand(3, 2),)),
    "rnn": lambda: (nn.RNN(3, 5, 2, bidirectional=True), (rand(7, 2, 3),)),
    "lstm": lambda: (nn.LSTM(3, 5, 2, batch_first=True, dropout=0.2), (rand(2, 7, 3),)),
    "rnn cells": lambda: (Cells(nn.RNNCell), (rand(6, 2, 3),)),
    "gru cells": lambda: (Cells(nn.GRUCell), (rand(6, 2, 3),)),
    "lstm cells": lambda: (Cells(nn.LSTMCell, both=True, last=True), (rand(6, 2, 3),)),
    "seq2seq": lambda: (module(seq2seq, emb=nn.Embedding(20, 4), enc=nn.GRU(4, 5), dec=nn.GRU(4, 5), out=L(5, 20)),
                        (ids(6, 2), ids(4, 2))),
    "gpt": lambda: (nn.Sequential(nn.Embedding(20, 8), *[GPTBlock(8) for _ in range(4)], nn.LayerNorm(8)),
                    (ids(2, 5),)),
    "encoder": lambda: (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 4),
                        (rand(2, 5, 8),)),
    "transformer": lambda: (nn.Transformer(8, 2, 2, 2, 16), (rand(5, 2, 8), rand(3, 2, 8))),
    "vit": lambda: (nn.Sequential(nn.Conv2d(1, 8, 2, 2), nn.Flatten(2), *[nn.LayerNorm(4) for _ in range(4)]),
                    (rand(1, 1, 4, 4),)),
    "capsule": lambda: (module(capsule, fc=L(5, 12)), (rand(2, 5),)),
    "graph net": lambda: (module(graph_net, a=L(3, 4), b=L(4, 4)), (rand(5, 3), rand(5, 5))),
    "attention pool": lambda: (module(attention_pool, score=L(4, 1)), (rand(2, 5, 4),)),
    "text bag": lambda: (nn.Sequential(nn.EmbeddingBag(20, 4), L(4, 2)), (ids(3, 5),)),
    "quantised": lambda: (module(quantised, enc=L(6, 3), book=nn.Embedding(5, 3), dec=L(3, 6)), (rand(4, 6),)),
    "adversaries": lambda: (module(adversaries, g=L(2, 4), d=linears(4, 3, 1)), (rand(5, 2), rand(5, 4))),
    "masked": lambda: (module(masked, fc=L(3, 2)), (rand(4, 3),)),
    "with a loss": lambda: (module(with_loss, fc=L(4, 3)), (rand(5, 4), ids(5, n=3))),
    "nested loops": lambda: (module(nested_loops, layers=nn.ModuleList([L(4, 4) for _ in range(5)]),
                                    norm=nn.LayerNorm(4)),
                             (rand(2, 4),)),
    "power iteration": lambda: (power, (rand(3, 3),)),
    "newton": lambda: (newton, (rand(4).abs() + 1,)),
    "two states": lambda: (fibonacci, (rand(2), rand(2))),
    "shared": lambda: ((lambda layer: nn.Sequential(*[m for _ in range(5) for m in (layer, nn.Tanh())]))(L(4, 4)),
                       (rand(2, 4),)),
}  # fmt: skip
