"""Choices that scripts pass to `export` by PyTorch's names."""

from enum import Enum


class TrainingMode(Enum):
    """In which mode a module is exported: in evaluation, as it is, or in training.

    >>> import tinygrad_lite as tl
    >>> program = tl.onnx.export(tl.nn.Dropout(0.0), (tl.ones(1, 2),), training=tl.onnx.TrainingMode.PRESERVE)
    >>> len(program.model_proto.graph.node)
    1
    """

    EVAL = 0
    PRESERVE = 1
    TRAINING = 2


class OperatorExportTypes(Enum):
    """Accepted for scripts; a file has ONNX's own operators only."""

    ONNX = 0
    ONNX_ATEN = 1
    ONNX_ATEN_FALLBACK = 2
    ONNX_FALLTHROUGH = 3
