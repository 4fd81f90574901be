"""VGG. Source: Simonyan and Zisserman, "Very deep convolutional networks", arXiv:1409.1556."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinygrad_lite import nn
from tinygrad_lite.vision.models.weights import network


class VGG(nn.Module):
    """Features, and three linear layers on 7 x 7 means of them."""

    def __init__(
        self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features, self.avgpool = features, nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(True), nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(True),
            nn.Dropout(dropout), nn.Linear(4096, num_classes),
        )  # fmt: skip
        for m in self.modules() if init_weights else ():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0, 0.01)
            if isinstance(m, (nn.Conv2d, nn.Linear)) and m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x: Any) -> Any:
        """Return the scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def make_layers(cfg: Sequence[int | str], batch_norm: bool = False) -> nn.Sequential:
    """Return convolutions with the numbers of channels in ``cfg``, and a pooling for each "M"."""
    layers: list[nn.Module] = []
    channels = 3
    for v in cfg:
        if isinstance(v, str):
            layers.append(nn.MaxPool2d(2, 2))
            continue
        layers.append(nn.Conv2d(channels, v, 3, padding=1))
        layers += [nn.BatchNorm2d(v)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
        channels = v
    return nn.Sequential(*layers)


def _vgg(counts: Sequence[int], batch_norm: bool, **kwargs: Any) -> VGG:
    cfg: list[int | str] = []
    for channels, count in zip((64, 128, 256, 512, 512), counts, strict=True):
        cfg += [*[channels] * count, "M"]
    return VGG(make_layers(cfg, batch_norm), **kwargs)


vgg11, vgg13, vgg16, vgg19, vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn = (
    network(f"vgg{3 + sum(counts)}{'_bn' * norm}", _vgg, counts, norm)
    for norm in (False, True)
    for counts in ((1, 1, 2, 2, 2), (2, 2, 2, 2, 2), (2, 2, 3, 3, 3), (2, 2, 4, 4, 4))
)
