"""Functions of functions: the door to everything that PyTorch keeps under ``torch.func``."""

from tinygrad_lite.func.mapping import vmap as vmap
from tinygrad_lite.func.modules import functional_call as functional_call
from tinygrad_lite.func.modules import stack_module_state as stack_module_state
from tinygrad_lite.func.transforms import grad as grad
from tinygrad_lite.func.transforms import grad_and_value as grad_and_value
from tinygrad_lite.func.transforms import hessian as hessian
from tinygrad_lite.func.transforms import jacfwd as jacfwd
from tinygrad_lite.func.transforms import jacrev as jacrev
from tinygrad_lite.func.transforms import jvp as jvp
from tinygrad_lite.func.transforms import vjp as vjp
