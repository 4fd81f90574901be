"""How a graph lives and dies: nothing for the garbage collector, no depth that is too deep, threads, copies."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.errors import DTypeError, GradientError, ShapeError


def train(seed: int, steps: int = 30) -> list[float]:
    rng = np.random.default_rng(seed)
    x, y = tl.tensor(rng.normal(size=(8, 4))), tl.tensor(rng.normal(size=(8, 2)))
    w1, w2 = (tl.tensor(rng.normal(size=s) / 2, requires_grad=True) for s in ((4, 5), (5, 2)))
    losses = []
    for _ in range(steps):
        h = (x @ w1).tanh() * 1
        h[:, 0] = h[:, 0] * 2  # a view and a write in every step
        loss = ((h @ w2 - y) ** 2).mean()
        w1.grad = w2.grad = None
        loss.backward()
        with tl.no_grad():
            for w in (w1, w2):
                w -= 0.1 * w.grad
        losses.append(loss.item())
    return losses


def test_nothing_is_left_for_the_garbage_collector() -> None:
    train(0, 5)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        train(0, 200)
        assert len(gc.get_objects()) - before < 20
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_hooks_views_functions_and_failures_leave_nothing_either() -> None:
    def step() -> None:
        x = tl.ones(3, requires_grad=True)
        y = (x * 2).tanh() * 1
        y.retain_grad()
        y.register_hook(lambda g: g * 2)
        v = y[1:]
        v.mul_(3)
        a, b = y.max(0)
        (a + y.sum()).backward(retain_graph=True)
        try:
            y @ tl.ones(7)
        except RuntimeError:
            pass
        tl.func.jacrev(lambda t: t * t)(tl.ones(2))
        tl.func.vmap(tl.func.grad(lambda t: t * t))(tl.ones(2))

    step()
    gc.collect()
    gc.disable()
    try:
        step()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_chain_of_100_000_steps() -> None:
    limit = sys.getrecursionlimit()
    x = tl.tensor([1.0], dtype=tl.float64, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y * 1.00001
    y.backward()
    np.testing.assert_allclose(x.grad.array, 1.00001**100_000)
    (g,) = tl.grad((x * x * x).sum(), x, create_graph=True)
    del y, g
    assert sys.getrecursionlimit() == limit


def test_saved_values_go_as_the_backward_pass_goes() -> None:
    x = tl.ones(4, requires_grad=True)
    first = x.exp()
    second = first.exp()
    array = weakref.ref(second.array)
    loss = (second * 1).sum()
    del second
    assert array() is not None
    loss.backward()
    assert array() is None, "exp kept its result"
    with pytest.raises(RuntimeError, match=r"exp: .*retain_graph=True.*first = x.exp\(\)|retain_graph=True"):
        loss.backward()


def test_retained_graphs_can_be_walked_again() -> None:
    x = tl.ones(2, requires_grad=True)
    loss = (x.exp() * x).sum()
    loss.backward(retain_graph=True)
    once = x.grad.numpy().copy()
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * once)


def test_a_failing_backward_changes_no_gradient() -> None:
    x, w = tl.ones(2, requires_grad=True), tl.ones(2, requires_grad=True)
    y = x * 1
    y.retain_grad()
    y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (y * w).sum().backward()
    assert x.grad is None and w.grad is None and y.grad is None


@pytest.mark.parametrize(
    ("wrong", "error"),
    [(tl.ones(3), ShapeError), (tl.ones(()), ShapeError), (np.ones(2), DTypeError), (1.0, DTypeError),
     (tl.ones(2, dtype=tl.float64), DTypeError)],
)  # fmt: skip
def test_a_grad_that_does_not_fit_is_refused(wrong: Any, error: type[Exception]) -> None:
    x = tl.ones(2, requires_grad=True)
    with pytest.raises(error, match="grad: expected"):
        x.grad = wrong
    with pytest.raises(RuntimeError, match="its own gradient"):
        x.grad = x
    assert x.grad is None
    x.grad = tl.ones(2)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_a_grad_that_became_too_small_is_refused() -> None:
    x, w = tl.ones(2, requires_grad=True), tl.ones(2, requires_grad=True)
    w.grad = tl.ones(2)
    w.data = tl.ones(1)
    for create in (False, True):
        with pytest.raises(ShapeError, match=r"backward: a tensor \(1,\) float32 has a \.grad of another shape"):
            (x * w).sum().backward(create_graph=create)
        assert x.grad is None and w.grad.tolist() == [1.0, 1.0]


def test_six_threads_give_the_numbers_of_one() -> None:
    alone = [train(seed) for seed in range(6)]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(train, range(6)))
    assert together == alone


def test_modes_belong_to_a_thread() -> None:
    seen: list[bool] = []
    with tl.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tl.is_grad_enabled()))
        thread.start()
        thread.join()
        seen.append(tl.is_grad_enabled())
    assert seen == [True, False]


def test_one_switch_may_serve_several_threads() -> None:
    off, barrier, seen = tl.no_grad(), threading.Barrier(2), []

    def work(early: bool) -> None:
        with off:
            barrier.wait()
            if early:
                seen.append(tl.is_grad_enabled())
        barrier.wait()
        seen.append(tl.is_grad_enabled())

    threads = [threading.Thread(target=work, args=(e,)) for e in (True, False)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(seen) == [False, True, True]


def test_modes_belong_to_a_task() -> None:
    async def off() -> bool:
        with tl.no_grad():
            await asyncio.sleep(0.001)
            return tl.is_grad_enabled()

    @tl.no_grad()
    async def decorated() -> bool:
        await asyncio.sleep(0)
        return tl.is_grad_enabled()

    async def on() -> bool:
        await asyncio.sleep(0.0005)
        return tl.is_grad_enabled()

    async def everything() -> list[bool]:
        return list(await asyncio.gather(off(), on(), decorated(), on()))

    assert asyncio.run(everything()) == [False, True, False, True]


def test_a_generator_is_switched_only_while_it_runs() -> None:
    log: list[Any] = []

    @tl.no_grad()
    def steps() -> Any:
        try:
            got = yield tl.is_grad_enabled()
            log.append((got, tl.is_grad_enabled()))
            try:
                yield tl.is_grad_enabled()
            except KeyError:
                log.append(("caught", tl.is_grad_enabled()))
            yield 3
        finally:
            log.append(("closed", tl.is_grad_enabled()))
        return "end"

    def outer() -> Any:
        return (yield from steps())

    walk = outer()
    assert next(walk) is False and tl.is_grad_enabled()
    assert walk.send("sent") is False and tl.is_grad_enabled()
    assert walk.throw(KeyError()) == 3
    with pytest.raises(StopIteration) as end:
        next(walk)
    assert end.value.value == "end"
    assert log == [("sent", False), ("caught", False), ("closed", False)]
    other = steps()
    next(other)
    other.close()
    assert log[-1] == ("closed", False) and tl.is_grad_enabled()


def test_set_grad_enabled_in_all_three_ways() -> None:
    tl.set_grad_enabled(False)
    assert not tl.is_grad_enabled()
    tl.set_grad_enabled(True)
    with tl.set_grad_enabled(False):
        assert not tl.is_grad_enabled()
    assert tl.is_grad_enabled()

    @tl.set_grad_enabled(False)
    def f() -> bool:
        return tl.is_grad_enabled()

    assert tl.is_grad_enabled() and not f()

    @tl.no_grad
    def g() -> bool:
        return tl.is_grad_enabled()

    assert not g() and tl.is_grad_enabled()


def test_copies_and_pickles_of_leaves() -> None:
    x = tl.tensor([[1.0, 2.0]], requires_grad=True)
    (x * 2).sum().backward()
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert y.tolist() == x.tolist() and y.requires_grad and y.is_leaf
        assert not np.shares_memory(y.array, x.array) and type(y) is type(x)
    assert y.grad is None, "pickles have no gradient"
    y = copy.deepcopy(x)
    assert y.grad.tolist() == [[2.0, 2.0]] and not np.shares_memory(y.grad.array, x.grad.array)
    both = copy.deepcopy([x, x])
    assert both[0] is both[1]
    layer = copy.deepcopy(nn.Linear(2, 2))
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in layer.parameters())


@pytest.mark.parametrize("how", [copy.deepcopy, pickle.dumps])
def test_computed_tensors_are_not_copied(how: Any) -> None:
    y = tl.ones(2, requires_grad=True).exp()
    with pytest.raises(RuntimeError, match=r"only a leaf .*computed by exp; use .detach\(\)"):
        how(y)
    assert how(y.detach()) is not None


def test_the_graph_of_a_thrown_away_branch_costs_nothing() -> None:
    x = tl.ones(3, requires_grad=True)
    used, unused = x * 2, x.exp()
    array = weakref.ref(unused.array)
    del unused
    assert array() is None
    used.sum().backward()


def test_training_with_an_optimiser_never_looks_at_single_saved_values(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    net, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), tl.ones(2, 3)
    optimiser = tl.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    monkeypatch.setattr(tl.engine.backward, "refuse_changed", looked.append)
    for _ in range(3):
        optimiser.zero_grad()
        net(x).sum().backward()
        optimiser.step()
    assert not looked
    y = net(x).sum()
    optimiser.step()
    y.backward()
    assert looked, "a step between forward and backward has to be noticed"


def test_attributes_that_compute_nothing() -> None:
    x = tl.ones(2, 3, requires_grad=True)
    assert x.device == tl.device("cpu") and not x.is_cuda and next(nn.Linear(1, 1).parameters()).device.type == "cpu"
    assert tl.zeros(2, device=x.device).to(x.device).shape == (2,)
    assert (x.nelement(), x.ndimension(), x.itemsize) == (6, 2, 4)


def test_detach_in_place_cuts_the_history() -> None:
    x = tl.ones(2, requires_grad=True)
    h = (x * 2).exp()
    assert h.detach_() is h and h.is_leaf and not h.requires_grad
    (h * x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), h.numpy())
    x.grad.detach_().zero_()
    y = x * 1
    with pytest.raises(GradientError, match="detach_: .* is a view of another tensor"):
        y[:1].detach_()
