"""What a recorded step returned, as data: its form, and the tensors that it computed."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.compiled.program import Refused, Region
from tinygrad_lite.engine.tensor import Tensor


class Results:
    """What a recorded step returned: its form, and the tensors that it computed."""

    def __init__(self, capture: Any, returned: Any) -> None:
        self.flat, self.known = capture.flat, {id(t) for _, t in capture.tensors}
        self.tracer, self.tensors, self.regions = capture.tracer, [], []
        self.result = self.form(returned)

    tensors: list[Tensor]
    regions: list[Region]

    def form(self, v: Any) -> Any:
        """Return the form of a value: its kind, and what it takes to make it again."""
        if isinstance(v, Tensor):
            return self.tensor(v)
        if type(v) in (list, tuple) or isinstance(v, tuple) and hasattr(v, "_make"):
            return (type(v), [self.form(x) for x in v])
        if type(v) is dict:
            return (dict, list(v), [self.form(x) for x in v.values()])
        if v is None or type(v) in (int, float, str, bool):
            return ("value", v)
        raise Refused(f"the step returns an object of {type(v).__name__}")

    def tensor(self, v: Tensor) -> Any:
        """Return the form of a tensor."""
        if id(v) in self.known:
            return ("same", v)
        for i, t in enumerate(self.flat):
            if v is t:
                return ("argument", i)
        region = self.tracer.region(v.array)
        if region.memory.kind not in ("temp", "constant"):
            raise Refused("it returns a view of a variable")
        for i, (t, x) in enumerate(zip(self.tensors, self.regions, strict=True)):
            if t is v:
                return ("new", i)
            if x.memory is region.memory:
                if x.key == region.key and not v.tracked:
                    return ("alias", i)
                (low, high, _), (first, last, _) = x.span(), region.span()
                if low < last and first < high:
                    raise Refused("it returns two views of the same memory")
        self.tensors.append(v)
        self.regions.append(region)
        return ("new", len(self.tensors) - 1)
