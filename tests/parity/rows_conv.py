"""Convolutions, pooling, padding and resizing: constructor variants and wrong calls."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.modules import Row

SHAPES = {1: (2, 4, 9), 2: (2, 4, 7, 8), 3: (2, 4, 5, 6, 4)}
ROWS: list[Row] = []


def row(name: str, make: Any, *inputs: Any, **more: Any) -> None:
    ROWS.append(Row(name, make, inputs, **more))


CONV: list[tuple[Any, dict[str, Any]]] = [
    (3, {}),
    (2, {"stride": 2}),
    (3, {"padding": 1}),
    (3, {"padding": "same"}),
    (2, {"padding": "same", "dilation": 2}),
    (3, {"padding": "valid"}),
    (2, {"dilation": 2, "padding": 2}),
    (3, {"groups": 2, "bias": False}),
    (3, {"groups": 4, "stride": 2, "padding": 2}),
    (1, {}),
    (3, {"padding": 2, "padding_mode": "reflect"}),
    (3, {"padding": 1, "padding_mode": "replicate", "stride": 2}),
    (3, {"padding": 2, "padding_mode": "circular"}),
    (3, {"padding": "same", "padding_mode": "reflect"}),
]
for n in (1, 2, 3):
    for kernel, words in CONV:
        shown = ", ".join([str(kernel), *(f"{k}={v}" for k, v in words.items())])
        row(
            f"Conv{n}d({shown})",
            lambda nn, n=n, k=kernel, w=words: getattr(nn, f"Conv{n}d")(4, 8, k, **w),
            SHAPES[n],
            rtol=5.0,
        )
    row(f"Conv{n}d one image", lambda nn, n=n: getattr(nn, f"Conv{n}d")(4, 2, 2), SHAPES[n][1:])
    row(f"Conv{n}d empty batch", lambda nn, n=n: getattr(nn, f"Conv{n}d")(4, 2, 2), (0, *SHAPES[n][1:]))
row("Conv2d rectangles", lambda nn: nn.Conv2d(3, 5, (3, 2), (2, 1), (2, 0), (1, 3)), (2, 3, 8, 9))
row("Conv2d large", lambda nn: nn.Conv2d(8, 16, 3, padding=1), (4, 8, 12, 12), rtol=10.0)
row("Conv2d 5x5", lambda nn: nn.Conv2d(1, 6, 5), (4, 1, 12, 12), rtol=10.0)

TRANSPOSE: list[tuple[Any, dict[str, Any]]] = [
    (3, {}),
    (2, {"stride": 2}),
    (3, {"stride": 2, "padding": 1, "output_padding": 1}),
    (2, {"dilation": 2, "padding": 1}),
    (3, {"groups": 2, "bias": False}),
    (4, {"stride": 3, "groups": 2}),
]
SMALL = {1: (2, 4, 4), 2: (2, 4, 3, 4), 3: (2, 4, 2, 3, 3)}
for n in (1, 2, 3):
    for kernel, words in TRANSPOSE:
        shown = ", ".join([str(kernel), *(f"{k}={v}" for k, v in words.items())])
        row(
            f"ConvTranspose{n}d({shown})",
            lambda nn, n=n, k=kernel, w=words: getattr(nn, f"ConvTranspose{n}d")(4, 6, k, **w),
            SMALL[n],
            rtol=5.0,
        )
    row(f"ConvTranspose{n}d one image", lambda nn, n=n: getattr(nn, f"ConvTranspose{n}d")(4, 2, 2), SMALL[n][1:])
row(
    "ConvTranspose2d output_size",
    lambda nn: nn.ConvTranspose2d(4, 2, 3, 2, 1),
    (2, 4, 3, 4),
    words=lambda lib: {"output_size": (6, 8)},
)

row("Unfold", lambda nn: nn.Unfold((2, 3), dilation=(1, 2), padding=1, stride=2), (2, 3, 6, 7))
row("Unfold one image", lambda nn: nn.Unfold(2), (3, 4, 5))
row("Fold", lambda nn: nn.Fold((5, 6), (2, 3), padding=1, stride=(2, 1)), (2, 12, 18))
row("Fold one image", lambda nn: nn.Fold((4, 5), 2), (12, 12))

POOL: list[dict[str, Any]] = [
    {}, {"stride": 1}, {"stride": 2, "padding": 1}, {"ceil_mode": True}, {"stride": 2, "padding": 1, "ceil_mode": True},
]  # fmt: skip
for n in (1, 2, 3):
    for words in POOL:
        shown = ", ".join(f"{k}={v}" for k, v in words.items())
        row(f"MaxPool{n}d({shown})", lambda nn, n=n, w=words: getattr(nn, f"MaxPool{n}d")(3, **w), SHAPES[n])
        row(
            f"AvgPool{n}d({shown})",
            lambda nn, n=n, w=words: getattr(nn, f"AvgPool{n}d")(3, **w),
            SHAPES[n],
            shown=n > 1,
        )
        row(
            f"AvgPool{n}d({shown}) without padding",
            lambda nn, n=n, w=words: getattr(nn, f"AvgPool{n}d")(3, **w, count_include_pad=False),
            SHAPES[n],
            shown=n > 1,
        )
    row(
        f"MaxPool{n}d indices",
        lambda nn, n=n: getattr(nn, f"MaxPool{n}d")(2, 1, dilation=2, return_indices=True),
        SHAPES[n],
    )
    row(f"MaxPool{n}d one image", lambda nn, n=n: getattr(nn, f"MaxPool{n}d")(2), SHAPES[n][1:])
    row(f"MaxPool{n}d empty batch", lambda nn, n=n: getattr(nn, f"MaxPool{n}d")(2), (0, *SHAPES[n][1:]))
    row(f"AvgPool{n}d one image", lambda nn, n=n: getattr(nn, f"AvgPool{n}d")(2), SHAPES[n][1:], shown=n > 1)
    for p in (1, 2, 3):
        row(f"LPPool{n}d({p})", lambda nn, n=n, p=p: getattr(nn, f"LPPool{n}d")(p, 2, 1), SHAPES[n], values=(0.5, 2.0))
    row(f"LPPool{n}d ceil", lambda nn, n=n: getattr(nn, f"LPPool{n}d")(2, 3, 2, ceil_mode=True), SHAPES[n])
    for size in (1, 3, None, tuple(range(2, 2 + n))):
        if n > 1 or isinstance(size, (int, tuple)):
            row(
                f"AdaptiveAvgPool{n}d({size})",
                lambda nn, n=n, s=size: getattr(nn, f"AdaptiveAvgPool{n}d")(s if s is not None else (None,) * n),
                SHAPES[n],
            )
            row(
                f"AdaptiveMaxPool{n}d({size})",
                lambda nn, n=n, s=size: getattr(nn, f"AdaptiveMaxPool{n}d")(
                    s if s is not None else (None,) * n, return_indices=True
                ),
                SHAPES[n],
            )
    row(f"AdaptiveAvgPool{n}d one image", lambda nn, n=n: getattr(nn, f"AdaptiveAvgPool{n}d")(2), SHAPES[n][1:])
    places = np.arange(2 * 3**n, dtype=np.int64) * 2
    index = np.sort(np.random.default_rng(0).permutation(6**n)[: 3**n]).reshape(1, 1, *(3,) * n)
    row(f"MaxUnpool{n}d", lambda nn, n=n: getattr(nn, f"MaxUnpool{n}d")(2), (1, 1, *(3,) * n), index)
row("AvgPool2d divisor", lambda nn: nn.AvgPool2d(2, divisor_override=3), (2, 3, 4, 5))

for n in (1, 2, 3):
    one = {1: (2, 1), 2: (1, 2, 0, 3), 3: (1, 0, 2, 1, 0, 2)}[n]
    for kind in ("ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad"):
        row(f"{kind}{n}d", lambda nn, n=n, k=kind, p=one: getattr(nn, f"{k}{n}d")(p), SHAPES[n])
        row(f"{kind}{n}d(1)", lambda nn, n=n, k=kind: getattr(nn, f"{k}{n}d")(1), SHAPES[n][1:])
    row(f"ConstantPad{n}d", lambda nn, n=n, p=one: getattr(nn, f"ConstantPad{n}d")(p, 2.5), SHAPES[n])
row("ZeroPad2d negative", lambda nn: nn.ZeroPad2d((-1, 2, 1, -2)), (2, 3, 5, 6))

for mode, n in [
    ("nearest", 1),
    ("nearest", 2),
    ("nearest", 3),
    ("linear", 1),
    ("bilinear", 2),
    ("bicubic", 2),
    ("trilinear", 3),
    ("nearest-exact", 2),
]:
    for align in (None, True) if "nearest" not in mode else (None,):
        for size, scale in [(7, None), (3, None), (None, 2.0), (None, 1.7), (None, 0.6)]:
            row(
                f"Upsample({size}, {scale}, {mode}, {align}) {n}d",
                lambda nn, s=size, f=scale, m=mode, a=align: nn.Upsample(s, f, m, a),
                (2, 3, *(5, 4, 6)[:n]),
                values=(-1.0, 1.0),
                rtol=10.0,
            )
row("Upsample(area)", lambda nn: nn.Upsample((3, 7), None, "area"), (2, 3, 5, 6))
row("UpsamplingNearest2d", lambda nn: nn.UpsamplingNearest2d(scale_factor=2), (2, 3, 3, 4), shown=True)
row("UpsamplingBilinear2d", lambda nn: nn.UpsamplingBilinear2d(size=(5, 7)), (2, 3, 3, 4))
row("PixelShuffle", lambda nn: nn.PixelShuffle(2), (2, 8, 3, 4))
row("PixelUnshuffle", lambda nn: nn.PixelUnshuffle(2), (2, 3, 4, 6))
row("ChannelShuffle", lambda nn: nn.ChannelShuffle(3), (2, 6, 3, 4))

WRONG: dict[str, Any] = {
    "Conv2d channels": lambda lib, nn: nn.Conv2d(3, 4, 3)(lib.ones(1, 2, 5, 5)),
    "Conv2d too small": lambda lib, nn: nn.Conv2d(3, 4, 5)(lib.ones(1, 3, 4, 4)),
    "Conv2d axes": lambda lib, nn: nn.Conv2d(3, 4, 3)(lib.ones(3, 5)),
    "Conv2d groups": lambda lib, nn: nn.Conv2d(3, 4, 3, groups=2),
    "Conv2d no groups": lambda lib, nn: nn.Conv2d(3, 4, 3, groups=0),
    "Conv2d padding_mode": lambda lib, nn: nn.Conv2d(3, 4, 3, padding_mode="mirror"),
    "Conv2d padding word": lambda lib, nn: nn.Conv2d(3, 4, 3, padding="big"),
    "ConvTranspose2d channels": lambda lib, nn: nn.ConvTranspose2d(3, 4, 3)(lib.ones(1, 2, 5, 5)),
    "ConvTranspose2d output_padding": lambda lib, nn: nn.ConvTranspose2d(3, 4, 3, output_padding=2)(
        lib.ones(1, 3, 5, 5)
    ),
    "ConvTranspose2d padding_mode": lambda lib, nn: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect"),
    "ConvTranspose2d output_size": lambda lib, nn: nn.ConvTranspose2d(3, 4, 3, 2)(lib.ones(1, 3, 5, 5), (30, 30)),
    "MaxPool2d too small": lambda lib, nn: nn.MaxPool2d(5)(lib.ones(1, 1, 3, 3)),
    "MaxPool2d padding": lambda lib, nn: nn.MaxPool2d(2, padding=2)(lib.ones(1, 1, 4, 4)),
    "MaxPool2d axes": lambda lib, nn: nn.MaxPool2d(2)(lib.ones(4, 4)),
    "AvgPool2d divisor": lambda lib, nn: nn.AvgPool2d(2, divisor_override=0)(lib.ones(1, 1, 4, 4)),
    "ReflectionPad2d too wide": lambda lib, nn: nn.ReflectionPad2d(4)(lib.ones(1, 1, 4, 4)),
    "CircularPad2d too wide": lambda lib, nn: nn.CircularPad2d(5)(lib.ones(1, 1, 4, 4)),
    "Fold positions": lambda lib, nn: nn.Fold((4, 5), 2)(lib.ones(1, 12, 11)),
    "PixelShuffle channels": lambda lib, nn: nn.PixelShuffle(2)(lib.ones(1, 6, 3, 3)),
    "PixelUnshuffle size": lambda lib, nn: nn.PixelUnshuffle(2)(lib.ones(1, 6, 3, 3)),
    "Upsample axes": lambda lib, nn: nn.Upsample(4, mode="bilinear")(lib.ones(1, 2, 3)),
    "Upsample nothing": lambda lib, nn: nn.Upsample()(lib.ones(1, 2, 3)),
    "Upsample align": lambda lib, nn: nn.Upsample(4, align_corners=True)(lib.ones(1, 2, 3)),
    "AdaptiveAvgPool2d sizes": lambda lib, nn: nn.AdaptiveAvgPool2d((1, 2, 3))(lib.ones(1, 1, 4, 4)),
}
