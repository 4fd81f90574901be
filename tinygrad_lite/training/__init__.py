"""A ready training loop: `Trainer`, its callbacks, metrics and history."""

from tinygrad_lite.training.callback import Callback as Callback
from tinygrad_lite.training.callbacks import Checkpoint as Checkpoint, EarlyStopping as EarlyStopping
from tinygrad_lite.training.history import History as History
from tinygrad_lite.training.learning_rates import LearningRates as LearningRates
from tinygrad_lite.training.metrics import Metric as Metric, accuracy as accuracy
from tinygrad_lite.training.trainer import Trainer as Trainer
