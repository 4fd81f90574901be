"""Differentiable in-place writes: ``x[i] = v``, ``x += v``, ``x.relu_()``, also through views.

An in-place op first runs its out-of-place op and then copies the result into the memory of the tensor, which takes
over the node of the result. So in-place forms need no rules. A write to a part of a tensor, or through a
view, records one more node, `overwrite`: the old value with a region replaced.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine import functional as names_of_functional, new
from tinygrad_lite.engine.arguments import explained, misfit, named
from tinygrad_lite.engine.arrays import PYTHON, number
from tinygrad_lite.engine.call import WRITE
from tinygrad_lite.engine.failure import foreign
from tinygrad_lite.engine.hooks import hang
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.mode import MODE, switch
from tinygrad_lite.engine.node import Node, clock, record
from tinygrad_lite.engine.op import IN_PLACE, PUBLIC, PUBLISH_FORM, function, op, publish
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.source import user_frame
from tinygrad_lite.engine.tensor import Array, Tensor, Views, make, to_array
from tinygrad_lite.engine.versions import bump, used_of
from tinygrad_lite.engine.views import Path, Sealed, Step, move_to, renew, replay, root_of, shares
from tinygrad_lite.errors import ArgumentError, DTypeError, GradientError, ShapeError, describe
from tinygrad_lite.ops.elementwise.arithmetic import where
from tinygrad_lite.ops.indexing.getitem import apart, getitem, key_of

GETITEM = getitem.op  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------ one write as an op
def _numbered(shape: Any) -> Any:
    return new.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)


def place(out: Any, path: Path, value: Any) -> Any:
    """Write ``value`` into the region of ``out`` (contiguous) at the end of ``path``.

    Return ``out``.
    """
    region = replay(out, path)
    if shares(region, out):
        region[...] = value
    else:  # the path ends in a copy (an index array, or a reshape that needs one): write by element number
        out.reshape(-1)[replay(_numbered(out.shape), path)] = value
    return out


def lasting(path: Path, shape: Any) -> Any:
    """Return which elements of a written value remain afterwards; None if all do.

    If an index array repeats an index, the last value wins.
    """
    index = path[-1][1][0] if path and path[-1][0] is GETITEM else None
    parts = index if isinstance(index, tuple) else (index,)
    if not any(isinstance(p, (list, np.ndarray)) and new.asarray(p).dtype.kind in "iu" for p in parts):
        return None
    places = new.asarray(replay(_numbered(shape), path))
    last = new.zeros(int(np.prod(shape, dtype=np.int64)), np.int64)
    number = new.arange(places.size).reshape(places.shape)
    last[places] = number
    stays = last[places] == number
    return None if stays.all() else stays


def _taken(g: Any, path: Path) -> Any:
    stays = lasting(path, g.shape)
    taken = replay(g, path)
    return taken if stays is None else where(stays, taken, 0.0)


def _uncovered(g: Any, path: Path) -> Any:
    return cleared(g, path)


REGION: Path = (Step(GETITEM, (slice(0, 2),)),)
CORNER: Path = (*REGION, Step(GETITEM, ((slice(None), -1),)))
TWICE: Path = (Step(GETITEM, (new.array([0, 1, 1]),)),)


def _overwrite_samples(src: Any) -> Any:
    n, k = src.size(3, lo=2), src.size(2, lo=1)
    path = src.choice([REGION, CORNER, TWICE, ()])
    shape = {id(REGION): (2, k), id(CORNER): (2,), id(TWICE): (3, k)}.get(id(path), (n, k))
    return (src.floats((n, k)), src.floats(shape)), {"path": path}


@op(
    input=_uncovered, kind="indexing", label="[ ]=0", public=False,
    samples=Samples("(n,k)->(n,k)", sizes={"n": (2, 4), "k": (1, 4)}, options={"path": (REGION, CORNER, TWICE, ())}),
)  # fmt: skip
def cleared(input: Array, path: object) -> Array:
    """Return ``input`` with zeros in the region at the end of ``path``."""
    return place(new.array(input, order="C"), path, 0)  # type: ignore[arg-type]


@op(
    input=_uncovered, value=_taken, kind="indexing", label="[ ]=",
    public=False, samples=Samples(draw=_overwrite_samples),
)  # fmt: skip
def overwrite(input: Array, value: Array, path: object) -> Array:
    """Return ``input`` with ``value`` (broadcast) in the region at the end of ``path``."""
    return place(new.array(input, order="C"), path, value)  # type: ignore[arg-type]


# PyTorch frees a write to a part of a tensor after backward, a write to all of it has nothing to free
overwrite.op.frees = lambda saved: bool(saved[0])  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------ writing
def writable(name: str, t: Any, elements: bool = True) -> None:
    """Raise unless ``t`` may be written to in place now, or with ``elements=False`` become a view of itself."""
    if not isinstance(t, Tensor):
        raise TypeError(f"{name}: expected a tensor, got {describe(t)}")
    if MODE.get().grad:
        root, path = root_of(t)
        if root.base.__class__ is Sealed:
            raise GradientError(
                f"{name}: this tensor {describe(t)} was made as a view while gradients were off, so the graph of its "
                f"root cannot record the change; make the view outside of no_grad(), or change a .clone()"
            )
        if root.tracked and any(step.output is not None for step in path):
            raise GradientError(
                f"{name}: this tensor {describe(t)} is one of several views that {path[0].op.name} returned, and "
                f"cannot be changed in place while the others exist; index or narrow() the tensor instead, or "
                f"use the out-of-place form"
            )
        if (t.tracked and t.node is None) or (root.tracked and root.node is None):
            what = "a leaf" if t is root else "a view of a leaf"
            raise GradientError(
                f"{name}: {what} that requires gradients cannot be changed in place, this one is {describe(t)}; "
                f"use no_grad() to update a parameter, or the out-of-place form"
            )
    if elements and not new.writable(t.array):
        raise GradientError(
            f"{name}: this tensor {describe(t)} is read-only, or expanded so that elements share memory; "
            f"use .clone() first"
        )


def _noted(t: Tensor, depth: int) -> Any:
    """Bump the version of the memory of ``t``.

    Return the user's frame that wrote to it.
    """
    frame = user_frame(sys._getframe(depth + 1))
    root = root_of(t)[0]
    if root.base.__class__ is not Views or root.base.counted:
        bump(t.array, (frame.f_code, frame.f_lasti))
    return frame


def _recorded(root: Tensor, value: Any, path: Path, frame: Any) -> None:
    """Record that the region of ``root`` at ``path`` now holds ``value``, and renew the views."""
    tracked = isinstance(value, Tensor) and value.tracked
    inputs = root.node, (value.node or value) if tracked else None
    array, place = root.array, (frame.f_code, frame.f_lasti)
    node = record(overwrite.op, inputs, (path,), (path,), array.shape, array.dtype, place)  # type: ignore[attr-defined]
    move_to(root, node)
    for observer in MODE.get().observers:
        observer.before(node.op, (root, value, path))
        observer.after(node.op, (root, value, path), root, frame)
    renew(root, frame)


def _observed(t: Tensor, value: Any, root: Tensor, path: Path, frame: Any) -> None:
    """Pass a write that no `overwrite` records to the observers."""
    for observer in MODE.get().observers:
        observer.written(t, value, root, path, frame)


def _of_all(name: str, t: Any, value: Any) -> None:
    """Raise GradientError for a value of each example of `vmap` that would go into memory that all examples share."""
    if isinstance(value, Tensor) and value.level > (t.level if isinstance(t, Tensor) else 0):
        raise GradientError(
            f"vmap: {name} would write a value of each example into a tensor that all examples share {describe(t)}; "
            f"use the out-of-place form, or pass the tensor as an argument that is mapped over"
        )


def write(name: str, t: Tensor, value: Any, index: Any = Ellipsis, depth: int = 1) -> Tensor:
    """Write ``value`` (tensor, array, number; broadcast) to ``t[index]``.

    ``depth``: frames up to the user's call.
    """
    writable(name, t)
    _of_all(name, t, value)
    if value.__class__ in PYTHON:
        value = number(name, value, t.array.dtype)
    elif not isinstance(value, Tensor):
        value = to_array(value, copy=False, name=name, numbers=t.array.dtype)
    whole = index is Ellipsis or (
        index.__class__ is slice and index.start is None and index.stop is None and index.step is None and t.ndim > 0
    )
    try:
        shape = t.array.shape if whole else np.shape(t.array[index])
    except IndexError as error:
        raise IndexError(f"{name}: {error} (tensor {describe(t)})") from None
    extra = value.ndim - len(shape)
    if extra > 0 and all(n == 1 for n in value.shape[:extra]):
        value = value.reshape(tuple(value.shape[extra:]))
    if not _broadcasts(value.shape, shape):
        raise ShapeError(
            f"{name}: the value {describe(value)} does not fit the place {tuple(shape)} in the tensor {describe(t)}; "
            f"it has to broadcast to it"
        )
    if value.dtype != t.array.dtype:
        with np.errstate(invalid="ignore"):
            value = value.to(t.array.dtype) if isinstance(value, Tensor) else value.astype(t.array.dtype)
    root, path = root_of(t)
    tracked = MODE.get().grad and (root.tracked or t.tracked or (isinstance(value, Tensor) and value.tracked))
    placed = value.array if isinstance(value, Tensor) else value
    t.array[index] = new.beside(placed, t) if new.KINDS else placed
    frame = _noted(t, depth + 1)
    path = path if whole else (*path, Step(GETITEM, (index,)))
    if tracked:
        _recorded(root, value, path, frame)
    else:
        _observed(t, value, root, path, frame)
    return t


def _broadcasts(shape: Any, to: Any) -> bool:
    lead = len(to) - len(shape)
    return lead >= 0 and all(n in (1, m) for n, m in zip(shape, to[lead:], strict=True))


def assign(name: str, t: Any, compute: Callable[..., Any], args: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """Write the result of ``compute(t, *args)`` into the memory of ``t``; do nothing if it is ``t`` itself."""
    if not isinstance(t, Tensor):
        writable(name, t)
    begun = clock()
    out = compute(t, *args, **words)
    if out is t:
        return t
    _of_all(name, t, out)
    writable(name, t)
    if not isinstance(out, Tensor) or out.array.shape != t.array.shape:
        raise ShapeError(f"{name}: the result {describe(out)} does not fit into the tensor {describe(t)}")
    if ("biuf".index(out.array.dtype.kind) > "biuf".index(t.array.dtype.kind.replace("u", "i")) and (
        out.array.dtype.kind == "f" or t.array.dtype.kind == "b"
    )) or (name == "float_power_" and t.array.dtype != out.array.dtype):  # fmt: skip
        raise DTypeError(
            f"{name}: result type {out.array.dtype} can't be cast to the dtype of the tensor, {t.array.dtype}; "
            f"use the out-of-place form"
        )
    if out.array.dtype != t.array.dtype:
        out = out.to(t.array.dtype)
    if not MODE.get().grad or not (t.tracked or out.tracked):
        np.copyto(t.array, out.array)
        _observed(t, out, *root_of(t), _noted(t, 2))
        return t
    if out.node is None:  # the op recorded no node (no gradient): the tensor becomes a constant
        return write(name, t, out, depth=2)
    _own_what_is_saved(t, out, begun)
    if out.node.op.name in ("leaky_relu", "elu") and out.node.options[0] < 0:
        hang(out.node, _refusal(name))
    np.copyto(t.array, out.array)
    frame = _noted(t, 2)
    out.node.seq = clock()  # its saved values date from after this change
    root, path = root_of(t)
    if root is t:
        move_to(t, out.node)
        _observed(t, out, root, path, frame)
        renew(t, frame)
    else:
        _recorded(root, out, path, frame)
    return t


def _refusal(name: str) -> Callable[[Any], Any]:
    def refuse(g: Any) -> Any:
        raise GradientError(
            f"{name}: in place with a negative slope it has no gradient, as in PyTorch: its result does not show where "
            "the input was positive; call it without inplace=True"
        )

    return refuse


def _own_what_is_saved(t: Tensor, out: Tensor, begun: int) -> None:
    """Make nodes recorded since ``begun`` save copies of what will be overwritten.

    Where they saved their result, they save ``t``.
    """
    stack, kind = [out.node], t.array.__class__ if t.array.__class__ in new.KINDS else np.ndarray
    while stack:
        node = stack.pop()
        if node is None or node.saved is None:
            continue
        saved = list(node.saved)
        for i in set(used_of(node)):
            v = saved[i]
            if v is out.array:
                saved[i] = t.array
            elif isinstance(v, kind) and np.may_share_memory(v, t.array):
                saved[i] = v.copy()
        node.saved = tuple(saved)
        stack.extend(p for p in node.inputs if isinstance(p, Node) and p.seq > begun)


# ------------------------------------------------------------------------------------------------ public functions
def setitem(input: Any, index: Any, value: Any) -> None:
    """Write ``input[index] = value`` for any NumPy index.

    ``value`` is broadcast and cast.
    """
    try:
        where = key_of(index)
        if halves := apart(where):
            writable("setitem", input)
            input, where = getitem(input, halves[0]), halves[1]
        write("setitem", input, value, where)
    except Exception as error:
        ours = explained("setitem", setitem, (input, index, value), {}, error)
        if ours is None:
            raise
        raise ours from error


setattr(Methods, "__setitem__", setitem)  # noqa: B010 - Tensor inherits its methods from Methods


@function(name="copy_", method="copy_")
def copy_(input: Array, src: Array, non_blocking: bool = False) -> Array:
    """Copy the elements of ``src`` (broadcast, cast) into ``input``.

    Gradients go to ``src`` from then on.
    """
    if np.ndim(src) > np.ndim(input):  # an assignment leaves out leading axes of length 1
        raise ShapeError(f"copy_: the shape of {describe(src)} does not broadcast to that of {describe(input)}")
    return write("copy_", input, src, depth=2)


@function(name="fill_", method="fill_")
def fill_(input: Array, value: Array) -> Array:
    """Set every element to ``value``, a number or a 0-d tensor."""
    if np.ndim(value):
        raise ShapeError(f"fill_: expected a number or a 0-d tensor, got {describe(value)}; use copy_")
    return write("fill_", input, value, depth=2)


@function(name="zero_", method="zero_")
def zero_(input: Array) -> Array:
    """Set every element to 0."""
    return write("zero_", input, 0, depth=2)


@function(name="fill_diagonal_", method="fill_diagonal_")
def fill_diagonal_(input: Array, fill_value: Any, wrap: bool = False) -> Array:
    """Set the main diagonal to ``fill_value``.

    With ``wrap`` again below each square part of a tall matrix.
    """
    if input.ndim < 2 or (input.ndim > 2 and len(set(input.shape)) > 1):
        raise ShapeError(f"fill_diagonal_: expected a matrix, or axes of one length, got {describe(input)}")
    shape = tuple(input.shape)
    rows = new.arange(shape[0] if wrap and input.ndim == 2 else min(shape))
    if wrap and input.ndim == 2:
        flat = new.arange(0, shape[0] * shape[1], shape[1] + 1)
        return write("fill_diagonal_", input, fill_value, (flat // shape[1], flat % shape[1]), depth=2)
    return write("fill_diagonal_", input, fill_value, (rows,) * input.ndim, depth=2)


def filler(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Publish ``t.NAME(...)``, which fills ``t`` with what ``draw(t, ...)`` returns; NAME is the name of ``draw``."""
    name, drawn = draw.__name__, named(draw)

    @functools.wraps(draw)
    def fill(input: Array, *args: Any, **kwargs: Any) -> Array:
        if "from" in kwargs:  # PyTorch's argument name, a keyword of Python
            kwargs["from_"] = kwargs.pop("from")
        writable(name, input)
        wrong = misfit(draw, (input, *args), kwargs)
        if wrong is not None:  # before anything is drawn
            raise ArgumentError(f"{name}: {wrong[0]}")
        return write(name, input, drawn(input, *args, **kwargs), depth=1)

    publish(name, fill, (), True)
    return fill


def _form(name: str, compute: Callable[..., Any], shown: str) -> Callable[..., Any]:
    def form(input: Array, *args: Any, **kwargs: Any) -> Array:
        try:
            return assign(shown, input, compute, args, kwargs)
        except Exception as error:
            if name.startswith("__") and args and foreign(args[0]):
                return NotImplemented
            ours = explained(shown, compute, (input, *args), kwargs, error)
            if ours is None:
                raise
            raise ours from error

    return _named(form, name, compute, f"Apply `{name[:-1]}` in place and return ``input``.")


def _becoming(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    def become(input: Array, *args: Any, **kwargs: Any) -> Array:
        writable(name, input, elements=False)
        old = make(input.array, input.node)
        if not MODE.get().grad and input.node is None:
            input.array = compute(old, *args, **kwargs).array
            _noted(input, 1)
            return input
        # views of this tensor become views of ``old``, and so does the tensor itself
        old.base = input.base
        for r in tuple(old.base.values()) if old.base.__class__ is Views else ():
            view = r()
            if view is not None:
                view.base = old, view.base[1]
        with switch(grad=True):  # also in no_grad: the node has the shape that the tensor had
            out = compute(old, *args, **kwargs)
        input.array, input.base = out.array, out.base
        if out.base.__class__ is tuple:
            out.base[0].base.add(input)
        move_to(input, out.node)
        _noted(input, 1)  # PyTorch counts it as a write, and so does the check of saved values
        return input

    return _named(become, name, compute, f"Apply `{name[:-1]}` to this tensor itself and return ``input``.")


def _named(form: Any, name: str, compute: Callable[..., Any], doc: str) -> Callable[..., Any]:
    """Give a form its name and the signature of the function it follows."""
    form.__name__ = form.__qualname__ = name
    form.__doc__, form.__wrapped__ = doc, compute  # `inspect.signature` looks through __wrapped__
    return form  # type: ignore[no-any-return]


def publish_form(name: str) -> None:
    """Publish the in-place form that ``name`` was declared with."""
    compute, how, method = IN_PLACE[name]
    form = _becoming(f"{name}_", compute) if how == "view" else _form(f"{name}_", compute, f"{name}_")
    if PUBLIC.get(name) is compute:
        publish(f"{name}_", form, (), method, functional=vars(names_of_functional).get(name) is compute)
    else:  # a method that is no function
        setattr(Methods, f"{name}_", form)


def augmented(word: str, name: str, compute: Callable[..., Any]) -> None:
    """Give tensors the operator ``__iWORD__``, which does in place what ``compute`` does.

    Errors and ``__torch_function__`` call it ``name_``.
    """
    form: Any = _form(f"__i{word}__", compute, f"{name}_")
    form.stands_for = f"{name}_"
    setattr(Methods, f"__i{word}__", form)


for _name in tuple(IN_PLACE):  # declared before this module was imported
    publish_form(_name)
PUBLISH_FORM.append(publish_form)
WRITE.append(assign)
