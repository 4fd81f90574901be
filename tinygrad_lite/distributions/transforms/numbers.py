"""Transforms of numbers, element by element."""

from __future__ import annotations

import math
from numbers import Number
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.parameters import broadcast_all, eps_of, sum_rightmost, tiny_of
from tinygrad_lite.distributions.transforms.transform import Transform
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.ops.elementwise.smooth import logsigmoid, softplus


class _Monotone(Transform):
    """A bijective, increasing transform of real numbers without parameters."""

    domain = constraints.real
    codomain = constraints.real
    bijective = True
    sign = +1

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    __hash__ = None


class ExpTransform(_Monotone):
    """The map ``y = exp(x)``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.ExpTransform()(tl.tensor([0.5, -1.0]))
    tensor([1.6487, 0.3679])
    """

    codomain: Any = constraints.positive

    def _call(self, x: Any) -> Any:
        return x.exp()

    def _inverse(self, y: Any) -> Any:
        return y.log()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return ``x``."""
        return x


class PowerTransform(Transform):
    """The map ``y = x ** exponent`` of positive numbers.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.PowerTransform(tl.tensor(2.0))(tl.tensor([0.5, 3.0]))
    tensor([0.2500, 9.0000])
    """

    domain = constraints.positive
    codomain = constraints.positive
    bijective = True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        (self.exponent,) = broadcast_all(exponent)

    def with_cache(self, cache_size: int = 1) -> Any:
        """Return the transform with another cache size."""
        return self if self._cache_size == cache_size else PowerTransform(self.exponent, cache_size=cache_size)

    @property
    def sign(self) -> Any:
        """The sign of the exponent."""
        return self.exponent.sign()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and bool((self.exponent == other.exponent).all())

    __hash__ = None

    def _call(self, x: Any) -> Any:
        return x.pow(self.exponent)

    def _inverse(self, y: Any) -> Any:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return ``log|exponent * y / x|``."""
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Any) -> Any:
        """Return the shape broadcast with the exponent's."""
        return tl.broadcast_shapes(shape, self.exponent.shape)

    inverse_shape = forward_shape


class SigmoidTransform(_Monotone):
    """The map ``y = 1 / (1 + exp(-x))``, kept one rounding unit away from 0 and 1.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.SigmoidTransform()(tl.tensor([0.5, -1.0]))
    tensor([0.6225, 0.2689])
    """

    codomain: Any = constraints.unit_interval

    def _call(self, x: Any) -> Any:
        return x.sigmoid().clamp(min=tiny_of(x), max=1 - eps_of(x))

    def _inverse(self, y: Any) -> Any:
        y = y.clamp(min=tiny_of(y), max=1 - eps_of(y))
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return ``-softplus(-x) - softplus(x)``."""
        return logsigmoid(x) + logsigmoid(-x)


class SoftplusTransform(_Monotone):
    """The map ``y = log(1 + exp(x))``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.SoftplusTransform()(tl.tensor([0.5, -1.0]))
    tensor([0.9741, 0.3133])
    """

    codomain: Any = constraints.positive

    def _call(self, x: Any) -> Any:
        return softplus(x)

    def _inverse(self, y: Any) -> Any:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return ``-softplus(-x)``."""
        return -softplus(-x)


class TanhTransform(_Monotone):
    """The map ``y = tanh(x)``; a cache is advised, since its inverse is unstable near -1 and 1.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.TanhTransform()(tl.tensor([0.5, -1.0]))
    tensor([ 0.4621, -0.7616])
    """

    codomain: Any = constraints.interval(-1.0, 1.0)

    def _call(self, x: Any) -> Any:
        return x.tanh()

    def _inverse(self, y: Any) -> Any:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return ``log(1 - tanh(x)²)`` in a form that does not overflow."""
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(Transform):
    """The map ``y = |x|``, whose inverse returns ``y``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.AbsTransform()(tl.tensor([0.5, -1.0]))
    tensor([0.5000, 1.0000])
    """

    domain = constraints.real
    codomain = constraints.positive

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AbsTransform)

    __hash__ = None

    def _call(self, x: Any) -> Any:
        return x.abs()

    def _inverse(self, y: Any) -> Any:
        return y


class AffineTransform(Transform):
    """The map ``y = loc + scale * x``; ``event_dim`` is 0 for numbers, 1 for vectors, 2 for matrices.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.AffineTransform(1.0, 2.0)(tl.tensor([0.5, -1.0]))
    tensor([ 2., -1.])
    """

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self) -> int:
        """Number of axes that count as one event."""
        return self._event_dim

    @property
    def domain(self) -> Any:
        """All numbers, with the event axes."""
        return constraints.real if not self.event_dim else constraints.independent(constraints.real, self.event_dim)

    codomain = domain

    def with_cache(self, cache_size: int = 1) -> Any:
        """Return the transform with another cache size."""
        if self._cache_size == cache_size:
            return self
        return AffineTransform(self.loc, self.scale, self.event_dim, cache_size=cache_size)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AffineTransform):
            return False
        pairs = ((self.loc, other.loc), (self.scale, other.scale))
        return all(
            a == b if isinstance(a, Number) and isinstance(b, Number) else bool((a == b).all()) for a, b in pairs
        )

    __hash__ = None

    @property
    def sign(self) -> Any:
        """The sign of the scale."""
        if isinstance(self.scale, Tensor):
            return self.scale.sign()
        return (self.scale > 0) - (self.scale < 0)

    def _call(self, x: Any) -> Any:
        return self.loc + self.scale * x

    def _inverse(self, y: Any) -> Any:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return ``log|scale|`` for each element, summed over the event axes."""
        if isinstance(self.scale, Tensor):
            result = self.scale.abs().log().expand(tl.broadcast_shapes(x.shape, self.scale.shape))
        else:
            result = tl.full_like(x, math.log(abs(self.scale)))
        return sum_rightmost(result, self.event_dim) if self.event_dim else result.expand(x.shape)

    def forward_shape(self, shape: Any) -> Any:
        """Return the shape broadcast with those of ``loc`` and ``scale``."""
        return tl.broadcast_shapes(shape, getattr(self.loc, "shape", ()), getattr(self.scale, "shape", ()))

    inverse_shape = forward_shape


class CumulativeDistributionTransform(Transform):
    """The map ``y = distribution.cdf(x)`` to the unit interval.

    >>> import tinygrad_lite as tl
    >>> normal = tl.distributions.Normal(0.0, 1.0)
    >>> tl.distributions.CumulativeDistributionTransform(normal)(tl.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
    """

    bijective = True
    codomain = constraints.unit_interval
    sign = +1

    def __init__(self, distribution: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:
        """The support of the distribution."""
        return self.distribution.support

    def _call(self, x: Any) -> Any:
        return self.distribution.cdf(x)

    def _inverse(self, y: Any) -> Any:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Return the log-density at ``x``."""
        return self.distribution.log_prob(x)

    def with_cache(self, cache_size: int = 1) -> Any:
        """Return the transform with another cache size."""
        return self if self._cache_size == cache_size else type(self)(self.distribution, cache_size=cache_size)
