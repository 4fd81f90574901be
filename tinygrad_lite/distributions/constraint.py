"""The base of all constraints, and placeholders for those that depend on the parameters of a distribution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Constraint:
    """A set of values, with `check` to test membership.

    >>> import tinygrad_lite as tl
    >>> class Even(tl.distributions.constraints.Constraint):
    ...     def check(self, value):
    ...         return value % 2 == 0
    ...
    >>> Even().check(tl.tensor([1, 2]))
    tensor([False,  True])
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Any) -> Any:
        """Return a boolean tensor: whether each event of ``value`` satisfies the constraint."""
        raise NotImplementedError

    def _numbers(self) -> str:
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__.lstrip('_')}({self._numbers()})"


class Dependent(Constraint):
    """Placeholder for a constraint that depends on other parameters; it checks nothing by itself."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self) -> Any:  # type: ignore[override]
        """Whether the values are discrete, if that is known without the other parameters."""
        if self._is_discrete is NotImplemented:
            raise NotImplementedError(".is_discrete cannot be determined statically")
        return self._is_discrete

    @property
    def event_dim(self) -> Any:  # type: ignore[override]
        """Number of event axes, if that is known without the other parameters."""
        if self._event_dim is NotImplemented:
            raise NotImplementedError(".event_dim cannot be determined statically")
        return self._event_dim

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> Dependent:
        """Return a placeholder with the given static properties."""
        return Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, value: Any) -> Any:
        """Raise: the constraint is only known for an instance of the distribution."""
        raise ValueError("Cannot determine validity of dependent constraint")


def is_dependent(constraint: Any) -> bool:
    """Return whether ``constraint`` is a placeholder that depends on other parameters.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.constraints.is_dependent(tl.distributions.Uniform.support)
    True
    """
    return isinstance(constraint, Dependent)


class DependentProperty(property, Dependent):
    """Property that is a placeholder on the class and the real constraint on an instance.

    >>> import tinygrad_lite as tl
    >>> class Above(tl.distributions.Distribution):
    ...     @tl.distributions.constraints.dependent_property(is_discrete=False, event_dim=0)
    ...     def support(self):
    ...         return tl.distributions.constraints.greater_than(self.low)
    ...
    >>> tl.distributions.constraints.is_dependent(Above.support)
    True
    """

    def __init__(self, fn: Any = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        super().__init__(fn)
        self._is_discrete, self._event_dim = is_discrete, event_dim

    def __call__(self, fn: Callable[[Any], Any]) -> DependentProperty:  # type: ignore[override]
        """Decorate ``fn``, as in ``@dependent_property(event_dim=1)``."""
        return DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)
