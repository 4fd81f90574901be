"""Weight normalisation by a hook: a weight as its length times its direction.

Source: Salimans and Kingma, Weight normalization, 2016.
"""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.parameter import Parameter, is_lazy

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def length(v: Any, dim: int) -> Any:
    """Return the norm of ``v`` over all axes but ``dim``, which are kept; over all of them if ``dim`` is -1."""
    if dim == -1:
        return v.norm()
    others = [axis for axis in range(v.ndim) if axis != dim]
    return v.norm(2, others, keepdim=True) if others else v.abs()


def scaled(v: Any, g: Any, dim: int) -> Any:
    """Return ``v`` with the length ``g``."""
    return v * (g / length(v, dim))


class WeightNorm:
    """The hook that computes the weight from its length and direction before every ``forward``."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Any:
        """Return the weight."""
        return scaled(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)

    @staticmethod
    def apply(module: Any, name: str, dim: int | None) -> WeightNorm:
        """Register the hook; replace the parameter by its length and direction."""
        if any(isinstance(hook, WeightNorm) and hook.name == name for hook in module._forward_pre_hooks.values()):
            raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. "
                "Make sure to run the dummy forward before applying weight normalization"
            )
        hook = WeightNorm(name, dim)
        del module._parameters[name]
        module.register_parameter(f"{name}_g", Parameter(length(weight.data, hook.dim)))
        module.register_parameter(f"{name}_v", Parameter(weight.data))
        setattr(module, name, hook.compute_weight(module))
        module.register_forward_pre_hook(hook)
        return hook

    def remove(self, module: Any) -> None:
        """Make the weight a parameter again."""
        weight = self.compute_weight(module)
        for name in (self.name, f"{self.name}_g", f"{self.name}_v"):
            delattr(module, name)
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Any, inputs: Any) -> None:
        """Compute the weight."""
        setattr(module, self.name, self.compute_weight(module))


@named
def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Train length and direction of a weight apart: parameters ``weight_g`` and ``weight_v``; returns the module.

    There is one length for each index of axis ``dim``, or with None one in all. The newer form is
    `nn.utils.parametrizations.weight_norm`.

    >>> from tinygrad_lite import nn
    >>> from tinygrad_lite.nn.utils.weight_norm import WeightNorm
    >>> layer = nn.Linear(2, 3)
    >>> hook = WeightNorm.apply(layer, "weight", 0)
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight_g', 'weight_v']
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=3,
    )
    WeightNorm.apply(module, name, dim)
    return module


@named
def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo `weight_norm`; returns the module.

    >>> import warnings, tinygrad_lite as tl
    >>> with warnings.catch_warnings(action="ignore"):  # deprecated
    ...     layer = tl.nn.utils.weight_norm(tl.nn.Linear(2, 2))
    >>> tl.nn.utils.remove_weight_norm(layer)
    Linear(in_features=2, out_features=2, bias=True)
    """
    for number, hook in module._forward_pre_hooks.items():  # type: ignore[attr-defined]
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[number]  # type: ignore[attr-defined]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
