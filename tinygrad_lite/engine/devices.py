"""Devices: only "cpu" exists; names of others answer "not available" or raise a clear error."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.errors import DeviceError

__all__ = ["Device", "accelerator", "as_device", "device", "mps"]


class Device:
    """A device: ``device("cpu")`` is the only one.

    Anything else raises DeviceError.

    >>> Device("cpu")
    device(type='cpu')
    """

    type: str
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:  # noqa: A002 - PyTorch's name
        name = type.type if isinstance(type, Device) else str(type)
        kind, _, number = name.partition(":")
        if kind not in ("cpu", "meta") or isinstance(type, int):
            raise DeviceError(
                f"device '{type}' does not exist here: tensors live in main memory; use device('cpu'), "
                f"or choose by cuda.is_available() (False)"
            )
        if (number and not number.isdigit()) or (index is not None and number):
            raise DeviceError(f"device: invalid device string '{name}'")
        self.type = kind
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        return f"device(type='{self.type}'" + (")" if self.index is None else f", index={self.index})")

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *exc: object) -> None:
        return None


device = Device


def as_device(value: Any) -> Device:
    """Return ``value`` (None, a name, a device) as a device; raise DeviceError for any but the CPU."""
    return value if isinstance(value, Device) else Device("cpu" if value is None else value)


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
