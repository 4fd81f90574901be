"""Hooks: what they may change, the gradient mode inside them, and the hooks of `autograd.graph`."""

from __future__ import annotations

from typing import Any

import pytest

import tinygrad_lite as tl
from tinygrad_lite.autograd import graph


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("middle", [False, True])
def test_a_hook_may_edit_its_gradient_in_place(middle: bool, create: bool) -> None:
    x, w = tl.ones(3, requires_grad=True), tl.ones(3, requires_grad=True)
    y = x * 2 + w
    (y if middle else x).register_hook(lambda g: (g.mul_(0.5), None)[1])
    (y * 3).sum().backward(create_graph=create)
    assert x.grad.tolist() == [3.0] * 3
    assert w.grad.tolist() == ([1.5] * 3 if middle else [3.0] * 3), "others that share the array keep theirs"


@pytest.mark.parametrize("create", [False, True])
def test_the_gradient_mode_inside_hooks_is_that_of_the_pass(create: bool) -> None:
    seen: list[bool] = []
    x = tl.ones(2, requires_grad=True)
    y = x * x
    x.register_hook(lambda g: seen.append(tl.is_grad_enabled()))
    y.register_hook(lambda g: seen.append(tl.is_grad_enabled()))
    x.register_post_accumulate_grad_hook(lambda t: seen.append(tl.is_grad_enabled()))
    y.sum().backward(create_graph=create)
    assert seen == [create] * 3


def test_a_post_accumulate_hook_may_update_the_leaf() -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda t: (t.sub_(t.grad), None)[1])
    (x * 3).sum().backward()
    assert x.tolist() == [-2.0, -1.0] and x.requires_grad


def test_modes_decorate_without_parentheses() -> None:
    x = tl.ones(1, requires_grad=True)

    @tl.inference_mode
    def a(t: Any) -> Any:
        return t * 2

    @tl.enable_grad
    def b(t: Any) -> Any:
        return t * 2

    @tl.no_grad
    def c(t: Any) -> Any:
        return t * 2

    assert not a(x).requires_grad and not c(x).requires_grad
    with tl.no_grad():
        assert b(x).requires_grad
    with tl.inference_mode(False):
        assert (x * 1).requires_grad


def test_saved_values_are_packed_and_unpacked() -> None:
    packed: list[Any] = []

    def pack(t: tl.Tensor) -> Any:
        packed.append(t.tolist())
        return t.tolist()

    x, w = tl.tensor([1.0, 2.0], requires_grad=True), tl.tensor([3.0, 4.0], requires_grad=True)
    with graph.saved_tensors_hooks(pack, tl.tensor):
        y = (x * w).exp().sum()
    assert len(packed) == 3 and [3.0, 4.0] in packed and [1.0, 2.0] in packed
    (gx,) = tl.autograd.grad(y, x, create_graph=True)
    plain = tl.autograd.grad((x * w).exp().sum(), x, create_graph=True)[0]
    assert gx.tolist() == plain.tolist()
    assert tl.autograd.grad(gx.sum(), w)[0].tolist() == tl.autograd.grad(plain.sum(), w)[0].tolist()
    with graph.saved_tensors_hooks(lambda t: t * 0, lambda t: t):
        wrong = (x * x).sum()
    wrong.backward()
    assert x.grad.tolist() == [0.0, 0.0], "the unpacked values are the ones that are used"
    with graph.saved_tensors_hooks(lambda t: t, lambda t: None):  # type: ignore[arg-type,return-value]
        z = x * x
    with pytest.raises(TypeError, match="unpack must return a tensor"):
        z.sum().backward()
    with graph.disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"):
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass


def test_hooks_of_several_gradients() -> None:
    a, b, c = (tl.tensor(v, requires_grad=True) for v in (2.0, 3.0, 4.0))
    every: list[Any] = []
    first: list[Any] = []
    handle = graph.register_multi_grad_hook((a, b), every.append)
    graph.register_multi_grad_hook((a, b), first.append, mode="any")
    (a * b * c).backward()
    assert [[g.item() for g in gs] for gs in every] == [[12.0, 8.0]] and len(first) == 1
    handle.remove()
    (a * b).backward()
    assert len(every) == 1 and len(first) == 2


def test_the_node_of_a_function_has_its_name() -> None:
    class Identity(tl.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    y = Identity.apply(tl.ones(1, requires_grad=True))
    assert type(y.grad_fn).__name__ == "IdentityBackward" and isinstance(y.grad_fn, tl.autograd.Node)
    (y * 2).sum().backward()


def test_a_saved_tensor_outside_the_graph_is_the_same_object() -> None:
    seen: list[Any] = []

    class Keep(tl.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(y)
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            seen.append(ctx.saved_tensors[0])
            return g, None

    b = tl.tensor(1.0)
    Keep.apply(tl.tensor(1.0, requires_grad=True), b).backward()
    assert seen[0] is b
    out = Keep.apply(tl.tensor(1.0, requires_grad=True), b)
    b.add_(1)
    with pytest.raises(RuntimeError, match="changed in place"):
        out.backward()


def test_writes_through_data_do_not_change_the_graph() -> None:
    x, w = tl.ones(2, requires_grad=True), tl.full((2,), 3.0)
    y = (x * w).sum()
    w.data[0] = 5.0
    with tl.no_grad():
        w.data[1:].add_(1.0)  # a view of .data, made where views are not recorded
    y.backward()
    assert x.grad.tolist() == [5.0, 4.0], "backward uses the new values, as in PyTorch"
    y = (x * w).sum()
    w.detach()[0] = 1.0
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()
