"""The strong Wolfe line search, and L-BFGS on functions with known minima."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import optim
from tinygrad_lite.optim.line_search import DESCENT, FLATTER, Point, cubic_minimum, strong_wolfe


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)),
        (lambda t: -t * np.exp(-t), lambda t: (t - 1) * np.exp(-t)),
        (lambda t: np.cosh(t - 9), lambda t: np.sinh(t - 9)),
        (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),
        (lambda t: t**4 - 2 * t**3 - t, lambda t: 4 * t**3 - 6 * t**2 - 1),
    ],
)
@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0])
def test_both_conditions_hold(f, slope, first):
    start = Point(0.0, f(0.0), None, slope(0.0))
    point, looked = strong_wolfe(lambda t: Point(t, f(t), None, slope(t)), start, first, 1.0, 1e-12, 60)
    assert point.f <= start.f + DESCENT * point.t * start.slope
    assert abs(point.slope) <= -FLATTER * start.slope
    assert looked <= 61


def test_a_line_without_minimum_ends():
    point, looked = strong_wolfe(lambda t: Point(t, -t, None, -1.0), Point(0.0, 0.0, None, -1.0), 1.0, 1.0, 1e-9, 5)
    assert looked == 6 and point.t > 1


def test_values_that_are_not_finite_end():
    point, looked = strong_wolfe(
        lambda t: Point(t, np.nan, None, np.nan), Point(0.0, 0.0, None, -1.0), 1.0, 1.0, 1e-9, 5
    )
    assert looked <= 6


def test_the_cubic_is_exact_for_cubics():
    def point(t):
        return Point(t, t**3 - 3 * t, None, 3 * t**2 - 3)

    assert cubic_minimum(point(-0.5), point(3.0), -10, 10) == pytest.approx(1.0)
    assert cubic_minimum(point(3.0), point(-0.5), -10, 10) == pytest.approx(1.0)
    assert cubic_minimum(point(-0.5), point(3.0), 1.5, 10) == 1.5


def test_rosenbrock():
    x = tl.tensor(np.array([-1.2, 1.0]), requires_grad=True)
    optimizer = optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(x.array, [1.0, 1.0], atol=1e-4)
    assert optimizer.state[x]["n_iter"] < 60


def test_a_start_at_the_minimum():
    x = tl.tensor(np.zeros(2), requires_grad=True)
    optimizer = optim.LBFGS([x])

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 0.0 and x.tolist() == [0.0, 0.0]
