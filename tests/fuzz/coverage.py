"""The readers under a coverage-guided fuzzer: inputs that reach new lines are kept and changed further.

Needs atheris, the extra ``fuzz``. Each format gets a process of its own, as its modules must be instrumented when they
are imported: ``python -m tests.fuzz.coverage FORMAT SECONDS RESULT``.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

from tests.fuzz.findings import Findings

INSTRUMENTED = ("zipfile", "tinygrad_lite.serialization", "tinygrad_lite.datasets", "tinygrad_lite.viz.formats.json")
FORMATS = ("npz", "safetensors", "pt", "pt description", "npz description", "npy", "idx", "graph")
WATCHED = 100
"""The memory of every input of this number is measured, which takes time."""


def guided(name: str, seconds: float, result: Path) -> None:
    """Fuzz one format in this process until the time is over; write the findings to ``result`` and end the process."""
    atheris = importlib.import_module("atheris")
    import tinygrad_lite  # noqa: F401 - what reads no files stays as fast as it is

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        for module in INSTRUMENTED:
            importlib.import_module(module)
    from tests.fuzz import readers

    end, found = time.monotonic() + seconds, Findings()
    read, files = readers.seeds()[name]
    corpus = Path(tempfile.mkdtemp())
    for i, data in enumerate(files):
        (corpus / str(i)).write_bytes(data)

    def one(data: bytes) -> None:
        readers.judged(found, name, read, data, watch=found.counts["files"] % WATCHED == 0)
        if time.monotonic() > end:
            result.write_bytes(found.dumps())
            os._exit(0)

    warnings.simplefilter("ignore")
    options = ["-max_len=8192", "-rss_limit_mb=3000", "-timeout=30", "-verbosity=0", "-len_control=10"]
    atheris.Setup([sys.argv[0], str(corpus), *options], one)
    atheris.Fuzz()


def fuzz(seconds: float, seed: int = 0) -> Findings:
    """Fuzz each format in a process of its own for an equal share of the time."""
    found = Findings()
    if importlib.util.find_spec("atheris") is None:
        print("coverage: this needs the package 'atheris': pip install 'tinygrad_lite[fuzz]'", file=sys.stderr)
        raise SystemExit(2)
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as folder:
            result, share = Path(folder, "found"), max(seconds / len(FORMATS), 2.0)
            command = [sys.executable, "-m", "tests.fuzz.coverage", name, str(share), str(result)]
            environment = {**os.environ, "TMPDIR": folder}
            done = subprocess.run(command, cwd=folder, env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
                                  capture_output=True, text=True, timeout=share + 300)  # fmt: skip
            if result.exists():
                found.add(Findings.loads(result.read_bytes()))
            else:
                found.note("crash", name, f"exit status {done.returncode}: {done.stderr[-1500:]}")
    return found


if __name__ == "__main__":
    guided(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))
