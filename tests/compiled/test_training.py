"""Compiled training steps give, bit for bit, the numbers of the steps as written."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.compiled.rounding import BACKENDS, agree, content
from tinygrad_lite import nn
from tinygrad_lite.compiled import compile

f4 = np.float32
SGD = {"lr": 0.1}


def data(*shape, seed=0):
    return tl.tensor(np.random.default_rng(seed).standard_normal(shape).astype(f4))


def classes(n, k=3, seed=0):
    return tl.tensor(np.random.default_rng(seed).integers(0, k, n))


def step_of(m, loss, optimizer):
    def step(x, y):
        optimizer.zero_grad()
        value = loss(m(x), y)
        value.backward()
        optimizer.step()
        return value

    return step


def mlp(batch_norm=False, dropout=0.0):
    layers = [nn.Linear(4, 8)]
    layers += [nn.BatchNorm1d(8)] if batch_norm else []
    layers += [nn.ReLU()]
    layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(8, 3))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 2, 2), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3))


def everything(m, o):
    """Return all that a step changes: parameters, buffers, gradients, the state of the optimizer."""
    found = [t.array.copy() for t in (*m.parameters(), *m.buffers())]
    found += [None if p.grad is None else p.grad.array.copy() for p in m.parameters()]
    for p in m.parameters():
        for k, v in o.state[p].items():
            found.append((k, v.array.copy() if isinstance(v, tl.Tensor) else v))
    return [*found, o.count]


def equal(a, b):
    return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))


def _same(x, y):
    if isinstance(x, tuple):
        return x[0] == y[0] and _same(x[1], y[1])
    if isinstance(x, np.ndarray):
        return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
    return type(x) is type(y) and x == y


def both(build, kind, options, loss, batches, between=lambda i, m, o: None):
    """Run a step as written and compiled on the same batches; return the one compiled to NumPy."""
    results, steps = [], []
    for backend in ("", *BACKENDS):
        tl.manual_seed(3)
        m = build()
        o = kind(m.parameters(), **options)
        step = step_of(m, loss, o)
        if backend:
            step = compile(step, fullgraph=True, backend=backend)
        steps.append(step)
        seen = []
        for i, (x, y) in enumerate(batches):
            between(i, m, o)
            value = step(x, y)
            seen.append([value.array.copy(), *everything(m, o), tl.random.get_rng_state()["state"]["state"]])
        results.append(seen)
    for backend, result in zip(BACKENDS, results[1:], strict=True):
        for i, (a, b) in enumerate(zip(results[0], result, strict=True)):
            assert equal(a, b) or agree(plain(a), plain(b), backend), f"step {i}, {backend}"
    return steps[1]


def plain(value):
    """Return arrays by their contents."""
    if isinstance(value, np.ndarray):
        return content(value)
    return type(value)(map(plain, value)) if isinstance(value, (list, tuple)) else value


def runs(step):
    return [p.calls for programs in step._programs.values() for p in programs]


def batches(n=7, size=6):
    return [(data(size, 4, seed=i), classes(size, seed=i)) for i in range(n)]


OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "amsgrad": True, "weight_decay": 0.01}),
    ("AdamW", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01}),
    ("Adagrad", {"lr": 0.01}),
    ("Adadelta", {"lr": 0.5}),
    ("Adamax", {"lr": 0.01}),
    ("NAdam", {"lr": 0.01}),
    ("NAdam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("ASGD", {"lr": 0.01, "weight_decay": 0.1}),
    ("Rprop", {"lr": 0.01}),
    ("Adafactor", {"lr": 0.1, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
def test_optimizers(kind, options):
    """The first step runs as written, the second is recorded, five are programs on other numbers."""
    step = both(mlp, getattr(tl.optim, kind), options, nn.CrossEntropyLoss(), batches())
    assert runs(step) == [5]


def test_radam():
    """Its formula changes at the sixth step; the step is recorded again, and the numbers are the same."""
    step = both(mlp, tl.optim.RAdam, {"lr": 0.01}, nn.CrossEntropyLoss(), batches(10))
    assert "recorded again: a number of the optimizer" in step.explain()


def descended(search, backend, whole=False):
    """Return the losses and parameters of six steps of L-BFGS, and the compiled function."""
    tl.manual_seed(3)
    m, x, y = mlp(), data(6, 4), classes(6)
    o = tl.optim.LBFGS(m.parameters(), lr=0.5, max_iter=4, line_search_fn=search)

    def closure():
        o.zero_grad()
        loss = nn.functional.cross_entropy(m(x), y)
        loss.backward()
        return loss

    run = compile(closure, fullgraph=True, backend=backend) if backend and not whole else closure
    step = lambda: o.step(run)  # noqa: E731
    step = compile(step, backend=backend) if whole else step
    found = []
    for i in range(6):
        o.param_groups[0]["lr"] = 0.5 if i < 3 else 0.25
        found += [step().item(), *(p.array.copy() for p in m.parameters())]
    return found, step if whole else run


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_closure_of_lbfgs(search):
    """L-BFGS chooses its steps by their results, and runs as written; its closure is a program."""
    expected, _ = descended(search, None)
    for backend in BACKENDS:
        found, run = descended(search, backend)
        assert runs(run)[0] > 10
        assert len(runs(run)) == 1
        assert equal(found, expected) or backend == "native" and np.allclose(found[-25], expected[-25], 0.05, 0.01)
    with pytest.warns(RuntimeWarning, match="LBFGS chooses its steps by their results; compile its closure"):
        found, _ = descended(search, "numpy", whole=True)
    assert equal(found, expected)


@pytest.mark.parametrize(
    ("build", "loss"),
    [
        (lambda: mlp(batch_norm=True), nn.CrossEntropyLoss()),
        (lambda: mlp(dropout=0.5), nn.CrossEntropyLoss()),
        (lambda: nn.Sequential(mlp(), nn.LayerNorm(3), nn.GELU()), nn.CrossEntropyLoss(label_smoothing=0.1)),
        (lambda: nn.Sequential(mlp(), nn.LogSoftmax(1)), nn.NLLLoss()),
    ],
)
def test_layers(build, loss):
    """Buffers, random draws and losses by class."""
    assert runs(both(build, tl.optim.Adam, {"lr": 0.01}, loss, batches())) == [5]


def test_cnn():
    """Convolution and pooling."""
    given = [(data(4, 1, 5, 5, seed=i), classes(4, seed=i)) for i in range(7)]
    assert runs(both(cnn, tl.optim.SGD, SGD, nn.CrossEntropyLoss(), given)) == [5]


def test_binary_cross_entropy():
    """The range checks of the engine are checks of the program."""
    given = [(data(6, 4, seed=i), tl.tensor((np.arange(6).reshape(6, 1) % 2).astype(f4))) for i in range(7)]
    step = both(lambda: nn.Sequential(nn.Linear(4, 1), nn.Sigmoid()), tl.optim.SGD, SGD, nn.BCELoss(), given)
    assert runs(step) == [5]
    with pytest.raises(ValueError, match="target must lie between 0 and 1"):
        step(given[0][0], given[0][1] * 3)


def test_class_out_of_range():
    """A class that does not exist raises as in the step as written, and changes nothing."""
    step = both(mlp, tl.optim.SGD, SGD, nn.CrossEntropyLoss(), batches())
    m = step._function.__closure__
    before = [c.cell_contents for c in m if isinstance(c.cell_contents, nn.Module)][0].state_dict()
    before = {k: v.array.copy() for k, v in before.items()}
    x, _ = batches()[0]
    with pytest.raises(Exception, match="class|range|bounds"):
        step(x, tl.tensor(np.array([0, 1, 2, 0, 1, 7])))
    after = [c.cell_contents for c in m if isinstance(c.cell_contents, nn.Module)][0].state_dict()
    assert all(np.array_equal(before[k], after[k].array) for k in before)


def test_lstm():
    """A loop over time in the step."""
    results = []
    for compiled in (False, True):
        tl.manual_seed(3)
        cell, last = nn.LSTMCell(3, 5), nn.Linear(5, 1)
        o = tl.optim.Adam([*cell.parameters(), *last.parameters()], lr=0.01)

        def step(xs, o=o, cell=cell, last=last):
            o.zero_grad()
            h = c = tl.zeros(4, 5)
            outs = []
            for t in range(6):
                h, c = cell(xs[t], (h, c))
                outs.append(last(h))
            loss = sum(out.pow(2).mean() for out in outs)
            loss.backward()
            o.step()
            return loss

        run = compile(step, fullgraph=True) if compiled else step
        losses = [run(data(6, 4, 3, seed=i)).item() for i in range(7)]
        results.append([losses, *[p.array.copy() for p in (*cell.parameters(), *last.parameters())]])
    assert runs(run) == [5]
    assert results[0][0] == results[1][0]
    assert equal(results[0][1:], results[1][1:])


def test_soft_k_means():
    """Centres as bare tensors."""
    results = []
    for compiled in (False, True):
        centres = data(3, 2, seed=1).requires_grad_()
        o = tl.optim.SGD([centres], lr=0.1)

        def step(x, o=o, centres=centres):
            o.zero_grad()
            d = ((x[:, None] - centres) ** 2).sum(-1)
            loss = (tl.softmax(d * -2.0, 1) * d).sum(1).mean()
            loss.backward()
            o.step()
            return loss

        run = compile(step, fullgraph=True) if compiled else step
        results.append([[run(data(20, 2, seed=i)).item() for i in range(7)], centres.array.copy()])
    assert runs(run) == [5]
    assert results[0][0] == results[1][0]
    assert equal(results[0][1:], results[1][1:])


def test_xor_and_line():
    """Data from the enclosing function, read anew at every call."""
    x, y = tl.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), tl.tensor([[0.0], [1], [1], [0]])
    for build in (lambda: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), lambda: nn.Linear(2, 1)):
        results = []
        for compiled in (False, True):
            tl.manual_seed(1)
            m = build()
            o = tl.optim.SGD(m.parameters(), lr=0.2)
            inner, inputs = step_of(m, nn.MSELoss(), o), x.clone()

            def step(inner=inner, inputs=inputs):
                return inner(inputs, y)

            run = compile(step, fullgraph=True) if compiled else step
            for i in range(7):
                inputs.array[...] = x.array * (1 + i)
                run()
            results.append(everything(m, o))
        assert runs(run) == [5]
        assert equal(*results)


def test_smaller_last_batch():
    """One program per shape."""
    given = [b for i in range(4) for b in (*batches(2), (data(3, 4, seed=i), classes(3, seed=i)))]
    step = both(lambda: mlp(batch_norm=True), tl.optim.Adam, {"lr": 0.01}, nn.CrossEntropyLoss(), given)
    assert len(step._programs) == 2
    assert sum(runs(step)) == 8


def test_load_state_dict_between_steps():
    """New state arrays are found, and loaded parameters are used."""
    kept = {}

    def between(i, m, o):
        if i == 4:
            kept["m"] = {k: v.clone() for k, v in m.state_dict().items()}
            kept["o"] = o.state_dict()
            kept["o"] = {"state": {k: {a: b.clone() if isinstance(b, tl.Tensor) else b for a, b in s.items()}
                                   for k, s in kept["o"]["state"].items()},
                         "param_groups": [dict(g) for g in kept["o"]["param_groups"]]}  # fmt: skip
        if i == 7:
            m.load_state_dict(kept["m"])
            o.load_state_dict(kept["o"])

    step = both(mlp, tl.optim.Adam, {"lr": 0.01}, nn.CrossEntropyLoss(), batches(10), between)
    assert sum(runs(step)) >= 5


@pytest.mark.parametrize(("kind", "options"), [("SGD", SGD), ("Adam", {"lr": 0.01}), ("AdamW", {"lr": 0.01})])
def test_learning_rate_schedule(kind, options):
    """A new learning rate in every step needs no new program."""

    def between(i, m, o):
        o.param_groups[0]["lr"] = 0.1 / (i + 1)

    step = both(mlp, getattr(tl.optim, kind), options, nn.CrossEntropyLoss(), batches(9), between)
    assert runs(step) == [7]


def test_momentum_schedule():
    """An option that changes becomes a number of the program at the second recording."""

    def between(i, m, o):
        o.param_groups[0]["momentum"] = 0.5 + 0.01 * i

    step = both(mlp, tl.optim.SGD, {"lr": 0.1, "momentum": 0.5}, nn.CrossEntropyLoss(), batches(9), between)
    assert sum(runs(step)) == 6


def test_backward_pass_of_constants():
    """The gradient depends on no number of the step: no call of the backward pass is recorded."""
    for length in (1, 3):
        x, a = data(3).requires_grad_(), data(3, seed=1)

        def step(x=x, a=a, length=length):
            x.grad = None
            z = x
            for _ in range(length):
                z = z * 0.5 + a
            value = z.sum()
            value.backward()
            return value

        once = step().item(), x.grad.array.copy()
        compiled = compile(step, fullgraph=True)
        for _ in range(4):
            with tl.no_grad():
                x.copy_(data(3))
            assert compiled().item() == once[0] and np.array_equal(x.grad.array, once[1])
            x.grad.array[...] = 7.0  # the next call makes a new one
        assert runs(compiled) == [2]


def test_large_products_with_two_threads():
    """Other threads compute parts of a product, which is one call of the program."""
    before = tl.get_num_threads()
    try:
        tl.set_num_threads(2)
        m = nn.Linear(512, 512)
        batches = [(data(1024, 512, seed=i), data(1024, 512, seed=9)) for i in range(4)]
        step = both(lambda: m.__class__(512, 512), tl.optim.SGD, SGD, nn.MSELoss(), batches)
    finally:
        tl.set_num_threads(before)
    assert runs(step) == [2] and "np.matmul" in step.source


@pytest.mark.parametrize("clip", ["norm", "value"])
def test_clipped_gradients(clip):
    """Whether a gradient is too long changes from call to call, and is no reason to leave the program."""
    results = []
    for backend in ("", *BACKENDS):
        tl.manual_seed(3)
        m = mlp()
        o = tl.optim.SGD(m.parameters(), lr=0.1)

        def step(x, y, m=m, o=o):
            o.zero_grad()
            value = nn.functional.cross_entropy(m(x), y)
            value.backward()
            if clip == "norm":
                norm = nn.utils.clip_grad_norm_(m.parameters(), 0.6)
            else:
                norm = value
                nn.utils.clip_grad_value_(m.parameters(), 0.2)
            o.step()
            return value, norm

        run = compile(step, fullgraph=True, backend=backend) if backend else step
        seen = []
        for i, (x, y) in enumerate(batches(8)):
            found = run(x * (0.1 if i % 2 else 3.0), y)
            seen.append([[t.array.copy() for t in found], *everything(m, o)])
        results.append(seen)
        if backend:
            assert runs(run) == [6]
    norms = [float(found[0][1]) for found in results[0]]
    assert clip == "value" or min(norms) < 0.6 < max(norms)
    assert all(equal(a[1:], b[1:]) for a, b in zip(*results[:2], strict=True))
    for a, b in zip(results[0], results[-1], strict=True):
        assert agree(plain(a), plain(b), BACKENDS[-1])
