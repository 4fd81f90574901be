"""Window functions of signal processing, as in ``torch.signal``."""

from tinygrad_lite.signal import windows as windows
