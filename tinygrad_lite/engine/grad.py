"""The public functions for gradients: `backward`, `grad`, and the hooks of nodes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.batch import pull_batched
from tinygrad_lite.engine.differentiate import differentiate, store
from tinygrad_lite.engine.hooks import RemovableHandle
from tinygrad_lite.engine.mode import MODE, switch
from tinygrad_lite.engine.node import Node
from tinygrad_lite.engine.sums import unbroadcast
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import GradientError, ShapeError, describe


def _tensors(what: str, given: Any) -> list[Any]:
    """Return one tensor or several as a list."""
    if not isinstance(given, (Tensor, Iterable)):
        raise TypeError(f"grad: {what} must be a tensor or several, got {describe(given)}")
    return [given] if isinstance(given, Tensor) else list(given)


@named
def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
    *,
    only_inputs: bool = True,
) -> tuple[Tensor | None, ...]:
    r"""Return the gradients of ``outputs`` with respect to ``inputs``, without touching any ``.grad``.

    :math:`\sum_k \text{grad\_outputs}_k^\top \, \partial\,\text{outputs}_k / \partial\,\text{inputs}_i`

    Each has shape and dtype of its input. With ``create_graph`` they can be differentiated again. An input that the
    outputs do not depend on raises GradientError, gives None with ``allow_unused``, zeros with ``materialize_grads``.
    With ``is_grads_batched`` each of ``grad_outputs`` has one more axis in front, and so have the results: one backward
    pass for all of them, as for the rows of a Jacobian.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor(3.0, requires_grad=True)
    >>> (slope,) = tl.grad(x**3, x, create_graph=True)
    >>> (curvature,) = tl.grad(slope, x)
    >>> slope.item(), curvature.item()
    (27.0, 18.0)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads gives zeros for unused inputs, allow_unused=False forbids them")
    if only_inputs is not True:
        warnings.warn("grad: only_inputs=False is ignored: .grad of other leaves is never changed", stacklevel=3)
    outs, ins = _tensors("outputs", outputs), _tensors("inputs", inputs)
    if not ins:
        raise GradientError("grad: inputs cannot be empty; name the tensors to differentiate with respect to")
    if grad_outputs is None:
        starts = [None] * len(outs)
    else:
        starts = [grad_outputs] if hasattr(grad_outputs, "ndim") else list(grad_outputs)
    if len(starts) != len(outs):
        raise ShapeError(f"grad: {len(outs)} outputs but {len(starts)} grad_outputs")
    size = None
    if is_grads_batched:
        size, found = pull_batched(outs, ins, starts, retain_graph, create_graph)
    else:
        found = differentiate(outs, starts, ins, retain_graph, create_graph, "grad")
    result: list[Tensor | None] = []
    for i, t in enumerate(ins):
        g = found.get(t.node or t)
        if g is None and materialize_grads:
            g = make(new.zeros(t.array.shape if size is None else (size, *t.array.shape), t.array.dtype))
            g.requires_grad = create_graph  # so that it can be differentiated again
        if g is None and not allow_unused:
            raise GradientError(
                f"grad: output does not depend on input {i} {describe(t)}; allow_unused=True gives None for it"
            )
        result.append(None if g is None else owned(g, t.array.dtype))
    return tuple(result)


def owned(g: Any, dtype: Any) -> Tensor:
    """Return a gradient as a Tensor of ``dtype``; the bare arrays of a pass may be shared, so they are copied."""
    if not isinstance(g, Tensor):
        return make(new.array(g, dtype=dtype))
    return g if g.dtype == dtype else g.astype(dtype)


@named
def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: bool | None = None, create_graph: bool = False,
    inputs: Any = None,
) -> None:  # fmt: skip
    """Add the gradients of one tensor, or of the sum of several, to ``.grad`` of their leaves.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor(2.0, requires_grad=True)
    >>> tl.autograd.backward([x * 3, x * x])
    >>> x.grad
    tensor(7.)
    """
    outs = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    one = grad_tensors is None or hasattr(grad_tensors, "ndim") or isinstance(tensors, Tensor)
    starts = [grad_tensors] * len(outs) if grad_tensors is None else [grad_tensors] if one else list(grad_tensors)
    if len(starts) != len(outs):
        raise ShapeError(f"backward: {len(outs)} tensors but {len(starts)} gradients")
    targets = None if inputs is None else [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if targets == []:
        raise GradientError("backward: inputs cannot be empty; leave it out for every leaf")
    found = differentiate(outs, starts, targets, retain_graph, create_graph, "backward")
    store(found, targets or (), create_graph)


# ------------------------------------------------------------------------------------------------ hooks of nodes
class Hooked:
    """Stands for the op of a node with hooks, which it calls before and after the rules of the op itself."""

    rules: tuple[Any, ...] = ()

    def __init__(self, op: Any) -> None:
        self.op, self.before, self.after = op, dict[int, Any](), dict[int, Any]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.op, name)

    def gather(self, node: Node, g: Any, saved: Any) -> Iterator[tuple[int, Any]]:
        """Yield the gradient of each operand."""
        several = isinstance(g, tuple)
        outs = g if several else (g,)
        for hook in tuple(self.before.values()):
            outs = _answer("register_prehook", outs, hook, ())
        g = outs if several else outs[0]
        found: list[Any] = [None] * len(node.inputs)
        for position, gp in self._pulled(node, g, saved):
            gp = gp if gp.shape == node.inputs[position].shape else unbroadcast(gp, node.inputs[position].shape)
            found[position] = gp if found[position] is None else found[position] + gp
        grads = tuple(found)
        for hook in tuple(self.after.values()):
            grads = _answer("register_hook", grads, hook, (outs,))
        yield from ((i, gp) for i, gp in enumerate(grads) if gp is not None and node.inputs[i] is not None)

    def _pulled(self, node: Node, g: Any, saved: Any) -> Iterator[tuple[int, Any]]:
        if self.op.gather is not None:
            yield from self.op.gather(node, g, saved)
        for position, rule in self.op.rules:
            gp = rule(g, saved) if node.inputs[position] is not None else None
            if gp is not None:
                yield position, self.op.masked(g, gp) if self.op.singular and MODE.get().guard else gp


def _answer(name: str, grads: Any, hook: Any, more: Any) -> Any:
    """Return the gradients after a hook, which gets copies of them as tensors."""

    def shown(part: Any) -> Any:
        return part if part is None or isinstance(part, Tensor) else make(new.array(part))

    bare = not any(isinstance(part, Tensor) for part in grads)
    with switch(grad=not bare):
        answer = hook(*(tuple(map(shown, several)) for several in (grads, *more)))
    if answer is None:
        return grads
    if not isinstance(answer, tuple) or len(answer) != len(grads):
        raise TypeError(f"{name}: the hook must return None or a tuple of {len(grads)}, got {describe(answer)}")
    for old, part in zip(grads, answer, strict=True):
        if part is not None and old is not None and tuple(getattr(part, "shape", ())) != tuple(old.shape):
            raise ShapeError(f"{name}: expected a gradient of shape {tuple(old.shape)}, got {describe(part)}")
    return tuple(part.array if bare and isinstance(part, Tensor) else part for part in answer)


def _hooked(node: Node) -> Hooked:
    """Return the op of the node in the graph, which takes hooks from now on."""
    node = getattr(node.op, "recorded", lambda: None)() or node  # a node of `Function` is shown by another object
    node = node.inputs[0] if node.op.is_pick else node
    if not isinstance(node.op, Hooked):
        node.op = Hooked(node.op)
    return node.op


def _register_hook(self: Node, fn: Callable[[Any, Any], Any]) -> RemovableHandle:
    """Call ``fn(grad_inputs, grad_outputs)`` with tuples in backward; a tuple that it returns replaces the first.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor(3.0, requires_grad=True)
    >>> y = x * 2
    >>> _ = y.grad_fn.register_hook(lambda inputs, outputs: print(inputs, outputs))
    >>> y.backward()
    (tensor(2.), None) (tensor(1.),)
    """
    return RemovableHandle(_hooked(self).after, fn)


def _register_prehook(self: Node, fn: Callable[[Any], Any]) -> RemovableHandle:
    """Call ``fn(grad_outputs)`` with a tuple before the rules of the node; a tuple that it returns replaces it."""
    return RemovableHandle(_hooked(self).before, fn)


def _run_backward(
    self: Tensor, gradient: Any, retain_graph: bool | None, create_graph: bool, inputs: Any
) -> None:  # fmt: skip
    if gradient is None and inputs is None:  # the usual case, without the checks of what is not given
        store(differentiate((self,), (None,), None, retain_graph, create_graph, "backward"), (), create_graph)
    else:
        backward(self, gradient, retain_graph, create_graph, inputs)


Tensor._run_backward = _run_backward
Node.register_hook, Node.register_prehook = _register_hook, _register_prehook
