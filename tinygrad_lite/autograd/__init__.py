"""Gradients, functions with custom backwards and anomaly detection: PyTorch's ``torch.autograd``."""

import sys as _sys
from contextlib import nullcontext as _nullcontext

from tinygrad_lite.autograd import (
    anomaly as anomaly_mode,
    forward_ad as forward_ad,
    function as function,
    functional as functional,
    graph as graph,
    profiler as profiler,
)
from tinygrad_lite.autograd.anomaly import (
    detect_anomaly as detect_anomaly,
    is_anomaly_enabled as is_anomaly_enabled,
    set_detect_anomaly as set_detect_anomaly,
)
from tinygrad_lite.autograd.function import Function as Function
from tinygrad_lite.autograd.gradcheck import gradcheck as gradcheck, gradgradcheck as gradgradcheck
from tinygrad_lite.autograd.variable import Variable as Variable
from tinygrad_lite.engine import mode as grad_mode
from tinygrad_lite.engine.grad import backward as backward, grad as grad
from tinygrad_lite.engine.mode import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
    zero_guard as zero_guard,
)
from tinygrad_lite.engine.no_effect import ignored as _ignored
from tinygrad_lite.engine.node import Node as Node

is_anomaly_check_nan_enabled = is_anomaly_enabled
_ONE = "a backward pass runs in one thread"
set_multithreading_enabled = _ignored("autograd.set_multithreading_enabled", _ONE, _nullcontext())
_sys.modules |= {f"{__name__}.grad_mode": grad_mode, f"{__name__}.anomaly_mode": anomaly_mode}  # PyTorch's files
