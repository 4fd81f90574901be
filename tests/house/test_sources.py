"""What holds for every source file: names, sizes, pages, and where arrays are created."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinygrad_lite as tl
from tests.house import arrows
from tinygrad_lite.engine import new
from tinygrad_lite.engine.methods import Methods

SOURCES = arrows.sources()
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in SOURCES.items()}
FOLDERS = sorted({path.parent for path in SOURCES.values()})
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

CREATING = {*new.NAMES, "identity", "fromiter", "fromfunction", "fromstring", "logspace", "geomspace"} - {"ndarray"}
"""NumPy's functions that make an array out of something else."""
ONE_DOOR = ("tinygrad_lite.ops", "tinygrad_lite.optim", "tinygrad_lite.engine")
BORDER = {"tinygrad_lite.engine.new", "tinygrad_lite.engine.arrays", "tinygrad_lite.engine.printing"}
"""The door itself; where a user's data comes in; where a tensor goes out as text."""


def below(module: str, *tops: str) -> bool:
    return any(module == top or module.startswith(f"{top}.") for top in tops)


# ------------------------------------------------------------------------------------------------ the door for arrays
def created(tree: ast.AST) -> Iterator[str]:
    """Yield each use of a function of NumPy that creates arrays; ``numpy=np.ones_like`` of a declaration is none."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.keyword) and node.arg == "numpy":
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.ndarray", "ndarray"):
            yield f"line {node.lineno}: np.ndarray(...)"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in CREATING:
            if node.value.id in ("np", "_np", "numpy"):
                yield f"line {node.lineno}: np.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module == "numpy":
            yield from (f"line {node.lineno}: {a.name}" for a in node.names if a.name in CREATING)
        waiting += ast.iter_child_nodes(node)


def names_taken(tree: ast.AST) -> Iterator[str]:
    """Yield each name imported from `engine.new`: it would stay NumPy's inside `new.redirect`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "tinygrad_lite.engine.new":
            yield from (f"line {node.lineno}: {a.name}" for a in node.names if a.name != "redirect")


def test_every_array_is_created_behind_one_door() -> None:
    behind = {name: tree for name, tree in TREES.items() if below(name, *ONE_DOOR) and name not in BORDER}
    assert len(behind) > 80
    found = {name: list(created(tree)) for name, tree in behind.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_no_name_is_imported_from_the_door() -> None:
    found = {name: list(names_taken(tree)) for name, tree in TREES.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_what_the_two_checks_see() -> None:
    tree = ast.parse(
        "from numpy import zeros, exp\nfrom tinygrad_lite.engine.new import ones, redirect\n"
        "@function(numpy=np.full)\ndef f(x, make=np.empty): return np.eye(3) + np.exp(x) + new.zeros(2)\n"
    )
    assert sorted(created(tree)) == ["line 1: zeros", "line 4: np.empty", "line 4: np.eye"]
    assert list(names_taken(tree)) == ["line 2: ones"]


# ------------------------------------------------------------------------------------------------ sizes
def test_no_function_over_60_lines() -> None:
    lengths = {
        f"{name}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, FUNCTION)
    }
    assert {name: n for name, n in lengths.items() if n > 60} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.relative_to(arrows.ROOT).as_posix())
def test_every_room_has_a_page(folder: Path) -> None:
    page = folder / "README.md"
    if folder == arrows.ROOT / arrows.PACKAGE and not page.exists():
        page = arrows.ROOT / "README.md"  # the whole package is one with the project
    assert page.exists(), f"{folder.name}/ has no README.md: what is in it, what it imports, where to start"
    assert 1 <= len(page.read_text("utf-8").splitlines()) <= (150 if page.parent == arrows.ROOT else 60)


# ------------------------------------------------------------------------------------------------ names
NO_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|more|extras?|stuff|things|base|tools)(_|$)")
OURS_BY_NAME = {
    "tinygrad_lite.utils",
    "tinygrad_lite.nn.utils",
    "tinygrad_lite.nn.modules.utils",
    "tinygrad_lite.nn.common_types",
    "tinygrad_lite.optim.swa_utils",
    "tinygrad_lite.vision.utils",
    "tinygrad_lite.distributions.utils",
    "tinygrad_lite._tools",
}
"""Names of PyTorch's and torchvision's modules; the last holds commands that nothing imports."""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_names_say_what_is_inside(kind: str) -> None:
    packages = {name for name, path in SOURCES.items() if path.stem == "__init__"}
    some = packages if kind == "folder" else set(SOURCES) - packages
    assert [n for n in sorted(some - OURS_BY_NAME) if NO_NAMES.search(n.rpartition(".")[2])] == []


def underscored(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, FUNCTION) and node.name.endswith("_") and not node.name.endswith("__"):
            if not node.name.startswith("_repr_"):  # IPython's names
                yield node.name


CHANGES_GRADIENTS = {"clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "unscale_"}
CHANGES_A_TENSOR = {"rrelu_", "requires_grad_", "detach_", "share_memory_"}
CHANGES_EACH = {"tree_map_", "tree_map_only_", "replace_all_batch_norm_modules_"}


def test_a_trailing_underscore_means_in_place() -> None:
    found = {(name, f) for name, tree in TREES.items() for f in underscored(tree)}
    assert len(found) > 20
    others = {
        (name, f)
        for name, f in found
        # scikit-learn's names of fitted values end with an underscore
        if not (
            below(name, "tinygrad_lite.nn.init", "tinygrad_lite.models")
            or f in CHANGES_GRADIENTS | CHANGES_A_TENSOR | CHANGES_EACH
            or hasattr(Methods, f)
        )
    }
    assert others == set()


def test_every_registered_name_with_an_underscore_changes_its_tensor() -> None:
    from tinygrad_lite.engine.op import PUBLIC

    assert [name for name in tl.OPS if name.endswith("_")] == []
    names = sorted(n for n in {*PUBLIC, *vars(Methods)} if n.endswith("_") and not n.endswith("__"))
    assert len(names) > 100
    seen = 0
    for name in names:
        x = tl.tensor([0.25, 0.5])
        method = getattr(x, name, None)
        if method is None:
            continue
        try:
            y = method()
        except (TypeError, RuntimeError, ValueError, IndexError):
            continue  # needs more arguments
        assert y is x, f"{name} returned another tensor"
        seen += 1
    assert seen > 40


# ------------------------------------------------------------------------------------------------ the tests
NOT_INSTALLED = {"torch", "mygrad", "autograd", "jax", "tinygrad", "torchvision"}
"""Libraries that the extra ``test`` does not install."""


def test_no_test_needs_another_library_to_be_collected() -> None:
    found = [
        f"{path.relative_to(arrows.ROOT)}:{node.lineno}"
        for path in sorted((arrows.ROOT / "tests").rglob("*.py"))
        for node in ast.parse(path.read_text("utf-8")).body  # an import inside a function comes after a skip
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and {n.partition(".")[0] for n in [getattr(node, "module", None) or "", *(a.name for a in node.names)]}
        & NOT_INSTALLED
        and not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tinygrad_lite"))
    ]
    assert found == [], 'use pytest.importorskip("torch")'


# Functions inside others that call themselves, and capture nothing but a few names: what they capture stays until
# garbage is collected.
LIGHT = {
    "call.call", "op.call",  # of an op, and as lasting as it is
    "overrides.call",  # of a decorated function
    "batch.example", "step.walk", "manipulation.depth", "manipulation.join", "reading.size", "report.nested",
    "unsupported.kept",
}  # fmt: skip


def test_no_inner_function_holds_itself() -> None:
    """Tensors that such a function captures would outlive their last use."""
    found = set()
    for module, tree in TREES.items():
        for outer in ast.walk(tree):
            for inner in ast.walk(outer) if isinstance(outer, FUNCTION) else ():
                if (
                    inner is not outer
                    and isinstance(inner, FUNCTION)
                    and any(isinstance(n, ast.Name) and n.id == inner.name for s in inner.body for n in ast.walk(s))
                ):
                    found.add(f"{module.rpartition('.')[2]}.{inner.name}")
    assert found - LIGHT == set()
