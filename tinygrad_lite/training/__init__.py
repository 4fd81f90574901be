"""A ready training loop: `Trainer`, its callbacks, and `accuracy`."""

from tinygrad_lite.training.callbacks import Checkpoint as Checkpoint, EarlyStopping as EarlyStopping
from tinygrad_lite.training.metrics import accuracy as accuracy
from tinygrad_lite.training.trainer import Callback as Callback, Trainer as Trainer
