"""Gradients in pictures: values, the backward pass as a graph, and marks."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import viz
from tinygrad_lite.viz.scene.building import view_of


def test_gradients_are_those_of_backward(nets):
    model = nets.Tied()
    graph = viz.draw(model, nets.x6, show="grad")
    model(nets.x6).sum().backward()
    for name, p in model.named_parameters():
        assert np.allclose(graph[name].grad, p.grad.array, rtol=1e-5)
        assert graph[name].stats["grad_norm"] == pytest.approx(np.linalg.norm(p.grad.array), rel=1e-5)
    assert graph.notes == ("gradients are those of the sum of all outputs",)


def test_the_backward_pass_is_its_own_graph(nets):
    graph = viz.draw(nets.CNN(), nets.image, graph="backward")
    assert {n.kind for n in graph.nodes} == {"grad"}
    assert [(e.src, e.dst) for e in graph.edges] == [
        ("output.grad", "fc/linear.1.grad"), ("fc/linear.1.grad", "CNN/reshape.1.grad"),
        ("fc/linear.1.grad", "fc.weight.grad"), ("fc/linear.1.grad", "fc.bias.grad"),
        ("CNN/reshape.1.grad", "CNN/relu.1.grad"), ("CNN/relu.1.grad", "conv/conv.1.grad"),
        ("conv/conv.1.grad", "conv.weight.grad"), ("conv/conv.1.grad", "conv.bias.grad"),
    ]  # fmt: skip
    assert graph["conv.weight.grad"].shape == (5, 1, 3, 3)


def test_both_shows_what_is_saved_for_backward(nets):
    graph = viz.draw(nets.CNN(), nets.image, graph="both")
    kept = {(e.src, e.dst) for e in graph.edges if e.dst.endswith(".grad") and not e.src.endswith(".grad")}
    assert ("x", "conv/conv.1.grad") in kept and ("CNN/reshape.1", "fc/linear.1.grad") in kept
    # shapes are not values: reshape keeps nothing
    assert not [pair for pair in kept if pair[1] == "CNN/reshape.1.grad"]
    assert 'class="edge saved"' in graph.to_svg() and "-.->" in graph.to_mermaid()


def test_frozen_parameters_have_no_gradient_node(nets):
    model = nets.CNN()
    model.conv.requires_grad_(False)
    ids = {n.id for n in viz.draw(model, nets.image, graph="backward").nodes}
    assert "fc.weight.grad" in ids and not any("conv" in id or "relu" in id for id in ids)
    assert "frozen" in viz.draw(model, nets.image).to_svg()


def test_backward_of_equal_blocks_folds(nets):
    graph = viz.draw(nets.Residual(), nets.x8, graph="both")
    assert [g.repeat for g in view_of(graph).groups.values() if g.kind == "repeat"] == [60]
    scene = view_of(graph).visible()
    assert "blocks.0/add.1.grad" in scene.twins and len(scene.twins) == 4 + 2
    alone = viz.draw(nets.Residual(), nets.x8, graph="backward")
    assert [g.repeat for g in view_of(alone).groups.values() if g.kind == "repeat"] == [58]


def marks(graph):
    return {n.id: n.marks for n in graph.nodes if n.marks}


def test_vanishing_gradients_are_marked(nets):
    found = marks(viz.draw(nets.Deep(24), nets.x8, show="grad"))
    assert found and all("vanishing" in m for ms in found.values() for m in ms)
    assert "layers.0.weight" in found and "layers.23.weight" not in found


def test_exploding_gradients_are_marked(nets):
    found = marks(viz.draw(nets.Deep(30, scale=5.0), nets.x8, show="grad"))
    assert any("exploding" in m for m in found["layers.0.weight"])
    # next to the others the gradient of the output is tiny, but it is 1
    assert not any("exploding" in m for m in found["Deep/mean.1"])


def test_healthy_gradients_are_not_marked(nets):
    assert marks(viz.draw(nets.CNN(), nets.image, show="grad")) == {}


def test_the_first_nan_is_marked_with_its_line():
    def f(x):
        y = x - 5
        return (y.log() * 2).exp().sum()

    with np.errstate(all="ignore"):
        graph = viz.draw(f, tl.ones(3))
    assert marks(graph) == {"log.1": ("first NaN",)}
    assert "✖ first NaN at tests/viz/test_gradients.py" in graph.to_svg() or "first NaN at" in graph.to_svg()
    assert 'class="box elementwise marked"' in graph.to_svg() and "✖ first NaN" in graph.to_text()


def test_the_first_infinity_and_a_nan_in_the_data():
    with np.errstate(all="ignore"):
        assert marks(viz.draw(lambda x: 1 / x, tl.zeros(2))) == {"div.1": ("first inf",)}
    assert marks(viz.draw(lambda x: x * 2, tl.tensor([np.nan, 1.0]))) == {"x": ("first NaN",)}


def test_infinities_that_were_written_down_are_no_trouble():
    allowed = tl.tril(tl.ones(3, 3)) == 1
    mask = tl.full((3, 3), -np.inf).triu(1)

    def masked(x):
        return x.masked_fill(~allowed, -np.inf).softmax(-1).sum()

    assert marks(viz.draw(masked, tl.ones(3, 3))) == {}
    assert marks(viz.draw(lambda x: (x + mask).softmax(-1), tl.ones(3, 3))) == {}
    assert marks(viz.draw(lambda x: tl.where(allowed, x, -np.inf) * 2, tl.ones(3, 3))) == {}
    with np.errstate(all="ignore"):
        assert marks(viz.draw(lambda x: (x / 0 + 1).masked_fill(~allowed, -np.inf), tl.ones(3, 3))) == {
            "div.1": ("first inf",)
        }
        rows = tl.full((3, 3), -np.inf)  # nothing is left of a row
        assert marks(viz.draw(lambda x: (x + rows).softmax(-1), tl.ones(3, 3))) == {"softmax.1": ("first NaN",)}
    assert marks(viz.draw(lambda x: x * 2, tl.tensor([np.inf, 1.0]))) == {"x": ("first inf",)}


def test_the_rule_that_makes_the_first_infinite_gradient_is_marked():
    x = tl.tensor([0.0, 1.0], requires_grad=True)
    graph = viz.draw(((x.sqrt() + 1) * 2).sum(), show="grad")
    assert "first inf gradient made here" in graph["sqrt.1"].marks and "gradient is not finite" in graph["x"].marks


def test_a_note_says_that_nothing_requires_gradients():
    assert viz.draw(lambda x: x * 2, tl.ones(2), show="grad").notes == ("no gradients: nothing here requires them",)
