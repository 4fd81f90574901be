"""The text of a graph is a program: an interpreter runs it and gets the numbers of the forward pass."""

import warnings
import zlib

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.parity import rows_conv, rows_layers
from tests.viz.models import MODELS
from tests.viz.program import Machine, gradients, undefined
from tinygrad_lite import nn, viz
from tinygrad_lite.models.recipes import RECIPES, example
from tinygrad_lite.viz.capture import values
from tinygrad_lite.viz.capture.nested import tensors_in
from tinygrad_lite.viz.trace import arguments

ROWS = {row.name: row for table in (rows_conv, rows_layers) for row in table.ROWS}


@pytest.fixture(autouse=True)
def large_constants(monkeypatch):
    monkeypatch.setattr(values, "SMALL", 10**9)


def check(model, inputs, kwargs=None):
    """Run the program of a model's graph; compare every result with the model's own."""
    kwargs = kwargs or {}
    before = [t.array.copy() for _, t in tensors_in("", inputs)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        graph = viz.trace(model, *inputs, kwargs=kwargs)
        for (_, t), array in zip(tensors_in("", inputs), before, strict=True):
            t.array[...] = array  # a model may write into its inputs
        assert undefined(graph.to_text()) == []
        arrays = {}
        if isinstance(model, nn.Module):
            arrays = {name: t.array for name, t in (*model.named_parameters(), *model.named_buffers())}
            arrays = {name: array.copy() for name, array in arrays.items()}
        given = {name: t.array.copy() for name, t in arguments(model, inputs, kwargs)}
        machine = Machine(graph, {**given, **arrays})
        state, old = tl.get_rng_state(), np.random.get_state()  # noqa: NPY002
        expected = [getattr(t, "array", t) for _, t in tensors_in("", model(*inputs, **kwargs))]
        tl.set_rng_state(state)
        np.random.set_state(old)  # noqa: NPY002
    assert len(machine.returned) == len(expected)
    for mine, theirs in zip(machine.returned, expected, strict=True):
        np.testing.assert_allclose(np.asarray(mine), theirs, rtol=1e-6, atol=1e-6)
    return graph


@pytest.mark.parametrize("name", [*ROWS])
def test_every_layer(name):
    row = ROWS[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    tl.manual_seed(0)
    model = row.make(nn)
    inputs = [
        tl.tensor(x if isinstance(x, np.ndarray) else rng.uniform(*row.values, x).astype(np.float32))
        for x in row.inputs
    ]
    check(model, inputs, row.words(tl))


@pytest.mark.parametrize("name", [*RECIPES])
def test_every_recipe(name):
    tl.manual_seed(0)
    model, inputs = example(name)
    check(model, inputs)


def in_place(x):
    y = x * 2
    y += 1
    y[0] = 5
    v = y[1]
    v.mul_(3)
    y.add_(x)
    y[:, 1] = y[:, 0].relu_()
    return y.sum() + v.sum(), y.clamp_(0, 4)


def in_the_input(x):
    x += 1
    x.zero_()
    return x.add_(3) * 2


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.act, self.b = nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 2)
        self.drop = nn.Dropout(0.5, inplace=True)

    def forward(self, x):
        y = self.a(x)
        y = y + 0
        y[0] = 1.5
        self.act(y)
        return self.b(self.drop(y))


@pytest.mark.parametrize(
    ("model", "recorded"),
    [(in_place, True), (in_the_input, True), (in_the_input, False), (InPlace, True), (InPlace, False)],
)
def test_writes_in_place(model, recorded):
    x = tl.tensor(np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4))
    tl.manual_seed(0)
    with tl.set_grad_enabled(recorded):
        check(model() if isinstance(model, type) else model, [x.clone()])


def check_gradients(model, inputs, kwargs=None):
    """Run the backward pass on the values that the graph names; compare with autograd."""
    kwargs = kwargs or {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        state = tl.get_rng_state()
        graph = viz.draw(model, *inputs, kwargs=kwargs, graph="both")
        assert undefined(graph.to_text()) == []
        tensors = dict(arguments(model, inputs, kwargs))
        if isinstance(model, nn.Module):
            tensors |= {**dict(model.named_parameters()), **dict(model.named_buffers())}
        mine = gradients(graph, {name: t.array.copy() for name, t in tensors.items()})
        tl.set_rng_state(state)
        out = [t for _, t in tensors_in("", model(*inputs, **kwargs)) if getattr(t, "tracked", False)]
        wanted = {name: t for name, t in tensors.items() if t.requires_grad and f"{name}.grad" in graph.by_id}
        if not out or not wanted:
            return
        found = tl.autograd.grad(
            out, list(wanted.values()), [tl.ones_like(t) for t in out], allow_unused=True
        )  # fmt: skip
    for name, g in zip(wanted, found, strict=True):
        if g is not None and f"{name}.grad" in mine:
            np.testing.assert_allclose(mine[f"{name}.grad"], g.array, rtol=1e-4, atol=1e-5, err_msg=name)
    assert {f"{name}.grad" for name, g in zip(wanted, found, strict=True) if g is not None} <= set(mine)


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "in place" not in name][::3])
def test_gradient_rules_use_the_values_that_the_graph_names(name, tracked):
    row = ROWS[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    tl.manual_seed(0)
    inputs = [
        tl.tensor(x) if isinstance(x, np.ndarray)
        else tl.tensor(rng.uniform(*row.values, x).astype(np.float32), requires_grad=tracked)
        for x in row.inputs
    ]  # fmt: skip
    check_gradients(row.make(nn), inputs, row.words(tl))


@pytest.mark.parametrize("name", [*MODELS])
def test_thirty_models(name):
    assert len(MODELS) >= 30
    tl.manual_seed(0)
    model, inputs = MODELS[name]()
    graph = check(model, inputs)
    check_gradients(model, inputs)
    # nothing of it is lost or named differently when it is read back
    assert viz.Graph.from_json(graph.to_json()).to_text() == graph.to_text()


def test_loops_are_written_as_loops():
    for name, head in (("resnet", "× 4"), ("lstm cells", "× 6"), ("gpt", "× 4"), ("two states", "× ")):
        model, inputs = MODELS[name]()
        text = viz.trace(model, *inputs).to_text()
        assert head in text and ", then %" in text, text


def test_a_state_that_a_loop_feeds_back_is_no_mere_constant():
    model, inputs = MODELS["lstm cells"]()
    svg = viz.draw(model, *inputs, depth=3).to_svg()
    assert "fed back, first const (2, 5)" in svg
