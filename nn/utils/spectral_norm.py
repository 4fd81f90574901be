"""Spectral normalisation by a hook: a weight divided by its largest singular value.

Source: Miyato, Kataoka, Koyama, Yoshida, Spectral normalization for generative adversarial networks, 2018.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import checked_constructor, counted, named
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter, is_lazy
from tinygrad_lite.random import default_generator

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]

M = TypeVar("M", bound=Module)


def as_matrix(weight: Any, dim: int) -> Any:
    """Return ``weight`` as a matrix whose rows are its parts along axis ``dim``."""
    if dim:
        weight = weight.permute(dim, *(axis for axis in range(weight.ndim) if axis != dim))
    return weight.reshape((weight.shape[0], -1))


def default_dim(module: Any) -> int:
    """Return the axis of the outputs in the weight of a layer: 1 for transposed convolutions, otherwise 0."""
    return 1 if getattr(module, "transposed", False) else 0


def unit(x: Any, eps: float) -> Any:
    """Return the array ``x`` divided by its length."""
    return x / max(float(np.linalg.norm(x)), eps)


def start(size: int, dtype: Any, eps: float) -> Any:
    """Return a random unit vector."""
    return make(unit(new.asarray(default_generator().normal(size=size), dtype), eps))


def put(old: Any, values: Any) -> None:
    """Write ``values`` into a tensor."""
    old.array[...] = values
    bump(old.array)


@checked_constructor
class SpectralNorm:
    """The hook that divides the weight by its estimated largest singular value before every ``forward``."""

    _version = 1

    def __init__(
        self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:  # fmt: skip
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        counted("spectral_norm", "n_power_iterations", n_power_iterations)
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Any:
        """Return the normalised weight; the estimate of the singular vectors is improved first if asked for."""
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            for _ in range(self.n_power_iterations):
                put(v, unit(matrix.array.T @ u.array, self.eps))
                put(u, unit(matrix.array @ v.array, self.eps))
            u, v = u.clone(), v.clone()  # a second forward pass must not change what the first one saved
        return weight / (u * (matrix @ v)).sum()

    def remove(self, module: Any) -> None:
        """Make the normalised weight a parameter again."""
        weight = self.compute_weight(module, do_power_iteration=False).detach()
        for name in (self.name, f"{self.name}_u", f"{self.name}_v", f"{self.name}_orig"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight))

    def __call__(self, module: Any, inputs: Any) -> None:
        """Compute the weight; the power iteration goes on in training."""
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    def saved(self, module: Any, state_dict: Any, prefix: str, local_metadata: dict[str, Any]) -> None:
        """Store the version of the hook's state with a state dict."""
        local_metadata.setdefault("spectral_norm", {})[f"{self.name}.version"] = self._version

    @staticmethod
    def apply(module: Any, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Register the hook; replace the parameter by the original weight and two singular vectors."""
        if any(isinstance(hook, SpectralNorm) and hook.name == name for hook in module._forward_pre_hooks.values()):
            raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters.get(name)
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. "
                "Make sure to run the dummy forward before applying spectral normalization"
            )
        height, width = as_matrix(weight.data, dim).shape
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        setattr(module, name, weight.data)
        module.register_buffer(f"{name}_u", start(height, weight.dtype, eps))
        module.register_buffer(f"{name}_v", start(width, weight.dtype, eps))
        module.register_forward_pre_hook(hook)
        module._register_state_dict_hook(hook.saved)
        return hook


@named
def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide a weight by its largest singular value in every ``forward``; returns the module.

    The value is estimated by power iteration, which goes on from pass to pass in training. The parameter is
    ``weight_orig``, the buffers are ``weight_u`` and ``weight_v``. The newer form is
    `nn.utils.parametrizations.spectral_norm`.

    >>> from tinygrad_lite import nn
    >>> list(spectral_norm(nn.Linear(2, 3)).state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    SpectralNorm.apply(module, name, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    return module


@named
def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undo `spectral_norm`, keeping the normalised weight; returns the module.

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.utils.spectral_norm(tl.nn.Linear(2, 2))
    >>> tl.nn.utils.remove_spectral_norm(layer)
    Linear(in_features=2, out_features=2, bias=True)
    """
    hooks: Any = module._forward_pre_hooks  # type: ignore[attr-defined]
    for number, hook in hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del hooks[number]
            saving: Any = module._state_dict_hooks  # type: ignore[attr-defined]
            for other, saved in list(saving.items()):
                if getattr(saved, "__self__", None) is hook:
                    del saving[other]
            return module
    raise ValueError(f"spectral_norm of '{name}' not found in {module}")
