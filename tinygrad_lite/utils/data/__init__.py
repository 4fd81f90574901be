"""PyTorch's import path for `tinygrad_lite.data`."""

import sys as _sys
from types import ModuleType as _Module
from typing import Any as _Any

from tinygrad_lite.data import *  # noqa: F403
from tinygrad_lite.data import collate as _collate
from tinygrad_lite.data.collate import default_collate_fn_map as default_collate_fn_map
from tinygrad_lite.utils.data import distributed as distributed
from tinygrad_lite.utils.data.distributed import DistributedSampler as DistributedSampler

# programs import default_collate from where PyTorch has it
_utils: _Any = _Module(f"{__name__}._utils")
_utils.collate = _sys.modules[f"{__name__}._utils.collate"] = _collate
_sys.modules[_utils.__name__] = _utils
