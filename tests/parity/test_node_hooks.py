"""Hooks of ``grad_fn``: what they are given, and what their answer changes."""

from __future__ import annotations

from typing import Any

import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")


def numbers(grads: Any) -> list[Any]:
    return [None if g is None else g.tolist() for g in grads]


def outcome(T: Any) -> list[Any]:
    seen: list[Any] = []

    def noted(word: str) -> Any:
        return lambda *grads: seen.append((word, *map(numbers, grads)))

    x, z = T.tensor([1.0, 2.0], requires_grad=True), T.tensor([[3.0], [4.0]], requires_grad=True)
    y = x * z
    w = y * T.ones(2)
    first = y.grad_fn.register_hook(noted("after"))
    y.grad_fn.register_prehook(noted("before"))
    pre = y.grad_fn.register_prehook(lambda g: (g[0] * 2,))
    w.grad_fn.register_hook(noted("outer"))
    w.sum().backward(retain_graph=True)
    first.remove()
    pre.remove()
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 10, None))
    seen += [x.grad.tolist(), z.grad.tolist(), T.autograd.grad(w.sum(), x, retain_graph=True)[0].tolist()]

    class Double(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    q = Double.apply(x)
    q.grad_fn.register_hook(noted("function"))
    q.grad_fn.register_prehook(noted("before the function"))
    q.sum().backward()
    v = x * x
    v.grad_fn.register_hook(lambda inputs, outputs: seen.append(inputs[0].requires_grad))
    g = T.autograd.grad(v.sum(), x, create_graph=True)[0]
    seen.append(T.autograd.grad(g.sum(), x)[0].tolist())
    a, b = T.ones(4, requires_grad=True).split(2)
    b.grad_fn.register_hook(lambda inputs, outputs: seen.append(numbers(inputs)))
    (b * 2).sum().backward()
    for wrong in (lambda i, o: i[0], lambda i, o: (i[0],), lambda i, o: (i[0][:1], None)):
        handle = w.grad_fn.register_hook(wrong)
        with pytest.raises((RuntimeError, TypeError)):
            w.sum().backward(retain_graph=True)
        handle.remove()
    return seen


def test_hooks_of_nodes() -> None:
    for ours, theirs in zip(outcome(tl), outcome(torch), strict=True):
        assert ours == theirs


def test_a_singular_point_stays_guarded() -> None:
    x = tl.zeros(2, requires_grad=True)
    y = x.sqrt()
    y.grad_fn.register_hook(lambda inputs, outputs: None)  # type: ignore[union-attr]
    (y * tl.tensor([0.0, 1.0])).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [0.0, float("inf")]
