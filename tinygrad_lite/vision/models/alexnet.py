"""AlexNet. Source: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997."""

from __future__ import annotations

from typing import Any

from tinygrad_lite import nn
from tinygrad_lite.vision.models.weights import network


class AlexNet(nn.Module):
    """Five convolutions and three linear layers; images (N, 3, H, W) to scores (N, num_classes)."""

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for a, b, kernel, stride, padding, pool in (
            (3, 64, 11, 4, 2, True), (64, 192, 5, 1, 2, True), (192, 384, 3, 1, 1, False), (384, 256, 3, 1, 1, False),
            (256, 256, 3, 1, 1, True),
        ):  # fmt: skip
            layers += [nn.Conv2d(a, b, kernel, stride, padding), nn.ReLU(inplace=True)]
            layers += [nn.MaxPool2d(3, 2)] * pool
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Linear(4096, num_classes),
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        """Return the scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


alexnet = network("alexnet", AlexNet)
