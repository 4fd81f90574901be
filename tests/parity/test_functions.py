"""Every tensor function against PyTorch: values, shapes, dtypes, first and second gradients, error classes."""
# ruff: noqa: E501 - a table, one row per line

from __future__ import annotations

from typing import Any

import pytest

from tests.parity import rows_elementwise, rows_indexing, rows_product, rows_reduction, rows_shape
from tests.parity.compare import Row, run
from tinygrad_lite.engine.op import PUBLIC

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

TABLE: dict[str, list[Row]] = {}
for _rows in (rows_elementwise.ROWS, rows_reduction.ROWS, rows_shape.ROWS, rows_indexing.ROWS, rows_product.ROWS):
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


ELSEWHERE = set(
    """
BoolTensor DoubleTensor FloatTensor Generator IntTensor LongTensor get_rng_state initial_seed manual_seed seed set_rng_state
bernoulli multinomial normal poisson rand rand_like randint randint_like randn randn_like randperm promote_types result_type
adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d batch_norm binary_cross_entropy_with_logits celu channel_shuffle conv1d
conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d cosine_embedding_loss cosine_similarity group_norm hardshrink
hinge_embedding_loss instance_norm kl_div layer_norm margin_ranking_loss max_pool1d max_pool2d max_pool3d pairwise_distance
pixel_shuffle pixel_unshuffle poisson_nll_loss prelu rms_norm selu threshold triplet_margin_loss dropout alpha_dropout
feature_alpha_dropout rrelu embedding bilinear embedding_bag grid_sampler native_norm gru lstm rnn_tanh rnn_relu gru_cell lstm_cell
get_num_threads set_num_threads chain_matmul cholesky cholesky_inverse cholesky_solve det inverse logdet matrix_exp matrix_power pinverse qr slogdet svd
vander lu_solve triangular_solve eig eigh
""".split()
)
"""Functions that PyTorch has too and that other suites test: layers and losses, linear algebra, random numbers."""


def test_nothing_is_left_out() -> None:
    shared = {n for n in PUBLIC if hasattr(torch, n) and callable(getattr(torch, n)) and not n.endswith("_")}
    missing = sorted(shared - set(TABLE) - ELSEWHERE)
    assert not missing, f"no parity row for {missing}"
