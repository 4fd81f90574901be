"""MobileNetV3. Source: Howard et al., "Searching for MobileNetV3", arXiv:1905.02244."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tinygrad_lite import nn
from tinygrad_lite.vision.models.mobilenetv2 import _divisible
from tinygrad_lite.vision.models.weights import network
from tinygrad_lite.vision.ops.layers import Conv2dNormActivation, SqueezeExcitation

LARGE = """16 3 16 16 0 RE 1, 16 3 64 24 0 RE 2, 24 3 72 24 0 RE 1, 24 5 72 40 1 RE 2, 40 5 120 40 1 RE 1,
    40 5 120 40 1 RE 1, 40 3 240 80 0 HS 2, 80 3 200 80 0 HS 1, 80 3 184 80 0 HS 1, 80 3 184 80 0 HS 1,
    80 3 480 112 1 HS 1, 112 3 672 112 1 HS 1, 112 5 672 160 1 HS 2, 160 5 960 160 1 HS 1, 160 5 960 160 1 HS 1"""
SMALL = """16 3 16 16 1 RE 2, 16 3 72 24 0 RE 2, 24 3 88 24 0 RE 1, 24 5 96 40 1 HS 2, 40 5 240 40 1 HS 1,
    40 5 240 40 1 HS 1, 40 5 120 48 1 HS 1, 48 5 144 48 1 HS 1, 48 5 288 96 1 HS 2, 96 5 576 96 1 HS 1,
    96 5 576 96 1 HS 1"""
"""A block each: input, kernel, expanded and output channels, squeeze, activation, stride; the last 3 are the tail."""


class BlockSizes(NamedTuple):
    """The sizes of one block, with the channels already multiplied."""

    input_channels: int
    kernel: int
    expanded_channels: int
    out_channels: int
    use_se: bool
    use_hs: bool
    stride: int
    dilation: int = 1


class InvertedResidual(nn.Module):
    """Expand the channels, convolve each, weight them by their means, and project them to few."""

    def __init__(self, cnf: BlockSizes, norm_layer: Any) -> None:
        super().__init__()
        act = nn.Hardswish if cnf.use_hs else nn.ReLU
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.out_channels, wide = cnf.out_channels, cnf.expanded_channels
        layers: list[nn.Module] = []
        if wide != cnf.input_channels:
            layers.append(
                Conv2dNormActivation(cnf.input_channels, wide, 1, norm_layer=norm_layer, activation_layer=act)
            )
        layers.append(Conv2dNormActivation(
            wide, wide, cnf.kernel, cnf.stride if cnf.dilation == 1 else 1, dilation=cnf.dilation, groups=wide,
            norm_layer=norm_layer, activation_layer=act,
        ))  # fmt: skip
        if cnf.use_se:
            layers.append(SqueezeExcitation(wide, _divisible(wide // 4, 8), scale_activation=nn.Hardsigmoid))
        layers.append(Conv2dNormActivation(wide, cnf.out_channels, 1, norm_layer=norm_layer, activation_layer=None))
        self.block = nn.Sequential(*layers)

    def forward(self, input: Any) -> Any:
        """Return the projected channels, added to the input where the shapes agree."""
        return self.block(input) + input if self.use_res_connect else self.block(input)


def _norm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, eps=0.001, momentum=0.01)


class MobileNetV3(nn.Module):
    """Inverted residuals with squeeze and excitation; images (N, 3, H, W) to scores (N, num_classes).

    >>> import tinygrad_lite as tl
    >>> tl.vision.models.mobilenet_v3_small(num_classes=10).eval()(tl.zeros(1, 3, 64, 64)).shape
    (1, 10)
    """

    def __init__(
        self, inverted_residual_setting: Sequence[BlockSizes], last_channel: int, num_classes: int = 1000,
        block: Any = None, norm_layer: Callable[[int], nn.Module] | None = None, dropout: float = 0.2,
    ) -> None:  # fmt: skip
        super().__init__()
        if not inverted_residual_setting:
            raise ValueError("The inverted_residual_setting should not be empty")
        norm, block = norm_layer or _norm, block or InvertedResidual
        first, last = inverted_residual_setting[0].input_channels, inverted_residual_setting[-1].out_channels
        self.features = nn.Sequential(
            Conv2dNormActivation(3, first, 3, 2, norm_layer=norm, activation_layer=nn.Hardswish),
            *[block(cnf, norm) for cnf in inverted_residual_setting],
            Conv2dNormActivation(last, 6 * last, 1, norm_layer=norm, activation_layer=nn.Hardswish),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * last, last_channel), nn.Hardswish(inplace=True), nn.Dropout(dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )  # fmt: skip
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out")
                if m.bias is not None:
                    nn.init.zeros_(m.bias)
            elif isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, 0, 0.01)
                nn.init.zeros_(m.bias)  # type: ignore[arg-type]

    def forward(self, x: Any) -> Any:
        """Return the scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _built(
    text: str, last: int, width_mult: float = 1.0, reduced_tail: bool = False, dilated: bool = False, **words: Any
) -> MobileNetV3:
    less, spread = 2 if reduced_tail else 1, 2 if dilated else 1
    blocks = [line.split() for line in text.split(",")]
    setting = []
    for i, (a, k, e, b, se, act, stride) in enumerate(blocks):
        tail = i - len(blocks) + 3  # from 0 in the tail, whose channels can be halved and whose steps can be spread
        inner = less if tail > 0 else 1
        outer = less if tail >= 0 else 1
        sizes = [_divisible(n * width_mult, 8) for n in (int(a) // inner, int(e) // inner, int(b) // outer)]
        setting.append(BlockSizes(
            sizes[0], int(k), sizes[1], sizes[2], se == "1", act == "HS", int(stride), spread if tail >= 0 else 1
        ))  # fmt: skip
    return MobileNetV3(setting, _divisible(last // less * width_mult, 8), **words)


_built.__name__ = "MobileNetV3"  # for the help of both
mobilenet_v3_large = network("mobilenet_v3_large", _built, LARGE, 1280)
mobilenet_v3_small = network("mobilenet_v3_small", _built, SMALL, 1024)
