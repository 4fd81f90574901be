"""Linear regressions against least squares and scikit-learn's coefficients."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from tinygrad_lite import models, tensor

linear_model = pytest.importorskip("sklearn.linear_model")
sparse = pytest.importorskip("scipy.sparse")
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
        model.fit(np.column_stack([X, np.full(30, 7.0), np.full(30, 1e9 / 7)]), y)
        assert (model.coef_[2:] == 0).all()
        assert np.isfinite(model.coef_).all()


def test_the_shortest_of_many_solutions():
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
    with pytest.warns(models.ConvergenceWarning, match="max_iter=1"):
        models.Lasso(0.01, max_iter=1).fit(X, y)


def test_logistic_regression_as_in_sklearn():
    from sklearn.datasets import load_breast_cancer, load_iris

    for load, C in ((load_iris, 1.0), (load_iris, 50.0), (load_breast_cancer, 1.0)):
        X, y = load(return_X_y=True)
        weights = np.random.default_rng(0).uniform(0.5, 1.5, len(X))
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        ours = models.LogisticRegression(C=C, tol=1e-10).fit(X, y, weights)
        theirs = linear_model.LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(X, y, weights)
        assert ours.coef_.shape == theirs.coef_.shape
        assert apart(ours.coef_, theirs.coef_) < 1e-4
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-3)
        assert ours.score(X, y) == theirs.score(X, y)


# ------------------------------------------------------------------------------------------------ scales and ranks
def exact_ridge(X, y, alpha):
    """Solve the centred normal equations in rational numbers."""
    n, p = X.shape
    rows = [[Fraction(float(v)) for v in row] for row in X]
    means = [sum(row[j] for row in rows) / n for j in range(p)]
    Z = [[row[j] - means[j] for j in range(p)] for row in rows]
    goal = [Fraction(float(v)) for v in y]
    goal = [v - sum(goal) / n for v in goal]
    A = [
        [sum(z[j] * z[k] for z in Z) + (Fraction(float(alpha)) if j == k else 0) for k in range(p)]
        + [sum(z[j] * v for z, v in zip(Z, goal, strict=True))]
        for j in range(p)
    ]
    for c in range(p):
        A[c] = [v / A[c][c] for v in A[c]]
        for r in range(p):
            if r != c:
                A[r] = [u - A[r][c] * v for u, v in zip(A[r], A[c], strict=True)]
    return np.array([float(row[p]) for row in A])


def test_ridge_on_large_features_with_few_rows():
    X, y = 1e6 * np.array([[1.0, 2, 0], [0, 1, 3], [2, 0, 1]]), np.array([1.0, 2, 4])
    np.testing.assert_allclose(models.Ridge().fit(X, y).coef_ * 1e6, [0.7, -1.04, 0.22], rtol=1e-6)


def test_ridge_against_exact_arithmetic_at_all_scales_and_ranks():
    rng = np.random.default_rng(0)
    for trial in range(100):
        n, p = rng.integers(2, 9), rng.integers(1, 7)
        k = rng.integers(1, min(n, p) + 1)  # the rank
        low = np.round(rng.normal(size=(n, k)) * 8) @ np.round(rng.normal(size=(k, p)) * 8)
        X = (low if trial % 2 else rng.normal(size=(n, p))) * 10.0 ** rng.integers(-8, 9)
        y, alpha = rng.normal(size=n), 10.0 ** rng.integers(-6, 4)
        exact = exact_ridge(X, y, alpha)
        off = np.linalg.norm(models.Ridge(alpha).fit(X, y).coef_ - exact)
        assert off <= 1e-7 * np.linalg.norm(exact) + 1e-300, (trial, n, p, k, alpha)


@pytest.mark.parametrize("scale", [1e160, 1e-200])
def test_squares_that_overflow_or_vanish(scale):
    X, y = make_regression(30, 3, noise=1.0, random_state=0)
    model, plain = models.LinearRegression().fit(X * scale, y), models.LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.coef_ * scale, plain.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.predict(X * scale), plain.predict(X), rtol=1e-9)


def test_a_column_whose_spread_is_tiny_beside_its_offset_counts():
    X, y = 1.0 + 1e-13 * np.arange(10.0)[:, None], np.arange(10.0)
    assert models.LinearRegression().fit(X, y).score(X, y) > 0.99


# ------------------------------------------------------------------------------------------------ options
@pytest.mark.parametrize("name", ["LinearRegression", "Ridge", "Lasso", "ElasticNet"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(60, 8), (20, 40), (30, 700)])
def test_sparse_rows_as_dense_ones(name, weighted, shape):
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) * (rng.random(shape) < 0.3)
    y = X[:, :3].sum(axis=1) + rng.normal(size=shape[0])
    weights = rng.uniform(0.5, 2, shape[0]) if weighted else None
    settings = {"tol": 1e-12, "max_iter": 20_000, "alpha": 0.05} if name in ("Lasso", "ElasticNet") else {}
    dense = getattr(models, name)(**settings).fit(X, y, sample_weight=weights)
    for kind in (sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix):
        model = getattr(models, name)(**settings).fit(kind(X), y, sample_weight=weights)
        np.testing.assert_allclose(model.coef_, dense.coef_, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(model.predict(kind(X)), dense.predict(X), rtol=1e-5, atol=1e-6)


def test_a_large_sparse_problem_is_never_made_dense(monkeypatch):
    sparse = pytest.importorskip("scipy.sparse")
    from tinygrad_lite.models import least_squares

    monkeypatch.setattr(least_squares, "LARGE", 10)
    X = sparse.random(80, 30, 0.2, format="csr", random_state=0)
    y = np.asarray(X.sum(axis=1)).ravel() + np.random.default_rng(0).normal(size=80)
    for name, settings in (("Ridge", {"alpha": 0.1}), ("LinearRegression", {})):
        exact = getattr(models, name)(**settings).fit(X.toarray(), y)
        monkeypatch.setattr(sparse.csr_matrix, "toarray", None)
        ours = getattr(models, name)(**settings).fit(X, y)
        monkeypatch.undo()
        monkeypatch.setattr(least_squares, "LARGE", 10)
        np.testing.assert_allclose(ours.coef_, exact.coef_, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["LinearRegression", "Ridge", "Lasso", "ElasticNet"])
def test_float32_stays(name):
    X, y = make_regression(50, 4, noise=1.0, random_state=0)
    model = getattr(models, name)().fit(X.astype("f4"), y)
    assert model.coef_.dtype == model.predict(X.astype("f4")).dtype == np.float32
    np.testing.assert_allclose(model.coef_, getattr(models, name)().fit(X, y).coef_, rtol=1e-4)


def test_shapes_of_a_column_target_as_in_sklearn():
    X, y = make_regression(20, 3, noise=1.0, random_state=0)
    for name in ("LinearRegression", "Ridge", "Lasso", "ElasticNet"):
        ours, theirs = (getattr(where, name)().fit(X, y[:, None]) for where in (models, linear_model))
        assert ours.coef_.shape == theirs.coef_.shape, name
        assert np.shape(ours.intercept_) == np.shape(theirs.intercept_), name
        assert ours.predict(X).shape == theirs.predict(X).shape, name


def test_one_alpha_for_each_output():
    X, Y = make_regression(30, 5, n_targets=2, noise=5.0, random_state=0)
    both = models.Ridge([0.1, 10.0]).fit(X, Y)
    for k, alpha in enumerate([0.1, 10.0]):
        np.testing.assert_allclose(both.coef_[k], models.Ridge(alpha).fit(X, Y[:, k]).coef_, rtol=1e-10)
    with pytest.raises(ValueError, match="number of penalties"):
        models.Ridge([1.0, 2.0, 3.0]).fit(X, Y)


@pytest.mark.parametrize("shape", [(40, 6), (20, 30), (50, 700)])
@pytest.mark.parametrize("name", ["LinearRegression", "Ridge", "Lasso", "ElasticNet"])
def test_coefficients_of_at_least_zero(name, shape):
    X, y = make_regression(*shape, noise=5.0, random_state=1)
    X[:, ::2] *= -1
    settings = {"tol": 1e-10, "max_iter": 50_000} if name != "LinearRegression" else {}
    ours = getattr(models, name)(positive=True, **settings).fit(X, y)
    theirs = getattr(linear_model, name)(positive=True, **settings).fit(X, y)
    assert (ours.coef_ >= 0).all() and (ours.coef_ == 0).any()
    scale = np.abs(y).max()
    assert np.abs(ours.predict(X) - theirs.predict(X)).max() < 1e-3 * scale


def test_gradient_descent_reaches_the_closed_form():
    X, y = make_regression(60, 5, noise=5.0, random_state=0)
    for name in ("Ridge", "Lasso", "ElasticNet"):
        by_graph = getattr(models, name)(solver="gradient", max_iter=10_000).fit(X, y)
        np.testing.assert_allclose(by_graph.coef_, getattr(models, name)().fit(X, y).coef_, rtol=1e-6)
        assert by_graph.n_iter_ == len(by_graph.history_) >= 1


def test_warm_start_begins_at_the_last_coefficients():
    X, y = make_regression(60, 5, noise=5.0, random_state=0)
    model = models.Lasso(warm_start=True).fit(X, y)
    assert model.fit(X, y).n_iter_ <= 2
    with pytest.warns(UserWarning, match="alpha=0"):
        models.Lasso(0.0).fit(X, y)


# ------------------------------------------------------------------------------------------------ logistic regression
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("columns", [5, 60])
def test_logistic_regression_of_sparse_float32_and_weighted_rows(classes, columns):
    sparse = pytest.importorskip("scipy.sparse")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, columns)) * (rng.random((200, columns)) < 0.4)
    y = (X[:, :3].sum(axis=1) * 2 + rng.normal(size=200)).round().astype(int) % classes
    settings = {"tol": 1e-9, "max_iter": 2000}
    for weight in (None, "balanced", {0: 3.0}):
        dense = models.LogisticRegression(class_weight=weight, **settings).fit(X, y)
        theirs = linear_model.LogisticRegression(class_weight=weight, tol=1e-10, max_iter=10_000).fit(X, y)
        np.testing.assert_allclose(dense.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
        ours = models.LogisticRegression(class_weight=weight, **settings).fit(sparse.csr_matrix(X), y)
        np.testing.assert_allclose(ours.coef_, dense.coef_, atol=1e-5)
        assert (ours.predict(sparse.csr_matrix(X)) == dense.predict(X)).all()
    weights = rng.uniform(0.5, 2, 200)
    both = (where.LogisticRegression(class_weight={0: 3.0}, tol=1e-9, max_iter=5000).fit(X, y, weights)
            for where in (models, linear_model))  # fmt: skip
    np.testing.assert_allclose(*(model.predict_proba(X) for model in both), atol=1e-5)
    low = models.LogisticRegression().fit(X.astype("f4"), y)
    assert low.coef_.dtype == low.predict_proba(X.astype("f4")).dtype == np.float32
    graph = models.LogisticRegression(solver="gradient", tol=1e-10).fit(X, y)
    np.testing.assert_allclose(graph.coef_, models.LogisticRegression(**settings).fit(X, y).coef_, rtol=1e-4, atol=1e-6)


def test_logistic_options():
    X, y = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 2
    assert models.LogisticRegression().fit(X, y).n_iter_.shape == (1,)
    again = models.LogisticRegression(warm_start=True, tol=1e-8).fit(X, y)
    assert again.fit(X, y).n_iter_[0] <= 1
    with pytest.warns(FutureWarning, match="'penalty' was deprecated"):
        free = models.LogisticRegression(None, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(free.coef_, models.LogisticRegression(C=np.inf, tol=1e-9).fit(X, y).coef_)
    for wrong in ({"l1_ratio": 1.5}, {"intercept_scaling": 0}, {"solver": "best"}, {"class_weight": "even"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            models.LogisticRegression(**wrong).fit(X, y)
    one = models.LogisticRegression().fit(X, y, np.where(y == 0, 1.0, 0.0))  # only one class has any weight
    assert (one.predict(X) == 0).all()


def test_score_of_one_row_is_not_a_number():
    X, y = make_regression(10, 2, random_state=0)
    with pytest.warns(UserWarning, match="two samples"):
        assert np.isnan(models.Ridge().fit(X, y).score(X[:1], y[:1]))
    flat = models.LinearRegression().fit(X, np.full(10, 0.1))
    assert flat.score(X, np.full(10, 0.1)) in (0.0, 1.0)


def test_metadata_routing_passes_weights():
    sklearn = pytest.importorskip("sklearn")
    from sklearn.model_selection import GridSearchCV

    X, y = make_regression(60, 2, noise=30.0, random_state=0)
    weights = np.where(np.arange(60) < 30, 1.0, 1e-6)
    with pytest.raises(RuntimeError, match="enable_metadata_routing"):
        models.Ridge().set_fit_request(sample_weight=True)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = models.Ridge().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        search = GridSearchCV(asking, {"alpha": [1e-6]}, cv=2).fit(X, y, sample_weight=weights)
        with pytest.raises(TypeError, match="Unexpected args"):
            models.Ridge().set_fit_request(weight=True)
    np.testing.assert_allclose(search.best_estimator_.coef_, models.Ridge(1e-6).fit(X, y, weights).coef_)
    assert "alpha" in models.Ridge()._repr_html_()


LOGISTIC = {
    "l1": ({"solver": "saga", "l1_ratio": 1, "C": 0.2}, 3), "both": ({"solver": "saga", "l1_ratio": 0.4, "C": 0.2}, 2),
    "liblinear": ({"solver": "liblinear", "l1_ratio": 1, "C": 0.2, "intercept_scaling": 3.0}, 2),
    "scaling": ({"solver": "liblinear", "C": 0.2, "intercept_scaling": 0.5}, 2),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOGISTIC)
def test_penalties_of_logistic_regression(kind):
    """The slopes of the loss, written out: nothing is left but what the penalty holds."""
    settings, classes = LOGISTIC[kind]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 12)) * np.geomspace(0.5, 3, 12) + 1
    y = (X[:, :2] @ [1.0, 0.5] + rng.normal(size=80)).argsort().argsort() * classes // 80
    X = sparse.csr_array(X) if kind == "both" else X
    model = models.LogisticRegression(**settings, tol=1e-9).fit(X, y)
    chances = model.predict_proba(X) - np.eye(classes)[y]
    chances = chances[:, 1:] if classes == 2 else chances
    ratio, c, held = settings.get("l1_ratio", 0), settings["C"], settings["solver"] == "liblinear"
    weights, slope = model.coef_, c * (X.T @ chances).T
    if held:  # the intercept is the weight of a column of this number
        scaling = settings["intercept_scaling"]
        weights = np.column_stack([weights, model.intercept_ / scaling])
        slope = np.column_stack([slope, c * scaling * chances.sum(axis=0)])
    else:
        np.testing.assert_allclose(chances.sum(axis=0), 0, atol=1e-6)
    slope = slope + (1 - ratio) * weights
    np.testing.assert_allclose(slope[weights != 0], -ratio * np.sign(weights[weights != 0]), atol=1e-6)
    assert (np.abs(slope[weights == 0]) <= ratio).all()
    assert (weights == 0).any() == bool(ratio)
    before = model.decision_function(X)
    again = model.sparsify()
    assert again.coef_.nnz == np.count_nonzero(weights[:, :12])
    np.testing.assert_allclose(again.decision_function(X), before)
    assert isinstance(again.densify().coef_, np.ndarray)


@pytest.mark.parametrize("wrong", [
    ({"l1_ratio": 1}, "lbfgs supports only 'l2' or None"), ({"l1_ratio": 0.5, "solver": "liblinear"}, "Only 'saga'"),
    ({"dual": True}, "supports only dual=False"), ({"C": np.inf, "solver": "liblinear"}, "not supported"),
    ({"solver": "liblinear"}, "does not support multiclass"),
])  # fmt: skip
def test_solvers_refuse_what_scikit_learn_refuses(wrong):
    settings, message = wrong
    X, y = make_regression(30, 2, random_state=0)
    for kind in (models.LogisticRegression, linear_model.LogisticRegression):
        with pytest.raises(ValueError, match=message):
            kind(**settings).fit(X, np.digitize(y, [-5, 5]))


@pytest.mark.parametrize(("alpha", "positive"), [(0.3, False), (0.02, False), (0.1, True)])
def test_more_columns_than_the_gram_matrix_has(alpha, positive):
    """Wide data: where the active sets do not settle, the gap is as small as asked for."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 700))
    y = X[:, :5] @ [3.0, -2.0, 1.0, 0.5, 2.0] + rng.normal(size=60)
    for kind in ("Lasso", "ElasticNet"):
        model = getattr(models, kind)(alpha=alpha, positive=positive, tol=1e-8).fit(X, y)
        left = y - model.predict(X)
        l2 = 0.0 if kind == "Lasso" else alpha / 2
        l1 = alpha if kind == "Lasso" else alpha / 2
        slope = X.T @ left / 60 - l2 * model.coef_
        used = model.coef_ != 0
        slack = 1e-2 * l1
        np.testing.assert_allclose(slope[used], l1 * np.sign(model.coef_[used]), atol=slack)
        assert ((slope if positive else np.abs(slope)) <= l1 + slack).all()
        assert not positive or (model.coef_ >= 0).all()
        assert model.dual_gap_ <= 1e-8 * (y @ y) / 60 + 1e-13
        assert 0 < used.sum() < 700
        assert model.set_params(warm_start=True).fit(X, y).n_iter_ == 0


def test_a_wrong_gram_matrix_is_refused():
    X, y = make_regression(30, 4, random_state=0)
    X = X - X.mean(axis=0)
    for wrong in (np.eye(4), np.eye(3)):
        with pytest.raises(ValueError, match="precompute"):
            models.Lasso(precompute=wrong).fit(X, y)
    right = models.Lasso(precompute=X.T @ X).fit(X, y)
    np.testing.assert_allclose(right.coef_, models.Lasso().fit(X, y).coef_)
    weights = np.random.default_rng(0).lognormal(size=30)
    middle = X - np.average(X, axis=0, weights=weights)
    given = middle.T @ (middle * (weights * 30 / weights.sum())[:, None])
    weighted = models.Lasso(precompute=given).fit(middle, y, sample_weight=weights)
    np.testing.assert_allclose(weighted.coef_, models.Lasso().fit(middle, y, sample_weight=weights).coef_)
    with pytest.warns(UserWarning, match="X was centered"):
        models.Lasso(precompute=X.T @ X).fit(X + 1, y)


@pytest.mark.parametrize(("classes", "columns"), [(2, 6), (3, 120)])  # Newton's method, L-BFGS
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_and_dense_rows_take_the_same_path(classes, columns, weighted):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, columns)) * (rng.random((90, columns)) < 0.5)
    X[:, 0], X[:, 1] = 0.1, 1e2 + X[:, 1]  # a constant, and a column far from 0
    y, weights = rng.integers(0, classes, 90), rng.random(90) if weighted else None
    ours = [models.LogisticRegression(tol=1e-2).fit(rows, y, weights) for rows in (X, sparse.csr_matrix(X))]
    assert ours[0].n_iter_ == ours[1].n_iter_
    for name in ("coef_", "intercept_"):
        np.testing.assert_allclose(getattr(ours[1], name), getattr(ours[0], name), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("solver", ["lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"])
def test_what_logistic_regression_says_when_it_stops_early(solver):
    X, y, said = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32), [0, 1, 0, 1], []
    for kind in (linear_model, models):
        with pytest.warns(Warning) as caught:
            model = kind.LogisticRegression(solver=solver, tol=1e-15, max_iter=1).fit(X, y)
        said.append(str(caught[0].message))
        assert model.coef_.dtype == (np.float64 if solver == "liblinear" else np.float32)
    theirs = said[0].split(" (status")[0].split(" after")[0].split(" at loss")[0].rstrip(".").split(". ")[0]
    assert theirs in said[1]


@pytest.mark.parametrize(("far", "share"), [(1e2, 0.8), (1e6, 2.5)])
def test_logistic_regression_of_shifted_columns_needs_no_copy_but_of_far_ones(far, share):
    X = np.random.default_rng(0).normal(size=(20000, 50))
    y = X[:, 0] + X[:, 1] * X[:, 2] > 0
    expected = models.LogisticRegression(C=np.inf).fit(X, y).coef_
    X += far
    tracemalloc.start()
    found = models.LogisticRegression(C=np.inf).fit(X, y).coef_
    peak, _ = tracemalloc.get_traced_memory()[1], tracemalloc.stop()
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert peak < share * X.nbytes
