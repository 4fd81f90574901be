"""What happens when a result is written to before backward: in PyTorch and here, call by call.

The input is not a leaf, so that views of it may be written to. After ``y.add_(1)`` or ``y.mul_(2)`` on one float
result, the backward pass gives the same gradients in both libraries, or raises in both: a result is kept for backward
only where PyTorch keeps it. The input shows the write in both or in neither: a result is a view where PyTorch's is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinygrad_lite as tl
from tests.parity import compare, from_samples, modules

CHANGES: tuple[tuple[str, Callable[[Any], Any]], ...] = (("add_", lambda y: y.add_(1)), ("mul_", lambda y: y.mul_(2)))
CASES = 4
"""Calls per function or layer."""
Call = tuple[str, Callable[[Any], tuple[Any, list[Any], list[Any]]]]
"""A name, and a function of the library that returns the results, the leaves, and the inputs made of the leaves."""


def calls_of(row: compare.Row, torch: Any) -> Iterator[Call]:
    """Yield some calls of a row of the table of functions, in float64."""
    chosen = [c for c in compare.cases(row) if c[0] == "float64" and all(a.size for a in c[1])]
    for _, arrays, options, fixed in chosen[:: max(len(chosen) // CASES, 1)]:
        yield shown(row.name, arrays, options), called(row.call, arrays, options, fixed, torch)


def calls_of_samples(name: str, torch: Any) -> Iterator[Call]:
    """Yield some calls of an op, drawn from its samples, in float64."""
    row = from_samples.row_of(name)
    for dtype, arrays, options in from_samples.drawn(name):
        if dtype == "float64" and all(a.size for a in arrays):
            yield shown(name, arrays, options), called(row.call, arrays, options, (), torch)


def calls_of_layer(row: modules.Row, torch: Any) -> Iterator[Call]:
    """Yield a call of a layer in each of its modes, with PyTorch's parameters."""
    for training in row.modes:
        yield f"{row.name} {'train' if training else 'eval'}", layered(row, training, torch)


def shown(name: str, arrays: Any, options: Any) -> str:
    return f"{name}({', '.join(f'{a.shape} {a.dtype}' for a in arrays)}, {options})"


def leaf(lib: Any, array: Any, torch: Any) -> Any:
    if lib is tl:
        return tl.tensor(array, requires_grad=array.dtype.kind == "f")
    made = torch.from_numpy(np.array(array))
    return made.requires_grad_(made.is_floating_point())


def inner(lib: Any, t: Any) -> Any:
    """Return a tensor computed from a leaf, which may be written to. Its node has no saved values to free."""
    return -t if t.requires_grad else t


def called(call: Any, arrays: Any, options: Any, fixed: Any, torch: Any) -> Callable[[Any], Any]:
    def make(lib: Any) -> Any:
        leaves = [
            leaf(lib, -np.ascontiguousarray(a).reshape(a.shape) if a.dtype.kind == "f" else np.array(a), torch)
            for a in arrays
        ]
        inputs = [inner(lib, t) for t in leaves]
        still = [leaf(lib, f, torch).detach() if isinstance(f, np.ndarray) else f for f in fixed]
        return call(lib, *inputs, *still, **options), leaves, inputs

    return make


def layered(row: modules.Row, training: bool, torch: Any) -> Callable[[Any], Any]:
    rng = np.random.default_rng(5)
    arrays = [x if isinstance(x, np.ndarray) else rng.uniform(*row.values, x) for x in row.inputs]

    def make(lib: Any) -> Any:
        torch.manual_seed(0)
        theirs = row.make(torch.nn).double().train(training)
        layer = theirs
        if lib is tl:
            layer = row.make(tl.nn).double().train(training)
            layer.load_state_dict(modules.copied(theirs))
        leaves = [leaf(lib, -a if a.dtype.kind == "f" else a, torch) for a in arrays]
        inputs = [inner(lib, t) for t in leaves]
        return layer(*inputs, **row.words(lib)), [*leaves, *layer.parameters()], inputs

    return make


def outcome(make: Any, lib: Any, change: Callable[[Any], Any], which: int) -> Any:
    """Return (what, ...) after ``change`` of one result: "skip", "refused", "raised", or "done" with what is to agree.

    What is to agree: the gradients of the leaves, and the inputs as they are after the write.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            results, leaves, inputs = make(lib)
        except Exception as error:
            return "skip", repr(error)
        results = [t for t in compare.leaves(results) if hasattr(t, "requires_grad")]
        if which >= len(results) or not results[which].requires_grad:
            return "skip", "no such result"
        try:
            change(results[which])
        except (RuntimeError, ValueError) as error:
            return "refused", repr(error)
        seen = [compare.array_of(t).copy() for t in inputs]
        total = 0
        for t in results:
            if t.requires_grad:
                size = int(np.prod(tuple(t.shape)))
                weight = np.cos(np.arange(float(size))).reshape(tuple(t.shape))
                total = total + (t * (tl.tensor(weight) if lib is tl else weight_of(lib, weight))).sum()
        try:
            total.backward()
        except (RuntimeError, ValueError) as error:
            return "raised", repr(error)
        return "done", [None if t.grad is None else compare.array_of(t.grad) for t in leaves if t.requires_grad], seen


def twice(make: Any, lib: Any, which: int) -> Any:
    """Return what two backward passes from one result did, both without ``retain_graph``."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            results, leaves, _ = make(lib)
        except Exception as error:
            return "skip", repr(error)
        results = [t for t in compare.leaves(results) if hasattr(t, "requires_grad")]
        if which >= len(results) or not results[which].requires_grad:
            return "skip", "no such result"
        start = lib.ones_like(results[which].detach())
        try:
            results[which].backward(start)
            results[which].backward(start)
        except (RuntimeError, ValueError) as error:
            return "raised", repr(error)
        return "done", [None if t.grad is None else compare.array_of(t.grad) for t in leaves if t.requires_grad], []


def weight_of(torch: Any, weight: Any) -> Any:
    return torch.from_numpy(weight.copy())


def differences(calls: Iterator[Call], torch: Any) -> tuple[list[str], int]:
    """Return what differs from PyTorch, a line each, and how many writes were compared."""
    found: list[str] = []
    count = 0
    for name, make in calls:
        for word, change in CHANGES:
            for which in range(4):
                theirs = outcome(make, torch, change, which)
                if theirs[0] == "skip":
                    break
                ours = outcome(make, tl, change, which)
                where = f"{name}: {word} of result {which}: "
                count += 1
                if ours[0] != theirs[0]:
                    found.append(f"{where}ours {said(ours)}, PyTorch {said(theirs)}")
                elif ours[0] == "done":
                    found += [f"{where}{what}" for what in unequal(ours, theirs)]
    return found, count


def said(result: Any) -> str:
    return result[0] if result[0] == "done" else f"{result[0]} {result[1]}"


def after_input(make: Any, lib: Any, which: int) -> Any:
    """Return what backward did after a write to one of the inputs: whether a value that it needs was kept as it was."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            results, leaves, inputs = make(lib)
        except Exception as error:
            return "skip", repr(error)
        results = [t for t in compare.leaves(results) if hasattr(t, "requires_grad") and t.requires_grad]
        if which >= len(inputs) or not inputs[which].requires_grad or not results:
            return "skip", "no such input"
        starts = [lib.ones_like(t.detach()) for t in results]
        with lib.no_grad():  # what remains of the graph is that of the call
            inputs[which].add_(1)
        try:
            lib.autograd.backward(results, starts)
        except (RuntimeError, ValueError) as error:
            return "raised", repr(error)
        return "done", [None if t.grad is None else compare.array_of(t.grad) for t in leaves if t.requires_grad], []


def differences_after_input(calls: Iterator[Call], torch: Any) -> tuple[list[str], int]:
    """Return where a write to an input before backward has other consequences than in PyTorch."""
    found: list[str] = []
    count = 0
    for name, make in calls:
        for which in range(3):
            theirs, ours = after_input(make, torch, which), after_input(make, tl, which)
            if theirs[0] == "skip":
                continue
            count += 1
            if ours[0] != theirs[0]:
                found.append(f"{name}: input {which}: ours {said(ours)}, PyTorch {said(theirs)}")
            elif ours[0] == "done":
                found += [f"{name}: input {which}: {what}" for what in unequal(ours, theirs)]
    return found, count


def differences_twice(calls: Iterator[Call], torch: Any) -> tuple[list[str], int]:
    """Return where a second backward pass works or raises other than in PyTorch, and how many were compared."""
    found: list[str] = []
    count = 0
    for name, make in calls:
        for which in range(4):
            theirs, ours = twice(make, torch, which), twice(make, tl, which)
            if theirs[0] == "skip":
                break
            count += 1
            if ours[0] != theirs[0]:
                found.append(f"{name}: result {which}: ours {said(ours)}, PyTorch {said(theirs)}")
            elif ours[0] == "done":
                found += [f"{name}: result {which}: {what}" for what in unequal(ours, theirs)]
    return found, count


def unequal(ours: Any, theirs: Any) -> Iterator[str]:
    for i, (a, b) in enumerate(zip(ours[1], theirs[1], strict=True)):
        if not near(a, b):
            yield f"gradient {i} is {a}, PyTorch's {b}"
    for i, (a, b) in enumerate(zip(ours[2], theirs[2], strict=True)):
        if not near(a, b):
            yield f"input {i} holds {a}, PyTorch's {b}"


def near(a: Any, b: Any) -> bool:
    if a is None or b is None:
        a, b = (np.zeros(1) if v is None else v for v in (a, b))
        return bool(np.allclose(a, 0) and np.allclose(b, 0))
    return bool(a.shape == b.shape and np.allclose(a, b, 1e-6, 1e-8, equal_nan=True))
