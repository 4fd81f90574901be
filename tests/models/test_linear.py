"""Linear regressions against least squares and scikit-learn's coefficients."""

import numpy as np
import pytest

from tinygrad_lite import models, tensor

linear_model = pytest.importorskip("sklearn.linear_model")
from sklearn.datasets import load_diabetes, make_regression  # noqa: E402


def apart(ours, theirs):
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


@pytest.fixture(scope="module", params=["diabetes", "diabetes, raw units", "synthetic"])
def data(request):
    if request.param == "synthetic":
        return make_regression(10_000, 100, n_informative=10, noise=10.0, bias=5.0, random_state=0)
    return load_diabetes(return_X_y=True, scaled=request.param == "diabetes")


def test_linear_regression_is_least_squares(data):
    X, y = data
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(len(X))]), y, rcond=None)[0]
    model = models.LinearRegression().fit(X, y)
    assert apart(np.append(model.coef_, model.intercept_), exact) < 1e-6


@pytest.mark.parametrize("alpha", [0.0, 1.0, 100.0])
def test_ridge(data, alpha):
    X, y = data
    ours = models.Ridge(alpha).fit(X, y)
    theirs = linear_model.Ridge(alpha, solver="svd").fit(X, y)
    assert apart(ours.coef_, theirs.coef_) < 1e-6
    assert abs(ours.intercept_ - theirs.intercept_) < 1e-6 * abs(theirs.intercept_)


@pytest.mark.parametrize(("name", "settings"), [("Lasso", {}), ("ElasticNet", {"l1_ratio": 0.7})])
@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_l1_has_the_same_zeros(data, name, settings, alpha):
    X, y = data
    ours = getattr(models, name)(alpha, **settings).fit(X, y)
    theirs = getattr(linear_model, name)(alpha, **settings, tol=1e-12, max_iter=100_000).fit(X, y)
    assert apart(ours.coef_, theirs.coef_) < 1e-4
    assert ((ours.coef_ == 0) == (theirs.coef_ == 0)).all()
    assert abs(ours.intercept_ - theirs.intercept_) < 1e-4 * abs(theirs.intercept_)


def test_strong_l1_leaves_only_the_intercept():
    X, y = load_diabetes(return_X_y=True)
    model = models.Lasso(100.0).fit(X, y)
    assert not model.coef_.any()
    assert model.intercept_ == pytest.approx(y.mean())


@pytest.mark.parametrize("name", ["LinearRegression", "Ridge", "Lasso", "ElasticNet"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_weights_outputs_and_intercept_as_in_sklearn(name, fit_intercept):
    X, Y = make_regression(60, 5, n_targets=3, noise=5.0, random_state=1)
    weights = np.random.default_rng(0).uniform(0, 2, 60)
    ours = getattr(models, name)(fit_intercept=fit_intercept).fit(X, Y, weights)
    if name in ("LinearRegression", "Ridge"):
        theirs = getattr(linear_model, name)(fit_intercept=fit_intercept).fit(X, Y, weights)
        assert ours.coef_.shape == theirs.coef_.shape
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-8)
    else:  # scikit-learn takes weights for one output only
        for k in range(3):
            theirs = getattr(linear_model, name)(fit_intercept=fit_intercept, tol=1e-12).fit(X, Y[:, k], weights)
            np.testing.assert_allclose(ours.coef_[k], theirs.coef_, rtol=1e-6, atol=1e-8)
    assert ours.predict(X).shape == (60, 3)
    assert ours.score(X, Y, weights) > 0.8


def test_score_is_r2():
    metrics = pytest.importorskip("sklearn.metrics")
    X, Y = make_regression(40, 3, n_targets=2, noise=30.0, random_state=2)
    weights = np.linspace(0.1, 1, 40)
    model = models.Ridge().fit(X, Y)
    assert model.score(X, Y, weights) == pytest.approx(metrics.r2_score(Y, model.predict(X), sample_weight=weights))


def test_a_constant_column_gets_no_weight():
    X, y = make_regression(30, 2, random_state=0)
    for model in (models.LinearRegression(), models.Ridge(), models.Lasso(0.1)):
        model.fit(np.column_stack([X, np.full(30, 7.0)]), y)
        assert model.coef_[2] == 0
        assert np.isfinite(model.coef_).all()


def test_of_many_solutions_the_shortest():
    X, y = make_regression(10, 30, random_state=0)
    wide = models.LinearRegression().fit(X, y)
    np.testing.assert_allclose(wide.predict(X), y, rtol=1e-8)
    np.testing.assert_allclose(wide.coef_, linear_model.LinearRegression().fit(X, y).coef_, rtol=1e-6, atol=1e-6)
    kinds = np.eye(4)[np.arange(40) % 4] * [1.0, 10.0, 1.0, 0.1]  # indicator columns add up to a constant
    y = np.random.default_rng(0).normal(size=40)
    ours, theirs = models.LinearRegression().fit(kinds, y), linear_model.LinearRegression().fit(kinds, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-6)


def test_scales_do_not_matter():
    X, y = make_regression(50, 3, noise=1.0, random_state=0)
    model = models.LinearRegression().fit(X * [1e-6, 1.0, 1e6], y)
    np.testing.assert_allclose(
        model.predict(X * [1e-6, 1.0, 1e6]), models.LinearRegression().fit(X, y).predict(X), rtol=1e-8
    )


def test_history_falls_and_ends_at_the_optimum():
    X, y = load_diabetes(return_X_y=True)
    model = models.Lasso(0.1).fit(X, y)
    objective = ((y - model.predict(X)) ** 2).mean() / 2 + 0.1 * np.abs(model.coef_).sum()
    assert model.n_iter_ == len(model.history_)
    assert model.history_[-1] == pytest.approx(objective)
    assert model.history_[0] > model.history_[-1]


def test_module_is_the_learned_map():
    X, Y = make_regression(20, 3, n_targets=2, random_state=0)
    for target in (Y, Y[:, 0]):
        model = models.Ridge().fit(X, target)
        np.testing.assert_allclose(model.module()(tensor(X)).array.reshape(target.shape), model.predict(X), rtol=1e-12)


def test_too_few_rounds_warn():
    X, y = load_diabetes(return_X_y=True)
    with pytest.warns(models.ConvergenceWarning, match="max_iter=3"):
        models.Lasso(0.01, max_iter=3).fit(X, y)


def test_logistic_regression_as_in_sklearn():
    from sklearn.datasets import load_breast_cancer, load_iris

    for load, C in ((load_iris, 1.0), (load_iris, 50.0), (load_breast_cancer, 1.0)):
        X, y = load(return_X_y=True)
        weights = np.random.default_rng(0).uniform(0.5, 1.5, len(X))
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        ours = models.LogisticRegression(C).fit(X, y, weights)
        theirs = linear_model.LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(X, y, weights)
        assert ours.coef_.shape == theirs.coef_.shape
        assert apart(ours.coef_, theirs.coef_) < 1e-4
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-3)
        assert ours.score(X, y) == theirs.score(X, y)
