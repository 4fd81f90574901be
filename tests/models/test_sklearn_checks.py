"""scikit-learn's own checks of an estimator, all of them, for every estimator."""

import pytest

from tinygrad_lite import models

pytest.importorskip("sklearn", minversion="1.6")  # before, estimators told their kind in another way
from sklearn.utils import estimator_checks as checks  # noqa: E402

SUPERVISED = [
    models.LinearRegression(),
    models.Ridge(),
    models.Lasso(),
    models.ElasticNet(),
    models.LogisticRegression(),
    models.MLPRegressor((10,)),
    models.MLPClassifier((10,), learning_rate_init=0.01),
    models.CNNClassifier((4,), hidden=16, learning_rate_init=0.005),
]
CLUSTERINGS = [models.KMeans(), models.SoftKMeans()]


@pytest.mark.filterwarnings("ignore")  # the checks train for a few steps only, and say so
@pytest.mark.parametrize("estimator", [*SUPERVISED, *CLUSTERINGS], ids=lambda e: type(e).__name__)
def test_check_estimator(estimator):
    results = checks.check_estimator(estimator, on_fail=None)
    failed = {r["check_name"]: str(r["exception"])[:300] for r in results if r["status"] == "failed"}
    assert not failed
    assert sum(r["status"] == "passed" for r in results) > 45


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", CLUSTERINGS, ids=lambda e: type(e).__name__)
def test_checks_of_clusterings(estimator):
    name = type(estimator).__name__
    checks.check_clustering(name, estimator)
    checks.check_clusterer_compute_labels_predict(name, estimator)
    checks.check_estimators_partial_fit_n_features(name, estimator)
