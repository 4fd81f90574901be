"""The version, where PyTorch keeps it: ``torch.version.__version__``."""

from tinygrad_lite._version import __version__ as __version__

cuda = hip = xpu = git_version = None
debug = False
