"""`tinygrad-lite demo` from the command line: results, errors, interruption."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import tinygrad_lite as tl
from tinygrad_lite import datasets, load
from tinygrad_lite._tools import demo
from tinygrad_lite._tools.cli import main
from tinygrad_lite.utils.data import TensorDataset


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of two epochs, on a machine without `dot`."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        assert main(["demo", "--out", str(folder), "--epochs", "2", "--seed", "3"]) == 0
    return folder


def test_results_are_complete(out: Path) -> None:
    assert sorted(p.name for p in out.iterdir()) == sorted(demo.FILES)
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["gradcheck"] == "ok" and metrics["parameters"] == 71754
    assert metrics["test_accuracy"] > 0.85
    assert metrics["train_seconds"] > 0


def test_pictures_are_valid_files(out: Path) -> None:
    assert ElementTree.parse(out / "graph.svg").getroot().tag.endswith("svg")
    page = (out / "graph.html").read_text()
    assert "conv1" in page and "default-src 'none'" in page
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert (out / "training.png").read_bytes().startswith(b"\x89PNG")


def test_the_model_can_be_loaded(out: Path) -> None:
    model = demo.DigitsNet()
    model.load_state_dict(load(out / "model.npz"))


def test_compiled_training_has_the_same_numbers() -> None:
    """What ``--compile`` does, on a few digits."""
    images, labels = map(tl.tensor, datasets.digits())
    seen = []
    for compiled in (False, True):
        tl.manual_seed(0)
        model = demo.DigitsNet()
        net = tl.compile(model, fullgraph=True) if compiled else model
        history: list[dict[str, float]] = []
        list(demo.train(net, TensorDataset(images[:160], labels[:160]), (images[:99], labels[:99]), 1, history))
        seen.append((history, [p.array.tobytes() for p in model.parameters()]))
    assert seen[0] == seen[1]


def test_results_are_overwritten_only_on_request(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (out / "metrics.json").read_text()
    assert main(["demo", "--out", str(out), "--epochs", "1"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (out / "metrics.json").read_text() == before


def test_output_folder_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["demo", "--out", str(tmp_path / "file")]) == 1
    assert "is a file" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0o500)
    assert main(["demo", "--out", str(tmp_path / "new")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", "/proc/nowhere/new"]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_ctrl_c_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = demo.train

    def interrupted(*args: Any) -> Any:
        yield next(real(*args))
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "train", interrupted)
    assert main(["demo", "--out", str(tmp_path / "new")]) == 130
    metrics = json.loads((tmp_path / "new" / "metrics.json").read_text())
    assert metrics["epochs"] == 1
    assert (tmp_path / "new" / "model.npz").exists()


@pytest.mark.parametrize("argv", [["--epochs", "0"], ["--epochs", "many"], ["--seed", "-1"], ["--what"]])
def test_wrong_options_say_so(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["demo", *argv])
    assert stop.value.code == 2 and argv[0] in capsys.readouterr().err


def test_the_command_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2 and main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("demo", "train", "graph", "gradcheck"))
    assert main(["nothing"]) == 2
    assert "no command 'nothing'" in capsys.readouterr().err
    assert main(["--version"]) == 0
