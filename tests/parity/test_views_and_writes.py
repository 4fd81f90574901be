"""Views, `retain_grad` and in-place writes, a situation each: PyTorch's answer, or both raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


def computed(T: Any) -> Any:
    """Return a leaf, and a computed tensor with the same numbers."""
    x = T.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    return x, x * 1


def retained(change: Callable[[Any, Any, Any], Any], loss: Callable[[Any, Any, Any], Any]) -> Callable[[Any], Any]:
    """Return a case: two views and their root retain their gradients, then ``change``, then ``loss`` backward."""

    def case(T: Any) -> Any:
        x, y = computed(T)
        a, b = y[:3], y[1:]
        for t in (a, b, y):
            t.retain_grad()
        change(y, a, b)
        loss(y, a, b).backward()
        return x.grad, y.grad, a.grad, b.grad, a.retains_grad, b.retains_grad

    return case


WRITES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "nothing": lambda y, a, b: None,
    "root": lambda y, a, b: y.mul_(2),
    "root twice": lambda y, a, b: (y.mul_(2), y.add_(1)),
    "one view": lambda y, a, b: a.mul_(2),
    "both views": lambda y, a, b: (a.mul_(2), b.mul_(3)),
    "part of the root": lambda y, a, b: y.__setitem__(0, 7.0),
    "part of a view": lambda y, a, b: a[1:].mul_(5),
}
LOSSES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "root": lambda y, a, b: (y * 2).sum(),
    "view": lambda y, a, b: (a * 2).sum(),
    "all": lambda y, a, b: a.sum() * 5 + b.sum() * 3 + y.sum(),
}
TWICE: dict[str, Callable[[Any, Any], Any]] = {
    "slice": lambda T, b: b[1:],
    "number": lambda T, b: b[1],
    "index": lambda T, b: b[[0, 1]],
    "mask": lambda T, b: b[T.tensor([True, False, True, True])],
    "gather": lambda T, b: b.gather(0, T.tensor([0, 1])),
    "index_select": lambda T, b: b.index_select(0, T.tensor([0, 1])),
    "where": lambda T, b: T.where(b > 1, b, T.zeros(4)),
    "masked_fill": lambda T, b: b.masked_fill(T.tensor([True, False, True, True]), 0.0),
    "unfold": lambda T, b: b.unfold(0, 2, 1),
    "setitem index": lambda T, b: _set(T.zeros(4), [1, 2], b[:2]),
    "setitem slice": lambda T, b: _set(T.zeros(4), slice(1, 3), b[:2]),
    "setitem mask": lambda T, b: _set(T.zeros(4), T.tensor([True, False, True, False]), b[:2]),
    "copy_": lambda T, b: T.zeros(4).copy_(b),
}
SHARED: dict[str, Callable[[Any, Any], Any]] = {
    "unfold": lambda T, x: x.unfold(0, 2, 2)[0],
    "unfold of columns": lambda T, x: x.unfold(1, 2, 1)[..., 0, :],
    "unbind": lambda T, x: x.unbind(0)[1],
    "unbind of a vector": lambda T, x: x[0].unbind(0)[1],
    "split": lambda T, x: x.split(2)[0],
    "chunk": lambda T, x: x.chunk(2, 1)[1],
    "tensor_split": lambda T, x: T.tensor_split(x, 3)[2],
    "diagonal": lambda T, x: x.diagonal(),
    "diag": lambda T, x: T.diag(x),
    "narrow": lambda T, x: x.narrow(0, 1, 2),
    "select": lambda T, x: x.select(1, 0),
    "expand": lambda T, x: x.expand(4, 4),
    "expand in front": lambda T, x: x.expand(1, 4, 4),
    "expand_as": lambda T, x: x.expand_as(x),
    "broadcast_to": lambda T, x: T.broadcast_to(x, (4, 4)),
    "repeat once": lambda T, x: x.repeat(1, 1),
    "squeeze": lambda T, x: x[:1].squeeze(),
    "T": lambda T, x: x.T,
    "mT": lambda T, x: x.mT,
    "movedim": lambda T, x: x.movedim(0, 1),
    "real": lambda T, x: x.real,
    "flatten": lambda T, x: x.flatten(),
    "flatten of a transpose": lambda T, x: x.T.flatten(),
    "contiguous": lambda T, x: x.contiguous(),
    "einsum": lambda T, x: T.einsum("ij->ji", x),
    "einsum of a diagonal": lambda T, x: T.einsum("ii->i", x),
    "float": lambda T, x: x.float(),
    "double": lambda T, x: x.double(),
    "index array": lambda T, x: x[[0, 1]],
    "flip": lambda T, x: x.flip(0),
    "atleast_3d": lambda T, x: T.atleast_3d(x),
}
REFUSED: dict[str, Callable[[Any], Any]] = {
    "part of split": lambda T: computed(T)[1].split(2)[0].add_(1),
    "part of chunk": lambda T: computed(T)[1].chunk(2)[0].__setitem__(0, 1.0),
    "part of unbind": lambda T: computed(T)[1].unbind(0)[0].add_(1),
    "view of a part": lambda T: computed(T)[1].split(2)[0][:1].add_(1),
    "part of tensor_split": lambda T: computed(T)[1].tensor_split(2)[0].add_(1),
    "untracked part": lambda T: T.zeros(4).split(2)[0].add_(1),
    "view made under no_grad": lambda T: _apart(T, computed(T)[1]).mul_(2),
    "view of a leaf made under no_grad": lambda T: _apart(T, computed(T)[0]).mul_(2),
    "view of that view": lambda T: _apart(T, computed(T)[1])[:1].mul_(2),
    "view of an untracked tensor": lambda T: _apart(T, T.zeros(4)).mul_(2),
}


def _set(t: Any, index: Any, value: Any) -> Any:
    t[index] = value
    return t


def _apart(T: Any, t: Any) -> Any:
    with T.no_grad():
        return t[:2]


def answer(case: Callable[[Any], Any], T: Any) -> Any:
    try:
        return plain(case(T))
    except RuntimeError:
        return "raises"


def plain(result: Any) -> Any:
    if isinstance(result, (tuple, list)):
        return [plain(r) for r in result]
    return result.detach().tolist() if hasattr(result, "detach") else result


def same(case: Callable[[Any], Any]) -> None:
    ours, theirs = answer(case, tl), answer(case, torch)
    assert ours == theirs


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("write", WRITES)
def test_retained_gradients_follow_a_view(write: str, loss: str) -> None:
    same(retained(WRITES[write], LOSSES[loss]))


@pytest.mark.parametrize("name", TWICE)
def test_second_backward(name: str) -> None:
    def case(T: Any) -> Any:
        x = T.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
        y = TWICE[name](T, x)
        for _ in range(2):
            y.backward(T.ones(tuple(y.shape)))
        return x.grad

    same(case)


@pytest.mark.parametrize("name", SHARED)
def test_a_write_is_seen_through_the_same_views(name: str) -> None:
    def case(T: Any) -> Any:
        x = T.arange(16.0).reshape(4, 4)
        SHARED[name](T, x).add_(100)
        return x

    def tracked(T: Any) -> Any:
        x = T.arange(16.0).reshape(4, 4).requires_grad_()
        y = x * 1
        SHARED[name](T, y).mul_(3)
        (y * T.arange(16.0).reshape(4, 4)).sum().backward()
        return x.grad, y

    same(case)
    if name not in ("unfold of columns",):  # windows that overlap
        same(tracked)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_writes(name: str) -> None:
    same(REFUSED[name])
