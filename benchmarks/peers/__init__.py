"""How each library does the workloads: a module per peer with the functions net, conv, kmeans, ridge, lasso, chain.

Each function takes the data of a workload and returns a step: a function without arguments that does one training step
and returns the loss before it. A function that is missing means: not something this library does, or what the module
says in ``ABSENT`` under that name.
"""

from __future__ import annotations

PEERS = {
    # name in tables: module, what has to be installed
    "tinygrad_lite": ("ours", "tinygrad_lite"),
    "tl.compile": ("ours_compiled", "tinygrad_lite"),
    "tl.compile native": ("ours_native", "llvmlite"),
    "PyTorch": ("pytorch", "torch"),
    "torch.compile": ("pytorch_compiled", "torch"),
    "JAX jit": ("jax_jit", "jax"),
    "tinygrad": ("tinygrad_", "tinygrad"),
    "MyGrad": ("mygrad_", "mygrad"),
    "autograd": ("hips", "autograd"),
    "NumPy by hand": ("by_hand", "numpy"),
    "scikit-learn": ("sklearn_", "sklearn"),
}
REFERENCE = "PyTorch"
