"""Losses as modules: ``loss = nn.MSELoss(); loss(output, target)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.losses.reduction import REDUCTIONS, old_words

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class Loss(Module):
    """Base of the losses: ``reduction`` is 'mean', 'sum' or 'none'."""

    function: Any = None
    settings: tuple[str, ...] = ()
    reductions: tuple[str, ...] = REDUCTIONS

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        old_words(type(self).__name__, size_average, reduce)
        if reduction not in self.reductions:
            raise ValueError(f"{reduction} is not a valid value for reduction")
        self.reduction = reduction

    def _loss(self, *args: Any) -> Any:
        """Return the loss."""
        words = {name: getattr(self, name) for name in self.settings}
        return self.function(*args, **words, reduction=self.reduction)

    forward: Callable[..., Any] = _loss


class _Weighted(Loss):
    settings: tuple[str, ...] = ("weight",)
    weight: Tensor | None

    def __init__(
        self, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class MSELoss(Loss):
    """Return the mean of ``(input - target) ** 2``."""

    function = staticmethod(F.mse_loss)

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        return F.mse_loss(input, target, None, None, self.reduction)  # by place: this is the loss of tiny networks


class L1Loss(Loss):
    """Return the mean of ``|input - target|``."""

    function = staticmethod(F.l1_loss)


class SoftMarginLoss(Loss):
    """Return ``log(1 + exp(-target * input))`` for targets 1 and -1."""

    function = staticmethod(F.soft_margin_loss)


class MultiLabelMarginLoss(Loss):
    """Return the hinge loss over pairs of right and wrong classes; -1 ends a list of right ones."""

    function = staticmethod(F.multilabel_margin_loss)


class BCELoss(_Weighted):
    """Return the binary cross-entropy of probabilities; ``weight`` is per element."""

    function = staticmethod(F.binary_cross_entropy)


class MultiLabelSoftMarginLoss(_Weighted):
    """Return the binary cross-entropy of the scores of each class, averaged."""

    function = staticmethod(F.multilabel_soft_margin_loss)


class SmoothL1Loss(Loss):
    """Return ``d² / (2 beta)`` for differences below ``beta``, ``|d| - beta / 2`` above."""

    function = staticmethod(F.smooth_l1_loss)
    settings = ("beta",)

    def __init__(
        self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta


class HuberLoss(Loss):
    """Return ``d² / 2`` for differences below ``delta``, ``delta (|d| - delta / 2)`` above."""

    function = staticmethod(F.huber_loss)
    settings = ("delta",)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(None, None, reduction)
        self.delta = delta


class KLDivLoss(Loss):
    """Return ``target * (log target - input)`` of log-probabilities; reduction may be 'batchmean'."""

    function = staticmethod(F.kl_div)
    settings = ("log_target",)
    reductions = (*REDUCTIONS, "batchmean")

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target


class PoissonNLLLoss(Loss):
    """Return minus the log-likelihood of counts ``target`` whose (log-)rate is ``input``."""

    function = staticmethod(F.poisson_nll_loss)
    settings = ("log_input", "full", "eps")

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps


class GaussianNLLLoss(Loss):
    """Return minus the log-likelihood of ``target`` under a normal distribution (input, target, var)."""

    function = staticmethod(F.gaussian_nll_loss)
    settings = ("full", "eps")

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(None, None, reduction)
        self.full, self.eps = full, eps


class HingeEmbeddingLoss(Loss):
    """Return ``input`` for targets 1, ``max(0, margin - input)`` for -1."""

    function = staticmethod(F.hinge_embedding_loss)
    settings = ("margin",)

    def __init__(
        self, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class MarginRankingLoss(Loss):
    """Return ``max(0, -target * (input1 - input2) + margin)``."""

    function = staticmethod(F.margin_ranking_loss)
    settings = ("margin",)

    def __init__(
        self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class CosineEmbeddingLoss(Loss):
    """Return ``1 - cos`` for targets 1, ``max(0, cos - margin)`` for -1."""

    function = staticmethod(F.cosine_embedding_loss)
    settings = ("margin",)

    def __init__(
        self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class TripletMarginLoss(Loss):
    """Return ``max(0, margin + |anchor - positive| - |anchor - negative|)``."""

    function = staticmethod(F.triplet_margin_loss)
    settings = ("margin", "p", "eps", "swap")

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap


class TripletMarginWithDistanceLoss(Loss):
    """Return the triplet loss with a distance of one's own."""

    function = staticmethod(F.triplet_margin_with_distance_loss)
    settings = ("distance_function", "margin", "swap")

    def __init__(
        self, *, distance_function: Any = None, margin: float = 1.0, swap: bool = False, reduction: str = "mean"
    ) -> None:
        super().__init__(None, None, reduction)
        self.distance_function, self.margin, self.swap = distance_function, margin, swap


class NLLLoss(_Weighted):
    """Return minus the log-probability of the right class; ``weight`` is per class."""

    function = staticmethod(F.nll_loss)
    settings = ("weight", "ignore_index")

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index


class CrossEntropyLoss(_Weighted):
    """Return the cross-entropy of scores (N, C, *) and class numbers (N, *), or class probabilities (N, C, *)."""

    function = staticmethod(F.cross_entropy)
    settings = ("weight", "ignore_index", "label_smoothing")

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing


class BCEWithLogitsLoss(_Weighted):
    """Return the binary cross-entropy of ``sigmoid(input)``; ``pos_weight`` weighs positive targets."""

    function = staticmethod(F.binary_cross_entropy_with_logits)
    settings = ("weight", "pos_weight")
    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)


class MultiMarginLoss(_Weighted):
    """Return the mean over wrong classes of ``max(0, margin - right score + wrong score) ** p``."""

    function = staticmethod(F.multi_margin_loss)
    settings = ("weight", "p", "margin")

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Any = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        super().__init__(weight, size_average, reduce, reduction)
        self.p, self.margin = p, margin


class CTCLoss(Loss):
    """Return how unlikely a sequence of labels is whose alignment with the input nobody knows.

    >>> import tinygrad_lite as tl
    >>> said = tl.zeros(4, 1, 3).log_softmax(-1)  # 4 steps, 1 sequence, 2 labels and the blank
    >>> round(CTCLoss()(said, tl.tensor([[1, 2]]), [4], [2]).item(), 4)
    0.8432
    """

    function = staticmethod(F.ctc_loss)
    settings = ("blank", "zero_infinity")

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity
