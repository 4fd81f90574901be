"""Losses, for models that return theirs."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.onnx.rules.table import SINGLE, rule

SINGLE.update(nll_loss="NegativeLogLikelihoodLoss", cross_entropy_index="SoftmaxCrossEntropyLoss")


def reduced(g: Any, x: Any, reduction: str) -> Any:
    """Return the losses of single elements, their mean or their sum."""
    if reduction == "none":
        return x
    return g.node({"mean": "ReduceMean", "sum": "ReduceSum"}[reduction], [x], keepdims=0)


@rule("mse_loss")
def _mse_loss(g: Any, input: Any, target: Any, reduction: Any) -> Any:
    away = g.Sub(input, target)
    return reduced(g, g.Mul(away, away), reduction)


@rule("binary_cross_entropy")
def _binary_cross_entropy(g: Any, c: Any, input: Any, target: Any, reduction: Any, eps: Any) -> Any:
    if eps is None:
        right = g.Max(g.Log(input), c(-100))
        wrong = g.Max(g.Log(g.Sub(c(1), input)), c(-100))
    else:
        p = g.Clip(input, c(eps), c(1 - eps))
        right, wrong = g.Log(p), g.Log(g.Sub(c(1), p))
    each = g.Sub(g.Mul(g.Sub(target, c(1)), wrong), g.Mul(target, right))
    return reduced(g, each, reduction)


@rule("bce_logits")
def _bce_logits(g: Any, c: Any, input: Any, target: Any, reduction: Any) -> Any:
    tail = g.Log(g.Add(c(1), g.Exp(g.Neg(g.Abs(input)))))
    return reduced(g, g.Add(g.Sub(g.Max(input, c(0)), g.Mul(input, target)), tail), reduction)


def _by_class(kind: str) -> Any:
    def convert(g: Any, y: Any, input: Any, target: Any, weight: Any, ignore_index: Any, reduction: Any) -> Any:
        if input.ndim == 1:  # one example without a batch axis
            found = g.node(kind, [g.Unsqueeze(input, [0]), g.Unsqueeze(target, [0]), weight],
                           ignore_index=int(ignore_index), reduction=reduction)  # fmt: skip
            return g.Squeeze(found, [0]) if reduction == "none" else found
        return g.node(kind, [input, target, weight], ignore_index=int(ignore_index), reduction=reduction)

    return convert


rule("nll_loss")(_by_class("NegativeLogLikelihoodLoss"))
rule("cross_entropy_index")(_by_class("SoftmaxCrossEntropyLoss"))
