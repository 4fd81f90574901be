"""Networks that the tests of pictures draw."""

from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 5, 3)
        self.fc = nn.Linear(180, 10)

    def forward(self, x):
        return self.fc(self.conv(x).relu().flatten(1))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up, self.act, self.down = nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.down(self.act(self.up(x)))


class Residual(nn.Module):
    def __init__(self, width=8, blocks=60):
        super().__init__()
        self.blocks = nn.Sequential(*[Block(width) for _ in range(blocks)])
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        return self.head(self.blocks(x))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.dec = nn.Linear(6, 6), nn.Linear(6, 6)
        self.dec.weight = self.enc.weight

    def forward(self, x):
        return self.dec(self.enc(x).tanh())


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.Linear(4, 4)

    def forward(self, x):
        return self.cell(self.cell(x).tanh())


class Uneven(nn.Module):
    """Blocks that are never equal, so that nothing folds."""

    def __init__(self, count):
        super().__init__()
        self.blocks = nn.Sequential(
            *[nn.Sequential(nn.Linear(4, 5 + i * i % 11), nn.Linear(5 + i * i % 11, 4)) for i in range(count)]
        )

    def forward(self, x):
        return self.blocks(x)


class Deep(nn.Module):
    """Sigmoids in a row, in which gradients vanish, or with large weights explode."""

    def __init__(self, layers, scale=1.0):
        super().__init__()
        tl.manual_seed(0)
        self.layers = nn.ModuleList([nn.Linear(8, 8) for _ in range(layers)])
        self.scale = scale

    def forward(self, x):
        for layer in self.layers:
            x = layer(x) * self.scale if self.scale != 1.0 else layer(x).sigmoid()
        return x.mean()


@pytest.fixture
def nets():
    """The networks and an input for each."""
    x = np.linspace(-1, 1, 2 * 8, dtype=np.float32).reshape(2, 8)
    return SimpleNamespace(
        CNN=CNN, Residual=Residual, Tied=Tied, Shared=Shared, Uneven=Uneven, Deep=Deep, Block=Block,
        image=tl.ones(4, 1, 8, 8), x8=tl.tensor(x), x6=tl.ones(2, 6), x4=tl.ones(2, 4),
    )  # fmt: skip
