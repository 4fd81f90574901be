"""The duality gap of penalised least squares: never below the distance to the minimum, and close to it."""

import numpy as np
import pytest

from tinygrad_lite import models
from tinygrad_lite.models.design import Design
from tinygrad_lite.models.sparse_solutions import Task, penalised

linear_model = pytest.importorskip("sklearn.linear_model")
from sklearn.datasets import make_regression  # noqa: E402


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet"])
def test_the_duality_gap_bounds_the_objective_of_many_columns(name):
    X, y = make_regression(60, 900, n_informative=8, noise=5.0, random_state=0)
    ours = getattr(models, name)().fit(X, y)
    exact = getattr(linear_model, name)(tol=1e-12, max_iter=100_000).fit(X, y)
    l1, l2 = (1.0, 0.0) if name == "Lasso" else (0.5, 0.5)

    def objective(w, b):
        return ((y - X @ w - b) ** 2).mean() / 2 + l1 * np.abs(w).sum() + l2 / 2 * w @ w

    least = objective(exact.coef_, exact.intercept_)
    assert objective(ours.coef_, ours.intercept_) - least <= ours.dual_gap_ + 1e-9 * least
    assert ours.dual_gap_ <= 1e-4 * y.var()


@pytest.mark.parametrize("positive", [True, False])
def test_with_an_l2_penalty_every_point_bounds_the_minimum(positive):
    X, y = make_regression(30, 50, noise=5.0, random_state=2)
    X = X - X.mean(axis=0)
    for l1 in (0.0, 0.3):
        task = Task(Design(X, None, False), y - y.mean(), l1, 0.7, positive)
        best = penalised(task, np.zeros(50), 1000, 1e-12).w
        assert task.gap(best) < 1e-9 * task.value(best, task.residuals(best))
        near = best + 1e-3 * np.abs(np.sin(np.arange(50)))
        above = task.value(near, task.residuals(near)) - task.value(best, task.residuals(best))
        assert above <= task.gap(near) < 100 * above
