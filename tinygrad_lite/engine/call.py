"""The function that runs an op: unwrap tensors, compute, record.

Every operation takes this path, so its function is generated with ``exec`` for the op's signature, like dataclasses'
``__init__``: `TEMPLATE` is filled in at the first call (a closure over ``*args`` costs 1.6 to 1.9 times as much per
op). ``op.source`` shows the result. In words:

1. Take the array out of every Tensor. Without a Tensor the op is plain NumPy: return the forward's result.
2. With observers in the mode (a picture, a profile, anomaly detection) go through `watched`.
3. Cast mixed dtypes to PyTorch's common dtype and run the forward; errors get the op's name and the shapes.
4. If a gradient may be needed, `record` a node: the origin of each operand, and the values that the rules name.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache, wraps
from types import FunctionType
from typing import Any

import numpy as np
from numpy import ndarray

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import meant_for_us
from tinygrad_lite.engine.failure import explain, failed, unanswered
from tinygrad_lite.engine.keywords import MISSING, renamed, typed, written
from tinygrad_lite.engine.layout import arranged, contiguous, copied
from tinygrad_lite.engine.mode import MODE, restore
from tinygrad_lite.engine.node import Node, pick, record
from tinygrad_lite.engine.promotion import F16, F32, F64, FLOATING, NUMPY_1, halved, promoted
from tinygrad_lite.engine.source import user_frame
from tinygrad_lite.engine.tensor import Tensor, allocate, make
from tinygrad_lite.engine.views import link
from tinygrad_lite.errors import (
    ArgumentError,
    describe,
)  # fmt: skip

WRITE: list[Callable[..., Any]] = []
"""Callback ``(name, tensor, function, arguments, words)`` that writes what a function returns into the tensor.

`ops.indexing.inplace`, which is built on ops, sets it at import. It runs a function that has an argument ``inplace``
when that is true.
"""

BATCHED: list[Callable[[Any, tuple[Any, ...]], Any]] = []
"""Callback that runs an op on the batches of `vmap`; `engine.batch` sets it at import, to avoid an import cycle."""

SMALL = 1024
"""Up to this number of elements of its operands an op runs its ``ufunc``, if it has one."""

RESULTS: dict[str, int | None] = {"y": None, **{f"y{i}": i for i in range(8)}}
"""The words by which a rule asks for the result: ``y``, or ``y0``, ``y1`` ... for one of several."""

TEMPLATE = """
def {name}({signature}, **_words):
    if _words:
        return worded(op, ({params},), _words)
    _tracked = _found = False
{unwrap}
    if not _found:
        try:
            return forward({params})
        except Exception as _error:
            return failed(op, ({params},), _error)
{inplace}    _mode = MODE.get()
    if _mode.observers:
        return watched(op.call, op, ({params},))
    try:
{promote}
        _y = {run}
    except Exception as _error:
        return failed(op, ({params},), _error)
    if _y.__class__ is not ndarray:
        if _y.__class__ is tuple:
            _inputs = ({inputs},) if _tracked and _mode.grad and {records} else None
            return several(op, _y, _inputs, {saved_several}, ({options}), {first})
        _y = as_array(op, _y)
{layout}    _t = allocate(Tensor)
    _t.array = _y
    _t._grad = _t.hooks = _t.base = None
{view}    if not _tracked or not _mode.grad or not {records}:
        _t.tracked = False
        _t.node = None
        return _t
    _t.tracked = True
    _t.node = record(op, ({inputs},), {saved}, ({options}), _y.shape, _y.dtype, _mode.place)
    return _t
"""

IN_PLACE = """
    if inplace is not False and truth(op.name, inplace):
        return WRITE[0](op.name + "_", {first}, op.call, ({others}), {{}})
"""

VIEW = """
    if _y.base is not None and (_mode.grad or {first}.tracked or {first}.base is not None):
        link(_t, {first}, op, ({options}))
"""

LAYOUT = {
    "contiguous": """
    elif not _y.flags.c_contiguous:
        _y = contiguous(_y)
""",
    "copy": """
    elif _y.base is not None:
        _y = copied(_y, {a}_)
""",
    "picked": """
    elif not _y.flags.c_contiguous and _y.base is not {a}_ and (_y.base is None or _y.base is not {a}_.base):
        _y = contiguous(_y)
""",
    "operands": """
    elif _y.ndim > 1 and {arrays}not {a}_.flags.c_contiguous:
        _y = arranged(_y, ({all},))
""",
}
"""How the template lays the result out in memory, by `Op.layout`."""

UNWRAP = """
    if isinstance({p}, Tensor):
        _found = True
        {p}_ = {p}.array
        if {p}.tracked:
            _tracked = True
            _of_{p} = {p}.node or {p}
        else:
            _of_{p} = None
    else:{given}
        {p}_ = {p}
        _of_{p} = None
"""

GIVEN = """
        if {p} is None:
            raise missing(op, {p!r}, ({params},))"""
"""Operands without a default cannot be None: NumPy would make an array of objects of it."""

# Operands for which NumPy's result dtype is PyTorch's: the usual cases, which need no promotion.
ONE = "not ({a}_.__class__ is ndarray and ((_d := {a}_.dtype) is F32 or _d is F64))"
TWO = (
    "not (({a}_.__class__ is ndarray and ((_d := {a}_.dtype) is F32 or _d is F64) and ({b}_.__class__ is float "
    "or {b}_.__class__ is int or {b}_.__class__ is ndarray and {b}_.dtype is _d)) "
    "or ({a}_.__class__ is float and {b}_.__class__ is ndarray and ({b}_.dtype is F32 or {b}_.dtype is F64)))"
)


def promotion_source(op: Any) -> str:
    """Return the lines of the template that cast the operands of ``op`` to a common dtype."""
    names = [op.arrays[i] for i in op.places] or list(op.arrays)
    if op.promote is None:
        return "        pass"
    if len(names) == 1:
        test = ONE.format(a=names[0])
    elif len(names) == 2 and not NUMPY_1:
        test = TWO.format(a=names[0], b=names[1])
    else:
        a = names[0]
        number = "" if NUMPY_1 else " or {b}_.__class__ is float"
        fits = "({b}_ is None" + number + " or {b}_.__class__ is ndarray and {b}_.dtype is _d)"
        same = [fits.format(b=b) for b in names[1:]]
        test = " and ".join([ONE.format(a=a)[4:], *same])
        test = f"not ({test})"
    if op.promote not in FLOATING and len(names) == 1:
        return "        pass"
    lines = [f"        if {test}:"]
    if op.promote in ("single", "product", "quotient"):
        lines.append(f"            if halved(({', '.join(names)},), {op.promote!r}):")
        lines.append(f"                return in_single(op, ({', '.join(op.params)},))")
    lines.append(f"            {', '.join(names)}, = promoted(op.name, ({', '.join(names)},), {op.promote!r})")
    for n in names:
        lines.append(f"            {n}_ = {n}.array if isinstance({n}, Tensor) else {n}")
        lines.append(f"            _of_{n} = ({n}.node or {n}) if isinstance({n}, Tensor) and {n}.tracked else None")
    return "\n".join(lines)


def run_source(op: Any) -> str:
    """Return the expression that runs the forward of ``op``: for a small array its ufunc, without a Python call."""
    raw = ", ".join(f"{p}_" if p in op.arrays else p for p in op.params)
    if op.ufunc is None:
        return f"forward({raw})"
    first, *others = [f"{p}_" for p in op.arrays]
    large = f"{first}.size > {SMALL}" + "".join(f" or {p}.__class__ is ndarray and {p}.size > {SMALL}" for p in others)
    return f"forward({raw}) if {first}.__class__ is ndarray and ({large}) else _ufunc({raw})"


def saved_source(op: Any, result: str = "_y") -> str:
    """Return the source of the tuple of values that the rules of ``op`` name."""
    parts = []
    for word in op.saved_names:
        if word in op.arrays:
            parts.append(f"{word}_")
        elif word in op.params:
            parts.append(word)
        elif word in RESULTS:
            parts.append(result if RESULTS[word] is None else f"{result}[{RESULTS[word]}]")
        else:
            name, of = word.rsplit("_", 1)
            asked = f"{of}_of({name}_)"
            plain = of in ("shape", "dtype")  # np.shape and np.result_type take several times as long
            parts.append(f"{name}_.{of} if {name}_.__class__ is ndarray else {asked}" if plain else asked)
    return f"({', '.join(parts)}{',' if parts else ''})"


def layout_source(op: Any) -> str:
    """Return the lines of the template that give the result of ``op`` the memory layout that PyTorch gives it.

    Of elementwise results only those whose first operand is not contiguous need a look: NumPy prefers row-major order
    among operands that disagree, PyTorch the order of the first.
    """
    if op.layout is None:
        return ""
    names = op.arrays
    others = "".join(f"{n}_.__class__ is ndarray and " for n in (names[1::-1] if len(names) > 1 else ()))
    if len(names) > 2:
        others = f"{names[0]}_.__class__ is ndarray and "
    every = ", ".join(f"{n}_" for n in names)
    return LAYOUT[op.layout].lstrip("\n").format(a=names[0], arrays=others, all=every)


def in_single(op: Any, values: tuple[Any, ...]) -> Tensor:
    """Run ``op`` on its float16 operands in float32, and round the result once."""
    single = [v.to(F32) if isinstance(v, Tensor) and v.array.dtype == F16 else v for v in values]
    with np.errstate(over="ignore"):
        return op.call(*single).to(F16)  # type: ignore[no-any-return]


def may_view(op: Any) -> bool:
    """Return whether the result of ``op`` may be a view of its first operand."""
    return op.kind in ("shape", "indexing") and op.arrays[:1] == op.params[:1]


def caller(op: Any) -> Callable[..., Any]:
    """Return the function that runs ``op`` on tensors and records it; on arrays it is the forward alone."""
    if op.sequence is not None:
        return sequence_caller(op)
    return filled(lambda: source_of(op), op.name, op=op)


def operator(op: Any) -> Callable[..., Any]:
    """Return the same function for an operator of Python's, which leaves foreign operands to their own classes."""
    call = wraps(op.call)(filled(lambda: source_of(op), op.name, op=op))
    call.__globals__["failed"] = unanswered  # type: ignore[attr-defined]
    op.spaces.append(call.__globals__)  # type: ignore[attr-defined]
    return call


def source_of(op: Any) -> str:
    """Return the source of the function that runs ``op``."""
    params = ", ".join(op.params)
    return TEMPLATE.format(
        name=op.name,
        params=params,
        signature=", ".join(f"{p}=defaults[{p!r}]" if p in op.defaults else f"{p}=MISSING" for p in op.params),
        unwrap="".join(
            UNWRAP.format(p=p, given="" if p in op.defaults else GIVEN.format(p=p, params=params)) for p in op.arrays
        ),
        promote=promotion_source(op),
        run=run_source(op),
        inputs=", ".join(f"_of_{p}" if i in op.places else "None" for i, p in enumerate(op.arrays)),
        records=bool(op.places),
        saved=saved_source(op),
        saved_several=saved_source(op),
        options=(options := "".join(f"{p}, " for p in op.params if p not in op.arrays)),
        first=(first := op.params[0]),
        layout=layout_source(op),
        inplace=IN_PLACE.lstrip("\n").format(
            first=first, others="".join(f"{p}, " for p in op.params[1:] if p != "inplace")
        )
        if "inplace" in op.params
        else "",
        view=VIEW.lstrip("\n").format(first=first, options=options) if may_view(op) else "",
    )


def _waiting(*args: Any, **words: Any) -> Any:
    return begin()(*args, **words)  # type: ignore[name-defined]  # noqa: F821 - a global of the function it becomes


def filled(source_of: Callable[[], str], name: str, **names: Any) -> Callable[..., Any]:
    """Return the function ``name`` in the source, compiled at its first call.

    A program uses a few of the hundreds of ops, and importing the package should not wait for all of them. From the
    first call on the function *is* the compiled one: its code has been exchanged. Tracebacks can show its lines.
    """
    file = f"<tinygrad_lite op {name}>"
    op = names["op"]
    space = {
        "op": op, "forward": op.forward, "_ufunc": op.ufunc, "defaults": op.defaults, "worded": worded,
        "watched": watched, "MODE": MODE, "MISSING": MISSING,
        "failed": failed, "promoted": promoted, "several": several, "as_array": as_array, "allocate": allocate,
        "record": record, "Tensor": Tensor, "ndarray": ndarray, "F32": F32, "F64": F64, "shape_of": np.shape,
        "dtype_of": np.result_type, "halved": halved, "in_single": in_single,
        "link": link, "WRITE": WRITE, "truth": truth, "missing": missing,
        "contiguous": contiguous, "copied": copied, "arranged": arranged,
    }  # fmt: skip
    taken = [p for p in op.params if p in space or p.startswith("_")]
    if taken:
        raise TypeError(f"op {op.name}: the argument name '{taken[0]}' is used by the engine itself; choose another")
    call = space["_call"] = FunctionType(_waiting.__code__, space, name)

    def begin() -> Callable[..., Any]:
        source, run = source_of(), space["_call"]
        exec(compile(source, file, "exec"), space)
        real = space[name]
        space[name] = call
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        run.__defaults__ = real.__defaults__  # before the code: another thread may be calling
        run.__code__ = real.__code__
        return run  # type: ignore[no-any-return]

    space["begin"] = begin
    return call


def rules_of(op: Any, rules: dict[str, Any]) -> tuple[tuple[int, Any], ...]:
    """Return each rule with the position of its operand, as a function of (g, saved values)."""
    out = []
    for name, rule in rules.items():
        asked = ", ".join(
            "g" if word == "g" else f"saved[{op.saved_names.index(word)}]" for word in op.asks(rule)
        )  # fmt: skip
        adapted = rule_maker(asked)(rule)
        adapted.direct = rule, asked  # so that `divert` can call the rule without the adapter
        out.append((op.arrays.index(name), adapted))
    return tuple(out)


@cache
def rule_maker(asked: str) -> Callable[[Any], Any]:
    """Return the adapter from a rule to a function of (g, saved values); rules that ask for the same share it."""
    return eval(f"lambda rule: lambda g, saved: rule({asked})")  # type: ignore[no-any-return]


def sequence_caller(op: Any) -> Callable[..., Any]:
    """Return the function that runs an op whose first operand is a list of tensors."""
    others = op.params[1:]
    rest = tuple(op.defaults.get(p) for p in others)

    def call(tensors: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        if tensors.__class__ not in (list, tuple):
            tensors = listed(op.name, tensors)
        out = kwargs.pop("out", None)
        if out is not None:
            return written(op.name, out, call(tensors, *args, **kwargs))
        if kwargs or len(args) > len(others):
            values = dict(zip(others, args, strict=False)) | renamed(op.name, others, kwargs)
            wrong = [k for k in values if k not in others] or list(args[len(others) :])
            if wrong:
                raise TypeError(f"{op.name}: unexpected argument {wrong[0]!r}; it takes {', '.join(op.params)}")
            options = tuple(values.get(p, op.defaults.get(p)) for p in others)
        else:
            options = args + rest[len(args) :]
        raw = alike(tensors)
        if raw is None and not any(isinstance(t, Tensor) for t in tensors):
            try:
                return op.forward(tensors, *options)
            except Exception as error:
                if not meant_for_us(error):
                    raise
                return failed(op, (tensors, *options), error)
        mode = MODE.get()
        if mode.observers:
            return watched(call, op, (tensors, *options))
        try:
            if raw is None:
                if op.promote is not None:
                    tensors = promoted(op.name, tensors, op.promote)
                raw = [t.array if isinstance(t, Tensor) else t for t in tensors]
            y = op.forward(raw, *options)
        except Exception as error:
            return failed(op, (tensors, *options), error)
        if y.__class__ is not ndarray:
            y = as_array(op, y)
        elif op.layout is not None:
            y = contiguous(y)
        inputs = [(t.node or t) if isinstance(t, Tensor) and t.tracked else None for t in tensors]
        if not mode.grad or all(p is None for p in inputs):
            return make(y)
        known = dict(zip(op.params, (raw, *options), strict=True), y=y)
        saved = tuple(known[w] if w in known else [np.shape(r) for r in raw] for w in op.saved_names)
        return make(y, record(op, tuple(inputs), saved, options, y.shape, y.dtype, mode.place))

    return call


def alike(tensors: Sequence[Any]) -> list[Any] | None:
    """Return the arrays of tensors of one dtype, which need no promotion; None for anything else."""
    raw: list[Any] = []
    for t in tensors:
        if t.__class__ is not Tensor or raw and t.array.dtype is not raw[0].dtype:
            return None
        raw.append(t.array)
    return raw or None


def listed(name: str, tensors: Any) -> Any:
    """Return an iterable of tensors as a list, an array of several as it is."""
    if isinstance(tensors, ndarray) and tensors.ndim:
        return tensors
    try:
        if not isinstance(tensors, (Tensor, str, bytes)):
            return list(tensors)
    except TypeError:
        pass
    raise TypeError(f"{name}: takes a sequence of tensors: {name}([a, b]), got {describe(tensors)}")


def truth(name: str, inplace: Any) -> bool:
    """Return the flag ``inplace`` of the op ``name``; raise ArgumentError for what is none."""
    if inplace is None or isinstance(inplace, (bool, int, np.bool_)):
        return bool(inplace)
    raise ArgumentError(f"{name}: inplace must be True or False, got {describe(inplace)}")


def missing(op: Any, operand: str, args: Sequence[Any]) -> Exception:
    """Return the error of None for an operand."""
    return explain(op, args, TypeError(f"{operand} must be a tensor, got None"))


def several(
    op: Any, ys: tuple[Any, ...], inputs: Any, saved: Any, options: Any, first: Any = None
) -> tuple[Tensor, ...]:
    """Wrap the outputs of an op with several; those with an integer dtype carry no gradient."""
    arrays = tuple(y if y.__class__ is ndarray else as_array(op, y) for y in ys)
    if op.layout == "contiguous":
        arrays = tuple(y if y.flags.c_contiguous else contiguous(y) for y in arrays)
    node = None
    if inputs is not None:
        shapes, dtypes = tuple(y.shape for y in arrays), tuple(y.dtype for y in arrays)
        node = record(op, inputs, saved, options, shapes, dtypes, MODE.get().place, depth=3)
    out = tuple(make(y, pick(node, i)) if node and y.dtype.kind == "f" else make(y) for i, y in enumerate(arrays))
    if may_view(op) and isinstance(first, Tensor) and (MODE.get().grad or first.tracked or first.base is not None):
        for i, t in enumerate(out):
            link(t, first, op, options, i)
    return out


def as_array(op: Any, y: Any) -> Any:
    """Return the result of a forward as an array (NumPy returns scalars for 0-d results)."""
    if isinstance(y, (np.generic, int, float)):
        return new.asarray(y)
    if isinstance(y, Tensor):  # an option was a tensor
        if y.tracked:
            raise ArgumentError(f"{op.name}: an option that requires gradients; pass a number")
        return y.array
    if hasattr(y, "__array_ufunc__") or hasattr(y, "__array_namespace__"):
        return y
    raise TypeError(f"op {op.name}: the forward function returned a {type(y).__name__}, expected an array")


def worded(op: Any, values: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """Call ``op`` with arguments by other names than its own, or with ``out=``."""
    out = words.pop("out", None)
    known = dict(zip(op.params, values, strict=True)) | renamed(op.name, op.params, words)
    result = op.call(*typed(op.name, out, known).values())
    return result if out is None else written(op.name, out, result)


def watched(call: Callable[..., Any], op: Any, args: tuple[Any, ...]) -> Any:
    """Run ``call`` between the `before` and `after` of the observers of the current mode."""
    mode = MODE.get()
    if any(isinstance(a, Tensor) and a.level for a in (args[0] if op.sequence else args)):
        return BATCHED[0](op, args)
    source = sys._getframe(2)
    for observer in mode.observers:
        observer.before(op, args)
    try:
        MODE.set(mode.but(observers=()))
        out = call(*args)
    finally:
        restore(mode)
    place = user_frame(source)
    for node in nodes_of(out):
        node.source = (place.f_code, place.f_lasti)
    for observer in mode.observers:
        observer.after(op, args, out, source)
    return out


def nodes_of(out: Any) -> Iterator[Node]:
    """Yield the nodes of one or several results."""
    for t in out if isinstance(out, tuple) else (out,):
        if isinstance(t, Tensor) and t.node is not None:
            yield t.node
