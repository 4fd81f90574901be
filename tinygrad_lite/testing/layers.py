"""`check_layer`: check a layer or a loss that somebody wrote by hand on NumPy arrays, in one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.samples import Arr, Choices, Ints
from tinygrad_lite.testing.handwritten import BACKWARD, FORWARD, Functions, Handwritten, Objects, kept_random
from tinygrad_lite.testing.report import GradReport, finish
from tinygrad_lite.testing.search.one_example import Trial, quiet
from tinygrad_lite.testing.search.samplers import Spec, sampler_of
from tinygrad_lite.testing.search.search import search
from tinygrad_lite.testing.search.source import Sampler, Source
from tinygrad_lite.testing.verdict.point import Array, Rule

RTOL = 1e-4  # an eps that the gradient ignores is no error
BOUND = 3.0  # values are drawn from -BOUND to BOUND, so that few functions saturate


@named
def check_layer(
    layer: Any,
    *specs: Spec | str,
    params: Sequence[str] | Mapping[str, str] | None = None,
    options: Mapping[str, Choices] | None = None,
    forward: str | None = None,
    backward: str | None = None,
    args: Sequence[Any] = (),
    examples: int = 20,
    seed: int = 0,
    raise_exception: bool = True,
) -> GradReport:
    """Check a hand-written layer or loss on NumPy arrays, in the form in which it was written.

    ``layer`` is a pair of functions (forward, backward), a loss that returns (loss, gradient), a class with methods
    forward and backward, an object of it, or a function without arguments that makes one. Every call gets a new object.
    ``specs`` describe the inputs: ``Arr("n 3")`` or short ``"n 3"``, ``Ints("n", below=3)`` for labels, or an array as
    an example. Batches are never empty.

    forward may return the output alone or with a cache; backward may take g, g and the cache, or the inputs, and may
    return an array, a tuple, a dict by name, or leave gradients as attributes. ``params`` names the attributes of the
    parameters, or maps them to those of their gradients: ``{"W": "dW"}``; by default they are found by their names.
    ``forward`` and ``backward`` name the methods, ``args`` are further arguments of backward, such as a learning rate.

    The dtype of a gradient is a note. Writing into g and using a cache up are allowed, and so is an error of 1e-4: an
    eps that the gradient ignores.

    >>> import numpy as np
    >>> class Linear:
    ...     def __init__(self): self.W = np.ones((3, 2))
    ...     def forward(self, x):
    ...         self.x = x
    ...         return x @ self.W
    ...     def backward(self, g):
    ...         self.dW = self.x.T @ g
    ...         return g @ self.W.T
    >>> print(check_layer(Linear, "n 3"))
    check_layer(Linear): ok, 20 points checked
      inputs x, W
    """
    name = _name(layer)
    title = f"check_layer({name})"
    if not specs:
        raise TypeError(f'{title}: describe the inputs: check_layer({name}, "n 3"), or pass an array as an example')
    inputs = sampler_of([_spec(s) for s in specs], options)
    hand = _handwritten(layer, title, len(specs), forward, backward, args)
    ordinary = _moderate(inputs)
    arrays, kw = ordinary(Source.example(seed, 0))
    with quiet(), kept_random():
        problem = hand.prepare(arrays, kw, params)
    report = GradReport(title, examples=0)
    if problem:
        report.ok, report.kind, report.detail = False, problem.kind, problem.text
        return finish(report, raise_exception)
    rule = Rule(hand.forward, hand.backward, name, hand.wrt, hand.names, lenient=True)
    with kept_random():
        report = search(Trial(rule, hand.sampler(ordinary), "report", RTOL), examples, seed, title, name)
    report.notes = [*hand.notes, *report.notes]
    report.reproduction = "" if not report.ok else report.reproduction
    return finish(report, raise_exception)


def _spec(spec: Any) -> Spec:
    if isinstance(spec, str):
        spec = Arr(spec)
    if isinstance(spec, Arr):
        lo, hi = spec.lo, spec.hi
        if np.isfinite(lo) and np.isfinite(hi):  # a clip inside a loss is not visible away from its ends
            lo, hi = lo + 0.02 * (hi - lo), hi - 0.02 * (hi - lo)
        elif np.isfinite(lo):
            lo, hi = lo + 0.02, lo + 2 * BOUND
        elif np.isfinite(hi):
            lo, hi = hi - 2 * BOUND, hi - 0.02
        else:
            lo, hi = -BOUND, BOUND
        return replace(spec, lo=lo, hi=hi, min=max(spec.min, 1))
    return spec if isinstance(spec, Ints) else np.asarray(spec)


def _moderate(inputs: Sampler) -> Sampler:
    """Draw ordinary values where a search would draw zeros or a constant: an eps decides there."""

    def sample(src: Source) -> tuple[Sequence[Array], dict[str, Any]]:
        if src.mode in ("allzero", "constant"):
            src.mode = "spread"
        return inputs(src)

    return sample


def _name(layer: Any) -> str:
    target = layer[0] if isinstance(layer, tuple) else layer
    return str(getattr(target, "__name__", type(target).__name__))


def _handwritten(
    layer: Any, title: str, count: int, forward: str | None, backward: str | None, args: Sequence[Any]
) -> Handwritten:
    if isinstance(layer, tuple):
        if len(layer) != 2 or not all(map(callable, layer)):
            raise TypeError(f"{title}: a tuple must be (forward, backward), two functions")
        return Functions(layer[0], layer[1], count, args)
    if isinstance(layer, type):
        make: Callable[[], Any] = layer
        needed = _required(layer)
        if needed:
            raise TypeError(
                f"{title}: the constructor needs {', '.join(needed)}; pass an object, or lambda: {layer.__name__}(...)"
            )
    elif inspect.isroutine(layer) and _required(layer):
        return Functions(layer, None, count, args)
    elif inspect.isroutine(layer):
        make = layer
    else:
        make = Objects.copies(layer)
    sample = make()
    if not any(hasattr(sample, m) for m in (forward,) if m) and not any(hasattr(sample, m) for m in FORWARD):
        raise TypeError(f"{title}: {type(sample).__name__} has no method forward; name it with forward=")
    found = forward or next(m for m in FORWARD if hasattr(sample, m))
    back = backward or next((m for m in BACKWARD if hasattr(sample, m)), None)
    if back is None or not hasattr(sample, back):
        raise TypeError(f"{title}: {type(sample).__name__} has no method {back or 'backward'}; name it with backward=")
    return Objects(make, found, back, count, args)


def _required(function: Any) -> list[str]:
    """Return the names of the arguments without a default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [
        p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
