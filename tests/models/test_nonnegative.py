"""Least squares of coefficients of at least 0 meet the conditions of a minimum, whatever the columns are like."""

import numpy as np
import pytest

from tinygrad_lite.models import LinearRegression, Ridge

RNG = np.random.default_rng(0)
PLACES = np.linspace(0, 1, 60)[:, None]
WIDE = RNG.standard_normal((40, 700))
CASES = {
    "tall": (RNG.standard_normal((90, 30)), RNG.standard_normal(90)),
    "many columns": (RNG.standard_normal((700, 620)), RNG.standard_normal(700)),
    "an exact fit": (WIDE, WIDE @ RNG.random(700)),
    "twice the same columns": (np.hstack([WIDE[:, :30], WIDE[:, :30], 1e3 * WIDE[:, :9]]), RNG.standard_normal(40)),
    "smooth columns": (np.exp(-((PLACES - np.linspace(0, 1, 80)) ** 2) / 0.01), np.sin(9 * PLACES[:, 0]) + 1),
    "other scales": (WIDE[:, :60] * 10.0 ** np.arange(-6, 6).repeat(5), RNG.standard_normal(40)),
    "nothing helps": (np.abs(WIDE[:, :3]), -np.abs(WIDE[:, :3]).sum(1)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_conditions_of_a_minimum(name, alpha):
    X, y = CASES[name]
    model = Ridge(alpha, positive=True) if alpha else LinearRegression(positive=True)
    w = model.fit(X, y).coef_
    slope = (X - X.mean(0)).T @ (y - model.predict(X)) - alpha * w
    scale = np.sqrt(((X - X.mean(0)) ** 2).sum(0) * ((y - y.mean()) ** 2).sum())
    assert (w >= 0).all()
    assert (slope <= 1e-9 * scale).all()
    assert (np.abs(slope[w > 0]) <= 1e-9 * scale[w > 0]).all()


def test_as_scipy():
    optimize = pytest.importorskip("scipy.optimize")
    X, y = CASES["many columns"]
    model = LinearRegression(positive=True, fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(model.coef_, optimize.nnls(X, y)[0], atol=1e-12)
