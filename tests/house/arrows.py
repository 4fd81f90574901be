"""Rooms and arrows: the folders of the package, and the imports between them.

Run ``python tests/house/arrows.py`` for the numbers; ``python tests/house/arrows.py FOLDER`` counts another checkout.
A room of a folder is a file or a folder in it. An arrow leads from a room to another one that it imports; ten imports
between the same two rooms are one arrow. Imports inside functions count, imports for type checkers only do not.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "tinygrad_lite"
SURNAMED = ("nn", "models")
"""Folders at the root of the checkout that are imported as ``tinygrad_lite.nn`` and ``tinygrad_lite.models``."""
INSIDE = ("ops", "testing", "viz", "engine")

Graph = dict[str, set[str]]


def sources(root: Path = ROOT) -> dict[str, Path]:
    """Return every module of the package by its dotted name; a package stands for its ``__init__.py``."""
    found: dict[str, Path] = {}
    for top, name in ((root / PACKAGE, PACKAGE), *((root / s, f"{PACKAGE}.{s}") for s in SURNAMED)):
        for folder, subfolders, files in os.walk(top):  # links are not followed
            subfolders[:] = [s for s in subfolders if s != "__pycache__"]
            package = ".".join((name, *Path(folder).relative_to(top).parts))
            for file in files:
                if file.endswith(".py"):
                    module = package if file == "__init__.py" else f"{package}.{file[:-3]}"
                    found[module] = Path(folder, file)
    return dict(sorted(found.items()))


def runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a module, without the branches that only type checkers read."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def imports(path: Path, modules: Iterable[str]) -> set[str]:
    """Return the modules of the package that a file imports, the deepest that an import names."""
    names = set(modules)
    found: set[str] = set()
    for node in runtime_nodes(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == PACKAGE:
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                found.add(deeper if deeper in names else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.partition(".")[0] == PACKAGE}
    return found & names


def files(root: Path = ROOT) -> Graph:
    """Return which file imports which."""
    modules = sources(root)
    return {name: imports(path, modules) - {name} for name, path in modules.items()}


def rooms(graph: Graph, folder: str = PACKAGE) -> Graph:
    """Return which child of ``folder``, a file or a folder, imports which other child."""
    depth = folder.count(".") + 2

    def child(module: str) -> str:
        return ".".join(module.split(".")[:depth])

    inside = {m: targets for m, targets in graph.items() if m.startswith(f"{folder}.")}
    found: Graph = {child(m): set() for m in inside}
    for module, targets in inside.items():
        found[child(module)] |= {child(t) for t in targets if t in inside} - {child(module)}
    return found


def arrows(graph: Graph) -> int:
    """Return the number of arrows."""
    return sum(map(len, graph.values()))


def circles(graph: Graph) -> list[set[str]]:
    """Return the groups of two and more whose members reach one another (Tarjan 1972, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []
    for start in graph:
        work = [(start, iter(sorted(graph[start])))] if start not in index else []
        while work:
            node, targets = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                stack.append(node)
            for target in targets:
                if target not in index:
                    work.append((target, iter(sorted(graph[target]))))
                    break
                if target in stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    place = stack.index(node)
                    group, stack[place:] = set(stack[place:]), []
                    if len(group) > 1:
                        found.append(group)
    return found


def floors(graph: Graph) -> int:
    """Return the length of the longest way down; the members of a circle stand on one floor."""
    of = {name: frozenset(group) for group in circles(graph) for name in group}
    of = {name: of.get(name, frozenset([name])) for name in graph}
    below = {group: {of[t] for name in group for t in graph[name]} - {group} for group in of.values()}
    height: dict[frozenset[str], int] = {}
    while len(height) < len(below):
        for group, under in below.items():
            if group not in height and under <= set(height):
                height[group] = 1 + max((height[u] for u in under), default=0)
    return max(height.values(), default=0)


def numbers(graph: Graph) -> dict[str, int]:
    """Return rooms, arrows, floors and the size of the largest circle."""
    return {
        "rooms": len(graph),
        "arrows": arrows(graph),
        "floors": floors(graph),
        "largest circle": max(map(len, circles(graph)), default=0),
    }


def main(root: Path = ROOT) -> None:
    """Print the numbers of the whole package, and inside the rooms that have most files."""
    graph = files(root)
    every = {"files": graph, PACKAGE: rooms(graph), **{name: rooms(graph, f"{PACKAGE}.{name}") for name in INSIDE}}
    print(f"{'':14}{'rooms':>8}{'arrows':>8}{'floors':>8}{'largest circle':>16}")
    for name, part in every.items():
        if part:
            print(
                f"{name:14}" + "".join(f"{n:{w}}" for n, w in zip(numbers(part).values(), (8, 8, 8, 16), strict=True))
            )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
