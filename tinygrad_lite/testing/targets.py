"""What the command checks: ops by name, functions and modules from a module or a file, and their inputs."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module, util
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_lite.engine.op import OPS as REGISTERED
from tinygrad_lite.engine.samples import Arr, Ints, Samples

OPS: dict[str, Any] = REGISTERED
PLACES = ("tinygrad_lite", "tinygrad_lite.nn.functional", "tinygrad_lite.linalg")
MATRIX, IMAGES = Arr("n k", min=1), Arr("n c h w", min=4)
# Inputs of functions whose arguments are not alike; every other function gets matrices.
INPUTS: dict[str, Sequence[Any]] = {
    **dict.fromkeys(("conv1d", "conv_transpose1d"), (Arr("2 3 6"), Arr("3 3 2"))),
    **dict.fromkeys(("conv2d", "conv_transpose2d"), (Arr("2 3 5 5"), Arr("3 3 2 2"))),
    **dict.fromkeys(("conv3d", "conv_transpose3d"), (Arr("1 2 4 4 4"), Arr("2 2 2 2 2"))),
    **dict.fromkeys(("cross_entropy", "multi_margin_loss"), (Arr("n c", min=2), Ints("n", below="c"))),
    "embedding": (Ints("n", below="v"), Arr("v d", min=1)),
    "scaled_dot_product_attention": (Arr("b t d", min=1), Arr("b s d", min=1), Arr("b s d", min=1)),
}
OPTIONS: dict[str, dict[str, Sequence[Any]]] = {
    **dict.fromkeys(("max_pool2d", "avg_pool2d", "lp_pool2d"), {"kernel_size": (2, 1)}),
    **dict.fromkeys(("max_pool1d", "avg_pool1d", "lp_pool1d"), {"kernel_size": (2, 1)}),
    **dict.fromkeys(("adaptive_avg_pool2d", "adaptive_max_pool2d"), {"output_size": (2, 1)}),
    "layer_norm": {"normalized_shape": (lambda shape: (shape[-1],),)},
    "rms_norm": {"normalized_shape": (lambda shape: (shape[-1],),)},
    "group_norm": {"num_groups": (1,)},
    "interpolate": {"scale_factor": (2,)},
    "pad": {"pad": ((1, 0), (0, 2))},
    "one_hot": {},
}


class NoInputs(ValueError):
    """The inputs of a function cannot be guessed; the message says how to describe them."""


def resolve(target: str, inputs: Sequence[Any] = ()) -> Any:
    """Return the op, function or module that a target names; raise ``ValueError`` if there is none."""
    if ":" in target:
        return _attribute(target)
    if target in OPS:
        if not OPS[target].places:
            raise ValueError(f"'{target}' has no gradient")
        return OPS[target].call
    name = target.removeprefix("torch.").removeprefix("nn.functional.").removeprefix("F.").removeprefix("linalg.")
    for place in PLACES:
        found = getattr(import_module(place), name, None)
        if callable(found) and not isinstance(found, type):
            return found
    known = {*OPS, *(n for place in PLACES for n in dir(import_module(place)) if n[0] != "_")}
    near = difflib.get_close_matches(name, sorted(known), 3, 0.6) or sorted(n for n in OPS if target in n)[:3]
    if target.endswith(".py") or Path(target).suffix == ".py":
        raise ValueError(f"name the function or module in the file: {target}:NAME")
    raise ValueError(f"no op named '{target}'" + (f"; did you mean {', '.join(near)}?" if near else ""))


def _attribute(target: str) -> Any:
    """Import ``module:name`` or ``file.py:name`` and return what it names."""
    where, _, attribute = target.rpartition(":")
    if not attribute:
        raise ValueError(f"{target}: a name is missing after the colon")
    if where.endswith(".py"):
        path = Path(where)
        if not path.is_file():
            raise ValueError(f"no file '{where}'")
        spec = util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None
        found: Any = util.module_from_spec(spec)
        sys.modules.setdefault(path.stem, found)
        sys.path.insert(0, str(path.parent))
        try:
            spec.loader.exec_module(found)
        finally:
            sys.path.remove(str(path.parent))
    else:
        sys.path.insert(0, "")
        try:
            found = import_module(where)
        finally:
            sys.path.remove("")
    for part in attribute.split("."):
        if not hasattr(found, part):
            names = [n for n in dir(found) if n[0] != "_" and callable(getattr(found, n))]
            near = difflib.get_close_matches(part, names, 3, 0.6)
            raise ValueError(f"{where} has no '{part}'" + (f"; did you mean {', '.join(near)}?" if near else ""))
        found = getattr(found, part)
    if isinstance(found, type) and hasattr(found, "named_parameters"):
        try:
            found = found()
        except TypeError as error:
            raise ValueError(f"{target} is a class, and calling it without arguments fails: {error}") from error
    if not callable(found) and not isinstance(found, tuple):
        raise ValueError(
            f"{target} is a {type(found).__name__}; name a function, a module or a (forward, backward) pair"
        )
    return found


def spec_of(text: str) -> Arr | Ints:
    """Return the spec that the option --input describes: ``n k``, or ``n <5`` for integers below 5."""
    shape, _, below = text.partition("<")
    if below:
        return Ints(shape.strip(), below=int(below) if below.strip().isdecimal() else below.strip())
    return Arr(shape.strip(), min=1)


def described(fn: Any) -> bool:
    """Whether an op carries the description of its own inputs."""
    return isinstance(getattr(getattr(fn, "op", None), "samples", None), Samples)


def guessed(fn: Any) -> tuple[Sequence[Any], dict[str, Any]]:
    """Return inputs and options for a function or module without description."""
    name = getattr(fn, "__name__", "")
    if hasattr(fn, "named_parameters"):
        return _inputs_of_module(fn), {}
    options = OPTIONS.get(name, {})
    if name in INPUTS:
        return INPUTS[name], options
    target = fn[0] if isinstance(fn, tuple) else fn
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        raise NoInputs(f'{name}: describe its inputs, one --input each: --input "n k"') from None
    count = sum(p.default is p.empty and p.kind in (0, 1) and p.name not in options for p in parameters)
    if "pool2d" in name or name in ("interpolate", "group_norm", "batch_norm"):
        return [IMAGES], options
    if "pool1d" in name:
        return [Arr("n c w", min=4)], options
    return [MATRIX] * max(count, 1), options


def _inputs_of_module(module: Any) -> Sequence[Any]:
    """Return the inputs of a module from its first layer."""
    for layer in [module, *getattr(module, "modules", lambda: [])()]:
        for attribute, shape in (("in_features", "n {}"), ("input_size", "t n {}"), ("num_features", "n {}")):
            size = getattr(layer, attribute, None)
            if isinstance(size, int):
                return [Arr(shape.format(size), min=2)]
        channels, weight = getattr(layer, "in_channels", None), getattr(layer, "weight", None)
        if isinstance(channels, int) and weight is not None:
            return [Arr(" ".join(["n", str(channels), *["8"] * (np.ndim(weight.array) - 2)]), min=1)]
        if isinstance(getattr(layer, "num_embeddings", None), int):
            return [Ints("n t", below=layer.num_embeddings)]
    return [MATRIX]


def all_ops() -> Iterator[tuple[str, Any]]:
    """Yield every registered op that has a gradient."""
    yield from ((name, op.call) for name, op in sorted(OPS.items()) if op.places)
