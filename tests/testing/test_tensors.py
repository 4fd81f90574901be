"""Checks of functions and ops of Tensors, at a point and searched, to second order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.op import OPS, op
from tinygrad_lite.engine.tensor import Array
from tinygrad_lite.testing import Arr, GradcheckError, Ints, Samples, check_op, gradcheck, gradgradcheck

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])


@pytest.fixture
def scratch() -> Iterator[None]:
    """Remove the ops that a test registers, and put back those whose names it takes."""
    before = dict(OPS)
    yield
    OPS.clear()
    OPS.update(before)


def declared(forward: Any, **rules: Any) -> Any:
    samples = rules.pop("samples", Samples("()->()"))
    return op(public=False, method=False, samples=samples, **rules)(forward)


def bare(t: Any) -> Any:
    """Return the array of a Tensor, which hides the dependence from the second order: a bug in a rule."""
    return getattr(t, "array", t)


def test_right_functions_pass_both_orders() -> None:
    def f(x: Any, w: Any) -> Any:
        return tl.tanh(x @ w).sum(dim=0) * x[0, 0]

    w = np.arange(6.0).reshape(3, 2) / 5
    assert gradcheck(f, X, w, order=2).ok
    assert gradgradcheck(f, tl.tensor(X), w).ok
    assert gradcheck(lambda x: (x.sum(), x * x), X, order=2).ok
    assert "not searched" in str(gradcheck(tl.tanh, X))


def test_wrong_first_order_raises_with_the_report(scratch: None) -> None:
    def wrong(x: Array) -> Array:
        return np.sin(x)

    f = declared(wrong, x=lambda g, x: g * np.sin(x))
    with pytest.raises(GradcheckError, match="WRONG VALUE, input 0 .x: float64") as caught:
        gradcheck(f, X)
    assert caught.value.report.kind == "wrong value"
    assert isinstance(caught.value, AssertionError)
    assert not gradcheck(f, X, raise_exception=False)


def test_wrong_second_order_only(scratch: None) -> None:
    def square(x: Array) -> Array:
        return x * x

    def cube(x: Array) -> Array:
        return x * x * x

    hidden = declared(square, x=lambda g, x: g * 2 * bare(x))
    assert gradcheck(hidden, X).ok
    assert check_op(hidden, order=1).ok
    report = gradgradcheck(hidden, X, raise_exception=False)
    assert not report.ok and report.input is not None and "input 0" in report.input
    found = check_op(hidden, raise_exception=False)
    assert found.kind == "wrong value" and "order 2" in found.title
    half = declared(cube, x=lambda g, x: g * 3 * x * bare(x))
    assert "1/2" in str(check_op(half, raise_exception=False).suspicion)
    lost = declared(square, x=lambda g, x: tl.tensor(2 * bare(g) * bare(x)) if isinstance(g, tl.Tensor) else 2 * g * x)
    assert not check_op(lost, raise_exception=False).ok


def test_the_second_order_is_reproduced_with_its_gradients() -> None:
    class Wrong(tl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x * x.detach()

    for shape in ((2,), (20, 30)):
        report = gradgradcheck(Wrong.apply, np.ones(shape) * 1.5, raise_exception=False, seed=1)
        call = report.reproduction.partition("  (")[0]
        assert call.startswith("gradgradcheck(Wrong, ") and "grad_outputs=" in call and len(call) < 200
        again = eval(
            call.replace("seed=", "raise_exception=False, seed="), {**globals(), "Wrong": Wrong, "report": report}
        )
        assert not again and again.analytic == report.analytic


def test_wrong_option_is_named(scratch: None) -> None:
    def total(x: Array, dim: int = -1) -> Array:
        return np.cumsum(x, dim)

    samples = Samples("(n,m)->(n,m)", options={"dim": (-1, 0)}, min=1)
    f = declared(total, x=lambda g: np.flip(np.cumsum(np.flip(bare(g), -1), -1), -1), samples=samples)
    report = check_op(f, order=1, raise_exception=False)
    assert report.options == {"dim": 0} and "dim" in str(report.suspicion)


def test_several_outputs_of_an_op(scratch: None) -> None:
    def both(x: Array) -> Array:
        return np.sin(x), np.cos(x)

    def rule(sign: int) -> Any:
        return lambda g, y: g[0] * y[1] + sign * g[1] * y[0]

    assert check_op(declared(both, x=rule(-1)), order=2).ok
    report = check_op(declared(both, x=rule(1)), raise_exception=False)
    assert not report.ok and "output 1" in str(report.suspicion)


def test_plain_functions_with_specs() -> None:
    assert check_op(lambda x, i: x[i] * 2, Arr("n k"), Ints("b", below="n", negative=True), examples=15).ok
    assert check_op(lambda x, w: x @ w, Arr("... n k", min=1), Arr("k m", min=1), examples=15).ok
    assert check_op(lambda a, b: a * b, Arr("~n k"), Arr("~n k"), examples=15).ok
    pair = (lambda x: (x**3, x), lambda g, x: (3 * g * x * x,))
    assert check_op(pair, Arr("n")).ok
    assert gradcheck(pair, X).ok


def test_a_class_with_apply() -> None:
    class Double:
        @staticmethod
        def apply(x: Any) -> Any:
            return x * 2

    assert gradcheck(Double, X).ok


def test_wrt_and_integers() -> None:
    table, index = np.eye(3), np.array([0, 2, 2])
    assert gradcheck(lambda t, i: t[i], table, index, order=2).ok
    assert gradcheck(lambda a, b: a * b.detach(), X, X, wrt=[0]).ok
    with pytest.raises(GradcheckError):
        gradcheck(lambda a, b: a * b.detach(), X, X + 1)


def test_kinks_report_strict_skip() -> None:
    def zigzag(x: Any) -> Any:  # x, written so that its gradient at 0 is 0
        return tl.relu(x) - tl.relu(-x)

    at = np.array([0.0, 1.0])
    report = gradcheck(zigzag, at)
    assert report.ok and any("no derivative" in t for t in report.notes) or report.ok
    assert gradcheck(zigzag, at, kinks="skip").ok
    assert gradcheck(tl.relu, at, kinks="strict").ok


def test_errors_of_bad_calls() -> None:
    with pytest.raises(ValueError, match="kinks must be"):
        gradcheck(tl.tanh, X, kinks="maybe")
    with pytest.raises(ValueError, match="NaN or infinity"):
        gradcheck(tl.tanh, np.array([np.nan]))
    with pytest.raises(TypeError, match="no floating-point input"):
        gradcheck(tl.tanh, np.array([1, 2]))
    with pytest.raises(TypeError, match="complex128"):
        gradcheck(tl.tanh, np.array([1j]))
    with pytest.raises(IndexError, match="wrt=3"):
        gradcheck(tl.tanh, X, wrt=[3])
    with pytest.raises(TypeError, match="expected a function"):
        gradcheck(3, X)
    with pytest.raises(ValueError, match="no samples"):
        check_op(lambda x: x)
    with pytest.raises(TypeError, match="expected a function, got 'tanh'"):
        check_op("tanh")
    with pytest.raises(ValueError, match="examples must be at least 1, got 0"):
        check_op(tl.tanh, examples=0)
    for spec in (Arr, Ints):
        with pytest.raises(ValueError, match="names or numbers with spaces between"):
            spec("n,k")
    with pytest.raises(ValueError, match="engine must be"):
        check_op(tl.tanh, engine="magic")
    with pytest.raises(TypeError, match="order=2"):
        gradgradcheck((lambda x: (x, None), lambda g, s: (g,)), X)
    with pytest.raises(ValueError, match="grad_outputs"):
        gradgradcheck(tl.tanh, X, grad_outputs=np.ones(2))
    assert any("empty" in t for t in gradcheck(tl.tanh, np.zeros((0, 3))).notes)


def test_inputs_are_left_alone() -> None:
    x = tl.tensor(X.astype(np.float32), requires_grad=True)
    before = x.array.copy()
    gradcheck(tl.tanh, x)
    assert x.grad is None and x.array.dtype == np.float32 and np.array_equal(x.array, before)


def test_a_function_that_raises_is_reported() -> None:
    def refuses(x: Any) -> Any:
        raise RuntimeError("no")

    report = gradcheck(refuses, X, raise_exception=False)
    assert report.kind == "forward raises" and "no" in str(report)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "reshape", "permute"])
def test_a_public_function_is_checked_through_its_op(name: str) -> None:
    assert check_op(getattr(tl, name), examples=5, order=1).ok
