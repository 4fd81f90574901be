"""Evaluation mode, and means over examples that arrive in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinygrad_lite.engine.mode import no_grad
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.nn import Module
from tinygrad_lite.training.metrics import Metric, fresh


class Evaluating:
    """Context: evaluation mode without recording; every module's training mode is restored afterwards."""

    def __init__(self, model: Module) -> None:
        self.model, self.recording = model, no_grad()
        self.modes = [(module, module.training) for module in model.modules()]

    def __enter__(self) -> None:
        self.model.eval()
        self.recording.__enter__()

    def __exit__(self, *exc: object) -> None:
        self.recording.__exit__(*exc)
        for module, training in self.modes:
            module.training = training


class Means:
    """Running loss and metrics of one pass: means weighted by the number of examples, and `Metric` objects.

    Each pass works on its own copies of the `Metric` objects, so one pass cannot change the numbers of another.
    """

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self.metrics = {name: fresh(metric) for name, metric in metrics.items()}
        self.sums: dict[str, float] = dict.fromkeys(["loss", *metrics], 0.0)
        self.count = 0

    def add(self, loss: float, output: Any, target: Any) -> None:
        """Add one batch."""
        examples = size(output, target)
        self.sums["loss"] += loss * examples
        with no_grad():
            for name, metric in self.metrics.items():
                if isinstance(metric, Metric):
                    metric.update(output, target)
                else:
                    self.sums[name] += float(metric(output, target)) * examples
        self.count += examples

    def values(self) -> dict[str, float]:
        """Return the means so far, nothing before the first batch."""
        if not self.count:
            return {}
        return {
            name: float(metric.compute())
            if isinstance(metric := self.metrics.get(name), Metric)
            else total / self.count
            for name, total in self.sums.items()
        }

    def loss(self) -> float:
        """Return the mean loss so far."""
        return self.sums["loss"] / self.count


def leaves(value: Any) -> Iterator[Any]:
    """Yield the tensors and arrays in tuples, lists and dicts."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from leaves(part)
    elif getattr(value, "shape", None):
        yield value


def size(output: Any, target: Any) -> int:
    """Return the number of examples in a batch.

    It is the common length of the target's tensors, else of the output's; a list may also have one entry per example.

    >>> size(np.zeros((4, 2)), {"label": np.zeros(4), "scale": 1.0})
    4
    """
    lengths, given = {len(t) for t in leaves(target)}, {len(t) for t in leaves(output)}
    if isinstance(target, (list, tuple)) and (not lengths or (len(lengths) > 1 and len(target) in given)):
        return len(target)
    for found in (lengths, given):
        if len(found) == 1:
            return found.pop()
    return min(lengths & given or lengths or given or {1})


def length(data: Any) -> int | None:
    """Return the number of batches, None if unknown."""
    try:
        return len(data)
    except TypeError:
        return None


def joined(outputs: list[Any]) -> Any:
    """Concatenate the outputs of all batches, part by part in tuples, lists and dicts."""
    first = outputs[0]
    if isinstance(first, Mapping):
        return {name: joined([output[name] for output in outputs]) for name in first}
    if isinstance(first, (list, tuple)):
        parts = [joined(list(part)) for part in zip(*outputs, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    arrays = [np.atleast_1d(o.array if isinstance(o, Tensor) else np.asarray(o)) for o in outputs]
    shapes = {a.shape[1:] for a in arrays}
    if len(shapes) > 1:
        raise ShapeError(f"predict: the outputs of the batches differ beyond their first axis: {sorted(shapes)}")
    return make(np.concatenate(arrays))
