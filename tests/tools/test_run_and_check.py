"""``tinygrad-lite run`` and ``tinygrad-lite check``: scripts that import torch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tinygrad_lite as tl
from tinygrad_lite._tools.check import check_source, files_of
from tinygrad_lite._tools.cli import main
from tinygrad_lite._tools.run import serving

SCRIPT = """
import sys
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.utils.data import DataLoader, TensorDataset
from torch.optim.lr_scheduler import StepLR
import torch.backends.cudnn as cudnn
from helper import double

cudnn.benchmark = True
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
opt = optim.SGD(net.parameters(), lr=0.1)
schedule = StepLR(opt, 1)
for x, y in DataLoader(TensorDataset(torch.ones(4, 2), torch.zeros(4, 1)), batch_size=2):
    opt.zero_grad()
    F.mse_loss(net(x), y).backward()
    opt.step()
schedule.step()
if __name__ == "__main__":
    print(sys.argv[1:], torch.__name__, double(torch.ones(1)).item(), isinstance(net, torch.nn.Module))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text("import torch\n\ndef double(x: torch.Tensor):\n    return x * 2\n")
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def test_a_script_runs_unchanged(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = dict(sys.modules), list(sys.path), list(sys.argv)
    assert main(["run", str(script), "--lr", "0.1"]) == 0
    assert capsys.readouterr().out == "['--lr', '0.1'] tinygrad_lite 2.0 True\n"
    assert [n for n in sys.modules if n.split(".")[0] == "torch"] == [
        n for n in before[0] if n.split(".")[0] == "torch"
    ]
    assert (sys.path, sys.argv) == before[1:]


def test_as_a_command(script: Path) -> None:
    command = [sys.executable, "-m", "tinygrad_lite", "run", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "") and "tinygrad_lite 2.0 True" in done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("torch.no_such_function(2)", "no_such_function"), ("from torch import no_such_name", "no_such_name"),
        ("import torch.no_such_module", "no_such_module"), ("torch.jit.save(None, 'x')", "jit.save does not exist"),
    ],
)  # fmt: skip
def test_a_missing_name_is_one_message(
    line: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.py"
    path.write_text(f"import torch\n\n{line}\n")
    assert main(["run", str(path)]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"{path}:3: ") and said in err and "tinygrad-lite check" in err and "Traceback" not in err


def test_errors_of_the_script_are_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "s.py"
    for text, error in (
        ("1 / 0", ZeroDivisionError),
        ("None.x", AttributeError),
        ("import no_such_thing", ImportError),
    ):
        path.write_text(f"import torch\n{text}\n")
        with pytest.raises(error):
            main(["run", str(path)])
    path.write_text("raise SystemExit(3)")
    with pytest.raises(SystemExit):
        main(["run", str(path)])


def test_wrong_calls(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["run"]) == 2 and main(["run", str(tmp_path / "no.py")]) == 2
    assert "there is no file" in capsys.readouterr().err
    assert main(["check"]) == 2 and main(["check", "--help"]) == 0


def test_names_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J.py").write_text("import torch\ntorch.zeross")
    assert main(["run", "\x1b]0;title\x07"]) == 2 and main(["check", str(tmp_path)]) == 1
    assert main(["run", str(tmp_path / "a\x1b[2J.py")]) == 1
    said = "".join(capsys.readouterr())
    assert "\\x1b[2J" in said and "\x1b" not in said and "\x07" not in said


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_name_that_is_too_long(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "n" * 5000]) == 2 and "nnn" in capsys.readouterr().err


def test_served_modules_keep_their_own_spec() -> None:
    with serving():
        import torch  # noqa: PLC0415, I001
        import torch.nn.functional as F  # noqa: PLC0415

        assert torch is tl and F is tl.nn.functional
    assert tl.__spec__.name == "tinygrad_lite" and tl.nn.functional.__spec__.name == "tinygrad_lite.nn.functional"


CHECKS: dict[str, Any] = {
    "import torch\nx = torch.zeros(2).sum()\n": [],
    "import torch\ntorch.zeross(2)\n": ["2: torch.zeross is not here; did you mean torch.zeros?"],
    "from torch import optim\noptim = optim.Adamm(2)\noptim.step()\n": [
        "2: torch.optim.Adamm is not here; did you mean torch.optim.Adam?"
    ],
    "from torch import nn\ndef f(n):\n  nn = n\n  nn.stop()\nnn.stop()\n": ["5: torch.nn.stop is not here"],
    "from torch.nn.common_types import _size_2_t\nfrom torch.nn.parallel.scatter_gather import gather\n": [],
    "from torchvision.datasets.utils import check_integrity, download_url\n": [
        "1: torchvision.datasets.utils.download_url is not here; download and unpack the files of a data set first"
    ],
    "from torch.distributed.nn import all_reduce\n": [
        "1: torch.distributed.nn.all_reduce is not here; the processes are those of MPI: start them with mpiexec"
    ],
    "import torch as t\nt.nn.Linearr\n": ["2: torch.nn.Linearr is not here; did you mean torch.nn.Linear?"],
    "from torch.nn import functional as F\nF.reluu(1)\n": [
        "2: torch.nn.functional.reluu is not here; did you mean torch.nn.functional.relu?"
    ],
    "from torch.nn.functionall import relu\n": [
        "1: torch.nn.functionall is not here; did you mean torch.nn.functional?"
    ],
    "import torch\ntorch.cuda.empty_cache()\n": [
        "2: torch.cuda.empty_cache changes nothing here; there is no CUDA device"
    ],
    "import torch.backends.cudnn as c\nc.benchmark = True\n": [
        "2: torch.backends.cudnn.benchmark changes nothing here; there is no cuDNN"
    ],
    "try:\n    import torch.nothing\nexcept ImportError:\n    pass\n": [],
    "import numpy as torch\ntorch.nothing\n": [],
    "from torch.nn import *\nLinear(2, 3)\n": [],
    "import torch\nx = torch.tensor(1).nothing\ny = torch.Tensor.nothing\nz = torch.pi.nothing": [],
    "from . import torch\ntorch.nothing\n": [],
}


@pytest.mark.parametrize("text", CHECKS)
def test_findings(text: str) -> None:
    assert [str(f) for f in check_source(text)] == CHECKS[text]


def test_a_tree_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("import torch\ntorch.ones(2)\n")
    assert main(["check", str(tmp_path)]) == 0
    (tmp_path / "b.py").write_text("import torch\ntorch.nothing\nraise SystemExit('not run')\n")
    assert main(["check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "b.py:2: torch.nothing is not here" in out and "2 files, 1 with names that are not here" in out
    (tmp_path / "c.py").write_text("this is no Python")
    (tmp_path / "d.py").write_bytes(b"\xff\xfe\x00")
    assert main(["check", str(tmp_path)]) == 2
    assert "c.py: cannot be read" in capsys.readouterr().err


def test_a_folder_that_vanishes_while_it_is_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.py").write_text("import torch")
    (tmp_path / "two.py").write_text("import torch")
    listed = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("a"):
            raise FileNotFoundError(path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [p.name for p in files_of(tmp_path)] == ["two.py"]


def test_the_projects_own_programs_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_source(SCRIPT) == [c for c in check_source(SCRIPT) if c.kind == "changes nothing here"]
