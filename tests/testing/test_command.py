"""``tinygrad-lite gradcheck`` on ops, PyTorch's names, functions, modules and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_lite.testing.cli import run

SOURCE = """
import tinygrad_lite as tl
from tinygrad_lite import nn

net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
number = 3

def right(x, w):
    return (x * w).tanh()

def product(x, w):
    return x @ w

def wrong(x):
    y = x * 1
    y.register_hook(lambda g: 3 * g)
    return y

pair = (lambda x: (x * 2, None)), (lambda g, saved: 2 * g)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "checked_here.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["checked_here.py:right"],
        ["checked_here:right"],
        ["checked_here.py:net"],
        ["checked_here.py:pair"],
        ["checked_here:product", "--input", "n 3", "--input", "3 k"],
        ["conv2d", "max_pool2d", "layer_norm", "cross_entropy", "gelu", "linear"],
        ["torch.softmax", "F.relu"],
    ],
)
def test_right_targets(folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words, "--examples", "4"]) == 0
    assert "ok" in capsys.readouterr().out


def test_a_wrong_function_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["checked_here:wrong", "--examples", "4"]) == 1
    out = capsys.readouterr().out
    assert "WRONG VALUE" in out and "off by the factor 3" in out and "0 of 1 right" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name an op"),
        (["cov2d"], "did you mean conv2d"),
        (["argmax"], "no gradient"),
        (["nowhere.py:net"], "no file 'nowhere.py'"),
        (["checked_here.py"], "checked_here.py:NAME"),
        (["checked_here.py:nothing"], "has no 'nothing'"),
        (["checked_here:rigth"], "did you mean right"),
        (["checked_here:number"], "is a int"),
        (["no_such_module:f"], "No module named"),
        (["checked_here:product", "--examples", "4"], "--input"),
        (["relu", "--input", "n-k"], "axes of an array"),
        (["relu", "--examples", "0"], "at least 1"),
    ],
)
def test_errors_say_what_to_do(folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    assert said in capsys.readouterr().err
