"""`viz.draw` of a compiled step: its calls in sections, and formats that can be written."""

from __future__ import annotations

import gc

import pytest

import tinygrad_lite as tl
from tests.compiled.test_training import data, step_of
from tinygrad_lite import nn, viz
from tinygrad_lite.compiled import compile


def test_a_step(tmp_path):
    """Forward, backward and update are groups; parameters feed all three."""
    m = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    step = compile(step_of(m, nn.MSELoss(), tl.optim.SGD(m.parameters(), lr=0.1)), fullgraph=True)
    with pytest.raises(RuntimeError, match="no program yet"):
        viz.draw(step)
    graph = viz.draw(step, data(4, 2), data(4, 1), max_nodes=300)
    assert [c.id for c in graph.calls if not c.parent] == ["forward", "backward", "update"]
    assert {n.kind for n in graph.nodes} == {"input", "param", "op", "output"}
    assert sum(n.kind == "param" for n in graph.nodes) == 4
    assert {e.dst.partition(".")[0] for e in graph.edges if e.src == "m_2_weight"} == {"forward", "backward", "update"}
    sources = {n.source for n in graph.nodes if n.source}
    assert "tanh = np.tanh(linear_1)" in sources and all(line in step.source for line in sources)
    memory = [n.attrs["memory"] for n in graph.nodes if n.kind == "op"]
    assert graph.look.title == "compiled step" and viz.draw(step, title="mine").look.title == "mine"
    assert len(set(memory)) < len(memory) and {"m_0_weight", "m_2_bias"} < set(memory)  # shared, and in place
    text = str(graph)
    assert "dot(x, m_0_weight" in text
    for suffix in ("svg", "html", "json", "dot", "mmd"):
        graph.save(tmp_path / f"step.{suffix}")
        assert (tmp_path / f"step.{suffix}").stat().st_size > 1000


def test_a_module():
    """Without arguments the programs are drawn, with arguments the module as written."""
    m = compile(nn.Sequential(nn.Linear(2, 3), nn.Tanh()), fullgraph=True)
    for i in range(3):
        m(data(4, 2, seed=i)).sum().backward()
    graph = viz.draw(m)
    assert [c.id for c in graph.calls if not c.parent] == ["forward", "backward"]
    assert {n.id for n in graph.nodes if n.kind == "output"} == {"result", "gradient of 0.weight", "gradient of 0.bias"}
    assert "linear" in str(viz.draw(m, data(4, 2)))


def test_a_collection_inside_the_recording_is_no_effect_of_the_step():
    counted = []

    def collecting(phase, info):
        counted.append(phase)

    m = nn.Linear(2, 1)
    step = compile(step_of(m, nn.MSELoss(), tl.optim.SGD(m.parameters(), lr=0.1)), fullgraph=True)
    limits = gc.get_threshold()
    gc.callbacks.append(collecting)
    gc.set_threshold(1, 1, 1)
    try:
        for _ in range(3):
            step(data(4, 2), data(4, 1))
    finally:
        gc.set_threshold(*limits)
        gc.callbacks.remove(collecting)
    assert counted and "backward" in step.source


def test_fused_loops():
    """Calls of one loop have its number, and what stays in registers lies in no block."""
    pytest.importorskip("llvmlite")
    m = compile(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), backend="native")
    for _ in range(3):
        m(data(5, 3)).sum().backward()
    attrs = {n.op: n.attrs for n in viz.draw(m).nodes if n.kind == "op" and n.op in ("add", "tanh")}
    assert attrs["add"]["memory"] != "register" or attrs["tanh"]["loop"] == attrs["add"]["loop"]
    text = viz.draw(m).to_text()
    assert "memory=register" in text and "loop=" in text
