"""Operators that reduce, sort and multiply."""

from __future__ import annotations

from typing import Any

import numpy as np

import tinygrad_lite.nn.functional as F
from tinygrad_lite.engine.op import PUBLIC as P
from tinygrad_lite.errors import FileError
from tinygrad_lite.onnx.operators.table import OPERATORS, array_of, bounded, ints, operator, tensor


def _log_sum_exp(x: Any, dim: Any, keep: bool) -> Any:
    return P["logsumexp"](x, dim, keep)


REDUCTIONS: dict[str, Any] = {
    "ReduceSum": P["sum"], "ReduceMean": P["mean"], "ReduceProd": P["prod"], "ReduceMax": P["amax"],
    "ReduceMin": P["amin"], "ReduceL1": lambda x, dim, keep: P["sum"](P["abs"](x), dim, keep),
    "ReduceL2": lambda x, dim, keep: P["norm"](x, 2, dim, keep), "ReduceLogSumExp": _log_sum_exp,
    "ReduceLogSum": lambda x, dim, keep: P["log"](P["sum"](x, dim, keep)),
    "ReduceSumSquare": lambda x, dim, keep: P["sum"](x * x, dim, keep),
}  # fmt: skip


def _reduction(kind: str, function: Any) -> None:
    def run(x: Any, which: Any = None, axes: Any = None, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Any:
        given = axes if which is None else which
        at = [] if given is None else ints(given)
        if not at and noop_with_empty_axes or not x.ndim:
            return x
        found = function(x, tuple(at) if at else tuple(range(x.ndim)), bool(keepdims))
        return found if found.dtype == x.dtype else found.to(x.dtype)

    OPERATORS[kind] = run


for _kind, _function in REDUCTIONS.items():
    _reduction(_kind, _function)


def _extreme(kind: str, name: str) -> None:
    def run(x: Any, axis: int = 0, keepdims: int = 1, select_last_index: int = 0) -> Any:
        if not select_last_index:
            return P[name](x, axis, bool(keepdims))
        return x.shape[axis] - 1 - P[name](x.flip((axis,)), axis, bool(keepdims))

    OPERATORS[kind] = run


_extreme("ArgMax", "argmax")
_extreme("ArgMin", "argmin")


@operator("CumSum", "CumProd")
def _cumsum(x: Any, axis: Any, exclusive: int = 0, reverse: int = 0, *, kind: str) -> Any:
    (at,) = ints(axis)
    x = x.flip((at,)) if reverse else x
    y = P["cumsum" if kind == "CumSum" else "cumprod"](x, at)
    if exclusive:
        first = P["narrow"](y, at, 0, 1)
        start = first * 0 if kind == "CumSum" else first * 0 + 1
        y = P["cat"]([start, P["narrow"](y, at, 0, y.shape[at] - 1)], at)
    return (y.flip((at,)) if reverse else y).to(x.dtype)


@operator("TopK")
def _topk(x: Any, count: Any = None, k: int | None = None, axis: int = -1, largest: int = 1, sorted: int = 1) -> Any:
    n = k if count is None else ints(count)[0]
    return tuple(P["topk"](x, n, axis, bool(largest)))


# ------------------------------------------------------------------------------------------------ products, losses
@operator("MatMul")
def _matmul(x: Any, y: Any) -> Any:
    return P["matmul"](x, y)


@operator("Gemm")
def _gemm(
    a: Any, b: Any, c: Any = None, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0,
    broadcast: int = 1,
) -> Any:  # fmt: skip
    a = a.reshape((a.shape[0], -1)) if a.ndim > 2 else a
    x = P["matmul"](a.t() if transA else a, b.t() if transB else b)
    x = x if alpha == 1 else x * alpha
    return x if c is None else x + (c if beta == 1 else c * beta)


@operator("Einsum")
def _einsum(*xs: Any, equation: str) -> Any:
    if len(equation) > 200 or len(set(equation) & set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")) > 26:
        raise FileError(f"onnx.load: the equation {equation[:40]!r} of an Einsum is too long")
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    sizes = {c: n for term, x in zip(inputs.split(","), xs, strict=False) for c, n in zip(term, x.shape, strict=False)}
    if arrow and "." not in equation:
        bounded([sizes.get(c, 1) for c in output])
    return P["einsum"](equation, *xs)


@operator("NegativeLogLikelihoodLoss")
def _nll(x: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    return F.nll_loss(x, target.long(), weight, ignore_index=ignore_index, reduction=reduction)


@operator("SoftmaxCrossEntropyLoss")
def _cross_entropy(
    x: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", *, outputs: int
) -> Any:
    found = F.cross_entropy(x, target.long(), weight, ignore_index=ignore_index, reduction=reduction)
    return found if outputs == 1 else (found, P["log_softmax"](x, 1))


@operator("Unique")
def _unique(x: Any, axis: int | None = None, sorted: int = 1, *, outputs: int) -> Any:
    values, first, inverse, counts = np.unique(array_of(x), True, True, True, axis=axis)
    found = tuple(tensor(v) for v in (values, first, inverse.reshape(-1), counts))
    return found[:outputs] if outputs > 1 else found[0]
