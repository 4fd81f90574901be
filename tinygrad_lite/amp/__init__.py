"""Mixed precision, as in ``torch.amp``: a scaler of gradients, and an `autocast` that computes as without it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named, named_constructor
from tinygrad_lite.engine.no_effect import NO_EFFECT
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Tensor, make

NO_EFFECT["amp.autocast"] = "operations keep the dtype of their operands; on a CPU that is the fastest"


@named_constructor
class autocast:  # noqa: N801 - PyTorch's name
    """Accept the block or function, and compute in the dtype of the operands.

    PyTorch would run some operations in a smaller dtype. NumPy has no fast arithmetic in smaller dtypes, so results
    here are those of float32.

    >>> import tinygrad_lite as tl
    >>> with tl.amp.autocast("cpu"):
    ...     tl.ones(1).dtype
    torch.float32
    """

    def __init__(
        self, device_type: str = "cuda", dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"autocast: expected device_type of type str, got {type(device_type).__name__}")
        self.device_type, self.dtype, self.enabled = device_type, dtype, enabled

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function; it stays as it is."""
        return function


@named
def custom_fwd(fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Any = None) -> Any:
    """Decorate the forward of a Function; it stays as it is."""
    return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs) if fwd is None else fwd


@named
def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Any:
    """Decorate the backward of a Function; it stays as it is."""
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd


def is_autocast_available(device_type: str) -> bool:
    """Return whether the device exists: only "cpu" does.

    >>> import tinygrad_lite as tl
    >>> tl.amp.is_autocast_available("cpu")
    True
    """
    return device_type == "cpu"


@named_constructor
class GradScaler:
    """Scale the loss so that small gradients survive in float16, and skip steps whose gradients are not finite.

    ``scale(loss).backward(); scaler.step(optimizer); scaler.update()``: the scale shrinks by ``backoff_factor`` after
    a gradient that is not finite and grows by ``growth_factor`` after ``growth_interval`` steps without one. For CUDA,
    which does not exist here, it is disabled with a warning, as in PyTorch.

    >>> import tinygrad_lite as tl
    >>> w = tl.nn.Parameter(tl.ones(1))
    >>> scaler, optimizer = GradScaler("cpu", init_scale=4.0), tl.optim.SGD([w], lr=0.5)
    >>> scaler.scale((w * 3).sum()).backward()
    >>> w.grad
    tensor([12.])
    >>> _ = scaler.step(optimizer)
    >>> scaler.update()
    >>> w
    Parameter containing:
    tensor([-0.5000], requires_grad=True)
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 65536.0, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        if enabled and device != "cpu":
            warn(f"GradScaler is enabled, but the device '{device}' does not exist here; disabling")
            enabled = False
        if enabled and (growth_factor <= 1 or not 0 < backoff_factor < 1):
            raise ValueError("GradScaler: growth_factor must be above 1 and backoff_factor between 0 and 1")
        self._device, self._enabled, self._scale = device, enabled, float(init_scale)
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._found: dict[int, bool] = {}
        self._unscaled: set[int] = set()

    def scale(self, outputs: Any) -> Any:
        """Return a tensor, or the tensors in nested lists, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(o) for o in outputs)
        raise ValueError("GradScaler.scale: expected a tensor or an iterable of tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimiser by the scale, and note whether all of them are finite."""
        if not self._enabled:
            return
        if id(optimizer) in self._unscaled:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        finite = True
        for p in (p for group in optimizer.param_groups for p in group["params"] if p.grad is not None):
            g = p.grad.array
            finite = finite and bool(np.isfinite(g).all())
            p.grad = make(new.asarray(g / self._scale, g.dtype))
        self._found[id(optimizer)] = not finite
        self._unscaled.add(id(optimizer))

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Take a step of the optimiser unless a gradient is not finite; returns what the step returns."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs or args:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        if id(optimizer) not in self._unscaled:
            self.unscale_(optimizer)
        return None if self._found[id(optimizer)] else optimizer.step()

    def update(self, new_scale: Any = None) -> None:
        """Adapt the scale to what the steps since the last update found, or set it."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._found:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(self._found.values()):
            self._scale, self._growth_tracker = self._scale * self._backoff_factor, 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale, self._growth_tracker = self._scale * self._growth_factor, 0
        self._found, self._unscaled = {}, set()

    def get_scale(self) -> float:
        """Return the scale, 1 if disabled."""
        return self._scale if self._enabled else 1.0

    def is_enabled(self) -> bool:
        """Return whether gradients are scaled."""
        return self._enabled

    def get_growth_factor(self) -> float:
        """Return the growth factor."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set the growth factor."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """Return the backoff factor."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set the backoff factor."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """Return the growth interval."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set the growth interval."""
        self._growth_interval = new_interval

    def state_dict(self) -> dict[str, Any]:
        """Return the state; empty if disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(), "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval, "_growth_tracker": self._growth_tracker,
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("The source state dict is empty, possibly because it was saved from a disabled scaler.")
        self._scale, self._growth_factor = float(state_dict["scale"]), state_dict["growth_factor"]
        self._backoff_factor, self._growth_interval = state_dict["backoff_factor"], state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]
