"""The engine: recorded nodes, the backward pass, and how an operation is declared and called."""

from tinygrad_lite.engine.mode import Observer as Observer, switch as switch
from tinygrad_lite.engine.node import Node as Node
from tinygrad_lite.engine.op import OPS as OPS, PUBLIC as PUBLIC, function as function, op as op
from tinygrad_lite.engine.samples import Arr as Arr, Ints as Ints, Samples as Samples
from tinygrad_lite.engine.tensor import Array as Array, Tensor as Tensor
