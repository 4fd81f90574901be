"""The ONNX graph while it is built: names, nodes, constants, and how sizes follow those of the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import require
from tinygrad_lite.onnx.errors import OnnxExporterError

END = (1 << 63) - 1
"""The end of a slice that goes to the end of its axis."""


def array_of(x: Any) -> Any:
    """Return the array of a tensor, and anything else unchanged."""
    return x.array if isinstance(x, Tensor) else x


def memory_of(x: Any) -> Any:
    """Return what tells arrays apart that see all of the same memory in row-major order; None for others."""
    if not isinstance(x, np.ndarray) or not x.size or not x.flags.c_contiguous:
        return None
    return x.__array_interface__["data"][0], x.size, x.dtype.str


class Value:
    """A value of the graph: its name, and the arrays that it had in the first run (``a``) and in the second (``b``)."""

    __slots__ = ("a", "b", "name")

    def __init__(self, name: str, a: Any, b: Any) -> None:
        self.name, self.a, self.b = name, a, b

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in the first run."""
        return tuple(self.a.shape)

    @property
    def other(self) -> tuple[int, ...]:
        """The shape in the second run."""
        return tuple(self.b.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.a.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype."""
        found: np.dtype[Any] = self.a.dtype
        return found

    @property
    def kind(self) -> str:
        """The kind of its dtype: f, i, u or b."""
        return self.dtype.kind

    def fixed(self, axis: int, what: str) -> int:
        """Return the length of an axis that may not be dynamic, because ``what`` depends on it."""
        if self.shape[axis] != self.other[axis]:
            raise OnnxExporterError(f"{what} along a dynamic axis (axis {axis % self.ndim}) has no form in ONNX")
        return self.shape[axis]


def simplified(nodes: list[Any], outputs: Sequence[str]) -> list[Any]:
    """Return nodes without copies; where only a copy gives an output its name, the node before it gets the name."""
    source: dict[str, str] = {}
    kept: list[Any] = []
    for node in nodes:
        node.input[:] = [source.get(name, name) for name in node.input]
        if node.op_type == "Identity" and node.output[0] not in outputs:
            source[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    nodes = kept
    made = {name: node for node in nodes for name in node.output}
    readers = [name for node in nodes for name in node.input]
    for name in outputs:
        copy = made[name]
        before = copy.input[0] if copy.op_type == "Identity" else ""
        node = made.get(before)
        if node is not None and before not in outputs and readers.count(before) == 1:
            node.output[:] = [name if n == before else n for n in node.output]
            nodes.remove(copy)
    return nodes


class Graph:
    """Collects nodes. ``g.Relu(x)`` adds a node ``Relu`` and returns the name of its output.

    Inputs may be `Value` objects, names, NumPy arrays and lists of integers (constants), or None.
    """

    def __init__(self, opset: int, names: dict[int, str]) -> None:
        self.library = require("onnx", extra="onnx")
        self.opset, self.names, self.module = opset, names, ""
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.constants: dict[Any, str] = {}
        self.taken: dict[str, int] = {}
        self.known: tuple[dict[Any, str], dict[Any, str]] = ({}, {})
        self.made: dict[int, tuple[Any, Any]] = {}
        self.origin: dict[str, tuple[str, dict[str, Any]]] = {}
        self.final: dict[str, tuple[str, int]] = {}
        self.sizes: dict[tuple[int, int], str | tuple[str, int]] = {}
        self.refused: dict[str, OnnxExporterError] = {}
        self.follows: set[str] = set()  # the values that are computed from the inputs

    # ------------------------------------------------------------------------------------ nodes and constants
    def fresh(self, base: str) -> str:
        """Return a name that is not taken."""
        while True:
            n = self.taken[base] = self.taken.get(base, -1) + 1
            name = f"{base}_{n}" if n else base
            if not n or name not in self.taken:
                self.taken.setdefault(name, 0)
                return name

    def type_of(self, dtype: Any) -> int:
        """Return ONNX's number for a dtype."""
        return int(self.library.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def operand(self, x: Any) -> str:
        """Return the name of an input of a node."""
        if x is None or isinstance(x, str):
            return x or ""
        if isinstance(x, Value):
            if x.name in self.final:
                raise OnnxExporterError("the cell states of an LSTM, except the last, have no form in ONNX")
            return x.name
        return self.constant(np.array(x, np.int64) if isinstance(x, (list, tuple)) else x)

    def constant(self, array: Any) -> str:
        """Return the name of a constant."""
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self.constants:
            name = self.constants[key] = self.fresh("constant")
            value = self.library.numpy_helper.from_array(array, name)
            self.nodes.append(self.library.helper.make_node("Constant", [], [name], name=f"/{name}", value=value))
        return self.constants[key]

    def node(self, kind: str, inputs: Sequence[Any], outputs: int | list[str] = 1, **attributes: Any) -> Any:
        """Add a node and return the names of its outputs; the name alone if there is one."""
        names = [self.operand(x) for x in inputs]
        while names and not names[-1]:
            names.pop()
        outs = [self.fresh(kind.lower()) for _ in range(outputs)] if isinstance(outputs, int) else outputs
        if kind != "Shape" and not self.follows.isdisjoint(names):
            self.follows.update(outs)
        name = self.fresh("/".join(["", *self.module.split("."), kind] if self.module else ["", kind]))
        self.nodes.append(self.library.helper.make_node(kind, names, outs, name=name, **attributes))
        return outs[0] if len(outs) == 1 else outs

    def __getattr__(self, kind: str) -> Any:
        if not kind[:1].isupper():
            raise AttributeError(kind)
        return lambda *inputs, **attributes: self.node(kind, inputs, **attributes)

    def cast(self, x: Any, dtype: Any) -> str:
        """Return ``x`` with another dtype."""
        if isinstance(x, Value) and x.dtype == dtype:
            return x.name
        return str(self.Cast(x, to=self.type_of(dtype)))

    def where(self, condition: Any, x: Any, y: Any) -> str:
        """Return ``x`` where a condition holds, else ``y``; onnxruntime has no ``Where`` of bools."""
        if x.dtype != bool:
            return str(self.Where(condition, x, y))
        return str(self.Or(self.And(condition, x), self.And(self.Not(condition), y)))

    # ------------------------------------------------------------------------------------ values
    def put(self, a: Any, b: Any, name: str) -> None:
        """Note that ``a`` of the first run and ``b`` of the second are the value ``name``."""
        for known, x in zip(self.known, (a, b), strict=True):
            for key in (id(x), id(array_of(x)), memory_of(array_of(x))):
                if key is not None:
                    known[key] = name
        for axis, sizes in enumerate(zip(np.shape(array_of(a)), np.shape(array_of(b)), strict=True)):
            if sizes[0] != sizes[1]:
                self.sizes.setdefault(sizes, (name, axis))

    def value(self, a: Any, b: Any) -> Value:
        """Return the value of an operand: known, a parameter, or an array that is the same in both runs."""
        x, y = array_of(a), array_of(b)
        names = [k.get(id(v)) or k.get(id(w)) for k, v, w in zip(self.known, (a, b), (x, y), strict=True)]
        if names[0] != names[1]:
            raise OnnxExporterError("two runs use different values here: the model depends on the data or on a size")
        if names[0]:
            return Value(names[0], x, y)
        name = self.names.get(id(a)) or self.names.get(id(x))
        if name:
            if name not in self.initializers:
                self.taken.setdefault(name, 0)
                self.initializers[name] = self.library.numpy_helper.from_array(np.ascontiguousarray(x), name)
        else:
            x, y = self.made.get(id(x), (x, y))
            name = self._view(x, y) or self.array(x, y)
        self.put(a, b, name)
        return Value(name, x, y)

    def _view(self, x: Any, y: Any) -> str | None:
        """Return a known array that is seen in another shape, or None."""
        names = [k.get(memory_of(v)) for k, v in zip(self.known, (x, y), strict=True)]
        if not names[0] or names[0] != names[1]:
            return None
        return str(self.Reshape(names[0], self.shape(x.shape, y.shape)))

    def array(self, x: Any, y: Any) -> str:
        """Return a constant, or an array that depends on nothing but its shape."""
        if x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
            return self.constant(x)
        found = None
        if x.size and y.size and x.dtype == y.dtype and x.ndim == y.ndim:
            first = x.reshape(-1)[0]
            if (x == first).all() and (y == first).all():
                return str(self.Expand(np.asarray(first), self.shape(x.shape, y.shape)))
            if x.dtype.kind in "if" and x.size == max(x.shape) and y.size == max(y.shape):
                found = self._range(x, y)
            if x.ndim == 2 and x.dtype.kind in "bf":
                found = self._triangle(x, y)
        if found:
            return found
        raise OnnxExporterError(
            f"an array {x.shape} {x.dtype} that follows from the input was not made by ops (computed with NumPy, or "
            f"drawn at random); in the file it would be frozen"
        )

    def _range(self, x: Any, y: Any) -> str | None:
        """Return numbers at equal distances, such as positions in a sequence."""
        a, b = x.reshape(-1), y.reshape(-1)
        step = a[1] - a[0] if len(a) > 1 else b[1] - b[0] if len(b) > 1 else a.dtype.type(1)
        if not all(np.array_equal(v, a[0] + step * np.arange(len(v))) for v in (a, b)):
            return None
        count = self.Range(np.int64(0), self.Squeeze(self.size(len(a), len(b))), np.int64(1))
        line = self.Add(self.Mul(self.cast(count, x.dtype), np.asarray(step)), np.asarray(a[0]))
        return str(line if x.ndim == 1 else self.Reshape(line, self.shape(x.shape, y.shape)))

    def _triangle(self, x: Any, y: Any) -> str | None:
        """Return a mask with one value below a diagonal and another above it, such as that of causal attention."""
        below, above = x[-1, 0], x[0, -1]
        for k in (-1, 0):
            if all(np.array_equal(v, np.where(np.tri(v.shape[0], v.shape[1], k, bool), below, above)) for v in (x, y)):
                ones = self.Expand(np.float32(1), self.shape(x.shape, y.shape))
                return self.where(self.cast(self.Trilu(ones, np.int64(k), upper=0), bool), below, above)
        return None

    # ------------------------------------------------------------------------------------ sizes
    def size(self, a: int, b: int) -> Any:
        """Return an integer tensor of one element: a size that is ``a`` in the first run and ``b`` in the second."""
        if a == b:
            return [a]
        found = self._symbol(a, b)
        if found:
            return found
        known = list(self.sizes)
        for p, q in known:
            if a - p == b - q:
                return self.Add(self._symbol(p, q), [a - p])
        for p, q in known:
            if p and q and a * q == b * p and (a % p == 0 or p % a == 0):
                symbol = self._symbol(p, q)
                return self.Mul(symbol, [a // p]) if a % p == 0 else self.Div(symbol, [p // a])
        for i, (p, q) in enumerate(known):
            for r, s in known[i:]:
                if p and q and r and s and a * q * s == b * p * r and a % (p * r) == 0:
                    both = self.Mul(self._symbol(p, q), self._symbol(r, s))
                    return both if a == p * r else self.Mul(both, [a // (p * r)])
        raise OnnxExporterError(f"a size that is {a} or {b} does not follow from the inputs in a way that was found")

    def _symbol(self, a: int, b: int) -> str | None:
        found = self.sizes.get((a, b))
        if isinstance(found, tuple):
            name, axis = found
            found = self.sizes[a, b] = self.Shape(name, start=axis, end=axis + 1)
        return found

    def shape(self, a: Sequence[int], b: Sequence[int], like: Value | None = None) -> Any:
        """Return a shape as an operand: of ``Reshape`` if ``like`` is what is reshaped."""
        if tuple(a) == tuple(b):
            return list(map(int, a))
        if like is not None and 0 not in a and 0 not in b:
            same = list(zip(like.shape, like.other, strict=True))
            out = [int(p) if p == q else 0 if i < len(same) and same[i] == (p, q) else -1
                   for i, (p, q) in enumerate(zip(a, b, strict=True))]  # fmt: skip
            if out.count(-1) <= 1:
                return out
        return self.Concat(*(self.size(p, q) for p, q in zip(a, b, strict=True)), axis=0)

    def used(self, outputs: Sequence[str]) -> list[Any]:
        """Return the nodes that the outputs need, in order; raise OnnxExporterError if one of them was refused."""
        needed, kept = set(outputs), []
        for node in reversed(self.nodes):
            if needed & set(node.output):
                kept.append(node)
                needed |= set(node.input)
        for name, error in self.refused.items():
            if name in needed:
                raise error
        self.initializers = {k: v for k, v in self.initializers.items() if k in needed}
        return kept[::-1]
