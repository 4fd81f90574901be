"""Random numbers drawn into a tensor in place: ``uniform_``, ``normal_`` and others."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.errors import OptionError
from tinygrad_lite.ops.indexing.inplace import filler
from tinygrad_lite.random import default_generator, probabilities, rand, randn


@filler
def uniform_(input: Array, from_: float = 0.0, to: float = 1.0, *, generator: Any = None) -> Array:
    """Fill with numbers drawn uniformly between ``from`` (0) and ``to`` (1).

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.zeros(3).uniform_()
    tensor([0.8506, 0.6370, 0.5111])
    """
    if to < from_:
        raise OptionError(f"uniform_: expected from <= to, got {from_} and {to}")
    return from_ + (to - from_) * rand(input.shape, generator=generator, dtype=input.dtype).array


@filler
def normal_(input: Array, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Array:
    """Fill with numbers drawn from the normal distribution of ``mean`` (0) and ``std`` (1).

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.zeros(3).normal_()
    tensor([ 1.1176, -1.3871, -0.4266])
    """
    if std < 0:
        raise OptionError(f"normal_: std must not be negative, got {std}")
    return mean + std * randn(input.shape, generator=generator, dtype=input.dtype).array


@filler
def bernoulli_(input: Array, p: Any = 0.5, *, generator: Any = None) -> Array:
    """Fill with 1 with probability ``p`` (a number or a tensor), else 0.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.zeros(3).bernoulli_()
    tensor([0., 1., 1.])
    """
    chances = np.broadcast_to(probabilities("bernoulli_", new.asarray(getattr(p, "array", p), np.float64)), input.shape)
    return (generator or default_generator()).random(input.shape) < chances


@filler
def exponential_(input: Array, lambd: float = 1.0, *, generator: Any = None) -> Array:
    """Fill with numbers drawn from the exponential distribution of rate ``lambd`` (1).

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.zeros(3).exponential_()
    tensor([0.6799, 1.0196, 0.0198])
    """
    if lambd <= 0:
        raise OptionError(f"exponential_: lambd must be positive, got {lambd}")
    return (generator or default_generator()).standard_exponential(input.shape) / lambd


@filler
def random_(input: Array, from_: int | None = None, to: int | None = None, *, generator: Any = None) -> Array:
    """Fill with integers from ``from`` (0) up to but not including ``to``.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.zeros(3).random_()
    tensor([14271107., 10686444.,  8575447.])
    """
    if to is None:  # random_(to)
        from_, to = 0, from_
    low, high, dtype = from_ or 0, to, input.dtype
    if high is None and dtype.kind == "b":
        high = 2
    elif high is None:  # every integer that the dtype holds exactly
        high = 2 ** (np.finfo(dtype).nmant + 1) + 1 if dtype.kind == "f" else int(np.iinfo(dtype).max)
    if high <= low:
        raise OptionError(f"random_: expected from < to, got from={low} and to={high}")
    return (generator or default_generator()).integers(low, high, input.shape)


@filler
def cauchy_(input: Array, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Array:
    """Fill with numbers drawn from the Cauchy distribution around ``median`` (0) with the width ``sigma`` (1).

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.zeros(3).cauchy_()
    tensor([-0.9517,  6.1051, -1.4814])
    """
    if sigma <= 0:
        raise OptionError(f"cauchy_: sigma must be positive, got {sigma}")
    return median + sigma * (generator or default_generator()).standard_cauchy(input.shape)


@filler
def geometric_(input: Array, p: float, *, generator: Any = None) -> Array:
    """Fill with the number of trials up to the first success, which each trial has with probability ``p``.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.zeros(3).geometric_(0.5)
    tensor([2., 1., 1.])
    """
    if not 0 < p < 1:
        raise OptionError(f"geometric_: p must lie between 0 and 1, got {p}")
    return (generator or default_generator()).geometric(p, input.shape)


@filler
def log_normal_(input: Array, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Array:
    """Fill with ``exp(z)``, z drawn from the normal distribution of ``mean`` (1) and ``std`` (2).

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.zeros(3).log_normal_()
    tensor([3.4954, 2.0871, 9.7849])
    """
    if std <= 0:
        raise OptionError(f"log_normal_: std must be positive, got {std}")
    return (generator or default_generator()).lognormal(mean, std, input.shape)
