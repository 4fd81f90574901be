"""What is drawn by default: one box per layer of the library, with its settings; both passes side by side."""

import pytest

import tinygrad_lite as tl
from tests.viz.models import BasicBlock, module, rand
from tinygrad_lite import nn, viz
from tinygrad_lite.viz.layout.place import place
from tinygrad_lite.viz.scene.building import view_of


def small_cnn():
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(144, 10),
    )  # fmt: skip
    return layers, (rand(2, 3, 16, 16),)


def lstm_model():
    def forward(self, x):
        _, (h, _) = self.lstm(self.emb(x))
        return self.fc(h[-1])

    model = module(forward, emb=nn.Embedding(9, 4), lstm=nn.LSTM(4, 6, num_layers=2), fc=nn.Linear(6, 2))
    return model, (tl.zeros(5, 2, dtype=tl.int64),)


def encoder():
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 4), (rand(2, 5, 16),)


def words(graph):
    scene = view_of(graph).visible()
    shown = [i for inside in scene.items.values() for k, i in inside if not (k == "group" and i in scene.items)]
    return [[text for text, _ in scene.part(id).lines] for id in shown]


@pytest.mark.parametrize(
    ("make", "most", "said"),
    [  # the number of boxes of torchview 0.2.7 for the same model
        (small_cnn, 15, ["kernel_size=3 padding=1", "kernel_size=3 stride=2", "p=0.3", "kernel_size=2"]),
        (lambda: (BasicBlock(8, 8), (rand(2, 8, 8, 8),)), 11, ["kernel_size=3 padding=1 bias=False"]),
        (lstm_model, 6, ["input_size=4 hidden_size=6", "num_layers=2", "0 (5, 2, 6)", "1.0 (2, 2, 6)"]),
        (encoder, 54, ["embed_dim=16 num_heads=4", "p=0.1"]),
    ],
)  # fmt: skip
def test_one_box_per_layer_with_its_settings(make, most, said):
    model, inputs = make()
    found = words(viz.draw(model, *inputs))
    assert len(found) <= most
    assert set(said) <= {text for lines in found for text in lines}, found
    # every layer opens on request
    assert len(words(viz.draw(model, *inputs, depth=9))) >= len(found)


def test_layers_that_are_one_box():
    x = rand(2, 4, 8, 8)
    for layer in (nn.BatchNorm2d(4), nn.ConvTranspose2d(4, 2, 3, stride=2), nn.InstanceNorm2d(4, affine=True),
                  nn.Dropout2d(0.2), nn.Upsample(scale_factor=2), nn.GroupNorm(2, 4), nn.LPPool2d(2, 2)):  # fmt: skip
        lines = words(viz.draw(nn.Sequential(layer), x))
        heads = sorted(box[0] for box in lines)
        assert heads == [f"0: {type(layer).__name__}", "input", "output"], lines
    graph = viz.draw(nn.Sequential(nn.ConvTranspose2d(4, 2, 3, stride=2)), x)
    assert "kernel_size=3 stride=2" in [text for box in words(graph) for text in box]


@pytest.mark.parametrize("make", [lambda: (BasicBlock(8, 8), (rand(2, 8, 8, 8),)), encoder])
@pytest.mark.parametrize("rankdir", ["TB", "LR", "BT", "RL"])
def test_both_passes_side_by_side(make, rankdir):
    model, inputs = make()
    inputs[0].requires_grad_()
    graph = viz.draw(model, *inputs, graph="both", rankdir=rankdir)
    scene = view_of(graph).visible()
    picture = place(scene)
    rects = {r.id: r for r in picture.boxes}
    assert len(rects) == len(picture.boxes) == 2 * len(scene.twins)
    middles = {(r.y + r.h / 2 if picture.sideways else r.x + r.w / 2) for r in picture.boxes}
    for id, twin in scene.twins.items():
        one, two = rects[id.removesuffix(".grad")], rects[twin.id]
        # in one row (or column), the gradient to the right (or below)
        if picture.sideways:
            assert (one.x, one.w) == (two.x, two.w) and one.y + one.h < two.y
        else:
            assert (one.y, one.h) == (two.y, two.h) and one.x + one.w < two.x
    assert middles and max(picture.w, picture.h) < 2500
    # every value has its edge, every gradient runs against one
    forward = {(k.src, k.dst) for k in scene.links if k.style != "grad"}
    assert {(k.src, k.dst) for k in scene.links if k.style == "grad"} <= forward
    sign = 1 if rankdir in ("BT", "RL") else -1
    for path in picture.paths:
        along = [y for _, a, b in path.strokes for y in (a, b)]
        back = sign if scene.links[path.link].style == "grad" else -sign
        assert all(back * p <= back * q + 0.05 for p, q in zip(along, along[1:], strict=False))


def test_the_box_of_a_rule_names_what_it_uses():
    layer = nn.Linear(3, 2)
    text = {lines[0]: lines for lines in words(viz.draw(layer, rand(4, 3), graph="backward"))}
    assert "∂ Linear" in text
    scene = view_of(viz.draw(layer, rand(4, 3), graph="both")).visible()
    assert "uses input" in [text for text, _ in scene.twins["Linear/linear.1.grad"].lines]
    x = rand(4, 3)
    x.requires_grad_()
    scene = view_of(viz.draw(layer, x, graph="both")).visible()
    assert "uses weight, input" in [text for text, _ in scene.twins["Linear/linear.1.grad"].lines]


def test_large_values_are_shortened_and_marked():
    svg = viz.draw(lambda x: x * 2, rand(20, 20), show="value").to_svg()
    assert "first 12 × 12 of 20 × 20" in svg
    assert "2,500 values, not shown" in viz.draw(lambda x: x * 2, rand(50, 50), show="value").to_svg()


def test_parameters_shared_by_calls_are_listed_in_neither():
    cell = nn.LSTMCell(4, 6)

    def unrolled(series):
        h, c = tl.zeros(1, 6), tl.zeros(1, 6)
        for t in range(3):
            h, c = cell(series[t], (h, c))
        return h

    found = words(viz.draw(unrolled, rand(3, 1, 4), names=cell, fold_repeats=False))
    assert sum(box[0] == "weight_ih" for box in found) == 1
    assert all("weight_ih (24, 4)" not in box for box in found)


def test_a_backward_pass_of_nothing_is_drawn_in_every_format():
    graph = viz.draw(lambda x: x * 2, rand(3), graph="backward")
    assert len(graph) == 0 and "requires" in graph.notes[0]
    for form in (graph.to_svg, graph.to_html, graph.to_text, graph.to_dot, graph.to_mermaid, graph.to_json):
        assert form() is not None
