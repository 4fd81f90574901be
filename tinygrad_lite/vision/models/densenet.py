"""DenseNet. Source: Huang et al., "Densely connected convolutional networks", arXiv:1608.06993."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from tinygrad_lite import nn
from tinygrad_lite.nn import functional as F
from tinygrad_lite.ops.shape.joining import cat
from tinygrad_lite.utils.checkpoint import checkpoint
from tinygrad_lite.vision.models.weights import network


class _DenseLayer(nn.Module):
    def __init__(self, features: int, growth: int, bn_size: int, drop_rate: float, memory_efficient: bool) -> None:
        super().__init__()
        self.norm1, self.relu1 = nn.BatchNorm2d(features), nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(features, bn_size * growth, 1, bias=False)
        self.norm2, self.relu2 = nn.BatchNorm2d(bn_size * growth), nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth, growth, 3, padding=1, bias=False)
        self.drop_rate, self.memory_efficient = float(drop_rate), memory_efficient

    def _narrow(self, *before: Any) -> Any:
        return self.conv1(self.relu1(self.norm1(cat(before, 1))))

    def forward(self, before: Sequence[Any]) -> Any:
        spare = self.memory_efficient and any(x.requires_grad for x in before)
        x = checkpoint(self._narrow, *before, use_reentrant=False) if spare else self._narrow(*before)
        x = self.conv2(self.relu2(self.norm2(x)))
        return F.dropout(x, self.drop_rate, self.training) if self.drop_rate > 0 else x


class _DenseBlock(nn.ModuleDict):
    def forward(self, x: Any) -> Any:
        features = [x]
        for layer in self.values():
            features.append(layer(features))
        return cat(features, 1)


def _transition(a: int) -> nn.Sequential:
    conv = nn.Conv2d(a, a // 2, 1, bias=False)
    return nn.Sequential(
        OrderedDict(norm=nn.BatchNorm2d(a), relu=nn.ReLU(inplace=True), conv=conv, pool=nn.AvgPool2d(2, 2))
    )


class DenseNet(nn.Module):
    """Blocks whose layers see all layers before them; images (N, 3, H, W) to scores (N, num_classes).

    >>> import tinygrad_lite as tl
    >>> net = tl.vision.models.DenseNet(growth_rate=4, block_config=(1, 1), num_init_features=8, num_classes=10)
    >>> net.eval()(tl.zeros(1, 3, 32, 32)).shape
    (1, 10)
    """

    def __init__(
        self, growth_rate: int = 32, block_config: Sequence[int] = (6, 12, 24, 16), num_init_features: int = 64,
        bn_size: int = 4, drop_rate: float = 0, num_classes: int = 1000, memory_efficient: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        n = num_init_features
        self.features = nn.Sequential(
            OrderedDict(conv0=nn.Conv2d(3, n, 7, 2, 3, bias=False), norm0=nn.BatchNorm2d(n),
                        relu0=nn.ReLU(inplace=True), pool0=nn.MaxPool2d(3, 2, 1))
        )  # fmt: skip
        for i, count in enumerate(block_config, 1):
            block = _DenseBlock()
            for j in range(count):
                layer = _DenseLayer(n + j * growth_rate, growth_rate, bn_size, drop_rate, memory_efficient)
                block[f"denselayer{j + 1}"] = layer
            self.features.add_module(f"denseblock{i}", block)
            n += count * growth_rate
            if i < len(block_config):
                self.features.add_module(f"transition{i}", _transition(n))
                n //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(n))
        self.classifier = nn.Linear(n, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight)
        if self.classifier.bias is not None:
            nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Any) -> Any:
        """Return the scores."""
        return self.classifier(F.relu(self.features(x), inplace=True).mean((2, 3)))


densenet121 = network("densenet121", DenseNet)
densenet161 = network("densenet161", DenseNet, 48, (6, 12, 36, 24), 96)
densenet169 = network("densenet169", DenseNet, 32, (6, 12, 32, 32))
densenet201 = network("densenet201", DenseNet, 32, (6, 12, 48, 32))
