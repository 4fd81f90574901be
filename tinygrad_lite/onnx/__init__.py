"""Models leave as ONNX files and come back from them."""

from tinygrad_lite.onnx.capture import OnnxExporterError as OnnxExporterError
from tinygrad_lite.onnx.export import export as export, is_in_onnx_export as is_in_onnx_export
from tinygrad_lite.onnx.module import load as load
from tinygrad_lite.onnx.program import ONNXProgram as ONNXProgram
