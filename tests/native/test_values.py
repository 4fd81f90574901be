"""Native loops compute what the declared ops compute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.native.cases import CASES, CHECKED, F, both, gradients, numbers
from tinygrad_lite.native import routes
from tinygrad_lite.native.language import KERNELS
from tinygrad_lite.native.tiles import masks

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def switched_on() -> Iterator[None]:
    with tl.backends.native.flags(enabled=True):
        yield


def error(found: Any, exact: Any) -> float:
    """Return the largest error, in units of the largest value."""
    assert found.shape == exact.shape and found.dtype == np.float32
    return float(np.abs(found.astype(np.float64) - exact).max() / np.abs(exact).max())


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The paths of the functions that did not decline."""
    paths: set[str] = set()
    late = routes._late

    def noting(path: str) -> Any:
        run = late(path)

        def call(*given: Any) -> Any:
            y = run(*given)
            if y is not NotImplemented:
                paths.add(path)
            return y

        return call

    monkeypatch.setattr(routes, "_late", noting)
    routes.uninstall()
    routes.install()
    yield paths
    routes.uninstall()
    monkeypatch.undo()
    routes.install()


def test_every_route_is_taken(taken: set[str]) -> None:
    for f, arrays in CASES.values():
        gradients(f, arrays)
    step(tl.optim.Adam, 1 << 13)
    step(tl.optim.SGD, 1 << 15, momentum=0.9, nesterov=True)
    others = {*routes.STEPS.values(), *([routes.ARITHMETIC] if masks() else [])}
    assert {path for _, _, path, _ in routes.TABLE} | others == taken


@pytest.mark.parametrize("name", CHECKED)
def test_error_against_float64(name: str) -> None:
    """Native results are as good as those of NumPy: 8 units in the last place, or twice what NumPy loses."""
    f, arrays = CASES[name]
    (y, grads), (plain, plain_grads) = both(name)
    exact, exact_grads = gradients(f, [a.astype(np.float64) for a in arrays])
    for a, b, c in zip([y, *grads], [plain, *plain_grads], [exact, *exact_grads], strict=True):
        assert error(a, c) <= max(1e-6, 2 * error(b, c))


@pytest.mark.parametrize("name", [n for n, (_, arrays) in CASES.items() if len(arrays) == 1 and n in CHECKED])
def test_nan_and_infinity_spread_as_in_numpy(name: str) -> None:
    f, (x,) = CASES[name]
    x = x.copy()
    x.reshape(-1)[[5, 77, 900]] = np.nan, np.inf, -np.inf
    x.reshape(-1)[[1000, 1001, 1002]] = 100, -100, 0
    with np.errstate(all="ignore"):
        found = f(tl.tensor(x)).array
        routes.uninstall()
        plain = f(tl.tensor(x)).array
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(plain))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(plain))
    np.testing.assert_array_equal(found[np.isinf(found)], plain[np.isinf(plain)])


def test_masked_rows() -> None:
    x = numbers(80, 70)
    x[:, 50:] = -np.inf
    y = tl.softmax(tl.tensor(x), -1).array
    assert (y[:, 50:] == 0).all() and np.allclose(y.sum(1), 1)
    with np.errstate(invalid="ignore"):
        assert np.isnan(tl.softmax(tl.full((70, 70), -np.inf), -1).array).all()


def test_ends_of_the_range() -> None:
    """Results overflow, underflow and saturate where the exact ones do."""
    x = np.linspace(-110, 95, 1 << 15).astype(np.float32)
    with np.errstate(all="ignore"):
        exact = np.exp(x.astype(np.float64)).astype(np.float32)
        found = tl.exp(tl.tensor(x)).array
    small = np.isfinite(exact) & (exact > 1e-37)
    assert (np.abs(found[small] / exact[small] - 1) < 2e-7).all()
    assert np.abs(found[x < -87.4] - exact[x < -87.4]).max() <= 3e-45  # subnormal numbers: 2 units
    np.testing.assert_array_equal(np.isinf(found), np.isinf(exact))
    y = tl.sigmoid(tl.tensor(x)).array
    assert y[0] < 3e-39 and y[-1] == 1 and (np.diff(y) >= 0).mean() > 0.999


def test_declined_calls_reach_numpy(taken: set[str]) -> None:
    x = numbers(200, 200)
    for given in (x.astype(np.float64), x.T, x[:, ::2], x.astype(">f4"), x[:3, :3]):
        y = tl.OPS["sigmoid"].forward(given)
        assert np.allclose(y, 1 / (1 + np.exp(-given.astype(np.float64))), atol=1e-6)
    tl.softmax(tl.tensor(x), 0)
    F.max_pool2d(tl.tensor(x.reshape(4, 4, 50, 50)), 2, dilation=2)
    assert taken == set()


def test_read_only_and_unaligned_input() -> None:
    x = numbers(1 << 14)
    x.flags.writeable = False
    memory = np.zeros(4 * x.size + 1, np.uint8)
    memory[1:] = x.view(np.uint8)
    shifted = memory[1:].view(np.float32)
    assert not shifted.flags.aligned
    np.testing.assert_array_equal(tl.OPS["sigmoid"].forward(shifted), tl.OPS["sigmoid"].forward(x))


def test_second_derivatives() -> None:
    x = tl.tensor(numbers(1 << 13), requires_grad=True)
    (g,) = tl.grad(F.gelu(x).sum(), x, create_graph=True)
    (h,) = tl.grad(g.sum(), x)
    v = x.array.astype(np.float64)
    exact = (2 - v * v) * np.exp(-v * v / 2) / np.sqrt(2 * np.pi)
    assert np.abs(h.array - exact).max() < 1e-6


def test_gradients_of_the_statistics() -> None:
    """The means and variances of a batch may carry gradients of their own."""
    arrays = [numbers(5, 6, 20, 20), numbers(6, 1, 1, seed=1), numbers(6, 1, 1, seed=2)]

    def all_outputs(*given: Any) -> Any:
        y, mean, var = tl.OPS["normalise_batch"].call(*given, (0, 2, 3))
        return (y * y).sum() * 0.001 + (mean * 3).sum() + (var * var).sum()

    found = gradients(all_outputs, arrays, np.ones(()))[1]
    exact = gradients(all_outputs, [a.astype(np.float64) for a in arrays], np.ones(()))[1]
    assert max(error(a, b) for a, b in zip(found, exact, strict=True)) < 1e-5


def step(kind: Any, size: int, steps: int = 3, **options: Any) -> tuple[Any, ...]:
    p = tl.nn.Parameter(tl.tensor(numbers(size)))
    optimizer = kind([p], lr=0.1, **options)
    for i in range(steps):
        p.grad = tl.tensor(numbers(size, seed=i + 1))
        optimizer.step()
    state = optimizer.state[p]
    return p.detach().array, *(v.array for v in state.values() if isinstance(v, tl.Tensor))


@pytest.mark.parametrize("size", [1 << 15, 100_001])  # the second in pieces
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Adam", {}), ("Adam", {"weight_decay": 0.1, "maximize": True}), ("AdamW", {"betas": (0.5, 0.9)}),
        ("Adam", {"amsgrad": True}), ("Adam", {"l1": 0.1}), ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
        ("SGD", {"momentum": 0.9, "nesterov": True, "maximize": True}), ("SGD", {}),
        ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    ],
)  # fmt: skip
def test_steps_of_optimisers(kind: str, options: dict[str, Any], size: int) -> None:
    native = step(getattr(tl.optim, kind), size, **options)
    routes.uninstall()
    for a, b in zip(native, step(getattr(tl.optim, kind), size, **options), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_kernels_say_what_they_write() -> None:
    assert all(k.text().startswith("declare") and k.text() == k.text() for k in KERNELS.values())
