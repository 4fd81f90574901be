"""Optimisers: PyTorch's names, options, state and update formulas, in place on NumPy arrays."""

from tinygrad_lite.optim.adam import Adam as Adam
from tinygrad_lite.optim.adam import AdamW as AdamW
from tinygrad_lite.optim.optimizer import Optimizer as Optimizer
from tinygrad_lite.optim.sgd import SGD as SGD
