"""The public functions for gradients: `backward` and `grad`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.batch import pull_batched
from tinygrad_lite.engine.differentiate import differentiate, store
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


Tensor._run_backward = backward
