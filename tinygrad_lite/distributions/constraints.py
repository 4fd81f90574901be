"""Constraints: sets of values that parameters and samples of distributions lie in.

A constraint's `check` returns a boolean tensor. ``event_dim`` is the number of trailing axes that it judges together,
so the result has that many axes fewer than the value.

>>> import tinygrad_lite as tl
>>> tl.distributions.constraints.positive.check(tl.tensor([1.0, -1.0]))
tensor([ True, False])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.distributions.constraint import (
    Constraint as Constraint,
    Dependent,
    DependentProperty,
    is_dependent as is_dependent,
)

__all__ = [
    "Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property",
    "greater_than", "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval",
    "is_dependent", "less_than", "lower_cholesky", "lower_triangular", "multinomial", "nonnegative",
    "nonnegative_integer", "one_hot", "positive", "positive_definite", "positive_integer", "positive_semidefinite",
    "real", "real_vector", "simplex", "square", "stack", "symmetric", "unit_interval",
]  # fmt: skip


class IndependentConstraint(Constraint):
    """Constraint that joins trailing axes of another one into one event.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.constraints.independent(tl.distributions.constraints.positive, 1).check(
    ...     tl.tensor([[2.0, 1.0], [2.0, -1.0]])
    ... )
    tensor([ True, False])
    """

    def __init__(self, base_constraint: Any, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> Any:  # type: ignore[override]
        """Whether the base constraint is discrete."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:  # type: ignore[override]
        """Event axes of the base and the joined ones."""
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        """Return whether all values of each joined event satisfy the base constraint."""
        result = self.base_constraint.check(value)
        if result.ndim < self.reinterpreted_batch_ndims:
            expected = self.base_constraint.event_dim + self.reinterpreted_batch_ndims
            raise ValueError(f"Expected value.dim() >= {expected} but got {value.ndim}")
        shape = (*result.shape[: result.ndim - self.reinterpreted_batch_ndims], -1)
        return result.reshape(shape).all(-1)

    def _numbers(self) -> str:
        return f"{self.base_constraint!r}, {self.reinterpreted_batch_ndims}"


class MixtureSameFamilyConstraint(Constraint):
    """Support of a mixture: a value must lie in the support of every component.

    >>> import tinygrad_lite as tl
    >>> positive = tl.distributions.constraints.positive
    >>> tl.distributions.constraints.MixtureSameFamilyConstraint(positive).check(tl.tensor([2.0, -2.0]))
    tensor([ True, False])
    """

    def __init__(self, base_constraint: Any) -> None:
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> Any:  # type: ignore[override]
        """Whether the components are discrete."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:  # type: ignore[override]
        """Event axes of the components."""
        return self.base_constraint.event_dim

    def check(self, value: Any) -> Any:
        """Return whether each value is possible in all components."""
        padded = value.unsqueeze(value.ndim - self.event_dim)
        return self.base_constraint.check(padded).all(-1)

    def _numbers(self) -> str:
        return repr(self.base_constraint)


# ------------------------------------------------------------------------------------------------ numbers
class Real(Constraint):
    """Every number except NaN."""

    def check(self, value: Any) -> Any:
        """Return whether values are not NaN."""
        return value == value


def whole(value: Any) -> Any:
    """Return whether values are whole numbers."""
    return (value == value.floor()) & value.isfinite()


class Boolean(Constraint):
    """The values 0 and 1."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        """Return whether values are 0 or 1."""
        return (value == 0) | (value == 1)


class _Bounded(Constraint):
    """A set between bounds; subclasses name the bounds that are closed and whether values are whole."""

    def __init__(self, lower_bound: Any = None, upper_bound: Any = None) -> None:
        for name, bound in (("lower_bound", lower_bound), ("upper_bound", upper_bound)):
            if bound is not None:
                setattr(self, name, bound)

    def _numbers(self) -> str:
        given = [(name, getattr(self, name)) for name in ("lower_bound", "upper_bound") if hasattr(self, name)]
        return ", ".join(f"{name}={bound}" for name, bound in given)


class GreaterThan(_Bounded):
    """Numbers above a bound.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.constraints.greater_than(0.0).check(tl.tensor([0.5, -2.0]))
    tensor([ True, False])
    """

    lower_bound: Any

    def __init__(self, lower_bound: Any) -> None:
        super().__init__(lower_bound)

    def check(self, value: Any) -> Any:
        """Return whether values lie above the bound."""
        return self.lower_bound < value


class GreaterThanEq(_Bounded):
    """Numbers from a bound upwards.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.constraints.greater_than_eq(0.0).check(tl.tensor([0.5, -2.0]))
    tensor([ True, False])
    """

    lower_bound: Any

    def __init__(self, lower_bound: Any) -> None:
        super().__init__(lower_bound)

    def check(self, value: Any) -> Any:
        """Return whether values are at least the bound."""
        return self.lower_bound <= value


class LessThan(_Bounded):
    """Numbers below a bound.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.constraints.less_than(0.0).check(tl.tensor([0.5, -2.0]))
    tensor([False,  True])
    """

    upper_bound: Any

    def __init__(self, upper_bound: Any) -> None:
        super().__init__(None, upper_bound)

    def check(self, value: Any) -> Any:
        """Return whether values lie below the bound."""
        return value < self.upper_bound


class Interval(_Bounded):
    """Numbers between two bounds, which belong to it.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.constraints.interval(0.0, 1.0).check(tl.tensor([0.5, 2.0]))
    tensor([ True, False])
    """

    lower_bound: Any
    upper_bound: Any

    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        super().__init__(lower_bound, upper_bound)

    def check(self, value: Any) -> Any:
        """Return whether values lie between the bounds."""
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class HalfOpenInterval(Interval):
    """Numbers from a lower bound up to but not including an upper one.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.constraints.half_open_interval(0.0, 1.0).check(tl.tensor([0.5, 2.0]))
    tensor([ True, False])
    """

    def check(self, value: Any) -> Any:
        """Return whether values are at least the lower and below the upper bound."""
        return (self.lower_bound <= value) & (value < self.upper_bound)


class IntegerInterval(Interval):
    """Whole numbers between two bounds, which belong to it.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.constraints.integer_interval(0.0, 1.0).check(tl.tensor([0.5, 2.0]))
    tensor([False, False])
    """

    is_discrete = True

    def check(self, value: Any) -> Any:
        """Return whether values are whole and lie between the bounds."""
        return whole(value) & (self.lower_bound <= value) & (value <= self.upper_bound)


class IntegerGreaterThan(GreaterThan):
    """Whole numbers from a bound upwards."""

    is_discrete = True

    def check(self, value: Any) -> Any:
        """Return whether values are whole and at least the bound."""
        return whole(value) & (value >= self.lower_bound)


# ------------------------------------------------------------------------------------------------ vectors
class OneHot(Constraint):
    """Vectors with a single 1 among zeros."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Any) -> Any:
        """Return whether each vector is one-hot."""
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class Simplex(Constraint):
    """Vectors of nonnegative numbers with the sum 1."""

    event_dim = 1

    def check(self, value: Any) -> Any:
        """Return whether each vector is nonnegative and its sum is 1 to six digits."""
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class Multinomial(Constraint):
    """Vectors of nonnegative counts with a given sum.

    >>> import tinygrad_lite as tl
    >>> tl.distributions.constraints.multinomial(3).check(tl.tensor([[1.0, 2.0], [1.0, 3.0]]))
    tensor([ True, False])
    """

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound

    def check(self, x: Any) -> Any:
        """Return whether each vector is nonnegative and sums to the number of trials."""
        return (x >= 0).all(-1) & (x.sum(-1) <= self.upper_bound)


# ------------------------------------------------------------------------------------------------ matrices
class LowerTriangular(Constraint):
    """Lower triangular square matrices."""

    event_dim = 2

    def check(self, value: Any) -> Any:
        """Return whether everything above the diagonal is 0."""
        return (value.tril() == value).flatten(-2).all(-1)


class LowerCholesky(Constraint):
    """Lower triangular square matrices with a positive diagonal."""

    event_dim = 2

    def check(self, value: Any) -> Any:
        """Return whether matrices are lower triangular with a positive diagonal."""
        lower = (value.tril() == value).flatten(-2).all(-1)
        return lower & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class CorrCholesky(Constraint):
    """Lower triangular matrices with a positive diagonal whose rows have length 1."""

    event_dim = 2

    def check(self, value: Any) -> Any:
        """Return whether matrices are Cholesky factors of correlation matrices."""
        tolerance = float(np.finfo(value.array.dtype).eps) * value.shape[-1] * 10
        length = (value.detach() ** 2).sum(-1).sqrt()
        return ((length - 1).abs() <= tolerance).all(-1) & lower_cholesky.check(value)


class Square(Constraint):
    """Square matrices."""

    event_dim = 2

    def check(self, value: Any) -> Any:
        """Return whether matrices are square."""
        return tl.full(value.shape[:-2], value.shape[-2] == value.shape[-1], dtype=tl.bool)


class Symmetric(Square):
    """Symmetric square matrices."""

    def check(self, value: Any) -> Any:
        """Return whether matrices are symmetric, to six digits."""
        square = super().check(value)
        if not square.all():
            return square
        return tl.tensor(np.isclose(value.array, value.array.swapaxes(-2, -1), atol=1e-6).all((-2, -1)))


class PositiveSemidefinite(Symmetric):
    """Symmetric matrices without negative eigenvalues."""

    def check(self, value: Any) -> Any:
        """Return whether matrices are symmetric and no eigenvalue is negative."""
        symmetric = super().check(value)
        return tl.linalg.eigvalsh(value.detach()).ge(0).all(-1) if symmetric.all() else symmetric


class PositiveDefinite(Symmetric):
    """Symmetric matrices with positive eigenvalues."""

    def check(self, value: Any) -> Any:
        """Return whether matrices are symmetric and have a Cholesky factor."""
        symmetric = super().check(value)
        return tl.linalg.cholesky_ex(value.detach())[1].eq(0) if symmetric.all() else symmetric


# ------------------------------------------------------------------------------------------------ of several parts
class Cat(Constraint):
    """Constraints of consecutive pieces along an axis.

    >>> import tinygrad_lite as tl
    >>> c = tl.distributions.constraints
    >>> tl.distributions.constraints.cat([c.positive, c.unit_interval]).check(tl.tensor([2.0, 2.0]))
    tensor([ True, False])
    """

    def __init__(self, cseq: Sequence[Any], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        self.cseq, self.dim = list(cseq), dim
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise ValueError(f"cat: expected {len(self.cseq)} lengths, one per constraint, got {len(self.lengths)}")

    @property
    def is_discrete(self) -> Any:  # type: ignore[override]
        """Whether any part is discrete."""
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> Any:  # type: ignore[override]
        """The largest number of event axes of the parts."""
        return max(c.event_dim for c in self.cseq)

    def check(self, value: Any) -> Any:
        """Return the results of the parts, joined along the axis."""
        ends = np.cumsum(self.lengths).tolist()
        parts = [value.narrow(self.dim, e - n, n) for e, n in zip(ends, self.lengths, strict=True)]
        return tl.cat([c.check(v) for c, v in zip(self.cseq, parts, strict=True)], self.dim)


class Stack(Constraint):
    """Constraints of the slices along an axis.

    >>> import tinygrad_lite as tl
    >>> c = tl.distributions.constraints
    >>> tl.distributions.constraints.stack([c.positive, c.unit_interval]).check(tl.tensor([2.0, 2.0]))
    tensor([ True, False])
    """

    def __init__(self, cseq: Sequence[Any], dim: int = 0) -> None:
        self.cseq, self.dim = list(cseq), dim

    @property
    def is_discrete(self) -> Any:  # type: ignore[override]
        """Whether any part is discrete."""
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> Any:  # type: ignore[override]
        """The event axes of the parts, and the stacked axis if it lies among them."""
        dim = max(c.event_dim for c in self.cseq)
        return dim + 1 if self.dim + dim < 0 else dim

    def check(self, value: Any) -> Any:
        """Return the results of the parts, stacked along the axis."""
        parts = [value.select(self.dim, i) for i in range(value.shape[self.dim])]
        return tl.stack([c.check(v) for c, v in zip(self.cseq, parts, strict=True)], self.dim)


# ------------------------------------------------------------------------------------------------ PyTorch's names
dependent = Dependent()
dependent_property = DependentProperty
independent, cat, stack, multinomial = IndependentConstraint, Cat, Stack, Multinomial
greater_than, greater_than_eq, less_than = GreaterThan, GreaterThanEq, LessThan
interval, half_open_interval, integer_interval = Interval, HalfOpenInterval, IntegerInterval
boolean, one_hot, real, simplex = Boolean(), OneHot(), Real(), Simplex()
real_vector = IndependentConstraint(real, 1)
nonnegative_integer, positive_integer = IntegerGreaterThan(0), IntegerGreaterThan(1)
positive, nonnegative, unit_interval = GreaterThan(0.0), GreaterThanEq(0.0), Interval(0.0, 1.0)
lower_triangular, lower_cholesky, corr_cholesky = LowerTriangular(), LowerCholesky(), CorrCholesky()
square, symmetric = Square(), Symmetric()
positive_semidefinite, positive_definite = PositiveSemidefinite(), PositiveDefinite()
