"""Pictures of many images: grids, image files, boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ArgumentError, DTypeError, ShapeError
from tinygrad_lite.vision.images import image_of, pillow, pixels, write

__all__ = ["draw_bounding_boxes", "make_grid", "save_image"]


def _scaled(x: Tensor, value_range: tuple[float, float] | None) -> Tensor:
    low, high = value_range if value_range is not None else (float(x.min()), float(x.max()))
    return (x.clamp(low, high) - low) / max(high - low, 1e-5)


@named
@tl.no_grad()
def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Lay out images side by side.

    Args:
        tensor: images (B, C, H, W), or a list of images of one shape; one channel becomes three.
        nrow: images in a row of the grid.
        padding: pixels between images.
        normalize: map the values from ``value_range``, or from their minimum and maximum, to [0, 1].
        value_range: ``(min, max)``; values outside are clamped.
        scale_each: normalise each image on its own.
        pad_value: value of the pixels between images.

    Returns:
        a tensor (C, rows * (H + padding) + padding, columns * (W + padding) + padding); one image alone is returned
        without a border.

    >>> make_grid(tl.ones(5, 1, 3, 4), nrow=3).shape
    (3, 12, 20)
    """
    if isinstance(tensor, (list, tuple)):
        for t in tensor:
            if not isinstance(t, Tensor):
                raise ArgumentError(f"tensor or list of tensors expected, got a list containing {type(t)}")
        tensor = tl.stack(list(tensor), dim=0)
    if not isinstance(tensor, Tensor):
        raise ArgumentError(f"tensor or list of tensors expected, got {type(tensor)}")
    if not 2 <= tensor.ndim <= 4:
        raise ShapeError(f"make_grid: expected images (B, C, H, W), got shape {tuple(tensor.shape)}")
    x = tensor.detach()
    while x.ndim < 4:
        x = x.unsqueeze(0)
    if x.shape[1] == 1:
        x = tl.cat((x, x, x), dim=1)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise ArgumentError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
        x = tl.stack([_scaled(t, value_range) for t in x]) if scale_each else _scaled(x, value_range)
    count, channels, height, width = x.shape
    if count == 1:
        return x.squeeze(0)
    columns = min(nrow, count)
    rows = -(-count // columns)
    high, wide = height + padding, width + padding
    grid = tl.full((channels, high * rows + padding, wide * columns + padding), pad_value, dtype=x.dtype)
    for i in range(count):
        top, left = padding + i // columns * high, padding + i % columns * wide
        grid[:, top : top + height, left : left + width] = x[i]
    return grid


@named
@tl.no_grad()
def save_image(tensor: Any, fp: Any, format: str | None = None, **kwargs: Any) -> None:
    """Save images, laid out by `make_grid`, to an image file.

    Args:
        tensor: images with values in [0, 1]; others are clamped.
        fp: file name or file object.
        format: format of the file; by default its extension.
        kwargs: arguments of `make_grid`.

    >>> import os, tempfile, tinygrad_lite as tl
    >>> path = os.path.join(tempfile.mkdtemp(), "grid.png")
    >>> tl.vision.utils.save_image(tl.rand(4, 3, 8, 8), path, nrow=2)
    >>> tl.vision.io.read_image(path).shape
    (3, 22, 22)
    """
    grid = make_grid(tensor, **kwargs)
    bytes_ = (grid * 255 + 0.5).clamp(0, 255).permute(1, 2, 0).to(tl.uint8)
    write(image_of(bytes_.numpy()), fp, format)


@named
@tl.no_grad()
def draw_bounding_boxes(
    image: Tensor,
    boxes: Tensor,
    labels: Sequence[str | None] | None = None,
    colors: Any = None,
    fill: bool = False,
    width: int = 1,
) -> Tensor:
    """Draw rectangles on an image.

    Args:
        image: ``uint8`` tensor (3, H, W), or floats in [0, 1].
        boxes: (n, 4) with left, top, right, bottom in pixels.
        labels: a text for each box.
        colors: a colour (name, "#rrggbb" or numbers) for all boxes, or a list with one for each; by default different
            colours.
        fill: tint the inside.
        width: pixels of the lines.

    Returns:
        a new tensor like ``image``.

    >>> import tinygrad_lite as tl
    >>> image = tl.zeros(3, 8, 8, dtype=tl.uint8)
    >>> tl.vision.utils.draw_bounding_boxes(image, tl.tensor([[1, 1, 5, 6]]), colors="white")[0]
    tensor([[  0,   0,   0,   0,   0,   0,   0,   0],
            [  0, 255, 255, 255, 255, 255,   0,   0],
            [  0, 255,   0,   0,   0, 255,   0,   0],
            [  0, 255,   0,   0,   0, 255,   0,   0],
            [  0, 255,   0,   0,   0, 255,   0,   0],
            [  0, 255,   0,   0,   0, 255,   0,   0],
            [  0, 255, 255, 255, 255, 255,   0,   0],
            [  0,   0,   0,   0,   0,   0,   0,   0]], dtype=uint8)
    """
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ShapeError(f"draw_bounding_boxes: expected an image (3, H, W), got shape {tuple(image.shape)}")
    floating = image.is_floating_point()
    if not floating and image.dtype != tl.uint8:
        raise DTypeError(f"The image dtype must be uint8 or float, got {image.dtype}")
    scaled = (image * 255).to(tl.uint8) if floating else image
    array = scaled.expand((3, *image.shape[1:])).permute(1, 2, 0).numpy()
    picture = image_of(array)
    pen = pillow("ImageDraw").Draw(picture, "RGBA" if fill else None)
    palette = (2**25 - 1, 2**15 - 1, 2**21 - 1)
    shades = [tuple(i * p % 255 for p in palette) for i in range(len(boxes))] if colors is None else colors
    shades = shades if isinstance(shades, list) else [shades] * len(boxes)
    if len(shades) < len(boxes) or (labels is not None and len(labels) != len(boxes)):
        raise ShapeError(f"draw_bounding_boxes: {len(boxes)} boxes need as many colors and labels")
    for i, box in enumerate(boxes.tolist()):
        rgb = pillow("ImageColor").getrgb(shades[i]) if isinstance(shades[i], str) else tuple(shades[i])
        pen.rectangle(box, width=width, outline=rgb, fill=(*rgb, 100) if fill else None)
        if labels is not None and labels[i] is not None:
            pen.text((box[0] + width, box[1] + width), labels[i], fill=rgb)
    drawn = make(pixels(picture).transpose(2, 0, 1).copy())
    return drawn.to(image.dtype) / 255 if floating else drawn
