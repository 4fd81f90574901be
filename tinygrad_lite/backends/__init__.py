"""Names of ``torch.backends`` for scripts that ask or set; the switch `native`; and `register_arrays`."""

from tinygrad_lite.backends import (
    cuda as cuda,
    cudnn as cudnn,
    mkl as mkl,
    mkldnn as mkldnn,
    mps as mps,
    native as native,
    openmp as openmp,
)
from tinygrad_lite.engine.devices import register as register_arrays

__all__ = ["register_arrays"]
