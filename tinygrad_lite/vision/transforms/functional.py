"""Functions of images: Pillow images or tensors ``(..., C, H, W)``; the transforms apply them at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ArgumentError, OptionError, ShapeError
from tinygrad_lite.vision.images import is_image, pixels
from tinygrad_lite.vision.transforms import on_images, on_tensors
from tinygrad_lite.vision.transforms.adjustments import (
    adjust_brightness as adjust_brightness,
    adjust_contrast as adjust_contrast,
    adjust_gamma as adjust_gamma,
    adjust_hue as adjust_hue,
    adjust_saturation as adjust_saturation,
    adjust_sharpness as adjust_sharpness,
    autocontrast as autocontrast,
    equalize as equalize,
    invert as invert,
    posterize as posterize,
    rgb_to_grayscale as rgb_to_grayscale,
    solarize as solarize,
    to_grayscale as to_grayscale,
)
from tinygrad_lite.vision.transforms.interpolation import InterpolationMode as InterpolationMode, mode_of
from tinygrad_lite.vision.transforms.kinds import kernels
from tinygrad_lite.vision.transforms.planes import inverse_affine, perspective_coefficients

__all__ = [
    "InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation",
    "adjust_sharpness", "affine", "autocontrast", "center_crop", "convert_image_dtype", "crop", "equalize", "erase",
    "five_crop", "gaussian_blur", "get_dimensions", "get_image_num_channels", "get_image_size", "hflip", "invert",
    "normalize", "pad", "perspective", "pil_to_tensor", "posterize", "resize", "resized_crop", "rgb_to_grayscale",
    "rotate", "solarize", "ten_crop", "to_grayscale", "to_pil_image", "to_tensor", "vflip",
]  # fmt: skip

Fill = float | Sequence[float] | None


def get_dimensions(img: Any) -> list[int]:
    """Return ``[channels, height, width]``.

    >>> get_dimensions(tl.zeros(3, 4, 5))
    [3, 4, 5]
    """
    found: list[int] = kernels(img).dimensions(img)
    return found


def get_image_size(img: Any) -> list[int]:
    """Return ``[width, height]``.

    >>> get_image_size(tl.zeros(3, 4, 5))
    [5, 4]
    """
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img: Any) -> int:
    """Return the number of channels.

    >>> get_image_num_channels(tl.zeros(3, 4, 5))
    3
    """
    return get_dimensions(img)[0]


# ------------------------------------------------------------------------------------------------ conversion
def to_tensor(pic: Any) -> Tensor:
    """Convert a Pillow image or an array (H, W[, C]) to a tensor (C, H, W); bytes 0..255 become floats 0..1.

    Images with the modes I, I;16 and F and arrays of other dtypes keep their values.

    >>> to_tensor(np.full((1, 2), 51, dtype=np.uint8))
    tensor([[[0.2000, 0.2000]]])
    """
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ShapeError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        array = pic[:, :, None] if pic.ndim == 2 else pic
    elif is_image(pic):
        array = pixels(pic)
        array = array.astype(np.uint8) * 255 if pic.mode == "1" else array
        array = array.astype(np.int16) if array.dtype == np.uint16 else array
    else:
        raise ArgumentError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    planes = make(np.array(array.transpose(2, 0, 1), order="C"))
    return planes.to(tl.get_default_dtype()).div(255) if array.dtype == np.uint8 else planes


def pil_to_tensor(pic: Any) -> Tensor:
    """Convert a Pillow image to a tensor (C, H, W) of the same dtype and values.

    >>> import tinygrad_lite as tl
    >>> image = tl.vision.transforms.functional.to_pil_image(tl.zeros(3, 4, 6))
    >>> tl.vision.transforms.functional.pil_to_tensor(image).shape
    (3, 4, 6)
    """
    if not is_image(pic):
        raise ArgumentError(f"pic should be PIL Image. Got {type(pic)}")
    return make(np.array(pixels(pic).transpose(2, 0, 1), order="C"))


def convert_image_dtype(image: Tensor, dtype: Any = tl.float32) -> Tensor:
    """Convert a tensor to ``dtype`` and scale its values: white is 1 in floats, the largest number in integers.

    >>> convert_image_dtype(tl.tensor([[0, 255]], dtype=tl.uint8))
    tensor([[0., 1.]])
    """
    if not isinstance(image, Tensor):
        raise ArgumentError(f"Input img should be Tensor Image, got {type(image)}")
    return on_tensors.convert_dtype(image, dtype)


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """Convert a tensor (C, H, W) or an array (H, W, C), or either with (H, W), to a Pillow image.

    Floats are multiplied by 255 and cut to bytes, except for mode "F".

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.to_pil_image(tl.zeros(3, 4, 6)).size
    (6, 4)
    """
    if isinstance(pic, Tensor):
        array = pic.detach().numpy()
        array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise ArgumentError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    return on_images.to_image(array, mode)


def normalize(tensor: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """Return (x - mean[c]) / std[c] for each channel c of a floating tensor (..., C, H, W).

    >>> normalize(tl.ones(1, 1, 2), mean=[0.5], std=[0.5])
    tensor([[[1., 1.]]])
    """
    if not isinstance(tensor, Tensor):
        raise ArgumentError(f"img should be Tensor Image. Got {type(tensor)}")
    return on_tensors.normalize(tensor, mean, std, inplace)


# ------------------------------------------------------------------------------------------------ geometry
def resized_size(shape: Sequence[int], size: Any, max_size: int | None) -> list[int]:
    """Return the height and width after `resize`.

    >>> resized_size((10, 20), 5, None), resized_size((10, 20), 5, 8), resized_size((10, 20), (3, 4), None)
    ([5, 10], [4, 8], [3, 4])
    """
    wanted = list(size) if isinstance(size, Sequence) else [size]
    if len(wanted) not in (1, 2):
        raise ShapeError(f"Size must be an int or a 1 or 2 element tuple/list, not a {len(wanted)} element tuple/list")
    if len(wanted) == 2:
        if max_size is not None:
            raise OptionError("max_size should only be passed if size specifies the length of the smaller edge")
        return wanted
    h, w = shape
    short, long = wanted[0], int(wanted[0] * max(h, w) / min(h, w))
    if max_size is not None:
        if max_size <= short:
            raise OptionError(
                f"max_size = {max_size} must be strictly greater than the requested size for the smaller edge "
                f"size = {size}"
            )
        if long > max_size:
            short, long = int(max_size * short / long), max_size
    return [long, short] if w <= h else [short, long]


def resize(
    img: Any,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """Resize to (height, width), or the smaller edge to one number while the proportions stay.

    Args:
        img: image.
        size: ``(h, w)``, or the length of the smaller edge.
        interpolation: an `InterpolationMode` or Pillow's number of it.
        max_size: longest edge allowed; only if ``size`` is one number.
        antialias: average when shrinking a tensor bilinearly or bicubically; Pillow always does.

    >>> resize(tl.rand(3, 10, 20), 5).shape
    (3, 5, 10)
    """
    mode = mode_of(interpolation)
    shape = get_dimensions(img)[1:]
    wanted = resized_size(shape, size, max_size)
    return img if wanted == shape else kernels(img).resize(img, wanted, mode, antialias)


def pad(img: Any, padding: Any, fill: Fill = 0, padding_mode: str = "constant") -> Any:
    """Add pixels at the borders.

    Args:
        img: image.
        padding: one number, ``(left and right, top and bottom)``, or ``(left, top, right, bottom)``.
        fill: the value of new pixels; Pillow images also take one for each channel.
        padding_mode: "constant", "edge" (repeat the border), "reflect" (mirror without the border), "symmetric" (with).

    >>> pad(tl.tensor([[[1.0, 2.0]]]), (1, 0), padding_mode="edge")
    tensor([[[1., 1., 2., 2.]]])
    """
    if not isinstance(padding, (int, tuple, list)):
        raise ArgumentError(f"Got inappropriate padding arg: {padding!r}")
    if not isinstance(padding_mode, str):
        raise ArgumentError(f"Got inappropriate padding_mode arg: {padding_mode!r}")
    sides = list(padding) if isinstance(padding, (tuple, list)) else [padding]
    if len(sides) not in (1, 2, 4):
        raise ShapeError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(sides)} element tuple")
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise OptionError("Padding mode should be either constant, edge, reflect or symmetric")
    return kernels(img).pad(img, (sides * 4)[:4], fill, padding_mode)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """Cut out a rectangle; what lies outside the image is 0.

    >>> crop(tl.arange(6.0).reshape(1, 2, 3), 0, 1, 1, 2)
    tensor([[[1., 2.]]])
    """
    return kernels(img).crop(img, top, left, height, width)


def _size(size: Any) -> tuple[int, int]:
    if isinstance(size, (int, float)):
        return int(size), int(size)
    if len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ShapeError("Please provide only two dimensions (h, w) for size.")
    return size[0], size[1]


def center_crop(img: Any, output_size: Any) -> Any:
    """Cut out the middle; an image that is too small is first padded with 0.

    >>> center_crop(tl.arange(9.0).reshape(1, 3, 3), 1)
    tensor([[[4.]]])
    """
    height, width = _size(output_size)
    _, h, w = get_dimensions(img)
    missing = [max(width - w, 0), max(height - h, 0)]
    if any(missing):
        img = pad(img, [missing[0] // 2, missing[1] // 2, (missing[0] + 1) // 2, (missing[1] + 1) // 2])
        _, h, w = get_dimensions(img)
        if (h, w) == (height, width):
            return img
    return crop(img, round((h - height) / 2.0), round((w - width) / 2.0), height, width)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """Cut out a rectangle and resize it.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.resized_crop(tl.rand(3, 8, 8), 0, 0, 4, 4, [2, 2]).shape
    (3, 2, 2)
    """
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def hflip(img: Any) -> Any:
    """Mirror left and right.

    >>> hflip(tl.tensor([[[1.0, 2.0]]]))
    tensor([[[2., 1.]]])
    """
    return kernels(img).hflip(img)


def vflip(img: Any) -> Any:
    """Mirror top and bottom.

    >>> vflip(tl.tensor([[[1.0], [2.0]]])).flatten()
    tensor([2., 1.])
    """
    return kernels(img).vflip(img)


def five_crop(img: Any, size: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Cut out the four corners (top left, top right, bottom left, bottom right) and the middle.

    >>> import tinygrad_lite as tl
    >>> len(tl.vision.transforms.functional.five_crop(tl.rand(3, 8, 8), 4))
    5
    """
    height, width = _size(size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        raise ShapeError(f"Requested crop size {(height, width)} is bigger than input size {(h, w)}")
    corners = [crop(img, top, left, height, width) for top in (0, h - height) for left in (0, w - width)]
    return corners[0], corners[1], corners[2], corners[3], center_crop(img, [height, width])


def ten_crop(img: Any, size: Any, vertical_flip: bool = False) -> tuple[Any, ...]:
    """Return `five_crop` of the image and of its mirror image.

    >>> import tinygrad_lite as tl
    >>> len(tl.vision.transforms.functional.ten_crop(tl.rand(3, 8, 8), 4))
    10
    """
    mirrored = vflip(img) if vertical_flip else hflip(img)
    return five_crop(img, size) + five_crop(mirrored, size)


def _middle(img: Any, center: Any) -> list[float]:
    """Return a centre in pixels, measured from the middle of the image."""
    if center is None:
        return [0.0, 0.0]
    return [c - 0.5 * s for c, s in zip(center, get_image_size(img), strict=True)]


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Any = None,
    fill: Fill = None,
) -> Any:
    """Rotate by ``angle`` degrees counterclockwise.

    Args:
        img: image.
        angle: degrees.
        interpolation: nearest or bilinear; Pillow images also bicubic.
        expand: enlarge the image so that nothing is cut off.
        center: ``(x, y)`` in pixels from the top left corner; the middle by default.
        fill: value of the pixels outside, or one for each channel.

    >>> rotate(tl.arange(4.0).reshape(1, 2, 2), 90)
    tensor([[[1., 3.],
             [0., 2.]]])
    """
    mode = mode_of(interpolation)
    if not isinstance(angle, (int, float)):
        raise ArgumentError(f"Argument angle should be int or float, got {angle!r}")
    if center is not None and not isinstance(center, (list, tuple)):
        raise ArgumentError(f"Argument center should be a sequence, got {center!r}")
    if not isinstance(img, Tensor):
        return kernels(img).rotate(img, angle, mode, expand, center, fill)
    matrix = inverse_affine(_middle(img, center), -angle, (0, 0), 1.0, (0, 0))
    return on_tensors.rotate(img, matrix, mode, expand, fill)


def affine(
    img: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Any,
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Any = None,
) -> Any:
    """Shear, scale, rotate (clockwise) and translate about a centre.

    Args:
        img: image.
        angle: degrees.
        translate: ``(x, y)`` in pixels.
        scale: factor.
        shear: degrees along x, or along x and y.
        interpolation: nearest or bilinear; Pillow images also bicubic.
        fill: value of the pixels outside, or one for each channel.
        center: ``(x, y)`` in pixels from the top left corner; the middle by default.

    >>> affine(tl.arange(3.0).reshape(1, 1, 3), 0, (1, 0), 1.0, 0, fill=9)
    tensor([[[9., 0., 1.]]])
    """
    mode = mode_of(interpolation)
    if not isinstance(angle, (int, float)):
        raise ArgumentError(f"Argument angle should be int or float, got {angle!r}")
    if not isinstance(translate, (list, tuple)):
        raise ArgumentError(f"Argument translate should be a sequence, got {translate!r}")
    if len(translate) != 2:
        raise ShapeError("Argument translate should be a sequence of length 2")
    if scale <= 0.0:
        raise OptionError(f"Argument scale should be positive, got {scale}")
    if not isinstance(shear, (int, float, list, tuple)):
        raise ArgumentError("Shear should be either a single value or a sequence of two values")
    slants = [shear, 0.0] if isinstance(shear, (int, float)) else list(shear) * (2 if len(shear) == 1 else 1)
    if len(slants) != 2:
        raise ShapeError(f"Shear should be a sequence containing two values. Got {shear}")
    if center is not None and not isinstance(center, (list, tuple)):
        raise ArgumentError(f"Argument center should be a sequence, got {center!r}")
    middle = _middle(img, center)
    if not isinstance(img, Tensor):
        middle = [m + 0.5 * s for m, s in zip(middle, get_image_size(img), strict=True)]
    return kernels(img).affine(img, inverse_affine(middle, angle, translate, scale, slants), mode, fill)


def perspective(
    img: Any,
    startpoints: Sequence[Sequence[int]],
    endpoints: Sequence[Sequence[int]],
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    """Move four corners ``(x, y)``, from top left clockwise, to other places.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.perspective(
    ...     tl.ones(1, 4, 4), [(0, 0), (3, 0), (3, 3), (0, 3)], [(0, 0), (3, 1), (3, 2), (0, 3)]
    ... )[0]
    tensor([[0.6016, 0.5000, 0.0000, 0.0000],
            [0.6875, 1.0000, 1.0000, 0.0000],
            [0.6875, 1.0000, 0.7500, 0.0000],
            [0.5156, 0.0000, 0.0000, 0.0000]])
    """
    return kernels(img).perspective(img, perspective_coefficients(startpoints, endpoints), mode_of(interpolation), fill)


# ------------------------------------------------------------------------------------------------ values
def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """Blur with a Gaussian.

    Args:
        img: image.
        kernel_size: odd number of pixels, or (width, height).
        sigma: standard deviation in pixels, or one for x and y; 0.15 * kernel_size + 0.35 by default.

    >>> import tinygrad_lite as tl
    >>> tl.vision.transforms.functional.gaussian_blur(tl.rand(3, 8, 8), 3).shape
    (3, 8, 8)
    """
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2:
        raise ShapeError(f"If kernel_size is a sequence its length should be 2. Got {len(sizes)}")
    if any(size % 2 == 0 or size < 0 for size in sizes):
        raise OptionError(f"kernel_size should have odd and positive integers. Got {sizes}")
    if sigma is None:
        sigma = [0.15 * size + 0.35 for size in sizes]
    sigmas = [float(sigma)] * 2 if isinstance(sigma, (int, float)) else list(sigma) * (2 if len(sigma) == 1 else 1)
    if len(sigmas) != 2:
        raise ShapeError(f"If sigma is a sequence, its length should be 2. Got {len(sigmas)}")
    if any(s <= 0 for s in sigmas):
        raise OptionError(f"sigma should have positive values. Got {sigmas}")
    if isinstance(img, Tensor):
        return on_tensors.gaussian_blur(img, sizes, sigmas)
    kernels(img)
    return to_pil_image(on_tensors.gaussian_blur(pil_to_tensor(img), sizes, sigmas), mode=img.mode)


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Tensor:
    """Set the rectangle with top ``i``, left ``j``, height ``h`` and width ``w`` to ``v``.

    >>> erase(tl.ones(1, 1, 3), 0, 1, 1, 2, tl.tensor(0.0))
    tensor([[[1., 0., 0.]]])
    """
    if not isinstance(img, Tensor):
        raise ArgumentError(f"img should be Tensor. Got {type(img)}")
    return on_tensors.erase(img, i, j, h, w, v, inplace)
