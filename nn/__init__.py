"""Layers, losses and their functional forms: the building blocks of networks."""

from tinygrad_lite.nn import functional as functional
from tinygrad_lite.nn import init as init
from tinygrad_lite.nn.activation import ReLU as ReLU, Sigmoid as Sigmoid, Tanh as Tanh
from tinygrad_lite.nn.container import (
    ModuleDict as ModuleDict,
    ModuleList as ModuleList,
    ParameterDict as ParameterDict,
    ParameterList as ParameterList,
    Sequential as Sequential,
)
from tinygrad_lite.nn.conv import Conv1d as Conv1d, Conv2d as Conv2d, Conv3d as Conv3d
from tinygrad_lite.nn.dropout import Dropout as Dropout
from tinygrad_lite.nn.linear import Bilinear as Bilinear, Identity as Identity, Linear as Linear
from tinygrad_lite.nn.losses import BCELoss as BCELoss, CrossEntropyLoss as CrossEntropyLoss, MSELoss as MSELoss
from tinygrad_lite.nn.module import Module as Module
from tinygrad_lite.nn.parameter import Buffer as Buffer, Parameter as Parameter
from tinygrad_lite.nn.pooling import MaxPool1d as MaxPool1d, MaxPool2d as MaxPool2d, MaxPool3d as MaxPool3d
from tinygrad_lite.nn.shape import Flatten as Flatten, Reshape as Reshape, Unflatten as Unflatten
