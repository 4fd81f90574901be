"""The Tensor: an array, whether it is tracked, and the step that made it.

What a Tensor can *do* (arithmetic, reductions, NumPy's functions ...) is hung on it by the registry, op by op; this
file holds what it *is*, and how it asks for gradients.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from tinygrad_lite import graph
from tinygrad_lite.graph import Node
from tinygrad_lite.errors import DTypeError, GradientError, ShapeError, describe
from tinygrad_lite.methods import Methods

Array = Any
"""Whatever speaks NumPy's protocols: a bare array in an ordinary step, a Tensor inside a differentiated rule."""

new = object.__new__
UFUNCS: dict[Any, Callable[..., Any]] = {}
FUNCTIONS: dict[Any, Callable[..., Any]] = {}
"""NumPy's functions and what answers for each on a Tensor; filled by the registry."""


# ------------------------------------------------------------------------------------------------ dtypes
class Size(tuple[int, ...]):
    """A shape: a tuple that can also count its elements."""

    __slots__ = ()

    def numel(self) -> int:
        """Return the number of elements."""
        count = 1
        for n in self:
            count *= n
        return count


_program_dtype = [np.dtype(np.float32)]
_thread_dtype: ContextVar[np.dtype[Any] | None] = ContextVar("tinygrad_lite_dtype", default=None)


def get_default_dtype() -> np.dtype[Any]:
    """Return the dtype that Python floats become.

    >>> get_default_dtype()
    dtype('float32')
    """
    return _thread_dtype.get() or _program_dtype[0]


def set_default_dtype(dtype: Any) -> None:
    """Choose the dtype that Python floats become: in the main thread for the program, elsewhere for that thread."""
    chosen = np.dtype(dtype)
    if chosen.kind != "f":
        raise DTypeError(f"set_default_dtype: expected a floating dtype, got {chosen}")
    if threading.current_thread() is threading.main_thread():
        _program_dtype[0] = chosen
    else:
        _thread_dtype.set(chosen)


def to_array(data: Any, dtype: Any = None, copy: bool = True, name: str = "tensor") -> Any:
    """Turn ``data`` into an array: Python numbers get the default dtype, arrays keep theirs.

    Raises DTypeError for strings, objects and complex numbers, ShapeError for ragged lists.
    """
    if isinstance(data, Tensor):
        data = data.array
    if isinstance(data, np.ndarray):
        array = np.array(data, dtype=dtype, copy=True) if copy else np.asarray(data, dtype=dtype)
    else:
        if isinstance(data, (list, tuple)):
            data = _without_tensors(data)
        try:
            array = np.array(data, dtype=dtype) if copy else np.asarray(data, dtype=dtype)
        except (ValueError, TypeError, OverflowError) as error:
            kind = ShapeError if "inhomogeneous" in str(error) else DTypeError
            why = "nested lists of unequal length" if kind is ShapeError else str(error)
            raise kind(f"{name}: cannot make an array of {describe(data)}: {why}") from None
        if dtype is None and array.dtype == np.float64 and not _has_dtype(data):
            array = array.astype(get_default_dtype())
    if array.dtype.kind not in "biuf":
        fix = {"c": "complex numbers are not supported; pass real and imaginary part", "O": "pass numbers"}
        raise DTypeError(
            f"{name}: cannot compute with dtype {array.dtype} ({describe(data)}); "
            f"{fix.get(array.dtype.kind, 'convert it to numbers first')}"
        )
    return array


def _without_tensors(data: Any) -> Any:
    return [
        _without_tensors(d) if isinstance(d, (list, tuple)) else d.array if isinstance(d, Tensor) else d for d in data
    ]


def _has_dtype(data: Any) -> bool:
    """Whether the numbers inside nested lists carry a dtype of their own (looks at the first)."""
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return hasattr(data, "dtype")


# ------------------------------------------------------------------------------------------------ Tensor
class Tensor(Methods):
    """An n-dimensional array of numbers that remembers how it was computed.

    ``array`` is the NumPy array itself (shared, never copied), ``grad`` the gradient after `backward`.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "array", "base", "grad", "hooks", "node", "tracked")
    __array_priority__ = 1000

    array: Any
    grad: Tensor | None
    tracked: bool
    node: Node | None
    hooks: list[Any] | None
    base: Any

    def __init__(self, data: Any = (), requires_grad: bool = False, dtype: Any = None) -> None:
        self.array = to_array(data, dtype)
        self.grad = self.node = self.hooks = self.base = None
        self.tracked = False
        if requires_grad:
            self.requires_grad = True

    # -------------------------------------------------------------------------------- what it is
    @property
    def requires_grad(self) -> bool:
        """Whether steps with this tensor are recorded."""
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self.array.dtype.kind != "f":
            raise DTypeError(
                f"only floating tensors can require gradients, this one is {self.array.dtype} {self.array.shape}; "
                f"use .float() or dtype=float32"
            )
        if not value and self.node is not None:
            raise GradientError("only a leaf can stop requiring gradients; use .detach() for a computed tensor")
        self.tracked = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` in place and return self."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad_fn(self) -> Node | None:
        """The step that made this tensor; None for a leaf."""
        return self.node

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was made by the user, not by a recorded step."""
        return self.node is None

    @property
    def shape(self) -> Size:
        """The length of each axis."""
        return Size(self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self.array.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """The bytes that the elements take."""
        return self.array.nbytes  # type: ignore[no-any-return]

    @property
    def data(self) -> Tensor:
        """The same memory as an untracked tensor."""
        return make(self.array)

    @data.setter
    def data(self, value: Any) -> None:
        self.array = to_array(value, copy=False)

    @property
    def _version(self) -> int:
        """How often the memory of this tensor was changed in place."""
        change = graph.CHANGES.get(id(graph.owner(self.array)))
        return 0 if change is None else change.count

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the length of axis ``dim``."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """Return the number of axes."""
        return self.ndim

    def numel(self) -> int:
        """Return the number of elements."""
        return int(self.array.size)

    def element_size(self) -> int:
        """Return the bytes of one element."""
        return int(self.array.itemsize)

    def is_floating_point(self) -> bool:
        """Return whether the dtype is a floating one."""
        return bool(self.array.dtype.kind == "f")

    # -------------------------------------------------------------------------------- getting the numbers out
    def detach(self) -> Tensor:
        """Return the same memory as a tensor without history."""
        return make(self.array)

    def numpy(self) -> Any:
        """Return the array (shared memory); a tracked tensor has to be detached first."""
        if self.tracked:
            raise GradientError(
                "a tensor that requires gradients cannot leave the graph unnoticed; use .detach().numpy(), or .array"
            )
        return self.array

    def item(self) -> Any:
        """Return the one element as a Python number."""
        if self.array.size != 1:
            raise ShapeError(f"item: expected a tensor with one element, got shape {self.array.shape}; use .tolist()")
        return self.array.item()

    def tolist(self) -> Any:
        """Return nested lists of Python numbers."""
        return self.array.tolist()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        array = self.numpy()
        if dtype is not None and dtype != array.dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self.array)))

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ValueError(
                f"the truth value of a tensor of shape {self.array.shape} is ambiguous; use .any() or .all()"
            )
        return bool(self.array)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iub":
            raise TypeError(f"only integer tensors can be used as an index, this one is {self.array.dtype}")
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.array.ndim == 0 and spec else str(self)

    def __contains__(self, value: Any) -> bool:
        return bool((self.array == (value.array if isinstance(value, Tensor) else value)).any())

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        from tinygrad_lite.printing import show

        return show(self)

    # -------------------------------------------------------------------------------- NumPy's protocols
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from tinygrad_lite.numpy_protocol import call_ufunc

        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from tinygrad_lite.numpy_protocol import call_function

        return call_function(func, args, kwargs)

    # -------------------------------------------------------------------------------- gradients
    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Add d(self)/d(leaf), weighted by ``gradient``, to ``.grad`` of every leaf (or of ``inputs``).

        ``gradient`` has the shape of self and may be left out for one element. The graph is freed on the way unless
        ``retain_graph``; with ``create_graph`` the gradients can be differentiated again. If anything fails, no
        ``.grad`` has changed. Raises GradientError, ShapeError.
        """
        targets = None if inputs is None else [inputs] if isinstance(inputs, Tensor) else list(inputs)
        found = differentiate([self], [gradient], targets, retain_graph, create_graph, "backward")
        store(found, create_graph)

    def register_hook(self, hook: Callable[[Tensor], Any]) -> Any:
        """Call ``hook(grad)`` when the gradient of this tensor is known; what it returns (unless None) replaces it."""
        if not self.tracked:
            raise GradientError("register_hook: this tensor does not require gradients")
        return add_hook(self, hook)

    def retain_grad(self) -> None:
        """Keep ``.grad`` of this computed tensor too (leaves always keep theirs)."""
        if self.node is not None:
            import weakref

            me = weakref.ref(self)

            def keep(g: Tensor) -> None:
                target = me()
                if target is not None:
                    target.grad = g.clone() if target.grad is None else target.grad + g

            self.register_hook(keep)


def make(array: Any, node: Node | None = None) -> Tensor:
    """Return a plain Tensor around ``array`` (no copy, no checks), tracked if ``node`` made it."""
    t = new(Tensor)
    t.array = array
    t.grad = None
    t.tracked = node is not None
    t.node = node
    t.hooks = None
    t.base = None
    return t


def wrap(array: Any, origin: Any) -> Tensor:
    """Return the Tensor that a saved ``array`` came from: the leaf itself, or a Tensor at the same place of the graph."""
    return make(array, origin) if type(origin) is Node else origin  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------------------ hooks
class HookHandle:
    """Removes a hook again."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self.hooks, self.hook = hooks, hook

    def remove(self) -> None:
        """Take the hook away; once more does nothing."""
        if self.hook in self.hooks:
            self.hooks.remove(self.hook)


def add_hook(t: Tensor, hook: Callable[[Tensor], Any]) -> HookHandle:
    """Hang ``hook`` on the step that made ``t``, or on the leaf itself."""

    def call(g: Any) -> Any:
        bare = not isinstance(g, Tensor)
        answer = hook(make(np.asarray(g)) if bare else g)
        if answer is None:
            return g
        if not isinstance(answer, Tensor) or answer.array.shape != np.shape(g):
            raise ShapeError(f"hook: expected a tensor of shape {np.shape(g)} or None, got {describe(answer)}")
        return answer.array if bare else answer

    place: Any = t if t.node is None else t.node
    if place.hooks is None:
        place.hooks = []
    place.hooks.append(call)
    return HookHandle(place.hooks, call)


# ------------------------------------------------------------------------------------------------ asking for gradients
# views, so that no leaf ever keeps one as its own gradient
SEEDS = {(np.dtype(d), 0): np.broadcast_to(np.ones((), d), ()) for d in (np.float32, np.float64)}


def seed_for(out: Tensor, gradient: Any, asked: str) -> Any:
    """Return the gradient to start from at ``out``; checks shape and dtype."""
    if not out.tracked:
        raise GradientError(
            f"{asked}: this tensor {describe(out)} was not recorded: none of its inputs requires gradients, "
            f"or it was computed under no_grad"
        )
    if gradient is None:
        if out.array.size != 1:
            raise GradientError(
                f"{asked}: a gradient can be left out only for one element, this tensor has shape {out.array.shape}; "
                f"reduce it first (.sum(), .mean()) or pass gradient= of that shape"
            )
        return SEEDS.get((out.array.dtype, out.array.ndim)) or np.ones(out.array.shape, out.array.dtype)
    # an array is copied: it may end up, as it is, in the .grad of a leaf
    g = gradient if isinstance(gradient, Tensor) else make(to_array(gradient, name=asked))
    if g.array.shape != out.array.shape:
        raise ShapeError(f"{asked}: gradient has shape {g.array.shape}, expected {out.array.shape} like the tensor")
    return g


def differentiate(
    outputs: Sequence[Tensor],
    gradients: Sequence[Any],
    targets: Sequence[Tensor] | None,
    retain: bool | None,
    create: bool,
    asked: str,
) -> dict[Any, Any]:
    """Run the backward pass; returns the gradient (array, or Tensor with ``create``) of each leaf or target."""
    roots: list[tuple[Any, Any]] = []
    for out, gradient in zip(outputs, gradients, strict=True):
        g = seed_for(out, gradient, asked)
        if create:
            g = g if isinstance(g, Tensor) else make(g)
        elif isinstance(g, Tensor):
            g = np.array(g.array)
        if g.dtype != out.array.dtype:
            g = g.astype(out.array.dtype)
        roots.append((out.node or out, g))
    keys = None
    if targets is not None:
        for t in targets:
            if not isinstance(t, Tensor) or not t.tracked:
                raise GradientError(f"{asked}: an input {describe(t)} does not require gradients")
        keys = [t.node or t for t in targets]
    with np.errstate(all="ignore"):
        if create:
            with graph.switch(grad=True):
                found = graph.pull(roots, targets=keys, retain=retain is not False, wrap=wrap)
        else:
            # rules on bare arrays record nothing, whatever the mode
            found = graph.pull(roots, targets=keys, retain=bool(retain))
    for leaf in found:
        if leaf.__class__ is not Node and leaf.hooks is not None:
            for hook in tuple(leaf.hooks):
                found[leaf] = hook(found[leaf])
    return found


def store(found: dict[Any, Any], create: bool) -> None:
    """Add the gradients found to ``.grad`` of their leaves, in the dtype of the leaf, in memory of their own."""
    taken: set[int] = set()
    for leaf, g in found.items():
        if leaf.__class__ is Node:
            continue  # a computed tensor named as an input of backward: retain_grad keeps those
        old = leaf.grad
        if create:
            g = g if g.dtype == leaf.array.dtype else g.astype(leaf.array.dtype)
            leaf.grad = g if old is None else old + g
        elif old is None:
            # `a + b` hands one array to both, a view or a broadcast is shared too: keep only what nobody else has
            alone = g.__class__ is np.ndarray and g.base is None and g.dtype is leaf.array.dtype and id(g) not in taken
            taken.add(id(g))
            leaf.grad = make(g if alone else np.array(g, dtype=leaf.array.dtype))
        elif old.tracked or not old.array.flags.writeable:
            leaf.grad = make(np.asarray(old.array + g, dtype=leaf.array.dtype))
        else:
            np.add(old.array, g, out=old.array, casting="same_kind")


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    r"""Return the gradients of ``outputs`` with respect to ``inputs``, without touching any ``.grad``.

    :math:`\sum_k \text{grad\_outputs}_k^\top \, \partial\,\text{outputs}_k / \partial\,\text{inputs}_i`

    Each has shape and dtype of its input. With ``create_graph`` they can be differentiated again. An input that the
    outputs do not depend on raises GradientError, or gives None with ``allow_unused``.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor(3.0, requires_grad=True)
    >>> (slope,) = tl.grad(x**3, x, create_graph=True)
    >>> (curvature,) = tl.grad(slope, x)
    >>> slope.item(), curvature.item()
    (27.0, 18.0)
    """
    outs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    ins = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    starts = [grad_outputs] if grad_outputs is None or isinstance(grad_outputs, Tensor) else list(grad_outputs)
    if grad_outputs is None:
        starts = [None] * len(outs)
    if len(starts) != len(outs):
        raise ShapeError(f"grad: {len(outs)} outputs but {len(starts)} grad_outputs")
    found = differentiate(outs, starts, ins, retain_graph, create_graph, "grad")
    result: list[Tensor | None] = []
    for i, t in enumerate(ins):
        g = found.get(t.node or t)
        if g is None and not allow_unused:
            raise GradientError(
                f"grad: output does not depend on input {i} {describe(t)}; allow_unused=True gives None for it"
            )
        if g is not None and not isinstance(g, Tensor):
            g = make(np.array(g, dtype=t.array.dtype))
        elif g is not None and g.dtype != t.array.dtype:
            g = g.astype(t.array.dtype)
        result.append(g)
    return tuple(result)
