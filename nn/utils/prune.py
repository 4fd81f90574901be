"""Pruning: some elements of a parameter become zero, by a mask that is a buffer.

``weight`` is then computed from the parameter ``weight_orig`` and the buffer ``weight_mask`` before every ``forward``.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, TypeVar

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.nn.utils.convert_parameters import parameters_to_vector
from tinygrad_lite.random import default_generator

M = TypeVar("M")


class BasePruningMethod:
    """Base of pruning methods: the hook that multiplies a parameter by its mask before every ``forward``.

    A method defines ``PRUNING_TYPE``, 'unstructured' (elements that are left), 'structured' (channels that are left) or
    'global', and `compute_mask`.

    >>> import tinygrad_lite as tl
    >>> class Negative(tl.nn.utils.prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...     def compute_mask(self, t, default_mask):
    ...         return default_mask * (t >= 0)
    >>> layer = tl.nn.Linear(2, 2)
    >>> method = Negative.apply(layer, "weight")
    >>> bool((layer.weight >= 0).all())
    True
    """

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str | None = None

    def __call__(self, module: Any, inputs: Any) -> None:
        """Multiply the parameter by its mask."""
        setattr(module, str(self._tensor_name), self.apply_mask(module))

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask for ``t``, whose values say what is important; zeros of ``default_mask`` stay."""
        raise NotImplementedError(f"{type(self).__name__} defines no compute_mask")

    def apply_mask(self, module: Any) -> Any:
        """Return the parameter times its mask."""
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        original = getattr(module, f"{self._tensor_name}_orig")
        return getattr(module, f"{self._tensor_name}_mask").to(original.dtype) * original

    @classmethod
    def apply(cls, module: Any, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Prune a parameter; a parameter that is pruned already is pruned further."""
        method = _joined(cls(*args, **kwargs), module, name)
        again = isinstance(method, PruningContainer)
        original = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got "
                f"{importance_scores.shape} vs {original.shape}"
            )
        if again:
            default = getattr(module, f"{name}_mask").detach().clone()
        else:
            default = make(new.ones(original.shape, original.dtype))
        scores = original if importance_scores is None else importance_scores
        mask = method.compute_mask(scores, default_mask=default)  # before any change, because it may raise
        if not again:
            module.register_parameter(f"{name}_orig", original)
            del module._parameters[name]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """Return a tensor times the mask that this method computes for it."""
        if importance_scores is not None and importance_scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {importance_scores.shape} vs {t.shape}"
            )
        default = make(new.ones(t.shape, t.dtype)) if default_mask is None else default_mask
        return t * self.compute_mask(t if importance_scores is None else importance_scores, default_mask=default)

    def remove(self, module: Any) -> None:
        """Make the pruned values the parameter for good."""
        name = self._tensor_name
        if name is None:
            raise AssertionError(f"Module {module} has to be pruned before pruning can be removed")
        weight, original = self.apply_mask(module), module._parameters[f"{name}_orig"]
        delattr(module, name)
        original.data = weight.data
        del module._parameters[f"{name}_orig"], module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def _hooks(module: Any, name: str) -> dict[int, Any]:
    found = module._forward_pre_hooks.items()
    return {n: hook for n, hook in found if isinstance(hook, BasePruningMethod) and hook._tensor_name == name}


def _joined(method: BasePruningMethod, module: Any, name: str) -> BasePruningMethod:
    """Return ``method``, or a container of it and what the parameter was pruned with before."""
    method._tensor_name = name
    for number, old in _hooks(module, name).items():
        container = old if isinstance(old, PruningContainer) else PruningContainer(old)
        container.add_pruning_method(method)
        del module._forward_pre_hooks[number]
        return container
    return method


class PruningContainer(BasePruningMethod):
    """Several pruning methods of one parameter; each prunes what the earlier ones left.

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.Linear(2, 2)
    >>> for _ in range(2):
    ...     layer = tl.nn.utils.prune.l1_unstructured(layer, "weight", 1)
    >>> [type(hook).__name__ for hook in layer._forward_pre_hooks.values()], layer.weight_mask.sum()
    (['PruningContainer'], tensor(2.))
    """

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add a method for the same parameter."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to PruningContainer "
                f"{self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask of the last method, applied to what the mask so far has left."""
        method: Any = self._pruning_methods[-1]
        left: Any
        if method.PRUNING_TYPE == "unstructured":
            left = default_mask.array == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(
                    'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
                )
            if method.dim < -t.ndim:
                raise IndexError(f"Index is out of bounds for tensor with dimensions {t.ndim}")
            axis = method.dim % t.ndim
            channels = default_mask.array.sum(tuple(d for d in range(t.ndim) if d != axis)) != 0
            left = (*(slice(None),) * axis, channels)
        elif method.PRUNING_TYPE == "global":
            left = (slice(None),) * t.ndim
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = default_mask.array.astype(t.dtype)
        mask[left] = method.compute_mask(t.detach()[left], default_mask=default_mask[left]).array
        return make(mask)


class Identity(BasePruningMethod):
    """Prune nothing, but make the mask.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.Identity().prune(tl.tensor([3.0, -1.0, 2.0, 0.5]))
    tensor([ 3.0000, -1.0000,  2.0000,  0.5000])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return ``default_mask``."""
        return default_mask

    @classmethod
    def apply(cls, module: Any, name: str) -> Any:  # type: ignore[override]
        """Give a parameter a mask of ones."""
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    """A method that prunes an amount: a number of elements or channels, or with a float a share of them."""

    def __init__(self, amount: Any) -> None:
        whole = isinstance(amount, numbers.Integral)
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if (whole and amount < 0) or not (whole or 0.0 <= float(amount) <= 1.0):
            raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
        self.amount: Any = amount

    def _count(self, size: int) -> int:
        """Return how many of ``size`` to prune."""
        count: Any = self.amount if isinstance(self.amount, numbers.Integral) else round(self.amount * size)
        if count > size:
            raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={size}")
        return int(count)


class _Unstructured(_Amount):
    PRUNING_TYPE = "unstructured"

    def _scores(self, t: Any) -> Any:
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask that prunes the elements of lowest score."""
        count = self._count(t.numel())
        mask = default_mask.array.copy()
        mask.reshape(-1)[np.argsort(self._scores(t).reshape(-1), kind="stable")[:count]] = 0
        return make(mask)

    @classmethod
    def apply(cls, module: Any, name: str, amount: Any, importance_scores: Any = None) -> Any:  # type: ignore[override]
        """Prune elements of a parameter."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class RandomUnstructured(_Unstructured):
    """Prune random elements.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.RandomUnstructured(0.5).prune(tl.ones(4)).sum()
    tensor(2.)
    """

    def _scores(self, t: Any) -> Any:
        return default_generator().uniform(size=tuple(t.shape))


class L1Unstructured(_Unstructured):
    """Prune the elements of smallest magnitude.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.L1Unstructured(0.5).prune(tl.tensor([3.0, -1.0, 2.0, 0.5]))
    tensor([3., -0., 2., 0.])
    """

    def _scores(self, t: Any) -> Any:
        return np.abs(t.array)


class _Structured(_Amount):
    PRUNING_TYPE = "structured"
    dim: int

    def _scores(self, t: Any) -> Any:
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask that prunes the channels of lowest score."""
        if t.ndim <= 1:
            raise ValueError(
                f"Structured pruning can only be applied to multidimensional tensors. Found tensor of shape {t.shape} "
                f"with {t.ndim} dims"
            )
        if self.dim >= t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        count = self._count(t.shape[self.dim])
        if not count:
            return default_mask
        mask = default_mask.array.astype(t.dtype)
        np.moveaxis(mask, self.dim, 0)[np.argsort(self._scores(t), kind="stable")[:count]] = 0
        return make(mask)


class RandomStructured(_Structured):
    """Prune random channels along axis ``dim``.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.RandomStructured(0.5).prune(tl.ones(2, 2)).sum()
    tensor(2.)
    """

    def __init__(self, amount: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _scores(self, t: Any) -> Any:
        return default_generator().uniform(size=t.shape[self.dim])

    @classmethod
    def apply(cls, module: Any, name: str, amount: Any, dim: int = -1) -> Any:  # type: ignore[override]
        """Prune channels of a parameter."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prune the channels along axis ``dim`` whose norm of order ``n`` is smallest.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.LnStructured(0.5, 2, 0).prune(tl.tensor([[3.0, 1.0], [2.0, 0.5]]))
    tensor([[3., 1.],
            [0., 0.]])
    """

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.n, self.dim = n, dim

    def _scores(self, t: Any) -> Any:
        return t.detach().norm(self.n, [d for d in range(t.ndim) if d != self.dim % t.ndim]).array

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Any, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None
    ) -> Any:
        """Prune channels of a parameter."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prune by a mask of your own.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.CustomFromMask(tl.eye(2)).prune(tl.tensor([[3.0, 1.0], [2.0, 0.5]]))
    tensor([[3.0000, 0.0000],
            [0.0000, 0.5000]])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """Return the mask so far times the mask."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(default_mask.dtype)

    @classmethod
    def apply(cls, module: Any, name: str, mask: Any) -> Any:  # type: ignore[override]
        """Prune a parameter by a mask."""
        return super().apply(module, name, mask=mask)


def identity(module: M, name: str) -> M:
    """Give a parameter a mask of ones; returns the module.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.identity(tl.nn.Linear(2, 1), "weight")
    Linear(in_features=2, out_features=1, bias=True)
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: M, name: str, amount: Any) -> M:
    """Prune random elements of a parameter, a number or a share of them; returns the module.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.random_unstructured(tl.nn.Linear(2, 2), "weight", 0.5).weight_mask.sum()
    tensor(2.)
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: M, name: str, amount: Any, importance_scores: Any = None) -> M:
    """Prune the elements of smallest magnitude, or lowest score, a number or a share of them; returns the module.

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.Linear(2, 3)
    >>> sorted(tl.nn.utils.prune.l1_unstructured(layer, "weight", 4).state_dict())
    ['bias', 'weight_mask', 'weight_orig']
    >>> int((layer.weight == 0).sum())
    4
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: M, name: str, amount: Any, dim: int) -> M:
    """Prune random channels along ``dim``, a number or a share of them; returns the module.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.random_structured(tl.nn.Linear(2, 2), "weight", 0.5, 0).weight_mask.sum()
    tensor(2.)
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: M, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None) -> M:
    """Prune the channels along ``dim`` of smallest norm of order ``n``; returns the module.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.ln_structured(tl.nn.Linear(2, 2), "weight", 0.5, 2, 0).weight_mask.sum()
    tensor(2.)
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any) -> None:
    """Prune several parameters as if they were one; each is given as (module, name).

    >>> import tinygrad_lite as tl
    >>> model = tl.nn.Sequential(tl.nn.Linear(2, 4), tl.nn.ReLU(), tl.nn.Linear(4, 1))
    >>> tl.nn.utils.prune.global_unstructured(
    ...     [(model[0], "weight"), (model[2], "weight")], tl.nn.utils.prune.L1Unstructured, amount=0.5
    ... )
    >>> model[0].weight_mask.sum() + model[2].weight_mask.sum()
    tensor(6.)
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    places = list(parameters)
    tensors = [getattr(module, name) for module, name in places]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of '
            f"type {method.PRUNING_TYPE}"
        )
    container = PruningContainer()
    container._tensor_name = method._tensor_name = "temp"
    container.add_pruning_method(method)
    masks = [
        getattr(module, f"{name}_mask", make(new.ones(t.shape, t.dtype)))
        for (module, name), t in zip(places, tensors, strict=True)
    ]
    values = [scores.get(place, t) for place, t in zip(places, tensors, strict=True)]
    whole = container.compute_mask(parameters_to_vector(values), parameters_to_vector(masks))
    at = 0
    for (module, name), t in zip(places, tensors, strict=True):
        custom_from_mask(module, name, mask=whole[at : at + t.numel()].reshape(t.shape))
        at += t.numel()


def custom_from_mask(module: M, name: str, mask: Any) -> M:
    """Prune a parameter by ``mask``, zeros and ones of its shape; returns the module.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.custom_from_mask(tl.nn.Linear(2, 2), "weight", tl.eye(2)).weight_mask
    tensor([[1., 0.],
            [0., 1.]])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: M, name: str) -> M:
    """Make the pruned values of a parameter permanent: it has no mask any more; returns the module.

    >>> import tinygrad_lite as tl
    >>> layer = tl.nn.utils.prune.identity(tl.nn.Linear(2, 2), "weight")
    >>> tl.nn.utils.prune.remove(layer, "weight")
    Linear(in_features=2, out_features=2, bias=True)
    """
    for number, hook in _hooks(module, name).items():
        hook.remove(module)
        del module._forward_pre_hooks[number]  # type: ignore[attr-defined]
        return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Any) -> bool:
    """Return whether a parameter of ``module`` or of a module below it is pruned.

    >>> import tinygrad_lite as tl
    >>> tl.nn.utils.prune.is_pruned(tl.nn.Linear(2, 2))
    False
    """
    return any(
        isinstance(hook, BasePruningMethod) for below in module.modules() for hook in below._forward_pre_hooks.values()
    )
