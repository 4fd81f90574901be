"""``tinygrad-lite run SCRIPT [args]``: a script that imports ``torch`` runs on tinygrad_lite, unchanged."""

from __future__ import annotations

import importlib
import importlib.util
import os
import runpy
import sys
import traceback
from collections.abc import Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tinygrad_lite.errors import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVED = {"torch": "tinygrad_lite", "torchvision": "tinygrad_lite.vision"}
"""The packages that are served, and what serves them."""
RANKS = {
    "RANK": ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK"),
    "WORLD_SIZE": ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE"),
    "LOCAL_RANK": ("MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK"),
}
"""The variables that torchrun sets and scripts read, and those in which a launcher of MPI says the same."""


def served_name(name: str) -> str | None:
    """Return the module of this package that serves an import of ``name``, or None for other packages.

    >>> served_name("torch.nn.functional"), served_name("torchvision"), served_name("numpy")
    ('tinygrad_lite.nn.functional', 'tinygrad_lite.vision', None)
    """
    top, dot, rest = name.partition(".")
    return SERVED[top] + dot + rest if top in SERVED else None


class Served(MetaPathFinder, Loader):
    """Finds ``torch`` and ``torchvision``, and everything below them, in this package."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return a spec for an import that is served."""
        real = served_name(fullname)
        if real is None or (real not in sys.modules and importlib.util.find_spec(real) is None):
            return None  # a module that is made and not found has no spec
        return ModuleSpec(fullname, self, is_package=hasattr(importlib.import_module(real), "__path__"))

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module that serves; it keeps its own spec."""
        real = served_name(spec.name)
        assert real is not None
        module = importlib.import_module(real)
        self.spec = module.__spec__
        for name, known in list(sys.modules.items()):  # importing one would replace a function of its name
            if name.startswith("tinygrad_lite."):
                sys.modules.setdefault(name.replace("tinygrad_lite", "torch", 1), known)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec back; it has run already."""
        module.__spec__ = self.spec


@contextmanager
def serving() -> Iterator[None]:
    """Serve ``import torch`` and ``import torchvision`` inside the block."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if served_name(name)}
    finder = Served()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if served_name(name)]:
            del sys.modules[name]
        sys.modules.update(kept)


def where_in(script: Path, error: BaseException) -> str:
    """Return ``file:line`` of the last line of the script, or of a file beside it, that the error passed through."""
    folder = str(script.resolve().parent)
    lines = [f for f in traceback.extract_tb(error.__traceback__) if str(Path(f.filename).resolve()).startswith(folder)]
    return f"{lines[-1].filename}:{lines[-1].lineno}" if lines else str(script)


def run(argv: Sequence[str]) -> int:
    """Run a script with ``torch`` and ``torchvision`` served; returns its exit status."""
    if not argv or argv[0] in ("-h", "--help"):
        print(
            "usage: tinygrad-lite run SCRIPT [args]\n\nRuns a script whose `import torch` is served by tinygrad_lite."
        )
        return 0 if argv else 2
    script = Path(argv[0])
    if not os.path.isfile(script):  # a name that is too long is none either
        print(f"tinygrad-lite run: there is no file {visible(script)}", file=sys.stderr)
        return 2
    for name, keys in RANKS.items():  # before the script asks
        for key in keys:
            if key in os.environ:
                os.environ.setdefault(name, os.environ[key])
    before = sys.argv, list(sys.path)
    sys.argv, sys.path[:] = [str(script), *argv[1:]], [str(script.resolve().parent), *sys.path]
    try:
        with serving():
            runpy.run_path(str(script), run_name="__main__")
    except (AttributeError, ImportError, NotImplementedError) as error:
        ours = any(name in str(error) for name in ("tinygrad_lite", *SERVED))
        if not ours:
            raise
        text = str(error).replace("tinygrad_lite", "torch", 1) if isinstance(error, AttributeError) else str(error)
        print(
            f"{visible(where_in(script, error))}: {visible(text)}\n"
            f"  not in tinygrad_lite; `tinygrad-lite check {visible(script)}` lists every such name",
            file=sys.stderr,
        )
        return 1
    finally:
        sys.argv, sys.path[:] = before
    return 0
