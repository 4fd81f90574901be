"""scikit-learn's own checks of an estimator, all of them, for every estimator."""

import pytest

from tinygrad_lite import models
from tinygrad_lite.models.cluster_estimator import Clustering
from tinygrad_lite.models.estimator import Estimator

pytest.importorskip("sklearn", minversion="1.6")  # earlier versions have another interface of tags
from sklearn.utils import estimator_checks as checks  # noqa: E402

QUICK = {
    "Ridge": {"solver": "sag"},  # the default solver is direct: n_iter_ is None there, and one check compares it
    "MLPRegressor": {"hidden_layer_sizes": (10,)},
    "MLPClassifier": {"hidden_layer_sizes": (10,), "learning_rate_init": 0.01},
    "CNNClassifier": {"channels": (4,), "hidden": 16, "learning_rate_init": 0.005},
}
"""Settings with which an estimator passes, in a few seconds; every other one is checked with its defaults."""

ESTIMATORS = [
    kind(**QUICK.get(name, {}))
    for name, kind in vars(models).items()
    if isinstance(kind, type) and issubclass(kind, Estimator)
]
CLUSTERINGS = [e for e in ESTIMATORS if isinstance(e, Clustering)]


def test_every_estimator_is_found():
    # a wrong filter above would check nothing and pass
    assert {"LinearRegression", "CNNClassifier"} <= {type(e).__name__ for e in ESTIMATORS}
    assert {"KMeans", "SoftKMeans"} <= {type(e).__name__ for e in CLUSTERINGS}


@pytest.mark.filterwarnings("ignore")  # the checks train for a few steps only, which warns
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
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
