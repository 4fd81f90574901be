"""Every function, representation and signature beside torchvision's, where it is installed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.vision import transforms as ours, utils
from tinygrad_lite.vision.transforms import autoaugment as augmentation

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision", exc_type=ImportError)
Image = pytest.importorskip("PIL.Image")
theirs = torchvision.transforms

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (3, 11, 14), dtype=np.uint8)
FLOATS = RNG.random((3, 11, 14)).astype(np.float32)
CORNERS = [[0, 0], [13, 0], [13, 10], [0, 10]]
MOVED = [[2, 1], [12, 2], [11, 9], [1, 8]]

CALLS: list[tuple[Any, ...]] = [
    *(("resize", size, mode) for size in (5, (5, 20), (20, 30), [7]) for mode in (0, 2, 3)),
    ("resize", 8, 2, 9), ("resize", 8, 2, None, False), ("resize", (4, 5), 3, None, False),
    *(("pad", p, 0, mode) for p in (2, (1, 2), (1, 2, 3, 4), [3], -1)
      for mode in ("constant", "edge", "reflect", "symmetric")),
    ("pad", 1, 7), ("crop", 2, 3, 4, 5), ("crop", -2, -3, 6, 7), ("crop", 8, 9, 10, 10), ("crop", 20, 20, 3, 3),
    *(("center_crop", size) for size in (4, (5, 6), (20, 5), (21, 31), [3])),
    ("hflip",), ("vflip",), ("resized_crop", 1, 2, 5, 6, (4, 4)),
    *(("rotate", angle, mode, expand) for angle in (0, 30, 90, -45, 180) for mode in (0, 2)
      for expand in (False, True)),
    ("rotate", 33, 2, False, (2, 3), 0.5), ("rotate", 33, 0, False, None, (1, 2, 3)),
    *(("affine", 20, (2, -1), 1.3, (10, 5), mode, 1) for mode in (0, 2)),
    ("affine", 20, (2, -1), 0.7, 7, 2, None, (0, 0)),
    ("perspective", CORNERS, MOVED), ("perspective", CORNERS, MOVED, 0, 1),
    *((f"adjust_{name}", factor) for name in ("brightness", "contrast", "saturation", "sharpness")
      for factor in (0, 0.5, 1.7)),
    ("adjust_gamma", 0.6), ("adjust_gamma", 2.2, 0.8), *(("adjust_hue", f) for f in (-0.5, -0.2, 0, 0.1, 0.5)),
    ("rgb_to_grayscale",), ("rgb_to_grayscale", 3), ("invert",), ("autocontrast",), ("solarize", 0.5),
    ("gaussian_blur", 3), ("gaussian_blur", 5, 1.0), ("gaussian_blur", (3, 5), (0.5, 1.5)),
]  # fmt: skip


def compare(mine: Any, real: Any, tolerance: float) -> None:
    if isinstance(real, Image.Image):
        assert (mine.mode, mine.size) == (real.mode, real.size)
        mine, real = np.asarray(mine), np.asarray(real)
    else:
        assert str(mine.dtype) == str(real.dtype)
        mine, real = mine.numpy(), real.numpy()
    np.testing.assert_allclose(mine.astype(float), real.astype(float), atol=tolerance)


@pytest.mark.filterwarnings("ignore:Anti-alias option")
@pytest.mark.parametrize("kind", ["image", "bytes", "floats", "batch"])
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_function(call: tuple[Any, ...], kind: str) -> None:
    name, *arguments = call
    mine, real = getattr(ours.functional, name), getattr(theirs.functional, name)
    if kind == "image":
        x = Image.fromarray(BYTES.transpose(1, 2, 0))
        compare(mine(x, *arguments), real(x, *arguments), 0)
        return
    x = {"bytes": BYTES, "floats": FLOATS, "batch": np.stack([FLOATS, FLOATS[::-1]])}[kind]
    # A value halfway between two bytes may be rounded either way.
    compare(mine(tl.tensor(x), *arguments), real(torch.tensor(x), *arguments), 1 if kind == "bytes" else 2e-4)


@pytest.mark.parametrize("call", [("posterize", 3), ("equalize",), ("solarize", 128)], ids=str)
def test_function_of_bytes(call: tuple[Any, ...]) -> None:
    name, *arguments = call
    for x in (BYTES, BYTES // 8, np.zeros_like(BYTES)):
        mine = getattr(ours.functional, name)(tl.tensor(x), *arguments)
        compare(mine, getattr(theirs.functional, name)(torch.tensor(x), *arguments), 0)


NAMES = [name for name in theirs.transforms.__all__ if name not in ("ElasticTransform", "InterpolationMode")]


@pytest.mark.parametrize("name", NAMES)
def test_class_has_the_same_arguments(name: str) -> None:
    mine, real = getattr(ours, name), getattr(theirs, name)
    assert issubclass(mine, tl.nn.Module) == issubclass(real, torch.nn.Module)
    if "__init__" in vars(real) and len(inspect.signature(real).parameters):
        mine_, real_ = ([(p.name, str(p.default)) for p in inspect.signature(c).parameters.values()]
                        for c in (mine, real))  # fmt: skip
        assert mine_ == real_


SPACES = [
    (10, (0.3, (150 / 331 * 14, 150 / 331 * 11), 30.0, 0.9, (8, 4), "AutoContrast Equalize Invert"), "AutoAugment"),
    (31, (0.3, (150 / 331 * 14, 150 / 331 * 11), 30.0, 0.9, (8, 4), "AutoContrast Equalize Identity"), "RandAugment"),
    (31, (0.99, (32.0, 32.0), 135.0, 0.99, (8, 6), "AutoContrast Equalize Identity"), "TrivialAugmentWide"),
    (10, (0.3, (14 / 3, 11 / 3), 30.0, 0.9, (4, 4), "AutoContrast Equalize"), "AugMix"),
]  # fmt: skip


@pytest.mark.parametrize("bins, words, name", SPACES, ids=lambda v: v if isinstance(v, str) else "")
def test_automatic_augmentation(bins: int, words: Any, name: str) -> None:
    autoaugment = pytest.importorskip("torchvision.transforms.autoaugment")
    real = getattr(theirs, name)()._augmentation_space(bins, *([] if name == "TrivialAugmentWide" else [(11, 14)]))
    mine = augmentation.space(bins, *words)
    assert mine.keys() == real.keys()
    picture, mode = Image.fromarray(BYTES.transpose(1, 2, 0)), ours.InterpolationMode.NEAREST
    images = (tl.tensor(BYTES), torch.tensor(BYTES)) if name == "AugMix" else (picture, picture)
    for key, (strengths, signed) in mine.items():
        values = real[key][0].numpy()
        assert signed == real[key][1]
        np.testing.assert_allclose([0] if strengths is None else strengths, np.atleast_1d(values), rtol=1e-6)
        for strength in (0.0,) if strengths is None else (float(strengths[1]), float(strengths[-1])):
            for sign in (1, -1) if signed else (1,):
                a = augmentation.apply(images[0], key, sign * strength, mode, None)
                b = autoaugment._apply_op(images[1], key, sign * strength, theirs.InterpolationMode.NEAREST, None)
                compare(a, b, int(name == "AugMix"))


def test_learned_policies() -> None:
    for policy in theirs.AutoAugmentPolicy:
        real = theirs.AutoAugment(policy).policies
        mine = ours.AutoAugment(ours.AutoAugmentPolicy(policy.value)).policies
        assert [[w for name, p, m in pair for w in (name, str(round(p * 10)), "-" if m is None else str(m))]
                for pair in real] == mine  # fmt: skip


@pytest.mark.parametrize("name", ours.functional.__all__)
def test_function_has_the_same_arguments(name: str) -> None:
    if name == "InterpolationMode":
        return
    mine, real = ([(p.name, str(p.default)) for p in inspect.signature(getattr(f, name)).parameters.values()]
                  for f in (ours.functional, theirs.functional))  # fmt: skip
    assert mine == real


@pytest.mark.parametrize("options", [{}, {"nrow": 3}, {"padding": 0}, {"normalize": True}, {"pad_value": 0.5},
                                     {"normalize": True, "scale_each": True}], ids=str)  # fmt: skip
@pytest.mark.parametrize("shape", [(5, 1, 3, 4), (5, 3, 3, 4), (1, 3, 4, 4), (3, 4, 4), (1, 4, 4), (4, 4)], ids=str)
def test_make_grid(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    x = RNG.random(shape).astype(np.float32)
    compare(utils.make_grid(tl.tensor(x), **options), torchvision.utils.make_grid(torch.tensor(x), **options), 1e-6)
