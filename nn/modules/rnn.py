"""Recurrent layers, by PyTorch's import path."""

from tinygrad_lite.nn import recurrent
from tinygrad_lite.nn.recurrent import *  # noqa: F403

RNNBase = recurrent._Recurrent
RNNCellBase = recurrent._Cell
