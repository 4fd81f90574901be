"""Runs a program on PyTorch and on tinygrad_lite line by line and compares every variable after every line."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.parity.programs.deliberate import deliberate
from tests.parity.programs.grammar import KINDS
from tests.parity.programs.grow import Grower

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

FAMILIES = {"missing": (AttributeError, ImportError), "type": (TypeError,),
            "value": (ValueError, RuntimeError, ArithmeticError, LookupError, AssertionError)}  # fmt: skip
"""Errors that count as the same; which of several faults of a call is found first may differ."""
PRECISION = {"float64": 1e-9, "float32": 2e-5, "float16": 4e-3}


@dataclass
class Finding:
    """A difference: its kind, the line after which it shows, and both answers."""

    kind: str
    lines: list[str]
    name: str
    theirs: Any
    ours: Any
    where: str = field(default="")


def fill(lib: Any) -> Any:
    """Return a function that gives a layer parameters that do not depend on random numbers."""

    def filled(layer: Any, dtype: Any) -> Any:
        layer = layer.to(dtype)
        for p in layer.parameters():
            p.data.copy_((lib.arange(float(p.numel()), dtype=dtype) * 0.7 + 0.3).sin().reshape(p.shape))
        return layer

    return filled


def lines_of(program: str) -> list[str]:
    """Return the lines of a program, with blocks in one piece."""
    return re.split(r"\n(?! )", program.strip())


def both() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a program begins with in PyTorch and here."""
    return side(torch), side(tl)


def side(lib: Any, start: Any = None) -> dict[str, Any]:
    """Return the variables that a program of ``lib`` begins with."""
    return {"T": start or lib, "F": lib.nn.functional, "nn": lib.nn, "fill": fill(lib), "seen": []}


def execute(line: str, variables: dict[str, Any]) -> Exception | None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            exec(line, variables)
        except Exception as error:
            return error
    return None


def families(error: Exception) -> set[str]:
    return {name for name, kinds in FAMILIES.items() if isinstance(error, kinds)}


def is_tensor(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "requires_grad") and not hasattr(value, "parameters")


def array(value: Any) -> Any:
    value = value.detach()
    return np.asarray(value.numpy(force=True) if isinstance(value, torch.Tensor) else value.numpy())


def close(a: Any, b: Any) -> bool:
    """Whether two arrays of one dtype agree to its precision, measured against their largest number."""
    if a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    if not a.size or np.array_equal(a, b, equal_nan=True):
        return True
    with np.errstate(all="ignore"):
        x, y, tolerance = a.astype(float), b.astype(float), PRECISION[str(a.dtype)]
        finite = np.abs(y[np.isfinite(y)])
        return bool(np.allclose(x, y, tolerance, tolerance * min(1.0, finite.max(initial=0.0)), equal_nan=True))


def strides(value: Any, shape: tuple[int, ...]) -> Any:
    return [s for s, n in zip(value.stride(), shape, strict=True) if n > 1] if 0 not in shape else []


def difference(theirs: Any, ours: Any, options: frozenset[str]) -> tuple[str, Any, Any] | None:
    """Return (kind, PyTorch's, ours) of the first difference of two values of a variable."""
    if ours is None and is_tensor(theirs) and not array(theirs).any():
        return None  # a gradient of zeros may be no gradient
    if theirs is None and is_tensor(ours) and not array(ours).any():
        return None
    if is_tensor(theirs):
        return tensors(theirs, ours, options) if is_tensor(ours) else ("type", type(theirs), type(ours))
    if isinstance(theirs, (tuple, list)):
        if not isinstance(ours, (tuple, list)) or len(theirs) != len(ours):
            return "length", theirs, ours
        found = (difference(t, o, options) for t, o in zip(theirs, ours, strict=True))
        return next((f for f in found if f is not None), None)
    if isinstance(theirs, float) and isinstance(ours, (float, np.floating)):
        return None if np.isclose(theirs, ours, 1e-3, 1e-6, equal_nan=True) else ("number", theirs, ours)
    if theirs is None or isinstance(theirs, (bool, int, str)):
        same = ours is None if theirs is None else theirs == ours and isinstance(ours, type(theirs))
        return None if same else ("answer", theirs, ours)
    return None


def tensors(theirs: Any, ours: Any, options: frozenset[str]) -> tuple[str, Any, Any] | None:
    shapes = tuple(theirs.shape), tuple(ours.shape)
    if shapes[0] != shapes[1]:
        return "shape", *shapes
    dtypes = str(theirs.dtype).removeprefix("torch."), str(ours.dtype).removeprefix("torch.")
    if dtypes[0] != dtypes[1]:
        return "dtype", *dtypes
    a, b = array(theirs), array(ours)
    if not close(b, a):
        return "value", a, b
    for what in ("requires_grad", "is_leaf") if "flags" in options else ():
        if getattr(theirs, what) != getattr(ours, what):
            return what, getattr(theirs, what), getattr(ours, what)
    # a result that is contiguous only here is no hindrance to any program
    if "layout" in options and not ours.is_contiguous() and strides(theirs, shapes[0]) != strides(ours, shapes[0]):
        return "layout", tuple(theirs.stride()), tuple(ours.stride())
    if theirs.is_leaf:
        inner = difference(theirs.grad, ours.grad, frozenset())
        return None if inner is None else (f".grad {inner[0]}", *inner[1:])
    return None


def same_layouts(line: str, name: str, theirs: dict[str, Any], ours: dict[str, Any]) -> bool:
    """Whether the operands of a line lie alike in both; only then must the result."""
    names = [n for n in re.findall(r"\b[avr]\d+\b", line) if n != name and is_tensor(theirs.get(n)) and n in ours]
    return all(tuple(theirs[n].stride()) == tuple(ours[n].stride()) for n in names)


def changed_names(line: str, variables: dict[str, Any]) -> list[str]:
    """Return the variables to compare after a line: the new ones, all of them after a write."""
    new = re.match(r"(\w+) = [^\n]*$", line)
    if new and not re.search(r"_\(|inplace|out=|grad\(|hook|\bm\d+\(|fill\(", line):
        return [new[1]]
    return [n for n in variables if re.fullmatch(r"[avg]\d+|seen|total|square", n)]


def versions(line: str, theirs: dict[str, Any], ours: dict[str, Any]) -> tuple[int, int] | None:
    """Return the versions in both libraries of the tensor that a line writes to."""
    written = re.match(r"(?:with .*\n    )?([av]\d+)(?:\.\w+_\(|\[[^=]* \S?= | [-+*/]+= )", line)
    if written is None or not all(is_tensor(side.get(written[1])) for side in (theirs, ours)):
        return None
    a, b = theirs[written[1]], ours[written[1]]
    root = b.base[0] if isinstance(b.base, tuple) else b
    uncounted = a.is_inference() or not getattr(root.base, "counted", True)  # .data has a version of its own there
    return None if uncounted else (a._version, b._version)


def run(lines: Iterable[str], theirs: dict[str, Any], ours: dict[str, Any], options: frozenset[str]) -> Finding | None:
    """Run the lines in both; return the first difference that is not deliberate."""
    found = first(lines, theirs, ours, options)
    if found is not None and "modified by an inplace operation" in str(found.theirs) and right(found, options):
        return None
    return None if found is None or deliberate(found.kind, found.lines, found.theirs, found.ours) else found


def right(found: Finding, options: frozenset[str]) -> bool:
    """Whether a gradient that PyTorch refuses is right: it agrees with PyTorch when that copies before each write.

    PyTorch may keep an operand or a result that the gradient does not need; this library may have kept a copy.
    """
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        other = first(found.lines, *both(), options)
    return other is None or "inference_mode" in "".join(found.lines)


def first(
    lines: Iterable[str], theirs: dict[str, Any], ours: dict[str, Any], options: frozenset[str]
) -> Finding | None:
    """Run the lines in both; return the first difference."""
    done: list[str] = []
    for line in lines:
        done.append(line)
        before = versions(line, theirs, ours)
        wrong, failed = execute(line, theirs), execute(line, ours)
        if isinstance(wrong, (NameError, SyntaxError)):
            return Finding("not a program", done, "", wrong, failed)
        if wrong is not None and failed is None:
            return Finding("PyTorch raises", done, "", wrong, None)
        if failed is not None and wrong is None:
            return Finding("ours raises", done, "", None, failed)
        if wrong is not None and failed is not None and not families(wrong) & families(failed):
            return Finding("error class", done, "", wrong, failed)
        if wrong is not None and re.search(r"backward\(|grad\(", line):
            return None  # what a failed backward pass left in .grad differs on purpose
        after = versions(line, theirs, ours)
        if before and after and "version" in options and (after[0] > before[0]) != (after[1] > before[1]):
            return Finding("version", done, "", after[0] - before[0], after[1] - before[1])
        for name in changed_names(line, theirs):
            if name not in ours and name in theirs:
                return Finding("type", done, name, theirs[name], None)
            even = options if same_layouts(line, name, theirs, ours) else options - {"layout"}
            kept = even if re.fullmatch(r"[av]\d+", name) else options - ALL
            try:
                found = difference(theirs.get(name), ours.get(name), kept)
            except RuntimeError:  # PyTorch says only when a view is looked at that a write made it unusable
                return None
            if found is not None:
                return Finding(found[0], done, name, *found[1:])
    return None


ALL = frozenset({"layout", "version", "flags"})
"""What is compared of each variable beside shape, dtype, values and .grad."""


def grown(seed: int, options: frozenset[str] = ALL, kinds: Any = KINDS) -> tuple[list[str], Finding | None]:
    """Return the program of a seed, up to its first difference, and the difference."""
    theirs, ours, lines = side(torch), side(tl), []

    def noted() -> Any:
        for line in Grower(seed, theirs, kinds).lines():
            lines.append(line)
            yield line

    found = run(noted(), theirs, ours, options)
    return lines, found if found is None or real(found, options) else None


def again(lines: list[str], options: frozenset[str] = ALL) -> Finding | None:
    """Return the first difference of a program given by its lines."""
    found = run(lines, *both(), options)
    return found if found is None or real(found, options) else None


class Scaled:
    """PyTorch with every number of ``tensor`` a little larger, or in float64 throughout."""

    def __init__(self, factor: float, exact: bool) -> None:
        self.factor, self.exact = factor, exact

    def __getattr__(self, name: str) -> Any:
        return torch.float64 if self.exact and name in ("float16", "float32") else getattr(torch, name)

    def tensor(self, data: Any, dtype: Any = None) -> Any:
        made = torch.tensor(data, dtype=dtype)
        return made * self.factor if made.is_floating_point() else made


def answer(found: Finding, library: Any) -> list[Any]:
    """Return the arrays of the variable that differs when the program runs on another form of PyTorch."""
    variables = side(torch, library)
    for line in found.lines:
        execute(line, variables)
    return arrays(variables.get(found.name), found.kind.startswith(".grad"))


def arrays(value: Any, grad: bool) -> list[Any]:
    if is_tensor(value):
        if grad and value.is_leaf:
            return arrays(value.grad, False)
        return [array(value).astype(float)]
    if isinstance(value, (tuple, list)):
        return [a for v in value for a in arrays(v, grad)]
    return [np.asarray(float(value))] if isinstance(value, (bool, int, float)) else []


def real(found: Finding, options: frozenset[str]) -> bool:
    """Whether a difference is neither rounding in an ill-conditioned program nor the zero-gradient rule."""
    if "value" not in found.kind and found.kind != "number":
        return True
    plain = answer(found, torch)
    moved = [answer(found, Scaled(1 + s * 1e-5, False)) for s in (-1, 1)] + [answer(found, Scaled(1.0, True))]
    ours = side(tl)
    for line in found.lines:
        execute(line, ours)
    text = "".join(found.lines)
    coarse = (
        4e-3 if "float16" in text else 1e-5 if re.search(r"int|bool", text) else 1e-6 if "float32" in text else 1e-9
    )
    mine = arrays(ours.get(found.name), found.kind.startswith(".grad"))
    moved = [m for m in moved if [x.shape for x in m] == [x.shape for x in plain]] or [plain]
    if len(mine) != len(plain):
        return True
    for i, (a, b) in enumerate(zip(plain, mine, strict=True)):
        with np.errstate(all="ignore"):
            if a.shape != b.shape:
                return True
            spread = (
                coarse * np.maximum(1, np.abs(np.nan_to_num(a)))
                + np.max([np.abs(np.nan_to_num(m[i] - a, nan=0.0)) for m in moved], axis=0) * 4
            )
            off = np.abs(np.nan_to_num(a - b, nan=np.inf)) > spread
            off &= ~((a == b) | (np.isnan(a) & np.isnan(b)))
        if off.any():
            return not by_zero_guard(found, options)
    return False


def by_zero_guard(found: Finding, options: frozenset[str]) -> bool:
    """Whether the difference goes away with PyTorch's zero times infinity."""
    with tl.zero_guard(False):
        other = run(found.lines, *both(), options)
    return other is None or (other.kind, len(other.lines)) != (found.kind, len(found.lines))


def shown(found: Finding) -> str:
    """Return a program that reproduces the difference, and both answers."""
    head = ["import torch as T  # or: import tinygrad_lite as T"]
    text = "\n".join(found.lines)
    if re.search(r"\bF\.", text):
        head.append("from torch.nn import functional as F  # or: from tinygrad_lite.nn import functional as F")
    if re.search(r"\bnn\.", text):
        head.append("from torch import nn  # or: from tinygrad_lite import nn; fill is in tests/parity/programs")
    if "seen" in text:
        head.append("seen = []")
    what = f"{found.name}: " if found.name else ""
    tail = [f"# {what}{found.kind}", f"#   PyTorch: {one_line(found.theirs)}", f"#   here:    {one_line(found.ours)}"]
    return "\n".join([*head, *found.lines, *tail])


def one_line(value: Any) -> str:
    text = f"{type(value).__name__}: {value}" if isinstance(value, Exception) else str(value)
    return " ".join(text.split())[:220]
