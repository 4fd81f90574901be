"""Learning rate schedules with PyTorch's names, options and values."""

from tinygrad_lite.optim.lr_scheduler.combined import ChainedScheduler as ChainedScheduler, SequentialLR as SequentialLR
from tinygrad_lite.optim.lr_scheduler.cycle import CyclicLR as CyclicLR, OneCycleLR as OneCycleLR
from tinygrad_lite.optim.lr_scheduler.decay import (
    ConstantLR as ConstantLR,
    CosineAnnealingLR as CosineAnnealingLR,
    CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts,
    ExponentialLR as ExponentialLR,
    LambdaLR as LambdaLR,
    LinearLR as LinearLR,
    MultiplicativeLR as MultiplicativeLR,
    MultiStepLR as MultiStepLR,
    PolynomialLR as PolynomialLR,
    StepLR as StepLR,
)
from tinygrad_lite.optim.lr_scheduler.plateau import ReduceLROnPlateau as ReduceLROnPlateau
from tinygrad_lite.optim.lr_scheduler.scheduler import (
    EPOCH_DEPRECATION_WARNING as EPOCH_DEPRECATION_WARNING,
    LRScheduler as LRScheduler,
    _LRScheduler as _LRScheduler,
)
