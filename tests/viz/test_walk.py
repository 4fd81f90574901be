"""Graphs of tensors that are already computed."""

import copy

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import viz


def lesson():
    a, b = tl.tensor(2.0, requires_grad=True), tl.tensor(-3.0, requires_grad=True)
    c = a * b
    d = c + b**3
    out = (d * a).tanh()
    return a, b, c, out


def test_scalars_show_value_and_gradient_everywhere():
    a, b, c, out = lesson()
    graph = viz.draw(out)
    assert [n.id for n in graph.nodes][:2] == ["a", "b"] and graph.nodes[-1].id == "out"
    assert graph["mul.1"].value == -6.0 and graph["add.1"].value == -33.0
    expected = tl.grad(out, [a, b, c], retain_graph=True)
    for name, g in zip(("a", "b", "mul.1"), expected, strict=True):
        assert graph[name].grad == pytest.approx(g.item())
    assert a.grad is None and b.grad is None
    out.backward()  # drawing has not freed the graph
    assert "value -6 | grad" in graph.to_svg()


def test_values_are_recomputed_after_backward():
    a = tl.tensor(2.0, requires_grad=True)
    out = (a * a).exp() + a
    before = viz.draw(out).to_json()
    out.backward()
    after = viz.draw(out)
    assert [n.value for n in after.nodes] == [n.value for n in viz.Graph.from_json(before).nodes]
    assert out.node.inputs[0].saved is None, "the picture must leave the graph as it was: freed"
    with pytest.raises(RuntimeError, match="retain_graph"):
        out.backward()


def test_literals_are_known_even_after_backward():
    a = tl.tensor(2.0, requires_grad=True)
    out = (1 + a + 0.5) * 3 + a**2
    out += 10
    before = viz.draw(out)
    out.backward()
    after = viz.draw(out)
    for graph in (before, after):
        assert [n.value for n in graph.nodes if n.op == "add"] == [3.0, 3.5, 14.5, 24.5]
        assert [n.attrs["other"] for n in graph.nodes if n.op in ("add", "mul") and n.attrs] == [1, 0.5, 3, 10]
        assert graph["a"].grad == 7.0 and graph["pow.1"].attrs == {"exponent": 2}


def test_an_unknown_number_is_shown_as_a_question_mark():
    a, one = tl.tensor(2.0, requires_grad=True), 1.0
    for y in (a + one, a + (1 if one else 2), (1 if one else 2) + a, sum([one, a + tl.ones(())])):
        assert "other=1" not in viz.draw(y * y).to_text() and "other=2" not in viz.draw(y * y).to_text()
    graph = viz.draw((a + one) + a * a)
    assert "add(a, other=?)" in graph.to_text() and graph["add.1"].value is None and graph["a"].grad == 5.0
    assert "value ? | grad 1" in graph.to_svg()
    assert copy.deepcopy(graph.nodes) == graph.nodes == viz.Graph.from_json(graph.to_json()).nodes


def test_hooks_of_the_user_do_not_run():
    a = tl.tensor(2.0, requires_grad=True)
    y = a * 3
    y.register_hook(lambda g: pytest.fail("a hook ran"))
    y.retain_grad()
    viz.draw(y * y, show="grad")
    assert y.grad is None and len(y.node.hooks) == 2


def test_squarings_stay_linear():
    x = y = tl.tensor(1.0, requires_grad=True)
    for _ in range(30):
        y = y * y
    graph = viz.draw(y)
    assert len([n for n in graph.nodes if n.kind == "op"]) == 30 and len(graph.nodes) == 32
    assert len(graph.edges) == 61 and x.grad is None


def test_thirty_thousand_ops_in_a_row():
    y = tl.ones(2, requires_grad=True)
    for i in range(30_000):
        y = y * 1.0001 if i % 3 else y + 0.1
    graph = viz.draw(y)
    assert len(graph.nodes) == 30_002
    text = graph.to_text()
    assert "× 10,000" in text and len(text) < 2000
    assert len(graph.to_svg()) < 20_000


def test_long_and_irregular_graphs_are_cut_into_stretches():
    y = tl.ones(2, requires_grad=True)
    z = y
    for i in range(3000):
        y, z = (y * 1.01 if (i * i) % 7 in (1, 2) else y - z), y
    graph = viz.draw(y, fold_repeats=False)
    with pytest.warns(UserWarning, match="max_nodes=200") as caught:
        svg = graph.to_svg()
        graph.to_text()
    assert len(caught) == 1 and svg.count('class="box') < 200


def test_second_order_graph():
    a = tl.tensor(3.0, requires_grad=True)
    (slope,) = tl.grad(a**3, a, create_graph=True)
    graph = viz.draw(slope)
    assert graph["a"].grad == pytest.approx(18.0) and graph.nodes[-1].value == 27.0


def test_several_outputs_and_lists():
    x = tl.tensor(np.arange(6.0, dtype=np.float32).reshape(2, 3), requires_grad=True)
    values, _ = x.max(1)
    y = tl.cat([values, values * 2]).sum()
    graph = viz.draw(y, show=("shape", "grad", "value"))
    assert graph["x"].grad == [[0, 0, 3], [0, 0, 3]]


def test_names_may_be_given():
    x, w = tl.ones(2), tl.ones(2, requires_grad=True)
    data = {"hidden": w}
    del w
    graph = viz.draw((x * data["hidden"]).sum(), names={"omega": data["hidden"]})
    assert "omega" in graph.by_id and "x" in graph.by_id
    assert {n.id for n in viz.draw(tl.nn.Linear(2, 1)(x)).nodes} >= {"x"}
    model = tl.nn.Linear(2, 1)
    assert {"m.weight", "m.bias"} <= set(viz.draw(model(x), names={"m": model}).by_id)
    assert {"weight", "bias"} <= set(viz.draw(model(x), names=model).by_id)


def test_names_come_from_the_variables_of_the_caller():
    model = tl.nn.Sequential(tl.nn.Linear(2, 1))
    layer = model[0]
    target = tl.ones(1, 1)
    loss = ((model(tl.ones(1, 2)) - target) ** 2).mean()
    graph = viz.draw(loss)
    assert {"0.weight", "0.bias"} <= set(graph.by_id) and graph.nodes[-1].id == "loss" and layer is model[0]
    other = tl.nn.Linear(2, 1)
    assert {"other.weight", "other.bias"} <= set(viz.draw(other(tl.ones(1, 2))).by_id)


def test_a_literal_argument_is_known_after_backward():
    a = tl.tensor(2.0, requires_grad=True)
    out = a.pow(3) + tl.pow(a, 2)
    out.backward()
    assert [n.attrs["exponent"] for n in viz.draw(out).nodes if n.op == "pow"] == [3, 2]
    n = 5
    parts = a**n + a ** (n + 1)
    parts.backward()
    # what is not known may differ, so it is not drawn as a repetition
    assert viz.draw(parts).to_text().count("exponent=?") == 2
