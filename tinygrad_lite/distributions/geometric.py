"""The geometric distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite import special
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.bernoulli import Binary
from tinygrad_lite.distributions.parameters import broadcast_all, open_uniform
from tinygrad_lite.ops.losses.classification import binary_cross_entropy_with_logits


class Geometric(Binary):
    r"""Geometric distribution: number k of failures before the first success, :math:`P(k) = (1-p)^k p`.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Geometric(tl.tensor([0.3])).log_prob(tl.tensor([1.0]))
    tensor([-1.5606])
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        number = self._take(probs, logits)
        super().__init__(() if number else self._param.size(), validate_args=validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            raise ValueError(
                f"Expected parameter probs ({type(self.probs).__name__} of shape {tuple(self.probs.shape)}) of "
                f"distribution {self!r} to be positive but found invalid values:\n{self.probs[self.probs <= 0]}"
            )

    @property
    def mean(self) -> Any:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Any:
        return tl.zeros_like(self.probs)

    @property
    def variance(self) -> Any:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        with tl.no_grad():
            p = self.probs.expand(shape)
            return (open_uniform(p, shape).log() / (-p).log1p()).floor()

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        value, p = broadcast_all(value, self.probs)
        return special.xlog1py(value, -p) + p.log()

    def entropy(self) -> Any:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
