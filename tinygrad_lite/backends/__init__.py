"""Names of ``torch.backends`` for scripts that ask or set: there is one backend, NumPy."""

from tinygrad_lite.backends import (
    cuda as cuda,
    cudnn as cudnn,
    mkl as mkl,
    mkldnn as mkldnn,
    mps as mps,
    openmp as openmp,
)
