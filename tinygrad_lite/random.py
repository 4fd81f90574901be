"""Random tensors, and the default generator that they, layers and shuffles draw from.

The main thread uses the generator that `manual_seed` seeds there. Every other thread has its own, so that threads
neither wait for each other nor change each other's numbers.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named, whole
from tinygrad_lite.engine.keywords import OUT, creating
from tinygrad_lite.engine.layout import order_in, reproduced
from tinygrad_lite.engine.op import publish
from tinygrad_lite.engine.tensor import Tensor, get_default_dtype, make, to_array
from tinygrad_lite.errors import ArgumentError, DTypeError, OptionError, ShapeError, describe
from tinygrad_lite.ops.elementwise.cast import dtype_of
from tinygrad_lite.ops.shape.reshaping import sizes

if TYPE_CHECKING:
    from tinygrad_lite.engine.generator import Generator as Generator

__all__ = ["Generator", "bernoulli", "default_generator", "get_rng_state", "initial_seed", "manual_seed", "multinomial",
           "normal", "poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm",
           "seed", "set_rng_state"]  # fmt: skip


_generators = threading.local()


def default_generator() -> Generator:
    """Return the generator that layers, shuffles and random tensors of this thread use."""
    own = getattr(_generators, "own", None)
    if own is None:
        from tinygrad_lite.engine.generator import Generator

        own = _generators.own = Generator()
    return own


def __getattr__(name: str) -> Any:
    """Import the class of generators when it is asked for: NumPy's, below it, take a sixth of this package's import."""
    if name != "Generator":
        raise AttributeError(f"module 'tinygrad_lite.random' has no attribute '{name}'")
    from tinygrad_lite.engine.generator import Generator

    return Generator


def _shape(size: Any) -> tuple[int, ...]:
    shape = sizes(size)
    if any(n < 0 for n in shape):
        raise ShapeError(f"sizes must not be negative, got {shape}")
    return shape


@named
def manual_seed(seed: int) -> Generator:
    """Seed the default generator, so that a program draws the same numbers again.

    Return it.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> first = tl.rand(2)
    >>> _ = tl.manual_seed(0)
    >>> bool((tl.rand(2) == first).all())
    True
    """
    return default_generator().manual_seed(seed)


def seed() -> int:
    """Seed the default generator from the operating system's entropy.

    Return the seed.

    >>> import tinygrad_lite as tl
    >>> type(tl.seed()) is int
    True
    """
    return default_generator().seed()


def initial_seed() -> int:
    """Return the last seed of the default generator.

    >>> import tinygrad_lite as tl
    >>> _ = tl.manual_seed(0)
    >>> tl.initial_seed()
    0
    """
    return default_generator().initial_seed()


def get_rng_state() -> Any:
    """Return the state of the default generator, for `set_rng_state`.

    >>> import tinygrad_lite as tl
    >>> state = tl.get_rng_state()
    >>> a = tl.rand(2)
    >>> tl.set_rng_state(state)
    >>> bool((tl.rand(2) == a).all())
    True
    """
    return default_generator().get_state()


@named
def set_rng_state(new_state: Any) -> None:
    """Restore a state from `get_rng_state`.

    >>> import tinygrad_lite as tl
    >>> state = tl.get_rng_state()
    >>> a = tl.rand(2)
    >>> tl.set_rng_state(state)
    >>> bool((tl.rand(2) == a).all())
    True
    """
    default_generator().set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **_: Any) -> Iterator[None]:
    """Restore the state of the default generator at the end of a ``with`` block; ``devices`` changes nothing.

    >>> import tinygrad_lite as tl
    >>> before = tl.get_rng_state()
    >>> with tl.random.fork_rng():
    ...     drawn = tl.rand(3)
    >>> tl.rand(3).tolist() == drawn.tolist()
    True
    """
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


# ------------------------------------------------------------------------------------------------ tensors
def _finish(array: Any, dtype: Any, requires_grad: bool) -> Tensor:
    t = make(new.asarray(array, dtype=dtype))
    if requires_grad:
        t.requires_grad = True
    return t


def _floating(name: str, dtype: Any, requires_grad: bool = False) -> np.dtype[Any]:
    chosen = get_default_dtype() if dtype is None else dtype_of(name, dtype)
    if chosen.kind != "f":
        raise DTypeError(f"{name}: expected a floating dtype, got {chosen}; use randint for integers")
    return _possible(name, chosen, requires_grad)


def _possible(name: str, dtype: Any, requires_grad: bool) -> np.dtype[Any]:
    """Return the dtype; raise before anything is drawn if there can be no such tensor."""
    chosen = np.dtype(np.int64) if dtype is None else dtype_of(name, dtype)
    return _finish((), chosen, requires_grad).array.dtype  # type: ignore[no-any-return]


def rand(
    *shape: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return numbers drawn uniformly from [0, 1).

    >>> import tinygrad_lite as tl
    >>> tl.rand(2, 3).shape
    (2, 3)
    """
    chosen = _floating("rand", dtype, requires_grad)
    drawn = chosen if chosen.itemsize >= 4 else np.dtype(np.float32)  # NumPy draws no float16
    numbers = (generator or default_generator()).random(_shape(shape if size is None else (size,)), dtype=drawn)
    return _finish(numbers, chosen, requires_grad)


def randn(
    *shape: Any, size: Any = None, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return numbers drawn from the normal distribution of mean 0 and variance 1.

    >>> import tinygrad_lite as tl
    >>> tl.randn(2, 3).shape
    (2, 3)
    """
    chosen = _floating("randn", dtype, requires_grad)
    drawn, where = chosen if chosen.itemsize >= 4 else np.dtype(np.float32), _shape(shape if size is None else (size,))
    return _finish((generator or default_generator()).standard_normal(where, dtype=drawn), chosen, requires_grad)


def randint(
    low: int = 0, high: Any = None, size: Any = None, *, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return integers drawn from ``low`` up to but not including ``high``.

    ``randint(10, (2, 3))`` draws six integers from 0 to 9.

    >>> import tinygrad_lite as tl
    >>> tl.randint(5, 6, (2,))
    tensor([5, 5])
    """
    if size is None and high is not None and not isinstance(high, (int, np.integer)):
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        raise TypeError("randint: size is missing; randint(high, size) or randint(low, high, size)")
    if low >= high:
        raise OptionError(f"randint: expected low < high, got low={low} and high={high}")
    chosen = _possible("randint", dtype, requires_grad)
    drawn = (generator or default_generator()).integers(low, high, _shape((size,)))
    return _finish(drawn, chosen, requires_grad)


def randperm(
    n: int, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return the numbers from 0 to ``n - 1`` in random order.

    >>> import tinygrad_lite as tl
    >>> tl.randperm(3).sort().values
    tensor([0, 1, 2])
    """
    if n < 0:
        raise OptionError(f"randperm: expected n >= 0, got {n}")
    chosen = _possible("randperm", dtype, requires_grad)
    drawn = (generator or default_generator()).permutation(index(n))
    return _finish(drawn, chosen, requires_grad)


def _laid_like(input: Any, t: Tensor, memory_format: Any) -> Tensor:
    """Lay a new tensor out in memory like ``input``, or in ``memory_format``; inside vmap leave it as it is."""
    x = input.array if isinstance(input, Tensor) else input
    if not getattr(input, "level", 0) and not (memory_format is None and x.flags.c_contiguous):
        t.array = reproduced("rand_like", t.array, memory_format, x)
    return t


def rand_like(
    input: Any, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Return `rand` in the shape and dtype of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.rand_like(tl.ones(2)).shape
    (2,)
    """
    order_in("rand_like", getattr(input, "array", input), memory_format)
    t = rand(input.shape, generator=generator, dtype=dtype or input.dtype, requires_grad=requires_grad)
    return _laid_like(input, t, memory_format)


def randn_like(
    input: Any, *, generator: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Return `randn` in the shape and dtype of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.randn_like(tl.ones(2)).shape
    (2,)
    """
    order_in("rand_like", getattr(input, "array", input), memory_format)
    t = randn(input.shape, generator=generator, dtype=dtype or input.dtype, requires_grad=requires_grad)
    return _laid_like(input, t, memory_format)


def randint_like(
    input: Any, low: int, high: Any = None, *, generator: Any = None, dtype: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None,
) -> Tensor:  # fmt: skip
    """Return `randint` in the shape and dtype of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.randint_like(tl.ones(2), 5, 6)
    tensor([5., 5.])
    """
    order_in("rand_like", getattr(input, "array", input), memory_format)
    low, high = (0, low) if high is None else (low, high)
    t = randint(low, high, input.shape, generator=generator, dtype=dtype or input.dtype, requires_grad=requires_grad)
    return _laid_like(input, t, memory_format)


def normal(
    mean: float | Tensor = 0.0, std: float | Tensor = 1.0, size: Any = None, *, generator: Any = None,
    dtype: Any = None, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Return numbers drawn from normal distributions of ``mean`` and ``std``.

    Both are numbers, with a ``size``, or tensors.

    >>> import tinygrad_lite as tl
    >>> tl.normal(5.0, 0.0, (2,))
    tensor([5., 5.])
    """
    m, s = (v.array if isinstance(v, Tensor) else v for v in (mean, std))
    if np.any(new.asarray(s) < 0):
        raise OptionError(f"normal: std must not be negative, got {np.min(s)}")
    if size is None and not (isinstance(mean, Tensor) or isinstance(std, Tensor)):
        raise TypeError("normal: size is needed when mean and std are numbers")
    shape = _shape((size,)) if size is not None else np.broadcast_shapes(np.shape(m), np.shape(s))
    np.broadcast_shapes(shape, np.shape(m * 1.0), np.shape(s * 1.0))
    _possible("normal", get_default_dtype(), requires_grad)
    chosen = dtype or next((v.dtype for v in (m, s) if isinstance(v, np.ndarray)), get_default_dtype())
    return _finish(randn(shape, generator=generator, dtype=chosen).array * s + m, chosen, requires_grad)


def probabilities(name: str, p: Any) -> Any:
    if p.dtype.kind != "f":
        raise DTypeError(f"{name}: expected floating probabilities, got {describe(p)}")
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        raise OptionError(f"{name}: probabilities lie between 0 and 1, these go from {p.min():.4g} to {p.max():.4g}")
    return p


def bernoulli(input: Any, p: Any = None, *, generator: Any = None) -> Tensor:
    """Return 1 with the probability in ``input`` (or ``p``), else 0.

    The result has the shape and dtype of ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.bernoulli(tl.ones(2))
    tensor([1., 1.])
    """
    chances = to_array(input, copy=False, name="bernoulli")
    like = chances.dtype
    if p is not None:
        chances = np.broadcast_to(to_array(p, copy=False, name="bernoulli"), chances.shape)
    probabilities("bernoulli", chances)
    return make(((generator or default_generator()).random(chances.shape) < chances).astype(like))


def multinomial(input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Return ``num_samples`` indices per row, drawn in proportion to weights.

    ``input``: weights (n,) or (rows, n), at least 0, each row with a positive sum. Returns int64 (num_samples,) or
    (rows, num_samples). Without ``replacement`` no index is drawn twice in a row.

    >>> import tinygrad_lite as tl
    >>> tl.multinomial(tl.tensor([0.0, 1.0]), 2, replacement=True)
    tensor([1, 1])
    """
    weights = to_array(input, copy=False, name="multinomial")
    if weights.dtype.kind != "f":
        raise DTypeError(f"multinomial: expected floating weights, got {describe(weights)}")
    if weights.ndim not in (1, 2) or not weights.shape[-1]:
        raise ShapeError(f"multinomial: expected weights (n,) or (rows, n), got {describe(weights)}")
    if not (np.isfinite(weights).all() and (weights >= 0).all() and (weights.sum(-1) > 0).all()):
        raise OptionError("multinomial: weights must be finite and >= 0, and each row must have a positive sum")
    if not whole(num_samples):
        raise ArgumentError(f"multinomial: num_samples must be an integer, got {describe(num_samples)}")
    if num_samples < 1:
        raise OptionError(f"multinomial: num_samples must be at least 1, got {num_samples}")
    rows = weights.reshape(-1, weights.shape[-1]).astype(np.float64)
    rng = generator or default_generator()
    if replacement:
        ends = np.cumsum(rows, -1)
        drawn = rng.random((len(rows), num_samples)) * ends[:, -1:]
        out = new.array([np.searchsorted(e, d, side="right") for e, d in zip(ends, drawn, strict=True)])
    else:
        least = (rows > 0).sum(-1).min(initial=rows.shape[1])
        if num_samples > least:
            raise OptionError(
                f"multinomial: cannot draw {num_samples} different indices, a row has only {least} positive weights; "
                f"use replacement=True"
            )
        # Of exponential times with rates w, the smallest is number i with probability w_i / sum(w), and so on.
        with np.errstate(divide="ignore"):
            times = rng.standard_exponential(rows.shape) / rows
        out = np.argsort(times, -1, kind="stable")[:, :num_samples]
    return make(out.reshape((*weights.shape[:-1], num_samples)).astype(np.int64))


@named
def poisson(input: Any, generator: Any = None) -> Tensor:
    """Return counts drawn from Poisson distributions with the rates in ``input``.

    >>> import tinygrad_lite as tl
    >>> tl.poisson(tl.zeros(2))
    tensor([0., 0.])
    """
    rates = to_array(input, copy=False, name="poisson")
    if rates.size and rates.min() < 0:
        raise OptionError(f"poisson: rates must not be negative, the smallest is {rates.min():.4g}")
    return make(new.asarray((generator or default_generator()).poisson(rates), rates.dtype))


for _name in __all__:
    if _name not in ("Generator", "default_generator"):
        if _name in OUT or _name.endswith("_like"):
            globals()[_name] = creating(globals()[_name], _name)
        publish(_name, globals()[_name], (), method=_name in ("bernoulli", "multinomial"))


@named
def binomial(count: Any, prob: Any, generator: Any = None) -> Tensor:
    """Return how many of ``count`` trials succeed, each with probability ``prob``: two tensors that broadcast.

    >>> import tinygrad_lite as tl
    >>> tl.binomial(tl.tensor([3.0, 5.0]), tl.tensor([0.0, 1.0]))
    tensor([0., 5.])
    """
    n, p = (to_array(v, copy=False, name="binomial") for v in (count, prob))
    if n.dtype.kind != "f" or n.dtype != p.dtype:
        raise DTypeError(
            f"binomial: expected floating tensors of one dtype, got {describe(count)} and {describe(prob)}"
        )
    if n.size and n.min() < 0:
        raise OptionError(f"binomial: count must not be negative, got {n.min()}")
    drawn = (generator or default_generator()).binomial(n.astype(np.int64), probabilities("binomial", p))
    return make(new.asarray(drawn).astype(n.dtype))


publish("binomial", binomial, (), method=False)
