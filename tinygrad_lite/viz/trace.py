"""`trace`: run a module or a function once and return the graph of what it computed."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.mode import MODE, switch
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.errors import describe
from tinygrad_lite.profiler import profile as Profile
from tinygrad_lite.random import get_rng_state, set_rng_state
from tinygrad_lite.viz.capture.backward import backward_of
from tinygrad_lite.viz.capture.builder import Names
from tinygrad_lite.viz.capture.gradients import add_gradients
from tinygrad_lite.viz.capture.names import members, of_caller, of_function
from tinygrad_lite.viz.capture.nested import is_module, is_tensor, tensors_in
from tinygrad_lite.viz.capture.profiled import alike, write_run
from tinygrad_lite.viz.capture.tracer import Tracer
from tinygrad_lite.viz.model import Graph, Look, measures


@named
def trace(
    model: Any, *inputs: Any, kwargs: Mapping[str, Any] | None = None, on_error: str = "raise", **words: Any
) -> Graph:  # fmt: skip
    """Run ``model`` on ``inputs`` once and return its graph.

    Keyword arguments of the model follow the inputs, or go into ``kwargs`` if a name is taken. ``on_error="draw"``
    returns the graph up to an error, the failing op marked. `Graph.looking` and `draw` change how the graph is shown;
    neither runs the model again.

    >>> import tinygrad_lite as tl
    >>> trace(lambda x, scale: (x * scale).sum(), tl.ones(2, 3), scale=2).totals()["ops"]
    2
    """
    if not callable(model):
        raise TypeError(f"trace: expected a module or a function, got {describe(model)}")
    call = Call(model, inputs, keywords("trace", kwargs, words), on_error)
    return run(call, of_caller(3), Look(), "forward")


@dataclass(frozen=True)
class Call:
    """A model with the arguments of one run; ``on_error`` is "raise" or "draw"."""

    model: Any
    inputs: Sequence[Any]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    on_error: str = "raise"

    def __post_init__(self) -> None:
        if self.on_error not in ("raise", "draw"):
            raise ValueError(f"draw: on_error={self.on_error!r} is not one of raise, draw")


def keywords(name: str, kwargs: Any, words: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the keyword arguments of the model; raise TypeError if ``kwargs`` is no mapping of names to values."""
    if kwargs is not None and not (isinstance(kwargs, Mapping) and all(isinstance(k, str) for k in kwargs)):
        raise TypeError(f"{name}: kwargs must map the names of the model's arguments to values, got {describe(kwargs)}")
    return {**(kwargs or {}), **(words or {})}


def run(call: Call, names: Names, look: Look, graph: str, known_profile: Profile | None = None) -> Graph:
    """Trace one run of a model, then restore whatever the run changed."""
    model = call.model
    inputs, kwargs = tuple(map(tensors, call.inputs)), {k: tensors(v) for k, v in call.kwargs.items()}
    modules: dict[int, str] = {}
    known = {**names, **of_function(model, modules), **members(model, modules)}
    for name, t in arguments(model, inputs, kwargs):
        if known.get(id(t), ("", ""))[1] not in ("param", "buffer"):  # a model may be given its own weight
            known[id(t)] = (name, "input")
            if is_tensor(t):
                known[id(t.array)] = (name, "input")
    wants = measures(look)
    watch = known_profile and alike(known_profile)
    tracer = Tracer(known, modules, wants)
    grads = graph != "forward" or "grad" in wants
    observers = (*MODE.get().observers, tracer, *([watch] if watch else []))
    result: Any = None
    notes: tuple[str, ...] = ()
    with untouched(model), switch(observers=observers, **({"grad": True} if grads else {})):
        try:
            result = model(*inputs, **kwargs)
        except Exception as error:
            if call.on_error == "raise":
                raise
            notes = (tracer.failed(error),)
    ops = list(tracer.nodes)
    outs = [t for _, t in tracer.outputs(result)]
    if not tracer.nodes and not notes:
        raise TypeError(f"draw: the function did nothing that can be drawn; it returned {describe(result)}")
    if outs and (grads or tracer.scalar() and any_tracked(outs)):
        notes = (*notes, *add_gradients(tracer, outs))
    if known_profile and watch:
        notes = (*notes, *write_run(ops, watch, known_profile))
    tracer.finish()
    whole = Graph(tracer.nodes, tracer.edges, tracer.calls, look, notes)
    return whole if graph == "forward" else backward_of(whole, graph == "both")


def any_tracked(outs: Sequence[Any]) -> bool:
    """Whether any of the outputs requires a gradient."""
    return any(is_tensor(t) and t.tracked for t in outs)


def tensors(x: Any) -> Any:
    """Wrap a numeric array in a Tensor, so that the ops on it are recorded."""
    return make(x) if issubclass(type(x), np.ndarray) and x.dtype.kind in "biuf" else x


def arguments(model: Any, inputs: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield every tensor among the arguments with the name of its parameter."""
    forward = model.forward if is_module(model) else model
    try:
        words = [p for p in inspect.signature(forward).parameters.values() if p.name != "self"]
    except (TypeError, ValueError):
        words = []
    names = [p.name for p in words if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in words if p.kind is p.VAR_POSITIONAL), "input")
    for i, x in enumerate(inputs):
        yield from tensors_in(names[i] if i < len(names) else f"{rest}.{i - len(names)}", x)
    for name, x in kwargs.items():
        yield from tensors_in(name, x)


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Restore what a run may change: attributes and buffers of every module, and the random state."""
    modules = list(model.modules()) if is_module(model) else []
    before = [(m, dict(m.__dict__)) for m in modules]
    buffers = [(b, b.array, b.array.copy()) for b in model.buffers()] if is_module(model) else []
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
