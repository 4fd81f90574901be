"""Everything a layer computes, as plain functions: ``import tinygrad_lite.nn.functional as F``."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn.attending import scaled_dot_product_attention as scaled_dot_product_attention
from tinygrad_lite.nn.noise import (
    alpha_dropout as alpha_dropout,
)
from tinygrad_lite.nn.noise import (
    dropout as dropout,
)
from tinygrad_lite.nn.noise import (
    dropout1d as dropout1d,
)
from tinygrad_lite.nn.noise import (
    dropout2d as dropout2d,
)
from tinygrad_lite.nn.noise import (
    dropout3d as dropout3d,
)
from tinygrad_lite.nn.noise import (
    feature_alpha_dropout as feature_alpha_dropout,
)
from tinygrad_lite.nn.noise import (
    gumbel_softmax as gumbel_softmax,
)
from tinygrad_lite.nn.noise import (
    rrelu as rrelu,
)
from tinygrad_lite.ops import activation as _activation
from tinygrad_lite.ops.activation import sigmoid as sigmoid
from tinygrad_lite.ops.activation import tanh as tanh
from tinygrad_lite.ops.adaptive import (
    adaptive_avg_pool1d as adaptive_avg_pool1d,
)
from tinygrad_lite.ops.adaptive import (
    adaptive_avg_pool2d as adaptive_avg_pool2d,
)
from tinygrad_lite.ops.adaptive import (
    adaptive_avg_pool3d as adaptive_avg_pool3d,
)
from tinygrad_lite.ops.adaptive import (
    adaptive_max_pool1d as adaptive_max_pool1d,
)
from tinygrad_lite.ops.adaptive import (
    adaptive_max_pool2d as adaptive_max_pool2d,
)
from tinygrad_lite.ops.adaptive import (
    adaptive_max_pool3d as adaptive_max_pool3d,
)
from tinygrad_lite.ops.bags import embedding_bag as embedding_bag
from tinygrad_lite.ops.convolution import (
    conv1d as conv1d,
)
from tinygrad_lite.ops.convolution import (
    conv2d as conv2d,
)
from tinygrad_lite.ops.convolution import (
    conv3d as conv3d,
)
from tinygrad_lite.ops.convolution import (
    conv_matrix as conv_matrix,
)
from tinygrad_lite.ops.convolution import (
    conv_transpose1d as conv_transpose1d,
)
from tinygrad_lite.ops.convolution import (
    conv_transpose2d as conv_transpose2d,
)
from tinygrad_lite.ops.convolution import (
    conv_transpose3d as conv_transpose3d,
)
from tinygrad_lite.ops.convolution import (
    fold as fold,
)
from tinygrad_lite.ops.convolution import (
    unfold as unfold,
)
from tinygrad_lite.ops.criteria import (
    binary_cross_entropy as binary_cross_entropy,
)
from tinygrad_lite.ops.criteria import (
    cross_entropy as cross_entropy,
)
from tinygrad_lite.ops.criteria import (
    mse_loss as mse_loss,
)
from tinygrad_lite.ops.criteria import (
    nll_loss as nll_loss,
)
from tinygrad_lite.ops.ctc import ctc_loss as ctc_loss
from tinygrad_lite.ops.distances import (
    binary_cross_entropy_with_logits as binary_cross_entropy_with_logits,
)
from tinygrad_lite.ops.distances import (
    cosine_embedding_loss as cosine_embedding_loss,
)
from tinygrad_lite.ops.distances import (
    cosine_similarity as cosine_similarity,
)
from tinygrad_lite.ops.distances import (
    gaussian_nll_loss as gaussian_nll_loss,
)
from tinygrad_lite.ops.distances import (
    hinge_embedding_loss as hinge_embedding_loss,
)
from tinygrad_lite.ops.distances import (
    huber_loss as huber_loss,
)
from tinygrad_lite.ops.distances import (
    kl_div as kl_div,
)
from tinygrad_lite.ops.distances import (
    l1_loss as l1_loss,
)
from tinygrad_lite.ops.distances import (
    margin_ranking_loss as margin_ranking_loss,
)
from tinygrad_lite.ops.distances import (
    multi_margin_loss as multi_margin_loss,
)
from tinygrad_lite.ops.distances import (
    multilabel_margin_loss as multilabel_margin_loss,
)
from tinygrad_lite.ops.distances import (
    multilabel_soft_margin_loss as multilabel_soft_margin_loss,
)
from tinygrad_lite.ops.distances import (
    pairwise_distance as pairwise_distance,
)
from tinygrad_lite.ops.distances import (
    poisson_nll_loss as poisson_nll_loss,
)
from tinygrad_lite.ops.distances import (
    smooth_l1_loss as smooth_l1_loss,
)
from tinygrad_lite.ops.distances import (
    soft_margin_loss as soft_margin_loss,
)
from tinygrad_lite.ops.distances import (
    triplet_margin_loss as triplet_margin_loss,
)
from tinygrad_lite.ops.distances import (
    triplet_margin_with_distance_loss as triplet_margin_with_distance_loss,
)
from tinygrad_lite.ops.embedding import embedding as embedding
from tinygrad_lite.ops.embedding import one_hot as one_hot
from tinygrad_lite.ops.grid import affine_grid as affine_grid
from tinygrad_lite.ops.grid import grid_sample as grid_sample
from tinygrad_lite.ops.linalg import linear as linear
from tinygrad_lite.ops.normalisation import (
    batch_norm as batch_norm,
)
from tinygrad_lite.ops.normalisation import (
    group_norm as group_norm,
)
from tinygrad_lite.ops.normalisation import (
    instance_norm as instance_norm,
)
from tinygrad_lite.ops.normalisation import (
    layer_norm as layer_norm,
)
from tinygrad_lite.ops.normalisation import (
    local_response_norm as local_response_norm,
)
from tinygrad_lite.ops.normalisation import (
    normalize as normalize,
)
from tinygrad_lite.ops.normalisation import (
    rms_norm as rms_norm,
)
from tinygrad_lite.ops.padding import (
    channel_shuffle as channel_shuffle,
)
from tinygrad_lite.ops.padding import (
    pad as pad,
)
from tinygrad_lite.ops.padding import (
    pixel_shuffle as pixel_shuffle,
)
from tinygrad_lite.ops.padding import (
    pixel_unshuffle as pixel_unshuffle,
)
from tinygrad_lite.ops.pooling import (
    avg_pool1d as avg_pool1d,
)
from tinygrad_lite.ops.pooling import (
    avg_pool2d as avg_pool2d,
)
from tinygrad_lite.ops.pooling import (
    avg_pool3d as avg_pool3d,
)
from tinygrad_lite.ops.pooling import (
    lp_pool1d as lp_pool1d,
)
from tinygrad_lite.ops.pooling import (
    lp_pool2d as lp_pool2d,
)
from tinygrad_lite.ops.pooling import (
    lp_pool3d as lp_pool3d,
)
from tinygrad_lite.ops.pooling import (
    max_pool1d as max_pool1d,
)
from tinygrad_lite.ops.pooling import (
    max_pool2d as max_pool2d,
)
from tinygrad_lite.ops.pooling import (
    max_pool3d as max_pool3d,
)
from tinygrad_lite.ops.pooling import (
    max_unpool1d as max_unpool1d,
)
from tinygrad_lite.ops.pooling import (
    max_unpool2d as max_unpool2d,
)
from tinygrad_lite.ops.pooling import (
    max_unpool3d as max_unpool3d,
)
from tinygrad_lite.ops.rectifiers import (
    celu as celu,
)
from tinygrad_lite.ops.rectifiers import (
    elu as elu,
)
from tinygrad_lite.ops.rectifiers import (
    gelu as gelu,
)
from tinygrad_lite.ops.rectifiers import (
    glu as glu,
)
from tinygrad_lite.ops.rectifiers import (
    hardshrink as hardshrink,
)
from tinygrad_lite.ops.rectifiers import (
    hardsigmoid as hardsigmoid,
)
from tinygrad_lite.ops.rectifiers import (
    hardswish as hardswish,
)
from tinygrad_lite.ops.rectifiers import (
    hardtanh as hardtanh,
)
from tinygrad_lite.ops.rectifiers import (
    leaky_relu as leaky_relu,
)
from tinygrad_lite.ops.rectifiers import (
    logsigmoid as logsigmoid,
)
from tinygrad_lite.ops.rectifiers import (
    mish as mish,
)
from tinygrad_lite.ops.rectifiers import (
    prelu as prelu,
)
from tinygrad_lite.ops.rectifiers import (
    relu6 as relu6,
)
from tinygrad_lite.ops.rectifiers import (
    selu as selu,
)
from tinygrad_lite.ops.rectifiers import (
    silu as silu,
)
from tinygrad_lite.ops.rectifiers import (
    softmin as softmin,
)
from tinygrad_lite.ops.rectifiers import (
    softplus as softplus,
)
from tinygrad_lite.ops.rectifiers import (
    softshrink as softshrink,
)
from tinygrad_lite.ops.rectifiers import (
    softsign as softsign,
)
from tinygrad_lite.ops.rectifiers import (
    tanhshrink as tanhshrink,
)
from tinygrad_lite.ops.rectifiers import (
    threshold as threshold,
)
from tinygrad_lite.ops.resize import interpolate as interpolate


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
