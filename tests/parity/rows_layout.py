"""Calls whose results' layout is compared with PyTorch's, of functions that have no row in the other tables."""
# ruff: noqa: E501 - a table, one call per line

from __future__ import annotations

import copy
from typing import Any

import numpy as np

rng = np.random.default_rng(0)


def floats(*shape: int) -> Any:
    return rng.uniform(-1, 1, shape).astype("float32")


def definite(n: int, *batch: int) -> Any:
    a = floats(*batch, n, n)
    return (a @ a.swapaxes(-1, -2) + n * np.eye(n)).astype("float32")


IMAGE = floats(2, 3, 4, 5)
ONE_IMAGE: dict[str, Any] = {
    "layer_norm": lambda lib, x: lib.nn.functional.layer_norm(x, (4, 5)),
    "rms_norm": lambda lib, x: lib.nn.functional.rms_norm(x, (5,)),
    "group_norm": lambda lib, x: lib.nn.functional.group_norm(x, 3),
    "instance_norm": lambda lib, x: lib.nn.functional.instance_norm(x),
    "batch_norm": lambda lib, x: lib.nn.functional.batch_norm(x, lib.zeros(3), lib.ones(3)),
    "batch_norm training": lambda lib, x: lib.nn.functional.batch_norm(x, lib.zeros(3), lib.ones(3), training=True),
    "local_response_norm": lambda lib, x: lib.nn.functional.local_response_norm(x, 2),
    "glu": lambda lib, x: lib.nn.functional.glu(x, 2),
    "softmin": lambda lib, x: lib.nn.functional.softmin(x, 1),
    "dropout eval": lambda lib, x: lib.nn.functional.dropout(x, 0.5, False),
    "dropout all": lambda lib, x: lib.nn.functional.dropout(x, 0.999999),
    "dropout2d": lambda lib, x: lib.nn.functional.dropout2d(x, 0.5),
    "lp_pool2d": lambda lib, x: lib.nn.functional.lp_pool2d(x, 2, 2),
    "prelu": lambda lib, x: lib.nn.functional.prelu(x, lib.ones(3)),
    "threshold": lambda lib, x: lib.nn.functional.threshold(x, 0.0, 1.0),
    "hardtanh": lambda lib, x: lib.nn.functional.hardtanh(x),
    "softsign": lambda lib, x: lib.nn.functional.softsign(x),
    "tanhshrink": lambda lib, x: lib.nn.functional.tanhshrink(x),
    "gelu tanh": lambda lib, x: lib.nn.functional.gelu(x, approximate="tanh"),
    "silu": lambda lib, x: lib.nn.functional.silu(x),
    "relu": lambda lib, x: lib.nn.functional.relu(x),
    "bernoulli": lambda lib, x: lib.bernoulli(x.abs()),
    "poisson": lambda lib, x: lib.poisson(x.abs()),
    "normal": lambda lib, x: lib.normal(x, 1.0),
    "rand_like": lambda lib, x: lib.rand_like(x),
    "randn_like": lambda lib, x: lib.randn_like(x),
    "randint_like": lambda lib, x: lib.randint_like(x, 3),
    "empty_like": lambda lib, x: lib.empty_like(x),
    "full_like": lambda lib, x: lib.full_like(x, 2.0),
    "new_ones": lambda lib, x: x.new_ones(x.shape),
    "new_tensor": lambda lib, x: x.new_tensor(x),
    "tensor": lambda lib, x: lib.tensor(x),
    "as_tensor": lambda lib, x: lib.as_tensor(x),
    "detach": lambda lib, x: x.detach(),
    "data": lambda lib, x: x.data,
    "double": lambda lib, x: x.double(),
    "to copy": lambda lib, x: x.to(lib.float32, copy=True),
    "contiguous": lambda lib, x: x.contiguous(),
    "type_as": lambda lib, x: x.type_as(lib.ones(1).double()),
    "deepcopy": lambda lib, x: copy.deepcopy(x),
    "cumsum": lambda lib, x: x.cumsum(1),
    "unfold method": lambda lib, x: x.unfold(1, 2, 1),
    "chunk": lambda lib, x: x.chunk(2, 1),
    "neg": lambda lib, x: -x,
    "iadd": lambda lib, x: x.clone().add_(1),
    "fill_": lambda lib, x: x.clone().fill_(1),
    "masked_fill": lambda lib, x: x.masked_fill(x > 0, 1.0),
    "index mask": lambda lib, x: x[x > 0],
    "index last": lambda lib, x: x[..., [0, 1]],
    "index two": lambda lib, x: x[:, [0, 1], :, [0, 1]],
    "index rows": lambda lib, x: x[[1, 0]],
    "index none": lambda lib, x: x[:, None, 0],
    "softmax": lambda lib, x: x.softmax(-1),
    "argmax": lambda lib, x: x.argmax(1),
    "max": lambda lib, x: x.max(1),
    "std": lambda lib, x: x.std(1),
    "norm": lambda lib, x: x.norm(dim=1),
    "where": lambda lib, x: lib.where(x > 0, x, lib.zeros(1)),
    "sum none": lambda lib, x: x.sum((1, 2)),
    "logsumexp": lambda lib, x: x.logsumexp(1),
    "matmul": lambda lib, x: x @ x.transpose(-1, -2),
    "einsum": lambda lib, x: lib.einsum("abcd,abed->abec", x, x),
    "einsum perm": lambda lib, x: lib.einsum("abcd->dcba", x),
    "tensordot": lambda lib, x: lib.tensordot(x, x, dims=([1], [1])),
    "unique dim": lambda lib, x: lib.unique(x, dim=1),
    "bmm": lambda lib, x: lib.bmm(x[0], x[0].transpose(1, 2)),
    "reciprocal": lambda lib, x: 1 / x,
    "atan2": lambda lib, x: lib.atan2(x, x),
    "isnan": lambda lib, x: x.isnan(),
    "clamp": lambda lib, x: x.clamp(0, 1),
    "eq": lambda lib, x: x == 0,
    "conv": lambda lib, x: lib.nn.functional.conv2d(x, lib.ones(2, 3, 2, 2)),
    "conv 1x1": lambda lib, x: lib.nn.functional.conv2d(x, lib.ones(2, 3, 1, 1)),
    "conv groups": lambda lib, x: lib.nn.functional.conv2d(x, lib.ones(3, 1, 2, 2), groups=3),
    "convt": lambda lib, x: lib.nn.functional.conv_transpose2d(x, lib.ones(3, 2, 2, 2)),
    "max_pool indices": lambda lib, x: lib.nn.functional.max_pool2d(x, 2, return_indices=True),
    "flatten": lambda lib, x: x.flatten(1),
    "bincount": lambda lib, x: x.argmax(1).flatten().bincount(),
    "cov": lambda lib, x: lib.cov(x[0, 0]),
    "corrcoef": lambda lib, x: lib.corrcoef(x[0, 0]),
    "hist": lambda lib, x: lib.histc(x),
    "block_diag": lambda lib, x: lib.block_diag(x[0, 0], x[0, 1]),
    "cartesian": lambda lib, x: lib.cartesian_prod(x[0, 0, 0], x[0, 0, 1]),
    "combinations": lambda lib, x: lib.combinations(x[0, 0, 0]),
    "searchsorted": lambda lib, x: lib.searchsorted(lib.arange(3.0), x),
    "bucketize": lambda lib, x: lib.bucketize(x, lib.arange(3.0)),
    "isin": lambda lib, x: lib.isin(x, lib.arange(3.0)),
    "nanmean": lambda lib, x: x.nanmean(1),
    "dist": lambda lib, x: lib.dist(x, x),
    "cross": lambda lib, x: lib.cross(x[..., :3], x[..., :3], dim=-1),
    "movedim": lambda lib, x: x.movedim(0, -1),
    "expand": lambda lib, x: x[:1].expand(3, -1, -1, -1),
    "tile": lambda lib, x: x.tile(2),
    "vecdot": lambda lib, x: lib.linalg.vecdot(x, x),
}
"""Functions of (library, batch of images)."""

ONE_MATRIX: dict[str, Any] = {
    "vander": lambda lib, x: lib.vander(x[0]),
    "vander inc": lambda lib, x: lib.vander(x[0], increasing=True),
    "linalg.vander": lambda lib, x: lib.linalg.vander(x[0]),
    "outer": lambda lib, x: lib.outer(x[0], x[1]),
    "diag": lambda lib, x: lib.diag(x[0]),
    "diag_embed": lambda lib, x: lib.diag_embed(x),
    "trace": lambda lib, x: x.trace(),
    "diff": lambda lib, x: x.diff(),
    "cdist": lambda lib, x: lib.cdist(x, x),
    "cdist1": lambda lib, x: lib.cdist(x, x, p=1),
    "inverse": lambda lib, x: lib.inverse(x),
    "det": lambda lib, x: lib.det(x),
    "pinverse": lambda lib, x: lib.pinverse(x),
    "matrix_exp": lambda lib, x: lib.matrix_exp(x),
    "matrix_power": lambda lib, x: lib.matrix_power(x, 3),
    "matrix_power 0": lambda lib, x: lib.matrix_power(x, 0),
    "cholesky": lambda lib, x: lib.cholesky(x),
    "cholesky_solve": lambda lib, x: lib.cholesky_solve(x, lib.linalg.cholesky(x)),
    "cholesky_inverse": lambda lib, x: lib.cholesky_inverse(lib.linalg.cholesky(x)),
    "qr": lambda lib, x: lib.qr(x),
    "svd": lambda lib, x: lib.svd(x),
    "chain": lambda lib, x: lib.chain_matmul(x, x),
    "eigh": lambda lib, x: lib.linalg.eigh(x),
    "eigvalsh": lambda lib, x: lib.linalg.eigvalsh(x),
    "solve": lambda lib, x: lib.linalg.solve(x, x),
    "solve v": lambda lib, x: lib.linalg.solve(x, x[0]),
    "lstsq": lambda lib, x: lib.linalg.lstsq(x, x)[0],
    "solve_triangular": lambda lib, x: lib.linalg.solve_triangular(x, x, upper=True),
    "l.norm": lambda lib, x: lib.linalg.norm(x, dim=0),
    "matrix_norm": lambda lib, x: lib.linalg.matrix_norm(x),
    "vector_norm": lambda lib, x: lib.linalg.vector_norm(x, dim=0),
    "slogdet": lambda lib, x: lib.linalg.slogdet(x),
    "multi_dot": lambda lib, x: lib.linalg.multi_dot([x, x, x]),
    "kron": lambda lib, x: lib.kron(x, x),
    "tril": lambda lib, x: x.tril(),
    "addmm": lambda lib, x: lib.addmm(x, x, x),
    "mm": lambda lib, x: lib.mm(x, x),
    "mv": lambda lib, x: lib.mv(x, x[0]),
    "inv": lambda lib, x: lib.linalg.inv(x),
    "svdvals": lambda lib, x: lib.linalg.svdvals(x),
    "tensorinv": lambda lib, x: lib.linalg.tensorinv(x, 1),
}
"""Functions of (library, positive definite matrix)."""
BATCHED = (
    "inverse", "det", "cholesky", "qr", "svd", "eigh", "solve", "matrix_exp", "matrix_power", "pinverse", "inv", "lstsq",
    "tril", "cdist",
)  # fmt: skip
"""Those that are called with a batch of matrices too."""

ROWS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    **{name: (call, (IMAGE,)) for name, call in ONE_IMAGE.items()},
    **{name: (call, (definite(3),)) for name, call in ONE_MATRIX.items()},
    **{f"{name} of a batch": (ONE_MATRIX[name], (definite(3, 2),)) for name in BATCHED},
}
"""Name: (function of library and tensors, arrays)."""


def row(name: str, call: Any, *arrays: Any) -> None:
    ROWS[name] = call, arrays


for mode in ("nearest", "bilinear", "bicubic", "area", "nearest-exact"):
    row(
        f"interpolate {mode}",
        lambda lib, x, mode=mode: lib.nn.functional.interpolate(x, scale_factor=2, mode=mode),
        IMAGE,
    )
    row(
        f"interpolate down {mode}",
        lambda lib, x, mode=mode: lib.nn.functional.interpolate(x, size=(2, 3), mode=mode),
        IMAGE,
    )
row(
    "interpolate linear",
    lambda lib, x: lib.nn.functional.interpolate(x, scale_factor=2, mode="linear"),
    floats(2, 3, 4),
)
row(
    "interpolate trilinear",
    lambda lib, x: lib.nn.functional.interpolate(x, scale_factor=2, mode="trilinear"),
    floats(2, 3, 2, 3, 2),
)
for mode in ("bilinear", "nearest"):
    for pad in ("zeros", "border", "reflection"):
        row(
            f"grid_sample {mode} {pad}",
            lambda lib, x, g, m=mode, p=pad: lib.nn.functional.grid_sample(x, g, m, p, align_corners=False),
            IMAGE,
            floats(2, 3, 3, 2),
        )
row(
    "grid_sample 3d",
    lambda lib, x, g: lib.nn.functional.grid_sample(x, g, align_corners=False),
    floats(2, 3, 2, 3, 2),
    floats(2, 2, 3, 3, 3),
)
row("affine_grid", lambda lib, t: lib.nn.functional.affine_grid(t, (2, 3, 4, 5), align_corners=False), floats(2, 2, 3))
for mode in ("constant", "reflect", "replicate", "circular"):
    row(f"pad {mode}", lambda lib, x, m=mode: lib.nn.functional.pad(x, (1, 1, 1, 0), mode=m), IMAGE)
    row(f"pad crop {mode}", lambda lib, x, m=mode: lib.nn.functional.pad(x, (-1, 1, 1, -1), mode=m), IMAGE)
    row(f"pad 1 {mode}", lambda lib, x, m=mode: lib.nn.functional.pad(x, (1, 1), mode=m), floats(2, 3, 4))
row("pad one axis", lambda lib, x: lib.nn.functional.pad(x, (1, 0)), floats(3, 4))
row(
    "attention",
    lambda lib, q, k, v: lib.nn.functional.scaled_dot_product_attention(q, k, v),
    floats(2, 3, 4, 5),
    floats(2, 3, 6, 5),
    floats(2, 3, 6, 5),
)
row(
    "attention of heads",
    lambda lib, x: lib.nn.functional.scaled_dot_product_attention(*[x.view(2, 4, 3, 8).transpose(1, 2)] * 3),
    floats(2, 4, 24),
)
row(
    "attention causal",
    lambda lib, q, k, v: lib.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True),
    floats(2, 4, 5),
    floats(2, 4, 5),
    floats(2, 4, 5),
)
row("embedding", lambda lib, w: lib.nn.functional.embedding(lib.tensor([[0, 1], [2, 0]]), w), floats(3, 4))
row("embedding indices", lambda lib, i: lib.nn.functional.embedding(i, lib.ones(5, 3)), rng.integers(0, 5, (2, 3)))
row("embedding_bag", lambda lib, w: lib.nn.functional.embedding_bag(lib.tensor([[0, 1], [2, 0]]), w), floats(3, 4))
row("bilinear", lambda lib, a, b, w: lib.nn.functional.bilinear(a, b, w), floats(2, 3), floats(2, 4), floats(5, 3, 4))
row("linear", lambda lib, x, w: lib.nn.functional.linear(x, w), floats(2, 3, 4), floats(5, 4))
row("linear bias", lambda lib, x, w, b: lib.nn.functional.linear(x, w, b), floats(2, 4), floats(5, 4), floats(5))
row("normalize", lambda lib, x: lib.nn.functional.normalize(x, dim=1), floats(2, 3, 4))
row(
    "cosine_similarity",
    lambda lib, x, y: lib.nn.functional.cosine_similarity(x, y, dim=1),
    floats(2, 3, 4),
    floats(2, 3, 4),
)
row("pairwise_distance", lambda lib, x, y: lib.nn.functional.pairwise_distance(x, y), floats(2, 3, 4), floats(2, 3, 4))
row("unfold", lambda lib, x: lib.nn.functional.unfold(x, 2), IMAGE)
row("fold", lambda lib, x: lib.nn.functional.fold(x, (3, 4), 2), floats(2, 12, 6))
row("pixel_shuffle", lambda lib, x: lib.nn.functional.pixel_shuffle(x, 2), floats(2, 4, 3, 2))
row("pixel_unshuffle", lambda lib, x: lib.nn.functional.pixel_unshuffle(x, 2), floats(2, 3, 4, 2))
row("channel_shuffle", lambda lib, x: lib.nn.functional.channel_shuffle(x, 2), floats(2, 4, 3, 2))
