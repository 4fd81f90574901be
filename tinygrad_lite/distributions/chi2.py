"""The chi-squared distribution."""

from __future__ import annotations

from typing import Any, ClassVar

from tinygrad_lite.distributions import constraints
from tinygrad_lite.distributions.gamma import Gamma


class Chi2(Gamma):
    r"""Chi-squared distribution with ``df`` degrees of freedom: ``Gamma(df / 2, 1 / 2)``.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.Chi2(2.0).log_prob(tl.tensor(1.0))
    tensor(-1.1931)
    """

    arg_constraints: ClassVar[Any] = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return self._expanded(batch_shape, self._get_checked_instance(Chi2, _instance))

    @property
    def df(self) -> Any:
        """Degrees of freedom."""
        return self.concentration * 2
