"""SqueezeNet. Source: Iandola et al., "SqueezeNet", arXiv:1602.07360."""

from __future__ import annotations

from typing import Any

from tinygrad_lite import nn
from tinygrad_lite.ops.shape.joining import cat
from tinygrad_lite.vision.models.weights import network


class Fire(nn.Module):
    """A 1 x 1 convolution to few channels, then 1 x 1 and 3 x 3 ones to many."""

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.squeeze, self.squeeze_activation = nn.Conv2d(inplanes, squeeze_planes, 1), nn.ReLU(inplace=True)
        self.expand1x1, self.expand1x1_activation = (
            nn.Conv2d(squeeze_planes, expand1x1_planes, 1),
            nn.ReLU(inplace=True),
        )
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Any) -> Any:
        """Return both sets of channels."""
        x = self.squeeze_activation(self.squeeze(x))
        return cat([self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """Eight `Fire` modules; images (N, 3, H, W) to scores (N, num_classes).

    >>> import tinygrad_lite as tl
    >>> tl.vision.models.SqueezeNet("1_1", num_classes=10).eval()(tl.zeros(1, 3, 32, 32)).shape
    (1, 10)
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version not in ("1_0", "1_1"):
            raise ValueError(f"Unsupported SqueezeNet version {version}: 1_0 or 1_1 expected")
        self.num_classes, first = num_classes, version == "1_0"
        channels, pools = (96, (0, 3, 7)) if first else (64, (0, 2, 4))
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 7 if first else 3, 2), nn.ReLU(inplace=True)]
        for i, squeeze in enumerate((16, 16, 32, 32, 48, 48, 64, 64)):
            layers += [nn.MaxPool2d(3, 2, ceil_mode=True)] if i in pools else []
            layers.append(Fire(channels, squeeze, 4 * squeeze, 4 * squeeze))
            channels = 8 * squeeze
        last = nn.Conv2d(512, num_classes, 1)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), last, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1)))
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                _ = nn.init.normal_(m.weight, std=0.01) if m is last else nn.init.kaiming_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x: Any) -> Any:
        """Return the scores."""
        return self.classifier(self.features(x)).flatten(1)


squeezenet1_0, squeezenet1_1 = (network(f"squeezenet{v}", SqueezeNet, v) for v in ("1_0", "1_1"))
