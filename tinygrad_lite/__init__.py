"""tinygrad_lite: automatic differentiation on NumPy.

Tensors, registered ops with their gradients, layers, optimisers, pictures of the graph and checks of every gradient.
"""

import gc as _gc
import sys as _sys
from types import ModuleType as _ModuleType
from typing import Any as _Any

import numpy as _np

_collecting = _gc.isenabled()
_gc.disable()  # all that is made here lasts: looking for garbage among it would take a sixth of the import
try:
    from tinygrad_lite import _draws, native as _native, ops, random
finally:
    if _collecting:
        if not _gc.get_freeze_count():  # counts them as old, so that the next look leaves them out
            _gc.freeze()
            _gc.unfreeze()
        _gc.enable()

from tinygrad_lite._version import __version__ as __version__
from tinygrad_lite.engine.absent import (
    ABSENT as _ABSENT,
    DTYPES as _DTYPES,
    LAYOUTS as _LAYOUTS,
    ROOMS as _NO_ROOMS,
    absent as _absent,
)
from tinygrad_lite.engine.arrays import finfo as finfo, iinfo as iinfo
from tinygrad_lite.engine.devices import accelerator as accelerator, device as device, mps as mps
from tinygrad_lite.engine.dtype import DType as dtype
from tinygrad_lite.engine.grad import grad as grad
from tinygrad_lite.engine.layout import (
    Layout as layout,
    MemoryFormat as memory_format,
    channels_last as channels_last,
    channels_last_3d as channels_last_3d,
    contiguous_format as contiguous_format,
    preserve_format as preserve_format,
    strided as strided,
)
from tinygrad_lite.engine.mode import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    is_grad_enabled as is_grad_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
    zero_guard as zero_guard,
)
from tinygrad_lite.engine.op import OPS as OPS, PUBLIC as _PUBLIC, op as op
from tinygrad_lite.engine.printing import set_printoptions as set_printoptions
from tinygrad_lite.engine.tensor import (
    Size as Size,
    Tensor as Tensor,
    get_default_dtype as _get_default_dtype,
    set_default_dtype as set_default_dtype,
)
from tinygrad_lite.ops import creation, tensor_types
from tinygrad_lite.ops.creation import *  # noqa: F403
from tinygrad_lite.ops.tensor_types import *  # noqa: F403

float16, float32, float64 = dtype("float16"), dtype("float32"), dtype("float64")
half, float, double = float16, float32, float64
uint8, int8, int16, int32, int64 = (dtype(n) for n in ("uint8", "int8", "int16", "int32", "int64"))
short, int, long, bool = int16, int32, int64, dtype("bool")
uint16, uint32, uint64 = dtype("uint16"), dtype("uint32"), dtype("uint64")
inf, nan, pi, e = _np.inf, _np.nan, _np.pi, _np.e
newaxis = None


def get_default_dtype() -> dtype:
    """Return the dtype that Python floats become.

    >>> get_default_dtype()
    torch.float32
    """
    return dtype(_get_default_dtype())


_ROOMS = ("amp", "autograd", "backends", "compiler", "cpu", "cuda", "data", "datasets", "distributed", "distributions",
          "errors", "fft", "func", "futures", "hub", "jit", "library", "linalg", "masked", "models", "multiprocessing",
          "nn", "onnx", "optim", "overrides", "profiler", "random", "serialization", "signal", "special", "testing",
          "training", "types", "utils", "version", "vision", "viz")  # fmt: skip
_FROM = {
    "Generator": "random",
    "Future": "futures",
    "is_anomaly_enabled": "autograd",
    "is_anomaly_check_nan_enabled": "autograd",
    "load": "serialization",
    "save": "serialization",
    "vmap": "func",
    "cond": "func.control",
    "while_loop": "func.control",
}
# `import *` need not load the rooms of these
_UNLISTED = {"GradScaler": "amp", "alpha_dropout": "nn.functional", "autocast": "amp", "bilinear": "nn.functional",
             "compile": "compiled", "dropout": "nn.functional", "feature_alpha_dropout": "nn.functional",
             "feature_dropout": "nn.functional", "fork": "jit", "rrelu": "nn.functional", "wait": "jit",
             "_assert": "settings", "ByteStorage": "settings"}  # fmt: skip
_FROM |= dict.fromkeys(
    """AcceleratorError Event OutOfMemoryError Stream SymBool SymFloat SymInt are_deterministic_algorithms_enabled
    can_cast clear_autocast_cache compiled_with_cxx11_abi get_autocast_cpu_dtype get_autocast_dtype
    get_autocast_gpu_dtype get_default_device get_deterministic_debug_mode get_device_module
    get_float32_matmul_precision get_num_interop_threads is_autocast_cache_enabled is_autocast_cpu_enabled
    is_autocast_enabled is_deterministic_algorithms_warn_only_enabled is_distributed is_inference_mode_enabled
    is_storage is_vulkan_available is_warn_always_enabled set_autocast_cache_enabled set_autocast_cpu_dtype
    set_autocast_cpu_enabled set_autocast_dtype set_autocast_enabled set_autocast_gpu_dtype set_default_device
    set_default_tensor_type set_deterministic_debug_mode set_float32_matmul_precision set_flush_denormal
    set_num_interop_threads set_warn_always sym_float sym_int sym_max sym_min sym_not sym_sqrt typename
    use_deterministic_algorithms""".split(),
    "settings",
)
_UNLISTED |= dict.fromkeys(("gru_cell", "lstm_cell", "rnn_relu_cell", "rnn_tanh_cell"), "nn.recurrent")
_native.start()
_OWN = [name for name, value in globals().items() if name[0] != "_" and not isinstance(value, _ModuleType)]


def __getattr__(name: str) -> _Any:
    """Find every public op by name, also one registered later, and the rooms of the package on first use.

    ``__all__`` is made here too, so that it has ops that were registered after this import. Like PyTorch's, it has
    functions, classes and dtypes, and none of the rooms.
    """
    if name == "__all__":
        return sorted({*_OWN, *_PUBLIC, *_FROM})
    if name in _PUBLIC:  # once: afterwards it is an ordinary attribute, until the name is published anew
        globals()[name] = _PUBLIC[name]
        return _PUBLIC[name]
    if name in _ROOMS or name in _FROM or name in _UNLISTED:
        from importlib import import_module

        home = _FROM.get(name) or _UNLISTED.get(name)
        room = import_module(f"tinygrad_lite.{home or name}")
        return getattr(room, name) if home else room
    if name == "torch":  # as in PyTorch, whose package imports itself
        return _sys.modules[__name__]
    if name == "default_generator":  # each thread has its own
        return random.default_generator()
    if name in _DTYPES or name in _LAYOUTS:
        return _DTYPES[name] if name in _DTYPES else _LAYOUTS[name]
    if name in _NO_ROOMS:
        return _sys.modules[f"tinygrad_lite.{name}"]
    if name.startswith("_foreach_"):
        from importlib import import_module

        family = import_module("tinygrad_lite.optim.foreach")
        if name in family.NAMES:
            return family.foreach(name)
    if name in _ABSENT:
        return _absent(name, _ABSENT[name])
    raise AttributeError(f"module 'tinygrad_lite' has no attribute '{name}'")


def __dir__() -> list[str]:
    special = [name for name in globals() if name.startswith("__")]
    return sorted({*special, "__all__", *_OWN, *_PUBLIC, *_FROM, *_ROOMS})
