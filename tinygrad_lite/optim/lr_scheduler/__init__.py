"""Learning rate schedules with PyTorch's names, options and values."""

from tinygrad_lite.optim.lr_scheduler.combined import ChainedScheduler as ChainedScheduler
from tinygrad_lite.optim.lr_scheduler.combined import SequentialLR as SequentialLR
from tinygrad_lite.optim.lr_scheduler.cycle import CyclicLR as CyclicLR
from tinygrad_lite.optim.lr_scheduler.cycle import OneCycleLR as OneCycleLR
from tinygrad_lite.optim.lr_scheduler.decay import ConstantLR as ConstantLR
from tinygrad_lite.optim.lr_scheduler.decay import CosineAnnealingLR as CosineAnnealingLR
from tinygrad_lite.optim.lr_scheduler.decay import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from tinygrad_lite.optim.lr_scheduler.decay import ExponentialLR as ExponentialLR
from tinygrad_lite.optim.lr_scheduler.decay import LambdaLR as LambdaLR
from tinygrad_lite.optim.lr_scheduler.decay import LinearLR as LinearLR
from tinygrad_lite.optim.lr_scheduler.decay import MultiplicativeLR as MultiplicativeLR
from tinygrad_lite.optim.lr_scheduler.decay import MultiStepLR as MultiStepLR
from tinygrad_lite.optim.lr_scheduler.decay import PolynomialLR as PolynomialLR
from tinygrad_lite.optim.lr_scheduler.decay import StepLR as StepLR
from tinygrad_lite.optim.lr_scheduler.plateau import ReduceLROnPlateau as ReduceLROnPlateau
from tinygrad_lite.optim.lr_scheduler.scheduler import LRScheduler as LRScheduler
