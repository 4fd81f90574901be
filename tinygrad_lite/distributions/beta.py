"""The beta distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.dirichlet import Dirichlet
from tinygrad_lite.distributions.distribution import ExponentialFamily
from tinygrad_lite.distributions.parameters import broadcast_all


class Beta(ExponentialFamily):
    r"""Beta distribution: :math:`p(x) \propto x^{a-1} (1-x)^{b-1}`, a = ``concentration1``, b = ``concentration0``.

    Samples are differentiable once, by implicit reparameterisation.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Beta(2.0, 3.0).log_prob(tl.tensor(0.4))
    tensor(0.5470)
    """

    arg_constraints: ClassVar[Any] = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        pair = broadcast_all(concentration1, concentration0)
        self._dirichlet = Dirichlet(tl.stack(pair, -1), validate_args=False)
        super().__init__(self._dirichlet.batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(Beta, _instance)
        new._dirichlet = self._dirichlet.expand(batch_shape)
        return self._filled(new, batch_shape)

    @property
    def concentration1(self) -> Any:
        """The parameter a."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Any:
        """The parameter b."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Any:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Any:
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Any:
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self._dirichlet.rsample(sample_shape).select(-1, 0)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        return self._dirichlet.log_prob(tl.stack([value, 1.0 - value], -1))

    def entropy(self) -> Any:
        return self._dirichlet.entropy()

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        return tl.lgamma(x) + tl.lgamma(y) - tl.lgamma(x + y)
