"""The stubs are fresh, and what users write against them has types."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.op import PUBLIC

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
catalogue = importlib.import_module("_catalogue")
sys.path.pop(0)

USER = """
import tinygrad_lite as tl
from tinygrad_lite.nn import functional as F

x = tl.tensor([[1.0, 2.0]], requires_grad=True)
total: tl.Tensor = x.relu().sum(dim=1)
kept: tl.Tensor = tl.mean(x, axis=0, keepdims=True)
mixed: tl.Tensor = -x * 2 + x @ x.T - 1 / x
row: tl.Tensor = x[0]
best = x.max(dim=1)
values, indices = x.sort(descending=True)
parts: tuple[tl.Tensor, ...] = x.split(1)
same: tl.Tensor = x == 1
tl.manual_seed(0)
noise: tl.Tensor = tl.randn(2, 3)
loss: tl.Tensor = (tl.softmax(x, dim=1) - noise[:1, :2]).square().mean()
loss.backward()
number: float = loss.item()
bounded: tl.Tensor = x.detach().clamp_(min=0.0, max=1.0)
curve: tl.Tensor = F.gelu(x)
image: tl.Tensor = F.conv1d(x.reshape(1, 1, 2), x.reshape(1, 1, 2), padding="same")
x.no_such_method()
x.clamp_(lowest=0.0)
F.no_such_function(x)
"""


def test_stubs_are_fresh() -> None:
    # in a process of its own: other tests import rooms that publish more functions
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-m", "tests.stubs", "--check"], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs_name_every_function() -> None:
    package = (Path(tl.__file__).parent / "__init__.pyi").read_text("utf-8")
    missing = [
        n for n in PUBLIC if n not in vars(tl) and f"def {n}(" not in package and f"import {n} as {n}" not in package
    ]
    assert not missing
    methods = (Path(tl.__file__).parent / "engine" / "methods.pyi").read_text("utf-8")
    assert "def relu(self) -> Tensor" in methods and "def relu_(self) -> Tensor" in methods
    assert "def clamp_(self, min: TensorLike | None = ..., max: TensorLike | None = ...) -> Tensor" in methods
    vague = [line for line in methods.splitlines() if "_(self, *args" in line and "__" not in line]
    assert not vague, "in-place forms have the signatures of their functions"
    assert "def __add__(self, other: TensorLike) -> Tensor" in methods


def checked(command: list[str], tmp_path: Path) -> list[str]:
    file = tmp_path / "user.py"
    file.write_text(USER, encoding="utf-8")
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, cwd=Path(tl.__file__).parents[1])
    return [line for line in done.stdout.splitlines() if "error" in line and "user.py" in line]


@pytest.mark.skipif(shutil.which("mypy", path=str(Path(sys.executable).parent)) is None, reason="mypy is not installed")
def test_user_code_is_typed_for_mypy(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", f"--cache-dir={tmp_path}"]
    found = checked(command, tmp_path)
    assert len(found) == 3, found
    for line, word in zip(found, ("no_such_method", "lowest", "no_such_function"), strict=True):
        assert word in line


@pytest.mark.parametrize("name", ["relu", "sum", "where", "sort"])
def test_catalogue_has_a_row(name: str) -> None:
    assert f"| `{name}` |" in catalogue.markdown()


def test_catalogue_says_what_is_differentiable() -> None:
    by_name = {e.name: e for e in catalogue.entries()}
    assert by_name["isnan"].order == 0 and by_name["exp"].order == 2 and by_name["std"].order is None
    assert "np.exp" in by_name["exp"].numpy
    assert "| `np.median` |" in catalogue.numpy_markdown()
