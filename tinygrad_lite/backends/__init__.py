"""Names of ``torch.backends`` for scripts that ask or set, and the switch of the native loops: `native`."""

from tinygrad_lite.backends import (
    cuda as cuda,
    cudnn as cudnn,
    mkl as mkl,
    mkldnn as mkldnn,
    mps as mps,
    native as native,
    openmp as openmp,
)
