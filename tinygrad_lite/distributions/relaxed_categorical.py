"""The relaxed categorical distribution, known as Gumbel-softmax or concrete."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.categorical import Categorical
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import broadcast_all, clamp_probs, open_uniform
from tinygrad_lite.distributions.transformed_distribution import TransformedDistribution
from tinygrad_lite.distributions.transforms import ExpTransform


class ExpRelaxedCategorical(Distribution):
    r"""Distribution of the logarithm of a `RelaxedOneHotCategorical`.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite.distributions.relaxed_categorical import ExpRelaxedCategorical
    >>> ExpRelaxedCategorical(tl.tensor(1.0), tl.tensor([0.5, 0.5])).event_shape
    (2,)
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical, self.temperature = Categorical(probs, logits), temperature
        n = self._categorical._num_events
        super().__init__(self._categorical.batch_shape, (n,), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(ExpRelaxedCategorical, _instance)
        new.temperature, new._categorical = self.temperature, self._categorical.expand(batch_shape)
        return self._filled(new, batch_shape)

    @property
    def param_shape(self) -> Any:
        """Shape of the parameter."""
        return self._categorical.param_shape

    @property
    def logits(self) -> Any:
        """Normalised log-probabilities."""
        return self._categorical.logits

    @property
    def probs(self) -> Any:
        """Normalised probabilities."""
        return self._categorical.probs

    def rsample(self, sample_shape: Any = ()) -> Any:
        uniform = clamp_probs(open_uniform(self.logits, self._extended_shape(sample_shape)))
        scores = (self.logits - (-uniform.log()).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: Any) -> Any:
        n = self._categorical._num_events
        self._check(value)
        logits, value = broadcast_all(self.logits, value)
        temperature = tl.as_tensor(self.temperature, dtype=logits.dtype)
        scale = tl.full_like(temperature, float(n)).lgamma() + temperature.log() * (n - 1)
        score = logits - value * temperature
        return (score - score.logsumexp(-1, keepdim=True)).sum(-1) + scale


class RelaxedOneHotCategorical(TransformedDistribution):
    r"""Continuous relaxation of the one-hot categorical distribution, with gradients.

    Also known as Gumbel-softmax (Jang et al., 2017) and the concrete distribution (Maddison et al., 2017).

    >>> import tinygrad_lite as tl
    >>> m = tl.distributions.RelaxedOneHotCategorical(tl.tensor(0.5), tl.tensor([0.2, 0.8]))
    >>> m.rsample().shape
    (2,)
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, self._get_checked_instance(RelaxedOneHotCategorical, _instance))

    @property
    def temperature(self) -> Any:
        """The temperature of the relaxation."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Any:
        """Normalised log-probabilities."""
        return self.base_dist.logits

    @property
    def probs(self) -> Any:
        """Normalised probabilities."""
        return self.base_dist.probs
