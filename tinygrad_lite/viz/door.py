"""The two ways in: `trace` runs a function and writes down what it does, `draw` shows it, or a recorded graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygrad_lite.engine.mode import MODE, switch
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import describe
from tinygrad_lite.profiler import profile as Profile
from tinygrad_lite.viz.capture.backward import backward_of
from tinygrad_lite.viz.capture.builder import Names
from tinygrad_lite.viz.capture.gradients import add_gradients
from tinygrad_lite.viz.capture.names import members, named, of_caller
from tinygrad_lite.viz.capture.profiled import alike, checked, write_run
from tinygrad_lite.viz.capture.tracer import Tracer
from tinygrad_lite.viz.capture.walk import walk
from tinygrad_lite.viz.model import PROFILED, Graph, GraphNode, Look, measures

GRAPHS = ("forward", "backward", "both")


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
) -> Graph:
    """Return the graph of ``target``: of the tensor it is, or of one run of the module or function on ``inputs``.

    A run leaves everything as it was: mode, buffers, random numbers, ``.grad``; and no tape stays alive.

    ``graph``: the computation, its backward pass, or both. ``depth``: how many levels of modules are open (None: all).
    ``params``: inside the box of their op (``"fold"``), as boxes of their own (``"show"``), or not (``"hide"``).
    ``show``: what to write in the boxes, of shape, dtype, value, grad, stats, attrs, flops, bytes, time, source, saved.
    ``color_by``: kind, grad_norm, update_ratio, flops, bytes, time, act_std, or a function of a node;
    with ``profile`` time (forward and backward), forward, backward, calls and bytes are what that profile measured.
    ``fold_repeats``: equal modules in a row are drawn once, with their number. ``rankdir``: TB, LR, BT or RL.
    ``theme``: light, dark, or auto (follows the reader). ``names``: names of tensors, or a module to take them from.
    ``max_nodes``: above so many boxes modules are closed. ``engine``: ``"graphviz"`` lets the ``dot`` program draw.

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
        if profile is not None:
            raise TypeError("draw: profile belongs to a tensor or to a run; a Graph keeps what was measured when drawn")
        return measured(Graph(target.nodes, target.edges, target.calls, look, target.notes))
    known = {**of_caller(2), **named(names)}
    if isinstance(target, Tensor) or isinstance(target, (list, tuple)) and any(isinstance(t, Tensor) for t in target):
        if inputs:
            raise TypeError("draw: a tensor is already computed; inputs belong to a module or function")
        return measured(walk(target, known, look, graph, known_profile))
    if not callable(target):
        raise TypeError(f"draw: expected a tensor, a module, a function or a Graph, got {describe(target)}")
    return measured(run(target, inputs, known, look, graph, known_profile))


def measured(graph: Graph) -> Graph:
    """Return the graph; raises ValueError if its colours need a profile and it has none."""
    by = graph.look.color_by
    if isinstance(by, str) and by in PROFILED and not any(n.measured for n in graph.nodes):
        raise ValueError(f"draw: color_by={by!r} is what a profile measures: draw(..., profile=p, color_by={by!r})")
    return graph


def trace(model: Any, *inputs: Any) -> Graph:
    """Run ``model`` on ``inputs`` once and return its graph; `Graph.looking` and `draw` show it in other ways.

    >>> import tinygrad_lite as tl
    >>> trace(lambda x: (x * 2).sum(), tl.ones(2, 3)).totals()["ops"]
    2
    """
    if not callable(model):
        raise TypeError(f"trace: expected a module or a function, got {describe(model)}")
    return run(model, inputs, of_caller(2), Look(), "forward")


# ------------------------------------------------------------------------------------------------ running
def run(
    model: Any, inputs: Sequence[Any], names: Names, look: Look, graph: str, known_profile: Profile | None = None
) -> Graph:  # fmt: skip
    """Trace one run of ``model`` and put everything back."""
    inputs = tuple(tensors(x) for x in inputs)
    modules: dict[int, str] = {}
    known = {**names, **members(model, modules)}
    for name, t in arguments(model, inputs):
        known[id(t)] = (name, "input")
        if isinstance(t, Tensor):
            known[id(t.array)] = (name, "input")
    wants = measures(look)
    watch = known_profile and alike(known_profile)
    tracer = Tracer(known, modules, wants)
    grads = graph != "forward" or "grad" in wants
    observers = (*MODE.get().observers, tracer, *([watch] if watch else []))
    with untouched(model), switch(observers=observers, **({"grad": True} if grads else {})):
        result = model(*inputs)
    if not isinstance(result, Tensor) and not tracer.nodes:
        raise TypeError(f"draw: the function did nothing that can be drawn; it returned {describe(result)}")
    ops = list(tracer.nodes)
    outs = [t for _, t in tracer.outputs(result)]
    notes = add_gradients(tracer, outs) if grads or tracer.scalar() and any_tracked(outs) else ()
    if known_profile and watch:
        notes = (*notes, *write_run(ops, watch, known_profile))
    tracer.finish()
    whole = Graph(tracer.nodes, tracer.edges, tracer.calls, look, notes)
    return whole if graph == "forward" else backward_of(whole, graph == "both")


def any_tracked(outs: Sequence[Any]) -> bool:
    """Whether one of the results can be differentiated."""
    return any(isinstance(t, Tensor) and t.tracked for t in outs)


def tensors(x: Any) -> Any:
    """Return arrays as tensors, so that the ops on them are seen."""
    return make(x) if isinstance(x, np.ndarray) and x.dtype.kind in "biuf" else x


def arguments(model: Any, inputs: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Yield every tensor among the inputs with the name of its parameter."""
    forward = getattr(model, "forward", model)
    try:
        words = [p for p in inspect.signature(forward).parameters.values() if p.name != "self"]
    except (TypeError, ValueError):
        words = []
    names = [p.name for p in words if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in words if p.kind is p.VAR_POSITIONAL), "input")
    for i, x in enumerate(inputs):
        name = names[i] if i < len(names) else f"{rest}.{i - len(names)}"
        stack = [(name, x)]
        while stack:
            path, value = stack.pop()
            if isinstance(value, (Tensor, np.ndarray)):
                yield path, value
            elif isinstance(value, (list, tuple)):
                stack.extend((f"{path}.{k}", v) for k, v in reversed(list(enumerate(value))))
            elif isinstance(value, Mapping):
                stack.extend((f"{path}.{k}", v) for k, v in reversed(list(value.items())))


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Put back what a run may change: attributes and buffers of every module, the random numbers."""
    from tinygrad_lite.random import get_rng_state, set_rng_state

    modules = list(model.modules()) if hasattr(model, "modules") else []
    before = [(m, dict(m.__dict__)) for m in modules]
    buffers = [(b, b.array, b.array.copy()) for b in model.buffers()] if hasattr(model, "buffers") else []
    state, old_state = get_rng_state(), np.random.get_state()  # noqa: NPY002 - users' code may draw from it
    try:
        yield
    finally:
        set_rng_state(state)
        np.random.set_state(old_state)  # noqa: NPY002
        for module, attributes in before:
            module.__dict__.clear()
            module.__dict__.update(attributes)
        for buffer, array, values in buffers:
            buffer.array = array
            if array.flags.writeable:
                array[...] = values
