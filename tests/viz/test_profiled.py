"""Pictures with a profile: every number is the profile's, at the op where it was measured."""

import json
import re

import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, viz
from tinygrad_lite.profiler import FORWARD, MODULE, profile
from tinygrad_lite.viz.scene.building import view_of
from tinygrad_lite.viz.words import time_text

F = nn.functional


class Listed(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).tanh()
        return x


def trained(model, *inputs, steps=3):
    with profile() as p:
        for _ in range(steps):
            loss = model(*inputs).square().mean()
            loss.backward()
    return p, loss


def measured(graph):
    return {n.id: n.measured for n in graph.nodes if n.measured}


@pytest.mark.parametrize(
    ("net", "size", "times"), [("CNN", (4, 1, 8, 8), 1), ("Shared", (2, 4), 2), ("Listed", (2, 4), 1)]
)
def test_every_number_of_the_profile_is_in_the_picture(nets, net, size, times):
    model, x = getattr(nets, net, Listed)(), tl.randn(*size)
    p, _ = trained(model, x)
    graph = viz.draw(model, x, profile=p)
    found = measured(graph)
    assert set(found) == {n.id for n in graph.nodes if n.kind == "op"}
    whole = {row.name: row for row in p.by_module()}[type(model).__name__]
    for word in ("forward", "backward", "bytes"):
        # a module that is called twice shows the mean of both calls in both
        assert sum(getattr(m, word) * 3 for m in found.values()) == pytest.approx(getattr(whole, word))
    assert {m.calls for id, m in found.items() if times == 1 or "cell" in id} == {3 * times}
    assert all(graph[id].time == pytest.approx(m.forward + m.backward) and m.time > 0 for id, m in found.items())


def test_modules_in_a_list_have_their_own_paths(nets):
    p, _ = trained(Listed(), tl.ones(2, 4))
    paths = {e.module for e in p.events if e.phase == MODULE}
    assert paths == {"Listed", "Listed.layers.0", "Listed.layers.1", "Listed.layers.2"}


def test_a_recorded_loss_is_exact(nets):
    net, x = nets.Tied(), nets.x6
    p, loss = trained(net, x)
    steps = {}
    for e in p.events:
        if e.step:
            steps.setdefault(e.step, []).append(e)
    graph = viz.draw(loss, profile=p)
    ops = [n for n in graph.nodes if n.kind == "op"]
    last = [e for e in p.events if e.phase == FORWARD][-len(ops) :]
    assert [n.op for n in ops] == [e.name for e in last]
    for node, e in zip(ops, last, strict=True):
        assert node.measured.calls == 1 and node.measured.forward == e.seconds
        assert node.measured.backward == sum(b.seconds for b in steps[e.step] if b.phase == "backward") > 0


def test_two_modules_of_one_class_are_not_mixed():
    a, b, x = nn.Sequential(nn.Linear(3, 3)), nn.Sequential(nn.Linear(3, 3)), tl.ones(2, 3)
    with profile() as p:
        for _ in range(2):
            b(a(x))
        b(x)
    calls = [measured(viz.draw(net, x, profile=p))["0/linear.1"].calls for net in (a, b)]
    assert calls == [2, 3]
    assert [row.calls for row in sorted(p.by_module()) if "~" in row.name] == [3, 3]


def test_an_op_without_measurements_has_no_number_and_is_named():
    net, x = nn.Linear(3, 2), tl.ones(5, 3)
    p, _ = trained(net, x)
    graph = viz.draw(lambda x: net(x).exp(), x[:1], profile=p, color_by="time", show=("shape", "time"))
    assert set(measured(graph)) == {"Linear/linear.1"}
    assert graph["exp.1"].time is None and "time" not in "".join(t for t, _ in view_of(graph).boxes["exp.1"].lines)
    assert "means of 3 calls" in graph.notes[0] and "1 of 2 ops (exp.1)" in graph.notes[1]
    assert "(1, 2) here, was (5, 2)" in graph.notes[2] and "(5, 2)" in graph.to_svg()


def test_ops_outside_of_modules_are_matched_by_their_order():
    net, x, y = nn.Linear(3, 2), tl.ones(5, 3), tl.zeros(5, 2)
    with profile() as p:
        for _ in range(4):
            F.mse_loss(net(x), y).backward()
    graph = viz.draw(lambda x: F.mse_loss(net(x), y), x, profile=p)
    assert {m.calls for m in measured(graph).values()} == {4}
    other = viz.draw(lambda x: F.mse_loss(net(x).exp(), y), x, profile=p)
    assert set(measured(other)) == {"Linear/linear.1"}  # a different program: its loss was not measured


@pytest.mark.parametrize("graph", ["both", "backward"])
def test_the_backward_pass_has_its_own_time(nets, graph):
    net = nets.CNN()
    p, _ = trained(net, nets.image)
    plain, both = viz.draw(net, nets.image, profile=p), viz.draw(net, nets.image, profile=p, graph=graph)
    for id, m in measured(plain).items():
        assert both[f"{id}.grad"].time == both[f"{id}.grad"].measured.time == m.backward
        if graph == "both":
            assert both[id].time == both[id].measured.time == m.forward


@pytest.mark.parametrize("by", ["time", "forward", "backward", "calls", "bytes"])
def test_every_format_has_colours_numbers_and_units(nets, by):
    net = nets.CNN()
    p, _ = trained(net, nets.image)
    graph = viz.draw(net, nets.image, profile=p, color_by=by)
    unit = {"calls": r"\d", "bytes": r"[\d.]+ (B|KiB)"}.get(by, r"[\d.]+ [µm]s")
    for text in (graph.to_svg(), graph.to_html(), graph.to_dot(), graph.to_mermaid()):
        assert re.search(rf"{by} {unit}", text), text[:2000]
    assert re.search(rf'<text class="note"[^>]*>{by} {unit}[^<]* … {unit}', graph.to_svg())
    assert re.search(rf"conv2d\(.*  {by} {unit}", graph.to_text())
    assert "heat" in graph.to_svg() and "#f" in graph.to_dot() and "classDef heat" in graph.to_mermaid()
    tip = re.search(r"<title>(conv/conv\.1.*?)</title>", graph.to_svg(), re.DOTALL)[1]
    assert re.search(r"forward [\d.]+ [µm]s, backward [\d.]+ [µm]s, together", tip) and "mean of 3 calls" in tip


def test_a_collapsed_module_has_the_sum(nets):
    net = nn.Sequential(nets.CNN(), nn.Linear(10, 2))
    p, _ = trained(net, nets.image)
    graph = viz.draw(net, nets.image, profile=p, color_by="time", depth=1)
    inside = sum(m.time for id, m in measured(graph).items() if id.startswith("0"))
    assert [t for t, _ in view_of(graph).groups["0"].lines if t.startswith("time")] == [f"time {time_text(inside)}"]
    svg = graph.to_svg()
    assert len(re.findall(r'<g class="box closed heat\d"', svg)) == 1
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', graph.to_html(), re.DOTALL)[1])
    assert [g[-1][:4] for g in data["groups"] if g[0] == "0"] == ["heat"]


def test_json_keeps_what_was_measured(nets):
    net = nets.CNN()
    p, _ = trained(net, nets.image)
    graph = viz.draw(net, nets.image, profile=p)
    again = viz.Graph.from_json(graph.to_json())
    assert measured(again) == measured(graph) != {}
    assert "backward" in viz.draw(again, color_by="backward").to_svg()


def test_wrong_profiles():
    net, x = nn.Linear(3, 2), tl.ones(5, 3)
    p, loss = trained(net, x)
    other = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    with pytest.raises(ValueError, match=r"measured none of the 2 ops in this picture \(it saw Linear\)"):
        viz.draw(other, x, profile=p)
    with pytest.raises(ValueError, match="it saw nothing"):
        viz.draw(net, x, profile=profile())
    with pytest.raises(ValueError, match="measured none of the 3 ops"):
        viz.draw(net(x).square().mean(), profile=p)
    with pytest.raises(TypeError, match="must be a tinygrad_lite.profiler.profile, got "):
        viz.draw(net, x, profile=p.table())
    with pytest.raises(TypeError, match="profile belongs to"):
        viz.draw(viz.draw(net, x), profile=p)
    for by in ("calls", "forward", "backward"):
        with pytest.raises(ValueError, match="needs a profile"):
            viz.draw(net, x, color_by=by)


def test_drawing_changes_neither_profile_nor_model(nets):
    net = nets.CNN()
    p, _ = trained(net, nets.image)
    events, grads = list(p.events), [q.grad.array.copy() for q in net.parameters()]
    viz.draw(net, nets.image, profile=p, color_by="time", graph="both").to_svg()
    assert p.events == events
    assert all((a == q.grad.array).all() for a, q in zip(grads, net.parameters(), strict=True))
