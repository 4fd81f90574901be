"""Everything a layer computes, as plain functions: ``import tinygrad_lite.nn.functional as F``."""

from __future__ import annotations

from tinygrad_lite.ops.activation import (
    log_softmax as log_softmax,
    relu as relu,
    sigmoid as sigmoid,
    softmax as softmax,
    tanh as tanh,
)
from tinygrad_lite.ops.convolution import (
    conv1d as conv1d,
    conv2d as conv2d,
    conv3d as conv3d,
    conv_transpose1d as conv_transpose1d,
    conv_transpose2d as conv_transpose2d,
    conv_transpose3d as conv_transpose3d,
)
from tinygrad_lite.ops.criteria import (
    binary_cross_entropy as binary_cross_entropy,
    cross_entropy as cross_entropy,
    mse_loss as mse_loss,
    nll_loss as nll_loss,
)
from tinygrad_lite.nn.dropout import dropout as dropout
from tinygrad_lite.ops.linalg import linear as linear
from tinygrad_lite.ops.pooling import max_pool1d as max_pool1d, max_pool2d as max_pool2d, max_pool3d as max_pool3d
