"""Parts of maps under boxes, against a loop over their samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.vision import models, ops

RNG = np.random.default_rng(5)
X = RNG.standard_normal((2, 3, 6, 7))
BOXES = [[0.3, 1.0, 5.2, 4.0], [2.0, 2.0, 2.1, 2.0], [-4.0, -3.0, 9.0, 8.5]]


def sample(image: Any, y: float, x: float) -> Any:
    h, w = image.shape[1:]
    if y < -1 or y > h or x < -1 or x > w:
        return 0.0
    y, x = min(max(y, 0.0), h - 1.0), min(max(x, 0.0), w - 1.0)
    i, j = int(y), int(x)
    k, m = min(i + 1, h - 1), min(j + 1, w - 1)
    top = image[:, i, j] * (1 - x + j) + image[:, i, m] * (x - j)
    return top * (1 - y + i) + (image[:, k, j] * (1 - x + j) + image[:, k, m] * (x - j)) * (y - i)


def by_loop(image: Any, box: Any, size: Any, scale: float, ratio: int, aligned: bool) -> Any:
    x1, y1, x2, y2 = (v * scale - 0.5 * aligned for v in box)
    w, h = (v if aligned else max(v, 1.0) for v in (x2 - x1, y2 - y1))
    out = np.zeros((len(image), *size))
    n, m = (ratio if ratio > 0 else int(np.ceil(v / s)) for v, s in ((h, size[0]), (w, size[1])))
    for i in range(size[0]):
        for j in range(size[1]):
            for a in range(n):
                for b in range(m):
                    y, x = y1 + (i + (a + 0.5) / n) * h / size[0], x1 + (j + (b + 0.5) / m) * w / size[1]
                    out[:, i, j] += sample(image, y, x) / (n * m)
    return out


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [-1, 1, 2])
def test_samples(ratio: int, aligned: bool) -> None:
    given = [tl.tensor(BOXES[:1], dtype=tl.float64), tl.tensor(BOXES[1:], dtype=tl.float64)]
    joined = tl.tensor([[1.0, *BOXES[2]], [0.0, *BOXES[0]], [1.0, *BOXES[1]]], dtype=tl.float64)
    for size, scale in ((2, 1.0), ((3, 1), 0.5)):
        pair = (size, size) if isinstance(size, int) else size
        want = [by_loop(X[i], b, pair, scale, ratio, aligned) for i, b in zip((0, 1, 1), BOXES, strict=True)]
        layer = ops.RoIAlign(size, scale, ratio, aligned)
        np.testing.assert_allclose(layer(tl.tensor(X), given).numpy(), want)
        np.testing.assert_allclose(layer(tl.tensor(X), joined).numpy(), [want[2], want[0], want[1]])


def test_gradients_and_nothing() -> None:
    boxes = [tl.tensor(BOXES[:1]), tl.tensor(BOXES[1:])]
    x = tl.tensor(X[:, :1], requires_grad=True)
    assert tl.autograd.gradcheck(lambda x: ops.roi_align(x, boxes, 2, sampling_ratio=2), (x,))
    empty = ops.roi_align(x, [tl.zeros(0, 4), tl.zeros(0, 4)], (2, 3))
    assert empty.shape == (0, 1, 2, 3)
    for wrong in (tl.zeros(2, 4), [tl.zeros(2, 5)], tl.tensor([[7.0, 0.0, 0.0, 1.0, 1.0]])):
        with pytest.raises(ValueError, match="roi_align"):
            ops.roi_align(x, wrong, 2)


def test_the_map_is_chosen_by_the_size_of_the_box() -> None:
    maps = {
        name: tl.full((1, 1, size, size), float(i))
        for i, (name, size) in enumerate(zip("abc", (64, 32, 16), strict=True))
    }
    boxes = [tl.tensor([[0.0, 0.0, s, s]]) for s in (300.0, 40.0, 100.0, 150.0)]
    pool = ops.MultiScaleRoIAlign(["a", "b", "c"], 2, 2)
    y = pool({k: m.expand(4, 1, *m.shape[2:]) for k, m in maps.items()}, boxes, [(256, 256)] * 4)
    assert y[:, 0, 0, 0].tolist() == [2.0, 0.0, 0.0, 1.0]
    assert repr(pool) == "MultiScaleRoIAlign(featmap_names=['a', 'b', 'c'], output_size=(2, 2), sampling_ratio=2)"
    with pytest.raises(ValueError, match="must not be empty"):
        pool(maps, boxes, [])


def test_the_tail_of_mobilenet() -> None:
    tl.manual_seed(0)
    net = models.mobilenet_v3_small(num_classes=3, reduced_tail=True, dilated=True, width_mult=0.5).eval()
    assert net.features(tl.ones(1, 3, 64, 64)).shape[1:] == (144, 4, 4)
    assert net.classifier[0].out_features == 256
    assert models.get_weight("MobileNet_V3_Large_Weights.DEFAULT").url.endswith("mobilenet_v3_large-5c1a4163.pth")
