"""Training replay: the graph of a model with a slider that recolours it by the gradients of each step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygrad_lite.engine.arguments import named_constructor
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import describe
from tinygrad_lite.serialization.atomic import replacing
from tinygrad_lite.viz.capture.gradients import gradient_warning
from tinygrad_lite.viz.capture.values import statistics
from tinygrad_lite.viz.formats.notebook import framed
from tinygrad_lite.viz.formats.replay import Step, replay_page
from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.trace import trace


@dataclass(frozen=True)
class Seen:
    """Copies of the gradients and parameters at one step."""

    count: int
    loss: float
    grads: dict[str, Any]
    values: dict[str, Any]


@named_constructor
class Recorder:
    """Record the gradient norm of every parameter while a model trains.

    Call ``step(loss)`` after each ``loss.backward()``; every ``every``-th call is recorded, and always the last one.
    ``save_html`` writes a page with a slider over the recorded steps. The graph is that of the model's first recorded
    run.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn
    >>> model = nn.Linear(2, 1)
    >>> recorder = Recorder(model, every=1)
    >>> loss = (model(tl.ones(3, 2)) ** 2).mean()
    >>> loss.backward()
    >>> recorder.step(loss)
    >>> len(recorder.steps), sorted(recorder.steps[0].grad_norm)
    (1, ['bias', 'weight'])
    """

    def __init__(self, model: Any, every: int = 10) -> None:
        if not hasattr(model, "named_parameters") or not hasattr(model, "register_forward_pre_hook"):
            raise TypeError(f"Recorder: expected a module, got {describe(model)}")
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise ValueError(f"Recorder: every must be a whole number of at least 1, got {every!r}")
        self.model, self.every = model, every
        self.count = 0
        self.recorded: list[Step] = []
        self.last: Seen | None = None  # the latest step, if it is not recorded yet
        self.graph: Graph | None = None
        self.inputs: tuple[Any, ...] | None = None
        self.before: dict[str, Any] = {}
        self.hook: Any = model.register_forward_pre_hook(self._see)

    def _see(self, module: Any, args: tuple[Any, ...]) -> None:
        self.inputs = args

    def step(self, loss: Any) -> None:
        """Record every ``every``-th training step; ``loss`` is a tensor of one element or a number."""
        self.count += 1
        number = float(loss.array.reshape(-1)[0]) if isinstance(loss, Tensor) else float(loss)
        if self.graph is None:
            if self.inputs is None:
                raise RuntimeError("Recorder.step: the model has not been called since the Recorder was made")
            self.hook.remove()
            self.graph = trace(self.model, *self.inputs)
            self.inputs = None
        named = list(self.model.named_parameters())
        grads = {name: p.grad.array.copy() for name, p in named if p.grad is not None}
        self.last = Seen(self.count, number, grads, {name: p.array.copy() for name, p in named})
        if (self.count - 1) % self.every == 0:
            self.recorded.append(self._compared(self.last))
            self.before, self.last = self.last.values, None

    def _compared(self, seen: Seen) -> Step:
        """Return the norms of one step, and the relative changes since the previous record."""
        grads, ratios = {}, {}
        for name, g in seen.grads.items():
            numbers = statistics(g)
            grads[name] = math.nan if numbers["nonfinite"] else numbers["norm"]
        for name, array in seen.values.items():
            old = self.before.get(name)
            if old is not None and old.shape == array.shape:
                size = statistics(old)["norm"]
                ratios[name] = statistics(array - old)["norm"] / size if size else math.inf
        return Step(seen.count, seen.loss, grads, ratios)

    @property
    def steps(self) -> list[Step]:
        """The recorded steps; the last one of the training is always among them."""
        return self.recorded if self.last is None else [*self.recorded, self._compared(self.last)]

    def to_html(self) -> str:
        """Return the page with the slider."""
        return replay_page(self._seen_graph(), self.steps, gradient_warning)

    def _seen_graph(self) -> Graph:
        if self.graph is None:
            raise RuntimeError("Recorder: nothing is recorded yet; call step(loss) after loss.backward()")
        return self.graph

    def save_html(self, path: str | Path) -> Path:
        """Write the page with the slider, and return its path."""
        with replacing(path) as file:
            file.write(self.to_html().encode())
        return Path(path)

    def _repr_html_(self) -> str:
        return framed(replay_page(self._seen_graph().on_page(), self.steps, gradient_warning))
