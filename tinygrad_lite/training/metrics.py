"""Metrics: functions of the output and the target of one batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ShapeError, describe


def bare(value: Any) -> Any:
    """Return the array of a tensor."""
    return value.array if isinstance(value, Tensor) else np.asarray(value)


def accuracy(output: Any, target: Any) -> float:
    """Return the fraction of correct predictions.

    ``output``: scores (batch, classes, ...) with class numbers (batch, ...) as ``target``; or scores of two classes in
    the shape of ``target``, with the threshold 0.5 when all lie between 0 and 1 and 0 otherwise. Raises ShapeError for
    other shapes.

    >>> import tinygrad_lite as tl
    >>> accuracy(tl.tensor([[0.1, 0.9], [0.8, 0.2]]), tl.tensor([1, 1]))
    0.5
    """
    scores, truth = bare(output), bare(target)
    if scores.ndim == truth.ndim + 1 and scores.shape[:1] + scores.shape[2:] == truth.shape:
        right = scores.argmax(1) == truth
    elif scores.shape == truth.shape:
        probabilities = scores.size and scores.min() >= 0 and scores.max() <= 1
        right = (scores > (0.5 if probabilities else 0.0)) == (truth > 0.5)
    else:
        raise ShapeError(f"accuracy: output {describe(output)} does not fit target {describe(target)}")
    return float(right.mean()) if right.size else float("nan")
