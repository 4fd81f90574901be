"""Two runs of a model, written down as lists of events that are compared one by one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import MODE, Observer, switch
from tinygrad_lite.engine.op import OPS
from tinygrad_lite.engine.source import line_of, user_frame
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.engine.views import renew
from tinygrad_lite.nn.module import Module
from tinygrad_lite.random import get_rng_state, manual_seed, set_rng_state


class Event(NamedTuple):
    """An op, an array made by a constructor, or one computed outside of ops."""

    name: str
    args: tuple[Any, ...]
    outs: tuple[Any, ...]
    place: Any
    module: str

    def where(self) -> str:
        """Return the module and the user's line of the event."""
        return f" (in {self.module or 'the model'}; {line_of(self.place)})"


class Recording(Observer):
    """Writes down the events of one run. Everything in them is kept alive, so that an ``id`` means one object."""

    def __init__(self, model: Any) -> None:
        self.events: list[Event] = []
        self.paths = {id(m): n for n, m in model.named_modules()} if isinstance(model, Module) else {}
        self.stack = [""]
        for name in ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "arange"):
            setattr(self, name, self._making(new.numpys(name)))

    def _making(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a constructor for `new.redirect` that notes what the array holds before anything is written to it."""

        def make(*args: Any, **words: Any) -> Any:
            array = function(*args, **words)
            if self in MODE.get().observers:  # ops take themselves out while they run
                self.events.append(Event("made", (array.copy(),), (array,), None, self.stack[-1]))
            return array

        return make

    def after(self, op: Any, args: tuple[Any, ...], out: Any, frame: Any) -> None:
        """Note an op that has run."""
        place = user_frame(frame)
        kept = tuple(list(a) if isinstance(a, list) else a for a in args)
        outs = out if isinstance(out, tuple) else (out,)
        self.events.append(Event(op.name, kept, outs, (place.f_code, place.f_lasti), self.stack[-1]))
        self.events[-1].outs[0].array  # noqa: B018 - the arrays are kept alive by their tensors

    def computed(self, name: str, args: tuple[Any, ...], out: Any) -> None:
        """Note an array that a function outside of ops has computed."""
        self.events.append(Event(f"{name}()", args, (out,), None, self.stack[-1]))

    def read(self, t: Any) -> None:
        """Note that the program goes on with a number out of a tensor."""
        place = user_frame(sys._getframe(3))
        self.events.append(Event("read", (t,), (t,), (place.f_code, place.f_lasti), self.stack[-1]))

    def written(self, t: Any, value: Any, root: Any, path: Any, frame: Any) -> None:
        """Note a write as the op `overwrite`, after which every view of the memory is read anew."""
        op = OPS["overwrite"]
        self.after(op, (root, value, path), root, frame)
        renew(root, frame)

    def enter(self, module: Any, args: Any) -> None:
        """Note which module runs."""
        self.stack.append(self.paths.get(id(module), self.stack[-1]))

    def leave(self, module: Any, output: Any) -> None:
        """Note that the module has returned."""
        self.stack.pop()


@contextmanager
def undisturbed(model: Any) -> Iterator[None]:
    """Restore the attributes and buffers of every module and the random state afterwards."""
    modules = list(model.modules()) if isinstance(model, Module) else []
    attributes = [(m, dict(m.__dict__)) for m in modules]
    buffers = [(b, b.array, b.array.copy()) for m in modules[:1] for b in m.buffers()]
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
        for module, before in attributes:
            module.__dict__.clear()
            module.__dict__.update(before)
        for buffer, array, values in buffers:
            buffer.array = array
            if array.flags.writeable:
                array[...] = values


def record(model: Any, args: Any, kwargs: dict[str, Any], seed: int | None = None) -> tuple[list[Event], Any]:
    """Run the model and return the events of the run with its output; ``seed`` is for its random draws."""
    recording = Recording(model)
    with undisturbed(model), np.errstate(all="ignore"), switch(grad=True, observers=(recording,)):
        if seed is not None:
            manual_seed(seed)
        with new.redirect(recording):
            out = model(*args, **kwargs)
    return recording.events, out


def leaves(value: Any) -> list[Any]:
    """Return the tensors in nested lists, tuples and dicts, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [t for part in value for t in leaves(part)]


def replaced(value: Any, by: Iterator[Any]) -> Any:
    """Return nested containers with their tensors replaced by the next ones."""
    if isinstance(value, Tensor):
        return next(by)
    if isinstance(value, dict):
        return {k: replaced(v, by) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [replaced(v, by) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value
