"""Losses: reductions, weights, targets of every kind and wrong calls."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.parity.modules import Row

ROWS: list[Row] = []
rng = np.random.default_rng(0)


def row(name: str, make: Any, *inputs: Any, **more: Any) -> None:
    ROWS.append(Row(name, make, inputs, modes=(True,), **more))


def each(name: str, make: Any, *inputs: Any, **more: Any) -> None:
    for reduction in ("mean", "sum", "none"):
        row(f"{name} {reduction}", lambda nn, r=reduction: make(nn, r), *inputs, **more)


SIGN = np.where(rng.random((4, 3)) < 0.5, -1.0, 1.0)
SIGNS = SIGN[:, 0]


for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"):
    each(name, lambda nn, r, name=name: getattr(nn, name)(reduction=r), (4, 3), (4, 3))
each(
    "TripletMarginWithDistanceLoss",
    lambda nn, r: nn.TripletMarginWithDistanceLoss(margin=0.5, swap=r == "sum", reduction=r),
    *[(4, 3)] * 3,
    shown=False,
)
each("SmoothL1Loss(0.5)", lambda nn, r: nn.SmoothL1Loss(reduction=r, beta=0.5), (4, 3), (4, 3))
each("SmoothL1Loss(0)", lambda nn, r: nn.SmoothL1Loss(reduction=r, beta=0.0), (4, 3), (4, 3))
each("HuberLoss(2)", lambda nn, r: nn.HuberLoss(reduction=r, delta=2.0), (4, 3), (4, 3))
each("BCELoss", lambda nn, r: nn.BCELoss(reduction=r), (4, 3), (4, 3), values=(0.01, 0.99))
each("BCELoss weight", lambda nn, r: nn.BCELoss(_w(nn, (4, 3)), reduction=r), (4, 3), (4, 3), values=(0.01, 0.99))
each("BCEWithLogitsLoss", lambda nn, r: nn.BCEWithLogitsLoss(reduction=r), (4, 3), (4, 3))
each(
    "BCEWithLogitsLoss weights",
    lambda nn, r: nn.BCEWithLogitsLoss(_w(nn, (4, 3)), pos_weight=_w(nn, (3,)), reduction=r),
    (4, 3),
    (4, 3),
)


def _w(nn: Any, shape: Any) -> Any:
    """Weights as a tensor of the library that ``nn`` belongs to."""
    import torch

    import tinygrad_lite as tl

    values = np.random.default_rng(5).uniform(0.5, 2, shape)
    return (torch if nn is torch.nn else tl).tensor(values)


for shape, target in [((5, 4), (5,)), ((4,), ()), ((5, 4, 3), (5, 3)), ((2, 4, 3, 2), (2, 3, 2))]:
    t = rng.integers(0, 4, target)
    ignored = np.where(rng.random(target) < 0.3, -100, t)
    ignored = ignored if (ignored >= 0).any() else t
    more: Any = {"strided": len(shape) < 4}
    for loss in ("NLLLoss", "CrossEntropyLoss"):
        each(f"{loss} {shape}", lambda nn, r, k=loss: getattr(nn, k)(reduction=r), shape, t, **more)
        each(
            f"{loss} {shape} weight", lambda nn, r, k=loss: getattr(nn, k)(_w(nn, (4,)), reduction=r), shape, t, **more
        )
        each(
            f"{loss} {shape} ignored",
            lambda nn, r, k=loss: getattr(nn, k)(_w(nn, (4,)), reduction=r),
            shape,
            ignored,
            **more,
        )
        each(
            f"{loss} {shape} ignore 2",
            lambda nn, r, k=loss: getattr(nn, k)(ignore_index=2, reduction=r),
            shape,
            np.where(t == 2, 1, t),
            **more,
        )
    each(
        f"CrossEntropyLoss {shape} smooth",
        lambda nn, r: nn.CrossEntropyLoss(reduction=r, label_smoothing=0.2),
        shape,
        ignored,
    )
    each(
        f"CrossEntropyLoss {shape} smooth weight",
        lambda nn, r: nn.CrossEntropyLoss(_w(nn, (4,)), reduction=r, label_smoothing=0.2),
        shape,
        ignored,
    )
    each(f"CrossEntropyLoss {shape} probabilities", lambda nn, r: nn.CrossEntropyLoss(reduction=r), shape, shape)
    each(
        f"CrossEntropyLoss {shape} probabilities smooth weight",
        lambda nn, r: nn.CrossEntropyLoss(_w(nn, (4,)), reduction=r, label_smoothing=0.1),
        shape,
        shape,
    )

for reduction in ("mean", "sum", "none", "batchmean"):
    row(f"KLDivLoss {reduction}", lambda nn, r=reduction: nn.KLDivLoss(reduction=r), (4, 3), (4, 3), values=(0.1, 1.0))
    row(
        f"KLDivLoss log {reduction}", lambda nn, r=reduction: nn.KLDivLoss(reduction=r, log_target=True), (4, 3), (4, 3)
    )
each("PoissonNLLLoss", lambda nn, r: nn.PoissonNLLLoss(reduction=r), (4, 3), (4, 3), values=(0.1, 5.0))
each(
    "PoissonNLLLoss full",
    lambda nn, r: nn.PoissonNLLLoss(log_input=False, full=True, reduction=r),
    (4, 3),
    (4, 3),
    values=(0.1, 5.0),
)
each("GaussianNLLLoss", lambda nn, r: nn.GaussianNLLLoss(reduction=r), (4, 3), (4, 3), (4, 3), values=(0.1, 2.0))
each(
    "GaussianNLLLoss full",
    lambda nn, r: nn.GaussianNLLLoss(full=True, eps=0.5, reduction=r),
    (4, 3),
    (4, 3),
    (4, 1),
    values=(0.1, 2.0),
)
each("HingeEmbeddingLoss", lambda nn, r: nn.HingeEmbeddingLoss(0.7, reduction=r), (4, 3), SIGN.astype(np.int64))
each("SoftMarginLoss", lambda nn, r: nn.SoftMarginLoss(reduction=r), (4, 3), SIGN.astype(np.int64))
each("MarginRankingLoss", lambda nn, r: nn.MarginRankingLoss(0.3, reduction=r), (4,), (4,), SIGNS.astype(np.int64))
each("MultiMarginLoss", lambda nn, r: nn.MultiMarginLoss(reduction=r), (5, 4), rng.integers(0, 4, 5))
each("MultiMarginLoss p 2", lambda nn, r: nn.MultiMarginLoss(2, 0.5, reduction=r), (5, 4), rng.integers(0, 4, 5))
each(
    "MultiMarginLoss weight",
    lambda nn, r: nn.MultiMarginLoss(1, 0.5, _w(nn, (4,)), reduction=r),
    (5, 4),
    rng.integers(0, 4, 5),
)
LABELS = np.array([[3, 0, -1, 1], [2, -1, 0, 0], [-1, 1, 1, 1], [0, 1, 2, 3]])
each("MultiLabelMarginLoss", lambda nn, r: nn.MultiLabelMarginLoss(reduction=r), (4, 4), LABELS)
each("MultiLabelSoftMarginLoss", lambda nn, r: nn.MultiLabelSoftMarginLoss(reduction=r), (4, 3), (4, 3))
each(
    "MultiLabelSoftMarginLoss weight",
    lambda nn, r: nn.MultiLabelSoftMarginLoss(_w(nn, (3,)), reduction=r),
    (4, 3),
    (4, 3),
)
each(
    "CosineEmbeddingLoss",
    lambda nn, r: nn.CosineEmbeddingLoss(0.2, reduction=r),
    (4, 3),
    (4, 3),
    SIGNS.astype(np.int64),
)
each("TripletMarginLoss", lambda nn, r: nn.TripletMarginLoss(reduction=r), (4, 3), (4, 3), (4, 3))
each(
    "TripletMarginLoss swap",
    lambda nn, r: nn.TripletMarginLoss(0.5, p=1.0, swap=True, reduction=r),
    (4, 3),
    (4, 3),
    (4, 3),
)

WRONG: dict[str, Any] = {
    "CrossEntropyLoss class": lambda lib, nn: nn.CrossEntropyLoss()(lib.ones(2, 3), lib.tensor([0, 3])),
    "CrossEntropyLoss batch": lambda lib, nn: nn.CrossEntropyLoss()(lib.ones(2, 3), lib.tensor([0, 1, 2])),
    "CrossEntropyLoss smoothing": lambda lib, nn: nn.CrossEntropyLoss(label_smoothing=1.5)(
        lib.ones(2, 3), lib.tensor([0, 1])
    ),
    "CrossEntropyLoss weight": lambda lib, nn: nn.CrossEntropyLoss(lib.ones(4))(lib.ones(2, 3), lib.tensor([0, 1])),
    "NLLLoss dtype": lambda lib, nn: nn.NLLLoss()(lib.ones(2, 3), lib.tensor([0.0, 1.0])),
    "BCELoss range": lambda lib, nn: nn.BCELoss()(lib.ones(2) * 3, lib.ones(2)),
    "BCELoss shapes": lambda lib, nn: nn.BCELoss()(lib.ones(2), lib.ones(3)),
    "BCEWithLogitsLoss shapes": lambda lib, nn: nn.BCEWithLogitsLoss()(lib.ones(2, 1), lib.ones(2)),
    "HuberLoss delta": lambda lib, nn: nn.HuberLoss(delta=0.0)(lib.ones(2), lib.ones(2)),
    "MSELoss shapes": lambda lib, nn: nn.MSELoss()(lib.ones(2), lib.ones(3)),
    "reduction": lambda lib, nn: nn.functional.mse_loss(lib.ones(2), lib.ones(2), reduction="median"),
    "MultiMarginLoss p": lambda lib, nn: nn.MultiMarginLoss(p=3),
    "MarginRankingLoss axes": lambda lib, nn: nn.MarginRankingLoss()(lib.ones(2), lib.ones(2, 1), lib.ones(2)),
    "GaussianNLLLoss var": lambda lib, nn: nn.GaussianNLLLoss()(lib.ones(2), lib.ones(2), -lib.ones(2)),
}
