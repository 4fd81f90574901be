"""The HTML page of a recorded training: a slider recolours the graph by the gradients of each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tinygrad_lite.viz.formats.html import to_html
from tinygrad_lite.viz.model import Graph
from tinygrad_lite.viz.scene.boxes import mark_text
from tinygrad_lite.viz.scene.building import view_of
from tinygrad_lite.viz.scene.theme import HEAT
from tinygrad_lite.viz.words import number_text

Judge = Callable[[float, float], str]


@dataclass(frozen=True)
class Step:
    """One recorded step: its number, the loss, and two numbers per parameter.

    These are the gradient norm and the relative change since the previous record.
    """

    number: int
    loss: float
    grad_norm: dict[str, float]
    update_ratio: dict[str, float]


def replay_page(graph: Graph, steps: Sequence[Step], warning: Judge) -> str:
    """Return the page; ``warning`` judges a gradient norm, given the median of its step."""
    return to_html(graph, replay_data(graph, steps, warning))


def replay_data(graph: Graph, steps: Sequence[Step], warning: Judge) -> dict[str, Any]:
    """Return what the page shows at each step: colour and text of every box that has parameters."""
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
            heat[id] = [level, norm_text(worst, warning(worst, middle))]
        title = f"step {s.number:,}, loss {number_text(s.loss)}"
        out.append({"title": title, "heat": heat})
    bounds = [math.exp(low + (high - low) * k / len(HEAT)) for k in range(len(HEAT) + 1)]
    legend = [
        [name, f"|grad| {number_text(bounds[k], 2)} … {number_text(bounds[k + 1], 2)}"]
        for k, name in enumerate(HEAT)
        if any(level == k for step in out for level, _ in step["heat"].values())
    ]
    return {"steps": out, "legend": legend}


def norm_text(norm: float, word: str) -> str:
    """Return the gradient norm as text, with the warning ``word`` if there is one."""
    size = f"|grad| {number_text(norm, 2)}"
    if not word:
        return size
    return f"{mark_text(word.partition(' gradient ')[0])} {size}" if math.isfinite(norm) else mark_text(word)
