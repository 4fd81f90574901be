"""Lazy layers: the number of input channels is read off the first input.

Until then the parameters are uninitialized; at the first call the layer becomes an ordinary one, ``LazyLinear`` a
``Linear``.
"""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.arguments import checked_constructor
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from tinygrad_lite.nn.linear import Linear
from tinygrad_lite.nn.normalisation import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from tinygrad_lite.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


class LazyModuleMixin:
    """The part of lazy layers that waits for the first input; it stands before the layer among the base classes.

    A subclass defines `initialize_parameters`, and in ``cls_to_become`` the class it has afterwards.
    """

    cls_to_become: Any = None

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize the parameters for the arguments of the first call."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self: Any) -> bool:
        """Return whether a parameter or buffer is still uninitialized."""
        return any(map(is_lazy, (*self._parameters.values(), *self._buffers.values())))

    def _lazy_load_hook(self: Any, state_dict: Any, prefix: str, *rest: Any) -> None:
        """Materialize what the state dict has values for."""
        for name, t in (*self._parameters.items(), *self._buffers.items()):
            value = state_dict.get(prefix + name)
            if value is not None and is_lazy(t) and not is_lazy(value):
                t.materialize(value.shape)

    def _infer_parameters(self: Any, module: Any, args: Any, kwargs: Any = None) -> None:
        """Initialize the layer from its first input, and make it an ordinary one."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        for name in ("_initialize_hook", "_load_hook"):
            getattr(module, name).remove()
            delattr(module, name)
        hooks = module._hooks
        if not (hooks or hooks.saving or hooks.saved or hooks.loading or hooks.loaded):
            module.__dict__["_hooks"] = None  # calls without hooks are faster
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _save_to_state_dict(self: Any, destination: Any, prefix: str, keep_vars: bool) -> None:
        lazy = {n: t for n, t in (*self._parameters.items(), *self._buffers.items()) if is_lazy(t)}
        if not lazy:
            super()._save_to_state_dict(destination, prefix, keep_vars)  # type: ignore[misc]
            return
        for name, t in (*self._parameters.items(), *self._buffers.items()):
            if t is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = t if keep_vars or is_lazy(t) else t.detach()

    def _replicate_for_data_parallel(self) -> Any:
        raise RuntimeError(
            "Modules with uninitialized parameters can't be used with `DataParallel`. Run a dummy forward pass to "
            "correctly initialize the modules"
        )

    def reset_parameters(self: Any) -> None:
        """Draw new initial values, if there are any yet."""
        if not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]


class LazyLinear(LazyModuleMixin, Linear):
    """Be a `Linear` whose ``in_features`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyLinear(3)(tl.ones(4, 2)).shape
    (4, 3)
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False, device, dtype)
        self.weight = UninitializedParameter(dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(dtype=dtype)

    def initialize_parameters(self, input: Any) -> None:
        """Make weight and bias for ``input``."""
        self.in_features = self.in_features or input.shape[-1]
        if self.has_uninitialized_params():
            _made(self.weight, (self.out_features, self.in_features))
            _made(self.bias, (self.out_features,))
            self.reset_parameters()


def _set(layer: Any, name: str, value: Any) -> None:
    """Set an attribute that the class beside the mixin declares."""
    setattr(layer, name, value)


def _made(parameter: Any, shape: tuple[int, ...]) -> None:
    if is_lazy(parameter):
        parameter.materialize(shape)


class _LazyChannels(LazyModuleMixin):
    """What lazy convolutions and their transposes share."""

    def _wait(self: Any, out_channels: int, bias: bool, dtype: Any) -> None:
        _set(self, "weight", UninitializedParameter(dtype=dtype))
        _set(self, "out_channels", out_channels)
        if bias:
            _set(self, "bias", UninitializedParameter(dtype=dtype))

    def initialize_parameters(self: Any, input: Any, *args: Any, **kwargs: Any) -> None:
        """Make weight and bias for ``input``."""
        if input.ndim not in (self.n + 1, self.n + 2):
            raise ShapeError(
                f"{type(self).__name__}: expected {self.n + 1}D (unbatched) or {self.n + 2}D (batched) input, got "
                f"{describe(input)}"
            )
        _set(self, "in_channels", self.in_channels or input.shape[-self.n - 1])
        if not self.has_uninitialized_params():
            return
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        first, second = self.out_channels, self.in_channels // self.groups
        if self.transposed:
            first, second = self.in_channels, self.out_channels // self.groups
        _made(self.weight, (first, second, *self.kernel_size))
        _made(self.bias, (self.out_channels,))
        self.reset_parameters()


@checked_constructor
class _LazyConv(_LazyChannels):
    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype)
        self._wait(out_channels, bias, dtype)


@checked_constructor
class _LazyConvTranspose(_LazyChannels):
    def __init__(
        self, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
        groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode, device, dtype
        )
        self._wait(out_channels, bias, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """Be a `Conv1d` whose ``in_channels`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyConv1d(3, 2)(tl.ones(4, 2, 8)).shape
    (4, 3, 7)
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """Be a `Conv2d` whose ``in_channels`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyConv2d(3, 2)(tl.ones(4, 2, 8, 8)).shape
    (4, 3, 7, 7)
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """Be a `Conv3d` whose ``in_channels`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyConv3d(3, 2)(tl.ones(4, 2, 5, 5, 5)).shape
    (4, 3, 4, 4, 4)
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """Be a `ConvTranspose1d` whose ``in_channels`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyConvTranspose1d(3, 2)(tl.ones(4, 2, 8)).shape
    (4, 3, 9)
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """Be a `ConvTranspose2d` whose ``in_channels`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyConvTranspose2d(3, 2)(tl.ones(4, 2, 8, 8)).shape
    (4, 3, 9, 9)
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """Be a `ConvTranspose3d` whose ``in_channels`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyConvTranspose3d(3, 2)(tl.ones(4, 2, 5, 5, 5)).shape
    (4, 3, 6, 6, 6)
    """

    cls_to_become = ConvTranspose3d


@checked_constructor
class _LazyNorm(LazyModuleMixin):
    def __init__(
        self: Any, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(0, eps, momentum, False, track_running_stats, device, dtype, bias=False)
        _set(self, "affine", affine)
        if affine:
            _set(self, "weight", UninitializedParameter(dtype=dtype))
            if bias:
                _set(self, "bias", UninitializedParameter(dtype=dtype))
        if track_running_stats:
            _set(self, "running_mean", UninitializedBuffer(dtype=dtype))
            _set(self, "running_var", UninitializedBuffer(dtype=dtype))

    def initialize_parameters(self: Any, input: Any) -> None:
        """Make weight, bias and running statistics for ``input``."""
        if input.ndim < 2:
            raise ShapeError(f"{type(self).__name__}: expected (N, C, ...), got {describe(input)}")
        _set(self, "num_features", self.num_features or input.shape[1])
        if self.has_uninitialized_params():
            for t in (self.weight, self.bias, self.running_mean, self.running_var):
                _made(t, (self.num_features,))
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """Be a `BatchNorm1d` whose ``num_features`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyBatchNorm1d()(tl.ones(4, 2, 8)).shape
    (4, 2, 8)
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """Be a `BatchNorm2d` whose ``num_features`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyBatchNorm2d()(tl.ones(4, 2, 8, 8)).shape
    (4, 2, 8, 8)
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """Be a `BatchNorm3d` whose ``num_features`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyBatchNorm3d()(tl.ones(4, 2, 5, 5, 5)).shape
    (4, 2, 5, 5, 5)
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """Be an `InstanceNorm1d` whose ``num_features`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyInstanceNorm1d()(tl.ones(4, 2, 8)).shape
    (4, 2, 8)
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """Be an `InstanceNorm2d` whose ``num_features`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyInstanceNorm2d()(tl.ones(4, 2, 8, 8)).shape
    (4, 2, 8, 8)
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """Be an `InstanceNorm3d` whose ``num_features`` is read off the first input.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LazyInstanceNorm3d()(tl.ones(4, 2, 5, 5, 5)).shape
    (4, 2, 5, 5, 5)
    """

    cls_to_become = InstanceNorm3d
