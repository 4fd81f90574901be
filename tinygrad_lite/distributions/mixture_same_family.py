"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.categorical import Categorical
from tinygrad_lite.distributions.distribution import Distribution


class MixtureSameFamily(Distribution):
    r"""Mixture of the distributions along the last batch axis of ``component_distribution``.

    ``mixture_distribution`` is a `Categorical` over that axis. :math:`p(x) = \sum_k w_k p_k(x)`

    >>> import tinygrad_lite as tl
    >>> D = tl.distributions
    >>> m = D.MixtureSameFamily(D.Categorical(tl.ones(2)), D.Normal(tl.tensor([-1.0, 1.0]), 1.0))
    >>> m.mean, m.variance
    (tensor(0.), tensor(2.))
    """

    arg_constraints: ClassVar[Any] = {}

    def __init__(
        self, mixture_distribution: Any, component_distribution: Any, validate_args: bool | None = None
    ) -> None:
        mixture, component = mixture_distribution, component_distribution
        if not isinstance(mixture, Categorical):
            raise ValueError(" The Mixture distribution needs to be an instance of torch.distributions.Categorical")
        if not isinstance(component, Distribution):
            raise ValueError("The Component distribution need to be an instance of torch.distributions.Distribution")
        batch = component.batch_shape[:-1]
        pairs = zip(mixture.batch_shape[::-1], batch[::-1], strict=False)
        if any(a != 1 and b != 1 and a != b for a, b in pairs):
            raise ValueError(f"`mixture_distribution.batch_shape` ({mixture.batch_shape}) is not compatible with "
                             f"`component_distribution.batch_shape`({batch})")  # fmt: skip
        if mixture.logits.shape[-1] != component.batch_shape[-1]:
            raise ValueError(f"`mixture_distribution component` ({mixture.logits.shape[-1]}) does not equal "
                             f"`component_distribution.batch_shape[-1]` ({component.batch_shape[-1]})")  # fmt: skip
        self._mixture_distribution, self._component_distribution = mixture, component
        self._num_component, self._event_ndims = component.batch_shape[-1], len(component.event_shape)
        super().__init__(batch, component.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        new._num_component, new._event_ndims = self._num_component, self._event_ndims
        new._component_distribution = self._component_distribution.expand((*batch_shape, self._num_component))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        return self._filled(new, batch_shape)

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Any:
        """The distribution over the components."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components, along the last batch axis."""
        return self._component_distribution

    def _weights(self) -> Any:
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *[1] * self._event_ndims))

    @property
    def mean(self) -> Any:
        return (self._weights() * self._component_distribution.mean).sum(-1 - self._event_ndims)

    @property
    def variance(self) -> Any:
        weights, axis = self._weights(), -1 - self._event_ndims
        spread = (self._component_distribution.mean - self.mean.unsqueeze(axis)).pow(2.0)
        return (weights * (self._component_distribution.variance + spread)).sum(axis)

    def sample(self, sample_shape: Any = ()) -> Any:
        with tl.no_grad():
            chosen = self._mixture_distribution.expand(self._batch_shape).sample(sample_shape)
            samples = self._component_distribution.sample(sample_shape)
            axis = samples.ndim - self._event_ndims - 1
            index = chosen.reshape((*chosen.shape, *[1] * (self._event_ndims + 1)))
            shape = (*samples.shape[:axis], 1, *self._event_shape)
            return samples.gather(axis, index.expand(shape)).squeeze(axis)

    def _padded(self, x: Any) -> Any:
        return x.unsqueeze(x.ndim - self._event_ndims)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        log_prob = self._component_distribution.log_prob(self._padded(value))
        return tl.logsumexp(log_prob + self._mixture_distribution.logits.log_softmax(-1), -1)

    def cdf(self, value: Any) -> Any:
        return (self._component_distribution.cdf(self._padded(value)) * self._mixture_distribution.probs).sum(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution!r},\n  {self._component_distribution!r})"
