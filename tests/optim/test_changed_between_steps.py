"""Options, learning rates and state changed between two steps take effect at the next step."""

import copy

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.optim import LBFGS, SGD, Adam, AdamW, RMSprop, Rprop

SIZES = [3, 70_000]


def stepped(optimizer, x, times=1):
    for _ in range(times):
        optimizer.zero_grad()
        (x * x).sum().backward()
        optimizer.step()


def drawn(n):
    return tl.tensor(np.random.default_rng(0).standard_normal(n).astype("f"), requires_grad=True)


@pytest.mark.parametrize("cls", [SGD, Adam, AdamW, RMSprop, Rprop])
@pytest.mark.parametrize("made", [np.array, tl.tensor, np.float32, lambda lr: tl.tensor([lr])])
def test_a_learning_rate_set_to_an_array_or_tensor(cls, made):
    x, y = drawn(3), drawn(3)
    a, b = cls([x], lr=0.5), cls([y], lr=0.25)
    a.param_groups[0]["lr"] = made(0.25)
    stepped(a, x, 2)
    stepped(b, y, 2)
    assert np.array_equal(x.array, y.array)


def test_a_learning_rate_that_is_changed_in_place():
    x = tl.tensor([1.0], requires_grad=True)
    optimizer, lr = SGD([x], lr=1.0), tl.tensor(0.25)
    optimizer.param_groups[0]["lr"] = lr
    stepped(optimizer, x)
    assert x.item() == 0.5
    lr.fill_(0.5)
    stepped(optimizer, x)
    assert x.item() == 0.0


@pytest.mark.parametrize("lr", [None, "0.1", [0.1], np.ones(2), tl.ones(2)])
def test_a_learning_rate_that_is_no_number_changes_nothing(lr):
    x, y = drawn(3), drawn(3)
    optimizer = Adam([{"params": [x]}, {"params": [y]}])
    x.grad = y.grad = tl.ones(3)
    optimizer.param_groups[1]["lr"] = lr
    with pytest.raises(TypeError, match="lr of a parameter group must be a number, got "):
        optimizer.step()
    assert np.array_equal(x.array, drawn(3).array) and optimizer.state[x]["step"] == 0


def test_lbfgs_takes_a_tensor_as_learning_rate():
    def after(lr):
        x = drawn(3)
        optimizer = LBFGS([x], lr=1.0, max_iter=3)
        optimizer.param_groups[0]["lr"] = lr

        def closure():
            optimizer.zero_grad()
            loss = (x * x).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        return x.array

    assert np.array_equal(after(0.5), after(tl.tensor(0.5)))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("cls, name, options", [(SGD, "momentum_buffer", {"momentum": 0.9}), (Adam, "exp_avg", {})])
def test_state_that_is_replaced(cls, name, options, n):
    x, y = drawn(n), drawn(n)
    a, b = cls([x], lr=0.1, **options), cls([y], lr=0.1, **options)
    for optimizer, p in ((a, x), (b, y)):
        stepped(optimizer, p, 2)
    a.state[x][name] = tl.zeros(n)
    b.state[y][name].zero_()
    for optimizer, p in ((a, x), (b, y)):
        stepped(optimizer, p, 2)
    assert np.array_equal(x.array, y.array) and np.array_equal(a.state[x][name].array, b.state[y][name].array)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("delete", [
    lambda state: state.clear(), lambda state: [state.pop(k) for k in list(state)],
    lambda state: [state.__delitem__(k) for k in list(state)], lambda state: [state.popitem() for _ in list(state)],
])  # fmt: skip
def test_state_that_is_deleted(delete, n):
    x = drawn(n)
    y = x.detach().clone().requires_grad_()
    a = Adam([x], lr=0.1)
    stepped(a, x, 2)
    y.data = x.data.clone()
    b = Adam([y], lr=0.1)
    delete(a.state[x])
    stepped(a, x, 2)
    stepped(b, y, 2)
    assert np.array_equal(x.array, y.array) and a.state[x]["step"] == 2


def test_state_that_is_updated_or_copied():
    x, y = drawn(3), drawn(3)
    a, b = Adam([x], lr=0.1), Adam([y], lr=0.1)
    stepped(a, x, 2)
    stepped(b, y, 2)
    saved = copy.deepcopy(dict(a.state[x]))
    stepped(a, x)
    x.data = y.data.clone()
    a.state[x].update(saved)
    stepped(a, x)
    stepped(b, y)
    assert np.array_equal(x.array, y.array)


@pytest.mark.parametrize("n", SIZES)
def test_momentum_that_begins_later_begins_with_the_whole_gradient(n):
    torch = pytest.importorskip("torch")
    x = drawn(n)
    t = torch.tensor(x.detach().numpy().copy(), requires_grad=True)
    a, b = SGD([x], lr=0.1), torch.optim.SGD([t], lr=0.1)
    for options in ({}, {"momentum": 0.9, "dampening": 0.5}, {}, {"momentum": 0.0}, {"momentum": 0.5}):
        for optimizer, p in ((a, x), (b, t)):
            optimizer.param_groups[0].update(options)
            stepped(optimizer, p)
    np.testing.assert_allclose(x.array, t.detach().numpy(), rtol=1e-5, atol=1e-6)
