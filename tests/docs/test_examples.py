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
    assert len(EXAMPLES) == 11  # and the engine itself


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_example(example, tmp_path):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(example)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "True" in done.stdout
    assert "False" not in done.stdout, done.stdout
    assert not list(tmp_path.iterdir())  # nothing is left behind
    text = example.read_text(encoding="utf-8")
    assert ".. math::" in text or ":math:" in text
    assert "# By hand" in text and "plt.show()" in text and "# Exercises" in text
