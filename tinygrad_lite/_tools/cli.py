"""The ``tinygrad-lite`` command: demo, train, list, graph, gradcheck.

The module of a command is imported only when it runs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from tinygrad_lite._version import __version__
from tinygrad_lite.errors import MissingExtra, visible

COMMANDS = {
    "run": ("tinygrad_lite._tools.run", "run", "run a script whose `import torch` is served by tinygrad_lite"),
    "check": ("tinygrad_lite._tools.check", "run", "list what a PyTorch script uses that is absent here, by line"),
    "demo": (
        "tinygrad_lite._tools.demo",
        "run",
        "train a small CNN on real digits, check its gradients, draw its graph",
    ),
    "train": ("tinygrad_lite.models.recipes", "run_train", "train one of the models that `list` shows"),
    "list": ("tinygrad_lite.models.recipes", "run_list", "list the models that `train` accepts"),
    "graph": ("tinygrad_lite.viz.cli", "run", "draw the graph of a recipe, a module:callable or a JSON file"),
    "gradcheck": (
        "tinygrad_lite.testing.cli",
        "run",
        "check the gradients of ops by name, of --all, or of a module:callable",
    ),
}


def usage() -> str:
    """Return the help text."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, (_, _, what) in COMMANDS.items()]
    return "\n".join(
        ["usage: tinygrad-lite COMMAND [options]", "", *lines, "", "tinygrad-lite COMMAND --help says more; --version."]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if args else 2
    if args[0] == "--version":
        print(f"tinygrad_lite {__version__}")
        return 0
    if args[0] not in COMMANDS:
        print(f"tinygrad-lite: no command '{visible(args[0])}'\n\n{usage()}", file=sys.stderr)
        return 2
    if args[0] != "run" and (odd := [a for a in args if re.search("[\0-\x08\x0b-\x1f\x7f]", a)]):
        print(f"tinygrad-lite {args[0]}: an argument holds control characters: '{visible(odd[0])}'", file=sys.stderr)
        return 2
    module, function, _ = COMMANDS[args[0]]
    try:
        run: Callable[[list[str]], int] = getattr(import_module(module), function)
        return run(args[1:])
    except MissingExtra as error:
        print(f"tinygrad-lite {args[0]}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ntinygrad-lite {args[0]}: stopped", file=sys.stderr)
        return 130
