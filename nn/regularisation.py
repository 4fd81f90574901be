"""Penalties that keep weights small, or make them zero: add one to any loss.

``loss = criterion(model(x), y) + L2(1e-4)(model)``. Biases (parameters named ``bias...``) are left out by
default, as they set no slope. Sources: Tikhonov 1943 (L2), Tibshirani 1996 (L1), Zou, Hastie 2005 (elastic net), Yuan,
Lin 2006 (group lasso).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.nn.module import Module
from tinygrad_lite.ops.elementwise.arithmetic import where

__all__ = ["L1", "L2", "ElasticNet", "GroupLasso", "Penalty", "chosen"]

Choice = Callable[[str, Tensor], bool]


def chosen(source: Any, biases: bool = False, choose: Choice | None = None) -> list[Tensor]:
    """Return the parameters that a penalty works on.

    ``source``: a module, pairs of name and parameter, or a list.
    """
    if isinstance(source, Tensor):
        return [source]
    if isinstance(source, Module):
        pairs: Iterable[tuple[str, Any]] = source.named_parameters()
    else:
        pairs = [p if isinstance(p, tuple) else ("", p) for p in source]

    def wanted(name: str, p: Any) -> bool:
        if choose is not None:
            return bool(choose(name, p))
        return biases or not name.rpartition(".")[2].startswith("bias")

    return [p for name, p in pairs if wanted(name, p)]


class Penalty(Module):
    """Base of the penalties: sums ``of(parameter)`` over the chosen parameters.

    ``strength``: the factor in front. ``biases``: with the biases too. ``choose(name, parameter)``: your own selection.
    Call it with a module, a tensor, a list of tensors, or pairs of name and tensor.
    """

    def __init__(self, strength: float = 1.0, *, biases: bool = False, choose: Choice | None = None) -> None:
        super().__init__()
        if not strength >= 0:
            raise ValueError(f"{type(self).__name__}: strength must not be negative, got {strength}")
        self.strength, self.biases, self.choose = float(strength), biases, choose

    def of(self, parameter: Any) -> Any:
        """Return the penalty of one parameter, before ``strength``."""
        raise NotImplementedError

    def forward(self, source: Any) -> Any:
        """Return the penalty as a 0-d tensor that adds to a loss."""
        total: Any = None
        for p in chosen(source, self.biases, self.choose):
            term = self.of(p)
            total = term if total is None else total + term
        return make(new.zeros((), np.float32)) if total is None else total * self.strength

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"{self.strength:g}" + (", biases=True" if self.biases else "")


class L1(Penalty):
    r"""Compute the lasso penalty :math:`\lambda \sum |w|`.

    A proximal optimiser makes weights exactly zero under it.

    >>> import tinygrad_lite as tl
    >>> L1(0.5)(tl.tensor([1.0, -3.0])).item()
    2.0
    """

    def of(self, parameter: Any) -> Any:
        """Return the sum of absolute values."""
        return parameter.abs().sum()


class L2(Penalty):
    r"""Ridge: :math:`\lambda \sum w^2` (weight decay of :math:`2 \lambda`).

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.L2(0.1)(tl.nn.Linear(2, 3))
    tensor(0.1569, grad_fn=<mul>)
    """

    def of(self, parameter: Any) -> Any:
        """Return the sum of squares."""
        return (parameter * parameter).sum()


class ElasticNet(Penalty):
    r"""Compute the elastic net penalty, a mixture of `L1` and `L2`.

    :math:`\lambda (r \sum |w| + (1 - r) / 2 \sum w^2)` with ``l1_ratio`` r, as in scikit-learn.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.ElasticNet(0.1, 0.2)(tl.nn.Linear(2, 3))
    tensor(0.1204, grad_fn=<mul>)
    """

    def __init__(
        self, strength: float = 1.0, l1_ratio: float = 0.5, *, biases: bool = False, choose: Choice | None = None
    ) -> None:
        super().__init__(strength, biases=biases, choose=choose)
        if not 0 <= l1_ratio <= 1:
            raise ValueError(f"ElasticNet: l1_ratio must be between 0 and 1, got {l1_ratio}")
        self.l1_ratio = l1_ratio

    def of(self, parameter: Any) -> Any:
        """Return the mixture of both sums."""
        squares = (parameter * parameter).sum()
        return parameter.abs().sum() * self.l1_ratio + squares * ((1 - self.l1_ratio) / 2)

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return super().extra_repr() + f", l1_ratio={self.l1_ratio}"


class GroupLasso(Penalty):
    r"""Compute the group lasso penalty: whole groups become zero together.

    :math:`\lambda \sum_g \sqrt{|g|}\, \lVert w_g \rVert_2`

    A group is what shares one place along axis ``dim``: the weights of one output (0, the default), or of one input
    (1). The slope of a group of zeros is zero.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.nn.GroupLasso(0.1)(tl.nn.Linear(2, 3))
    tensor(0.2905, grad_fn=<mul>)
    """

    def __init__(
        self, strength: float = 1.0, dim: int = 0, *, biases: bool = False, choose: Choice | None = None
    ) -> None:
        super().__init__(strength, biases=biases, choose=choose)
        self.axis = dim

    def of(self, parameter: Any) -> Any:
        """Return the sum of the norms of the groups."""
        shape = tuple(parameter.shape)
        if not -len(shape) <= self.axis < len(shape):
            raise IndexError(f"GroupLasso: dim {self.axis} is out of range for a parameter of shape {shape}")
        others = tuple(i for i in range(len(shape)) if i != self.axis % len(shape))
        count = int(np.prod([shape[i] for i in others]))
        squares = (parameter * parameter).sum(axis=others) if others else parameter * parameter
        flat = squares == 0
        return where(flat, 0.0, where(flat, 1.0, squares) ** 0.5).sum() * count**0.5

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return super().extra_repr() + f", dim={self.axis}"
