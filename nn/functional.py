"""Everything a layer computes, as plain functions: ``import tinygrad_lite.nn.functional as F``."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn.attention import scaled_dot_product_attention as scaled_dot_product_attention
from tinygrad_lite.nn.dropout import (
    alpha_dropout as alpha_dropout,
    dropout as dropout,
    dropout1d as dropout1d,
    dropout2d as dropout2d,
    dropout3d as dropout3d,
    feature_alpha_dropout as feature_alpha_dropout,
)
from tinygrad_lite.nn.random_activation import gumbel_softmax as gumbel_softmax, rrelu as rrelu
from tinygrad_lite.ops.elementwise import activation as _activation
from tinygrad_lite.ops.elementwise.activation import (
    celu as celu,
    elu as elu,
    gelu as gelu,
    glu as glu,
    hardshrink as hardshrink,
    hardsigmoid as hardsigmoid,
    hardswish as hardswish,
    hardtanh as hardtanh,
    leaky_relu as leaky_relu,
    logsigmoid as logsigmoid,
    mish as mish,
    prelu as prelu,
    relu6 as relu6,
    selu as selu,
    sigmoid as sigmoid,
    silu as silu,
    softmin as softmin,
    softplus as softplus,
    softshrink as softshrink,
    softsign as softsign,
    tanh as tanh,
    tanhshrink as tanhshrink,
    threshold as threshold,
)
from tinygrad_lite.ops.indexing.embedding import embedding as embedding, one_hot as one_hot
from tinygrad_lite.ops.indexing.embedding_bag import embedding_bag as embedding_bag
from tinygrad_lite.ops.linalg.matmul import linear as linear
from tinygrad_lite.ops.losses.classification import (
    binary_cross_entropy as binary_cross_entropy,
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
    cross_entropy as cross_entropy,
    kl_div as kl_div,
    nll_loss as nll_loss,
)
from tinygrad_lite.ops.losses.ctc import ctc_loss as ctc_loss
from tinygrad_lite.ops.losses.embedding import (
    cosine_embedding_loss as cosine_embedding_loss,
    cosine_similarity as cosine_similarity,
    hinge_embedding_loss as hinge_embedding_loss,
    pairwise_distance as pairwise_distance,
    triplet_margin_loss as triplet_margin_loss,
    triplet_margin_with_distance_loss as triplet_margin_with_distance_loss,
)
from tinygrad_lite.ops.losses.margin import (
    margin_ranking_loss as margin_ranking_loss,
    multi_margin_loss as multi_margin_loss,
    multilabel_margin_loss as multilabel_margin_loss,
    multilabel_soft_margin_loss as multilabel_soft_margin_loss,
    soft_margin_loss as soft_margin_loss,
)
from tinygrad_lite.ops.losses.regression import (
    gaussian_nll_loss as gaussian_nll_loss,
    huber_loss as huber_loss,
    l1_loss as l1_loss,
    mse_loss as mse_loss,
    poisson_nll_loss as poisson_nll_loss,
    smooth_l1_loss as smooth_l1_loss,
)
from tinygrad_lite.ops.networks.normalisation import (
    batch_norm as batch_norm,
    group_norm as group_norm,
    instance_norm as instance_norm,
    layer_norm as layer_norm,
    local_response_norm as local_response_norm,
    normalize as normalize,
    rms_norm as rms_norm,
)
from tinygrad_lite.ops.windows.adaptive_pooling import (
    adaptive_avg_pool1d as adaptive_avg_pool1d,
    adaptive_avg_pool2d as adaptive_avg_pool2d,
    adaptive_avg_pool3d as adaptive_avg_pool3d,
    adaptive_max_pool1d as adaptive_max_pool1d,
    adaptive_max_pool2d as adaptive_max_pool2d,
    adaptive_max_pool3d as adaptive_max_pool3d,
)
from tinygrad_lite.ops.windows.convolution import (
    conv1d as conv1d,
    conv2d as conv2d,
    conv3d as conv3d,
    conv_matrix as conv_matrix,
    conv_transpose1d as conv_transpose1d,
    conv_transpose2d as conv_transpose2d,
    conv_transpose3d as conv_transpose3d,
    fold as fold,
    unfold as unfold,
)
from tinygrad_lite.ops.windows.grid_sample import affine_grid as affine_grid, grid_sample as grid_sample
from tinygrad_lite.ops.windows.padding import (
    channel_shuffle as channel_shuffle,
    pad as pad,
    pixel_shuffle as pixel_shuffle,
    pixel_unshuffle as pixel_unshuffle,
)
from tinygrad_lite.ops.windows.pooling import (
    avg_pool1d as avg_pool1d,
    avg_pool2d as avg_pool2d,
    avg_pool3d as avg_pool3d,
    lp_pool1d as lp_pool1d,
    lp_pool2d as lp_pool2d,
    lp_pool3d as lp_pool3d,
    max_pool1d as max_pool1d,
    max_pool2d as max_pool2d,
    max_pool3d as max_pool3d,
    max_unpool1d as max_unpool1d,
    max_unpool2d as max_unpool2d,
    max_unpool3d as max_unpool3d,
)
from tinygrad_lite.ops.windows.resize import interpolate as interpolate


def relu(input: Any, inplace: bool = False) -> Any:
    """Return ``max(input, 0)``; the slope at 0 is taken as 0. ``inplace`` is accepted and changes nothing."""
    return _activation.relu(input)


def relu_(input: Any) -> Any:
    """Set what is negative in ``input`` to 0, in place."""
    return input.relu_()


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return ``exp(input)`` divided by its sum along ``dim``."""
    return _activation.softmax(input if dtype is None else input.to(dtype), _usual(input) if dim is None else dim)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """Return the logarithm of the softmax along ``dim``."""
    return _activation.log_softmax(input if dtype is None else input.to(dtype), _usual(input) if dim is None else dim)


def _usual(input: Any) -> int:
    return 0 if input.ndim in (0, 1, 3) else 1


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """Return ``input1 @ weight[k] @ input2`` for each output k, plus ``bias``."""
    if (
        input1.shape[-1] != weight.shape[1]
        or input2.shape[-1] != weight.shape[2]
        or input1.shape[:-1] != input2.shape[:-1]
    ):
        raise ShapeError(
            f"bilinear: weight {describe(weight)} expects inputs (..., {weight.shape[1]}) and "
            f"(..., {weight.shape[2]}), got {describe(input1)} and {describe(input2)}"
        )
    out, n1, n2 = weight.shape
    lead = tuple(input1.shape[:-1])
    # x1 times all matrices at once, (..., out, n2), then the product with x2
    half = input1.reshape((-1, n1)) @ weight.permute(1, 0, 2).reshape(n1, out * n2)
    y = (half.reshape((-1, out, n2)) @ input2.reshape((-1, n2, 1))).reshape((*lead, out))
    return y if bias is None else y + bias


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """Return `interpolate` of the input, by its old name."""
    return interpolate(input, size, scale_factor, mode, align_corners)
