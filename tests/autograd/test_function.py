"""Operations with a backward of their own, in PyTorch's form."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.autograd import Function
from tinygrad_lite.autograd.function import once_differentiable


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (y,) = ctx.saved_tensors
        return g * y


class ScaleAndShift(Function):
    @staticmethod
    def forward(x: Any, k: float) -> Any:
        return x * k, x + 1, x > 1

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.k = inputs[1]
        ctx.seen = ctx.needs_input_grad
        ctx.mark_non_differentiable(output[2])

    @staticmethod
    def backward(ctx: Any, g: Any, h: Any, _: Any) -> Any:
        assert ctx.seen == (True, False)
        return g * ctx.k + h, None


def test_values_and_gradients_to_third_order() -> None:
    x = tl.tensor([0.5, -1.0], dtype=tl.float64, requires_grad=True)
    y = Exp.apply(x)
    for _ in range(3):
        (y,) = tl.grad(y.sum(), x, create_graph=True)
        np.testing.assert_allclose(y.detach().numpy(), np.exp(x.detach().numpy()))


def test_several_outputs_and_options() -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    a, b, above = ScaleAndShift.apply(x, 3.0)
    assert above.tolist() == [False, True] and not above.requires_grad
    a.sum().backward(retain_graph=True)  # the other output was not used: zeros arrive
    assert x.grad.tolist() == [3.0, 3.0]
    x.grad = None
    (a.sum() + 2 * b.sum()).backward()
    assert x.grad.tolist() == [5.0, 5.0]


def test_gradients_that_are_not_materialized_arrive_as_none() -> None:
    seen: list[Any] = []

    class Two(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            seen.append((g is None, h is None))
            return h * 2

    x = tl.tensor(1.0, requires_grad=True)
    Two.apply(x)[1].backward()
    assert seen == [(True, False)] and x.grad.item() == 2.0


def test_no_recording_inside_and_none_without_need() -> None:
    class Look(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            assert not (x * 2).requires_grad
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            assert not tl.is_grad_enabled()
            return g * 2

    assert not Look.apply(tl.ones(2)).requires_grad
    with tl.no_grad():
        assert not Look.apply(tl.ones(2).requires_grad_()).requires_grad
    x = tl.ones(2).requires_grad_()
    Look.apply(x).sum().backward()


def test_an_input_returned_unchanged_is_a_new_tensor() -> None:
    class Pass(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return -g

    x = tl.tensor(2.0, requires_grad=True)
    y = Pass.apply(x)
    assert y is not x and not y.is_leaf
    y.backward()
    assert x.grad.item() == -1.0


def test_in_place_with_mark_dirty() -> None:
    class Double(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 2

    leaf = tl.tensor([1.0, 2.0], requires_grad=True)
    x = leaf * 1
    y = Double.apply(x)
    assert y is x and x.tolist() == [2.0, 4.0]
    x.sum().backward()
    assert leaf.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="leaf"):
        Double.apply(leaf)


def test_a_saved_tensor_that_was_changed_is_noticed() -> None:
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * g * ctx.saved_tensors[0]

    leaf = tl.tensor([3.0], requires_grad=True)
    x = leaf * 1
    y = Square.apply(x)
    x.add_(1)
    with pytest.raises(RuntimeError, match="Square: .*changed in place"):
        y.backward()


def test_saved_values_are_freed_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        x = tl.tensor([3.0], requires_grad=True)
        y = Exp.apply(x)
        array = weakref.ref(y.array)
        y.backward()
        with pytest.raises(RuntimeError, match="retain_graph"):
            y.backward()
        del y
        assert array() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda g: (g, g), "2 gradients, forward took 1"),
        (lambda g: tl.ones(3), r"gradient \(3,\) float32 for argument 0"),
    ],
)
def test_wrong_gradients(answer: Any, text: str) -> None:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return answer(g)

    x = tl.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=text):
        Wrong.apply(x).sum().backward()
    assert x.grad is None


def test_a_gradient_that_is_the_saved_array_is_copied() -> None:
    class Keep(Function):
        @staticmethod
        def forward(ctx: Any, x: Any, k: Any) -> Any:
            ctx.save_for_backward(k)
            return (x * k).sum()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return ctx.saved_tensors[0], None

    x, k = tl.tensor([1.0, 2.0], requires_grad=True), tl.tensor([5.0, 6.0])
    for _ in range(2):
        Keep.apply(x, k).backward()
    assert x.grad.tolist() == [10.0, 12.0] and k.tolist() == [5.0, 6.0]


def test_once_differentiable() -> None:
    class Square(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * g * ctx.saved_tensors[0]

    x = tl.tensor(3.0, requires_grad=True)
    assert tl.grad(Square.apply(x), x)[0].item() == 6.0
    (g,) = tl.grad(Square.apply(x), x, create_graph=True)
    assert not g.requires_grad  # as in PyTorch, whose incoming gradient decides
    (g,) = tl.grad(Square.apply(x) * x, x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.backward()


def test_instances_are_not_called() -> None:
    with pytest.raises(RuntimeError, match="apply"):
        Exp()(tl.ones(1))


def test_batches_run_one_by_one() -> None:
    out = tl.func.vmap(lambda v: Exp.apply(v))(tl.tensor([0.0, 1.0]))
    np.testing.assert_allclose(out.numpy(), np.exp([0.0, 1.0]), rtol=1e-6)
    J = tl.func.jacrev(lambda v: Exp.apply(v) * v.sum())(tl.tensor([0.0, 1.0]))
    np.testing.assert_allclose(J.numpy(), tl.func.jacrev(lambda v: v.exp() * v.sum())(tl.tensor([0.0, 1.0])).numpy())
