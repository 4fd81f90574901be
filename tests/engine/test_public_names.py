"""What `dir(tinygrad_lite)` and `from tinygrad_lite import *` show: public names and nothing else."""

from __future__ import annotations

import subprocess
import sys
import types
from typing import Any

import tinygrad_lite as tl

ROOMS = {name for name in dir(tl) if isinstance(getattr(tl, name), types.ModuleType)} - {"mps", "accelerator"}


def fresh(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_dir_has_no_name_of_the_inside() -> None:
    shown = set(dir(tl))
    inside = {"engine", "ops", "creation", "Any", "annotations", "cli", "_np", "_PUBLIC", "_tools", "_version"}
    assert not shown & inside
    assert {n for n in shown if n.startswith("_") and not n.startswith("__")} == set()
    assert {"nn", "optim", "errors", "relu", "tensor", "Tensor", "float32", "save", "manual_seed"} <= shown


def test_every_name_that_is_shown_is_there() -> None:
    assert [name for name in dir(tl) if not hasattr(tl, name)] == []
    assert sorted(tl.__all__) == tl.__all__ and len(set(tl.__all__)) == len(tl.__all__)


def test_all_is_what_dir_shows_without_rooms() -> None:
    shown = {name for name in dir(tl) if not name.startswith("__")}
    assert shown - set(tl.__all__) == ROOMS and {"nn", "viz", "testing", "utils"} <= ROOMS


def test_a_star_brings_functions_classes_and_dtypes() -> None:
    out = fresh(
        "before = set(globals())\n"
        "from tinygrad_lite import *\n"
        "names = set(globals()) - before - {'before'}\n"
        "x = tensor([1.0, 2.0], requires_grad=True)\n"
        "relu(x * ones(2)).sum().backward()\n"
        "print(x.grad.tolist(), float, sorted(names & {'nn', 'ops', 'random', 'Any', 'engine', 'viz', 'op', 'save'}))\n"
        "print([n for n in names if n.startswith('_')])\n"
    )
    assert out == "[1.0, 1.0] torch.float32 ['op', 'save']\n[]\n"


def test_a_star_loads_no_room_that_was_not_loaded() -> None:
    program = "import sys\n{}\nprint('tinygrad_lite.viz' in sys.modules, 'tinygrad_lite.nn' in sys.modules)"
    assert fresh(program.format("from tinygrad_lite import *")) == "False False\n"


def test_an_op_registered_later_is_shown() -> None:
    def later(x: Any) -> Any:
        return x

    from tinygrad_lite.engine.op import PUBLIC

    PUBLIC["registered_later"] = later
    try:
        assert "registered_later" in dir(tl) and "registered_later" in tl.__all__
    finally:
        del PUBLIC["registered_later"]
        vars(tl).pop("registered_later", None)
    assert "registered_later" not in tl.__all__
