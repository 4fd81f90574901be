"""The relaxed Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.bernoulli import Binary
from tinygrad_lite.distributions.parameters import broadcast_all, clamp_probs, open_uniform
from tinygrad_lite.distributions.transformed_distribution import TransformedDistribution
from tinygrad_lite.distributions.transforms import SigmoidTransform


class LogitRelaxedBernoulli(Binary):
    r"""Distribution of the logit of a `RelaxedBernoulli`.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.distributions.relaxed_bernoulli import LogitRelaxedBernoulli
    >>> LogitRelaxedBernoulli(tl.tensor(1.0), tl.tensor([0.5])).log_prob(tl.tensor([0.0]))
    tensor([-1.3863])
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        number = self._take(probs, logits)
        super().__init__(() if number else self._param.size(), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LogitRelaxedBernoulli, _instance)
        new.temperature = self.temperature
        return self._expanded(batch_shape, new)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        p, u = clamp_probs(self.probs.expand(shape)), clamp_probs(open_uniform(self.probs, shape))
        return (u.log() - (-u).log1p() + p.log() - (-p).log1p()) / self.temperature

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        difference = logits - value * self.temperature
        scale = self.temperature.log() if hasattr(self.temperature, "log") else math.log(self.temperature)
        return scale + difference - 2 * difference.exp().log1p()


class RelaxedBernoulli(TransformedDistribution):
    r"""Continuous relaxation of the Bernoulli distribution, between 0 and 1, with gradients (Maddison et al., 2017).

    The smaller the ``temperature``, the closer samples are to 0 and 1.

    >>> import tinygrad_lite as tl
    >>> m = tl.distributions.RelaxedBernoulli(tl.tensor(0.5), tl.tensor([0.2, 0.9]))
    >>> m.rsample().shape
    (2,)
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(LogitRelaxedBernoulli(temperature, probs, logits), SigmoidTransform(),
                         validate_args=validate_args)  # fmt: skip

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, self._get_checked_instance(RelaxedBernoulli, _instance))

    @property
    def temperature(self) -> Any:
        """The temperature of the relaxation."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Any:
        """The log-odds."""
        return self.base_dist.logits

    @property
    def probs(self) -> Any:
        """The probabilities of 1 in the limit."""
        return self.base_dist.probs
