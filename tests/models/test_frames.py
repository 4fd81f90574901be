"""Data frames and columns as scikit-learn's users bring them."""

import numpy as np
import pytest

from tinygrad_lite import models

pd = pytest.importorskip("pandas")
X = np.random.default_rng(0).standard_normal((30, 3))
FRAME = pd.DataFrame(X, columns=list("abc"))


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "float64", object])
def test_missing_numbers_of_nullable_columns(dtype):
    frame = (FRAME * 5).round().astype(dtype).mask(FRAME > 1)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        models.Ridge().fit(frame, X[:, 0])
    with pytest.raises(ValueError, match="Input y contains NaN"):
        models.Ridge().fit(FRAME, frame["a"])


def test_nullable_columns_without_missing_numbers():
    np.testing.assert_allclose(
        models.Ridge().fit(FRAME.astype("Float64"), FRAME["a"].astype("Float64")).coef_,
        models.Ridge().fit(X, X[:, 0]).coef_,
    )


def test_a_sparse_target():
    sparse = pytest.importorskip("scipy.sparse")
    for model in (models.LogisticRegression(), models.MLPClassifier(), models.Ridge()):
        with pytest.raises(TypeError, match="Sparse data was passed for y"):
            model.fit(X, sparse.csr_matrix(np.ones((30, 1))))


@pytest.mark.filterwarnings("ignore::tinygrad_lite.models.ConvergenceWarning")
def test_a_column_of_targets_for_a_network():
    model = models.MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0)
    with pytest.warns(match="column-vector y was passed"):
        assert model.fit(X, X[:, :1]).predict(X).shape == (30,)


@pytest.mark.filterwarnings("ignore")  # three epochs are few
def test_a_network_counts_the_examples_it_saw():
    model = models.MLPClassifier((3,), max_iter=3, random_state=0).fit(X, X[:, 0] > 0)
    assert model.t_ == 90 and model.fit(X, X[:, 0] > 0).t_ == 90
    assert model.partial_fit(X, X[:, 0] > 0).t_ == 120


def test_the_names_of_settings_are_listed_in_order():
    with pytest.raises(ValueError, match=r"\['copy_X', 'fit_intercept', 'n_jobs', 'positive', 'tol'\]"):
        models.LinearRegression().set_params(nope=1)
