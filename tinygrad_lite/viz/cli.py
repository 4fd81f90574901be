"""``tinygrad-lite graph``: draw a recipe, a function or module named on the command line, or a saved graph."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import visible
from tinygrad_lite.viz.draw import draw
from tinygrad_lite.viz.model import SHOWN, Graph
from tinygrad_lite.viz.summary import summary


def parser() -> argparse.ArgumentParser:
    """Return the arguments of the command."""
    p = argparse.ArgumentParser(
        prog="tinygrad-lite graph",
        description="Draw the computation graph of a model; no other program is needed.",
        epilog="TARGET is module:callable (a Module, a class of one, or a function), path/to/file.py:callable, the "
        "name of a recipe, or a graph saved as .json. Without -o the graph is printed.",
    )
    p.add_argument("target", metavar="TARGET")
    p.add_argument("-o", "--output", metavar="FILE", type=Path, help=".svg .html .txt .json .dot .mmd .png or .pdf")
    p.add_argument(
        "--input-shape", action="append", default=[], metavar="4,1,28,28", help="shape of an input; repeat for more"
    )
    p.add_argument("--graph", choices=("forward", "backward", "both"), default="forward")
    p.add_argument("--depth", type=int, help="how many levels of modules are expanded")
    p.add_argument("--params", choices=("fold", "show", "hide"), default="fold")
    p.add_argument(
        "--show", default="shape", help=f"what to write in the boxes, separated by commas: {', '.join(SHOWN)}"
    )
    p.add_argument("--color-by", help="kind, grad_norm, update_ratio, flops, bytes, time or act_std")
    p.add_argument("--rankdir", choices=("TB", "LR", "BT", "RL"), default="TB")
    p.add_argument("--theme", choices=("auto", "light", "dark", "page"), default="auto")
    p.add_argument("--no-fold", action="store_true", help="draw every one of several equal parts")
    p.add_argument("--max-nodes", type=int, default=200, help="collapse modules if there are more boxes")
    p.add_argument("--title")
    p.add_argument("--summary", action="store_true", help="print the table of layers instead")
    return p


def run(argv: Sequence[str]) -> int:
    """Run the command and return the exit status: 0, 1 for an error, 2 for wrong usage."""
    try:
        args = parser().parse_args(list(argv))
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    try:
        text = answer(args)
    except (Exception, SystemExit) as error:  # the code of a user may raise anything when it is imported or called
        words = error.args[0] if isinstance(error, KeyError) and error.args else error
        own = isinstance(error, (ValueError, TypeError, KeyError, OSError, ImportError, RuntimeError))
        kind = "" if own else f"{type(error).__name__}: "
        print(f"tinygrad-lite graph: {kind}{visible(words)}", file=sys.stderr)
        return 1
    print(text)
    return 0


def answer(args: argparse.Namespace) -> str:
    """Run the parsed command and return the text to print."""
    shapes = [shape_of(text) for text in args.input_shape]
    if args.output is not None and not args.output.parent.is_dir():
        raise OSError(f"the folder {args.output.parent} does not exist")
    look = {
        "depth": args.depth, "params": args.params, "show": tuple(args.show.split(",")), "color_by": args.color_by,
        "rankdir": args.rankdir, "theme": args.theme, "fold_repeats": not args.no_fold, "max_nodes": args.max_nodes,
        "title": args.title,
    }  # fmt: skip
    target, inputs = found(args.target, shapes)
    if args.summary:
        if isinstance(target, Graph):
            raise TypeError("--summary needs a model, not a saved graph")
        return str(summary(target, *inputs))
    graph = draw(target, *inputs, graph=args.graph, **look)
    if args.output is None:
        return str(graph)
    return f"wrote {graph.save(args.output)}"


def shape_of(text: str) -> tuple[int, ...]:
    """Return the shape written as ``4,1,28,28`` or ``(4, 1, 28, 28)``."""
    parts = [p.strip() for p in text.strip().strip("()[]").replace("x", ",").split(",") if p.strip()]
    if not all(p.isdecimal() for p in parts):
        raise ValueError(f"--input-shape {text!r} is not a shape; write it as 4,1,28,28")
    return tuple(map(int, parts))


def found(target: str, shapes: Sequence[tuple[int, ...]]) -> tuple[Any, list[Any]]:
    """Return the object that a target names, and inputs for it."""
    if target.endswith(".json"):
        if not Path(target).is_file():
            raise OSError(f"there is no file {target}")
        return Graph.from_json(Path(target).read_text("utf-8")), []
    where, colon, name = target.rpartition(":")
    if not colon:
        thing, given = recipe(target)
    else:
        thing, given = named(where, name), None
        if isinstance(thing, type) and hasattr(thing, "forward"):
            thing = thing()
    if not callable(thing):
        raise TypeError(f"{target} is a {type(thing).__name__}, not a module or function")
    if shapes:
        return thing, [made(s) for s in shapes]
    return thing, list(given or ())


def named(where: str, name: str) -> Any:
    """Return ``name`` from a module, or from a Python file."""
    if where.endswith(".py"):
        import runpy

        space = runpy.run_path(where, run_name="__graph__")
        if name not in space:
            raise KeyError(f"{where} defines no '{name}'")
        return space[name]
    if "" not in sys.path:
        sys.path.insert(0, "")
    thing: Any = import_module(where)
    for part in name.split("."):
        if not hasattr(thing, part):
            raise KeyError(f"{where} has no '{name}'")
        thing = getattr(thing, part)
    return thing


def recipe(name: str) -> tuple[Any, Any]:
    """Return the model of a recipe and an example of its inputs."""
    try:
        recipes = import_module("tinygrad_lite.models.recipes")
    except ModuleNotFoundError:
        recipes = None
    example = getattr(recipes, "example", None)
    if example is None:
        raise KeyError(f"'{name}' is not module:callable, a .json file, or the name of a recipe")
    model, inputs = example(name)
    return model, inputs


def made(shape: tuple[int, ...]) -> Any:
    """Return an input of this shape: numbers between 0 and 1, the same in every run."""
    return make(np.random.default_rng(0).random(shape, np.float32))
