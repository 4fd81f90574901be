"""Every tensor function against PyTorch: values, shapes, dtypes, first and second gradients, error classes."""
# ruff: noqa: E501 - a table, one row per line

from __future__ import annotations

from typing import Any

import pytest

import tinygrad_lite as tl
from tests.parity import (
    from_samples,
    rows_elementwise,
    rows_indexing,
    rows_names,
    rows_product,
    rows_reduction,
    rows_shape,
)
from tests.parity.compare import Row, run
from tinygrad_lite.engine.op import PUBLIC

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

TABLE: dict[str, list[Row]] = {}
for _rows in (
    rows_elementwise.ROWS, rows_reduction.ROWS, rows_shape.ROWS, rows_indexing.ROWS, rows_product.ROWS, rows_names.ROWS
):  # fmt: skip
    for _row in _rows:
        TABLE.setdefault(_row.name, []).append(_row)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_like_pytorch(name: str, record_property: Any) -> None:
    made = compared = 0
    try:
        for row in TABLE[name]:
            m, c = run(row, torch)
            made, compared = made + m, compared + c
    finally:
        record_property("parity", (name, made, compared))
    assert compared


@pytest.mark.parametrize("name", from_samples.derived(torch))
def test_row_from_samples(name: str, record_property: Any) -> None:
    made, compared = from_samples.compare(name, torch)
    record_property("parity", (name, made, compared))
    assert compared


@pytest.mark.parametrize("name", from_samples.forms(torch))
def test_in_place_form_from_samples(name: str) -> None:
    assert from_samples.compare_form(name, torch)


def test_in_place_methods_are_those_of_pytorch() -> None:
    def formed(kind: Any) -> set[str]:
        return {n for n in dir(kind) if n.endswith("_") and not n.startswith("_") and hasattr(tl.Tensor, n[:-1])}

    assert not formed(torch.Tensor) - formed(tl.Tensor)
    extra = {n for n in formed(tl.Tensor) - formed(torch.Tensor) if hasattr(torch.Tensor, n[:-1])}
    assert not extra, f"PyTorch has no {sorted(extra)}: declare inplace=False"


ELSEWHERE = set(
    """
pca_lowrank svd_lowrank spmm segment_reduce fake_quantize_per_tensor_affine fake_quantize_per_channel_affine
BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor ShortTensor
as_strided range to_dlpack get_rng_state initial_seed manual_seed seed
set_rng_state bernoulli binomial is_inference multinomial normal poisson rand rand_like randint randint_like randn randn_like randperm
promote_types result_type adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d batch_norm binary_cross_entropy_with_logits
celu channel_shuffle conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d cosine_embedding_loss
cosine_similarity group_norm hinge_embedding_loss instance_norm kl_div layer_norm margin_ranking_loss max_pool1d
max_pool2d max_pool3d pairwise_distance pixel_shuffle pixel_unshuffle poisson_nll_loss prelu rms_norm selu
triplet_margin_loss get_num_threads set_num_threads chain_matmul cholesky cholesky_inverse cholesky_solve det inverse
logdet matrix_exp lu lu_solve lu_unpack triangular_solve geqrf orgqr
matrix_power pinverse qr slogdet svd vander
""".split()
)
"""Functions that PyTorch has too and that other suites test: layers and losses, linear algebra, random numbers."""
LAYERS_ELSEWHERE = {
    "affine_grid": "test_grid.py", "grid_sample": "test_grid.py", "ctc_loss": "test_ctc.py",
    "gumbel_softmax": "tests/nn/test_layers.py",
    "scaled_dot_product_attention": "tests/nn/test_layers.py", "pad": "the rows of the padding layers",
    "interpolate": "the rows of Upsample", "batch_norm": "the rows of BatchNorm1d",
    "instance_norm": "the rows of InstanceNorm1d", "cross_entropy": "the rows of CrossEntropyLoss",
    "binary_cross_entropy_with_logits": "the rows of BCEWithLogitsLoss", "kl_div": "the rows of KLDivLoss",
    "elu": "the rows of ELU", "native_channel_shuffle": "the rows of ChannelShuffle", "conv_tbc": "test_functional_names.py",
    **dict.fromkeys(("fractional_max_pool2d_with_indices", "fractional_max_pool3d_with_indices",
    "multi_head_attention_forward"), "test_public_names.py"),
    **{f"{a}max_pool{n}d_with_indices": "test_functional_names.py" for a in ("", "adaptive_") for n in (1, 2, 3)},
    **dict.fromkeys(("upsample", "upsample_nearest", "upsample_bilinear"), "test_old_spellings.py"),
}  # fmt: skip
"""Functions of nn.functional whose layer has another name, or that another suite tests."""


def test_nothing_is_left_out() -> None:
    rows = set(TABLE) | set(from_samples.derived(torch))
    shared = {n for n in PUBLIC if hasattr(torch, n) and callable(getattr(torch, n)) and not n.endswith("_")}
    missing = sorted(shared - rows - ELSEWHERE)
    assert not missing, f"no parity row for {missing}: give the op samples, or write one"
    stale = sorted(ELSEWHERE & rows | ELSEWHERE - shared)
    assert not stale, f"{stale} need no exception"
    unknown = sorted(from_samples.BY_HAND.keys() - rows - ELSEWHERE - LAYERS_ELSEWHERE.keys())
    assert not unknown, f"{unknown} have neither a row from their samples nor one by hand"


def test_no_function_of_the_layers_is_left_out() -> None:
    F = tl.nn.functional
    shared = {
        n
        for n, f in vars(F).items()
        if callable(f) and n[-1] != "_" and callable(getattr(torch.nn.functional, n, None))
    }
    layers = {n.lower() for n, kind in vars(tl.nn).items() if isinstance(kind, type)}  # avg_pool2d is AvgPool2d
    rows = set(TABLE) | set(from_samples.derived(torch))
    covered = rows | {n for n in shared if n.replace("_", "") in layers} | LAYERS_ELSEWHERE.keys()
    assert not sorted(shared - covered), f"no parity row for nn.functional's {sorted(shared - covered)}"
    assert not LAYERS_ELSEWHERE.keys() - shared
