"""The Tensor: an array, whether it requires gradients, and the node that computed it.

What a Tensor can *do* (arithmetic, reductions, NumPy's functions ...) is hung on it by the registry, op by op; this
file holds what it *is*, and how it asks for gradients.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from numbers import Number
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named, named_constructor
from tinygrad_lite.engine.arrays import (
    SIZES,
    Holder,
    Size as Size,
    get_default_dtype as get_default_dtype,
    set_default_dtype as set_default_dtype,
    to_array as to_array,
)  # fmt: skip
from tinygrad_lite.engine.devices import CPU, Device, device_of
from tinygrad_lite.engine.dtype import DTYPES, DType
from tinygrad_lite.engine.hooks import After, RemovableHandle, Retain, hang
from tinygrad_lite.engine.layout import Layout, strided
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.mode import MODE, read, switch
from tinygrad_lite.engine.node import Node, same
from tinygrad_lite.engine.versions import CHANGES, Views as Views, bump, owner
from tinygrad_lite.errors import ArgumentError, DTypeError, GradientError, ShapeError, describe

Array = Any
"""Anything with NumPy's protocols: a plain array, or a Tensor inside a rule that is differentiated."""

allocate = object.__new__
UFUNCS: dict[Any, Callable[..., Any]] = {}
FUNCTIONS: dict[Any, Callable[..., Any]] = {}
"""Implementations of NumPy's functions on Tensors; filled when ops are declared."""


# ------------------------------------------------------------------------------------------------ Tensor
@named_constructor
class Tensor(Holder, Methods):
    """An n-dimensional array of numbers that remembers how it was computed.

    ``array`` is the NumPy array itself (shared, never copied), ``grad`` the gradient after `backward`.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "_grad", "array", "base", "hooks", "node", "tracked")
    __array_priority__ = 1000
    level = 0
    """The vmap nesting depth; 0 for ordinary tensors."""

    _run_backward: ClassVar[Callable[..., None]]
    """Callback set by `engine.grad` at import, to avoid an import cycle."""

    array: Any
    _grad: Tensor | None
    if TYPE_CHECKING:
        grad: Tensor | None
    tracked: bool
    node: Node | None
    hooks: dict[int, Any] | None
    base: Any

    def __init__(self, *data: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        if len(data) == 1 and data[0].__class__ is Size:
            data = data[0]
        if data and all(type(n) is int for n in data):  # as in PyTorch, integers are sizes, not values
            self.array = new.zeros(data, dtype or get_default_dtype())
        elif len(data) > 1:
            raise TypeError(f"Tensor: expected one array or several lengths, got {', '.join(map(describe, data))}")
        else:
            value = data[0] if data else ()
            if dtype is None and value.__class__ is np.ndarray:  # as in PyTorch, whatever dtype it has; a copy
                value = new.array(value, get_default_dtype())
            self.array = to_array(value, dtype, numbers=dtype or get_default_dtype())
        self._grad = self.node = self.hooks = self.base = None
        self.tracked = False
        if requires_grad:
            self.requires_grad = True

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        if not cls.__module__.startswith("tinygrad_lite.") or "tinygrad_lite.engine.overriding" in sys.modules:
            import_module("tinygrad_lite.engine.overriding").derived(cls)

    # -------------------------------------------------------------------------------- what it is
    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded."""
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self.array.dtype.kind != "f":
            raise DTypeError(
                f"only floating tensors can require gradients, this one is {self.array.dtype} {self.array.shape}; "
                f"use .float() or dtype=float32"
            )
        if self.node is not None:
            raise GradientError(
                "requires_grad can be set on a leaf only; use .detach() for a computed tensor that requires none"
            )
        self.tracked = bool(value)

    @named
    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` in place and return self."""
        if not requires_grad or self.node is None:  # a computed tensor requires gradients already
            self.requires_grad = requires_grad
        return self

    @property
    def grad_fn(self) -> Node | None:
        """The node that computed this tensor; None for a leaf."""
        public = None if self.node is None else getattr(self.node.op, "public", None)
        return self.node if public is None else public(self.node)

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was created by the user and not computed by a recorded operation."""
        return self.node is None

    @property
    def shape(self) -> Size:
        """The length of each axis."""
        return SIZES[self.array.shape]

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return DTYPES[self.array.dtype]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """The size of the elements in bytes."""
        return self.array.nbytes  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        """The size of one element in bytes."""
        return self.element_size()

    @property
    def device(self) -> Device:
        """The device of the elements."""
        return CPU if self.array.__class__ is np.ndarray else device_of(self.array)

    @property
    def layout(self) -> Layout:
        """How the elements are stored: ``strided``."""
        return strided

    @property
    def is_sparse(self) -> bool:
        """False: every tensor is strided."""
        return False

    @property
    def is_cpu(self) -> bool:
        """Whether the elements are in main memory."""
        return self.device.type == "cpu"

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a GPU."""
        return self.device.type == "cuda"

    @property
    def data(self) -> Tensor:
        """The same memory as an untracked tensor; writes through it are no change of the graph, as in PyTorch."""
        t = make(self.array)
        t.base = Views(counted=False)
        return t

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Tensor) and not new.is_array(value):
            raise DTypeError(f"data: expected a tensor, got {describe(value)}")
        if self.tracked and value.dtype.kind != "f":
            raise DTypeError(f"data: a tensor that requires gradients holds floats, got {describe(value)}")
        self.array = to_array(value, copy=False)

    @property
    def raw(self) -> Any:
        """The array; for a batch inside `vmap` the array of all examples."""
        return self.array

    def changed(self) -> None:
        """Count an in-place write that was made through ``.array``, as optimisers do.

        A backward pass that needs the old values says so instead of computing with the new ones.
        """
        frame = sys._getframe(1)
        bump(self.array, (frame.f_code, frame.f_lasti))

    @property
    def _version(self) -> int:
        """The number of in-place writes to the memory of this tensor."""
        change = CHANGES.get(id(owner(self.array))) if getattr(self.base, "counted", True) else None
        return 0 if change is None else change.count

    @property
    def _base(self) -> Tensor | None:
        """The tensor that this one is a view of, None if it is none."""
        return self.base[0] if self._is_view() else None

    def _is_view(self) -> bool:
        """Return whether this tensor was made as a view of another."""
        return self.base.__class__ is tuple

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the length of axis ``dim``."""
        try:
            return self.shape if dim is None else self.shape[dim]
        except (IndexError, TypeError, ValueError) as error:
            kind = IndexError if isinstance(error, IndexError) else ArgumentError
            raise kind(f"size: dim must be an integer for {self.ndim} axes, got {describe(dim)}") from None

    def dim(self) -> int:
        """Return the number of axes."""
        return self.ndim

    ndimension = dim

    def numel(self) -> int:
        """Return the number of elements."""
        return self.shape.numel()

    nelement = numel

    def element_size(self) -> int:
        """Return the size of one element in bytes."""
        return int(self.dtype.itemsize)

    def is_floating_point(self) -> bool:
        """Return whether the dtype is a floating one."""
        return bool(self.dtype.kind == "f")

    # -------------------------------------------------------------------------------- getting the numbers out
    def detach(self) -> Tensor:
        """Return the same memory as a tensor without history."""
        return make(self.array)

    @named
    def detach_(self) -> Tensor:
        """Drop the history of this tensor in place and return self; raise GradientError for a view.

        >>> import tinygrad_lite as tl
        >>> w = tl.ones(2, requires_grad=True)
        >>> y = w * 2
        >>> y.detach_().requires_grad
        False
        """
        # a root that only this tensor holds was an intermediate result, as in `repeat`
        if self.base.__class__ is tuple and sys.getrefcount(self.base[0]) > 2:
            raise GradientError(f"detach_: {describe(self)} is a view of another tensor; use .detach()")
        self.node, self.tracked, self.base = None, False, None if self.base.__class__ is tuple else self.base
        return self

    def numpy(self, *, force: bool = False) -> Any:
        """Return the array (shared memory); raise GradientError if it requires gradients, unless in `no_grad`.

        ``force``: also then, as `detach` does.
        """
        if self.tracked and force is not True and MODE.get().grad:
            raise GradientError(
                "a tensor that requires gradients cannot leave the graph unnoticed; use .detach().numpy(), or .array"
            )
        if self.array.__class__ in new.KINDS:
            raise TypeError(f"numpy: the tensor lies on device '{self.device}'; use .cpu() first")
        return self.array

    def item(self) -> Any:
        """Return the one element as a Python number."""
        if self.array.size != 1:
            raise ShapeError(f"item: expected a tensor with one element, got shape {self.array.shape}; use .tolist()")
        read(self)
        return self.array.item()

    def tolist(self) -> Any:
        """Return nested lists of Python numbers."""
        read(self)
        return self.array.tolist()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        array = self.numpy()
        if dtype is not None and dtype != array.dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.shape[0]))

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise ShapeError(
                f"the truth value of a tensor of shape {self.array.shape} is ambiguous; use .any() or .all()"
            )
        read(self)
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
        return format(self.item(), spec) if self.array.ndim == 0 else object.__format__(self, spec)

    @named
    def __contains__(self, value: Any) -> bool:
        if not isinstance(value, (Tensor, Number, np.ndarray, np.generic)):
            raise DTypeError(f"in: a tensor contains numbers, got {describe(value)}; use the values of .tolist()")
        return bool((self.array == (value.array if isinstance(value, Tensor) else value)).any())

    __hash__ = object.__hash__

    # __repr__ is set by `engine.printing`, NumPy's protocols by `engine.numpy`
    if TYPE_CHECKING:

        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any: ...

        def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any: ...

    # -------------------------------------------------------------------------------- gradients
    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Add d(self)/d(leaf), weighted by ``gradient``, to ``.grad`` of every leaf (or of ``inputs``).

        ``gradient`` has the shape of self and may be left out for one element. The graph is freed on the way unless
        ``retain_graph``; with ``create_graph`` the gradients can be differentiated again. If anything fails, no
        ``.grad`` has changed. Raises GradientError, ShapeError.
        """
        type(self)._run_backward(self, gradient, retain_graph, create_graph, inputs)

    def register_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """Call ``hook(grad)`` when the gradient of this tensor is known; what it returns (unless None) replaces it."""
        if not self.tracked:
            raise GradientError("register_hook: this tensor does not require gradients")
        return hook_on(self, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call ``hook(tensor)`` whenever a backward pass has added to ``.grad`` of this leaf."""
        if not self.tracked or self.node is not None:
            raise GradientError("register_post_accumulate_grad_hook: only a leaf that requires gradients has .grad")
        return hang(self, After(hook))

    def retain_grad(self) -> None:
        """Keep ``.grad`` of this computed tensor too (leaves always keep theirs)."""
        if not self.tracked:
            raise GradientError("retain_grad: this tensor does not require gradients")
        if self.node is not None and not self.retains_grad:
            hang(self.node, Retain(self))

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was asked of this computed tensor."""
        hooks = () if self.node is None else (self.node.hooks or {}).values()
        return any(type(h) is Retain and h.tensor() is self for h in hooks)

    # -------------------------------------------------------------------------------- copies and pickles
    def _copied(self, how: str) -> tuple[Any, ...]:
        if self.node is not None:
            raise GradientError(
                f"{how}: only a leaf can be copied with its history, this tensor {describe(self)} was computed by "
                f"{self.node.name()}; use .detach() first, or .clone() to stay in the graph"
            )
        return type(self), self.array, self.tracked, self.grad

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        kind, array, tracked, grad = self._copied("deepcopy")
        copied = None if grad is None else grad.detach().clone()
        memo[id(self)] = copy = rebuilt(kind, _memory_copied(array, memo), tracked, copied)
        getattr(copy, "__dict__", {}).update(getattr(self, "__dict__", {}))
        return copy

    def __reduce_ex__(self, protocol: Any) -> Any:
        # without .grad; two values, as in PyTorch: subclasses unpack them
        return rebuilt, (*self._copied("pickle")[:3], None, *filter(None, [getattr(self, "__dict__", None)]))


def _memory_copied(array: Any, memo: dict[Any, Any]) -> Any:
    """Return a copy of ``array`` that shares memory with the other copies of this deepcopy as the originals do."""
    whole = owner(array)
    key = "memory", id(whole)
    if key not in memo:
        memo[key] = new.array(whole)
    copied = memo[key]
    if whole is array:
        return copied
    start = array.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    try:
        return new.ndarray(array.shape, array.dtype, copied.ravel("K"), start, array.strides)
    except (TypeError, ValueError):  # the memory has gaps
        return new.array(array)


def _set_grad(t: Tensor, value: Any) -> None:
    """Set ``.grad``: None, or a tensor with the shape and dtype of ``t``."""
    if value is not None:
        if not isinstance(value, Tensor):
            raise DTypeError(f"grad: expected a tensor or None, got {describe(value)}")
        if value is t:
            raise GradientError("grad: a tensor cannot be its own gradient")
        if tuple(value.shape) != tuple(t.shape):
            raise ShapeError(f"grad: expected the shape {tuple(t.shape)} of the tensor, got {describe(value)}")
        if value.dtype != t.dtype:
            raise DTypeError(f"grad: expected the dtype {t.array.dtype} of the tensor, got {describe(value)}")
    t._grad = value


# The getter is the slot's own, in C: optimisers read .grad of every parameter at every step.
Tensor.grad = property(  # type: ignore[assignment]
    vars(Tensor)["_grad"].__get__, _set_grad, lambda t: _set_grad(t, None),
    "The gradient after `backward`: a tensor like this one, or None.",
)  # fmt: skip


def rebuilt(kind: type[Tensor], array: Any, tracked: bool, grad: Tensor | None, own: Any = None) -> Tensor:
    """Return a leaf from its parts and its attributes, for copies and pickles."""
    t = allocate(kind)
    t.array, t.tracked, t._grad, t.node, t.hooks, t.base = array, tracked, grad, None, None, None
    if own:
        getattr(t, "__setstate__", t.__dict__.update)(own)
    return t


def make(array: Any, node: Node | None = None) -> Tensor:
    """Return a plain Tensor around ``array`` (no copy, no checks), tracked if ``node`` made it."""
    t = allocate(Tensor)
    t.array = array
    t._grad = None
    t.tracked = node is not None
    t.node = node
    t.hooks = None
    t.base = None
    return t


def wrap(array: Any, origin: Any) -> Tensor:
    """Return the Tensor of a saved ``array``: the leaf itself, or a Tensor at the same place in the graph."""
    if not isinstance(origin, Node):
        if origin.array is array:
            return origin  # type: ignore[no-any-return]
        origin = same(origin, array)  # .data of the leaf was replaced since
    return make(array, origin)


def hook_on(t: Tensor, hook: Callable[[Tensor], Any]) -> RemovableHandle:
    """Add a hook of the user's to ``t``: it is given a copy of the gradient, and may return another."""

    def call(g: Any) -> Any:
        bare = not isinstance(g, Tensor)
        # the engine passes one array to several places: the hook gets its own, which it may keep or change in place
        with switch(grad=not bare):
            given = make(new.array(g)) if bare else g.clone()
            answer = hook(given)
        answer = given if answer is None else answer
        if not isinstance(answer, Tensor) or answer.shape != g.shape:
            kind = "a tensor" if isinstance(answer, Tensor) else type(answer).__name__
            raise (ShapeError if isinstance(answer, Tensor) else DTypeError)(
                f"hook: expected a tensor of shape {tuple(g.shape)} or None, got {kind} {describe(answer)}"
            )
        if answer.dtype != g.dtype:
            raise DTypeError(f"hook: expected a tensor of dtype {g.dtype} or None, got {describe(answer)}")
        return new.array(answer.array) if bare else answer

    return hang(t if t.node is None else t.node, call)
