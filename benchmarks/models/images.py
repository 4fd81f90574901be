"""Images: classifiers, a residual net, an adversarial pair, a segmentation."""

from __future__ import annotations

from typing import Any

from benchmarks.models.steps import Pair, Source, switched, training


def _labelled(T: Any, model: Any, optimizer: Any, shape: tuple[int, ...], classes: int = 10) -> Pair:
    source, criterion = Source(T), T.nn.CrossEntropyLoss()
    x, y = source.normal(*shape), source.below(classes, shape[0])
    return switched(model, training(optimizer, lambda: criterion(model(x), y)), x)


def mnist(T: Any, batch: int = 64) -> Pair:
    nn = T.nn
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )  # fmt: skip
    return _labelled(T, model, T.optim.Adadelta(model.parameters(), lr=1.0), (batch, 1, 28, 28))


def wide_kernels(T: Any, batch: int = 100) -> Pair:
    nn = T.nn

    def stage(i: int, o: int) -> list[Any]:
        return [nn.Conv2d(i, o, 5, stride=1, padding=2), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2, 2)]

    model = nn.Sequential(*stage(1, 16), *stage(16, 32), nn.Flatten(), nn.Linear(7 * 7 * 32, 10))
    return _labelled(T, model, T.optim.Adam(model.parameters(), lr=1e-3), (batch, 1, 28, 28))


def residual(T: Any, batch: int = 32, channels: int = 16) -> Pair:
    nn, F = T.nn, T.nn.functional

    def conv(i: int, o: int, kernel: int, stride: int) -> Any:
        return nn.Sequential(nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(o))

    class Block(nn.Module):
        def __init__(self, i: int, o: int, stride: int) -> None:
            super().__init__()
            self.first, self.second = conv(i, o, 3, stride), conv(o, o, 3, 1)
            self.around = nn.Identity() if i == o else conv(i, o, 1, stride)

        def forward(self, x: Any) -> Any:
            return F.relu(self.second(F.relu(self.first(x))) + self.around(x))

    c = channels
    model = nn.Sequential(
        conv(3, c, 3, 1), nn.ReLU(), Block(c, c, 1), Block(c, 2 * c, 2), Block(2 * c, 4 * c, 2), nn.AvgPool2d(8),
        nn.Flatten(), nn.Linear(4 * c, 10),
    )  # fmt: skip
    optimizer = T.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    return _labelled(T, model, optimizer, (batch, 3, 32, 32))


def adversarial(T: Any, batch: int = 64, code: int = 64, channels: int = 32) -> Pair:
    nn, c, source = T.nn, channels, Source(T)
    make = nn.Sequential(
        nn.ConvTranspose2d(code, 2 * c, 4, 1, 0, bias=False), nn.BatchNorm2d(2 * c), nn.ReLU(True),
        nn.ConvTranspose2d(2 * c, c, 4, 2, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU(True),
        nn.ConvTranspose2d(c, 1, 4, 2, 1, bias=False), nn.Tanh(),
    )  # fmt: skip
    judge = nn.Sequential(
        nn.Conv2d(1, c, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(2 * c, 1, 4, 1, 0, bias=False), nn.Sigmoid(),
    )  # fmt: skip
    makes, judges = (T.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (make, judge))
    real, noise, criterion = T.tanh(source.normal(batch, 1, 16, 16)), source.normal(batch, code, 1, 1), nn.BCELoss()
    true, false = T.ones(batch), T.zeros(batch)

    def step() -> Any:
        judge.zero_grad()
        criterion(judge(real).view(-1), true).backward()
        made = make(noise)
        criterion(judge(made.detach()).view(-1), false).backward()
        judges.step()
        make.zero_grad()
        loss = criterion(judge(made).view(-1), true)
        loss.backward()
        makes.step()
        return loss

    return step, lambda: make(noise)


def segmentation(T: Any, batch: int = 8, channels: int = 16, size: int = 32) -> Pair:
    nn, c = T.nn, channels

    def double(i: int, o: int) -> Any:
        layers: list[Any] = []
        for a in (i, o):
            layers += [nn.Conv2d(a, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
        return nn.Sequential(*layers)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.ModuleList([double(1, c), double(c, 2 * c), double(2 * c, 4 * c)])
            self.rise = nn.ModuleList([nn.ConvTranspose2d(k * c, k * c // 2, 2, stride=2) for k in (4, 2)])
            self.up = nn.ModuleList([double(4 * c, 2 * c), double(2 * c, c)])
            self.pool, self.out = nn.MaxPool2d(2), nn.Conv2d(c, 1, 1)

        def forward(self, x: Any) -> Any:
            first = self.down[0](x)
            second = self.down[1](self.pool(first))
            y = self.down[2](self.pool(second))
            for beside, rise, up in zip((second, first), self.rise, self.up, strict=True):
                y = up(T.cat([beside, rise(y)], dim=1))
            return self.out(y)

    model, source, criterion = Model(), Source(T), nn.BCEWithLogitsLoss()
    x, y = source.normal(batch, 1, size, size), (source.uniform(batch, 1, size, size) < 0.5).float()
    return training(T.optim.Adam(model.parameters(), lr=1e-3), lambda: criterion(model(x), y)), lambda: model(x)
