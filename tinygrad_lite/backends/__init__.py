"""Names of ``torch.backends`` for scripts that ask or set; the switch `native`; and `register_arrays`."""

import sys as _sys

from tinygrad_lite.backends import cuda as cuda, cudnn as cudnn, mps as mps, native as native
from tinygrad_lite.engine.devices import register as register_arrays
from tinygrad_lite.engine.no_effect import AbsentRoom as _AbsentRoom

__all__ = ["register_arrays"]
# libraries that PyTorch may use, and that scripts ask for: `is_available` says False
mkl, mkldnn, openmp = (_AbsentRoom(f"{__name__}.{name}", "it is not used here") for name in ("mkl", "mkldnn", "openmp"))
_sys.modules.update({room.__name__: room for room in (mkl, mkldnn, openmp)})
