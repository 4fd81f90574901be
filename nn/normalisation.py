"""Normalisation layers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, make
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.init import ones_, zeros_
from tinygrad_lite.nn.linear import new_parameter
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d",
    "InstanceNorm3d", "LayerNorm", "LocalResponseNorm", "RMSNorm", "SyncBatchNorm",
]  # fmt: skip


class _Scaled(Module):
    """A weight that starts as ones and a bias that starts as zeros, or neither."""

    weight: Parameter | None
    bias: Parameter | None

    def _scale(self, shape: Any, weight: bool, bias: bool, dtype: Any) -> None:
        self.register_parameter("weight", new_parameter(new.ones(shape), dtype) if weight else None)
        self.register_parameter("bias", new_parameter(new.zeros(shape), dtype) if bias else None)
        if not isinstance(self, _Running):
            self._begun()

    def reset_parameters(self) -> None:
        """Set the weight to ones and the bias to zeros again."""
        if self.weight is not None:
            ones_(self.weight)
        if self.bias is not None:
            zeros_(self.bias)


class _Running(_Scaled):
    """Batch or instance normalisation: perhaps with running statistics."""

    dims: tuple[int, ...] = ()
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._scale(num_features, affine, affine and bias, dtype)
        kind = dtype or get_default_dtype()
        track = track_running_stats
        self.register_buffer("running_mean", make(new.zeros(num_features, kind)) if track else None)
        self.register_buffer("running_var", make(new.ones(num_features, kind)) if track else None)
        self.register_buffer("num_batches_tracked", make(new.zeros((), np.int64)) if track else None)
        self._begun()

    _version = 2  # since then the state has num_batches_tracked
    _refuses_statistics = False

    def _load_from_state_dict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:  # fmt: skip
        key = f"{prefix}num_batches_tracked"
        if (local_metadata.get("version") or 1) < 2 and self.track_running_stats and key not in state_dict:
            seen = self.num_batches_tracked
            state_dict[key] = make(new.zeros((), np.int64)) if seen is None else seen
        running = [name for name in ("running_mean", "running_var") if prefix + name in state_dict]
        if self._refuses_statistics and "version" not in local_metadata and not self.track_running_stats and running:
            errors = rest[-1]
            names = " and ".join(f'"{prefix}{name}"' for name in running)
            errors.append(
                f"Unexpected running stats buffer(s) {names} for {type(self).__name__} with track_running_stats=False; "
                "remove them from the state dict, or make the layer with track_running_stats=True"
            )
            for name in running:
                del state_dict[prefix + name]
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.array[...] = 0
            self.running_var.array[...] = 1
            self.num_batches_tracked.array[...] = 0

    def reset_parameters(self) -> None:
        """Start over: weight ones, bias zeros, no statistics."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input: Any) -> None:
        if input.ndim not in self.dims:
            wanted = " or ".join(f"{d}D" for d in self.dims)
            raise ShapeError(
                f"{type(self).__name__}: expected {wanted} input (got {input.ndim}D input, {describe(input)})"
            )

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Running):
    def forward(self, input: Any) -> Any:
        """Return the normalised input; in training the running statistics learn."""
        self._check_input_dim(input)
        mean, var, momentum = self.running_mean, self.running_var, self.momentum
        learns = self.training and self.track_running_stats
        seen = self.num_batches_tracked if learns else None
        if momentum is None:  # the plain average of all batches
            momentum = 0.0 if seen is None else 1 / (int(seen.array) + 1)
        own = self.training or (mean is None and var is None)
        if self.training and not learns:
            mean = var = None
        y = self._normalised(input, (mean, var, self.weight, self.bias, own, momentum, self.eps))
        if seen is not None:
            seen.array += 1
        return y

    def _normalised(self, input: Any, words: Any) -> Any:
        return F.batch_norm(input, *words)


class BatchNorm1d(_BatchNorm):
    """Normalise each channel of (N, C) or (N, C, L) over the batch.

    >>> import tinygrad_lite as tl
    >>> tl.nn.BatchNorm1d(2)(tl.tensor([[1.0, 2.0], [3.0, 6.0]]))
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]], grad_fn=...)
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalise each channel of images (N, C, H, W) over the batch.

    >>> import tinygrad_lite as tl
    >>> tl.nn.BatchNorm2d(2)(tl.ones(4, 2, 8, 8)).shape
    (4, 2, 8, 8)
    """

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalise each channel of volumes (N, C, D, H, W) over the batch.

    >>> import tinygrad_lite as tl
    >>> tl.nn.BatchNorm3d(2)(tl.ones(4, 2, 5, 5, 5)).shape
    (4, 2, 5, 5, 5)
    """

    dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """Normalise each channel over the batches of all ranks of ``process_group``, in training; `BatchNorm` of any rank.

    In one process, and in evaluation, it is `BatchNorm1d` for inputs of any number of dimensions.

    >>> import tinygrad_lite as tl
    >>> tl.nn.SyncBatchNorm(2)(tl.ones(4, 2, 8)).shape
    (4, 2, 8)
    """

    dims = (2, 3, 4, 5)

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, process_group: Any = None, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)
        self.process_group = process_group

    def _normalised(self, input: Any, words: Any) -> Any:
        from tinygrad_lite.nn.parallel.sync_norm import group_of, normalised

        own, momentum = words[4:6]
        group = group_of(self) if own and self.training else None
        return super()._normalised(input, words) if group is None else normalised(input, self, momentum, group)

    @classmethod
    def convert_sync_batchnorm(cls, module: Any, process_group: Any = None) -> Any:
        """Return ``module`` with every BatchNorm layer in it replaced by a `SyncBatchNorm` of the same tensors."""
        new_one = module
        if isinstance(module, _BatchNorm):
            new_one = cls(
                module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats,
                process_group,
            )  # fmt: skip
            for table in ("_parameters", "_buffers"):
                getattr(new_one, table).update(getattr(module, table))
            new_one.training = module.training
        for name, child in list(module.named_children()):
            new_one.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return new_one


class _InstanceNorm(_Running):
    _refuses_statistics = True  # very old states have them although the layer does not

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Any) -> Any:
        """Return the normalised input, (N, C, *) or (C, *)."""
        self._check_input_dim(input)
        alone = input.ndim == self.dims[0]
        x = input.reshape((1, *input.shape)) if alone else input
        if x.shape[1] != self.num_features:
            wrong = (
                f"{type(self).__name__}: expected {self.num_features} channels, x has {x.shape[1]} ({describe(input)})"
            )
            if self.affine:
                raise ShapeError(wrong)
            warnings.warn(f"{wrong}; num_features is not used because affine=False", stacklevel=2)
        own = self.training or not self.track_running_stats
        y = F.instance_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, own, self.momentum or 0.0, self.eps
        )
        return y.reshape(tuple(input.shape)) if alone else y


class InstanceNorm1d(_InstanceNorm):
    """Normalise each channel of each sequence, (N, C, L) or (C, L).

    >>> import tinygrad_lite as tl
    >>> tl.nn.InstanceNorm1d(2)(tl.ones(4, 2, 8)).shape
    (4, 2, 8)
    """

    dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalise each channel of each image, (N, C, H, W) or (C, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.InstanceNorm2d(2)(tl.ones(4, 2, 8, 8)).shape
    (4, 2, 8, 8)
    """

    dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalise each channel of each volume, (N, C, D, H, W) or (C, D, H, W).

    >>> import tinygrad_lite as tl
    >>> tl.nn.InstanceNorm3d(2)(tl.ones(4, 2, 5, 5, 5)).shape
    (4, 2, 5, 5, 5)
    """

    dims = (4, 5)


def _shape(normalized_shape: Any) -> tuple[int, ...]:
    return (int(normalized_shape),) if isinstance(normalized_shape, (int, np.integer)) else tuple(normalized_shape)


class LayerNorm(_Scaled):
    """Normalise each sample over its last axes, of lengths ``normalized_shape``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LayerNorm(2)(tl.tensor([[1.0, 3.0]]))
    tensor([[-1.0000,  1.0000]], grad_fn=<normalise>)
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = _shape(normalized_shape), eps, elementwise_affine
        self._scale(self.normalized_shape, elementwise_affine, elementwise_affine and bias, dtype)

    def forward(self, input: Any) -> Any:
        """Return the normalised input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Scaled):
    """Divide each sample by the root of its mean square over its last axes.

    >>> import tinygrad_lite as tl
    >>> tl.nn.RMSNorm(2)(tl.tensor([[1.0, 3.0]]))
    tensor([[0.4472, 1.3416]], grad_fn=<normalise>)
    """

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = _shape(normalized_shape), eps, elementwise_affine
        self.register_parameter(
            "weight", new_parameter(new.ones(self.normalized_shape), dtype) if elementwise_affine else None
        )
        self._begun()

    def reset_parameters(self) -> None:
        """Set the weight to ones again."""
        if self.weight is not None:
            ones_(self.weight)

    def forward(self, input: Any) -> Any:
        """Return the normalised input."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Scaled):
    """Normalise groups of channels of each sample (N, C, *).

    >>> import tinygrad_lite as tl
    >>> tl.nn.GroupNorm(2, 4)(tl.ones(1, 4, 3)).shape
    (1, 4, 3)
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, device: Any = None,
        dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError("num_channels must be divisible by num_groups")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._scale(num_channels, affine, affine and bias, dtype)

    def forward(self, input: Any) -> Any:
        """Return the normalised input."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Divide each element by the size of its neighbours in ``size`` channels.

    >>> import tinygrad_lite as tl
    >>> tl.nn.LocalResponseNorm(2)(tl.ones(4, 2, 8, 8)).shape
    (4, 2, 8, 8)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Any) -> Any:
        """Return the normalised input."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
