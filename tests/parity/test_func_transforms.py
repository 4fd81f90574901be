"""torch.func and torch.autograd.functional: the same numbers, nested in every way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
pytest.importorskip("torch.func")
torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # PyTorch's own, in jvp

rng = np.random.default_rng(0)
W, X = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
x, x2, c = X[0], X[1], rng.normal(size=4)


def scalar(L: Any, w: Any, x: Any) -> Any:
    return (L.tanh(w @ x) ** 2).sum()


def vector(L: Any, w: Any, x: Any) -> Any:
    return L.tanh(w @ x) * x.sum()


# each: (library, its func, its autograd.functional, tensor of array) -> result
CASES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "grad": lambda L, F, A, t: F.grad(lambda x: scalar(L, t(W), x))(t(x)),
    "grad of two": lambda L, F, A, t: F.grad(lambda x, w: scalar(L, w, x), argnums=(0, 1))(t(x), t(W)),
    "grad of a dict": lambda L, F, A, t: F.grad(lambda p: scalar(L, p["w"], p["x"]))({"w": t(W), "x": t(x)}),
    "grad with aux": lambda L, F, A, t: F.grad(lambda x: (scalar(L, t(W), x), x * 2), has_aux=True)(t(x)),
    "grad and value": lambda L, F, A, t: F.grad_and_value(lambda x: scalar(L, t(W), x))(t(x)),
    "grad twice": lambda L, F, A, t: F.grad(lambda x: F.grad(lambda y: scalar(L, t(W), y))(x).sum())(t(x)),
    "vmap": lambda L, F, A, t: F.vmap(lambda x: vector(L, t(W), x))(t(X)),
    "vmap of axes": lambda L, F, A, t: F.vmap(lambda x, w: vector(L, w, x), (1, None), 1)(t(X.T.copy()), t(W)),
    "vmap of trees": lambda L, F, A, t: F.vmap(lambda p: {"s": p["x"].sum(), "y": p["x"] * p["k"]}, ({"x": 0,
        "k": None},))({"x": t(X), "k": t(x)}),
    "vmap of vmap": lambda L, F, A, t: F.vmap(lambda a: F.vmap(lambda b: (a * b).sum())(t(X)))(t(X)),
    "vmap of grad": lambda L, F, A, t: F.vmap(F.grad(lambda w, x: scalar(L, w, x)), (None, 0))(t(W), t(X)),
    "vmap of hessian": lambda L, F, A, t: F.vmap(F.hessian(lambda x: scalar(L, t(W), x)))(t(X)),
    "vmap of jacfwd": lambda L, F, A, t: F.vmap(F.jacfwd(lambda x: vector(L, t(W), x)))(t(X)),
    "vmap of vmap of grad": lambda L, F, A, t: F.vmap(
        lambda a: F.vmap(F.grad(lambda b: (a * b * b).sum()))(t(X)))(t(X)),
    "vmap of jvp": lambda L, F, A, t: F.vmap(lambda x: F.jvp(lambda y: vector(L, t(W), y), (x,), (t(x2),))[1])(t(X)),
    "vmap of vjp": lambda L, F, A, t: F.vmap(lambda v: F.vjp(lambda y: vector(L, t(W), y), t(x))[1](v)[0])(t(X @ W.T)),
    "grad of vmap": lambda L, F, A, t: F.grad(lambda w: F.vmap(lambda x: vector(L, w, x))(t(X)).sum())(t(W)),
    "jacobian of vmap": lambda L, F, A, t: F.jacrev(lambda w: F.vmap(lambda x: vector(L, w, x))(t(X)))(t(W)),
    "jacobian of grad of vmap": lambda L, F, A, t: F.jacrev(F.grad(lambda w: (F.vmap(lambda x: vector(L, w,
        x))(t(X)) ** 2).sum()))(t(W)),
    "jacrev": lambda L, F, A, t: F.jacrev(lambda x: vector(L, t(W), x))(t(x)),
    "jacrev of a matrix": lambda L, F, A, t: F.jacrev(lambda w: vector(L, w, t(x)))(t(W)),
    "jacrev of trees": lambda L, F, A, t: F.jacrev(lambda x: {"a": x * 2, "b": (x[:2] ** 3,)})(t(x)),
    "jacrev of two": lambda L, F, A, t: F.jacrev(lambda x, y: x * y.sum(), argnums=(0, 1))(t(x), t(x2)),
    "jacfwd": lambda L, F, A, t: F.jacfwd(lambda x: vector(L, t(W), x))(t(x)),
    "jacfwd of a matrix": lambda L, F, A, t: F.jacfwd(lambda w: vector(L, w, t(x)))(t(W)),
    "jacfwd of jacrev": lambda L, F, A, t: F.jacfwd(F.jacrev(lambda x: vector(L, t(W), x)))(t(x)),
    "hessian": lambda L, F, A, t: F.hessian(lambda x: scalar(L, t(W), x))(t(x)),
    "hessian of a vector": lambda L, F, A, t: F.hessian(lambda x: vector(L, t(W), x))(t(x)),
    "jvp": lambda L, F, A, t: F.jvp(lambda x: vector(L, t(W), x), (t(x),), (t(x2),)),
    "jvp of two": lambda L, F, A, t: F.jvp(lambda x, w: vector(L, w, x), (t(x), t(W)), (t(x2), t(W * 2))),
    "vjp": lambda L, F, A, t: F.vjp(lambda x: vector(L, t(W), x), t(x))[1](t(c)),
    "functional vjp": lambda L, F, A, t: A.vjp(lambda x: vector(L, t(W), x), t(x), t(c)),
    "functional jvp": lambda L, F, A, t: A.jvp(lambda x, w: vector(L, w, x), (t(x), t(W)), (t(x2), t(W))),
    "functional jacobian": lambda L, F, A, t: A.jacobian(lambda x, w: vector(L, w, x), (t(x), t(W))),
    "functional jacobian of two": lambda L, F, A, t: A.jacobian(lambda x: (x * 2, x.sum()), t(x)),
    "functional hessian": lambda L, F, A, t: A.hessian(lambda x, w: scalar(L, w, x), (t(x), t(W))),
    "functional hvp": lambda L, F, A, t: A.hvp(lambda x, w: scalar(L, w, x), (t(x), t(W)), (t(x2), t(W))),
    "functional vhp": lambda L, F, A, t: A.vhp(lambda x: scalar(L, t(W), x), t(x), t(x2)),
    "batched grad": lambda L, F, A, t: (lambda w: L.autograd.grad(vector(L, w, t(x)), w, t(np.eye(4)),
        is_grads_batched=True))(t(W).requires_grad_()),
}  # fmt: skip


def leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        for v in tree.values():
            yield from leaves(v)
    elif isinstance(tree, (tuple, list)):
        for v in tree:
            yield from leaves(v)
    else:
        yield tree


@pytest.mark.parametrize("name", CASES)
def test_like_pytorch(name: str) -> None:
    ours = CASES[name](tl, tl.func, tl.autograd.functional, tl.tensor)
    theirs = CASES[name](torch, torch.func, torch.autograd.functional, torch.tensor)
    a, b = list(leaves(ours)), list(leaves(theirs))
    assert len(a) == len(b)
    for p, q in zip(a, b, strict=True):
        assert tuple(p.shape) == tuple(q.shape) and p.requires_grad == q.requires_grad
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_the_same_names_in_the_same_places() -> None:
    for room, theirs in ((tl.func, torch.func), (tl.autograd.functional, torch.autograd.functional)):
        names = [n for n in dir(room) if not n.startswith("_") and callable(getattr(room, n)) and hasattr(theirs, n)]
        assert {"jvp", "vjp"} < set(names)
    for (
        name
    ) in "Function backward grad no_grad enable_grad set_grad_enabled inference_mode detect_anomaly functional".split():
        assert hasattr(tl.autograd, name)
