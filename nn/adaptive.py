"""A softmax over many classes in clusters: frequent classes are cheap, rare ones share small layers.

Source: Grave, Joulin, Cissé, Grangier, Jégou, Efficient softmax approximation for GPUs, 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.container import ModuleList, Sequential
from tinygrad_lite.nn.linear import Linear
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.getitem import plain
from tinygrad_lite.ops.shape.joining import cat

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class ASMoutput(NamedTuple):
    """The log-probability of each target, and the loss."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Compute the loss of a softmax over many classes, sorted by how often they occur.

    ``cutoffs`` divide the classes: the first ones have their own outputs in ``head``, each further cluster has one
    output there and a smaller network in ``tail``, whose width falls by ``div_value`` from cluster to cluster.
    ``forward(input, target)`` returns the log-probabilities of the targets and the loss.

    >>> import tinygrad_lite as tl
    >>> layer = AdaptiveLogSoftmaxWithLoss(8, 10, [4, 7])
    >>> layer(tl.ones(3, 8), tl.tensor([0, 5, 9])).output.shape, layer.log_prob(tl.ones(3, 8)).shape
    ((3,), (3, 10))
    """

    def __init__(
        self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
        head_bias: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        given = list(cutoffs)
        if not given:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if given != sorted({int(c) for c in given}) or given[0] <= 0 or given[-1] > n_classes - 1:
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                "value is between 1 and n_classes-1"
            )
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*given, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = given[0], len(given)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width, size = int(in_features // div_value ** (i + 1)), self.cutoffs[i + 1] - self.cutoffs[i]
            first = Linear(in_features, width, False, device, dtype)
            self.tail.append(Sequential(first, Linear(width, size, False, device, dtype)))

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        self.head.reset_parameters()
        for projection in self.tail:
            for layer in projection.children():
                layer.reset_parameters()

    def forward(self, input_: Any, target_: Any) -> ASMoutput:
        """Return the log-probabilities of the targets, and the mean of their negatives."""
        if target_.ndim > 1:
            raise ShapeError("AdaptiveLogSoftmaxWithLoss: 0D or 1D target tensor expected, multi-target not supported")
        if input_.ndim != target_.ndim + 1 or tuple(input_.shape[:-1]) != tuple(target_.shape):
            raise ShapeError(
                f"AdaptiveLogSoftmaxWithLoss: Input and target should have the same size in the batch dimension, got "
                f"{describe(input_)} and {describe(target_)}"
            )
        alone = target_.ndim == 0
        x = input_.reshape((1, -1)) if alone else input_
        target = new.asarray(plain(target_)).reshape(-1)
        if target.size and (target.min() < 0 or target.max() >= self.n_classes):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{target.min()}, "
                f"{target.max()}] were found. "
            )
        cluster = np.searchsorted(self.cutoffs, target, side="right")  # 0 for the shortlist
        column = np.where(cluster == 0, target, self.shortlist_size + cluster - 1)
        output = F.log_softmax(self.head(x), 1)[np.arange(target.size), column]
        for i, projection in enumerate(self.tail):
            rows = np.flatnonzero(cluster == i + 1)
            if rows.size:
                each = F.log_softmax(projection(x[rows]), 1)
                local = each[np.arange(rows.size), target[rows] - self.cutoffs[i]]
                output = output.index_add(0, rows, local)
        loss = -output.mean()
        return ASMoutput(output.reshape(()) if alone else output, loss)

    def log_prob(self, input: Any) -> Any:
        """Return the log-probabilities of all classes (N, n_classes)."""
        head = F.log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, projection in enumerate(self.tail):
            place = self.shortlist_size + i
            parts.append(F.log_softmax(projection(input), 1) + head[:, place : place + 1])
        return cat(parts, 1)

    def predict(self, input: Any) -> Any:
        """Return the most probable class of each sample; clusters are computed only if one of them may win."""
        best = self.head(input).argmax(1)
        if not (best.array >= self.shortlist_size).any():
            return best
        return where(best < self.shortlist_size, best, self.log_prob(input).argmax(1))
