"""Random tensors: repeatable, of the right distribution, one generator per thread."""
# ruff: noqa: E501 - a table, one row per line

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.random import default_generator

DRAWS: dict[str, Any] = {
    "rand": lambda g: tl.rand(50, generator=g),
    "randn": lambda g: tl.randn(5, 10, generator=g),
    "randint": lambda g: tl.randint(3, 9, (50,), generator=g),
    "randperm": lambda g: tl.randperm(50, generator=g),
    "normal": lambda g: tl.normal(2.0, 3.0, (50,), generator=g),
    "normal of tensors": lambda g: tl.normal(tl.arange(50.0), tl.ones(50), generator=g),
    "bernoulli": lambda g: tl.bernoulli(tl.full((50,), 0.4), generator=g),
    "multinomial": lambda g: tl.multinomial(tl.ones(5, 20), 10, generator=g),
    "multinomial with replacement": lambda g: tl.multinomial(tl.ones(20), 50, True, generator=g),
    "poisson": lambda g: tl.poisson(tl.full((50,), 4.0), generator=g),
    "rand_like": lambda g: tl.rand_like(tl.ones(50), generator=g),
    "randn_like": lambda g: tl.randn_like(tl.ones(50), generator=g),
    "randint_like": lambda g: tl.randint_like(tl.ones(50), 100, generator=g),
}


@pytest.mark.parametrize("name", DRAWS)
def test_same_seed_same_numbers(name: str) -> None:
    draw = DRAWS[name]
    tl.manual_seed(3)
    first, second = draw(None).tolist(), draw(None).tolist()
    tl.manual_seed(3)
    assert draw(None).tolist() == first != second
    g = tl.Generator().manual_seed(3)
    assert draw(g).tolist() == first
    state = g.get_state()
    again = draw(g).tolist()
    g.set_state(state)
    assert draw(g).tolist() == again
    assert g.initial_seed() == 3


def test_distributions() -> None:
    tl.manual_seed(0)
    n = 20_000
    u, z = tl.rand(n).array, tl.randn(n).array
    assert 0 <= u.min() and u.max() < 1 and abs(u.mean() - 0.5) < 0.02 and abs(u.var() - 1 / 12) < 0.01
    assert abs(z.mean()) < 0.03 and abs(z.std() - 1) < 0.03
    k = tl.randint(-2, 3, (n,)).array
    assert set(k.tolist()) == {-2, -1, 0, 1, 2}
    assert sorted(tl.randperm(100).tolist()) == list(range(100))
    assert abs(tl.bernoulli(tl.full((n,), 0.3)).array.mean() - 0.3) < 0.02
    weights = tl.tensor([1.0, 0.0, 3.0])
    share = np.bincount(tl.multinomial(weights, n, replacement=True).array, minlength=3) / n
    np.testing.assert_allclose(share, [0.25, 0, 0.75], atol=0.02)
    drawn = tl.multinomial(tl.ones(n, 1).array * np.array([1.0, 0.0, 3.0]), 1).array
    np.testing.assert_allclose(np.bincount(drawn.ravel(), minlength=3) / n, [0.25, 0, 0.75], atol=0.02)
    assert all(len(set(r)) == 3 for r in tl.multinomial(tl.ones(50, 4), 3).tolist())


@pytest.mark.parametrize(("call", "dtype"), [
    (lambda: tl.rand(2), "float32"), (lambda: tl.rand(2, dtype=tl.float64), "float64"), (lambda: tl.randn(2, dtype=tl.float16), "float16"),
    (lambda: tl.randint(5, (2,)), "int64"), (lambda: tl.randint(5, (2,), dtype=tl.float32), "float32"), (lambda: tl.randperm(3), "int64"),
    (lambda: tl.bernoulli(tl.zeros(2, dtype=tl.float64)), "float64"), (lambda: tl.multinomial(tl.ones(2), 1), "int64"),
    (lambda: tl.rand_like(tl.zeros(2, dtype=tl.float64)), "float64"), (lambda: tl.normal(0.0, 1.0, (2,)), "float32"),
])  # fmt: skip
def test_dtypes(call: Any, dtype: str) -> None:
    assert call().dtype == dtype and str(call().dtype) == f"torch.{dtype}"


def test_requires_grad_and_shapes() -> None:
    assert tl.randn(2, 3, requires_grad=True).requires_grad
    assert tl.rand(()).shape == () and tl.rand((2, 3)).shape == (2, 3) and tl.rand(0, 3).shape == (0, 3)


def test_a_thread_has_its_own_generator() -> None:
    tl.manual_seed(5)
    expected = tl.rand(4).tolist()
    tl.manual_seed(5)
    found: dict[int, Any] = {}

    def other(i: int) -> None:
        assert default_generator() is not main
        tl.manual_seed(i)
        found[i] = tl.rand(4).tolist()

    main = default_generator()
    threads = [threading.Thread(target=other, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert tl.rand(4).tolist() == expected
    for i in range(4):
        tl.manual_seed(i)
        assert tl.rand(4).tolist() == found[i]


def test_state_of_the_program() -> None:
    state = tl.get_rng_state()
    first = tl.rand(3).tolist()
    tl.set_rng_state(state)
    assert tl.rand(3).tolist() == first
    assert tl.initial_seed() != tl.seed()


def test_size_by_name() -> None:
    assert tl.rand(size=(2, 3)).shape == tl.randn(size=[2, 3]).shape == tl.zeros(size=(2, 3)).shape == (2, 3)
    assert tl.randint(high=5, size=(4,)).shape == (4,) and int(tl.randint(high=1, size=(4,)).sum()) == 0
