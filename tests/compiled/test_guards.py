"""What a program takes for granted is checked at every call; what it cannot repeat runs as written."""

from __future__ import annotations

import importlib.util
import random
import threading
import time
import warnings

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.test_training import batches, data, equal, everything, mlp, step_of
from tinygrad_lite import nn
from tinygrad_lite.compiled import compile
from tinygrad_lite.errors import MissingExtra

OUTSIDE = {"factor": 1.0, "list": []}
FACTOR = 1.0


class Config:
    beta = 1.0

    def __init__(self):
        self.alpha = 1.0


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = mlp(batch_norm=True, dropout=0.25)
        self.config = Config()
        self.table = np.ones(3, np.float32)
        self.scale = tl.ones(1)

    def forward(self, x):
        x = x * self.config.alpha * self.config.beta * OUTSIDE["factor"] * FACTOR
        return self.net(x) * tl.tensor(self.table) * self.scale


def set_global(value):
    global FACTOR
    FACTOR = value


def renew(m):
    m.net[0].weight = nn.Parameter(m.net[0].weight.detach() * 0.5)


def replace_data(m):
    m.net[0].weight.data = m.net[0].weight.data * 0.5


def write_inside(m):
    with tl.no_grad():
        m.net[0].weight.mul_(0.5)


CHANGES = {
    "alpha": lambda m, o: setattr(m.config, "alpha", 2.0),
    "beta": lambda m, o: setattr(Config, "beta", 2.0),
    "dictionary": lambda m, o: OUTSIDE.update(factor=2.0),
    "global": lambda m, o: set_global(2.0),
    "array written": lambda m, o: m.table.__setitem__(1, 3.0),
    "array replaced": lambda m, o: setattr(m, "table", m.table * 2),
    "eval": lambda m, o: m.eval(),
    "dropout": lambda m, o: setattr(m.net[3], "p", 0.5),
    "requires_grad": lambda m, o: m.net[0].weight.requires_grad_(False),
    "parameter replaced": lambda m, o: renew(m),
    "data replaced": lambda m, o: replace_data(m),
    "data written": lambda m, o: write_inside(m),
    "array of the parameter": lambda m, o: m.net[0].weight.array.__imul__(0.5),
    "tensor hook": lambda m, o: m.net[0].weight.register_hook(lambda g: g * 2),
    "module hook": lambda m, o: m.net.register_forward_hook(lambda m, a, y: y * 2),
    "global module hook": lambda m, o: OUTSIDE["list"].append(
        nn.modules.module.register_module_forward_hook(lambda m, a, y: y * 1.5)
        if hasattr(nn, "modules")
        else m.net.register_forward_hook(lambda m, a, y: y * 1.5)
    ),
    "optimizer hook": lambda m, o: o.register_step_post_hook(lambda *a: write_inside(m)),
    "group": lambda m, o: o.param_groups[0].update(weight_decay=0.1),
    "betas": lambda m, o: o.param_groups[0].update(betas=(0.5, 0.9)),
    "eps": lambda m, o: o.param_groups[0].update(eps=0.1),
    "maximize": lambda m, o: o.param_groups[0].update(maximize=True),
    "learning rate": lambda m, o: o.param_groups[0].update(lr=0.0),
    "new group": lambda m, o: o.add_param_group({"params": [data(1).requires_grad_()], "lr": 0.5}),
    "fewer parameters": lambda m, o: o.param_groups[0]["params"].pop(),
    "layer replaced": lambda m, o: m.net.__setitem__(2, nn.Tanh()),
    "layer appended": lambda m, o: m.net.append(nn.Tanh()),
    "no gradient": lambda m, o: m.zero_grad(),
    "state cleared": lambda m, o: o.state.clear(),
    "state of one": lambda m, o: o.state.pop(next(iter(o.state))),
    "state written": lambda m, o: o.state[m.net[0].weight]["exp_avg"].array.fill(1),
    "state replaced": lambda m, o: o.state[m.net[0].weight].update(exp_avg=tl.ones(8, 4)),
    "step of one": lambda m, o: o.state[m.net[0].weight].update(step=100),
    "seed": lambda m, o: tl.manual_seed(9),
    "buffer": lambda m, o: m.net[1].running_mean.array.fill(1),
    "dtype": lambda m, o: m.double(),
}


@pytest.fixture(autouse=True)
def restored():
    yield
    OUTSIDE.update(factor=1.0)
    Config.beta = 1.0
    set_global(1.0)
    while OUTSIDE["list"]:
        OUTSIDE["list"].pop().remove()


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_noticed(name):
    """A change between two steps has the effect that it has on the step as written."""
    results = []
    for compiled in (False, True):
        OUTSIDE.update(factor=1.0)
        Config.beta = 1.0
        set_global(1.0)
        tl.manual_seed(3)
        m = Scaled()
        o = tl.optim.Adam(m.parameters(), lr=0.01)
        step = step_of(m, nn.CrossEntropyLoss(), o)
        step = compile(step) if compiled else step
        seen = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            for i, (x, y) in enumerate(batches(9)):
                if i == 5:
                    before = sum(p.calls for ps in step._programs.values() for p in ps) if compiled else 0
                    CHANGES[name](m, o)
                x = x.double() if m.net[0].weight.dtype == tl.float64 else x
                value = step(x, y)
                seen.append([value.array.copy(), *everything(m, o)])
        while OUTSIDE["list"]:
            OUTSIDE["list"].pop().remove()
        results.append(seen)
    assert before == 3, step.explain()
    for i, (a, b) in enumerate(zip(*results, strict=True)):
        assert equal(a, b), f"step {i}"


# ------------------------------------------------------------------------------------------------ refusals
def refused(body, match, calls=3, **words):
    """Compile a step with ``body`` in it: it must run as written, with one warning that has ``match``."""
    w = tl.tensor([1.0, 2.0], requires_grad=True)
    o = tl.optim.SGD([w], lr=0.1)

    def step():
        o.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        o.step()
        body(loss, w)
        return loss

    run = compile(step)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for _ in range(calls):
            run()
    found = [str(f.message) for f in found if issubclass(f.category, RuntimeWarning)]
    assert len(found) == 1, found
    assert match in found[0]
    assert run.explain().startswith("step: runs as it is written")
    expected = np.array([1.0, 2.0], np.float32)
    for _ in range(calls):
        expected = expected - np.float32(0.1) * (2 * expected)
    assert np.array_equal(w.array, expected)


def branch(loss, w):
    if loss > 3:
        return 1
    return 0


class Counter:
    n = 0


def test_a_branch_on_a_value():
    """The warning names the line."""
    refused(branch, f"test_guards.py:{branch.__code__.co_firstlineno + 1}: a number is read")


@pytest.mark.parametrize(
    "read",
    [lambda loss, w: loss.item(), lambda loss, w: float(loss), lambda loss, w: w.tolist(), lambda loss, w: int(loss),
     lambda loss, w: f"{loss:.2f}", lambda loss, w: bool(w[0]), lambda loss, w: float(w.detach().numpy()[0])],
)  # fmt: skip
def test_numbers_that_are_read(read):
    """Every way to a Python number."""
    refused(read, "")


def test_effects_outside_happen_once_per_call(capsys):
    """Lists, counters and prints go on as in the step as written."""
    counts = []
    refused(lambda loss, w: counts.append(1), "append() changes an object outside")
    assert len(counts) == 3
    refused(lambda loss, w: print("here"), "print()")
    assert capsys.readouterr().out == "here\n" * 3
    counter, table = Counter(), {"n": 0}

    def attribute(loss, w):
        counter.n += 1

    def item(loss, w):
        table["n"] += 1

    def alias(loss, w):
        mine = counts
        mine.append(1)

    refused(attribute, "changes 'n'")
    refused(item, "changes 'n'")
    assert counter.n == table["n"] == 3
    counts.clear()
    refused(alias, "append() changes an object outside")
    assert len(counts) == 3


def test_numbers_computed_elsewhere():
    """Python's and NumPy's own random numbers, the clock, an iterator."""
    numbers = np.random.default_rng(0)
    iterator = iter(range(100))
    refused(lambda loss, w: random.random(), "random()")
    refused(lambda loss, w: time.time(), "time()")
    refused(lambda loss, w: next(iterator), "an iterator")
    assert next(iterator) == 3
    refused(lambda loss, w: np.random.rand(), "np.random")
    w = data(3).requires_grad_()
    o = tl.optim.SGD([w], lr=0.1)

    def step():
        o.zero_grad()
        loss = (w * tl.tensor(numbers.standard_normal(3).astype(np.float32))).sum()
        loss.backward()
        o.step()

    run = compile(step)
    with pytest.warns(RuntimeWarning, match="generator of its own"):
        before = [run(), run(), run()]
    assert before == [None] * 3
    numbers = np.random.default_rng(0)


def test_a_number_that_counts_up():
    """A variable of the user's that changes at every call ends in the step as written."""
    state = {"t": 0.0}
    w = tl.tensor([1.0], requires_grad=True)
    o = tl.optim.SGD([w], lr=1.0)

    @compile
    def step():
        o.zero_grad()
        (w * state["t"]).sum().backward()
        o.step()

    expected = 1.0
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for i in range(30):
            state["t"] = float(i)
            step()
            expected -= i
            assert w.item() == expected
    assert len(found) == 1


def test_gradients_that_add_up():
    """Without zero_grad the gradients of earlier steps count."""
    w = tl.tensor([1.0], requires_grad=True)

    @compile
    def step():
        (w * 3).sum().backward()

    with pytest.warns(RuntimeWarning, match="earlier step"):
        for i in range(4):
            step()
            assert w.grad.item() == 3.0 * (i + 1)


def test_arguments_are_not_written_to():
    """A program copies its arguments, in any layout; the user's stay as they are."""
    m = mlp()
    o = tl.optim.SGD(m.parameters(), lr=0.1)
    step = compile(step_of(m, nn.CrossEntropyLoss(), o), fullgraph=True)
    whole = data(60, 5)
    before = whole.array.copy()
    for i in range(5):
        step(whole[6 * i : 6 * i + 6, :4], batches()[0][1])
    for i in range(4):
        step(data(4, 6, seed=i).T, batches()[0][1])
    assert np.array_equal(whole.array, before)
    assert sorted(p.calls for ps in step._programs.values() for p in ps) == [2, 3]


def test_a_returned_result_does_not_change():
    """Results and gradients of earlier calls are not written to by later ones."""
    m = mlp()
    o = tl.optim.SGD(m.parameters(), lr=0.1)
    step = compile(step_of(m, nn.CrossEntropyLoss(), o), fullgraph=True)
    kept = []
    for x, y in batches(6):
        value = step(x, y)
        kept.append((value, value.array.copy(), m[0].weight.grad, m[0].weight.grad.array.copy()))
    for value, a, grad, g in kept:
        assert np.array_equal(value.array, a)
        assert np.array_equal(grad.array, g)


def test_a_loop_by_hand():
    """Gradients set to None, an update under no_grad, views and in-place writes."""
    results = []
    for compiled in (False, True):
        w, average = data(4, 3).requires_grad_(), tl.zeros(4, 3)

        def step(x, w=w, average=average):
            w.grad = None
            h = (x @ w).clone()
            h[:, 0] *= 2
            h[1:, 1:] += x[1:, :2]
            part = h[::2]
            part.mul_(0.5)
            loss = (h * h).sum() + h[0].max()
            loss.backward()
            with tl.no_grad():
                w -= 0.01 * w.grad
                average.mul_(0.9).add_(w, alpha=0.1)
            return loss, {"h": h.detach()}

        run = compile(step, fullgraph=True) if compiled else step
        seen = []
        for i in range(7):
            loss, more = run(data(5, 4, seed=i))
            seen += [
                loss.array.copy(),
                more["h"].array.copy(),
                w.array.copy(),
                w.grad.array.copy(),
                average.array.copy(),
            ]
        results.append(seen)
    assert run._last.calls == 5
    assert equal(*results)


def test_an_equal_tensor_is_another_one():
    """A tensor of one element that is replaced by an equal one is noticed: the new one is changed, the old is not."""
    table = {"total": tl.zeros(1)}
    x = data(3)

    def step():
        table["total"].add_(x.sum())

    run = compile(step, fullgraph=True)
    for i in range(9):
        if i == 4:
            old = table["total"]
            table["total"] = old.clone()
            kept = old.item()
        before = table["total"].item()
        run()
        assert table["total"].item() == np.float32(before) + x.sum().array
    assert old.item() == kept
    assert run._last.calls > 0


def test_fullgraph_is_an_error():
    """Nothing is hidden with fullgraph=True."""
    w = tl.tensor([1.0], requires_grad=True)

    @compile(fullgraph=True)
    def step():
        return (w * 2).item()

    step()
    with pytest.raises(RuntimeError, match=r"test_guards.py:\d+: a number is read"):
        step()


def test_other_threads_run_as_written():
    """The memory of a program belongs to the thread that made it."""
    m = mlp()
    o = tl.optim.SGD(m.parameters(), lr=0.1)
    step = compile(step_of(m, nn.CrossEntropyLoss(), o), fullgraph=True)
    given = batches(4)
    for x, y in given:
        step(x, y)
    done = step._last.calls
    thread = threading.Thread(target=lambda: step(*given[0]))
    thread.start()
    thread.join()
    assert step._last.calls == done


def test_eight_shapes():
    """After eight shapes the step runs as written and says so once."""
    m = mlp()
    o = tl.optim.SGD(m.parameters(), lr=0.1)
    step = compile(step_of(m, nn.CrossEntropyLoss(), o))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for n in range(1, 13):
            step(data(n, 4), tl.tensor(np.zeros(n, np.int64)))
    assert ["more than 8 shapes" in str(f.message) for f in found] == [True]


def test_inference():
    """A module without gradients is a program; with gradients it is two."""
    m = mlp(batch_norm=True).eval()
    run = compile(m)
    xs = [data(5, 4, seed=i) for i in range(5)]
    with tl.no_grad():
        for x in xs:
            assert np.array_equal(run(x).array, m(x).array)
    assert run._compiled._last.calls == 3
    for x in xs:
        y = run(x)
    y.sum().backward()
    assert m[0].weight.grad is not None


def test_arguments():
    """PyTorch's arguments are accepted, others refused."""

    def f(x):
        return x

    assert compile(f, disable=True) is f
    assert compile(f, backend="eager") is f
    compile(f, dynamic=True, mode="max-autotune")
    compile(f, options={}, backend="inductor")
    with pytest.raises(ValueError, match="backend"):
        compile(f, backend="nothing")
    with pytest.raises(ValueError, match="mode"):
        compile(f, mode="nothing")
    if importlib.util.find_spec("llvmlite") is None:
        with pytest.raises(MissingExtra, match=r"tinygrad_lite\[compile\]"):
            compile(f, backend="native")
    else:
        compile(f, backend="native")


@pytest.mark.parametrize("how", ["move_to_end", "again"])
def test_the_order_of_modules(how):
    """Layers that change places are the same attributes in another order."""
    m = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    f = compile(m, backend="numpy")
    x = data(3, 4)
    for _ in range(4):
        assert np.array_equal(f(x).array, m(x).array)
    if how == "again":
        first = m._modules.pop("0")
        m._modules["0"] = first
    else:
        m._modules.move_to_end("0")
    assert list(m._modules) == ["1", "0"]
    for _ in range(4):
        assert np.array_equal(f(x).array, m(x).array)


def test_source(tmp_path):
    """The program is readable NumPy with the user's names, and can be saved."""
    m = mlp()
    optimizer = tl.optim.SGD(m.parameters(), lr=0.1)
    step = compile(step_of(m, nn.CrossEntropyLoss(), optimizer), fullgraph=True)
    for x, y in batches(3):
        step(x, y)
    assert "# ---- forward" in step.source
    assert "linear = np.dot(x, m_0_weight.T)  # float32 6x8" in step.source
    assert "# m.1: gradient of relu for input" in step.source
    assert step.source.index("backward") < step.source.index("update")
    assert "6x4, 6" in step.explain()
    step.save_source(tmp_path / "step.py")
