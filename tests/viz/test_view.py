"""The view: folded parameters and repeats, depth, limits, modules of one op."""

import re
import warnings

import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, viz
from tinygrad_lite.viz.scene.building import view_of


def boxes(graph):
    scene = view_of(graph).visible()
    return [id for inside in scene.items.values() for kind, id in inside if id not in scene.items]


def links(graph):
    return sorted((link.src, link.dst, link.label) for link in view_of(graph).visible().links)


def lines(graph, id):
    return [text for text, _ in view_of(graph).boxes[id].lines]


def test_a_module_of_one_op_is_one_box_with_its_parameters(nets):
    graph = viz.draw(nets.CNN(), nets.image)
    assert lines(graph, "conv/conv.1") == [
        "conv: Conv2d",
        "kernel_size=3",
        "weight (5, 1, 3, 3)",
        "bias (5,)",
        "(4, 5, 6, 6)",
    ]
    assert boxes(graph) == ["x", "output", "conv/conv.1", "CNN/relu.1", "CNN/reshape.1", "fc/linear.1"]


def test_params_show_and_hide(nets):
    shown = viz.draw(nets.CNN(), nets.image, params="show")
    assert {"conv.weight", "conv.bias", "fc.weight", "fc.bias"} <= set(boxes(shown))
    hidden = viz.draw(nets.CNN(), nets.image, params="hide")
    assert not any("weight" in text for id in boxes(hidden) for text in lines(hidden, id))


def test_repeats_are_folded_and_keep_the_skip_edge(nets):
    graph = viz.draw(nets.Residual(), nets.x8)
    assert len(boxes(graph)) == 7
    assert [g.title for g in view_of(graph).groups.values() if g.kind == "repeat"] == ["0 … 59: Block × 60"]
    assert links(graph) == [
        ("blocks.0.act/relu.1", "blocks.0.down/linear.1", ""),
        ("blocks.0.down/linear.1", "blocks.0/add.1", "2"),
        ("blocks.0.up/linear.1", "blocks.0.act/relu.1", ""),
        ("blocks.0/add.1", "head/linear.1", ""),
        ("head/linear.1", "output", ""),
        ("x", "blocks.0.up/linear.1", ""),
        ("x", "blocks.0/add.1", "1"),
    ]
    assert len(boxes(graph.looking(fold_repeats=False, max_nodes=1000))) == 60 * 4 + 3


def test_different_modules_do_not_fold(nets):
    model = nets.Residual(blocks=6)
    model.blocks[3].act = nn.Tanh()
    titles = [g.title for g in view_of(viz.draw(model, nets.x8)).groups.values() if g.kind == "repeat"]
    assert titles == ["0 … 2: Block × 3", "4 … 5: Block × 2"]


def test_a_part_whose_result_is_used_elsewhere_is_not_folded(nets):
    class Collecting(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList([nets.Block(8) for _ in range(4)])

        def forward(self, x):
            seen = []
            for block in self.blocks:
                x = block(x)
                seen.append(x)
            return tl.cat(seen)

    graph = viz.draw(Collecting(), nets.x8)
    assert not [g for g in view_of(graph).groups.values() if g.kind == "repeat"]
    assert len([x for x in links(graph) if x[1].endswith("cat.1")]) == 4


def test_parts_with_their_own_numbers_do_not_fold(nets):
    assert len(boxes(viz.draw(nets.Residual(blocks=5), nets.x8, show=("shape", "stats")))) == 5 * 4 + 3


def test_unrolled_loops_fold(nets):
    def roll(x, w):
        h = x[0]
        for t in range(1, 20):
            h = (h @ w + x[t]).tanh()
        return h

    graph = viz.draw(roll, tl.ones(20, 2, 2), tl.ones(2, 2))
    assert len(boxes(graph)) < 12 and any("× 19" in g.title for g in view_of(graph).groups.values())


def test_depth_collapses_modules(nets):
    graph = viz.draw(nets.Residual(blocks=3), nets.x8, depth=1, fold_repeats=False)
    assert boxes(graph) == ["x", "output", "blocks", "head/linear.1"]
    assert [t for t, _ in view_of(graph).groups["blocks"].lines] == [
        "▸ blocks: Sequential",
        "12 ops",
        "840 parameters",
        "(2, 8)",
    ]
    assert boxes(graph.looking(depth=0)) == ["x", "Residual", "output"]
    assert boxes(graph.looking(depth=None).collapse("blocks.1")).count("blocks.1") == 1


def test_too_many_boxes_collapse_modules_with_one_warning(nets):
    graph = viz.draw(nets.Uneven(120), nets.x4)
    with pytest.warns(UserWarning, match="max_nodes=200") as caught:
        assert 0 < len(boxes(graph)) <= 200
        graph.to_svg()
        graph.to_html()
        graph.to_text()
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(boxes(graph.looking(max_nodes=1000))) == 242


def test_arguments_are_numbered_where_there_are_several(nets):
    assert links(viz.draw(lambda x: x * x, tl.ones(2))) == [
        ("mul.1", "output", ""),
        ("x", "mul.1", "1"),
        ("x", "mul.1", "2"),
    ]
    tied = links(viz.draw(nets.Tied(), nets.x6))
    assert ("enc.weight", "dec/linear.1", "2") in tied and ("enc.weight", "enc/linear.1", "2") in tied


def test_every_word_of_show_appears(nets):
    graph = viz.draw(
        nets.CNN(), nets.image,
        show=("shape", "dtype", "value", "grad", "stats", "attrs", "flops", "bytes", "time", "source", "saved"),
    )  # fmt: skip
    text = "\n".join(lines(graph, "conv/conv.1"))
    for word in ("(4, 5, 6, 6) f32", "|grad|", "mean", "13 kFLOP", "2.8 KiB", "saves", "conftest.py:"):
        assert word in text, word
    assert re.search(r"\d [µm]?s\n", text)
    assert "shape=(4, 180)" in lines(graph, "CNN/reshape.1")
    small = viz.draw(nets.Tied(), nets.x6, show="value")
    assert small["enc.weight"].value is not None and "value" in [r for _, r in view_of(small).boxes["enc.weight"].lines]


@pytest.mark.parametrize(
    "by", ["kind", "grad_norm", "update_ratio", "flops", "bytes", "time", "act_std", lambda n: n.numel]
)
def test_a_colour_by_number_shows_the_number_too(nets, by):
    svg = viz.draw(nets.CNN(), nets.image, color_by=by).to_svg()
    assert ("heat" in svg) == (by != "kind")
    if by != "kind":
        name = by if isinstance(by, str) else "lambda"
        # in the boxes, and in the legend
        assert len(re.findall(rf'<text class="note"[^>]*>{name} [^<]*</text>', svg)) > 3 and "…" in svg


def test_text_is_a_program(nets):
    text = viz.draw(nets.Residual(), nets.x8).to_text()
    assert text == "\n".join([
        "input x  (2, 8) f32",
        "Residual",
        "  blocks: Sequential",
        "    0 … 59: Block × 60",
        "      %1 = x, then %5",
        "      up: Linear",
        "        %2 = linear(%1)  [blocks.{0…59}.up.weight (16, 8) f32, blocks.{0…59}.up.bias (16,) f32]  (2, 16) f32",
        "      act: ReLU",
        "        %3 = relu(%2)  (2, 16) f32",
        "      down: Linear",
        "        %4 = linear(%3)  [blocks.{0…59}.down.weight (8, 16) f32, blocks.{0…59}.down.bias (8,) f32]  "
        "(2, 8) f32",
        "      %5 = add(%1, %4)  (2, 8) f32",
        "  head: Linear",
        "    %6 = linear(%5)  [head.weight (2, 8) f32, head.bias (2,) f32]  (2, 2) f32",
        "return %6",
    ])  # fmt: skip
