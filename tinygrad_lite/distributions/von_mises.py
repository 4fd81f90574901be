"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import tinygrad_lite as tl
from tinygrad_lite import special
from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.distribution import Distribution
from tinygrad_lite.distributions.parameters import broadcast_all, drawn


class VonMises(Distribution):
    r"""Von Mises distribution of angles: :math:`p(x) = e^{\kappa\cos(x-\mu)} / (2\pi I_0(\kappa))`.

    ``loc`` is an angle in radians, ``concentration`` κ is positive. Samples lie between -π and π and have no gradient;
    `variance` is the circular one.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.VonMises(0.0, 1.0).log_prob(tl.tensor(0.0))
    tensor(-1.0738)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False
    _parameters = ("loc", "concentration")

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        return 1 - special.i1e(self.concentration) / special.i0e(self.concentration)

    def sample(self, sample_shape: Any = ()) -> Any:
        with tl.no_grad():
            return drawn(self.loc, self._extended_shape(sample_shape), "vonmises", self.loc, self.concentration)

    def log_prob(self, value: Any) -> Any:
        self._check(value)
        k = self.concentration
        return k * (tl.cos(value - self.loc) - 1) - math.log(2 * math.pi) - special.i0e(k).log()
