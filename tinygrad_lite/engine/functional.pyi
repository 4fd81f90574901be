# fmt: off
# ruff: noqa
# Written by `python -m tests.stubs`; do not edit, run that after adding an op or a function.
"""The functions of nn.functional that follow from declarations, as type checkers see them."""

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.engine.methods import TensorLike
from tinygrad_lite.ops.elementwise.activation import celu as celu
from tinygrad_lite.ops.elementwise.activation import elu as elu
from tinygrad_lite.ops.elementwise.activation import glu as glu
from tinygrad_lite.ops.elementwise.activation import hardshrink as hardshrink
from tinygrad_lite.ops.elementwise.activation import hardsigmoid as hardsigmoid
from tinygrad_lite.ops.elementwise.activation import hardswish as hardswish
from tinygrad_lite.ops.elementwise.activation import hardtanh as hardtanh
from tinygrad_lite.ops.elementwise.activation import leaky_relu as leaky_relu
from tinygrad_lite.ops.elementwise.activation import prelu as prelu
from tinygrad_lite.ops.elementwise.activation import relu6 as relu6
from tinygrad_lite.ops.elementwise.activation import selu as selu
from tinygrad_lite.ops.elementwise.activation import sigmoid as sigmoid
from tinygrad_lite.ops.elementwise.activation import softshrink as softshrink
from tinygrad_lite.ops.elementwise.activation import softsign as softsign
from tinygrad_lite.ops.elementwise.activation import tanh as tanh
from tinygrad_lite.ops.elementwise.activation import tanhshrink as tanhshrink
from tinygrad_lite.ops.elementwise.activation import threshold as threshold
from tinygrad_lite.ops.elementwise.smooth import gelu as gelu
from tinygrad_lite.ops.elementwise.smooth import logsigmoid as logsigmoid
from tinygrad_lite.ops.elementwise.smooth import mish as mish
from tinygrad_lite.ops.elementwise.smooth import silu as silu
from tinygrad_lite.ops.elementwise.smooth import softplus as softplus
from tinygrad_lite.ops.indexing.embedding import embedding as embedding
from tinygrad_lite.ops.indexing.embedding import one_hot as one_hot
from tinygrad_lite.ops.indexing.embedding_bag import embedding_bag as embedding_bag
from tinygrad_lite.ops.linalg.matmul import linear as linear
from tinygrad_lite.ops.linalg.points import pdist as pdist
from tinygrad_lite.ops.losses.classification import binary_cross_entropy as binary_cross_entropy
from tinygrad_lite.ops.losses.classification import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from tinygrad_lite.ops.losses.classification import cross_entropy as cross_entropy
from tinygrad_lite.ops.losses.classification import kl_div as kl_div
from tinygrad_lite.ops.losses.classification import nll_loss as nll_loss
from tinygrad_lite.ops.losses.ctc import ctc_loss as ctc_loss
from tinygrad_lite.ops.losses.embedding import cosine_embedding_loss as cosine_embedding_loss
from tinygrad_lite.ops.losses.embedding import cosine_similarity as cosine_similarity
from tinygrad_lite.ops.losses.embedding import hinge_embedding_loss as hinge_embedding_loss
from tinygrad_lite.ops.losses.embedding import pairwise_distance as pairwise_distance
from tinygrad_lite.ops.losses.embedding import triplet_margin_loss as triplet_margin_loss
from tinygrad_lite.ops.losses.embedding import triplet_margin_with_distance_loss as triplet_margin_with_distance_loss
from tinygrad_lite.ops.losses.margin import margin_ranking_loss as margin_ranking_loss
from tinygrad_lite.ops.losses.margin import multi_margin_loss as multi_margin_loss
from tinygrad_lite.ops.losses.margin import multilabel_margin_loss as multilabel_margin_loss
from tinygrad_lite.ops.losses.margin import multilabel_soft_margin_loss as multilabel_soft_margin_loss
from tinygrad_lite.ops.losses.margin import soft_margin_loss as soft_margin_loss
from tinygrad_lite.ops.losses.regression import gaussian_nll_loss as gaussian_nll_loss
from tinygrad_lite.ops.losses.regression import huber_loss as huber_loss
from tinygrad_lite.ops.losses.regression import l1_loss as l1_loss
from tinygrad_lite.ops.losses.regression import mse_loss as mse_loss
from tinygrad_lite.ops.losses.regression import poisson_nll_loss as poisson_nll_loss
from tinygrad_lite.ops.losses.regression import smooth_l1_loss as smooth_l1_loss
from tinygrad_lite.ops.networks.normalisation import batch_norm as batch_norm
from tinygrad_lite.ops.networks.normalisation import group_norm as group_norm
from tinygrad_lite.ops.networks.normalisation import instance_norm as instance_norm
from tinygrad_lite.ops.networks.normalisation import layer_norm as layer_norm
from tinygrad_lite.ops.networks.normalisation import local_response_norm as local_response_norm
from tinygrad_lite.ops.networks.normalisation import normalize as normalize
from tinygrad_lite.ops.networks.normalisation import rms_norm as rms_norm
from tinygrad_lite.ops.windows.adaptive_pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from tinygrad_lite.ops.windows.adaptive_pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
from tinygrad_lite.ops.windows.adaptive_pooling import adaptive_avg_pool3d as adaptive_avg_pool3d
from tinygrad_lite.ops.windows.adaptive_pooling import adaptive_max_pool1d as adaptive_max_pool1d
from tinygrad_lite.ops.windows.adaptive_pooling import adaptive_max_pool2d as adaptive_max_pool2d
from tinygrad_lite.ops.windows.adaptive_pooling import adaptive_max_pool3d as adaptive_max_pool3d
from tinygrad_lite.ops.windows.convolution import conv1d as conv1d
from tinygrad_lite.ops.windows.convolution import conv2d as conv2d
from tinygrad_lite.ops.windows.convolution import conv3d as conv3d
from tinygrad_lite.ops.windows.convolution import conv_matrix as conv_matrix
from tinygrad_lite.ops.windows.convolution import conv_transpose1d as conv_transpose1d
from tinygrad_lite.ops.windows.convolution import conv_transpose2d as conv_transpose2d
from tinygrad_lite.ops.windows.convolution import conv_transpose3d as conv_transpose3d
from tinygrad_lite.ops.windows.convolution import fold as fold
from tinygrad_lite.ops.windows.convolution import unfold as unfold
from tinygrad_lite.ops.windows.grid_sample import affine_grid as affine_grid
from tinygrad_lite.ops.windows.grid_sample import grid_sample as grid_sample
from tinygrad_lite.ops.windows.padding import channel_shuffle as channel_shuffle
from tinygrad_lite.ops.windows.padding import pad as pad
from tinygrad_lite.ops.windows.padding import pixel_shuffle as pixel_shuffle
from tinygrad_lite.ops.windows.padding import pixel_unshuffle as pixel_unshuffle
from tinygrad_lite.ops.windows.pooling import avg_pool1d as avg_pool1d
from tinygrad_lite.ops.windows.pooling import avg_pool2d as avg_pool2d
from tinygrad_lite.ops.windows.pooling import avg_pool3d as avg_pool3d
from tinygrad_lite.ops.windows.pooling import lp_pool1d as lp_pool1d
from tinygrad_lite.ops.windows.pooling import lp_pool2d as lp_pool2d
from tinygrad_lite.ops.windows.pooling import lp_pool3d as lp_pool3d
from tinygrad_lite.ops.windows.pooling import max_pool1d as max_pool1d
from tinygrad_lite.ops.windows.pooling import max_pool2d as max_pool2d
from tinygrad_lite.ops.windows.pooling import max_pool3d as max_pool3d
from tinygrad_lite.ops.windows.pooling import max_unpool1d as max_unpool1d
from tinygrad_lite.ops.windows.pooling import max_unpool2d as max_unpool2d
from tinygrad_lite.ops.windows.pooling import max_unpool3d as max_unpool3d
from tinygrad_lite.ops.windows.resize import interpolate as interpolate

def celu_(input: TensorLike, alpha: builtins.float = ..., inplace: builtins.bool = ...) -> Tensor: ...
def elu_(input: TensorLike, alpha: builtins.float = ..., inplace: builtins.bool = ...) -> Tensor: ...
def hardtanh_(input: TensorLike, min_val: builtins.float = ..., max_val: builtins.float = ..., inplace: builtins.bool = ...) -> Tensor: ...
def leaky_relu_(input: TensorLike, negative_slope: builtins.float = ..., inplace: builtins.bool = ...) -> Tensor: ...
def logsigmoid_(input: TensorLike) -> Tensor: ...
def mish_(input: TensorLike, inplace: builtins.bool = ...) -> Tensor: ...
def relu6_(input: TensorLike, inplace: builtins.bool = ...) -> Tensor: ...
def selu_(input: TensorLike, inplace: builtins.bool = ...) -> Tensor: ...
def sigmoid_(input: TensorLike) -> Tensor: ...
def silu_(input: TensorLike, inplace: builtins.bool = ...) -> Tensor: ...
def softplus_(input: TensorLike, beta: builtins.float = ..., threshold: builtins.float = ...) -> Tensor: ...
def softshrink_(input: TensorLike, lambd: builtins.float = ...) -> Tensor: ...
def tanh_(input: TensorLike) -> Tensor: ...
def threshold_(input: TensorLike, threshold: builtins.float, value: builtins.float, inplace: builtins.bool = ...) -> Tensor: ...
