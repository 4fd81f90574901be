"""What the page "Try it" runs first in the browser's Python: unpack the package, run programs, find what to show."""

import ast
import json
import linecache
import sys
import traceback
import zipfile
from typing import Any


def install(archive: str, folder: str) -> None:
    """Unpack the package, and import from there."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)
    sys.path.insert(0, folder)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # each line is seen when it is printed


def run(program: str) -> str:
    """Run a program, and return as JSON its error ("" if there is none) and what it left to show."""
    names: dict[str, Any] = {"__name__": "__main__"}
    linecache.cache["<program>"] = (len(program), None, program.splitlines(keepends=True), "<program>")
    error = ""
    try:
        tree = ast.parse(program, "<program>")
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "<program>", "exec"), names)
        if isinstance(last, ast.Expr):  # its value is shown, as in a notebook
            value = eval(compile(ast.Expression(last.value), "<program>", "eval"), names)
            if not shown("", value) and value is not None:
                print(repr(value))
            names[""] = value
    except SystemExit:
        pass
    except BaseException as e:
        trace = e.__traceback__ and e.__traceback__.tb_next  # without this function
        error = "".join(traceback.format_exception(type(e), e, trace))
    seen: set[int] = set()
    found = []
    for name, value in names.items():
        if not name.startswith("_") and id(value) not in seen:
            seen.add(id(value))
            found += shown(name, value)
    sys.stdout.flush()
    return json.dumps({"error": error, "shown": found})


def shown(name: str, value: Any) -> list[dict[str, str]]:
    """Return the picture of a graph, the source of a compiled function, the words of a gradient check; else nothing."""
    of = {"Graph": "viz.model", "Compiled": "compiled.step", "GradReport": "testing.report"}.get(type(value).__name__)
    if of is None or type(value).__module__ != f"tinygrad_lite.{of}":
        return []
    try:
        kind, text = {
            "Graph": lambda: ("picture", value.to_svg()),
            "Compiled": lambda: ("program", value.source),
            "GradReport": lambda: ("check", str(value)),
        }[type(value).__name__]()
    except Exception as error:  # such as a compiled function that has not run yet
        kind, text = "program", f"{type(error).__name__}: {error}"
    return [{"kind": kind, "name": name, "text": text}]
