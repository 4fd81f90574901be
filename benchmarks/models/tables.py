"""Vectors and points: dense nets, an autoencoder, a policy, splines, clusters, a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.models.steps import Pair, Source, switched, training


def autoencoder(T: Any, batch: int = 128, hidden: int = 400, code: int = 20, inputs: int = 784) -> Pair:
    nn, F = T.nn, T.nn.functional
    inward, middle, spread = nn.Linear(inputs, hidden), nn.Linear(hidden, code), nn.Linear(hidden, code)
    outward, out = nn.Linear(code, hidden), nn.Linear(hidden, inputs)
    x = Source(T).uniform(batch, inputs)

    def model() -> Any:
        h = F.relu(inward(x))
        mean, log_var = middle(h), spread(h)
        z = mean + T.randn_like(mean) * T.exp(0.5 * log_var)
        return T.sigmoid(out(F.relu(outward(z)))), mean, log_var

    def loss() -> Any:
        y, mean, log_var = model()
        missed = F.binary_cross_entropy(y, x, reduction="sum")
        return missed - 0.5 * T.sum(1 + log_var - mean.pow(2) - log_var.exp())

    layers = (inward, middle, spread, outward, out)
    return training(T.optim.Adam([p for layer in layers for p in layer.parameters()], lr=1e-3), loss), model


def policy(T: Any, batch: int = 64, inputs: int = 8, actions: int = 4, hidden: int = 64) -> Pair:
    nn, source = T.nn, Source(T)

    def net(outputs: int) -> Any:
        return nn.Sequential(
            nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, outputs)
        )

    actor, critic = net(actions), net(1)
    parameters = [*actor.parameters(), *critic.parameters()]
    seen, did = source.normal(batch, inputs), source.below(actions, batch)
    before, gain, worth = source.normal(batch) - 1.5, source.normal(batch), source.normal(batch)

    def loss() -> Any:
        logs = T.log_softmax(actor(seen), dim=-1)
        entropy = -(logs.exp() * logs).sum(-1).mean()
        better = (gain - gain.mean()) / (gain.std() + 1e-8)
        ratio = (logs.gather(1, did.unsqueeze(1)).squeeze(1) - before).exp()
        lost = T.max(-better * ratio, -better * T.clamp(ratio, 0.8, 1.2)).mean()
        return lost - 0.01 * entropy + 0.25 * ((critic(seen).view(-1) - worth) ** 2).mean()

    optimizer = T.optim.Adam(parameters, lr=3e-4, eps=1e-5)
    return training(optimizer, loss, lambda: nn.utils.clip_grad_norm_(parameters, 0.5)), lambda: actor(seen)


def dense(T: Any, batch: int = 256, inputs: int = 784, hidden: int = 512, classes: int = 10) -> Pair:
    nn, source = T.nn, Source(T)
    model = nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, classes)
    )
    x, y, criterion = source.normal(batch, inputs), source.below(classes, batch), nn.CrossEntropyLoss()
    return training(T.optim.Adam(model.parameters(), lr=1e-3), lambda: criterion(model(x), y)), lambda: model(x)


def splines(
    T: Any, batch: int = 64, inputs: int = 784, hidden: int = 64, classes: int = 10, cells: int = 5, order: int = 3
) -> Pair:
    nn, F = T.nn, T.nn.functional

    class Layer(nn.Module):
        def __init__(self, i: int, o: int) -> None:
            super().__init__()
            knots = (T.arange(-order, cells + order + 1) * (2.0 / cells) - 1).float()
            self.register_buffer("knots", knots.repeat(i, 1).contiguous())
            self.plain, self.scale = nn.Parameter(T.randn(o, i) * 0.05), nn.Parameter(T.randn(o, i) * 0.1 + 1)
            self.bent = nn.Parameter(T.randn(o, i, cells + order) * 0.02)

        def basis(self, x: Any) -> Any:
            t, x = self.knots, x.unsqueeze(-1)
            b = ((x >= t[:, :-1]) & (x < t[:, 1:])).to(x.dtype)
            for k in range(1, order + 1):
                left = (x - t[:, : -(k + 1)]) / (t[:, k:-1] - t[:, : -(k + 1)])
                right = (t[:, k + 1 :] - x) / (t[:, k + 1 :] - t[:, 1:-k])
                b = left * b[:, :, :-1] + right * b[:, :, 1:]
            return b.contiguous()

        def forward(self, x: Any) -> Any:
            weight = self.bent * self.scale.unsqueeze(-1)
            bent = F.linear(self.basis(x).view(x.size(0), -1), weight.view(weight.size(0), -1))
            return F.linear(F.silu(x), self.plain) + bent

    model, source = nn.Sequential(Layer(inputs, hidden), Layer(hidden, classes)), Source(T)
    criterion = nn.CrossEntropyLoss()
    x, y = T.tanh(source.normal(batch, inputs)), source.below(classes, batch)
    optimizer = T.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-4)
    return training(optimizer, lambda: criterion(model(x), y)), lambda: model(x)


def clusters(T: Any, points: int = 1000, features: int = 2, centers: int = 5) -> Pair:
    source = Source(T)
    x, c = source.normal(points, features), source.normal(centers, features).requires_grad_(True)

    def loss() -> Any:
        d = T.cdist(x, c) ** 2
        return (T.softmax(-d / 0.5, dim=1) * d).sum(dim=1).mean()

    return training(T.optim.Adam([c], lr=0.05), loss), lambda: T.softmax(-(T.cdist(x, c) ** 2) / 0.5, dim=1)


def graph(T: Any, nodes: int = 2708, features: int = 1433, hidden: int = 16, classes: int = 7) -> Pair:
    nn, F, source = T.nn, T.nn.functional, Source(T)
    edges = (source.rng.random((nodes, nodes), np.float32) < 2 / nodes).astype(np.float32)
    edges = np.minimum(edges + edges.T + np.eye(nodes, dtype=np.float32), 1)
    beside = T.tensor(edges / edges.sum(1, keepdims=True))
    x = T.tensor((source.rng.random((nodes, features)) < 0.01).astype(np.float32))
    y, known = source.below(classes, nodes), T.arange(nodes // 20)

    class Layer(nn.Module):
        def __init__(self, i: int, o: int) -> None:
            super().__init__()
            self.weight = nn.Parameter((T.rand(i, o) * 2 - 1) * o**-0.5)
            self.bias = nn.Parameter((T.rand(o) * 2 - 1) * o**-0.5)

        def forward(self, x: Any) -> Any:
            return T.mm(beside, T.mm(x, self.weight)) + self.bias

    model = nn.Sequential(Layer(features, hidden), nn.ReLU(), nn.Dropout(0.5), Layer(hidden, classes))
    optimizer = T.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)

    def loss() -> Any:
        return F.nll_loss(F.log_softmax(model(x), dim=1)[known], y[known])

    return switched(model, training(optimizer, loss), x)
