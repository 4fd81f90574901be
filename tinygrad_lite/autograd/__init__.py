"""Gradients on demand: the door to everything that PyTorch keeps under ``torch.autograd``."""

from tinygrad_lite.autograd import function as function
from tinygrad_lite.autograd import functional as functional
from tinygrad_lite.autograd.anomaly import detect_anomaly as detect_anomaly
from tinygrad_lite.autograd.anomaly import is_anomaly_enabled as is_anomaly_enabled
from tinygrad_lite.autograd.anomaly import set_detect_anomaly as set_detect_anomaly
from tinygrad_lite.autograd.function import Function as Function
from tinygrad_lite.gradients import backward as backward
from tinygrad_lite.gradients import grad as grad
from tinygrad_lite.graph import Node as Node
from tinygrad_lite.graph import enable_grad as enable_grad
from tinygrad_lite.graph import inference_mode as inference_mode
from tinygrad_lite.graph import is_grad_enabled as is_grad_enabled
from tinygrad_lite.graph import no_grad as no_grad
from tinygrad_lite.graph import set_grad_enabled as set_grad_enabled
from tinygrad_lite.graph import zero_guard as zero_guard
