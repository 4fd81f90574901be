"""Parts of feature maps under boxes, sampled to one size: `roi_align` and its layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_lite import nn
from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.op import PUBLIC
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.ops.indexing.getitem import plain

__all__ = ["MultiScaleRoIAlign", "RoIAlign", "roi_align"]


def _rows(boxes: Any) -> Any:
    """Return boxes as an array (K, 5), with the number of the image before the corners."""
    if isinstance(boxes, (list, tuple)):
        parts = [new.asarray(plain(b)).reshape(-1, 4) if not len(b) else new.asarray(plain(b)) for b in boxes]
        if any(p.ndim != 2 or p.shape[1] != 4 for p in parts):
            raise ShapeError("roi_align: the boxes of each image must have the shape Tensor[L, 4]")
        numbered = [np.insert(p.astype(np.float64), 0, i, 1) for i, p in enumerate(parts)]
        return np.concatenate(numbered) if numbered else new.zeros((0, 5), np.float64)
    rows = new.asarray(plain(boxes)).astype(np.float64)
    if rows.ndim != 2 or rows.shape[1] != 5:
        raise ShapeError(f"roi_align: the boxes tensor must have the shape Tensor[K, 5], got {describe(boxes)}")
    return rows


def _shares(start: Any, length: Any, bins: int, samples: int, size: int) -> Any:
    """Return what each of ``size`` pixels adds to each bin of each box along one axis, (K, bins, size)."""
    each = length / bins
    count = new.full(len(start), samples) if samples > 0 else np.ceil(each).astype(np.int64).clip(min=0)
    s = new.arange(0, max(int(count.max(initial=0)), 1))
    each, count = each[:, None, None], count[:, None, None]
    at = start[:, None, None] + (new.arange(0, bins)[:, None] + (s + 0.5) / count.clip(min=1)) * each
    inside = (s < count) & (at >= -1) & (at <= size)  # one pixel around the map counts as its edge, the rest as 0
    at = at.clip(0, size - 1)
    low = np.minimum(np.floor(at), size - 1).astype(np.int64)
    part = inside / count.clip(min=1)
    out = new.zeros((len(start), bins, size), np.float64)
    k, i, _ = np.indices(at.shape)
    np.add.at(out, (k, i, low), part * (1 - (at - low)))
    np.add.at(out, (k, i, np.minimum(low + 1, size - 1)), part * (at - low))
    return out


@named
def roi_align(
    input: Any,
    boxes: Any,
    output_size: Any,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Any:
    """Return the part of each feature map under each box, averaged from bilinear samples: (K, C, *output_size).

    ``input`` (N, C, H, W); ``boxes`` one tensor (L, 4) for each image, or (K, 5) with the number of the image first.
    ``sampling_ratio`` samples a side are taken in each bin, one per pixel if it is not positive. ``aligned`` moves
    boxes by half a pixel, to the centres. The gradient is that of ``input``. Source: He et al., arXiv:1703.06870.

    >>> import tinygrad_lite as tl
    >>> x = tl.arange(16.0).reshape(1, 1, 4, 4)
    >>> tl.vision.ops.roi_align(x, [tl.tensor([[0.0, 0.0, 3.0, 3.0]])], 2, sampling_ratio=2)
    tensor([[[[ 3.7500,  5.2500],
              [ 9.7500, 11.2500]]]])
    """
    if input.ndim != 4:
        raise ShapeError(f"roi_align: expected input (N, C, H, W), got {describe(input)}")
    rows, (height, width) = _rows(boxes), (output_size,) * 2 if isinstance(output_size, int) else tuple(output_size)
    if len(rows) and not (0 <= rows[:, 0].min() and rows[:, 0].max() < len(input)):
        raise ShapeError(f"roi_align: the boxes name images outside of {describe(input)}")
    corners = rows[:, 1:] * spatial_scale - 0.5 * aligned
    extent = corners[:, 2:] - corners[:, :2]
    extent = extent if aligned else extent.clip(min=1.0)
    ys = _shares(corners[:, 1], extent[:, 1], height, sampling_ratio, input.shape[2])
    xs = _shares(corners[:, 0], extent[:, 0], width, sampling_ratio, input.shape[3])
    parts, order = [], []
    for n in np.unique(rows[:, 0]).astype(np.int64).tolist():
        (own,) = np.nonzero(rows[:, 0] == n)
        y, x = (make(new.asarray(s[own].astype(input.dtype.dtype))) for s in (ys, xs))
        down = PUBLIC["tensordot"](y, input[n], ([2], [1]))  # (K, height, C, W)
        parts.append(PUBLIC["einsum"]("kicw,kjw->kcij", down, x))
        order.append(own)
    if not parts:
        return input.new_zeros((0, input.shape[1], height, width))
    return PUBLIC["cat"](parts)[np.argsort(np.concatenate(order))]


class RoIAlign(nn.Module):
    """A layer that calls `roi_align`.

    >>> import tinygrad_lite as tl
    >>> RoIAlign(2, 1.0, 2)(tl.ones(1, 3, 4, 4), [tl.tensor([[0.0, 0.0, 3.0, 3.0]])]).shape
    (1, 3, 2, 2)
    """

    def __init__(self, output_size: Any, spatial_scale: float, sampling_ratio: int, aligned: bool = False) -> None:
        super().__init__()
        self.output_size, self.spatial_scale = output_size, spatial_scale
        self.sampling_ratio, self.aligned = sampling_ratio, aligned

    def forward(self, input: Any, rois: Any) -> Any:
        """Return the parts of ``input`` under ``rois``."""
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def __repr__(self) -> str:
        names = ("output_size", "spatial_scale", "sampling_ratio", "aligned")
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)}' for n in names)})"


class MultiScaleRoIAlign(nn.Module):
    """`roi_align` on the feature map whose scale fits each box: large boxes are sampled from coarse maps.

    The scales are found from the sizes of the maps and of the images. Source: Lin et al., arXiv:1612.03144.

    >>> import tinygrad_lite as tl
    >>> maps = {"a": tl.ones(1, 3, 32, 32), "b": tl.ones(1, 3, 16, 16)}
    >>> pool = tl.vision.ops.MultiScaleRoIAlign(["a", "b"], 2, 2)
    >>> pool(maps, [tl.tensor([[0.0, 0.0, 30.0, 30.0]])], [(128, 128)]).shape
    (1, 3, 2, 2)
    """

    def __init__(
        self, featmap_names: Sequence[str], output_size: Any, sampling_ratio: int, *, canonical_scale: int = 224,
        canonical_level: int = 4,
    ) -> None:  # fmt: skip
        super().__init__()
        self.featmap_names, self.sampling_ratio = featmap_names, sampling_ratio
        self.output_size = (output_size,) * 2 if isinstance(output_size, int) else tuple(output_size)
        self.canonical_scale, self.canonical_level = canonical_scale, canonical_level

    def forward(self, x: Any, boxes: Any, image_shapes: Sequence[tuple[int, int]]) -> Any:
        """Return the parts of the maps ``x`` (a dict by name) under ``boxes``, one tensor (L, 4) for each image."""
        maps = [x[name] for name in x if name in self.featmap_names]
        if not image_shapes or not maps:
            raise ShapeError("MultiScaleRoIAlign: the maps and the sizes of the images must not be empty")
        whole, rows = max(h for h, _ in image_shapes), _rows(list(boxes))
        scales = [2.0 ** round(math.log2(m.shape[-2] / whole)) for m in maps]
        side = np.sqrt((rows[:, 3] - rows[:, 1]) * (rows[:, 4] - rows[:, 2]))
        finest, coarsest = -math.log2(scales[0]), -math.log2(scales[-1])
        with np.errstate(divide="ignore", invalid="ignore"):
            level = np.floor(self.canonical_level + np.log2(side / self.canonical_scale) + 1e-6)
        level = np.nan_to_num(level.clip(finest, coarsest), nan=finest) - finest
        order = [np.nonzero(level == i)[0] for i in range(len(maps))]
        parts = [
            roi_align(m, make(rows[own]), self.output_size, scale, self.sampling_ratio)
            for m, own, scale in zip(maps, order, scales, strict=True)
        ]
        return PUBLIC["cat"](parts)[np.argsort(np.concatenate(order))]

    def __repr__(self) -> str:
        names = ("featmap_names", "output_size", "sampling_ratio")
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)}' for n in names)})"
