"""The classes: representations, defaults, errors, and what is random about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.vision import transforms as T

Image = pytest.importorskip("PIL.Image")
X = np.random.default_rng(0).random((3, 12, 10)).astype(np.float32)


def image() -> Any:
    return Image.fromarray((X * 255).astype(np.uint8).transpose(1, 2, 0))


REPRESENTATIONS = {
    "Resize(3)": "Resize(size=3, interpolation=bilinear, max_size=None, antialias=True)",
    "CenterCrop(3)": "CenterCrop(size=(3, 3))",
    "Pad((1, 2), fill=3, padding_mode='edge')": "Pad(padding=(1, 2), fill=3, padding_mode=edge)",
    "RandomCrop(3, padding=2)": "RandomCrop(size=(3, 3), padding=2)",
    "RandomResizedCrop(3)": "RandomResizedCrop(size=(3, 3), scale=(0.08, 1.0), ratio=(0.75, 1.3333), "
    "interpolation=bilinear, antialias=True)",
    "RandomHorizontalFlip()": "RandomHorizontalFlip(p=0.5)",
    "RandomVerticalFlip(0.3)": "RandomVerticalFlip(p=0.3)",
    "RandomRotation(30)": "RandomRotation(degrees=[-30.0, 30.0], interpolation=nearest, expand=False, fill=0)",
    "RandomAffine(10)": "RandomAffine(degrees=[-10.0, 10.0])",
    "RandomAffine((1, 2), (.1, .2), (.5, 2), 5, interpolation=2, fill=3)": "RandomAffine(degrees=[1.0, 2.0], "
    "translate=(0.1, 0.2), scale=(0.5, 2), shear=[-5.0, 5.0], interpolation=bilinear, fill=3)",
    "Grayscale()": "Grayscale(num_output_channels=1)",
    "RandomGrayscale()": "RandomGrayscale(p=0.1)",
    "ColorJitter(.1, .2, .3, .4)": "ColorJitter(brightness=(0.9, 1.1), contrast=(0.8, 1.2), saturation=(0.7, 1.3), "
    "hue=(-0.4, 0.4))",
    "RandomErasing()": "RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False)",
    "GaussianBlur(3)": "GaussianBlur(kernel_size=(3, 3), sigma=(0.1, 2.0))",
    "FiveCrop(3)": "FiveCrop(size=(3, 3))",
    "Lambda(abs)": "Lambda()",
    "ToTensor()": "ToTensor()",
    "ToPILImage()": "ToPILImage()",
    "ToPILImage('RGB')": "ToPILImage(mode=RGB)",
    "Normalize((.5,), (.5,))": "Normalize(mean=(0.5,), std=(0.5,))",
    "Compose([T.CenterCrop(3), T.ToTensor()])": "Compose(\n    CenterCrop(size=(3, 3))\n    ToTensor()\n)",
    "Compose([])": "Compose(\n)",
    "RandomApply([T.ToTensor()], p=.3)": "RandomApply(\n    p=0.3\n    ToTensor()\n)",
    "RandomOrder([T.ToTensor()])": "RandomOrder(\n    ToTensor()\n)",
    "RandomChoice([T.ToTensor()])": "RandomChoice(\n    ToTensor()\n)(p=None)",
    "RandomPerspective()": "RandomPerspective(p=0.5)",
    "RandomPosterize(2)": "RandomPosterize(bits=2,p=0.5)",
}


@pytest.mark.parametrize("text", REPRESENTATIONS)
def test_representation(text: str) -> None:
    assert repr(eval(f"T.{text}")) == REPRESENTATIONS[text]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [("Resize('ab3')", ValueError, "1 or 2 values"), ("Resize(3.5)", TypeError, "int or sequence"),
     ("CenterCrop((1, 2, 3))", ValueError, "two dimensions"), ("Pad((1, 2, 3))", ValueError, "1, 2, or 4"),
     ("Pad('a')", TypeError, "padding arg"), ("Pad(1, 'a')", TypeError, "fill arg"),
     ("Pad(1, padding_mode='x')", ValueError, "Padding mode"), ("Lambda(3)", TypeError, "callable, got 'int'"),
     ("RandomOrder(3)", TypeError, "sequence"), ("RandomChoice([abs], p=3)", TypeError, "p should be a sequence"),
     ("RandomChoice([abs], p=[1, 2])", ValueError, "as many weights"),
     ("RandomResizedCrop(3, scale=3)", TypeError, "Scale"), ("RandomRotation(-3)", ValueError, "must be positive"),
     ("RandomRotation((1, 2, 3))", ValueError, "length 2"), ("RandomAffine(3, (2, 2))", ValueError, "between 0 and 1"),
     ("RandomAffine(3, scale=(0, 1))", ValueError, "positive"),
     ("RandomAffine(3, shear=(1, 2, 3))", ValueError, "2 or 4"), ("RandomErasing(2)", ValueError, "between 0 and 1"),
     ("RandomErasing(value='x')", ValueError, "'random'"), ("RandomErasing(scale=(-1, 2))", ValueError, "Scale"),
     ("ColorJitter(-1)", ValueError, "non negative"), ("ColorJitter(hue=0.6)", ValueError, "hue values"),
     ("ColorJitter((1, 2, 3))", TypeError, "length 2"), ("GaussianBlur(4)", ValueError, "odd and positive"),
     ("GaussianBlur(3, -1)", ValueError, "must be positive"), ("GaussianBlur(3, (2, 1))", ValueError, "(min, max)")],
)  # fmt: skip
def test_errors_of_constructors(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        eval(f"T.{text}")
    assert message in str(raised.value)


RANDOM = {
    "RandomCrop": T.RandomCrop(5), "RandomResizedCrop": T.RandomResizedCrop(5),
    "RandomHorizontalFlip": T.RandomHorizontalFlip(), "RandomVerticalFlip": T.RandomVerticalFlip(),
    "RandomRotation": T.RandomRotation(90), "RandomAffine": T.RandomAffine(30, (0.2, 0.2), (0.5, 2), 10),
    "RandomPerspective": T.RandomPerspective(p=0.8), "ColorJitter": T.ColorJitter(0.5, 0.5, 0.5, 0.2),
    "RandomGrayscale": T.RandomGrayscale(0.5), "GaussianBlur": T.GaussianBlur(3),
    "RandomApply": T.RandomApply([T.CenterCrop(12), T.Pad(1)]), "RandomOrder": T.RandomOrder([T.Pad(1), T.Resize(6)]),
    "RandomChoice": T.RandomChoice([T.CenterCrop(3), T.CenterCrop(4)]), "RandomInvert": T.RandomInvert(),
    "RandomAdjustSharpness": T.RandomAdjustSharpness(3), "RandomAutocontrast": T.RandomAutocontrast(),
}  # fmt: skip


def drawn(transform: Any, x: Any, n: int = 12) -> list[Any]:
    tl.manual_seed(3)
    return [np.asarray(transform(x)) if not isinstance(x, tl.Tensor) else transform(x).numpy() for _ in range(n)]


@pytest.mark.parametrize("kind", ["tensor", "image"])
@pytest.mark.parametrize("name", RANDOM)
def test_random_transforms_repeat_under_one_seed(name: str, kind: str) -> None:
    x = tl.tensor(X) if kind == "tensor" else image()
    first, second = drawn(RANDOM[name], x), drawn(RANDOM[name], x)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert any(a.shape != first[0].shape or not np.array_equal(a, first[0]) for a in first), "never changes anything"


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_probability(p: float) -> None:
    tl.manual_seed(0)
    x, flip = tl.tensor([[[0.0, 1.0]]]), T.RandomHorizontalFlip(p)
    share = sum(float(flip(x)[0, 0, 0]) for _ in range(1000)) / 1000
    assert abs(share - p) < 0.05 and (share == p or 0 < p < 1)


def test_random_choice_uses_its_weights() -> None:
    tl.manual_seed(0)
    choose = T.RandomChoice([lambda x: 0, lambda x: 1, lambda x: 2], p=[1, 0, 3])
    seen = np.bincount([choose(None) for _ in range(2000)], minlength=3) / 2000
    np.testing.assert_allclose(seen, [0.25, 0.0, 0.75], atol=0.04)


def test_random_crop() -> None:
    tl.manual_seed(0)
    x = tl.tensor(X)
    places = {(i, j) for i, j, _, _ in (T.RandomCrop.get_params(x, (10, 8)) for _ in range(200))}
    assert places == {(i, j) for i in range(3) for j in range(3)}
    padded = T.RandomCrop(14, padding=2, fill=9)(x)
    assert padded.shape == (3, 14, 14)
    assert T.RandomCrop(20, pad_if_needed=True)(image()).size == (20, 20)
    with pytest.raises(ValueError, match=r"Required crop size \(13, 13\) is larger than input image size \(12, 10\)"):
        T.RandomCrop(13)(x)


def test_random_resized_crop_stays_in_its_ranges() -> None:
    tl.manual_seed(0)
    x = tl.zeros(3, 100, 100)
    for _ in range(200):
        i, j, h, w = T.RandomResizedCrop.get_params(x, (0.25, 0.5), (0.5, 2.0))
        assert 0.23 < h * w / 10000 < 0.52 and 0.48 < w / h < 2.1
        assert 0 <= i <= 100 - h and 0 <= j <= 100 - w
    assert T.RandomResizedCrop.get_params(tl.zeros(1, 2, 100), (1.0, 1.0), (1.0, 1.0)) == (0, 49, 2, 2)


def test_rotation_and_affine_draw_in_their_ranges() -> None:
    tl.manual_seed(0)
    for _ in range(100):
        assert 10 <= T.RandomRotation.get_params([10, 20]) < 20
        angle, move, scale, shear = T.RandomAffine.get_params([-5, 5], (0.1, 0.2), (2, 3), [1, 2, 3, 4], [50, 20])
        assert -5 <= angle < 5 and abs(move[0]) <= 5 and abs(move[1]) <= 4
        assert 2 <= scale < 3 and 1 <= shear[0] < 2 and 3 <= shear[1] < 4


def test_affine_moves_both_ways_and_jitter_changes_its_order() -> None:
    tl.manual_seed(0)
    moves = [T.RandomAffine.get_params([0, 0], (0.1, 0.2), None, None, [50, 20])[1] for _ in range(200)]
    assert {x for x, _ in moves} == set(range(-5, 6)) and {y for _, y in moves} == set(range(-4, 5))
    assert len({tuple(T.ColorJitter.get_params(None, None, None, None)[0]) for _ in range(300)}) == 24


def test_perspective_moves_corners_inwards() -> None:
    tl.manual_seed(0)
    for _ in range(50):
        start, end = T.RandomPerspective.get_params(20, 10, 0.5)
        assert start == [[0, 0], [19, 0], [19, 9], [0, 9]]
        assert all(0 <= (x if not u else 19 - x) <= 5 and 0 <= (y if not v else 9 - y) <= 2
                   for (u, v), (x, y) in zip(start, end, strict=True))  # fmt: skip


def test_random_erasing() -> None:
    tl.manual_seed(0)
    x = tl.ones(3, 20, 20)
    for _ in range(20):
        y = T.RandomErasing(p=1.0, scale=(0.1, 0.2), value=(2.0, 3.0, 4.0))(x).numpy()
        changed = y[0] != 1
        assert 0.07 <= changed.mean() <= 0.23
        assert set(y[1][changed]) == {3.0} and set(y[2][changed]) == {4.0}
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        assert len(rows) * len(columns) == changed.sum(), "not a rectangle"
    assert float(x.min()) == float(x.max()) == 1.0
    assert T.RandomErasing(p=0.0)(x) is x
    assert T.RandomErasing(p=1.0, inplace=True)(x) is x
    assert len(np.unique(T.RandomErasing(p=1.0, value="random")(tl.ones(1, 20, 20)).numpy())) > 5
    with pytest.raises(ValueError, match="single value or 3"):
        T.RandomErasing(p=1.0, value=(1.0, 2.0))(tl.ones(3, 20, 20))


def test_a_training_pipeline() -> None:
    train = T.Compose([T.RandomCrop(12, padding=4), T.RandomHorizontalFlip(), T.ToTensor(),
                       T.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))])  # fmt: skip
    assert train(image().resize((12, 12))).shape == (3, 12, 12)
    assert tl.nn.Sequential(T.CenterCrop(6), T.Grayscale())(tl.tensor(X)).shape == (1, 6, 6)


def test_second_version() -> None:
    make = T.v2.Compose([T.v2.ToImage(), T.v2.ToDtype(tl.float32, scale=True), T.v2.Resize((6, 5))])
    assert make(image()).shape == (3, 6, 5) and make(image()).dtype == tl.float32
    assert T.v2.RGB()(image().convert("L")).mode == "RGB"


AUTOMATIC = [
    *(lambda p=p: T.AutoAugment(p, fill=3) for p in T.AutoAugmentPolicy), lambda: T.RandAugment(3, 12),
    T.TrivialAugmentWide, T.AugMix, lambda: T.AugMix(all_ops=False, chain_depth=2, fill=[1, 2, 3]),
]  # fmt: skip


@pytest.mark.parametrize("make", AUTOMATIC)
def test_automatic_augmentation(make: Any) -> None:
    aug, picture = make(), image()
    tl.manual_seed(0)
    first = [np.asarray(aug(picture)) for _ in range(30)]
    assert all(a.shape == (*picture.size[::-1], 3) and a.dtype == np.uint8 for a in first)
    assert sum(not np.array_equal(a, np.asarray(picture)) for a in first) > 10
    tl.manual_seed(0)
    assert all(np.array_equal(a, np.asarray(aug(picture))) for a in first)
    x = T.functional.pil_to_tensor(picture)
    assert all(y.shape == x.shape and y.dtype == x.dtype for y in (aug(x) for _ in range(10)))


def test_arguments_of_automatic_augmentation() -> None:
    for wrong in (lambda: T.AutoAugment("imagenet"), lambda: T.AugMix(severity=11),
                  lambda: T.RandAugment(magnitude=31)(image()), lambda: T.AugMix()([1])):  # fmt: skip
        with pytest.raises((ValueError, TypeError)):
            wrong()
    assert repr(T.AutoAugment()) == "AutoAugment(policy=AutoAugmentPolicy.IMAGENET, fill=None)"


def test_an_absent_feature_is_an_error() -> None:
    with pytest.raises(AttributeError, match="ElasticTransform"):
        T.ElasticTransform  # noqa: B018
    assert not hasattr(T, "__wrapped__")
