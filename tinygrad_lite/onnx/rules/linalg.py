"""Products, norms, distances and what there is of linear algebra."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_lite.onnx.rules.reductions import axes_of
from tinygrad_lite.onnx.rules.table import SINGLE, refuse, rule

SINGLE.update(matmul="MatMul", linear="Gemm", einsum="Einsum", det="Det")
refuse("inv solve solve_triangle pinv cholesky qr eigh svd packed_lu", "ONNX has no decompositions and no solver")
refuse("cofactor cofactor_slope unknown eigenvalue_slope singular_value_slope", "it occurs in gradients only")


@rule("matmul")
def _matmul(g: Any, input: Any, other: Any) -> Any:
    return g.MatMul(input, other)


@rule("linear")
def _linear(g: Any, input: Any, weight: Any, bias: Any) -> Any:
    if input.ndim == 2 and weight.ndim == 2 and (bias is None or bias.ndim == 1):
        return g.Gemm(input, weight, bias, transB=1)
    y = g.MatMul(input, g.Transpose(weight, perm=[1, 0]) if weight.ndim == 2 else weight)
    y = y if bias is None else g.Add(y, bias)
    g.origin[y] = "linear", {"input": input, "weight": weight, "bias": bias}
    return y


@rule("einsum")
def _einsum(g: Any, operands: Any, subscripts: Any) -> Any:
    return g.node("Einsum", operands, equation=subscripts)


@rule("det")
def _det(g: Any, A: Any) -> Any:
    return g.Det(A)


@rule("slogdet")
def _slogdet(g: Any, A: Any) -> Any:
    det = g.Det(A)
    return [g.Sign(det), g.Log(g.Abs(det))]


@rule("p_norm")
def _p_norm(g: Any, c: Any, input: Any, p: Any, dim: Any, keepdim: Any) -> Any:
    axes, keep = axes_of(dim, input.ndim), int(keepdim)
    if not input.ndim:
        return g.Abs(input)
    if p in (1, 2):
        return g.node("ReduceL1" if p == 1 else "ReduceL2", [input, axes], keepdims=keep)
    if p == 0:
        return g.ReduceSum(g.cast(g.cast(input, bool), input.dtype), axes, keepdims=keep)
    if math.isinf(p):
        return g.node("ReduceMax" if p > 0 else "ReduceMin", [g.Abs(input), axes], keepdims=keep)
    return g.Pow(g.ReduceSum(g.Pow(g.Abs(input), c(p)), axes, keepdims=keep), c(1 / p))


@rule("squared_distances")
def _squared_distances(g: Any, input: Any, centers: Any) -> Any:
    away = g.Sub(g.Unsqueeze(input, [1]), g.Unsqueeze(centers, [0]))
    return g.ReduceSum(g.Mul(away, away), [2], keepdims=0)


@rule("euclidean")
def _euclidean(g: Any, first: Any, second: Any) -> Any:
    return g.Sqrt(_squared_distances(g, first, second))
