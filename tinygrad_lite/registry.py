"""How an operation is declared: its NumPy forward and the rules that pull a gradient back through it, in one place.

::

    @op(x=lambda g, y: g * y * (1 - y), kind="activation", label="σ", samples=Samples("()->()"))
    def sigmoid(x): ...

A rule is named after the argument it belongs to and *asks by name* for what it needs: ``g`` is the incoming gradient,
``y`` the result, ``x_shape`` the shape of ``x``, any other name an argument of the forward function. Only what a rule
names is kept alive until backward. The same rule runs on bare arrays, or on Tensors when it has to be differentiated
itself; so it is written with operators, methods and functions that both have. The engine sums broadcast axes away.

From this one declaration come the function ``tinygrad_lite.sigmoid``, the method ``Tensor.sigmoid``, NumPy's spelling
(``numpy=``), the gradient check (``samples=``), the box in the picture (``kind=``, ``label=``) and its cost (``flops=``).
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, TypeVar

import numpy as np
from numpy import ndarray

from tinygrad_lite import tensor as tensors
from tinygrad_lite.autograd import MODE, Node, clock, pick
from tinygrad_lite.errors import DTypeError, ShapeError, describe
from tinygrad_lite.methods import Methods
from tinygrad_lite.samples import Samples
from tinygrad_lite.tensor import FUNCTIONS, UFUNCS, Tensor, get_default_dtype, make

F = TypeVar("F", bound=Callable[..., Any])
Rule = Callable[..., Any]

OPS: dict[str, Op] = {}
"""Every registered op by name: what pictures, gradient checks, docs and stubs are read off."""
PUBLIC: dict[str, Callable[..., Any]] = {}
"""Every public function by name, registered ops and compositions alike: what ``tinygrad_lite.NAME`` finds."""

ALIASES = {"axis": "dim", "keepdims": "keepdim", "axes": "dim"}
"""NumPy's words for PyTorch's arguments."""
KINDS = ("elementwise", "activation", "reduction", "shape", "indexing", "linalg", "window", "norm", "loss", "random", "other")
NUMPY_1 = np.lib.NumpyVersion(np.__version__) < "2.0.0"


class Op:
    """One registered operation: forward function, rules, and what everybody else wants to know about it."""

    __slots__ = (
        "call", "defaults", "flops", "forward", "frees", "gather", "is_pick", "keep", "kind", "label", "name", "needs",
        "option_positions", "params", "places", "promote", "rules", "samples", "saved_names", "sequence", "singular", "tails", "together",
    )  # fmt: skip

    def __init__(self, forward: Callable[..., Any], name: str, rules: dict[str, Rule], together: Rule | None) -> None:
        self.forward, self.name = forward, name
        signature = inspect.signature(forward)
        self.params = tuple(signature.parameters)
        self.defaults = {p.name: p.default for p in signature.parameters.values() if p.default is not p.empty}
        self.is_pick = False
        # what to add to n arguments given by place, when all the rest have defaults
        self.tails = {
            n: tuple(self.defaults[p] for p in self.params[n:])
            for n in range(len(self.params)) if all(p in self.defaults for p in self.params[n:])
        }  # fmt: skip
        self.together = together
        first = next(iter(signature.parameters.values()), None)
        self.sequence = first.name if first is not None and "Sequence" in str(first.annotation) else None
        asked: list[str] = []
        for owner, rule in [*rules.items(), *([("", together)] if together else [])]:
            if owner and owner not in self.params:
                raise TypeError(f"op {name}: rule for '{owner}', but the function has {', '.join(self.params)}")
            for word in inspect.signature(rule).parameters:
                if word not in ("g", "needed") and word not in asked:
                    if word != "y" and word not in self.params and word.removesuffix("_shape") not in self.params:
                        raise TypeError(f"op {name}: rule of '{owner}' asks for '{word}', which is neither g, y nor "
                                        f"an argument ({', '.join(self.params)})")  # fmt: skip
                    asked.append(word)
        self.saved_names = tuple(asked)
        # where each saved value stands in (y, *arguments), and whether only its shape is kept
        self.needs = tuple(
            (0, False) if w == "y" else (self.params.index(w) + 1, False) if w in self.params
            else (self.params.index(w.removesuffix("_shape")) + 1, True)
            for w in asked
        )  # fmt: skip
        self.keep = self._keeper()
        self.rules: tuple[tuple[int, Rule, Callable[[Any], tuple[Any, ...]]], ...] = ()
        self.gather: Callable[[Node, Any], Iterator[tuple[Any, Any]]] | None = None
        if together is not None:
            self.gather = functools.partial(self._gather_together, together, self._wants(together))
        elif self.sequence is not None:
            rule = rules[self.sequence]
            self.gather = functools.partial(self._gather_together, rule, self._wants(rule))
        else:
            self.rules = tuple((self.params.index(a), r, self._wants(r)) for a, r in rules.items())
        differentiable = set(rules) if together is None else {p for p in self.params if p not in self.defaults}
        # values worth freeing are arrays of the graph; sizes and options are not
        self.frees = any(w == "y" or w in differentiable for w in asked)
        self.places = tuple(i for i, p in enumerate(self.params) if p in differentiable)
        self.option_positions = tuple(i for i, p in enumerate(self.params) if p not in differentiable)

    def _keeper(self) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
        places = [i for i, _ in self.needs]
        if not places:
            return lambda values: ()
        if any(shape for _, shape in self.needs):
            needs = self.needs

            def keep(values: tuple[Any, ...]) -> tuple[Any, ...]:
                return tuple([shapes_of(values[i]) if shape else values[i] for i, shape in needs])

            return keep
        return _getter(places)

    def _wants(self, rule: Rule) -> Callable[[Any], tuple[Any, ...]]:
        return _getter([0 if w == "g" else self.saved_names.index(w) + 1 for w in inspect.signature(rule).parameters
                        if w != "needed"])  # fmt: skip

    def _gather_together(self, rule: Rule, want: Any, node: Node, bag: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
        """Yield (where it goes, gradient) of a rule that answers for several arguments at once."""
        for p, gp in zip(node.inputs, rule(*want(bag)), strict=False):
            if p is not None and gp is not None:
                yield p, gp

    def rewrap(self, node: Node, wrap: Callable[..., Any]) -> Iterator[Any]:
        """Yield what ``node`` saved, with every value that came from the graph as a Tensor at its old place in it."""
        for (place, shape), value in zip(self.needs, node.saved or (), strict=True):
            if shape or value is None:
                yield value
            elif place == 0:
                if value.__class__ is tuple:
                    yield tuple(wrap(v, pick(node, i)) if v.dtype.kind == "f" else v for i, v in enumerate(value))
                else:
                    yield wrap(value, node)
            elif self.sequence is not None and place == 1:
                yield [v if p is None else wrap(v, p) for v, p in zip(value, node.inputs, strict=True)]
            else:
                p = node.inputs[place - 1] if place <= len(node.inputs) else None
                yield value if p is None else wrap(value, p)

    @staticmethod
    def masked(g: Any, gp: Any) -> Any:
        """Return ``gp`` with exact zeros where ``g`` is exactly zero (an infinite local derivative times nothing)."""
        return PUBLIC["where"](g == 0, 0.0, gp) if np.shape(g) == np.shape(gp) else gp

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.params)})>"


def _getter(places: list[int]) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that picks ``places`` of a tuple as a tuple."""
    if not places:
        return lambda values: ()
    if len(places) == 1:
        (only,) = places
        return lambda values: (values[only],)
    return itemgetter(*places)


def shapes_of(value: Any) -> Any:
    """Return the shape of an array, or the list of shapes of a sequence of arrays; () for a number."""
    if isinstance(value, (list, tuple)):
        return [np.shape(v) for v in value]
    return np.shape(value)


def bind(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Return one value per parameter of ``op``, from what was given by place, by name (PyTorch's or NumPy's) or default."""
    if not kwargs and len(args) in op.tails:
        return args + op.tails[len(args)]
    params = op.params
    if len(args) > len(params):
        raise TypeError(f"{op.name}: takes at most {len(params)} arguments ({', '.join(params)}), got {len(args)}")
    values = list(args)
    named = {}
    for key, value in kwargs.items():
        name = key if key in params else ALIASES.get(key, key)
        if name not in params:
            name = {"input": params[0], "other": params[min(1, len(params) - 1)]}.get(name, name)
        if name not in params or name in named or name in params[: len(args)]:
            why = "given twice" if name in params else "unknown"
            raise TypeError(f"{op.name}: argument '{key}' {why}; it takes {', '.join(params)}")
        named[name] = value
    for name in params[len(args) :]:
        if name in named:
            values.append(named[name])
        elif name in op.defaults:
            values.append(op.defaults[name])
        else:
            raise TypeError(f"{op.name}: argument '{name}' is missing; it takes {', '.join(params)}")
    return tuple(values)


def explain(op: Op, args: Iterable[Any], error: Exception) -> Exception:
    """Return ``error`` as ours: named after the op, with the shape and dtype of every argument."""
    if getattr(error, "_explained", False):
        return error
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    head = f"{op.name}: "
    shown = ", ".join(f"{n} {describe(a)}" for n, a in zip(op.params, args, strict=False))
    message = text if text.startswith(head) else f"{head}{text}"
    if isinstance(error, (ShapeError, DTypeError)):
        kind: type[Exception] = type(error)
    elif isinstance(error, IndexError):
        kind = IndexError
    elif isinstance(error, TypeError):
        kind = DTypeError
    elif isinstance(error, ValueError):
        kind = ShapeError
        message = message.replace("operands could not be broadcast together with shapes", "cannot broadcast shapes")
    else:
        kind = type(error) if type(error) in (RuntimeError, ZeroDivisionError, OverflowError) else RuntimeError
    if not text.startswith(head):
        message += f" ({shown})"
    ours = kind(message)
    ours._explained = True  # type: ignore[attr-defined]
    return ours


# ------------------------------------------------------------------------------------------------ dtype promotion
def result_dtype(values: Iterable[Any], floating: bool = False) -> np.dtype[Any]:
    """Return PyTorch's result dtype: categories (bool < int < float) first, then arrays with axes before 0-d ones.

    >>> result_dtype([np.zeros(2, np.float32), np.zeros((), np.float64), 1.5])
    dtype('float32')
    """
    order = "biuf"
    best: dict[int, np.dtype[Any]] = {}  # rank -> dtype; rank 2: with axes, 1: 0-d, 0: Python number
    for v in values:
        a = v.array if isinstance(v, Tensor) else v
        if isinstance(a, (bool, np.bool_)):
            rank, dt = 0, np.dtype(bool)
        elif isinstance(a, (int, np.integer)):
            rank, dt = 0, np.dtype(np.int64)
        elif isinstance(a, (float, np.floating)):
            rank, dt = 0, get_default_dtype()
        elif hasattr(a, "dtype"):
            rank, dt = (2 if a.ndim else 1), a.dtype
        else:
            continue
        best[rank] = np.promote_types(best[rank], dt) if rank in best and best[rank].kind == dt.kind else (
            max(best[rank], dt, key=lambda d: order.index(d.kind)) if rank in best else dt
        )  # fmt: skip
    level = {"b": 0, "i": 1, "u": 1, "f": 2}
    chosen: np.dtype[Any] | None = None
    for rank in sorted(best, reverse=True):
        dt = best[rank]
        if chosen is None or level[dt.kind] > level[chosen.kind]:
            chosen = dt
    chosen = chosen or get_default_dtype()
    return get_default_dtype() if floating and chosen.kind != "f" else chosen


def promoted(op: Op, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return ``args`` with its arrays and tensors cast to their common dtype (casts are recorded steps)."""
    places = op.places
    values = [args[i] for i in places] if op.sequence is None else list(args[0])
    for v in values:
        if isinstance(v, (str, bytes, dict, set)):
            raise DTypeError(f"{op.name}: expected tensors, arrays or numbers, got {describe(v)}")
    values = [v if v is None or isinstance(v, (Tensor, np.ndarray, int, float, bool, np.generic)) else tensors.to_array(v, name=op.name) for v in values]  # fmt: skip
    dtype = result_dtype(values, floating=op.promote == "float")
    cast = PUBLIC["to"]

    def fit(v: Any) -> Any:
        if v is None:
            return v
        if isinstance(v, Tensor):
            return v if v.array.dtype == dtype else cast(v, dtype)
        if isinstance(v, np.ndarray):
            if v.dtype.kind not in "biuf":
                raise DTypeError(f"{op.name}: cannot compute with dtype {v.dtype} ({describe(v)})")
            return v if v.dtype == dtype else v.astype(dtype)
        # NumPy before 2 widens 0-d results by the value of a Python number: give it the dtype outright
        return np.asarray(v, dtype)

    values = [fit(v) for v in values]
    if op.sequence is not None:
        return (values, *args[1:])
    out = list(args)
    for i, v in zip(places, values, strict=True):
        out[i] = v
    return tuple(out)


def fits(values: list[Any], kind: str) -> bool:
    """Whether arguments can go to NumPy as they are and give PyTorch's dtype (the fast answer for the usual cases)."""
    a = values[0]
    if a.__class__ is not ndarray:
        return False
    dtype = a.dtype
    if dtype.kind != "f" and (kind == "float" or len(values) > 1):
        return False
    for b in values[1:]:
        c = b.__class__
        if c is ndarray:
            if b.dtype is not dtype:
                return False
        elif (c is not float and c is not int and b is not None) or NUMPY_1:
            return False
    return True


# ------------------------------------------------------------------------------------------------ calling
def as_array(op: Op, y: Any) -> Any:
    """Return a forward result as an array (NumPy gives bare scalars for 0-d results)."""
    if isinstance(y, (np.generic, int, float)):
        return np.asarray(y)
    if hasattr(y, "__array_ufunc__") or hasattr(y, "__array_namespace__"):
        return y
    raise TypeError(f"op {op.name}: the forward function returned a {type(y).__name__}, expected an array")


def watched(call: Callable[..., Any], op: Op, args: tuple[Any, ...]) -> Any:
    """Run ``call`` with the observers of the current mode told before and after."""
    mode = MODE.get()
    source = sys._getframe(2)
    for observer in mode.observers:
        observer.before(op, args)
    token = MODE.set(mode.but(observers=()))
    try:
        out = call(*args)
    finally:
        MODE.reset(token)
    for node in _nodes_of(out):
        node.source = (source.f_code, source.f_lasti)
    for observer in mode.observers:
        observer.after(op, args, out, source)
    return out


def _nodes_of(out: Any) -> Iterator[Node]:
    for t in out if isinstance(out, tuple) else (out,):
        if isinstance(t, Tensor) and t.node is not None:
            yield t.node


def caller(op: Op) -> Callable[..., Any]:
    """Return the function that runs ``op`` on Tensors and records it; on bare arrays it is just the forward."""
    forward, keep, promote, sequence = op.forward, op.keep, op.promote, op.sequence is not None
    count, records = len(op.params), bool(op.rules) or op.gather is not None
    options = _getter(list(op.option_positions)) if op.option_positions else None
    some = None if sequence or len(op.places) == count else _getter(list(op.places))

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != count:
            args = bind(op, args, kwargs)
        inputs = args[0] if sequence else args
        found = tracked = False
        raw = []
        for a in inputs:
            if isinstance(a, Tensor):
                found = True
                if a.tracked:
                    tracked = True
                raw.append(a.array)
            else:
                raw.append(a)
        if not found:
            return forward(*args)
        mode = MODE.get()
        if mode.observers:
            return watched(call, op, args)
        try:
            if promote is not None and not fits(raw if some is None else some(raw), promote):
                args = promoted(op, args)
                inputs = args[0] if sequence else args
                raw = [a.array if isinstance(a, Tensor) else a for a in inputs]
            y = forward(*raw) if not sequence else forward(raw, *args[1:])
        except Exception as error:
            raise explain(op, args, error) from error
        if y.__class__ is not ndarray:
            if y.__class__ is tuple:
                return several(op, args, inputs, raw, y, tracked and mode.grad and records)
            y = as_array(op, y)
        if not (tracked and mode.grad and records):
            return make(y)
        node = Node()
        node.op = op
        node.inputs = [(a.node or a) if isinstance(a, Tensor) and a.tracked else None for a in inputs]
        node.saved = keep((y, *raw) if not sequence else (y, raw, *args[1:]))
        node.options = () if options is None else options(args)
        node.shape = y.shape
        node.dtype = y.dtype
        node.seq = clock()
        node.hooks = None
        frame = sys._getframe(1)
        node.source = (frame.f_code, frame.f_lasti)
        return make(y, node)

    return call


def several(op: Op, args: Any, inputs: Any, raw: list[Any], ys: tuple[Any, ...], record: bool) -> tuple[Tensor, ...]:
    """Wrap the outputs of an op that has several; those with an integer dtype carry no gradient."""
    arrays = tuple(y if y.__class__ is ndarray else as_array(op, y) for y in ys)
    if not record:
        return tuple(make(y) for y in arrays)
    node = Node()
    node.op = op
    node.inputs = [(a.node or a) if isinstance(a, Tensor) and a.tracked else None for a in inputs]
    node.saved = op.keep((arrays, *raw) if op.sequence is None else (arrays, raw, *args[1:]))
    node.options = tuple(args[i] for i in op.option_positions)
    node.shape, node.dtype = tuple(y.shape for y in arrays), tuple(y.dtype for y in arrays)
    node.seq, node.hooks = clock(), None
    frame = sys._getframe(2)
    node.source = (frame.f_code, frame.f_lasti)
    return tuple(make(y, pick(node, i)) if y.dtype.kind == "f" else make(y) for i, y in enumerate(arrays))


# ------------------------------------------------------------------------------------------------ declaring
def publish(name: str, function: Callable[..., Any], numpy: Any, method: bool | str) -> None:
    """Make ``function`` public: in the package, as a method, and behind NumPy's own functions."""
    PUBLIC[name] = function
    if method:
        setattr(Methods, method if isinstance(method, str) else name, function)
    for f in numpy if isinstance(numpy, (tuple, list)) else (numpy,):
        if isinstance(f, np.ufunc):
            UFUNCS[f] = function
        elif f is not None:
            FUNCTIONS[f] = function


def op(
    *,
    kind: str = "other",
    label: str | None = None,
    samples: Samples | None = None,
    singular: bool = False,
    promote: str | None = None,
    numpy: Any = (),
    method: bool | str = True,
    public: bool = True,
    flops: Callable[..., Any] | None = None,
    together: Rule | None = None,
    **rules: Rule,
) -> Callable[[F], F]:
    """Register a differentiable operation; see the top of this file.

    ``kind`` and ``label`` are for pictures. ``samples`` says what inputs the gradient check may draw. ``singular``:
    the local derivative can be infinite, so zeros of ``g`` are kept exact. ``promote``: ``"same"`` casts arrays to
    PyTorch's common dtype, ``"float"`` also turns integers into floats. ``numpy``: NumPy functions that mean this op.
    ``flops``: cost, asked for by name like a rule (``y_shape``, ``x_shape`` ...). ``together``: one rule that returns
    the gradients of all arguments at once, where they share work. A first parameter annotated ``Sequence[Array]``
    takes a list of tensors, and its rule returns a list.

    >>> import numpy as np, tinygrad_lite as tl
    >>> @op(x=lambda g, x: g * 2 * x, kind="elementwise", label="x²", samples=Samples("()->()"), public=False)
    ... def squared(x):
    ...     return x * x
    >>> x = tl.tensor(3.0, requires_grad=True)
    >>> squared(x).backward()
    >>> x.grad.item()
    6.0
    """
    if kind not in KINDS:
        raise ValueError(f"op: kind '{kind}' is not one of {', '.join(KINDS)}")

    def declare(forward: F) -> F:
        name = forward.__name__.rstrip("_")
        this = Op(forward, name, rules, together)
        this.kind, this.label, this.samples = kind, label or name, samples
        this.singular, this.promote, this.flops = singular, promote, flops
        call = functools.wraps(forward)(caller(this))
        call.op = this  # type: ignore[attr-defined]
        this.call = call
        OPS[name] = this
        if public:
            publish(name, call, numpy, method)
        return call  # type: ignore[return-value]

    return declare


def function(*, numpy: Any = (), method: bool | str = True, name: str | None = None) -> Callable[[F], F]:
    """Publish a plain composition of ops under its name, as a method, and behind NumPy's functions.

    NumPy's argument names (``axis``, ``keepdims``) are accepted where the function has PyTorch's.
    """

    def declare(inner: F) -> F:
        params = tuple(inspect.signature(inner).parameters)

        @functools.wraps(inner)
        def call(*args: Any, **kwargs: Any) -> Any:
            if kwargs:
                for ours in [k for k in kwargs if k not in params]:
                    known = ALIASES.get(ours, ours)
                    known = params[0] if known == "input" else params[1] if known == "other" and len(params) > 1 else known  # fmt: skip
                    if known in params:
                        kwargs[known] = kwargs.pop(ours)
            return inner(*args, **kwargs)

        publish(name or inner.__name__.rstrip("_"), call, numpy, method)
        return call  # type: ignore[return-value]

    return declare
