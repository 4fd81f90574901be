"""Recipes: textbook systems, trained, checked and drawn by one command.

``tinygrad-lite list`` names them, ``tinygrad-lite train NAME`` runs one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from tinygrad_lite.errors import MissingExtra, visible

RECIPES = {
    "convolution": ("convolving", "convolution from its definition: loops, matrices, and a kernel learned back"),
    "linear": ("straight_line", "linear regression by gradient descent, beside least squares"),
    "penalties": ("penalties", "ridge, lasso and elastic net where 5 of 20 features matter"),
    "cubic": ("cubic", "a noisy cubic: straight line and 1-10-1 ReLU network"),
    "kmeans": ("clustering", "K-means from random and k-means++ starts"),
    "soft-kmeans": ("soft_clustering", "soft K-means by gradient and by its fixed point, up to the hard limit"),
    "xor": ("exclusive_or", "exclusive or with a 2-3-1 network"),
    "tiny-cnn": ("tiny_cnn", "the 5x5 network with 28 parameters, every number printed"),
    "digits01": ("two_digits", "zeros against ones: 5 kernels with untied bias, one image at a time"),
    "digits": ("ten_digits", "all ten digits with a small CNN"),
    "up-down": ("up_or_down", "series that go up or down, distinguished by one kernel with two weights"),
    "lines": ("line_detection", "fixed kernels that find rows, columns and diagonals in a digit"),
}
"""Module and one-line summary of each recipe, by name."""


def load(name: str) -> Any:
    """Return the module of a recipe.

    Raises ValueError for a name that is not one of `RECIPES`.
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe '{visible(name)}'; there are {', '.join(RECIPES)}")
    return import_module(f"tinygrad_lite.models.recipes.{RECIPES[name][0]}")


def example(name: str) -> tuple[Any, tuple[Any, ...]]:
    """Return the untrained model of a recipe, and inputs to call it with."""
    model, inputs = load(name).example()
    return model, inputs


def run_list(argv: Sequence[str]) -> int:
    """Print every recipe: ``tinygrad-lite list``; returns the exit status."""
    argparse.ArgumentParser(prog="tinygrad-lite list", description="Name every system that can be trained.").parse_args(
        argv
    )
    width = max(map(len, RECIPES))
    for name, (_, about) in RECIPES.items():
        print(f"{name:<{width}}  {about}")
    return 0


def run_train(argv: Sequence[str]) -> int:
    """Run a recipe: ``tinygrad-lite train NAME [options]``.

    Returns the exit status: 0 done, 1 a gradient is wrong (or with ``--strict`` a reference was missed, or the folder
    cannot be written), 130 stopped by Ctrl-C.
    """
    names = "\n".join(f"  {name:<12} {about}" for name, (_, about) in RECIPES.items())
    if not argv or argv[0] in ("-h", "--help"):
        print(f"usage: tinygrad-lite train NAME [options]\n\n{names}\n\n`tinygrad-lite train NAME --help` says more.")
        return 0 if argv else 2
    if argv[0] not in RECIPES:
        print(f"tinygrad-lite train: no recipe '{visible(argv[0])}'\n\n{names}", file=sys.stderr)
        return 2
    from tinygrad_lite.models.recipes.job import Job

    name, recipe = argv[0], load(argv[0])
    args = arguments(name, recipe, argv[1:])
    try:
        job = Job(name, args)
    except (OSError, MissingExtra) as error:
        print(f"tinygrad-lite train {name}: {error}", file=sys.stderr)
        return 1
    return job.run(recipe.run)


def arguments(name: str, recipe: Any, argv: Sequence[str]) -> argparse.Namespace:
    """Read the options of one recipe from the command line."""
    from tinygrad_lite.models.recipes.job import positive, whole

    parser = argparse.ArgumentParser(
        prog=f"tinygrad-lite train {name}", description=recipe.__doc__, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", help=f"folder for the results (default: a new tinygrad-lite-{name})")
    parser.add_argument("--overwrite", action="store_true", help="write over the results of an earlier run in --out")
    parser.add_argument("--seed", type=whole(0), default=0, help="seed of everything random (default: 0)")
    parser.add_argument(
        "--epochs", type=whole(1), default=recipe.EPOCHS, help="rounds of training (default: %(default)s)"
    )
    parser.add_argument("--lr", type=positive, default=recipe.LR, help="learning rate (default: %(default)s)")
    parser.add_argument("--no-pictures", action="store_true", help="only train and measure; needs no matplotlib")
    parser.add_argument("--strict", action="store_true", help="exit status 1 when a result misses its reference")
    options = getattr(recipe, "options", None)
    if options is not None:
        options(parser)
    return parser.parse_args(argv)
