"""Gradients on demand: the door to everything that PyTorch keeps under ``torch.autograd``."""

from tinygrad_lite.gradients import grad as grad
from tinygrad_lite.graph import Node as Node
from tinygrad_lite.graph import enable_grad as enable_grad
from tinygrad_lite.graph import inference_mode as inference_mode
from tinygrad_lite.graph import no_grad as no_grad
from tinygrad_lite.graph import set_grad_enabled as set_grad_enabled
from tinygrad_lite.graph import zero_guard as zero_guard
