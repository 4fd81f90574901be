"""Losses as modules: ``loss = nn.MSELoss(); loss(output, target)``."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any, dataclass_transform

from tinygrad_lite.errors import OptionError
from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.losses.reduction import REDUCTIONS, old_words

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "GaussianNLLLoss",
    "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "MarginRankingLoss",
    "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "NLLLoss2d", "PoissonNLLLoss",
    "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip


Flag = bool | None
"""Type of ``size_average`` and ``reduce``, which PyTorch deprecated in favour of ``reduction``."""


def _constructor(cls: type[Any], kw_only: bool) -> Callable[..., None]:
    """Build ``__init__`` from the annotated fields of a loss.

    Removes the defaults of the fields from the class.
    """
    kind = Parameter.KEYWORD_ONLY if kw_only else Parameter.POSITIONAL_OR_KEYWORD
    fields = [
        Parameter(name, kind, default=cls.__dict__[name], annotation=hint)
        for name, hint in inspect.get_annotations(cls).items()
    ]
    signature = Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *fields])
    for field in fields:
        delattr(cls, field.name)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            given = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}.__init__() {error}") from None
        given.apply_defaults()
        self._start(**{name: value for name, value in given.arguments.items() if name != "self"})

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    __init__.__annotations__ = inspect.get_annotations(cls)
    return __init__


@dataclass_transform()
class Loss(Module):
    """Base of the losses.

    A subclass declares its arguments as fields, like a dataclass, in PyTorch's order, and names its function in the
    class line. The constructor follows from the fields; the function gets every field except the two deprecated ones,
    ``size_average`` and ``reduce``.
    """

    function: Any = None
    reductions: tuple[str, ...] = REDUCTIONS

    def __init_subclass__(cls, *, function: Any = None, kw_only: bool = False, **kwargs: Any) -> None:
        if inspect.get_annotations(cls) and "__init__" not in cls.__dict__ and cls.__module__ == __name__:
            cls.__init__ = _constructor(cls, kw_only)  # type: ignore[method-assign]
        if function is not None:
            cls.function = staticmethod(function)
        super().__init_subclass__(**kwargs)  # it makes the constructor check its arguments

    def __init__(self, size_average: Flag = None, reduce: Flag = None, reduction: str = "mean") -> None:
        self._start(size_average=size_average, reduce=reduce, reduction=reduction)

    def _start(self, **settings: Any) -> None:
        super().__init__()
        old = settings.pop("size_average", None), settings.pop("reduce", None)
        settings["reduction"] = old_words(type(self).__name__, *old, settings["reduction"])
        if settings.get("margin", 1) <= 0 and "swap" in settings:
            raise OptionError(f"{type(self).__name__}: margin must be greater than 0, got {settings['margin']}")
        if settings["reduction"] not in self.reductions:
            raise ValueError(f"{settings['reduction']} is not a valid value for reduction")
        self._settings = tuple(settings)
        for name, value in settings.items():
            if name in ("weight", "pos_weight"):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def _loss(self, *args: Any) -> Any:
        """Return the loss."""
        settings = {name: getattr(self, name) for name in self._settings}
        return self.function(*args, **settings)

    forward: Callable[..., Any] = _loss


class _Plain(Loss):
    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"


class _Weighted(Loss):
    weight: Any = None
    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"


class MSELoss(_Plain, function=F.mse_loss):
    """Compute the mean of ``(input - target) ** 2``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.MSELoss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.0250)
    """

    def forward(self, input: Any, target: Any) -> Any:
        """Return the loss."""
        # positional arguments, because calls take most of the time of a tiny network
        return F.mse_loss(input, target, None, None, self.reduction)


class L1Loss(_Plain, function=F.l1_loss):
    """Compute the mean of ``|input - target|``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.L1Loss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.1500)
    """


class SoftMarginLoss(_Plain, function=F.soft_margin_loss):
    """Compute ``log(1 + exp(-target * input))`` for targets 1 and -1.

    >>> import tinygrad_lite as tl
    >>> tl.nn.SoftMarginLoss()(tl.tensor([0.2, 0.9]), tl.tensor([1.0, -1.0]))
    tensor(0.9196)
    """


class MultiLabelMarginLoss(_Plain, function=F.multilabel_margin_loss):
    """Compute the hinge loss over pairs of a right and a wrong class.

    A row of the target lists the right classes; -1 ends the list.

    >>> import tinygrad_lite as tl
    >>> tl.nn.MultiLabelMarginLoss()(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([[0, 2, -1]]))
    tensor(0.4667)
    """


class BCELoss(_Weighted, function=F.binary_cross_entropy):
    """Compute the binary cross-entropy of probabilities; ``weight`` is per element.

    >>> import tinygrad_lite as tl
    >>> tl.nn.BCELoss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.1643)
    """


class MultiLabelSoftMarginLoss(_Weighted, function=F.multilabel_soft_margin_loss):
    """Compute the binary cross-entropy of each class's score, averaged.

    >>> import tinygrad_lite as tl
    >>> tl.nn.MultiLabelSoftMarginLoss()(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([[1.0, 0.0, 1.0]]))
    tensor(0.5818)
    """


class SmoothL1Loss(Loss, function=F.smooth_l1_loss):
    """Compute ``d² / (2 beta)`` where ``d < beta``, else ``d - beta / 2``.

    ``d`` is ``|input - target|``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.SmoothL1Loss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.0125)
    """

    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"
    beta: float = 1.0


class HuberLoss(Loss, function=F.huber_loss):
    """Compute ``d² / 2`` where ``d < delta``, else ``delta (d - delta / 2)``.

    ``d`` is ``|input - target|``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.HuberLoss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.0125)
    """

    reduction: str = "mean"
    delta: float = 1.0


class KLDivLoss(Loss, function=F.kl_div):
    """Compute ``target * (log target - input)`` for log-probabilities ``input``.

    ``reduction`` may also be 'batchmean': the sum over the batch size.

    >>> import tinygrad_lite as tl
    >>> tl.nn.KLDivLoss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(-0.4500)
    """

    reductions = (*REDUCTIONS, "batchmean")
    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"
    log_target: bool = False


class PoissonNLLLoss(Loss, function=F.poisson_nll_loss):
    """Compute the negative log-likelihood of counts under a Poisson distribution.

    ``input`` is the logarithm of the rate, or with ``log_input=False`` the rate.

    >>> import tinygrad_lite as tl
    >>> tl.nn.PoissonNLLLoss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(1.3905)
    """

    log_input: bool = True
    full: bool = False
    size_average: Flag = None
    eps: float = 1e-8
    reduce: Flag = None
    reduction: str = "mean"


class GaussianNLLLoss(Loss, function=F.gaussian_nll_loss, kw_only=True):
    """Compute the negative log-likelihood under a normal distribution.

    Called with ``(input, target, var)``: mean, observation, variance.

    >>> import tinygrad_lite as tl
    >>> tl.nn.GaussianNLLLoss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]), tl.tensor([1.0, 0.5]))
    tensor(-0.1583)
    """

    full: bool = False
    eps: float = 1e-6
    reduction: str = "mean"


class HingeEmbeddingLoss(Loss, function=F.hinge_embedding_loss):
    """Compute ``input`` for targets 1, ``max(0, margin - input)`` for -1.

    >>> import tinygrad_lite as tl
    >>> tl.nn.HingeEmbeddingLoss()(tl.tensor([0.2, 0.9]), tl.tensor([1.0, -1.0]))
    tensor(0.1500)
    """

    margin: float = 1.0
    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"


class MarginRankingLoss(Loss, function=F.margin_ranking_loss):
    """Compute ``max(0, -target * (input1 - input2) + margin)``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.MarginRankingLoss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]), tl.tensor([1.0, -1.0]))
    tensor(0.)
    """

    margin: float = 0.0
    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"


class CosineEmbeddingLoss(Loss, function=F.cosine_embedding_loss):
    """Compute ``1 - cos`` for targets 1, ``max(0, cos - margin)`` for -1.

    >>> import tinygrad_lite as tl
    >>> tl.nn.CosineEmbeddingLoss()(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]), tl.tensor([1.0]))
    tensor(0.2000)
    """

    margin: float = 0.0
    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"


class TripletMarginLoss(Loss, function=F.triplet_margin_loss):
    """Compute ``max(0, margin + |anchor - positive| - |anchor - negative|)``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.TripletMarginLoss()(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]), tl.tensor([[0.0, 0.0]]))
    tensor(0.1781)
    """

    margin: float = 1.0
    p: float = 2.0
    eps: float = 1e-6
    swap: bool = False
    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"


class TripletMarginWithDistanceLoss(Loss, function=F.triplet_margin_with_distance_loss, kw_only=True):
    """Compute the triplet loss with a distance function of your choice.

    >>> import tinygrad_lite as tl
    >>> tl.nn.TripletMarginWithDistanceLoss()(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]), tl.tensor([[0.0, 0.0]]))
    tensor(0.1781)
    """

    distance_function: Any = None
    margin: float = 1.0
    swap: bool = False
    reduction: str = "mean"


class NLLLoss(Loss, function=F.nll_loss):
    """Compute minus the log-probability of the right class; ``weight`` is per class.

    >>> import tinygrad_lite as tl
    >>> tl.nn.NLLLoss()(tl.tensor([[2.0, 0.5, 0.1]]).log_softmax(1), tl.tensor([0]))
    tensor(0.3168)
    """

    weight: Any = None
    size_average: Flag = None
    ignore_index: int = -100
    reduce: Flag = None
    reduction: str = "mean"


class NLLLoss2d(NLLLoss):
    """The older name of `NLLLoss`.

    >>> import warnings, tinygrad_lite as tl
    >>> with warnings.catch_warnings(action="ignore"):  # deprecated
    ...     loss = tl.nn.NLLLoss2d()
    >>> loss(tl.zeros(1, 2, 3, 3).log_softmax(1), tl.zeros(1, 3, 3, dtype=tl.int64))
    tensor(0.6931)
    """

    def __init__(
        self, weight: Any = None, size_average: Flag = None, ignore_index: int = -100, reduce: Flag = None,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        warnings.warn("`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead.", FutureWarning, stacklevel=2)
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


class CrossEntropyLoss(Loss, function=F.cross_entropy):
    """Compute the cross-entropy of scores (N, C, *) and targets.

    Targets are class numbers (N, *) or class probabilities (N, C, *).

    >>> import tinygrad_lite as tl
    >>> tl.nn.CrossEntropyLoss()(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([0]))
    tensor(0.3168)
    """

    weight: Any = None
    size_average: Flag = None
    ignore_index: int = -100
    reduce: Flag = None
    reduction: str = "mean"
    label_smoothing: float = 0.0


class BCEWithLogitsLoss(Loss, function=F.binary_cross_entropy_with_logits):
    """Compute the binary cross-entropy of ``sigmoid(input)``.

    ``pos_weight`` weighs positive targets.

    >>> import tinygrad_lite as tl
    >>> tl.nn.BCEWithLogitsLoss()(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))
    tensor(0.5696)
    """

    weight: Any = None
    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"
    pos_weight: Any = None


class MultiMarginLoss(Loss, function=F.multi_margin_loss):
    """Compute the mean of ``max(0, margin - right score + wrong score) ** p``.

    The mean is over the wrong classes.

    >>> import tinygrad_lite as tl
    >>> tl.nn.MultiMarginLoss()(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([0]))
    tensor(0.)
    """

    p: int = 1
    margin: float = 1.0
    weight: Any = None
    size_average: Flag = None
    reduce: Flag = None
    reduction: str = "mean"

    def _start(self, **settings: Any) -> None:
        if settings["p"] not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        super()._start(**settings)


class CTCLoss(Loss, function=F.ctc_loss):
    """Compute the CTC loss of label sequences with unknown alignment to the input.

    >>> import tinygrad_lite as tl
    >>> log_probs = tl.zeros(4, 1, 3).log_softmax(-1)  # 4 steps, 1 sequence, 2 labels and the blank
    >>> round(CTCLoss()(log_probs, tl.tensor([[1, 2]]), [4], [2]).item(), 4)
    0.8432
    """

    blank: int = 0
    reduction: str = "mean"
    zero_infinity: bool = False
