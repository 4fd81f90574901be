"""The training loop, for those who do not want to write it: `Trainer` and its callbacks."""

from tinygrad_lite.training.callbacks import (
    Callback as Callback,
    Checkpoint as Checkpoint,
    EarlyStopping as EarlyStopping,
)
from tinygrad_lite.training.metrics import accuracy as accuracy
from tinygrad_lite.training.trainer import Trainer as Trainer
