"""Which results lie in the memory of their operand, also where the operation has nothing to do: as in PyTorch."""
# ruff: noqa: E501 - a table

from __future__ import annotations

import warnings
from typing import Any

import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")

METHODS = """repeat(1,1,1,1) tile(1) roll(0,0) flip([]) flip(0) repeat_interleave(1,0) nan_to_num() clamp(-9,9) relu() sum(0) mean(0) prod(0) amax(0)
norm(dim=0) logsumexp(0) cumsum(0) cumprod(0) tril(9) triu(-9) clone() contiguous() diff(n=0) rot90(0) rot90(4) abs() renorm(2,0,999.0) detach() data
view(4) reshape(4) flatten() squeeze(0) movedim(0,1) expand(1,1,2,2) diagonal() nanmean(0) softmax(0) matrix_power(1) index_select(0,T.tensor([0]))
gather(0,T.zeros(1,1,2,2).long()) take(T.arange(4)) masked_fill(x>99,0.0) index_fill(0,T.zeros(0).long(),1.0) scatter(0,T.zeros(0,1,2,2).long(),1.0)
index_add(0,T.zeros(0).long(),T.ones(0,1,2,2)) scatter_reduce(0,T.zeros(0,1,2,2).long(),x,"sum") to(T.float32) to(T.float32,copy=True)"""
FUNCTIONS = """unfold(x,1) unfold(x,(2,2)) fold(x.reshape(1,1,4),(2,2),1) avg_pool2d(x,1) max_pool2d(x,1) interpolate(x,scale_factor=1)
interpolate(x,size=(2,2),mode="bilinear") interpolate(x,size=(2,2),mode="bicubic",align_corners=True) pad(x,(0,0)) pad(x,(-1,0)) pad(x[0],(0,0),mode="reflect") pad(x[0],(0,0),mode="circular") pad(x[0],(0,0),mode="replicate")
pixel_shuffle(x,1) pixel_unshuffle(x,1) channel_shuffle(x,1) dropout(x,0.0) dropout(x,training=False) adaptive_avg_pool2d(x,2) adaptive_max_pool2d(x,2)
normalize(x,dim=0) threshold(x,-99,0) leaky_relu(x,1.0) hardtanh(x,-99,99) alpha_dropout(x,0.0) embedding(T.tensor([0,1]),x[0,0]) max_unpool2d(x,T.arange(4).reshape(1,1,2,2),1)"""
CALLS = [
    *(f"x.{m}" for m in METHODS.split()), *(f"F.{f}" for f in FUNCTIONS.split()),
    "T.cat([x])", "T.cat([x, T.ones(0)])", "T.stack([x])", "T.einsum('abcd->abcd', x)", "T.einsum('abcd->dcba', x)",
    "T.einsum('aacd->cd', x)", "T.where(x > -99, x, x)", "T.lerp(x, x, 0.0)", "T.as_tensor(x)", "x[x > -99]", "x[[0]]",
    "x[...]", "x ** 1", "x * 1", "x + 0", "+x", "x.split(1)[0]", "x.sort(0)[0]", "x.topk(1, 0)[0]", "x.max(0)[0]",
    "T.block_diag(x[0, 0])", "T.hstack([x])", "T.atleast_2d(x)", "T.cartesian_prod(x.flatten())", "T.kron(x, T.ones(1))",
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_write_to_the_operand(call: str) -> None:
    changed = []
    for T in (torch, tl):
        x = T.arange(4.0).reshape(1, 1, 2, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            y: Any = eval(call, {"T": T, "F": T.nn.functional, "x": x})
        before = y.tolist()
        x.add_(100)
        changed.append(y.tolist() != before)
    assert changed[1] == changed[0]
