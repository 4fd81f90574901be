"""Training replay: the graph of a model with a slider that recolours it by the gradients of each step."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import median
from typing import Any

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import describe
from tinygrad_lite.serialization.atomic import replacing
from tinygrad_lite.viz.capture.gradients import ill
from tinygrad_lite.viz.capture.values import statistics
from tinygrad_lite.viz.formats.html import to_html
from tinygrad_lite.viz.formats.notebook import framed
from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.scene.boxes import mark_text
from tinygrad_lite.viz.scene.theme import HEAT
from tinygrad_lite.viz.scene.view import view_of
from tinygrad_lite.viz.trace import trace
from tinygrad_lite.viz.words import number_text


class Recorder:
    """Writes down the gradient norm of every parameter while a model trains.

    Call ``step(loss)`` after each ``loss.backward()``; every ``every``-th call is recorded. ``save_html`` writes a page
    with a slider over the recorded steps. The graph is that of the model's first recorded run.

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
        self.steps: list[Step] = []
        self.graph: Graph | None = None
        self.inputs: tuple[Any, ...] | None = None
        self.before: dict[str, Any] = {}
        self.hook: Any = model.register_forward_pre_hook(self._see)

    def _see(self, module: Any, args: tuple[Any, ...]) -> None:
        self.inputs = args

    def step(self, loss: Any) -> None:
        """Record this step of training, if it is its turn; ``loss`` is a tensor of one element or a number."""
        self.count += 1
        if (self.count - 1) % self.every:
            return
        number = float(loss.array.reshape(-1)[0]) if isinstance(loss, Tensor) else float(loss)
        if self.graph is None:
            if self.inputs is None:
                raise RuntimeError("Recorder.step: the model has not been called since the Recorder was made")
            self.hook.remove()
            self.graph = trace(self.model, *self.inputs)
            self.inputs = None
        grads, ratios = {}, {}
        for name, p in self.model.named_parameters():
            if p.grad is not None:
                numbers = statistics(p.grad.array)
                grads[name] = math.nan if numbers["nonfinite"] else numbers["norm"]
            old = self.before.get(name)
            if old is not None and old.shape == p.array.shape:
                size = statistics(old)["norm"]
                ratios[name] = statistics(p.array - old)["norm"] / size if size else math.inf
            self.before[name] = p.array.copy()
        self.steps.append(Step(self.count, number, grads, ratios))

    def to_html(self) -> str:
        """Return the page with the slider."""
        if self.graph is None:
            raise RuntimeError("Recorder: nothing is recorded yet; call step(loss) after loss.backward()")
        return to_html(self.graph, replay(self.graph, self.steps))

    def save_html(self, path: str | Path) -> Path:
        """Write the page with the slider, and return its path."""
        with replacing(path) as file:
            file.write(self.to_html().encode())
        return Path(path)

    def _repr_html_(self) -> str:
        return framed(self.to_html())


class Step:
    """One recorded step: its number, the loss, gradient norm and relative change since the last record by parameter."""

    def __init__(self, number: int, loss: float, grad_norm: dict[str, float], update_ratio: dict[str, float]) -> None:
        self.number, self.loss, self.grad_norm, self.update_ratio = number, loss, grad_norm, update_ratio


def replay(graph: Graph, steps: list[Step]) -> dict[str, Any]:
    """Return what the page shows at each step: colour and words of every box that has parameters."""
    view = view_of(graph)
    owners: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.kind != "param":
            continue
        for e in graph.users[node.id]:
            owners.setdefault(e.dst, []).append(node.id)
        if node.id in view.boxes:
            owners.setdefault(node.id, []).append(node.id)
    for id, names in list(owners.items()):
        parent = view.boxes[id].parent if id in view.boxes else ""
        for group in view.chain(parent):
            owners.setdefault(group, []).extend(names)
    positive = [g for s in steps for g in s.grad_norm.values() if math.isfinite(g) and g > 0]
    low, high = (math.log(min(positive)), math.log(max(positive))) if positive else (0.0, 0.0)
    out: list[dict[str, Any]] = []
    for s in steps:
        finite = [g for g in s.grad_norm.values() if math.isfinite(g)]
        middle = median(finite) if finite else 0.0
        heat = {}
        for id, names in owners.items():
            norms = [s.grad_norm[n] for n in names if n in s.grad_norm]
            if not norms:
                continue
            worst = math.nan if any(not math.isfinite(g) for g in norms) else max(norms)
            part = (math.log(worst) - low) / (high - low) if worst > 0 and high > low else 0.0
            level = min(int(part * len(HEAT)), len(HEAT) - 1) if math.isfinite(part) else len(HEAT) - 1
            heat[id] = [level, words_of(worst, middle)]
        title = f"step {s.number:,}, loss {number_text(s.loss)}"
        out.append({"title": title, "heat": heat})
    bounds = [math.exp(low + (high - low) * k / len(HEAT)) for k in range(len(HEAT) + 1)]
    legend = [
        [name, f"|grad| {number_text(bounds[k], 2)} … {number_text(bounds[k + 1], 2)}"]
        for k, name in enumerate(HEAT)
        if any(level == k for step in out for level, _ in step["heat"].values())
    ]
    return {"steps": out, "legend": legend}


def words_of(norm: float, middle: float) -> str:
    """Return the gradient norm in words, with a warning where it is far from the others."""
    word = ill(norm, middle)
    size = f"|grad| {number_text(norm, 2)}"
    if not word:
        return size
    return f"{mark_text(word.partition(' gradient ')[0])} {size}" if math.isfinite(norm) else mark_text(word)
