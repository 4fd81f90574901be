"""Traced runs: their ids, edges and calls; executing the JSON graph; restoring the program's state."""

import gc
import json
import weakref

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, viz
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.viz.formats.json import decoded


def edges(graph):
    return sorted((e.src, e.out_index, e.dst, e.arg_index) for e in graph.edges)


def test_ids_are_names(nets):
    graph = viz.trace(nets.CNN(), nets.image)
    assert [n.id for n in graph.nodes] == [
        "x", "conv.weight", "conv.bias", "fc.weight", "fc.bias",
        "conv/conv.1", "CNN/relu.1", "CNN/reshape.1", "fc/linear.1", "output",
    ]  # fmt: skip
    assert [(c.id, c.cls, c.parent) for c in graph.calls] == [
        ("CNN", "CNN", ""),
        ("conv", "Conv2d", "CNN"),
        ("fc", "Linear", "CNN"),
    ]
    assert edges(graph) == sorted([
        ("x", 0, "conv/conv.1", 0), ("conv.weight", 0, "conv/conv.1", 1), ("conv.bias", 0, "conv/conv.1", 2),
        ("conv/conv.1", 0, "CNN/relu.1", 0), ("CNN/relu.1", 0, "CNN/reshape.1", 0),
        ("CNN/reshape.1", 0, "fc/linear.1", 0),
        ("fc.weight", 0, "fc/linear.1", 1), ("fc.bias", 0, "fc/linear.1", 2), ("fc/linear.1", 0, "output", 0),
    ])  # fmt: skip


def test_second_call_of_a_module_has_a_number_and_its_parameters_stand_above_both(nets):
    graph = viz.trace(nets.Shared(), nets.x4)
    assert [c.id for c in graph.calls] == ["Shared", "cell", "cell#2"]
    assert graph["cell.weight"].call == "Shared"
    assert {e.dst for e in graph.users["cell.weight"]} == {"cell/linear.1", "cell#2/linear.1"}


def test_a_tied_weight_is_drawn_at_the_lowest_common_ancestor(nets):
    graph = viz.trace(nets.Tied(), nets.x6)
    assert graph["enc.weight"].call == "Tied" and graph["enc.bias"].call == "enc" and graph["dec.bias"].call == "dec"
    assert [n.id for n in graph.nodes if n.kind == "param"] == ["enc.weight", "enc.bias", "dec.bias"]


def test_the_same_tensor_twice_gives_two_edges():
    graph = viz.trace(lambda x: x * x, tl.ones(3))
    assert edges(graph) == [("mul.1", 0, "output", 0), ("x", 0, "mul.1", 0), ("x", 0, "mul.1", 1)]


def test_lists_and_several_outputs():
    def f(xs):
        values, index = tl.cat(xs).max(0)
        return {"values": values, "index": index}

    graph = viz.trace(f, [tl.ones(2), tl.ones(3)])
    cat = next(n for n in graph.nodes if n.op == "cat")
    assert [(e.src, e.arg_index) for e in graph.arguments[cat.id]] == [("xs.0", 0), ("xs.1", 1)]
    assert {n.id for n in graph.nodes if n.kind == "output"} == {"output.values", "output.index"}


def test_a_detached_tensor_keeps_its_origin():
    graph = viz.trace(lambda x: (x * 2).detach() + 1, tl.ones(3, requires_grad=True))
    assert [(e.src, e.dst) for e in graph.edges] == [
        ("x", "mul.1"), ("detach.1", "add.1"), ("add.1", "output"), ("mul.1", "detach.1"),
    ]  # fmt: skip


def run_json(text, inputs):
    """Execute a graph from its JSON, as a reader in any language would."""
    graph = json.loads(text)
    into = {}
    for e in graph["edges"]:
        into.setdefault(e["dst"], []).append(e)
    values = {(name, 0): value for name, value in inputs.items()}
    for node in graph["nodes"]:
        arguments = sorted(into.get(node["id"], ()), key=lambda e: e["arg_index"])
        arrays = [values[e["src"], e["out_index"]] for e in arguments]
        if node["kind"] == "const":
            values[node["id"], 0] = np.array(decoded(node["value"]), node["dtype"]).reshape(node["shape"])
        elif node["kind"] == "output":
            values[node["id"], 0] = arrays[0]
        elif node["kind"] == "op":
            op = tl.OPS[node["op"]]
            words = {k: decoded(v) for k, v in node["attrs"].items()}
            if op.sequence:
                words[op.sequence] = arrays
            else:
                words |= {op.params[e["arg_index"]]: a for e, a in zip(arguments, arrays, strict=True)}
            given = [words.get(p, op.defaults.get(p)) for p in op.params]
            out = op.forward(*given)
            for i, y in enumerate(out if isinstance(out, tuple) else (out,)):
                values[node["id"], i] = y
    return {name: value for (name, _), value in values.items() if name.startswith("output")}


@pytest.mark.parametrize("name", ["CNN", "Residual", "Tied", "Shared"])
def test_the_json_graph_computes_the_same(nets, name):
    model = getattr(nets, name)()
    x = {"CNN": nets.image, "Residual": nets.x8, "Tied": nets.x6, "Shared": nets.x4}[name]
    text = viz.trace(model, x).to_json()
    inputs = {"x": x.array, "input": x.array, **{n: p.array for n, p in model.named_parameters()}}
    assert np.array_equal(run_json(text, inputs)["output"], model(x).array)


def test_the_json_graph_of_indexing_and_lists_computes_the_same():
    def f(x):
        y = tl.cat([x[1:, ::2], x[np.array([0, 2]), :2], x[None, 0, :2] * 3.5])
        return tl.where(y > 0, y, -y).sum(0), y.max(1)

    x = tl.tensor(np.arange(-6, 6, dtype=np.float32).reshape(3, 4))
    found = run_json(viz.trace(f, x).to_json(), {"x": x.array})
    total, (best, index) = f(x)
    assert np.array_equal(found["output.0"], total.array)
    assert np.array_equal(found["output.1.0"], best.array) and np.array_equal(found["output.1.1"], index.array)


def test_json_round_trip(nets):
    graph = viz.draw(nets.CNN(), nets.image, show=("value", "stats", "grad"))
    again = viz.Graph.from_json(graph.to_json())
    assert again.to_json() == graph.to_json() and again.nodes == graph.nodes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"), ("[]", "expected an object"),
        ('{"version": 9, "nodes": [], "edges": [], "calls": []}', "version 9"),
        ('{"version": 1, "nodes": [{"id": "a", "kind": "cat"}], "edges": [], "calls": []}', "kind 'cat'"),
        ('{"version": 1, "nodes": [], "edges": [{"src": "a", "dst": "b"}], "calls": []}', "not there"),
        ('{"version": 1, "nodes": [{"id": "a", "kind": "op", "time": ""}], "edges": [], "calls": []}', "time is ''"),
        ('{"version": 1, "nodes": [{"id": "a", "kind": "op", "flops": true}], "edges": [], "calls": []}', "flops is"),
        ('{"version": 1, "nodes": [{"id": 3, "kind": "op"}], "edges": [], "calls": []}', "id is 3"),
        ('{"version": 1, "nodes": [{"no": 1}], "edges": [], "calls": []}', "right form"),
    ],
)  # fmt: skip
def test_bad_json_says_what_is_wrong(text, words):
    with pytest.raises(ValueError, match=words):
        viz.Graph.from_json(text)


class Busy(nn.Module):
    """Changes everything a forward pass can change."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", tl.zeros(1))
        self.w = nn.Parameter(tl.ones(3))
        self.seen = 0

    def forward(self, x):
        self.seen += 1
        self.count.array += 1
        self.last = x
        return (x * self.w + tl.rand(3) * float(np.random.rand())).sum()  # noqa: NPY002


@pytest.mark.parametrize("graph", ["forward", "backward", "both"])
def test_a_run_restores_what_it_changed(graph):
    model, x = Busy(), tl.ones(3)
    model.w.grad = tl.tensor([1.0, 2.0, 3.0])
    tl.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = tl.rand(2).tolist(), np.random.rand()  # noqa: NPY002
    tl.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    mode, count = MODE.get(), model.count
    viz.draw(model, x, graph=graph, show=("grad", "stats", "value")).to_svg()
    assert (tl.rand(2).tolist(), np.random.rand()) == expected  # noqa: NPY002
    assert model.count is count and model.count.tolist() == [0.0] and model.seen == 0 and not hasattr(model, "last")
    assert model.w.grad.tolist() == [1.0, 2.0, 3.0] and MODE.get() is mode and model.training


def test_no_recorded_node_stays_alive():
    kept = []

    def f(x, w):
        y = x * w
        kept.append(weakref.ref(y.node))
        return y.sum()

    graph = viz.draw(f, tl.ones(3), tl.ones(3, requires_grad=True), graph="both", show="grad")
    gc.collect()
    assert kept[0]() is None and len(graph)


def test_an_error_in_the_model_propagates_and_restores_the_mode():
    mode = MODE.get()
    with pytest.raises(ZeroDivisionError):
        viz.draw(lambda x: x * (1 / 0), tl.ones(2))
    assert MODE.get() is mode


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: viz.draw(3), "expected a tensor, a module"), (lambda: viz.trace([1]), "expected a module"),
        (lambda: viz.draw(tl.ones(1), tl.ones(1)), "already computed"),
        (lambda: viz.draw(lambda: 3), "nothing that can"),
        (lambda: viz.draw(tl.ones(1), names=3), "names must map"),
        (lambda: viz.draw(tl.ones(1), names={"a": 1}), "names"),
    ],
)  # fmt: skip
def test_wrong_targets(call, words):
    with pytest.raises(TypeError, match=words):
        call()


@pytest.mark.parametrize(
    "wrong",
    [{"graph": "up"}, {"params": "x"}, {"show": ("shape", "colour")}, {"rankdir": "XY"}, {"theme": "pink"},
     {"depth": -1},
     {"engine": "paint"}, {"max_nodes": 0}, {"color_by": "mood"}, {"depth": 1.5}],
)  # fmt: skip
def test_wrong_arguments_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        viz.draw(lambda x: x * 2, tl.ones(2), **wrong)


def test_an_op_declared_by_a_user_is_drawn():
    @tl.op(x=lambda g: g * 3, kind="activation", label="triple", public=False, flops=lambda x_shape: 7 * x_shape[0])
    def thrice(x):
        return x * 3

    try:
        graph = viz.trace(thrice, tl.ones(5))
        assert graph["thrice.1"].flops == 35 and "triple" in graph.to_svg()
    finally:
        del tl.OPS["thrice"]


def test_sub_graphs_and_search(nets):
    graph = viz.trace(nets.CNN(), nets.image)
    assert [n.id for n in graph.find("linear")] == ["fc.weight", "fc.bias", "fc/linear.1"]
    part = graph.subgraph("fc", hops=1)
    assert {n.id for n in part.nodes} == {"fc.weight", "fc.bias", "fc/linear.1", "CNN/reshape.1", "output"}
    with pytest.raises(KeyError, match="conv/conv.1"):
        graph.subgraph("onv/conv.1")
    assert graph.totals()["parameters"] == 50 + 1810


def test_empty_and_zero_dimensional_values_are_drawn():
    assert "(0, 3)" in viz.draw(lambda x: x * 2, tl.zeros(0, 3), show=("shape", "stats", "grad")).to_svg()
    assert viz.draw(lambda x: x, tl.ones(2)).to_text().endswith("return x")
