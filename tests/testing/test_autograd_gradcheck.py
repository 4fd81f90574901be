"""`autograd.gradcheck` and `gradgradcheck`: PyTorch's call, answers and errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.autograd import gradcheck, gradgradcheck
from tinygrad_lite.autograd.gradcheck import GradcheckError

torch = pytest.importorskip("torch")


def double(T: Any, *shape: int, grad: bool = True) -> Any:
    n = int(np.prod(shape))
    t = T.arange(float(n), dtype=T.float64).reshape(shape) / max(n, 1) + 0.3
    return t.requires_grad_() if grad else t


def wrong(x: Any) -> Any:
    y = x * 1
    y.register_hook(lambda g: 3 * g)
    return y


def linear(T: Any) -> bool:
    layer = T.nn.Linear(4, 2).double()
    return bool(T.autograd.gradcheck(layer, (double(T, 3, 4),), eps=1e-6, atol=1e-4))


def custom(T: Any) -> bool:
    class Exp(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (y,) = ctx.saved_tensors
            return g * y

    x = (double(T, 3),)
    return bool(T.autograd.gradcheck(Exp.apply, x)) and bool(T.autograd.gradgradcheck(Exp.apply, x))


RIGHT = {
    "the tutorial's linear layer": linear,
    "the tutorial's custom function": custom,
    "one tensor": lambda T: T.autograd.gradcheck(T.sin, double(T, 3)),
    "a list": lambda T: T.autograd.gradcheck(T.mul, [double(T, 3), double(T, 3)]),
    "two results": lambda T: T.autograd.gradcheck(lambda x: (x.sin(), x.cos()), (double(T, 3),)),
    "one input without a gradient": lambda T: T.autograd.gradcheck(T.mul, (double(T, 3), double(T, 3, grad=False))),
    "None": lambda T: T.autograd.gradcheck(lambda x, b: x * 2 if b is None else b, (double(T, 3), None)),
    "text": lambda T: T.autograd.gradcheck(
        lambda x, y, how: T.nn.functional.mse_loss(x, y, reduction=how), (double(T, 3), T.ones(3).double(), "sum")
    ),
    "an integer index": lambda T: T.autograd.gradcheck(lambda x, i: x[i] ** 2, (double(T, 3), T.tensor([0, 0, 2]))),
    "fast_mode": lambda T: T.autograd.gradcheck(T.exp, (double(T, 3),), fast_mode=True),
    "every option": lambda T: T.autograd.gradcheck(
        T.mul,
        (double(T, 3), double(T, 3)),
        eps=1e-6,
        atol=1e-4,
        rtol=1e-3,
        nondet_tol=0.0,
        check_undefined_grad=False,
        check_grad_dtypes=True,
        check_batched_grad=True,
        masked=False,
    ),
    "undefined gradients": lambda T: T.autograd.gradcheck(
        lambda x: (x.sin(), x.exp()), (double(T, 3),), check_undefined_grad=True
    ),
    "forward mode": lambda T: T.autograd.gradcheck(T.tanh, (double(T, 3),), check_forward_ad=True),
    "second order": lambda T: T.autograd.gradgradcheck(T.mul, (double(T, 3), double(T, 3))),
    "second order, given g": lambda T: T.autograd.gradgradcheck(T.exp, (double(T, 3),), (double(T, 3),)),
    "second order, options": lambda T: T.autograd.gradgradcheck(
        T.exp, (double(T, 3),), gen_non_contig_grad_outputs=True, fast_mode=True, check_batched_grad=True, atol=1e-4
    ),
    "empty": lambda T: T.autograd.gradcheck(T.exp, (double(T, 0, 3),)),
    "a small error within rtol": lambda T: T.autograd.gradcheck(nearly(T, 1 + 1e-5), (double(T, 3),)),
}


def nearly(T: Any, factor: float) -> Any:
    def f(x: Any) -> Any:
        y = x * 2
        y.register_hook(lambda g: None if g is None else factor * g)
        return y

    return f


@pytest.mark.parametrize("name", RIGHT)
def test_the_answer_is_pytorchs_true(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert RIGHT[name](torch) is True
    assert RIGHT[name](tl) is True


def nondeterministic(T: Any) -> Any:
    state = np.random.default_rng(0)

    def f(x: Any) -> Any:
        y = x * 2
        y.register_hook(lambda g: g + 1e-3 * float(state.random()))
        return y

    return f


WRONG = {
    "a factor": lambda T, **o: T.autograd.gradcheck(wrong, (double(T, 3),), **o),
    "a factor, fast_mode": lambda T, **o: T.autograd.gradcheck(wrong, (double(T, 3),), fast_mode=True, **o),
    "the second of two results": lambda T, **o: T.autograd.gradcheck(
        lambda x: (x.sin(), wrong(x)), (double(T, 3),), **o
    ),
    "an error above rtol": lambda T, **o: T.autograd.gradcheck(nearly(T, 1.01), (double(T, 3),), **o),
    "a backward that changes": lambda T, **o: T.autograd.gradcheck(nondeterministic(T), (double(T, 3),), **o),
    "a wrong second derivative": lambda T, **o: T.autograd.gradgradcheck(cut(T), (double(T, 3),), **o),
}


def cut(T: Any) -> Any:
    class Square(T.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 2 * x.detach() * g

    return Square.apply


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_gradient_raises_or_returns_false(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError):
            WRONG[name](torch)
    with pytest.raises(GradcheckError) as caught:
        WRONG[name](tl)
    assert isinstance(caught.value, RuntimeError) and isinstance(caught.value, AssertionError)
    assert caught.value.report is not None and not caught.value.report.ok
    assert WRONG[name](tl, raise_exception=False) is False


def test_the_message_has_pytorchs_words_and_the_report() -> None:
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0") as caught:
        gradcheck(wrong, (double(tl, 3),))
    assert "off by the factor 3" in str(caught.value)


def test_nondet_tol_allows_a_small_difference() -> None:
    assert gradcheck(nondeterministic(tl), (double(tl, 3),), nondet_tol=1e-2, atol=1e-2)


@pytest.mark.parametrize("T", [torch, tl], ids=["torch", "tinygrad_lite"])
def test_nothing_that_requires_a_gradient_is_an_error(T: Any) -> None:
    for raises in (True, False):
        with pytest.raises(ValueError, match="expects at least one input tensor to require gradient"):
            T.autograd.gradcheck(T.sin, (T.ones(2, dtype=T.float64),), raise_exception=raises)
    with pytest.raises(AssertionError, match="at least one of check_forward_ad"):
        T.autograd.gradcheck(T.sin, (double(T, 2),), check_backward_ad=False)


def test_inputs_keep_their_gradients_and_values() -> None:
    x = double(tl, 3)
    x.grad = tl.ones(3, dtype=tl.float64)
    before = x.detach().numpy().copy()
    gradcheck(tl.exp, (x,))
    assert np.array_equal(x.detach().numpy(), before) and x.grad.tolist() == [1, 1, 1]


def test_a_gradient_left_out_must_count_as_zero() -> None:
    class Two(tl.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, a: Any, b: Any) -> Any:
            return 2 * a + 3 * b  # None * 3 raises

    x = (double(tl, 3),)
    assert gradcheck(Two.apply, x, check_undefined_grad=False)
    with pytest.raises(GradcheckError, match="UNDEFINED GRADIENT"):
        gradcheck(Two.apply, x)


def test_batched_gradients_are_compared_one_by_one() -> None:
    calls = []

    def f(x: Any) -> Any:
        y = x * 1
        y.register_hook(lambda g: calls.append(tuple(g.shape)))
        return y

    assert gradcheck(f, (double(tl, 3),), check_batched_grad=True)


def test_gradgradcheck_needs_a_function_of_tensors() -> None:
    assert gradgradcheck(lambda x, y: (x * y).sin(), (double(tl, 2), double(tl, 2)))
    assert gradgradcheck(cut(tl), (double(tl, 3),), raise_exception=False) is False
