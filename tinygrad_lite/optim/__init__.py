"""Optimisers: PyTorch's names, options, state and update formulas, in place on NumPy arrays."""

import sys as _sys

from tinygrad_lite.optim import (
    absent as sparse_adam,
    adam as adamw,
    lr_scheduler as lr_scheduler,
    swa_utils as swa_utils,
)
from tinygrad_lite.optim.absent import Muon as Muon, SparseAdam as SparseAdam
from tinygrad_lite.optim.adadelta import Adadelta as Adadelta
from tinygrad_lite.optim.adafactor import Adafactor as Adafactor
from tinygrad_lite.optim.adagrad import Adagrad as Adagrad
from tinygrad_lite.optim.adam import Adam as Adam, AdamW as AdamW
from tinygrad_lite.optim.adamax import Adamax as Adamax
from tinygrad_lite.optim.asgd import ASGD as ASGD
from tinygrad_lite.optim.lbfgs import LBFGS as LBFGS
from tinygrad_lite.optim.nadam import NAdam as NAdam
from tinygrad_lite.optim.optimizer import Optimizer as Optimizer
from tinygrad_lite.optim.radam import RAdam as RAdam
from tinygrad_lite.optim.rmsprop import RMSprop as RMSprop
from tinygrad_lite.optim.rprop import Rprop as Rprop
from tinygrad_lite.optim.scipy import scipy_minimize as scipy_minimize
from tinygrad_lite.optim.sgd import SGD as SGD

_sys.modules |= {f"{__name__}.adamw": adamw, f"{__name__}.sparse_adam": sparse_adam}  # PyTorch's files
