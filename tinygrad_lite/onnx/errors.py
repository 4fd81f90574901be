"""The errors of `export`, with PyTorch's names."""


class OnnxExporterError(RuntimeError):
    """A model that has no form in ONNX; the message names the op, the module and the line."""


class UnsupportedOperatorError(OnnxExporterError):
    """An op that has no form in ONNX."""
