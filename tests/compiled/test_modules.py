"""Compiled modules and functions take part in the graph: forward and backward are programs, the numbers are equal."""

from __future__ import annotations

import copy
import gc
import pickle
import warnings

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.test_training import batches, classes, data, equal
from tinygrad_lite import nn
from tinygrad_lite.compiled import Compiled, OptimizedModule, compile
from tinygrad_lite.errors import GradientError


def net(**words):
    tl.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.25), nn.Linear(8, 3, **words))


class Two(nn.Module):
    """Two results, a keyword and a list as arguments."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.unused = nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(1, 1)

    def forward(self, xs, scale=1.0):
        x, y = xs
        return {"first": self.a(x).tanh() * scale, "second": (self.b(y) + self.a(y)).relu()}


def runs(c):
    c = getattr(c, "_compiled", c) if isinstance(c, OptimizedModule) else c
    return [p.calls for ps in c._programs.values() for p in ps]


def close(a, b):
    most = 1e-6 * max(float(abs(x).max()) for x in a if x is not None)
    return all(x is y if x is None else np.allclose(x, y, rtol=1e-4, atol=most) for x, y in zip(a, b, strict=True))


def both(build, use, steps=6, same=equal):
    """Run ``use(model, i)`` as written and compiled; the arrays that it returns must be equal. Return the compiled."""
    seen = []
    for compiled in (False, True):
        tl.manual_seed(3)
        m = build()
        f = compile(m, fullgraph=True) if compiled else m
        tl.manual_seed(5)
        found = []
        for i in range(steps):
            found.append([*use(f, i), *[p.array.copy() for p in m.parameters()],
                          *[None if p.grad is None else p.grad.array.copy() for p in m.parameters()],
                          *[b.array.copy() for b in m.buffers()]])  # fmt: skip
        seen.append(found)
    for i, (a, b) in enumerate(zip(*seen, strict=True)):
        assert same(a, b), f"call {i}"
    assert sum(runs(f)) >= 2
    return f


def trained(f, i, inputs=True):
    x = data(6, 4, seed=i).requires_grad_(inputs)
    for p in f.parameters():
        p.grad = None
    loss = nn.functional.cross_entropy(f(x), classes(6, seed=i))
    loss.backward()
    with tl.no_grad():
        for p in f.parameters():
            p.sub_(p.grad * 0.1)
    return [loss.array.copy(), x.grad.array.copy() if inputs else None]


@pytest.mark.parametrize("inputs", [True, False])
def test_training(inputs):
    """Loss, gradients of parameters and input, buffers, dropout and updates."""
    assert runs(both(net, lambda f, i: trained(f, i, inputs))) == [4]


def test_gradients_add_up():
    """Without zero_grad gradients accumulate, which is no reason to record again."""

    def use(f, i):
        f(data(6, 4, seed=i)).sum().backward()
        return []

    assert runs(both(net, use)) == [4]


def test_several_calls_before_one_backward():
    """Every call has memory of its own until its backward pass."""

    def use(f, i):
        ys = [f(data(6, 4, seed=10 * i + k)) for k in range(3)]
        sum(y.pow(2).sum() * (k + 1) for k, y in enumerate(ys)).backward()
        return [y.array.copy() for y in ys]

    f = both(lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh()), use)
    gc.collect()
    pool = next(iter(f._compiled._programs.values()))[0].pool
    assert len(pool) == 3  # given back


def test_retained_graph_and_hooks():
    """Two backward passes; hooks of parameters, inputs and results run as in the graph as written."""

    def use(f, i):
        seen = []
        x = data(6, 4, seed=i).requires_grad_()
        x.register_hook(lambda g: seen.append(g.array.copy()))
        weight = next(f.parameters())
        handle = weight.register_hook(lambda g: g * 2)
        y = f(x * 1.5)
        y.register_hook(lambda g: g * 3)
        y.retain_grad()
        y.sum().backward(retain_graph=True)
        (y * y).sum().backward()
        handle.remove()
        return [*seen, x.grad.array.copy(), y.grad.array.copy()]

    assert runs(both(net, use)) == [4]


def test_freed_graph_and_changed_values():
    """A second backward, and one after a parameter was changed, are the errors that they are without compile."""
    m = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    f = compile(m, fullgraph=True)
    x = data(6, 4).requires_grad_()
    for _ in range(3):
        f(x).sum().backward()
    y = f(x).sum()
    y.backward()
    with pytest.raises(GradientError, match="retain_graph=True"):
        y.backward()
    y = f(x)
    with tl.no_grad():
        m[2].weight.mul_(2)
    with pytest.raises(GradientError, match="changed in place"):
        y.sum().backward()
    y = f(x)
    with tl.no_grad():
        x.mul_(2)
    with pytest.raises(GradientError, match="changed in place"):
        y.sum().backward()
    y = f(x)
    expected = tl.autograd.grad(m(x).sum(), x)[0]
    m[2].weight.data = m[2].weight.data * 2  # the old array is what the forward pass has used
    assert np.array_equal(tl.autograd.grad(y.sum(), x)[0].array, expected.array)


def test_results_without_gradient():
    """A result that no loss uses leaves its parameters without gradient; a program for that is recorded."""

    def use(f, i):
        for p in f.parameters():
            p.grad = None
        x, y = data(6, 4, seed=i).requires_grad_(), data(6, 4, seed=i + 50)
        out = f((x, y), scale=2.0)
        (out["first"].sum() if i > 4 else sum(v.pow(2).sum() for v in out.values())).backward()
        return [out["first"].array.copy(), out["second"].array.copy(), x.grad.array.copy()]

    f = both(Two, use, 9)
    assert runs(f) == [2, 4]
    assert f.unused.weight.grad is None


def test_second_derivatives():
    """With create_graph the function runs once more as written; gradients are then summed in another order."""

    def use(f, i):
        x = data(6, 4, seed=i).requires_grad_()
        (g,) = tl.autograd.grad(f(x).pow(3).sum(), x, create_graph=True)
        g.pow(2).sum().backward()
        return [g.array.copy(), x.grad.array.copy()]

    both(lambda: nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.BatchNorm1d(8), nn.Dropout(0.5)), use, same=close)


def test_a_function():
    """Its arguments, and tensors that it finds, get their gradients; one tensor may be given twice."""
    w = data(4, 4, seed=9).requires_grad_()

    def f(x, y):
        return (x @ w * y).exp().mean(0), (y * 2).sum()

    run = compile(f, fullgraph=True)
    for i in range(5):
        found = []
        for g in (f, run):
            x = data(4, 4, seed=i).requires_grad_()
            a, b = g(x, x)
            w.grad = None
            (a.sum() + b).backward()
            found.append([a.array.copy(), b.array.copy(), x.grad.array.copy(), w.grad.array.copy()])
        assert equal(*found)
    assert runs(run) == [3]


def test_requires_grad_is_part_of_the_shape():
    """Inputs with and without gradient, no_grad, frozen parameters, eval and train."""
    m = net()
    f = compile(m, fullgraph=True)
    for i in range(24):
        x = data(6, 4, seed=i).requires_grad_(i % 2 == 0)
        if i % 3 == 0:
            m.eval()
        else:
            m.train()
        m[0].weight.requires_grad_(i < 12)
        if i % 4 == 3:
            with tl.no_grad():
                assert not f(x).requires_grad
            continue
        state, buffers = tl.random.get_rng_state(), [b.clone() for b in m.buffers()]
        out = []
        for g in (m, f):
            tl.random.set_rng_state(state)
            for b, old in zip(m.buffers(), buffers, strict=True):
                b.array[...] = old.array
            m.zero_grad()
            x.grad = None
            g(x).pow(2).sum().backward()
            out.append([None if p.grad is None else p.grad.array.copy() for p in (x, *m.parameters())])
        assert equal(*out), i


def test_as_pytorchs():
    """Attributes, state, modes, copies and the name of the class."""
    m = net()
    f = compile(m)
    assert isinstance(f, OptimizedModule)
    assert isinstance(f, nn.Module)
    assert f._orig_mod is m
    assert list(f.state_dict()) == [f"_orig_mod.{k}" for k in m.state_dict()]
    assert [n for n, _ in f.named_parameters()][0] == "_orig_mod.0.weight"
    assert all(a is b for a, b in zip(f.parameters(), m.parameters(), strict=True))
    f.eval()
    assert not m.training
    assert not m[1].training
    assert not f.training
    f.train()
    assert m.training
    f.extra = 3
    assert m.extra == 3
    del f.extra
    assert not hasattr(m, "extra")
    assert f[4] is m[4] if hasattr(type(f), "__getitem__") else f.get_submodule("_orig_mod.4") is m[4]
    assert "(_orig_mod): Sequential(" in repr(f)
    for other in (copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        assert isinstance(other, OptimizedModule)
        assert other._orig_mod is not m
        f.eval(), other.eval()
        for i in range(4):
            assert np.array_equal(other(data(6, 4, seed=i)).array, f(data(6, 4, seed=i)).array)
        f.load_state_dict(other.state_dict())
    assert "dropout" in str(f(data(6, 4)).grad_fn).lower() or f(data(6, 4)).grad_fn.name() == "compiled Sequential"


def test_methods_and_objects_as_arguments():
    """A decorated method has programs per instance; modules and optimisers may be arguments of a step."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 2)

        @compile
        def forward(self, x):
            return self.layer(x).relu()

    a, b = Net(), Net()
    for i in range(4):
        for m in (a, b):
            x = data(3, 4, seed=i)
            assert np.array_equal(m(x).array, m.layer(x).relu().array)
    assert isinstance(a.forward, Compiled)
    assert runs(a.forward) == runs(b.forward) == [2]

    @compile(fullgraph=True)
    def step(m, loss, o, x, y):
        o.zero_grad()
        value = loss(m(x), y)
        value.backward()
        o.step()
        return value

    found = []
    for f in (step, step._function):
        m = net()
        o = tl.optim.Adam(m.parameters(), lr=0.01)
        loss = nn.CrossEntropyLoss()
        tl.manual_seed(1)
        found.append([f(m, loss, o, x, y).array.copy() for x, y in batches(6)])
    assert equal(*found)
    assert runs(step) == [4]


def test_inside_one_another():
    """A compiled module is part of a compiled step, and goes on as a program of its own outside."""
    m = compile(net())
    o = tl.optim.SGD(m.parameters(), lr=0.1)

    @compile(fullgraph=True)
    def step(x, y):
        o.zero_grad()
        value = nn.functional.cross_entropy(m(x), y)
        value.backward()
        o.step()
        return value

    other = net()
    o2 = tl.optim.SGD(other.parameters(), lr=0.1)
    for run, model, opt in ((step, m, o), (step._function, other, o2)):
        tl.manual_seed(1)
        for i, (x, y) in enumerate(batches(8)):
            if run is step:
                run(x, y)
            else:
                opt.zero_grad()
                nn.functional.cross_entropy(model(x), y).backward()
                opt.step()
            if i % 2:
                model(x)
    assert equal([p.array for p in m.parameters()], [p.array for p in other.parameters()])
    assert runs(step) == [6]
    assert m._compiled._eager is None


def test_transforms_run_as_written():
    """Inside vmap a compiled function runs as written, and is a program outside again."""
    m = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    f = compile(m, fullgraph=True)
    x = data(5, 4)
    for _ in range(3):
        expected = f(x).array
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.allclose(tl.func.vmap(f)(x).array, expected, atol=1e-6)
    before = sum(runs(f))
    f(x)
    assert sum(runs(f)) == before + 1


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda x: x.reshape(-1), "view of a variable"),
        (lambda x: x * 2 if x.sum() > 0 else x, "number is read"),
        (lambda x: (lambda y: (y, y[0]))(x * 2), "two views"),
    ],
)
def test_refused(function, match):
    """What cannot be a program runs as written with one warning, or is an error with the reason."""
    x = data(4, 4).requires_grad_()
    run = compile(function)
    with pytest.warns(RuntimeWarning, match=match) as found:
        for _ in range(4):
            run(x)
    assert len(found) == 1
    assert found[0].filename == __file__
    run = compile(function, fullgraph=True)
    with pytest.raises(RuntimeError, match=match):
        for _ in range(4):
            run(x)


@pytest.mark.parametrize("form", ["tensor", "tuple", "dict"])
def test_nothing_waits_for_the_garbage_collector(form):
    """What a call keeps for its backward pass is given back with the last tensor that could ask for it."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 3), nn.Linear(3, 1)

        def forward(self, x):
            h = self.a(x).tanh()
            y = self.b(h)
            return {"tensor": y, "tuple": (h, y), "dict": {"y": y}}[form]

    net = compile(Net(), fullgraph=True)
    for i in range(4):
        net(data(4, 2, seed=i))
    pool = net._compiled._last.pool
    gc.collect()
    gc.disable()
    try:
        assert len(pool) == 1
        result = net(data(4, 2))
        assert not pool
        del result
        assert len(pool) == 1
    finally:
        gc.enable()
