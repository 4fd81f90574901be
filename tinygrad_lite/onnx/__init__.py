"""Models leave as ONNX files and come back from them: PyTorch's ``onnx.export``, and ``load``."""

from tinygrad_lite.onnx import errors as errors
from tinygrad_lite.onnx.errors import OnnxExporterError as OnnxExporterError
from tinygrad_lite.onnx.export import export as export, is_in_onnx_export as is_in_onnx_export
from tinygrad_lite.onnx.modes import OperatorExportTypes as OperatorExportTypes, TrainingMode as TrainingMode
from tinygrad_lite.onnx.module import load as load
from tinygrad_lite.onnx.program import ONNXProgram as ONNXProgram
