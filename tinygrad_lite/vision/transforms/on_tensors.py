"""The transforms of image tensors ``(..., C, H, W)``; gradients flow through all that are differentiable."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.engine.dtype import DType
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ArgumentError, DTypeError, OptionError, ShapeError
from tinygrad_lite.nn import functional as nnf
from tinygrad_lite.vision.transforms.interpolation import InterpolationMode

Fill = float | Sequence[float] | None


def check_image(img: Tensor) -> None:
    """Raise TypeError for a tensor that is no image."""
    if img.ndim < 2:
        raise DTypeError(f"Tensor is not a torch image: it should be (..., H, W), got shape {tuple(img.shape)}")


def dimensions(img: Tensor) -> list[int]:
    """Return channels, height and width."""
    check_image(img)
    return [1 if img.ndim == 2 else img.shape[-3], img.shape[-2], img.shape[-1]]


def check_channels(img: Tensor, permitted: Sequence[int] = (1, 3)) -> None:
    """Raise TypeError unless the image has one of these numbers of channels."""
    channels = dimensions(img)[0]
    if channels not in permitted:
        raise DTypeError(f"Input image tensor permitted channel values are {list(permitted)}, but found {channels}")


def top_value(dtype: Any) -> int:
    """Return the value of white: 1 for floating dtypes and bool, the largest number for integers.

    >>> top_value(tl.uint8), top_value(tl.float32)
    (255, 1)
    """
    kind = np.dtype(dtype)
    return int(np.iinfo(kind).max) if kind.kind in "iu" else 1


def convert_dtype(img: Tensor, dtype: Any) -> Tensor:
    """Convert the dtype and scale the values to its range."""
    source, target = np.dtype(img.dtype), np.dtype(dtype)
    if source == target:
        return img
    if source.kind == "f":
        if target.kind == "f":
            return img.to(dtype)
        if (source.name, target.name) in (("float32", "int32"), ("float32", "int64"), ("float64", "int64")):
            raise DTypeError(f"The cast from {img.dtype} to {DType(dtype)} cannot be performed safely.")
        return (img * (top_value(target) + 1.0 - 1e-3)).to(dtype)
    if target.kind == "f":
        return img.to(dtype) / float(top_value(source))
    if top_value(source) > top_value(target):
        return (img // ((top_value(source) + 1) // (top_value(target) + 1))).to(dtype)
    return img.to(dtype) * ((top_value(target) + 1) // (top_value(source) + 1))


def in_floats(img: Tensor, compute: Callable[[Tensor], Tensor], clamp: bool = False) -> Tensor:
    """Compute in floats and return the dtype of the image; integers are rounded, and clamped on request."""
    if img.is_floating_point():
        return compute(img)
    out = compute(img.to(tl.float32)).round()
    return (out.clamp(0, top_value(img.dtype)) if clamp else out).to(img.dtype)


# ------------------------------------------------------------------------------------------------ geometry
def hflip(img: Tensor) -> Tensor:
    """Mirror left and right."""
    check_image(img)
    return img.flip(-1)


def vflip(img: Tensor) -> Tensor:
    """Mirror top and bottom."""
    check_image(img)
    return img.flip(-2)


def pad(img: Tensor, padding: Sequence[int], fill: Fill, padding_mode: str) -> Tensor:
    """Add (left, top, right, bottom) pixels; negative numbers cut pixels off."""
    check_image(img)
    left, top, right, bottom = padding
    if padding_mode == "constant":
        if not isinstance(fill, (int, float)) and fill is not None:
            raise ArgumentError("Got inappropriate fill arg: tensors take one number")
        padded: Tensor = nnf.pad(img, [left, right, top, bottom], value=fill or 0)
        return padded
    for dim, (before, after) in ((-1, (left, right)), (-2, (top, bottom))):
        kept = np.arange(max(0, -before), img.shape[dim] - max(0, -after))
        places = np.pad(kept, (max(0, before), max(0, after)), mode=padding_mode)  # type: ignore[call-overload]
        img = img.index_select(dim, make(places))
    return img


def crop(img: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """Cut out a rectangle; what lies outside the image is 0."""
    _, h, w = dimensions(img)
    bottom, right = top + height, left + width
    inside = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left >= 0 and top >= 0 and right <= w and bottom <= h:
        return inside
    rows, columns = inside.shape[-2], inside.shape[-1]
    above, before = min(max(-top, 0), height), min(max(-left, 0), width)
    return pad(inside, [before, above, width - columns - before, height - rows - above], 0, "constant")


def averaging(size: int, wanted: int, cubic: bool) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the weights (wanted, size) of a resized axis: a triangle or a cubic, as wide as the pixels it covers."""
    ratio = size / wanted
    width = max(ratio, 1.0)
    centers = ratio * (np.arange(wanted) + 0.5)[:, None]
    x = np.abs(np.arange(size) + 0.5 - centers) / width
    if cubic:  # Keys' kernel with a = -1/2, as Pillow has it
        inner = (1.5 * x - 2.5) * x * x + 1
        outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
        weights = np.where(x < 1, inner, np.where(x < 2, outer, 0.0))
    else:
        weights = np.maximum(0.0, 1.0 - x)
    normed: np.ndarray[Any, np.dtype[np.float64]] = weights / weights.sum(axis=1, keepdims=True)
    return normed


def resize(img: Tensor, size: Sequence[int], interpolation: InterpolationMode, antialias: bool | None) -> Tensor:
    """Resize to (height, width); with ``antialias``, shrinking averages the pixels it merges."""
    check_image(img)
    mode = interpolation.value
    if mode not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        raise NotImplementedError(
            f"resize: tensors have no {mode} interpolation; use nearest, nearest-exact, bilinear or bicubic"
        )
    if antialias and mode in ("bilinear", "bicubic"):
        by_row, by_column = (averaging(a, b, mode == "bicubic") for a, b in zip(img.shape[-2:], size, strict=True))

        def averaged(x: Tensor) -> Tensor:
            kind = np.dtype(x.dtype)
            return make(by_row.astype(kind)) @ (x @ make(by_column.T.astype(kind)))

        return in_floats(img, averaged, clamp=True)
    corners = False if mode in ("bilinear", "bicubic") else None

    def picked(x: Tensor) -> Tensor:
        flat = x.reshape((-1, 1, *x.shape[-2:]))
        out: Tensor = nnf.interpolate(flat, size=tuple(size), mode=mode, align_corners=corners)
        return out.reshape((*x.shape[:-2], *size))

    return in_floats(img, picked, clamp=True)


def sampled(img: Tensor, grid: Any, interpolation: InterpolationMode, fill: Fill) -> Tensor:
    """Read the image at the points of a grid (height, width, 2) in [-1, 1]; points outside get ``fill``."""
    mode, channels = interpolation.value, dimensions(img)[0]
    if mode not in ("nearest", "bilinear"):
        raise OptionError(f"Interpolation mode '{mode}' is unsupported with Tensor input")
    values = list(fill) if isinstance(fill, (list, tuple)) else [0.0 if fill is None else fill]
    if len(values) not in (1, channels):
        raise ShapeError(
            f"The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
            f"({len(values)} != {channels})"
        )

    def read(x: Tensor) -> Tensor:
        flat = x.reshape((-1, channels, *x.shape[-2:]))
        points = make(np.broadcast_to(grid.astype(np.dtype(x.dtype)), (len(flat), *grid.shape)))
        out: Tensor = nnf.grid_sample(flat, points, mode=mode, padding_mode="zeros", align_corners=False)
        if any(values):
            ones = tl.ones_like(flat[:, :1])
            inside = nnf.grid_sample(ones, points, mode=mode, padding_mode="zeros", align_corners=False)
            inside = (inside >= 0.5).to(x.dtype) if mode == "nearest" else inside
            color = make(np.array(values, dtype=np.dtype(x.dtype)).reshape(1, -1, 1, 1))
            out = out * inside + (1.0 - inside) * color
        return out.reshape((*x.shape[:-2], *grid.shape[:2]))

    return in_floats(img, read)


def around_middle(height: int, width: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return (x, y, 1) of every pixel, measured from the middle: (height * width, 3)."""
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    return np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3).astype(np.float32)


def affine(img: Tensor, matrix: Sequence[float], interpolation: InterpolationMode, fill: Fill) -> Tensor:
    """Apply an affine map about the middle, given by its inverse."""
    return mapped(img, matrix, interpolation, fill, dimensions(img)[1:])


def mapped(
    img: Tensor, matrix: Sequence[float], interpolation: InterpolationMode, fill: Fill, size: Sequence[int]
) -> Tensor:
    """Read a picture of ``size`` through an affine map about both middles."""
    _, h, w = dimensions(img)
    theta = np.array(matrix, dtype=np.float32).reshape(2, 3)
    scaled = theta.T / np.array([0.5 * w, 0.5 * h], dtype=np.float32)
    return sampled(img, (around_middle(*size) @ scaled).reshape(*size, 2), interpolation, fill)


def rotate(img: Tensor, matrix: Sequence[float], interpolation: InterpolationMode, expand: bool, fill: Fill) -> Tensor:
    """Rotate about a point, given the inverse map; ``expand`` enlarges the picture to hold all corners."""
    _, h, w = dimensions(img)
    if expand:
        corners = np.array([[x, y, 1.0] for x in (-0.5 * w, 0.5 * w) for y in (-0.5 * h, 0.5 * h)], dtype=np.float32)
        places = corners @ np.array(matrix, dtype=np.float32).reshape(2, 3).T + np.array([w * 0.5, h * 0.5])
        low, high = (np.trunc(v / 1e-4) * 1e-4 for v in (places.min(axis=0), places.max(axis=0)))
        w, h = (int(v) for v in np.ceil(high.astype(np.float32)) - np.floor(low.astype(np.float32)))
    return mapped(img, matrix, interpolation, fill, (h, w))


def perspective(img: Tensor, coefficients: Sequence[float], interpolation: InterpolationMode, fill: Fill) -> Tensor:
    """Apply a projective map, given by the coefficients of its inverse."""
    _, h, w = dimensions(img)
    a, b, c, d, e, f, g, k = np.array(coefficients, dtype=np.float64)
    y, x = np.meshgrid(np.arange(h) + 0.5, np.arange(w) + 0.5, indexing="ij")
    below = g * x + k * y + 1
    points = np.stack([(a * x + b * y + c) / below / (0.5 * w) - 1, (d * x + e * y + f) / below / (0.5 * h) - 1], -1)
    return sampled(img, points, interpolation, fill)


# ------------------------------------------------------------------------------------------------ values
def normalize(img: Tensor, mean: Any, std: Any, inplace: bool) -> Tensor:
    """Return (x - mean) / std by channel."""
    check_image(img)
    if not img.is_floating_point():
        raise DTypeError(f"Input tensor should be a float tensor. Got {img.dtype}.")
    if img.ndim < 3:
        raise ShapeError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {tuple(img.shape)}"
        )
    kind = np.dtype(img.dtype)
    shift, scale = (np.asarray(getattr(v, "data", v) if isinstance(v, Tensor) else v, dtype=kind) for v in (mean, std))
    if (scale == 0).any():
        raise OptionError(f"std evaluated to zero after conversion to {img.dtype}, leading to division by zero.")
    shift, scale = (v.reshape(-1, 1, 1) if v.ndim == 1 else v for v in (shift, scale))
    for name, v in (("mean", shift), ("std", scale)):
        if len(v.reshape(-1)) not in (1, img.shape[-3]) and v.ndim == 3 and v.shape[1:] == (1, 1):
            raise ShapeError(f"normalize: {len(v)} values of {name} do not fit an image of shape {tuple(img.shape)}")
    if inplace:
        return img.sub_(make(shift)).div_(make(scale))
    return (img - make(shift)) / make(scale)


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool) -> Tensor:
    """Set a rectangle to ``v``."""
    check_image(img)
    out = img if inplace else img.clone()
    out[..., i : i + h, j : j + w] = v
    return out


def blended(img: Tensor, other: Tensor | float, factor: float) -> Tensor:
    """Return factor * img + (1 - factor) * other, clamped, in the dtype of the image."""
    return (float(factor) * img + (1.0 - float(factor)) * other).clamp(0, top_value(img.dtype)).to(img.dtype)


def grayscale(img: Tensor, channels: int) -> Tensor:
    """Return 0.2989 r + 0.587 g + 0.114 b, once or three times."""
    if img.ndim < 3:
        raise DTypeError(f"Input image tensor should have at least 3 dimensions, but found {img.ndim}")
    check_channels(img)
    grey = img
    if img.shape[-3] == 3:
        r, g, b = img.unbind(-3)
        grey = (0.2989 * r + 0.587 * g + 0.114 * b).to(img.dtype).unsqueeze(-3)
    return grey.expand((*grey.shape[:-3], 3, *grey.shape[-2:])) if channels == 3 else grey.clone()


def brightness(img: Tensor, factor: float) -> Tensor:
    """Blend with black."""
    check_channels(img)
    return blended(img, 0.0, factor)


def contrast(img: Tensor, factor: float) -> Tensor:
    """Blend with the mean grey."""
    check_channels(img)
    grey = grayscale(img, 1) if dimensions(img)[0] == 3 else img
    grey = grey if grey.is_floating_point() else grey.to(tl.float32)
    return blended(img, grey.mean(dim=(-3, -2, -1), keepdim=True), factor)


def saturation(img: Tensor, factor: float) -> Tensor:
    """Blend with the greyscale image."""
    check_channels(img)
    return img if dimensions(img)[0] == 1 else blended(img, grayscale(img, 1), factor)


def hue(img: Tensor, factor: float) -> Tensor:
    """Turn the hue by ``factor`` of the circle, by way of hue, saturation and value."""
    check_channels(img)
    if dimensions(img)[0] == 1:
        return img
    rgb = convert_dtype(img, tl.float32)
    r, g, b = rgb.unbind(-3)
    value, low = rgb.amax(dim=-3), rgb.amin(dim=-3)
    chroma = value - low
    grey = chroma == 0
    safe = tl.where(grey, tl.ones_like(chroma), chroma)
    sixths = tl.where(
        value == r, (g - b) / safe, tl.where(value == g, 2.0 + (b - r) / safe, 4.0 + (r - g) / safe)
    )  # position on the circle, in sixths
    turned = (sixths / 6.0 + factor) % 1.0 * 6.0
    parts = []
    for offset in (5.0, 3.0, 1.0):  # r, g, b: value - chroma * clamp(min(k, 4 - k)) with k = (offset + hue) mod 6
        k = (turned + offset) % 6.0
        parts.append(value - chroma * tl.minimum(k, 4.0 - k).clamp(0.0, 1.0))
    return convert_dtype(tl.stack(parts, dim=-3), img.dtype)


def gamma(img: Tensor, exponent: float, gain: float) -> Tensor:
    """Apply gain * x^exponent to values scaled to [0, 1]."""
    check_channels(img)
    scaled = img if img.is_floating_point() else convert_dtype(img, tl.float32)
    return convert_dtype((gain * scaled**exponent).clamp(0, 1), img.dtype)


def filtered(img: Tensor, kernel: Any) -> Tensor:
    """Correlate each channel with a kernel (height, width), without padding."""
    flat = img.reshape((-1, 1, *img.shape[-2:]))
    out: Tensor = nnf.conv2d(flat, make(kernel.astype(np.dtype(img.dtype))[None, None]))
    return out.reshape((*img.shape[:-2], *out.shape[-2:]))


def gaussian_blur(img: Tensor, kernel_size: Sequence[int], sigma: Sequence[float]) -> Tensor:
    """Correlate with a Gaussian of (width, height) pixels; the border is reflected."""
    check_image(img)
    bells = []
    for size, s in zip(kernel_size, sigma, strict=True):
        bell = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / s) ** 2)
        bells.append(bell / bell.sum())
    across, down = (size // 2 for size in kernel_size)
    kernel = np.outer(bells[1], bells[0])
    return in_floats(img, lambda x: filtered(pad(x, [across, down, across, down], 0, "reflect"), kernel))


def sharpness(img: Tensor, factor: float) -> Tensor:
    """Blend with a smoothed image; the outermost pixels stay."""
    check_channels(img)
    if min(img.shape[-2:]) <= 2:
        return img
    kernel = np.ones((3, 3))
    kernel[1, 1] = 5.0
    smooth = img.clone()
    smooth[..., 1:-1, 1:-1] = in_floats(img, lambda x: filtered(x, kernel / 13.0))
    return blended(img, smooth, factor)


def invert(img: Tensor) -> Tensor:
    """Replace each value by white minus it."""
    check_channels(img)
    return top_value(img.dtype) - img


def check_bytes(img: Tensor) -> None:
    """Raise TypeError unless the dtype is uint8."""
    check_channels(img)
    if img.dtype != tl.uint8:
        raise DTypeError(f"Only torch.uint8 image tensors are supported, but found {img.dtype}")


def posterize(img: Tensor, bits: int) -> Tensor:
    """Keep the highest bits of each value."""
    check_bytes(img)
    return make(img.numpy() & np.uint8(256 - 2 ** (8 - bits)))


def solarize(img: Tensor, threshold: float) -> Tensor:
    """Invert the values at or above a threshold."""
    if threshold > top_value(img.dtype):
        raise ArgumentError("Threshold should be less than bound of img.")
    changed: Tensor = tl.where(img >= threshold, invert(img), img)
    return changed


def autocontrast(img: Tensor) -> Tensor:
    """Stretch each channel to the full range."""
    check_channels(img)
    top = top_value(img.dtype)
    x = img if img.is_floating_point() else img.to(tl.float32)
    low, high = x.amin(dim=(-2, -1), keepdim=True), x.amax(dim=(-2, -1), keepdim=True)
    flat = high == low
    scale = top / tl.where(flat, tl.ones_like(high), high - low)
    stretched: Tensor = tl.where(flat, x, (x - low) * scale)
    return stretched.clamp(0, top).to(img.dtype)


def equalize(img: Tensor) -> Tensor:
    """Make the histogram of each channel flat."""
    check_bytes(img)
    planes = img.numpy().reshape(-1, math.prod(img.shape[-2:]))
    out = planes.copy()
    for plane, result in zip(planes, out, strict=True):
        counts = np.bincount(plane, minlength=256)
        width = int(counts[counts != 0][:-1].sum()) // 255
        if width:
            below = np.concatenate([[0], np.cumsum(counts)[:-1] + width // 2]) // width
            below[0] = 0
            result[...] = np.clip(below, 0, 255)[plane]
    return make(out.reshape(img.shape))
