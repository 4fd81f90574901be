"""`engine.new`: a maker put in its place sees every array that ops, rules and optimisers create, and only there."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import optim
from tinygrad_lite.engine import new


class Noting:
    """Creates arrays as NumPy does, and writes down what it was asked for: what a tracer does."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __getattr__(self, name: str) -> Any:
        plain = new.numpys(name)

        def make(*args: Any, **kwargs: Any) -> Any:
            self.made.append(name)
            return plain(*args, **kwargs)

        return make


def is_numpy() -> bool:
    return all(getattr(new, name) is new.numpys(name) for name in new.NAMES)


def test_without_a_maker_the_functions_are_numpys_own() -> None:
    assert is_numpy() and len(new.NAMES) > 15
    assert new.row_of_ones(3, np.dtype("float32")) is new.row_of_ones(3, np.dtype("float32"))


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_nothing_is_left_behind(error: type[BaseException] | None) -> None:
    maker = Noting()
    try:
        with new.redirect(maker):
            new.zeros(2)
            assert not is_numpy()
            if error:
                raise error
    except (ValueError, KeyboardInterrupt):
        pass
    assert is_numpy()
    new.zeros(2)
    assert maker.made == ["zeros"]


def test_a_maker_inside_another() -> None:
    outer, inner = Noting(), Noting()
    with new.redirect(outer):
        new.ones(1)
        with new.redirect(inner):
            new.zeros(1)
        new.empty(1)
    assert outer.made == ["ones", "empty"] and inner.made == ["zeros"] and is_numpy()


def test_blocks_may_end_in_any_order() -> None:
    """The block of one thread begins inside, and ends after, the block of another."""
    one, two, began, ended = Noting(), Noting(), threading.Event(), threading.Event()

    def second() -> None:
        with new.redirect(two):
            began.set()
            assert ended.wait(10)
            new.eye(2)

    thread = threading.Thread(target=second)
    with new.redirect(one):
        thread.start()
        assert began.wait(10)
        new.ones(2)
    assert not is_numpy(), "the other thread still redirects"
    new.full(2, 1.0)
    ended.set()
    thread.join(10)
    assert one.made == ["ones"] and two.made == ["eye"] and is_numpy()


def test_every_thread_has_its_own_maker() -> None:
    barrier = threading.Barrier(8)

    def work(seed: int) -> tuple[list[str], set[str]]:
        maker, name = Noting(), ("zeros", "ones", "empty")[seed % 3]
        barrier.wait()
        for _ in range(200):
            with ExitStack() as stack:
                if seed % 4:  # every fourth thread stays with NumPy
                    stack.enter_context(new.redirect(maker))
                getattr(new, name)(3)
        return maker.made, {name}

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    for seed, (made, names) in enumerate(found):
        assert len(made) == (200 if seed % 4 else 0) and set(made) <= names
    assert is_numpy()


def test_a_maker_sees_what_ops_rules_and_optimisers_create() -> None:
    w = tl.tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
    b = tl.tensor(np.zeros(4), requires_grad=True)
    index, adam = tl.tensor([0, 2]), optim.Adam([w, b], lr=0.1)
    forward, rules, optimiser = Noting(), Noting(), Noting()
    with new.redirect(forward):
        y = w[index].sum() + tl.zeros(1, dtype=tl.float64).sum() + (w + b).cumsum(0).max()
    with new.redirect(rules):
        y.backward()
    with new.redirect(optimiser):
        adam.step()
    assert "zeros" in forward.made
    assert rules.made and optimiser.made, (rules.made, optimiser.made)
    assert is_numpy()


def test_the_numbers_stay_the_same() -> None:
    start, index, gradients = np.arange(12.0).reshape(3, 4), tl.tensor([0, 2]), []
    for maker in (None, Noting()):
        leaf = tl.tensor(start, requires_grad=True)
        with ExitStack() as stack:
            if maker is not None:
                stack.enter_context(new.redirect(maker))
            (leaf[index].exp().sum(0) + leaf.cumsum(1)[0]).max().backward()
        gradients.append(leaf.grad.numpy())
    np.testing.assert_array_equal(*gradients)


def test_a_large_product_where_the_maker_sees_no_writes() -> None:
    """A product that is divided between threads is computed all the same."""
    from tinygrad_lite.native.routes import PRODUCT
    from tinygrad_lite.ops.threads import multiply

    a, b = np.ones((300, 300), np.float32), np.ones((300, 300), np.float32)
    assert a.size * 300 > PRODUCT
    out = np.empty((300, 300), np.float32)
    with new.redirect(object()):
        assert multiply(a, b, out) is out
    assert (out == 300).all()


def test_arrays_of_a_maker_go_through() -> None:
    """A maker that returns arrays of a kind of its own finds them in the results."""

    class Own(np.ndarray):
        pass

    class Maker:
        @staticmethod
        def zeros(*args: Any, **kwargs: Any) -> Any:
            return np.zeros(*args, **kwargs).view(Own)

    with new.redirect(Maker):
        assert isinstance(tl.zeros(2).array, Own) and not isinstance(tl.ones(2).array, Own)
