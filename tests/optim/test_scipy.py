"""SciPy's optimisers over tensors and modules."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.optimize as so

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.optim import scipy_minimize

METHODS = ("L-BFGS-B", "BFGS", "CG", "Newton-CG", "TNC", "SLSQP", "trust-ncg", "trust-krylov", "trust-constr",
           "Nelder-Mead", "Powell")  # fmt: skip


def rosenbrock(x: Any) -> Any:
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_minimum_and_no_warning_is_given(method: str) -> None:
    a = tl.tensor([-1.0], dtype=tl.float64, requires_grad=True)
    b = tl.tensor([[1.5, 0.5]], dtype=tl.float64, requires_grad=True)
    a.grad = tl.ones_like(a)
    options = {"maxfun": 1000} if method == "TNC" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = scipy_minimize(lambda: rosenbrock(tl.cat([a, b[0]])), [a, b], method, options=options)
    np.testing.assert_allclose([*a.tolist(), *b[0].tolist()], 1, atol=1e-3)
    np.testing.assert_array_equal(result.x, [*a.tolist(), *b[0].tolist()])
    assert a.grad.tolist() == [1] and b.grad is None


def test_the_steps_are_those_of_scipy_with_the_gradient_by_hand() -> None:
    x0 = np.array([-1.2, 1.0, 0.7])
    x = tl.tensor(x0, requires_grad=True)
    ours = scipy_minimize(lambda: rosenbrock(x), x)
    theirs = so.minimize(so.rosen, x0, jac=so.rosen_der, method="L-BFGS-B")
    assert (ours.nit, ours.nfev) == (theirs.nit, theirs.nfev)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-7)
    x = tl.tensor(x0, requires_grad=True)
    ours = scipy_minimize(lambda: rosenbrock(x), x, "trust-ncg")
    theirs = so.minimize(so.rosen, x0, jac=so.rosen_der, hessp=so.rosen_hess_prod, method="trust-ncg")
    assert (ours.nit, ours.nfev, ours.nhev) == (theirs.nit, theirs.nfev, theirs.nhev)


def test_a_module_and_bounds() -> None:
    tl.manual_seed(0)
    x = tl.linspace(-3, 3, 50, dtype=tl.float64)[:, None]
    net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1)).double()
    result = scipy_minimize(lambda: nn.functional.mse_loss(net(x), x.sin()), net, options={"maxiter": 300})
    assert result.fun < 1e-4 and nn.functional.mse_loss(net(x), x.sin()).item() == result.fun
    x = tl.tensor([0.5, 0.5], requires_grad=True)  # float32
    scipy_minimize(lambda: ((x - 3) ** 2).sum(), [x], bounds=(0, 1))
    assert x.tolist() == [1, 1] and x.dtype == tl.float32
    scipy_minimize(lambda: ((x - 3) ** 2).sum(), [x], bounds=[(0, 1), (None, None)])
    assert x.tolist() == [1, 3]


def test_an_unused_parameter_and_a_linear_loss() -> None:
    a, b = (tl.tensor([0.5], dtype=tl.float64, requires_grad=True) for _ in range(2))
    scipy_minimize(lambda: (a**2).sum(), [a, b], "Newton-CG")
    assert abs(a.item()) < 1e-8 and b.item() == 0.5
    scipy_minimize(lambda: a.sum(), [a], "trust-constr", bounds=[(-1, 1)])
    assert abs(a.item() + 1) < 1e-2


def test_errors_change_nothing() -> None:
    x, calls = tl.tensor([1.0], dtype=tl.float64, requires_grad=True), []

    def fails() -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise ZeroDivisionError
        return ((x - 3) ** 4).sum()

    with pytest.raises(ZeroDivisionError):
        scipy_minimize(fails, x)
    assert x.tolist() == [1]
    with pytest.raises(ValueError, match="one element"):
        scipy_minimize(lambda: tl.cat([x, x]), x)
    with pytest.raises(RuntimeError, match="does not depend"):
        scipy_minimize(lambda: tl.ones(()), x)
    for wrong in (tl.ones(1), x * 2, [1.0], [], nn.ReLU()):
        with pytest.raises(TypeError, match="scipy_minimize"):
            scipy_minimize(lambda: (x**2).sum(), wrong)
    with pytest.raises(ValueError, match="Unknown solver"):
        scipy_minimize(lambda: (x**2).sum(), x, "no such method")
    assert x.tolist() == [1]


def test_value_and_grad_in_scipys_order() -> None:
    f = tl.func.value_and_grad(rosenbrock)
    x = np.array([-1.2, 1.0])
    value, slope = f(x)
    assert type(value) is np.float64 and type(slope) is np.ndarray
    np.testing.assert_allclose(value, so.rosen(x))
    np.testing.assert_allclose(slope, so.rosen_der(x))
    assert isinstance(f(tl.tensor(x))[1], tl.Tensor)
    result = so.minimize(f, x, jac=True)
    np.testing.assert_allclose(result.x, 1, atol=1e-5)
    (value, aux), slope = tl.func.value_and_grad(lambda x: (rosenbrock(x), "aux"), has_aux=True)(tl.tensor(x))
    assert aux == "aux" and slope.shape == (2,) and value.item() == f(x)[0]
    _, (_, slope) = tl.func.value_and_grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(2 * tl.ones(2), tl.ones(2))
    assert slope.tolist() == [2, 2]
