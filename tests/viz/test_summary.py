"""The summary table, and one small network in every format."""

import json

import tinygrad_lite as tl
from tinygrad_lite import nn, viz


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 5, 3)
        self.fc = nn.Linear(180, 10)

    def forward(self, x):
        return self.fc(self.conv(x).relu().flatten(1))


def test_summary_agrees_with_a_count_by_hand():
    table = viz.summary(Net(), tl.ones(4, 1, 8, 8))
    assert [(r.name, r.shape, r.parameters) for r in table.rows] == [
        ("Net", (4, 10), 50 + 1810),
        ("conv: Conv2d", (4, 5, 6, 6), 50),
        ("fc: Linear", (4, 10), 1810),
    ]
    assert table.rows[1].flops == 2 * 9 * 4 * 5 * 36
    assert table.totals["parameters"] == 1860


def test_every_format_is_written(tmp_path):
    graph = viz.draw(Net(), tl.ones(4, 1, 8, 8))
    for suffix in ("svg", "html", "json", "txt", "dot"):
        assert graph.save(tmp_path / f"g.{suffix}").stat().st_size > 100
    assert viz.Graph.from_json((tmp_path / "g.json").read_text("utf-8")).to_svg() == graph.to_svg()
    assert {n["id"] for n in json.loads(graph.to_json())["nodes"]} >= {"x", "conv.weight", "conv/conv.1", "output"}


def test_summary_shows_modules_without_ops():
    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(), nn.ReLU(), nn.Identity()).eval()
    table = viz.summary(model, tl.ones(2, 4))
    assert [r.name for r in table.rows] == ["Sequential", "0: Linear", "1: Dropout", "2: ReLU", "3: Identity"]
    assert {r.shape for r in table.rows} == {(2, 3)} and [r.depth for r in table.rows] == [0, 1, 1, 1, 1]
