"""A program as a file that runs with NumPy alone, and the numbers beside it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_lite.compiled.printed import Printed, Unprintable
from tinygrad_lite.random import default_generator
from tinygrad_lite.serialization.atomic import replacing

FILE = '''"""{title}: written by tinygrad_lite. Needs NumPy, and {data} beside it."""

from pathlib import Path

import numpy as np
from numpy import inf, nan  # noqa: F401

with np.load(Path(__file__).with_name({data!r})) as file:
    data = dict(file)
{start}

def save(path):
    """Write the numbers as they are now, under the names of this file."""
    np.savez(path, **{{name: globals()[name] for name in data}})


{source}'''
VIEW = '''
def view(a, dtype, shape, strides, offset):
    """Return a part of an array by its place in memory."""
    return np.ndarray(shape, dtype, a, offset, strides)

'''


def save(printed: Printed, path: Any) -> None:
    """Write a file that runs with NumPy alone, and the numbers beside it."""
    if printed.printer.foreign:
        raise Unprintable(f"it calls {', '.join(dict.fromkeys(printed.printer.foreign))}, which NumPy does not have")
    path = Path(path)
    data = path.with_suffix(".npz")
    start = []
    space = dict(printed.r.objects)
    for text in printed.numbers:
        name, _, formula = text.partition(" = ")
        start.append(f"{name} = {eval(formula, space)!r}")  # a number of an optimiser
    arrays = dict(printed.printer.given)
    source = printed.text(alone=True)
    lines = [f"{name} = data[{name!r}]" for name in arrays]
    if printed.printer.random:
        state = default_generator().bit_generator.state
        lines += [f"rng = np.random.Generator(np.random.{state['bit_generator']}())",
                  f"rng.bit_generator.state = {state!r}"]  # fmt: skip
    text = FILE.format(title=printed.title, data=data.name, start="\n".join(lines + start + [""]), source=source)
    for helper in printed.printer.helpers.values():
        text = text.replace("\n\ndef save(", f"\n\n{source_of(helper)}\n\ndef save(", 1)
    if printed.printer.uses_view:
        text = text.replace("\n\ndef save(", VIEW + "\ndef save(", 1)
    with replacing(data) as file:
        np.savez(file, **arrays)
    with replacing(path) as file:
        file.write(text.encode())


def source_of(function: Any) -> str:
    """Return the source of a function that needs NumPy alone, without its decorators and annotations."""
    tree: Any = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    tree.decorator_list, tree.returns = [], None
    for argument in tree.args.args:
        argument.annotation = None
    return re.sub(r"\bnew\.", "np.", ast.unparse(tree)) + "\n"
