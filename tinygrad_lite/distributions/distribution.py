"""The base class of all distributions, and those of exponential families and of a location and a scale."""

from __future__ import annotations

from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.parameters import broadcast_all, common_shape, lazy_property
from tinygrad_lite.engine.arguments import named_constructor
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Tensor

__all__ = ["Distribution"]


@named_constructor
class Distribution:
    """A probability distribution over events, for a batch of parameters.

    A sample has the shape ``sample_shape + batch_shape + event_shape``; `log_prob` has the first two. Parameters and
    values are checked unless ``validate_args=False``.

    >>> import tinygrad_lite as tl
    >>> n = tl.distributions.Normal(tl.zeros(3), 1.0)
    >>> (isinstance(n, tl.distributions.Distribution), n.batch_shape, n.event_shape, n.sample((2,)).shape)
    (True, (3,), (), (2, 3))
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        named_constructor(cls)

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Turn the check of parameters and values on or off for all distributions."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: expected True or False, got {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = tl.Size(batch_shape), tl.Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()

    def _validate_parameters(self) -> None:
        try:
            arg_constraints = self.arg_constraints
        except NotImplementedError:
            arg_constraints = {}
            warn(f"{self.__class__} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or "
                 "initialize the distribution with `validate_args=False` to turn off validation.")  # fmt: skip
        for param, constraint in arg_constraints.items():
            if constraints.is_dependent(constraint):
                continue
            if param not in self.__dict__ and isinstance(getattr(type(self), param), lazy_property):
                continue  # not given, but computed from what was
            value = getattr(self, param)
            if not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {param} ({type(value).__name__} of shape {tuple(value.shape)}) "
                    f"of distribution {self!r} to satisfy the constraint {constraint!r}, "
                    f"but found invalid values:\n{value}"
                )

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """Return the distribution with its parameters expanded to ``batch_shape``."""
        return self._expanded(batch_shape, _instance)

    _parameters: tuple[str, ...] = ()
    """Names of the attributes that `expand` expands; each has the shape ``batch_shape`` and its own event axes."""

    def _expanded(self, batch_shape: Any, instance: Any = None) -> Any:
        if not self._parameters:
            raise NotImplementedError
        new = self._get_checked_instance(type(self), instance)
        for name in self._parameters:
            if name in self.__dict__:
                value = self.__dict__[name]
                own = tuple(value.shape[len(self._batch_shape) :])
                new.__dict__[name] = value.expand((*batch_shape, *own))
        return self._filled(new, batch_shape)

    def _check(self, value: Any) -> None:
        if self._validate_args:
            self._validate_sample(value)

    def _filled(self, new: Any, batch_shape: Any) -> Any:
        Distribution.__init__(new, batch_shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def batch_shape(self) -> Any:
        """Shape of the batch of parameters."""
        return self._batch_shape

    @property
    def event_shape(self) -> Any:
        """Shape of a single sample, without batching."""
        return self._event_shape

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """Constraint of each parameter, by name."""
        raise NotImplementedError

    @property
    def support(self) -> Any:
        """Constraint that the samples satisfy."""
        raise NotImplementedError

    @property
    def mean(self) -> Any:
        """Mean of the distribution."""
        raise NotImplementedError

    @property
    def mode(self) -> Any:
        """Most probable value."""
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self) -> Any:
        """Variance of the distribution."""
        raise NotImplementedError

    @property
    def stddev(self) -> Any:
        """Standard deviation: the root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Any:
        """Return samples without a gradient, of shape ``sample_shape + batch_shape + event_shape``."""
        with tl.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Return samples that are differentiable functions of the parameters (reparameterised)."""
        raise NotImplementedError

    def sample_n(self, n: int) -> Any:
        """Return ``n`` samples; an old form of ``sample((n,))``."""
        warn("sample_n(n) will be deprecated. Use .sample((n,)) instead")
        return self.sample((n,))

    def log_prob(self, value: Any) -> Any:
        """Return the logarithm of the density or probability at ``value``."""
        raise NotImplementedError

    def cdf(self, value: Any) -> Any:
        """Return the probability of a sample up to ``value``."""
        raise NotImplementedError

    def icdf(self, value: Any) -> Any:
        """Return the value below which samples lie with probability ``value``; the inverse of `cdf`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Any:
        """Return all values of a discrete distribution along a new first axis."""
        raise NotImplementedError

    def entropy(self) -> Any:
        """Return the entropy in nats."""
        raise NotImplementedError

    def perplexity(self) -> Any:
        """Return the exponential of the entropy."""
        return tl.exp(self.entropy())

    def _extended_shape(self, sample_shape: Any = ()) -> Any:
        return tl.Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        shape = tuple(value.shape)
        start = len(shape) - len(self._event_shape)
        if shape[max(start, 0) :] != tuple(self._event_shape) or start < 0:
            raise ValueError(f"The right-most size of value must match event_shape: {shape} vs {self._event_shape}.")
        expected = (*self._batch_shape, *self._event_shape)
        if any(i != 1 and j != 1 and i != j for i, j in zip(shape[::-1], expected[::-1], strict=False)):
            raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {expected}.")
        try:
            support = self.support
        except NotImplementedError:
            warn(f"{self.__class__} does not define `support` to enable sample validation. Please initialize the "
                 "distribution with `validate_args=False` to turn off validation.")  # fmt: skip
            return
        if not support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {shape}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _get_checked_instance(self, cls: Any, _instance: Any = None) -> Any:
        if _instance is None and type(self).__init__ != cls.__init__:
            raise NotImplementedError(
                f"Subclass {self.__class__.__name__} of {cls.__name__} that defines a custom __init__ method "
                "must also define a custom .expand() method."
            )
        return self.__new__(type(self)) if _instance is None else _instance

    def __repr__(self) -> str:
        names = [name for name in self.arg_constraints if name in self.__dict__]
        values = [(name, self.__dict__[name]) for name in names]
        shown = [
            f"{name}: {value if not isinstance(value, Tensor) or value.numel() == 1 else tuple(value.shape)}"
            for name, value in values
        ]
        return f"{self.__class__.__name__}({', '.join(shown)})"


class ExponentialFamily(Distribution):
    r"""A distribution :math:`p(x; \theta) = \exp(\langle t(x), \theta \rangle - F(\theta) + k(x))`.

    A subclass that gives its natural parameters, log-normaliser and mean carrier measure gets its entropy and the KL
    divergence between two of its members through gradients of the log-normaliser.

    >>> import tinygrad_lite as tl
    >>> n = tl.distributions.Normal(tl.zeros(3), 1.0)
    >>> (isinstance(n, tl.distributions.ExponentialFamily), n.batch_shape, n.event_shape, n.sample((2,)).shape)
    (True, (3,), (), (2, 3))
    """

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Any) -> Any:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    def entropy(self) -> Any:
        """Return the entropy, by the Bregman divergence of the log-normaliser."""
        with tl.enable_grad():
            natural = [p.detach().requires_grad_() for p in self._natural_params]
            normalizer = self._log_normalizer(*natural)
            slopes = tl.autograd.grad(normalizer.sum(), natural, create_graph=True)
        result = -self._mean_carrier_measure + normalizer
        for p, slope in zip(natural, slopes, strict=True):
            result = result - (p * slope).reshape((*self._batch_shape, -1)).sum(-1)
        return result


class LocationScale(Distribution):
    """Base of distributions of real numbers with the parameters ``loc`` (the mode) and ``scale``."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _parameters = ("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(common_shape(self.loc, loc, scale), validate_args=validate_args)

    @property
    def mode(self) -> Any:
        """The most probable value."""
        return self.loc
