"""Devices: "cpu", those of other libraries' arrays (`register`, CuPy's as "cuda"); others raise a clear error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.errors import DeviceError, MissingExtra, require

__all__ = ["Device", "accelerator", "as_device", "device", "mps"]


class Kind:
    """The arrays of one device: a maker for `new` out of the functions of a library with NumPy's names.

    ``module`` has ``ndarray``, ``asnumpy`` and NumPy's functions that create arrays, as CuPy has.
    """

    def __init__(self, name: str, module: Any) -> None:
        self.name, self.holds, self.host = name, module.ndarray, module.asnumpy
        for function in new.NAMES:
            if function not in ("ndarray", "as_strided", "frombuffer") and hasattr(module, function):
                setattr(self, function, getattr(module, function))
        self.strided = module.lib.stride_tricks.as_strided

    def as_strided(self, a: Any, shape: Any = None, strides: Any = None, **words: Any) -> Any:
        """Return a view of ``a`` by its strides: it can be written to, as every array of a device."""
        return self.strided(a, shape, strides)

    def ndarray(self, shape: Any, dtype: Any, a: Any, offset: int = 0, strides: Any = None) -> Any:
        """Return the view of ``a`` that NumPy's constructor makes: it begins ``offset`` bytes behind its start."""
        return self.strided(a.ravel()[offset // a.itemsize :], shape, strides)

    def frombuffer(self, *args: Any, **words: Any) -> Any:
        """Return the numbers in a buffer of main memory."""
        return self.asarray(new.numpys("frombuffer")(*args, **words))  # type: ignore[attr-defined]


NAMED: dict[str, Kind] = {}
"""The kinds of arrays in use, by the name of their device."""
REGISTERED: list[Callable[[], Callable[[], None]]] = []
"""Callbacks when the first kind is registered; they return functions that undo what they did. `engine.op` has one."""


def register(name: str, module: Any) -> Callable[[], None]:
    """Let tensors hold arrays of another library, as device ``name``; return a function that undoes it.

    The library has NumPy's protocols and CuPy's names: ``ndarray``, ``asnumpy(array)``, and NumPy's functions that
    create arrays (``zeros``, ``asarray``, ``arange`` ...). CuPy itself is registered by ``to("cuda")``.

    >>> import tinygrad_lite as tl
    >>> tl.backends.register_arrays("cpu", None)
    Traceback (most recent call last):
    tinygrad_lite.errors.DeviceError: register_arrays: expected the name of a device that does not exist yet, got 'cpu'
    """
    if name in ("cpu", "meta") or name in NAMED or not name.isidentifier():
        raise DeviceError(f"register_arrays: expected the name of a device that does not exist yet, got {name!r}")
    kind = Kind(name, module)
    undo = [] if NAMED else [prepare() for prepare in REGISTERED]
    undo.append(new.add_kind(kind.holds, kind))
    NAMED[name] = kind

    def forget() -> None:
        del NAMED[name]
        for step in undo[::-1]:
            step()

    return forget


ADVICE = "use device('cpu'), or choose by cuda.is_available() (False)"


def cupy() -> Any:
    """Return the module CuPy; raise DeviceError if it is not installed (extra ``cuda``) or finds no GPU."""
    try:
        found = require("cupy", extra="cuda")
    except MissingExtra as error:
        raise DeviceError(f"device 'cuda' does not exist here: {error}; {ADVICE}") from None
    try:
        count, why = found.cuda.runtime.getDeviceCount(), ""
    except Exception as error:  # CuPy's own class of errors
        count, why = 0, f" ({error})"
    if not count:
        raise DeviceError(f"device 'cuda' does not exist here: CuPy finds no GPU{why}; {ADVICE}")
    return found


def kind_named(name: str) -> Kind | None:
    """Return the kind of arrays of a device, None for NumPy's; raise DeviceError for a device that does not exist."""
    if name in ("cpu", "meta"):
        return None
    if name not in NAMED:
        if name != "cuda":
            raise DeviceError(f"device '{name}' does not exist here: tensors live in main memory; {ADVICE}")
        register("cuda", cupy())
    return NAMED[name]


def placed(device: Any) -> Any:
    """Return a context in which `new` creates arrays on a device; None means where it creates them anyway."""
    kind = None if device is None else kind_named(as_device(device).type)
    return new.placed(kind) if kind else nullcontext()


def moved(array: Any, device: Device) -> Any:
    """Return a copy of an array on another device, or the array itself if it is there."""
    here, there = new.KINDS.get(array.__class__), kind_named(device.type)
    if here is there:
        return array
    array = array if here is None else here.host(array)
    return array if there is None else there.asarray(array)  # type: ignore[attr-defined]


DEFAULT: ContextVar[Any] = ContextVar("tinygrad_lite_device", default=None)
"""The device of new tensors, in this thread or task; None for the CPU."""


class Device:
    """A device: ``device("cpu")``, ``device("cuda")`` where CuPy and a GPU are there, or one that was registered.

    Anything else raises DeviceError.

    As a context manager it is the device of new tensors inside the block.

    >>> Device("cpu")
    device(type='cpu')
    """

    type: str
    index: int | None
    _tokens: list[Any]

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:  # noqa: A002 - PyTorch's name
        name = type.type if isinstance(type, Device) else str(type)
        kind, _, number = name.partition(":")
        if isinstance(type, int):
            raise DeviceError(f"device '{type}' does not exist here: tensors live in main memory; {ADVICE}")
        other = kind_named(kind)
        if (number and not number.isdecimal()) or (index is not None and number):
            raise DeviceError(f"device: invalid device string '{name}'")
        self.type, self._tokens = kind, []
        self.index = int(number) if number else index
        if other and self.index:
            raise DeviceError(
                f"device '{kind}:{self.index}' does not exist here: a program uses one device of a kind; choose it "
                f"by the environment (CUDA_VISIBLE_DEVICES)"
            )

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> Device:
        self._tokens.append(DEFAULT.set(self))
        return self

    def __exit__(self, *exc: object) -> None:
        DEFAULT.reset(self._tokens.pop())


device = Device


def as_device(value: Any) -> Device:
    """Return ``value`` (None, a name, a device) as a device; raise DeviceError for one that does not exist."""
    return value if isinstance(value, Device) else Device("cpu" if value is None else value)


def device_of(array: Any) -> Device:
    """Return the device that an array lies on."""
    kind = new.KINDS.get(array.__class__)
    return CPU if kind is None else Device(kind.name, 0)


CPU = Device("cpu")


class _Absent:
    """Answers for a kind of device that does not exist here."""

    def is_available(self) -> bool:
        """Return False."""
        return False

    def device_count(self) -> int:
        """Return 0."""
        return 0

    def current_accelerator(self, check_available: bool = False) -> None:
        """Return None."""

    def manual_seed(self, seed: int) -> None:
        """Do nothing: the device has no generator."""

    def manual_seed_all(self, seed: int) -> None:
        """Do nothing: the device has no generator."""

    def empty_cache(self) -> None:
        """Do nothing: there is no cache."""

    def synchronize(self, device: Any = None) -> None:
        """Do nothing: every operation is synchronous."""

    def is_initialized(self) -> bool:
        """Return False."""
        return False


accelerator, mps = _Absent(), _Absent()
