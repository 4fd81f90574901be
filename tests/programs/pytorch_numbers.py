"""What PyTorch makes of the programs of this folder.

``python tests/programs/pytorch_numbers.py`` writes pytorch_numbers.json: losses, accuracies, and a fingerprint of
each program. The tests compare with it without installing or running PyTorch, and notice a program that has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import types
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILE = HERE / "pytorch_numbers.json"
PROGRAMS = ("two_layers", "image_classifier", "variational_autoencoder", "sine_waves", "siamese")
WITH_DIGITS = ("image_classifier", "variational_autoencoder", "siamese")


def program(name: str, library: str) -> Any:
    """Return a program as a module, its import lines changed to ``library``."""
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    module = types.ModuleType(f"{name}_{library}")
    exec(compile(source.replace("tinygrad_lite", library), f"{name} ({library})", "exec"), module.__dict__)
    return module


def fingerprint(name: str) -> str:
    """Return a hash of the source of a program."""
    return hashlib.sha256((HERE / f"{name}.py").read_text(encoding="utf-8").encode()).hexdigest()[:16]


def result(name: str, library: str) -> dict[str, list[float]]:
    """Run a program and return the first and the last number of every curve, or all of a short one."""
    from tinygrad_lite import datasets

    with contextlib.redirect_stdout(io.StringIO()):
        out = program(name, library).main(*(datasets.digits() if name in WITH_DIGITS else ()))
    curves = out if isinstance(out, dict) else {name: out}
    return {k: [float(f"{v:.7g}") for v in (c if len(c) < 20 else (c[0], c[-1]))] for k, c in curves.items()}


def main() -> None:
    """Run every program with PyTorch and write the file."""
    import torch

    torch.set_num_threads(1)
    made = {name: {"source": fingerprint(name), "curves": result(name, "torch")} for name in PROGRAMS}
    FILE.write_text(json.dumps({"torch": torch.__version__, "programs": made}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
