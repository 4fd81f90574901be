"""Metrics: functions of output and target, and `Metric` objects that see all batches of a pass."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ShapeError, describe


class Metric:
    """Base of metrics that are not a mean over examples: define `reset`, `update` and `compute`.

    >>> class Largest(Metric):
    ...     def reset(self):
    ...         self.value = 0.0
    ...     def update(self, output, target):
    ...         self.value = max(self.value, float(abs(output - target).max()))
    ...     def compute(self):
    ...         return self.value
    """

    def reset(self) -> None:
        """Forget all batches; called before each pass."""
        raise NotImplementedError(f"{type(self).__name__} does not define reset")

    def update(self, output: Any, target: Any) -> None:
        """Take one batch into account."""
        raise NotImplementedError(f"{type(self).__name__} does not define update")

    def compute(self) -> float:
        """Return the value for all batches since `reset`."""
        raise NotImplementedError(f"{type(self).__name__} does not define compute")


class Foreign(Metric):
    """A metric object of another library with the methods of `Metric`."""

    def __init__(self, metric: Any) -> None:
        self.metric = metric
        self.name = metric_name(metric)

    def reset(self) -> None:
        """Forget all batches."""
        self.metric.reset()

    def update(self, output: Any, target: Any) -> None:
        """Take one batch into account."""
        self.metric.update(output, target)

    def compute(self) -> float:
        """Return the value for all batches."""
        return float(self.metric.compute())


def fresh(metric: Any) -> Any:
    """Return a reset copy of a `Metric`; functions stay themselves."""
    if not isinstance(metric, Metric):
        return metric
    own = copy.deepcopy(metric)
    own.reset()
    return own


def metric_name(metric: Any) -> str:
    """Return the name of a metric in the history.

    >>> metric_name(functools.partial(accuracy)), metric_name(lambda output, target: 0.0)
    ('accuracy', 'metric')
    """
    while isinstance(metric, functools.partial):
        metric = metric.func
    name = getattr(metric, "__name__", None)
    name = name if isinstance(name, str) else getattr(metric, "name", None)
    if not isinstance(name, str):
        name = type(metric).__name__
    return "metric" if name == "<lambda>" else name


def named_metrics(metrics: Any) -> dict[str, Any]:
    """Return metrics by name; the second of a name gets the suffix ``_2``.

    ``metrics`` is a mapping, a list, or a single metric. Classes of metrics are instantiated. Raises ValueError for a
    name that the history uses itself, TypeError for anything that cannot be called.
    """
    if isinstance(metrics, Mapping):
        pairs: Iterable[tuple[Any, Any]] = metrics.items()
    else:
        listed = [metrics] if callable(metrics) or hasattr(metrics, "update") else list(metrics)
        pairs = [(None, metric) for metric in listed]
    out: dict[str, Any] = {}
    for name, metric in pairs:
        if isinstance(metric, type):
            metric = metric()
        if not isinstance(metric, Metric) and all(hasattr(metric, m) for m in ("reset", "update", "compute")):
            metric = Foreign(metric)
        if not isinstance(metric, Metric) and not callable(metric):
            raise TypeError(f"Trainer: a metric must be a function of output and target, got {describe(metric)}")
        base = metric_name(metric) if name is None else name
        if base in ("loss", "lr", "seconds") or str(base).startswith("val_"):
            raise ValueError(
                f"Trainer: a metric cannot be called {base!r}, the history has its own column of that name; "
                "pass metrics={'another_name': function}"
            )
        name, number = base, 1
        while name in out:
            number += 1
            name = f"{base}_{number}"
        out[name] = metric
    return out


def bare(value: Any) -> Any:
    """Return the array of a tensor."""
    return value.array if isinstance(value, Tensor) else np.asarray(value)


@named
def accuracy(output: Any, target: Any) -> float:
    """Return the fraction of correct predictions.

    ``output``: scores (batch, classes, ...) with class numbers (batch, ...) as ``target``; or scores of two classes in
    the shape of ``target``, with the threshold 0.5 when all lie between 0 and 1 and 0 otherwise. Raises ShapeError for
    other shapes.

    >>> import tinygrad_lite as tl
    >>> accuracy(tl.tensor([[0.1, 0.9], [0.8, 0.2]]), tl.tensor([1, 1]))
    0.5
    """
    scores, truth = bare(output), bare(target)
    if scores.ndim == truth.ndim + 1 and scores.shape[:1] + scores.shape[2:] == truth.shape:
        right = scores.argmax(1) == truth
    elif scores.shape == truth.shape:
        probabilities = scores.size and scores.min() >= 0 and scores.max() <= 1
        right = (scores > (0.5 if probabilities else 0.0)) == (truth > 0.5)
    else:
        raise ShapeError(f"accuracy: output {describe(output)} does not fit target {describe(target)}")
    return float(right.mean()) if right.size else float("nan")
