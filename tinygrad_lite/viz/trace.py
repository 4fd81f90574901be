"""`trace`: run a module or a function once and return the graph of what it computed."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinygrad_lite.engine.mode import MODE, switch
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import describe
from tinygrad_lite.profiler import profile as Profile
from tinygrad_lite.random import get_rng_state, set_rng_state
from tinygrad_lite.viz.capture.backward import backward_of
from tinygrad_lite.viz.capture.builder import Names
from tinygrad_lite.viz.capture.gradients import add_gradients
from tinygrad_lite.viz.capture.names import members, of_caller
from tinygrad_lite.viz.capture.profiled import alike, write_run
from tinygrad_lite.viz.capture.tracer import Tracer
from tinygrad_lite.viz.model import Graph, Look, measures


def trace(model: Any, *inputs: Any) -> Graph:
    """Run ``model`` on ``inputs`` once and return its graph.

    `Graph.looking` and `draw` change how the graph is shown; neither runs the model again.

    >>> import tinygrad_lite as tl
    >>> trace(lambda x: (x * 2).sum(), tl.ones(2, 3)).totals()["ops"]
    2
    """
    if not callable(model):
        raise TypeError(f"trace: expected a module or a function, got {describe(model)}")
    return run(model, inputs, of_caller(2), Look(), "forward")


def run(
    model: Any, inputs: Sequence[Any], names: Names, look: Look, graph: str, known_profile: Profile | None = None
) -> Graph:  # fmt: skip
    """Trace one run of ``model``, then restore whatever the run changed."""
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
    """Whether any of the outputs requires a gradient."""
    return any(isinstance(t, Tensor) and t.tracked for t in outs)


def tensors(x: Any) -> Any:
    """Wrap a numeric array in a Tensor, so that the ops on it are recorded."""
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
    """Restore what a run may change: attributes and buffers of every module, and the random state."""
    modules = list(model.modules()) if hasattr(model, "modules") else []
    before = [(m, dict(m.__dict__)) for m in modules]
    buffers = [(b, b.array, b.array.copy()) for b in model.buffers()] if hasattr(model, "buffers") else []
    state, old_state = get_rng_state(), np.random.get_state()  # noqa: NPY002 - the user's code may use it
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
