"""torchvision's operators on boxes ``(N, 4)`` with corners (x1, y1, x2, y2), and the focal loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import OptionError, ShapeError, describe
from tinygrad_lite.nn import functional as F
from tinygrad_lite.ops.elementwise.arithmetic import maximum, minimum
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.shape.joining import stack

__all__ = [
    "batched_nms", "box_area", "box_convert", "box_iou", "clip_boxes_to_image", "generalized_box_iou", "nms",
    "remove_small_boxes", "sigmoid_focal_loss",
]  # fmt: skip


@named
def box_area(boxes: Any) -> Any:
    """Return the areas, (N,).

    >>> import tinygrad_lite as tl
    >>> boxes = tl.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.0], [5.0, 5.0, 6.0, 6.0]])
    >>> tl.vision.ops.box_area(boxes)
    tensor([4., 2., 1.])
    """
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def _shares(a: Any, b: Any) -> tuple[Any, Any]:
    size = (minimum(a[:, None, 2:], b[:, 2:]) - maximum(a[:, None, :2], b[:, :2])).clamp(min=0)
    inter = size[..., 0] * size[..., 1]
    return inter, box_area(a)[:, None] + box_area(b) - inter


@named
def box_iou(boxes1: Any, boxes2: Any) -> Any:
    """Return intersection over union of each pair, (N, M).

    >>> import tinygrad_lite as tl
    >>> box_iou(tl.tensor([[0.0, 0.0, 2.0, 2.0]]), tl.tensor([[1.0, 0.0, 3.0, 2.0]]))
    tensor([[0.3333]])
    """
    inter, union = _shares(boxes1, boxes2)
    return inter / union


@named
def generalized_box_iou(boxes1: Any, boxes2: Any) -> Any:
    """Return `box_iou` less the part of the smallest box around each pair that neither covers.

    >>> import tinygrad_lite as tl
    >>> tl.vision.ops.generalized_box_iou(tl.tensor([[0.0, 0.0, 2.0, 2.0]]), tl.tensor([[0.0, 0.0, 2.0, 1.0]]))
    tensor([[0.5000]])
    """
    inter, union = _shares(boxes1, boxes2)
    around = (maximum(boxes1[:, None, 2:], boxes2[:, 2:]) - minimum(boxes1[:, None, :2], boxes2[:, :2])).clamp(min=0)
    area = around[..., 0] * around[..., 1]
    return inter / union - (area - union) / area


@named
def nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:
    """Return the indices of the boxes that overlap no kept box of a higher score by more than ``iou_threshold``.

    They come by falling score.

    >>> import tinygrad_lite as tl
    >>> boxes = tl.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9], [5.0, 5.0, 6.0, 6.0]])
    >>> nms(boxes, tl.tensor([0.8, 0.9, 0.3]), 0.5)
    tensor([1, 2])
    """
    b, s = plain(boxes), plain(scores)
    if b.ndim != 2 or b.shape[1] != 4 or s.shape != b.shape[:1]:
        raise ShapeError(f"nms: expected boxes (N, 4) and scores (N,), got {describe(boxes)} and {describe(scores)}")
    order, kept = np.argsort(-s, kind="stable"), []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[box_iou(make(b[None, best]), make(b[order])).array[0] <= iou_threshold]
    return make(new.asarray(kept, np.int64))


@named
def batched_nms(boxes: Any, scores: Any, idxs: Any, iou_threshold: float) -> Any:
    """Return the indices that `nms` keeps in each group of equal ``idxs``, by falling score.

    >>> import tinygrad_lite as tl
    >>> boxes = tl.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9], [0.0, 0.0, 2.0, 2.0]])
    >>> tl.vision.ops.batched_nms(boxes, tl.tensor([0.9, 0.8, 0.7]), tl.tensor([0, 0, 1]), 0.5)
    tensor([0, 2])
    """
    s, groups = plain(scores), plain(idxs)
    kept = []
    for group in np.unique(groups):
        at = np.flatnonzero(groups == group)
        kept.append(at[plain(nms(plain(boxes)[at], s[at], iou_threshold))])
    found = np.concatenate(kept) if kept else new.zeros(0, np.int64)
    return make(new.int64(found[np.argsort(-s[found], kind="stable")]))


@named
def clip_boxes_to_image(boxes: Any, size: tuple[int, int]) -> Any:
    """Return the boxes with all corners inside an image of ``size`` (height, width).

    >>> import tinygrad_lite as tl
    >>> tl.vision.ops.clip_boxes_to_image(tl.tensor([[-1.0, 2.0, 4.0, 9.0]]), (6, 8))
    tensor([[0., 2., 4., 6.]])
    """
    height, width = size
    ends = (width, height, width, height)
    return stack([boxes[..., i].clamp(min=0, max=end) for i, end in enumerate(ends)], -1)


@named
def remove_small_boxes(boxes: Any, min_size: float) -> Any:
    """Return the indices of the boxes whose sides are both at least ``min_size``.

    >>> import tinygrad_lite as tl
    >>> tl.vision.ops.remove_small_boxes(tl.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 0.5]]), 1.0)
    tensor([0])
    """
    b = plain(boxes)
    return make(np.flatnonzero(((b[:, 2:] - b[:, :2]) >= min_size).all(1)))


@named
def box_convert(boxes: Any, in_fmt: str, out_fmt: str) -> Any:
    """Return boxes in another of the formats "xyxy", "xywh" (corner, size) and "cxcywh" (centre, size).

    >>> import tinygrad_lite as tl
    >>> tl.vision.ops.box_convert(tl.tensor([[1.0, 2.0, 4.0, 6.0]]), "xyxy", "xywh")
    tensor([[1., 2., 3., 4.]])
    """
    known = ("xyxy", "xywh", "cxcywh")
    if in_fmt not in known or out_fmt not in known:
        raise OptionError(f"box_convert: formats must be among {', '.join(known)}, got {in_fmt!r} and {out_fmt!r}")
    a, b, c, d = (boxes[..., i] for i in range(4))
    if in_fmt == "xyxy":
        c, d = c - a, d - b
    elif in_fmt == "cxcywh":
        a, b = a - c / 2, b - d / 2
    if out_fmt == "xyxy":
        c, d = a + c, b + d
    elif out_fmt == "cxcywh":
        a, b = a + c / 2, b + d / 2
    return stack([a, b, c, d], -1) if in_fmt != out_fmt else boxes.clone()


@named
def sigmoid_focal_loss(
    inputs: Any, targets: Any, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
) -> Any:
    """Return the focal loss of scores and targets in [0, 1]. Source: Lin et al., arXiv:1708.02002.

    >>> import tinygrad_lite as tl
    >>> tl.vision.ops.sigmoid_focal_loss(tl.tensor([2.0, -1.0]), tl.tensor([1.0, 0.0]))
    tensor([0.0005, 0.0170])
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"Invalid Value for arg 'reduction': '{reduction}'")
    p = inputs.sigmoid()
    missed = 1 - (p * targets + (1 - p) * (1 - targets))
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none") * missed**gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return loss if reduction == "none" else getattr(loss, reduction)()
