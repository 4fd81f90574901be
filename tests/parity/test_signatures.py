"""Every argument that PyTorch's own stubs name is accepted here, for every public function and method."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.keywords import OUT, name_of

torch = pytest.importorskip("torch")
STUBS = Path(torch.__file__).parent / "_C"
CREATION = {"layout", "pin_memory", "out", "memory_format", "requires_grad"}
"""Taken by `engine.keywords.creating`, which every function that makes a tensor goes through."""
REFUSED = {
    "out_dtype": "CUDA's products", "names": "named axes", "cudnn_enabled": "cuDNN", "cudnn_enable": "cuDNN",
    "implicit": "of PyTorch's own gradients", "generator": "of PyTorch's own kernels", "alias_copy.out": "a copy",
    "argsort.out": "PyTorch takes it with stable= only", "tensor.pin_memory": "there are no devices",
    "requires_grad_.mode": "requires_grad=",
    **dict.fromkeys(
        """result_type.scalar result_type.scalar1 result_type.scalar2 result_type.tensor new.cls new.size new.storage
        resize_.size resize_as_.the_template set_.size set_.storage_offset set_.stride""".split(), "positions only"),
}  # fmt: skip
"""Arguments that are not taken, and why."""


def overloads(file: str, kind: str | None) -> Iterator[tuple[str, ast.arguments]]:
    body: Any = ast.parse((STUBS / file).read_text("utf-8")).body
    if kind is not None:
        body = next(n for n in body if isinstance(n, ast.ClassDef) and n.name == kind).body
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name[0] != "_":
            yield node.name, node.args


def accepts(name: str, function: Callable[..., Any], word: str) -> bool:
    parameters = inspect.signature(function).parameters
    if (
        word in parameters
        or name_of(name.rstrip("_"), word, tuple(parameters))
        or name_of(name, word, tuple(parameters))
    ):
        return True
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()) or (word == "out" and name in OUT):
        return True
    return word in CREATION and "device" in parameters


@pytest.mark.parametrize(("file", "kind", "home"), [
    ("_VariableFunctions.pyi", None, tl), ("__init__.pyi", "TensorBase", tl.Tensor)
], ids=["functions", "methods"])  # fmt: skip
def test_every_argument_is_accepted(file: str, kind: str | None, home: Any) -> None:
    missing, count = set(), 0
    for name, words in overloads(file, kind):
        function = getattr(home, name, None)
        if not callable(function):
            continue
        for argument in (*words.posonlyargs, *words.args, *words.kwonlyargs):
            count += 1
            word = argument.arg
            known = word in ("self", "input") or word in REFUSED or f"{name}.{word}" in REFUSED
            if not known and not accepts(name, function, word):
                missing.add(f"{name}.{word}")
    assert count > 1500 and not missing, sorted(missing)
