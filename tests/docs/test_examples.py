"""Every tutorial runs, and wherever it compares a gradient by hand with ours, they agree."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("plot_*.py"))


def test_there_is_one_per_system():
    assert len(EXAMPLES) == 23  # ten systems, the engine, twelve that use the library


RUN = """
import contextlib, io, runpy, sys
for example in sys.argv[1:]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        runpy.run_path(example, run_name="__main__")
    assert "True" in said.getvalue() and "False" not in said.getvalue(), f"{example}: {said.getvalue()}"
"""


@pytest.mark.parametrize("half", [0, 1])
def test_every_example_runs(half, tmp_path):
    """Several in one process, because the imports cost more than most of the examples."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore:figure", "-c", RUN, *map(str, EXAMPLES[half::2])]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())  # nothing is left behind


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_every_example_has_its_parts(example):
    text = example.read_text(encoding="utf-8")
    assert ".. math::" in text or ":math:" in text
    assert "y hand" in text and "plt.show()" in text and "# Exercises" in text
    assert "draw(" in text and ("gradcheck(" in text or "check_" in text)  # its picture and its check
