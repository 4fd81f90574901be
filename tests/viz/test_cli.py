"""The ``graph`` command."""

import pytest

import tinygrad_lite as tl
from tinygrad_lite import viz
from tinygrad_lite.viz.cli import run

PROGRAM = """
from tinygrad_lite import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
    def forward(self, x):
        return self.fc(x).relu()
def double(x):
    return x * 2
number = 3
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_a_module_class_a_function_and_a_saved_graph(file, tmp_path, capsys):
    assert run([f"{file}:Net", "--input-shape", "2,4"]) == 0
    assert "fc: Linear" in capsys.readouterr().out
    assert run([f"{file}:double", "--input-shape", "(3,)", "-o", str(tmp_path / "g.json")]) == 0
    assert run([str(tmp_path / "g.json"), "-o", str(tmp_path / "g.svg"), "--rankdir", "LR"]) == 0
    assert (tmp_path / "g.svg").read_text("utf-8").startswith("<svg")
    assert run([f"{file}:Net", "--input-shape", "2,4", "--summary"]) == 0
    assert "Parameters: 10" in capsys.readouterr().out


def test_an_importable_target(capsys):
    assert run(["tinygrad_lite:sigmoid", "--input-shape", "3", "--show", "shape,flops"]) == 0
    assert "sigmoid" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["nothing-of-this-name"], "nothing-of-this-name"), (["{file}:absent"], "absent"), (["{file}:number"], "int"),
        (["no_such_module:x"], "no_such_module"), (["gone.json"], "gone.json"), (["{file}:double"], "double|argument"),
        (["{file}:Net", "--input-shape", "a,b"], "a,b"),
        (["{file}:Net", "--input-shape", "\u00b2,4"], "not a shape"),
        (["{file}:Net", "--input-shape", "2,5"], "linear"),
        (["{file}:double", "--input-shape", "3", "--show", "mood"], "mood"),
        (["{file}:double", "--input-shape", "3", "-o", "/nowhere/at/all.svg"], "/nowhere/at"),
        (["{file}:double", "--input-shape", "3", "-o", "g.bmp"], "bmp"),
    ],
)  # fmt: skip
def test_errors_are_one_line_and_status_1(file, argv, words, capsys, monkeypatch):
    monkeypatch.chdir(file.parent)
    assert run([a.replace("{file}", str(file)) for a in argv]) == 1
    error = capsys.readouterr().err
    assert error.startswith("tinygrad-lite graph: ") and any(w in error for w in words.split("|"))


def test_wrong_usage_is_status_2(capsys):
    assert run([]) == 2 and run(["x", "--graph", "sideways"]) == 2 and run(["--help"]) == 0


def test_saved_graphs_are_the_same_pictures(file, tmp_path, capsys):
    graph = viz.draw(lambda x: x * 2, tl.ones(3))
    graph.save(tmp_path / "g.json")
    run([str(tmp_path / "g.json"), "-o", str(tmp_path / "again.svg")])
    assert (tmp_path / "again.svg").read_text("utf-8") == graph.to_svg()
