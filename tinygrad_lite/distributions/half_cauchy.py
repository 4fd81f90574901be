"""The half-Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

import tinygrad_lite as tl
from tinygrad_lite.distributions.cauchy import Cauchy
from tinygrad_lite.distributions.half_normal import Half


class HalfCauchy(Half):
    r"""Distribution of ``|x|`` for a Cauchy ``x`` of median 0 and the given ``scale``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.HalfCauchy(1.0).log_prob(tl.tensor(0.0))
    tensor(-0.4516)
    """

    _whole = Cauchy

    @property
    def mean(self) -> Any:
        return tl.full(self._extended_shape(), math.inf, dtype=self.scale.dtype)

    @property
    def variance(self) -> Any:
        return self.base_dist.variance

    def log_prob(self, value: Any) -> Any:
        return super().log_prob(tl.as_tensor(value, dtype=self.scale.dtype))
