"""Names of ``torch.cuda``: whether CuPy (extra ``cuda``) and a GPU are there; without them use raises a clear error."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from tinygrad_lite.engine.devices import NAMED, cupy
from tinygrad_lite.engine.no_effect import ignored
from tinygrad_lite.errors import DeviceError

__all__ = ["current_device", "device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]


def is_available() -> bool:
    """Return whether CuPy is installed and finds a GPU.

    >>> is_available() in (False, True)
    True
    """
    return device_count() > 0


def device_count() -> int:
    """Return 1 if CuPy is installed and finds a GPU, else 0: a program uses one."""
    if "cuda" not in NAMED:
        if find_spec("cupy") is None:
            return 0
        try:
            cupy()
        except DeviceError:
            return 0
    return 1


def is_initialized() -> bool:
    """Return whether a tensor has been moved to the GPU."""
    return "cuda" in NAMED


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has finished; on the CPU every operation is finished when the call returns."""
    if "cuda" in NAMED:
        cupy().cuda.runtime.deviceSynchronize()


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Return False."""
    return False


def _none(*args: Any, **kwargs: Any) -> Any:
    raise DeviceError("device 'cuda' does not exist here: choose by cuda.is_available() (False)")


init = ignored("cuda.init", "there is no CUDA device")
empty_cache = ignored("cuda.empty_cache", "there is no CUDA device")
ipc_collect = ignored("cuda.ipc_collect", "there is no CUDA device")
manual_seed = ignored("cuda.manual_seed", "there is no CUDA device")
manual_seed_all = ignored("cuda.manual_seed_all", "there is no CUDA device")
seed = ignored("cuda.seed", "there is no CUDA device")
seed_all = ignored("cuda.seed_all", "there is no CUDA device")
reset_peak_memory_stats = ignored("cuda.reset_peak_memory_stats", "there is no CUDA device")
reset_max_memory_allocated = ignored("cuda.reset_max_memory_allocated", "there is no CUDA device")
memory_allocated = ignored("cuda.memory_allocated", "there is no CUDA device", 0)
max_memory_allocated = ignored("cuda.max_memory_allocated", "there is no CUDA device", 0)
memory_reserved = ignored("cuda.memory_reserved", "there is no CUDA device", 0)
max_memory_reserved = ignored("cuda.max_memory_reserved", "there is no CUDA device", 0)
memory_summary = ignored("cuda.memory_summary", "there is no CUDA device", "")
for _name, _answer in {
    "memory_stats": {}, "memory_snapshot": [], "memory_cached": 0, "max_memory_cached": 0, "memory_usage": 0,
    "reset_max_memory_cached": None, "reset_accumulated_memory_stats": None, "set_sync_debug_mode": None,
    "get_sync_debug_mode": 0, "get_arch_list": [], "get_gencode_flags": "", "utilization": 0, "temperature": 0,
    "power_draw": 0, "list_gpu_processes": "", "set_per_process_memory_fraction": None, "host_memory_stats": {},
    "caching_allocator_enable": None, "is_current_stream_capturing": False, "can_device_access_peer": False,
    "is_tf32_supported": False,
}.items():  # fmt: skip
    globals()[_name] = ignored(f"cuda.{_name}", "there is no CUDA device", _answer)
has_half = has_magma = False
default_generators: tuple[Any, ...] = ()
current_device = set_device = get_device_name = get_device_properties = get_device_capability = _none
mem_get_info = Stream = Event = current_stream = stream = device = CUDAGraph = _none
get_rng_state = set_rng_state = get_rng_state_all = set_rng_state_all = initial_seed = cudart = graph = _none
default_stream = set_stream = StreamContext = ExternalStream = device_of = make_graphed_callables = _none


class _CudaTensor(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Raise DeviceError."""
        return _none()

    def __instancecheck__(cls, value: Any) -> bool:
        return False


FloatTensor, DoubleTensor, HalfTensor, ByteTensor, CharTensor, ShortTensor, IntTensor, LongTensor, BoolTensor = (
    _CudaTensor(f"{old}Tensor", (), {"__doc__": "A tensor type of CUDA: no tensor is one, and making one raises."})
    for old in ("Float", "Double", "Half", "Byte", "Char", "Short", "Int", "Long", "Bool")
)


def __getattr__(name: str) -> Any:
    """Find ``cuda.amp`` and ``cuda.random`` on first use."""
    if name == "amp":
        from importlib import import_module

        return import_module("tinygrad_lite.cuda.amp")
    raise AttributeError(f"module 'tinygrad_lite.cuda' has no attribute '{name}': there is no CUDA device here")
