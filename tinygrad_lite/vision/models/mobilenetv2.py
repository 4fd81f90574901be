"""MobileNetV2. Source: Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", arXiv:1801.04381."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tinygrad_lite import nn
from tinygrad_lite.vision.models.weights import network

Norm = Callable[[int], nn.Module] | None


def _divisible(v: float, divisor: int) -> int:
    """Return the multiple of ``divisor`` next to ``v``, and not below nine tenths of it."""
    out = max(divisor, int(v + divisor / 2) // divisor * divisor)
    return out + divisor if out < 0.9 * v else out


def _convolution(a: int, b: int, kernel: int, stride: int, groups: int, norm: Any) -> nn.Sequential:
    conv = nn.Conv2d(a, b, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False)
    return nn.Sequential(conv, norm(b), nn.ReLU6(inplace=True))


class InvertedResidual(nn.Module):
    """Expand the channels, convolve each, and project them to few."""

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Norm = None) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        norm, hidden = norm_layer or nn.BatchNorm2d, round(inp * expand_ratio)
        self.stride, self.use_res_connect, self.out_channels = stride, stride == 1 and inp == oup, oup
        self.conv = nn.Sequential(
            *[_convolution(inp, hidden, 1, 1, 1, norm)] * (expand_ratio != 1),
            _convolution(hidden, hidden, 3, stride, hidden, norm), nn.Conv2d(hidden, oup, 1, bias=False), norm(oup),
        )  # fmt: skip

    def forward(self, x: Any) -> Any:
        """Return the projected channels, added to ``x`` where the shapes agree."""
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Inverted residuals; images (N, 3, H, W) to scores (N, num_classes).

    >>> import tinygrad_lite as tl
    >>> tl.vision.models.MobileNetV2(num_classes=10).eval()(tl.zeros(1, 3, 64, 64)).shape
    (1, 10)
    """

    def __init__(
        self, num_classes: int = 1000, width_mult: float = 1.0, inverted_residual_setting: Any = None,
        round_nearest: int = 8, block: Any = None, norm_layer: Norm = None, dropout: float = 0.2,
    ) -> None:  # fmt: skip
        super().__init__()
        norm, block = norm_layer or nn.BatchNorm2d, block or InvertedResidual
        setting: Sequence[Any] = (
            ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
            if inverted_residual_setting is None
            else inverted_residual_setting
        )
        if not setting or len(setting[0]) != 4:
            raise ValueError(
                f"inverted_residual_setting should be non-empty or a 4-element list, got {inverted_residual_setting}"
            )
        channels = _divisible(32 * width_mult, round_nearest)
        self.last_channel = _divisible(1280 * max(1.0, width_mult), round_nearest)
        features: list[nn.Module] = [_convolution(3, channels, 3, 2, 1, norm)]
        for t, c, n, s in setting:
            out = _divisible(c * width_mult, round_nearest)
            for i in range(n):
                features.append(block(channels, out, 1 if i else s, expand_ratio=t, norm_layer=norm))
                channels = out
        self.features = nn.Sequential(*features, _convolution(channels, self.last_channel, 1, 1, 1, norm))
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.last_channel, num_classes))
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out")
        nn.init.normal_(self.classifier[1].weight, 0, 0.01)
        nn.init.zeros_(self.classifier[1].bias)

    def forward(self, x: Any) -> Any:
        """Return the scores."""
        return self.classifier(self.features(x).mean((2, 3)))


mobilenet_v2 = network("mobilenet_v2", MobileNetV2)
