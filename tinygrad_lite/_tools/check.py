"""``tinygrad-lite check PATH``: will a PyTorch script run here? Reads files, never runs them."""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygrad_lite._tools.run import SERVED, served_name
from tinygrad_lite.engine.no_effect import NO_EFFECT
from tinygrad_lite.errors import visible
from tinygrad_lite.ops.placement import ABSENT_METHODS

ABSENT = object()
METHODS = ABSENT_METHODS.keys() - {"values", "indices", "index", "solve"}
"""Absent methods of tensors that are looked for on anything; the rest are names of dictionaries and lists too."""


@dataclass(frozen=True)
class Finding:
    """A name of PyTorch's that a file uses: absent here, or without effect."""

    line: int
    name: str
    kind: str
    advice: str

    def __str__(self) -> str:
        return f"{self.line}: {self.name} {self.kind}" + (f"; {self.advice}" if self.advice else "")


class Names(ast.NodeVisitor):
    """Collects every dotted name of a served package that a file uses, with its line."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.others: set[str] = {"self", "cls"}
        """Names that mean no tensor: modules, and classes that look for a method among their own."""
        self.used: dict[tuple[int, str], None] = {}
        self.guarded = 0
        self.made: set[str] = set()
        """Names that are called or derived from: an absent class may be asked about, not made."""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """A parameter called like a module is another thing."""
        own = node.args
        names = {a.arg for a in (*own.posonlyargs, *own.args, *own.kwonlyargs, own.vararg, own.kwarg) if a}
        outside = self.known
        self.known = {name: meaning for name, meaning in outside.items() if name not in names}
        self.generic_visit(node)
        self.known = outside

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_Assign(self, node: ast.Assign) -> None:
        """``optim = optim.Adam(...)``: from here on the name is another thing."""
        for part in (node.value, *node.targets):
            self.visit(part)

    def visit_Name(self, node: ast.Name) -> None:
        """Forget a module's name that is given to something else."""
        if isinstance(node.ctx, ast.Store):
            self.known.pop(node.id, None)

    def visit_Call(self, node: ast.Call) -> None:
        """``torch.jit.ScriptModule()``."""
        self._makes(node.func)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """``class Net(torch.jit.ScriptModule)``."""
        for base in node.bases:
            self._makes(base)
        self.generic_visit(node)

    def _makes(self, node: ast.expr) -> None:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in self.known:
            name = ".".join([self.known[node.id], *reversed(parts)])
            self.made.add(name)
            if not parts:  # an attribute is noted where it is visited
                self.add(node.lineno, name)

    def visit_Import(self, node: ast.Import) -> None:
        """``import torch.nn as nn``."""
        for alias in node.names:
            self.others.add(alias.asname or alias.name.partition(".")[0])
            if served_name(alias.name):
                self.add(node.lineno, alias.name)
                self.known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from torch import nn``."""
        self.others |= {alias.asname or alias.name for alias in node.names}
        if node.level or node.module is None or not served_name(node.module):
            return
        for alias in node.names:
            name = node.module if alias.name == "*" else f"{node.module}.{alias.name}"
            self.add(node.lineno, name)
            if alias.name != "*":
                self.known[alias.asname or alias.name] = name

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """``torch.nn.Linear``."""
        if node.attr in METHODS and not (isinstance(node.value, ast.Name) and node.value.id in self.others):
            if not isinstance(node.value, ast.Attribute) or self._root(node) not in self.others - {"self"}:
                self.add(node.lineno, f"Tensor.{node.attr}")
        parts, inner = [node.attr], node.value
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in self.known and isinstance(node.ctx, ast.Load | ast.Store):
            self.add(node.lineno, ".".join([self.known[inner.id], *reversed(parts)]))
        else:
            self.generic_visit(node)

    def _root(self, node: ast.expr) -> str:
        while isinstance(node, ast.Attribute):
            node = node.value
        return node.id if isinstance(node, ast.Name) else ""

    def visit_Try(self, node: ast.Try) -> None:
        """Names inside ``try: import ... except ImportError`` may be absent."""
        self.guarded += any(_catches_imports(handler) for handler in node.handlers)
        for inner in node.body:
            self.visit(inner)
        self.guarded -= any(_catches_imports(handler) for handler in node.handlers)
        for part in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(part)

    def add(self, line: int, name: str) -> None:
        """Note a use."""
        if not self.guarded:
            self.used[line, name] = None


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    caught = ast.dump(handler.type) if handler.type is not None else "Exception"
    return any(name in caught for name in ("ImportError", "ModuleNotFoundError", "AttributeError", "'Exception'"))


def found(name: str) -> tuple[Any, str, Any]:
    """Return the object that a served dotted name means here, the part of the name that was found, and its owner."""
    parts = name.split(".")
    real = SERVED[parts[0]]
    if importlib.util.find_spec(real) is None:
        return ABSENT, "", None
    value: Any = importlib.import_module(real)
    for i, part in enumerate(parts[1:], 2):
        owner = value
        value = getattr(owner, part, ABSENT)
        if value is ABSENT and hasattr(owner, "__path__"):
            try:
                value = importlib.import_module(f"{owner.__name__}.{part}")
            except ImportError:
                value = ABSENT
        if value is ABSENT:
            return ABSENT, ".".join(parts[:i]), owner
        if not isinstance(value, type(sys)) and not isinstance(value, type):
            break  # an attribute of an object: unknown until it runs
    return value, name, None


def finding(line: int, name: str, made: bool = True) -> Finding | None:
    """Return what is to be said about one use of a name, or None if it works as in PyTorch."""
    if name.startswith("Tensor."):
        return Finding(line, name, "is not here", ABSENT_METHODS[name[7:]])
    value, part, owner = found(name)
    if value is ABSENT:
        if owner is None:
            return Finding(line, name, "is not here", f"{name.partition('.')[0]} is not part of this installation")
        if isinstance(owner, type):
            return None  # an attribute of a class: PyTorch's own is not known here
        close = difflib.get_close_matches(part.rpartition(".")[2], dir(owner), 1, 0.8)
        return Finding(
            line, part, "is not here", f"did you mean {part.rpartition('.')[0]}.{close[0]}?" if close else ""
        )
    short = name.partition(".")[2]
    instead = getattr(value, "instead", None)
    if isinstance(instead, str) and (made or not isinstance(value, type)):  # made by `absent`
        return Finding(line, name, "is not here", instead)
    if short in NO_EFFECT:
        return Finding(line, name, "changes nothing here", NO_EFFECT[short])
    return None


def check_source(text: str) -> list[Finding]:
    """Return the findings about the text of a script.

    >>> for one in check_source("import torch\\ntorch.cuda.empty_cache()\\nx = torch.zeross(2)\\n"):
    ...     print(one)
    2: torch.cuda.empty_cache changes nothing here; there is no CUDA device
    3: torch.zeross is not here; did you mean torch.zeros?
    """
    names = Names()
    names.visit(ast.parse(text))
    return [f for line, name in sorted(names.used) if (f := finding(line, name, name in names.made)) is not None]


def files_of(path: Path) -> Iterator[Path]:
    """Yield a file, or the Python files below a folder, without those that vanish meanwhile."""
    if os.path.isdir(path):  # False also for a name that is too long
        below = (Path(folder, name) for folder, _, names in os.walk(path) for name in names if name.endswith(".py"))
        yield from sorted(p for p in below if p.is_file())
    else:
        yield path


def run(argv: Sequence[str]) -> int:
    """Check files and folders; the exit status is 1 if a name is absent, 2 if a file cannot be read."""
    paths = [Path(a) for a in argv if not a.startswith("-")]
    if not paths or {"-h", "--help"} & set(argv):
        print("usage: tinygrad-lite check PATH ...\n\nLists the names of torch and torchvision that are absent here.")
        return 0 if argv else 2
    status = count = bad = 0
    for path in (file for p in paths for file in files_of(p)):
        count += 1
        try:
            findings = check_source(path.read_text("utf-8"))
        except (OSError, SyntaxError, ValueError, RecursionError) as error:
            print(f"{visible(path)}: cannot be read: {visible(error)}", file=sys.stderr)
            status = 2
            continue
        for one in findings:
            print(f"{visible(path)}:{visible(one)}")
        absent = any(f.kind == "is not here" for f in findings)
        bad += absent
        status = max(status, int(absent))
    print(f"{count} {'file' if count == 1 else 'files'}, {bad} with names that are not here")
    return status
