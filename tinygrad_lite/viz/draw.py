"""`draw`: the graph of a tensor, a module or a function, with the choice of how to show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tinygrad_lite.engine import arguments
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import describe
from tinygrad_lite.profiler import profile as Profile
from tinygrad_lite.viz.capture.builder import Names
from tinygrad_lite.viz.capture.names import named, of_caller
from tinygrad_lite.viz.capture.profiled import checked
from tinygrad_lite.viz.capture.walk import walk
from tinygrad_lite.viz.model import PROFILED, Graph, GraphNode, Look
from tinygrad_lite.viz.trace import Call, keywords, run

GRAPHS = ("forward", "backward", "both")

DOOR = "__graph__"
"""The method by which another kind of program, such as a compiled step, returns its own `Graph` to `draw`."""


@arguments.named
def draw(
    target: Any,
    *inputs: Any,
    graph: str = "forward",
    depth: int | None = None,
    params: str = "fold",
    show: Sequence[str] = ("shape",),
    color_by: str | Callable[[GraphNode], float] | None = None,
    fold_repeats: bool = True,
    rankdir: str = "TB",
    theme: str = "auto",
    legend: bool = True,
    names: Mapping[str, Any] | None = None,
    max_nodes: int = 200,
    engine: str = "auto",
    title: str | None = None,
    profile: Profile | None = None,
    kwargs: Mapping[str, Any] | None = None,
    on_error: str = "raise",
) -> Graph:
    """Return the graph of a tensor, or of one run of a module or function on ``inputs``.

    A run restores what it changes (mode, buffers, random state, ``.grad``), and no recorded node stays alive.

    ``graph``: ``"forward"``, ``"backward"`` or ``"both"``. ``depth``: how many levels of modules are expanded (None:
    all but the layers of the library). ``params``: inside the box of their op (``"fold"``), in separate boxes
    (``"show"``), or not (``"hide"``). ``show``: lines in the boxes, any of shape, dtype, value, grad, stats, attrs,
    flops, bytes, time, source, saved. ``color_by``: kind, grad_norm, update_ratio, flops, bytes, time, act_std, or a
    function of a node. ``profile``: with it time (forward and backward), forward, backward, calls and bytes are the
    measured ones. ``fold_repeats``: draw equal consecutive modules once, with their number. ``rankdir``: TB, LR, BT or
    RL. ``theme``: light, dark, page (no ground, for any page), or auto (follows the reader). ``names``: names of
    tensors, or a module to take them from. ``max_nodes``: with more boxes than this, modules are collapsed.
    ``engine``: ``"graphviz"`` uses ``dot``. ``kwargs``: the model's keyword arguments. ``on_error``: ``"draw"`` draws a
    failing run up to the error.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor(3.0, requires_grad=True)
    >>> print(draw(x * x))
    %1 = mul(x, x)  () f32  value 9 | grad 1
    return %1
    >>> from tinygrad_lite.profiler import profile
    >>> layer = tl.nn.Linear(2, 1)
    >>> with profile() as p:
    ...     for _ in range(3):
    ...         layer(tl.ones(4, 2)).sum().backward()
    >>> draw(layer, tl.ones(4, 2), profile=p, color_by="time")["Linear/linear.1"].measured.calls
    3
    """
    look = Look(
        depth, params, tuple(show) if not isinstance(show, str) else (show,), color_by, fold_repeats, rankdir, theme,
        legend, max_nodes, engine, title,
    )  # fmt: skip
    if graph not in GRAPHS:
        raise ValueError(f"draw: graph={graph!r} is not one of {', '.join(GRAPHS)}")
    known_profile = checked(profile)
    if isinstance(target, Graph):
        return measured(redrawn(target, look, profile))
    call = Call(target, inputs, keywords("draw", kwargs), on_error)
    return measured(captured(call, {**of_caller(3), **named(names)}, look, graph, known_profile))


def redrawn(graph: Graph, look: Look, profile: Any) -> Graph:
    """Return the same graph with another look."""
    if profile is not None:
        raise TypeError("draw: profile belongs to a tensor or to a run; a Graph keeps its own measurements")
    return Graph(graph.nodes, graph.edges, graph.calls, look, graph.notes)


def captured(call: Call, names: Names, look: Look, graph: str, profile: Profile | None) -> Graph:
    """Return the graph of a tensor, of a list of tensors, or of one run of a module or function."""
    target = call.model
    if isinstance(target, Tensor) or isinstance(target, (list, tuple)) and any(isinstance(t, Tensor) for t in target):
        if call.inputs or call.kwargs:
            raise TypeError("draw: a tensor is already computed; inputs belong to a module or function")
        return walk(target, names, look, graph, profile)
    if callable(getattr(type(target), DOOR, None)):
        made: Graph = getattr(target, DOOR)(*call.inputs, **call.kwargs)
        return replace(made, look=replace(look, title=look.title or made.look.title))
    if not callable(target):
        raise TypeError(f"draw: expected a tensor, a module, a function or a Graph, got {describe(target)}")
    return run(call, names, look, graph, profile)


def measured(graph: Graph) -> Graph:
    """Return the graph; raise ValueError if its colours need a profile and it has none."""
    by = graph.look.color_by
    if isinstance(by, str) and by in PROFILED and not any(n.measured for n in graph.nodes):
        raise ValueError(f"draw: color_by={by!r} needs a profile: draw(..., profile=p, color_by={by!r})")
    return graph
