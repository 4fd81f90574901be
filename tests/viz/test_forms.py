"""The formats: the same bytes everywhere, and names that are escaped."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from html.parser import HTMLParser

import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, viz
from tinygrad_lite.errors import MissingExtra

EVIL = [
    "</script><img src=x onerror=alert(1)>",
    "\"|{}<>&'\\",
    "\\N\\G\\l%s ]]> --> */",
    "new\nline\x00\x1b[31m",
    "𝔘ñí 数 é",
]
FORMS = ("svg", "html", "txt", "json", "dot", "mmd")


def evil_graph(text):
    node = viz.GraphNode(text + " x", "input", label=text, shape=(2,))
    op = viz.GraphNode(
        text + "/op", "op", op=text, label=text, attrs={text: text}, call=text, source=text, marks=(text,)
    )
    alone = viz.GraphNode(text + "/b", "op", op=text, label=text, call=text)
    out = viz.GraphNode("output", "output", label=text)
    edges = [viz.GraphEdge(node.id, op.id), viz.GraphEdge(op.id, alone.id), viz.GraphEdge(alone.id, "output")]
    look = viz.draw(viz.Graph([], []), title=text, show=("shape", "attrs", "source")).look
    return viz.Graph([node, op, alone, out], edges, [viz.GraphCall(text, text)], look, (text,))


class Tags(HTMLParser):
    """Collects every tag and attribute of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.words = set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.words |= {name for name, _ in attrs}


@pytest.mark.parametrize("text", EVIL)
def test_names_are_inert_in_every_format(text, tmp_path):
    graph = evil_graph(text)
    plain = evil_graph("name")
    for form in FORMS:
        graph.save(tmp_path / f"g.{form}")
    svg = xml.fromstring(graph.to_svg())  # well-formed
    assert {e.tag.rpartition("}")[2] for e in svg.iter()} == {
        e.tag.rpartition("}")[2] for e in xml.fromstring(plain.to_svg()).iter()
    }
    if text.isprintable():
        assert text in {"".join(e.itertext()) for e in svg.iter()}
    pages = []
    for g in (graph, plain):
        tags = Tags()
        tags.feed(g.to_html())
        pages.append((tags.tags, tags.words))
    assert pages[0] == pages[1]
    data = re.search(r'<script id="data" type="application/json">(.*?)</script>', graph.to_html(), re.S)
    assert "<" not in data[1] and json.loads(data[1])["boxes"]
    assert viz.Graph.from_json(graph.to_json()).nodes == graph.nodes
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", graph.to_text())
    mermaid = graph.to_mermaid()
    assert "<img" not in mermaid and mermaid.count("\n") == plain.to_mermaid().count("\n")
    assert len(re.findall(r"^\t*n\d+ \[", graph.to_dot(), re.M)) == 4
    assert graph.to_dot().count("\n") == plain.to_dot().count("\n")


PROGRAM = """
import hashlib, sys
import numpy as np
import tinygrad_lite as tl
from tinygrad_lite import nn, viz
tl.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 4))
for kind in ("forward", "both"):
    graph = viz.draw(model, tl.ones(2, 1, 8, 8), graph=kind, show=("shape", "attrs", "flops", "grad", "stats"))
    for form in (graph.to_svg, graph.to_html, graph.to_text, graph.to_json, graph.to_dot, graph.to_mermaid):
        print(form.__name__, hashlib.sha256(form().encode()).hexdigest())
"""


def run(program, **env):
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONHASHSEED", "PATH")}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**clean, "PATH": "", **env}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_processes_write_the_same_bytes_with_an_empty_path():
    one, two = run(PROGRAM, PYTHONHASHSEED="1"), run(PROGRAM, PYTHONHASHSEED="2")
    assert one == two and one.count("\n") == 12


def test_without_dot_the_built_in_layout_draws(monkeypatch, nets):
    monkeypatch.setenv("PATH", "")
    graph = viz.draw(nets.CNN(), nets.image)
    assert graph.looking(engine="graphviz").to_svg() == graph.to_svg()


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for dot is a shell script")
def test_dot_draws_on_request_within_its_limits(monkeypatch, nets, tmp_path):
    from tinygrad_lite.viz.formats import dot

    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\n[ -n "$SLOW" ] && exec /bin/sleep 20\necho "drawn $1"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    graph = viz.draw(nets.CNN(), nets.image)
    wanted = graph.looking(engine="graphviz")
    assert wanted.to_svg() == "drawn -Tsvg\n" and wanted.to_png() == b"drawn -Tpng\n"
    assert graph.to_svg().startswith("<svg"), "the built-in picture is the same on every machine"
    monkeypatch.setattr(dot, "SECONDS", 0.2)
    monkeypatch.setenv("SLOW", "1")
    assert wanted.to_svg() == graph.to_svg()
    monkeypatch.setattr(dot, "MOST", 3)
    monkeypatch.delenv("SLOW")
    assert wanted.to_svg() == graph.to_svg()


def test_a_missing_extra_is_named(monkeypatch, nets):
    monkeypatch.setenv("PATH", "")
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg", "resvg_py"):
        monkeypatch.setitem(sys.modules, name, None)
    graph = viz.draw(nets.CNN(), nets.image)
    for form in (graph.to_png, graph.to_pdf):
        with pytest.raises(MissingExtra, match=r"tinygrad_lite\[image\]"):
            form()


def test_png_and_pdf_with_matplotlib(nets, tmp_path):
    pytest.importorskip("matplotlib")
    graph = viz.draw(nets.Residual(), nets.x8, title="$not mathematics$ _{x}")
    png, pdf = graph.save(tmp_path / "g.png"), graph.save(tmp_path / "g.pdf")
    assert png.read_bytes().startswith(b"\x89PNG") and pdf.read_bytes().startswith(b"%PDF")
    assert graph.to_png() == png.read_bytes()
    assert viz.draw(nets.CNN(), nets.image, theme="dark", rankdir="LR").to_png() != png.read_bytes()


def test_save_names_the_known_formats_and_leaves_no_file_behind(nets, tmp_path):
    graph = viz.draw(nets.CNN(), nets.image)
    with pytest.raises(ValueError, match=r"\.svg.*\.png"):
        graph.save(tmp_path / "g.bmp")
    with pytest.raises(OSError):
        graph.save(tmp_path / "missing" / "g.svg")
    assert list(tmp_path.iterdir()) == []


def test_notebooks_get_the_picture(nets):
    graph = viz.draw(nets.CNN(), nets.image)
    bundle = graph._repr_mimebundle_()
    assert bundle["image/svg+xml"] == graph._repr_svg_() and bundle["text/plain"] == graph.to_text()
    # on the ground of the notebook, whatever the system prefers
    assert "prefers-color-scheme" not in graph._repr_svg_() and ".back{fill:none}" in graph._repr_svg_()
    assert graph.looking(theme="dark")._repr_svg_() == graph.looking(theme="dark").to_svg()


def test_themes(nets):
    graph = viz.draw(nets.CNN(), nets.image)
    assert "prefers-color-scheme:dark" in graph.to_svg() and "prefers-color-scheme:dark" in graph.to_html()
    for theme in ("light", "dark"):
        assert "prefers-color-scheme" not in graph.looking(theme=theme).to_svg()
    # the style sheet of one picture touches nothing else on a page
    style = re.search(r"<style>(.*?)</style>", graph.to_svg())[1].replace("@media(prefers-color-scheme:dark){", "")
    for rule in re.findall(r"([^{}]+)\{", style):
        assert all(s.startswith(".tinygrad-lite ") for s in rule.split(",")), rule


def test_networkx_has_every_field(nets):
    pytest.importorskip("networkx")
    graph = viz.trace(lambda x: x * x, tl.ones(2))
    net = graph.to_networkx()
    assert net.number_of_edges("x", "mul.1") == 2 and net.nodes["mul.1"]["op"] == "mul"
    assert sorted(d["arg_index"] for _, _, d in net.edges("x", data=True)) == [0, 1]


def test_differences(nets):
    one = viz.trace(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), nets.x4)
    two = viz.trace(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Tanh(), nn.Linear(5, 2)), nets.x4)
    found = viz.diff(one, two)
    assert (
        "2/tanh.1" in found.added
        and "0/linear.1" in found.changed
        and found.changed["0/linear.1"]["shape"] == ((2, 3), (2, 5))
    )
    assert not viz.diff(one, one) and str(viz.diff(one, one)) == "no difference"
    svg = found.graph.to_svg()
    assert "+ added" in svg and "~ changed" in svg
    back = viz.diff(two, one)
    assert "2/tanh.1" in back.removed and "− removed" in back.graph.to_svg()
    with pytest.raises(TypeError, match="two Graphs"):
        viz.diff(one, 3)


def test_recorder(nets, tmp_path):
    model = nets.Residual(blocks=3)
    recorder = viz.Recorder(model, every=2)
    optimiser = tl.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        optimiser.zero_grad()
        loss = (model(nets.x8) ** 2).mean()
        loss.backward()
        recorder.step(loss)
        optimiser.step()
    assert [s.number for s in recorder.steps] == [1, 3, 5] and recorder.steps[0].update_ratio == {}
    assert all(r > 0 for r in recorder.steps[1].update_ratio.values())
    page = recorder.save_html(tmp_path / "replay.html").read_text("utf-8")
    data = json.loads(re.search(r'type="application/json">(.*?)</script>', page, re.S)[1])
    assert [s["title"].split(",")[0] for s in data["replay"]["steps"]] == ["step 1", "step 3", "step 5"]
    assert data["replay"]["steps"][0]["heat"]["head/linear.1"][1].startswith("|grad| ")
    assert "<iframe" in recorder._repr_html_() and "<script" not in recorder._repr_html_()
    for wrong in (lambda: viz.Recorder(3), lambda: viz.Recorder(model, every=0), lambda: viz.Recorder(model).step(1.0)):
        with pytest.raises((TypeError, ValueError, RuntimeError), match="Recorder"):
            wrong()


def test_the_recorder_keeps_the_last_step(nets):
    model = nets.Residual(blocks=1)
    recorder = viz.Recorder(model, every=4)
    for k in range(7):
        model.zero_grad()
        loss = (model(nets.x8) ** 2).mean() * (k + 1)
        loss.backward()
        recorder.step(loss)
        assert recorder.steps[-1].number == k + 1
        assert recorder.steps[-1].loss == pytest.approx(loss.item())
    assert [s.number for s in recorder.steps] == [1, 5, 7] and "step 7, loss" in recorder.to_html()


def test_a_difference_pairs_modules_by_structure():
    one = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Dropout(0.2), nn.Linear(3, 3), nn.Linear(3, 1))
    two = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 3), nn.Linear(3, 1))
    found = viz.diff(viz.trace(one, tl.ones(4, 2)), viz.trace(two, tl.ones(4, 2)))
    assert found.added == ("1/relu.1",) and set(found.removed) == {"const.1", "1/tanh.1", "2/mul.1"}
    assert set(found.changed) == {"0.weight", "0.bias", "2.weight", "0/linear.1", "2/linear.1"}
    calls = {n.id: n.call for n in found.graph.nodes if "removed" in n.marks}
    assert calls["1/tanh.1"] == "1 (removed)" and "1 (removed): Tanh" in found.graph.to_svg()
    assert "box activation marked removed" in found.graph.to_svg()
