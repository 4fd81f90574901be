"""Functions of images: against Pillow and NumPy, on tensors and on Pillow images, and their errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.vision.transforms import functional as F

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (11, 14, 3), dtype=np.uint8)


def picture(mode: str = "RGB") -> Any:
    return Image.fromarray(RGB).convert(mode)


def planes(image: Any) -> Any:
    array = np.asarray(image)
    return (array[:, :, None] if array.ndim == 2 else array).transpose(2, 0, 1)


def floats() -> tl.Tensor:
    return tl.tensor(RGB.transpose(2, 0, 1).astype(np.float32) / 255)


def whole() -> tl.Tensor:
    return tl.tensor(RGB.transpose(2, 0, 1).copy())


# ------------------------------------------------------------------------------------------------ conversion
def test_to_tensor_scales_bytes_only() -> None:
    x = F.to_tensor(picture())
    assert x.shape == (3, 11, 14) and x.dtype == tl.float32
    np.testing.assert_array_equal(x.numpy(), (RGB.transpose(2, 0, 1).astype(np.float32) / np.float32(255)))
    np.testing.assert_array_equal(F.to_tensor(np.full((2, 3), 7.5)).numpy(), np.full((1, 2, 3), 7.5))
    assert F.to_tensor(picture("1")).max().item() == 1.0


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "CMYK", "I", "F"])
def test_pillow_to_tensor_and_back(mode: str) -> None:
    image = picture(mode)
    x = F.pil_to_tensor(image)
    np.testing.assert_array_equal(x.numpy(), planes(image))
    back = F.to_pil_image(x, mode=mode)
    assert back.mode == mode and back.tobytes() == image.tobytes()


def test_floats_to_pillow_are_cut() -> None:
    image = F.to_pil_image(tl.tensor([[[0.0, 0.5, 1.0]]]))
    assert image.mode == "L" and list(np.asarray(image)[0]) == [0, 127, 255]


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [("uint8", "float32", 255, 1.0), ("float32", "uint8", 1.0, 255), ("float32", "uint8", 0.5, 127),
     ("float32", "uint8", 0.999, 255),
     ("uint8", "int16", 255, 255 * 128), ("int16", "uint8", 32767, 255), ("float64", "float32", 0.25, 0.25)],
)  # fmt: skip
def test_convert_image_dtype(source: str, target: str, value: float, expected: float) -> None:
    y = F.convert_image_dtype(tl.tensor([value], dtype=getattr(tl, source)), getattr(tl, target))
    assert y.dtype == getattr(tl, target) and y.item() == expected


def test_conversion_errors() -> None:
    with pytest.raises(TypeError, match="pic should be PIL Image or ndarray"):
        F.to_tensor([1, 2])
    with pytest.raises(ValueError, match="2/3 dimensional. Got 1"):
        F.to_tensor(np.zeros(3))
    with pytest.raises(ValueError, match="> 4 channels. Got 5"):
        F.to_pil_image(tl.zeros(5, 2, 2))
    with pytest.raises(ValueError, match="Incorrect mode"):
        F.to_pil_image(tl.zeros(1, 2, 2), mode="RGB")
    with pytest.raises(RuntimeError, match="cannot be performed safely"):
        F.convert_image_dtype(tl.zeros(1), tl.int32)
    with pytest.raises(TypeError, match="PIL Image or Tensor"):
        F.hflip(np.zeros((3, 3)))


# ------------------------------------------------------------------------------------------------ normalize
def test_normalize() -> None:
    x = floats()
    y = F.normalize(x, (0.1, 0.2, 0.3), (1.0, 2.0, 4.0))
    want = (x.numpy() - np.array([0.1, 0.2, 0.3])[:, None, None]) / np.array([1.0, 2.0, 4.0])[:, None, None]
    np.testing.assert_allclose(y.numpy(), want, rtol=1e-6, atol=1e-7)
    assert F.normalize(x, [0.0], [2.0], inplace=True) is x


def test_normalize_errors() -> None:
    with pytest.raises(TypeError, match="float tensor"):
        F.normalize(whole(), [0.5], [0.5])
    with pytest.raises(ValueError, match="std evaluated to zero"):
        F.normalize(floats(), [0.5], [0.0])
    with pytest.raises(RuntimeError, match="3 values of mean"):
        F.normalize(tl.zeros(1, 2, 2), [0.1, 0.2, 0.3], [1.0])
    with pytest.raises(ValueError, match=r"\(\.\.\., C, H, W\)"):
        F.normalize(tl.zeros(2, 2), [0.5], [0.5])


def test_gradients_flow() -> None:
    x = tl.rand(3, 8, 8, requires_grad=True)
    y = F.gaussian_blur(F.resize(F.pad(F.normalize(F.hflip(x), [0.5], [0.5]), 1, padding_mode="reflect"), 5), 3)
    y.sum().backward()
    assert x.grad is not None and float(x.grad.abs().min()) > 0


# ------------------------------------------------------------------------------------------------ geometry
@pytest.mark.parametrize("size", [5, (5, 20), (20, 30), [7]])
@pytest.mark.parametrize("number", [2, 3])
def test_resize_of_tensors_is_pillows(size: Any, number: int) -> None:
    image = F.resize(picture(), size, number)
    tensor = F.resize(whole(), size, number)
    assert tensor.dtype == tl.uint8 and tensor.shape == planes(image).shape
    apart = np.abs(tensor.numpy().astype(int) - planes(image).astype(int))
    assert np.median(apart) == 0 and (apart <= 1).mean() > 0.97
    assert number == 3 or apart.max() <= 1  # Pillow cuts bicubic values to 0..255 after each axis


def test_resize_of_pillow_images() -> None:
    assert F.resize(picture(), (5, 6)).tobytes() == picture().resize((6, 5), Image.Resampling.BILINEAR).tobytes()
    assert F.resize(picture(), 22, max_size=24).size == (24, 18)
    with pytest.warns(UserWarning, match="Argument antialias is ignored"):
        F.resize(picture(), 5, antialias=False)


def test_resize_without_antialias_reads_single_pixels() -> None:
    x = tl.tensor([[[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]])
    np.testing.assert_allclose(F.resize(x, (1, 2), antialias=False).numpy(), [[[1.0, 4.0]]])
    np.testing.assert_allclose(F.resize(x, (1, 3), antialias=True).numpy(), [[[5 / 7, 2.5, 30 / 7]]], rtol=1e-5)


def test_resize_errors() -> None:
    with pytest.raises(ValueError, match="1 or 2 element"):
        F.resize(floats(), (1, 2, 3))
    with pytest.raises(ValueError, match="strictly greater"):
        F.resize(floats(), 8, max_size=7)
    with pytest.raises(ValueError, match="max_size should only be passed"):
        F.resize(floats(), (3, 4), max_size=7)
    with pytest.raises(TypeError, match="InterpolationMode"):
        F.resize(floats(), 3, "bilinear")
    with pytest.raises(NotImplementedError, match="lanczos"):
        F.resize(floats(), 3, F.InterpolationMode.LANCZOS)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
@pytest.mark.parametrize("padding", [2, (1, 2), (1, 2, 3, 4)])
def test_pad(mode: str, padding: Any) -> None:
    left, top, right, bottom = padding if isinstance(padding, tuple) and len(padding) == 4 else (
        (padding * 2) if isinstance(padding, tuple) else [padding] * 4
    )  # fmt: skip
    want = np.pad(RGB.transpose(2, 0, 1), ((0, 0), (top, bottom), (left, right)), mode=mode)  # type: ignore[call-overload]
    np.testing.assert_array_equal(F.pad(whole(), padding, padding_mode=mode).numpy(), want)
    np.testing.assert_array_equal(planes(F.pad(picture(), padding, padding_mode=mode)), want)


@pytest.mark.parametrize("place", [(2, 3, 4, 5), (-2, -3, 6, 7), (8, 9, 10, 10), (20, 20, 2, 2), (-9, -9, 3, 3)])
def test_crop_pads_with_zero(place: tuple[int, int, int, int]) -> None:
    top, left, h, w = place
    wide = np.pad(RGB.transpose(2, 0, 1), ((0, 0), (30, 30), (30, 30)))
    want = wide[:, 30 + top : 30 + top + h, 30 + left : 30 + left + w]
    np.testing.assert_array_equal(F.crop(whole(), *place).numpy(), want)
    np.testing.assert_array_equal(planes(F.crop(picture(), *place)), want)


@pytest.mark.parametrize(
    ("size", "top", "left"),
    [(4, 4, 5), ((5, 6), 3, 4), ((20, 5), -4, 4), ((21, 31), -5, -8), ([11], 0, 2)],
)
def test_center_crop(size: Any, top: int, left: int) -> None:
    """Half pixels are rounded to even, as Python does; missing pixels are added less at the top and left."""
    h, w = size if isinstance(size, tuple) else (size if isinstance(size, int) else size[0],) * 2
    want = np.pad(RGB.transpose(2, 0, 1), ((0, 0), (30, 30), (30, 30)))[:, 30 + top :, 30 + left :][:, :h, :w]
    np.testing.assert_array_equal(F.center_crop(whole(), size).numpy(), want)
    np.testing.assert_array_equal(planes(F.center_crop(picture(), size)), want)


def test_flips_and_five_crops() -> None:
    x = whole()
    np.testing.assert_array_equal(F.hflip(x).numpy(), x.numpy()[:, :, ::-1])
    np.testing.assert_array_equal(F.vflip(x).numpy(), x.numpy()[:, ::-1])
    np.testing.assert_array_equal(planes(F.hflip(picture())), x.numpy()[:, :, ::-1])
    np.testing.assert_array_equal(planes(F.vflip(picture())), x.numpy()[:, ::-1])
    crops = F.ten_crop(x, (3, 4))
    np.testing.assert_array_equal(crops[1].numpy(), x.numpy()[:, :3, -4:])
    np.testing.assert_array_equal(crops[2].numpy(), x.numpy()[:, -3:, :4])
    np.testing.assert_array_equal(crops[5].numpy(), x.numpy()[:, :3, ::-1][:, :, :4])
    with pytest.raises(ValueError, match="bigger than input size"):
        F.five_crop(x, 12)


@pytest.mark.parametrize(("angle", "turns"), [(0, 0), (90, 1), (180, 2), (270, 3)])
def test_rotation_by_right_angles(angle: int, turns: int) -> None:
    even = RGB[:10]  # the middle of the image is then the middle of a pixel on both axes or on none
    want = np.rot90(even.transpose(2, 0, 1), turns, axes=(1, 2))
    np.testing.assert_array_equal(F.rotate(F.to_tensor(even), angle, expand=True).numpy() * 255, want)
    np.testing.assert_array_equal(planes(F.rotate(Image.fromarray(even), angle, expand=True)), want)


@pytest.mark.parametrize("change", [
    lambda x: F.rotate(x, 33, 2, fill=100),
    lambda x: F.rotate(x, 33, 2, center=(2, 3)),
    lambda x: F.affine(x, 20, (2, -1), 1.3, (10, 5), 2, fill=100),
    lambda x: F.affine(x, 20, (2, -1), 0.7, 7, 2, center=(0, 0)),
    lambda x: F.perspective(x, [[0, 0], [13, 0], [13, 10], [0, 10]], [[2, 1], [12, 2], [11, 9], [1, 8]]),
])  # fmt: skip
def test_maps_of_tensors_are_pillows_inside(change: Any) -> None:
    """Away from the border, where Pillow does not blend with the fill, both read the same pixels."""
    image, tensor = planes(change(picture())).astype(int), change(whole()).numpy().astype(int)
    near = np.abs(image - tensor) <= 2
    assert near.mean() > 0.6 and near[:, 4:7, 6:8].all()


def test_fill_of_a_rotation() -> None:
    x = F.rotate(tl.ones(3, 9, 9), 45, fill=[0.1, 0.2, 0.3]).numpy()
    np.testing.assert_allclose(x[:, 0, 0], [0.1, 0.2, 0.3], rtol=1e-6)
    assert F.rotate(picture(), 45, fill=(1, 2, 3)).getpixel((0, 0)) == (1, 2, 3)
    with pytest.raises(ValueError, match="'fill'"):
        F.rotate(tl.ones(3, 9, 9), 45, fill=[0.1, 0.2])


def test_affine_errors() -> None:
    with pytest.raises(ValueError, match="scale should be positive"):
        F.affine(floats(), 0, (0, 0), 0.0, 0)
    with pytest.raises(ValueError, match="length 2"):
        F.affine(floats(), 0, (0,), 1.0, 0)
    with pytest.raises(TypeError, match="translate should be a sequence"):
        F.affine(floats(), 0, 1, 1.0, 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="exactly four corners"):
        F.perspective(floats(), [[0, 0]], [[0, 0]])


# ------------------------------------------------------------------------------------------------ values
@pytest.mark.parametrize("change", [
    lambda x: F.adjust_brightness(x, 1.5), lambda x: F.adjust_contrast(x, 0.5), lambda x: F.adjust_saturation(x, 1.6),
    lambda x: F.adjust_sharpness(x, 1.8), lambda x: F.adjust_gamma(x, 0.7), lambda x: F.rgb_to_grayscale(x),
    lambda x: F.rgb_to_grayscale(x, 3), F.invert, lambda x: F.posterize(x, 3), lambda x: F.solarize(x, 100),
    F.autocontrast, F.equalize,
])  # fmt: skip
def test_values_of_tensors_are_pillows(change: Any) -> None:
    """Pillow and the formulas on floats round in different places."""
    apart = np.abs(planes(change(picture())).astype(int) - change(whole()).numpy().astype(int))
    assert apart.max() <= 2


@pytest.mark.parametrize("factor", [-0.5, -0.2, 0.0, 0.1, 0.5])
def test_hue(factor: float) -> None:
    """A turn of the hue keeps the largest and the smallest channel; a third of the circle rotates the channels."""
    x = floats()
    y = F.adjust_hue(x, factor)
    np.testing.assert_allclose(y.numpy().max(0), x.numpy().max(0), atol=1e-5)
    np.testing.assert_allclose(y.numpy().min(0), x.numpy().min(0), atol=1e-5)
    np.testing.assert_allclose(F.adjust_hue(x, 1 / 3).numpy(), np.roll(x.numpy(), 1, axis=0), atol=1e-5)
    with pytest.raises(ValueError, match="not in"):
        F.adjust_hue(x, 0.6)


def test_hue_of_pillow_images() -> None:
    """Pillow keeps hue in a byte, so that a third of the circle is off by a few levels."""
    turned = planes(F.adjust_hue(picture(), 1 / 3)).astype(int)
    assert np.median(np.abs(turned - np.roll(RGB.transpose(2, 0, 1), 1, axis=0))) <= 3
    assert F.adjust_hue(picture("L"), 0.3).tobytes() == picture("L").tobytes()


def test_grey_of_tensors() -> None:
    x = floats()
    want = (np.array([0.2989, 0.587, 0.114])[:, None, None] * x.numpy()).sum(0, keepdims=True)
    np.testing.assert_allclose(F.rgb_to_grayscale(x).numpy(), want, rtol=1e-5)
    with pytest.raises(TypeError, match="permitted channel values"):
        F.rgb_to_grayscale(tl.zeros(2, 3, 3))
    with pytest.raises(ValueError, match="1 or 3"):
        F.rgb_to_grayscale(x, 2)


def test_gaussian_blur() -> None:
    x = tl.zeros(1, 5, 7)
    x[0, 2, 3] = 1.0
    bell = np.exp(-0.5 * (np.arange(-1, 2) / 0.8) ** 2)
    bell /= bell.sum()
    y = F.gaussian_blur(x, 3, 0.8).numpy()[0]
    np.testing.assert_allclose(y[1:4, 2:5], np.outer(bell, bell), rtol=1e-5)
    np.testing.assert_allclose(y.sum(), 1.0, rtol=1e-5)
    blurred = F.gaussian_blur(whole(), (3, 5)).numpy()
    np.testing.assert_array_equal(planes(F.gaussian_blur(picture(), (3, 5))), blurred)
    with pytest.raises(ValueError, match="odd and positive"):
        F.gaussian_blur(x, 4)


def test_erase() -> None:
    x = floats()
    y = F.erase(x, 1, 2, 3, 4, tl.tensor(0.0))
    assert (y.numpy()[:, 1:4, 2:6] == 0).all() and float(x[:, 1:4, 2:6].min()) >= 0 and y is not x
    assert (y != x).sum() <= 36
    assert F.erase(x, 1, 2, 3, 4, tl.tensor(0.0), inplace=True) is x
    with pytest.raises(TypeError, match="should be Tensor"):
        F.erase(picture(), 1, 2, 3, 4, tl.tensor(0.0))
