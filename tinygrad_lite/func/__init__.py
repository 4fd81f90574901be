"""Function transforms: gradients, Jacobians and `vmap` of functions, PyTorch's ``torch.func``."""

from tinygrad_lite.func.mapping import vmap as vmap
from tinygrad_lite.func.modules import (
    functional_call as functional_call,
    functionalize as functionalize,
    replace_all_batch_norm_modules_ as replace_all_batch_norm_modules_,
    stack_module_state as stack_module_state,
)
from tinygrad_lite.func.transforms import (
    grad as grad,
    grad_and_value as grad_and_value,
    hessian as hessian,
    jacfwd as jacfwd,
    jacrev as jacrev,
    jvp as jvp,
    linearize as linearize,
    value_and_grad as value_and_grad,
    vjp as vjp,
)
