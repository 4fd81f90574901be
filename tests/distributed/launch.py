"""Start a program in several ranks with the mpiexec of this environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")

needs_mpi = pytest.mark.skipif(
    MPIEXEC is None or find_spec("mpi4py") is None, reason="needs mpi4py and mpiexec: pip install mpi4py mpich"
)


def environment() -> dict[str, str]:
    """One BLAS thread for each rank; the package of this checkout."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "HYDRA", "OMPI", "MPI", "WORLD_SIZE"))}
    paths = [str(ROOT), *filter(None, [kept.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def start(ranks: int, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run ``python command`` in ``ranks`` processes; returns output and status."""
    assert MPIEXEC is not None
    words = [MPIEXEC, "-n", str(ranks), sys.executable, *command]
    return subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=timeout)


def check(ranks: int, name: str, *args: str) -> str:
    """Run a program of this folder, which must end well; returns what it printed."""
    done = start(ranks, str(HERE / "programs" / f"{name}.py"), *args)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
