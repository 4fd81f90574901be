"""Access to the recorded graph, as in ``torch.autograd.graph``: hooks on saved values and on several gradients."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from tinygrad_lite.engine.backward import finite
from tinygrad_lite.engine.hooks import RemovableHandle
from tinygrad_lite.engine.mode import MODE, Observer, switch
from tinygrad_lite.engine.node import Node as Node
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import GradientError, describe


class GradientEdge(NamedTuple):
    """The place in the graph where the gradient of a tensor arrives: a node (or leaf) and an output number."""

    node: Any
    output_nr: int


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Return the `GradientEdge` of a tensor that requires gradients.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor(1.0, requires_grad=True)
    >>> get_gradient_edge(x * 2).node
    <mul -> ()>
    """
    if not tensor.tracked:
        raise GradientError("get_gradient_edge: this tensor does not require gradients")
    node = tensor.node
    if node is not None and node.op.is_pick:
        return GradientEdge(node.inputs[0], node.op.index)
    return GradientEdge(tensor if node is None else node, 0)


def increment_version(tensor: Any) -> None:
    """Count an in-place write to the memory of one tensor or several, as if an operation had made it."""
    for t in (tensor,) if isinstance(tensor, Tensor) else tensor:
        bump(t.array)


class _Packed:
    """A saved value in the form that ``pack`` returned."""

    __slots__ = ("unpack", "value")

    def __init__(self, value: Any, unpack: Callable[[Any], Any]) -> None:
        self.value, self.unpack = value, unpack


def _open(value: Any) -> Any:
    if value.__class__ is not _Packed:
        return value
    t = value.unpack(value.value)
    if not isinstance(t, Tensor):
        raise TypeError(f"saved_tensors_hooks: unpack must return a tensor, got {describe(t)}")
    return t.array


class _Unpacking:
    """Stands for the op of a node with packed values: unpacks them, then runs the rules of the op itself."""

    rules: tuple[Any, ...] = ()

    def __init__(self, op: Any) -> None:
        self.op = op

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)

    def rewrap(self, node: Node, wrap: Any) -> Any:
        """Return the unpacked values as Tensors of the graph."""
        packed = node.saved or ()
        node.saved = tuple(map(_open, packed))
        try:
            return self.op.rewrap(node, wrap)
        finally:
            node.saved = packed

    def gather(self, node: Node, g: Any, saved: Any) -> Iterator[tuple[int, Any]]:
        """Yield the gradient of each operand."""
        saved = type(saved)(map(_open, saved))
        if self.op.gather is not None:
            yield from self.op.gather(node, g, saved)
            return
        for position, rule in self.op.rules:
            gp = rule(g, saved) if node.inputs[position] is not None else None
            if gp is not None:
                if self.op.singular and MODE.get().guard and not finite(gp):
                    gp = self.op.masked(g, gp)
                yield position, gp


class saved_tensors_hooks(Observer):  # noqa: N801 - PyTorch's name
    """Pack the tensors that operations save for backward inside a ``with`` block, and unpack them when they are used.

    ``pack(tensor)`` returns anything; ``unpack`` gets it back and returns a tensor of the same values. So saved tensors
    can go to disk, to float16, or be recomputed.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([3.0], requires_grad=True)
    >>> with saved_tensors_hooks(lambda t: t.tolist(), tl.tensor):
    ...     y = x * x
    >>> y.grad_fn.saved[0].value
    [3.0]
    >>> y.backward()
    >>> x.grad
    tensor([6.])
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook
        self._entered: list[switch] = []

    def __enter__(self) -> None:
        if (reason := _disabled.__dict__.get("reason")) is not None:
            raise RuntimeError(reason)
        mode = switch(observers=(*(o for o in MODE.get().observers if not isinstance(o, saved_tensors_hooks)), self))
        self._entered.append(mode)
        mode.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._entered.pop().__exit__(*exc)

    def after(self, op: Any, args: tuple[Any, ...], out: Any, frame: Any) -> None:
        """Pack what the node of this op has saved."""
        node = next(
            (t.node for t in (out if isinstance(out, tuple) else (out,)) if isinstance(t, Tensor) and t.node), None
        )
        if node is None:
            return
        node = node.inputs[0] if node.op.is_pick else node
        if not node.saved or not any(isinstance(v, np.ndarray) for v in node.saved):
            return
        with switch(observers=(), grad=False):
            node.saved = tuple(
                _Packed(self.pack_hook(make(v)), self.unpack_hook) if isinstance(v, np.ndarray) else v
                for v in node.saved
            )
        node.op = _Unpacking(node.op)


class save_on_cpu(saved_tensors_hooks):  # noqa: N801 - PyTorch's name
    """Keep saved tensors in main memory: here they are there already, so nothing changes."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: t, lambda t: t)


_disabled = threading.local()


class disable_saved_tensors_hooks:  # noqa: N801 - PyTorch's name
    """Make `saved_tensors_hooks` inside a ``with`` block an error with this message."""

    def __init__(self, error_message: str) -> None:
        self.message, self.before = error_message, None

    def __enter__(self) -> None:
        self.before = _disabled.__dict__.get("reason")
        _disabled.reason = self.message

    def __exit__(self, *exc: object) -> None:
        _disabled.reason = self.before


class _Handles:
    """Removes the hooks of several tensors at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Remove all of them; does nothing the second time."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., Any], *, mode: Literal["all", "any"] = "all"
) -> _Handles:
    """Call ``fn`` once per backward pass when the gradients of ``tensors`` are known.

    With ``mode="all"`` it gets a list with the gradient of each (None where the pass does not reach it) when the last
    has arrived; with ``"any"`` the first gradient that arrives.

    >>> import tinygrad_lite as tl
    >>> a, b = tl.tensor(2.0, requires_grad=True), tl.tensor(3.0, requires_grad=True)
    >>> _ = register_multi_grad_hook((a, b), print)
    >>> (a * b).backward()
    [tensor(3.), tensor(2.)]
    """
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook: mode must be 'all' or 'any', got {mode!r}")
    watch = _Together(len(tensors), fn, mode == "all")
    return _Handles([t.register_hook(partial(watch.arrived, i)) for i, t in enumerate(tensors)])


class _Together:
    """Collects the gradients of one backward pass."""

    def __init__(self, count: int, fn: Callable[..., Any], every: bool) -> None:
        self.count, self.fn, self.every = count, fn, every
        self.found: dict[int, Any] = {}
        self.lock = threading.Lock()

    def arrived(self, i: int, g: Tensor) -> None:
        """Keep gradient ``i``; call the function when it is time."""
        with self.lock:
            if i in self.found:  # another pass, in which the earlier one did not reach every tensor
                self.found = {}
            first = not self.found
            self.found[i] = g
            whole = len(self.found) == self.count
            grads = [self.found.get(k) for k in range(self.count)]
            if whole:
                self.found = {}
        if self.every and whole:
            self.fn(grads)
        elif not self.every and first:
            self.fn(g)
