"""Every estimator of the package against its namesake in scikit-learn: settings, and what it learns."""

import inspect

import numpy as np
import pytest

from tinygrad_lite import datasets, models

pytest.importorskip("sklearn")
from sklearn import cluster, linear_model, neural_network  # noqa: E402

ESTIMATORS = sorted(n for n, kind in vars(models).items() if inspect.isclass(kind) and hasattr(kind, "fit"))
THEIRS = {name: kind for m in (cluster, linear_model, neural_network) for name, kind in vars(m).items()}
X = np.random.default_rng(0).normal(size=(60, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + 3.0 + 0.1 * np.random.default_rng(1).normal(size=60)
pytestmark = pytest.mark.filterwarnings("ignore")  # few rounds, and both libraries say so


def linear(name):
    settings = {} if name == "LinearRegression" else {"alpha": 0.3}
    precise = {"tol": 1e-12} if name in ("Lasso", "ElasticNet") else {}
    ours, theirs = getattr(models, name)(**settings).fit(X, Y), THEIRS[name](**settings, **precise).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5)
    assert ours.score(X, Y) == pytest.approx(theirs.score(X, Y))


def logistic(name):
    goal = np.digitize(Y, [2.0, 4.0])
    ours, theirs = getattr(models, name)().fit(X, goal), THEIRS[name](tol=1e-8).fit(X, goal)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=2e-3)
    assert (ours.classes_ == theirs.classes_).all()


def network(name):
    """The random starts differ: as good, on the images of digits."""
    images, labels = datasets.digits(flat=True, dtype=np.float64)
    images, labels = images[:400] / images.max(), labels[:400]
    goal = labels if "Classifier" in name else (labels >= 5) * 1.0
    settings = {"hidden_layer_sizes": (20,), "max_iter": 200, "random_state": 0, "learning_rate_init": 0.01}
    ours, theirs = getattr(models, name)(**settings).fit(images, goal), THEIRS[name](**settings).fit(images, goal)
    assert ours.score(images, goal) > theirs.score(images, goal) - 0.05
    assert ours.predict(images).dtype.kind == theirs.predict(images).dtype.kind


def convolutional(name):
    """Scikit-learn has no convolutions: at least as good as its network without."""
    images, labels = datasets.digits(dtype=np.float64)
    images, labels = images[:300] / images.max(), labels[:300]
    ours = models.CNNClassifier((8,), hidden=32, max_iter=30, random_state=0, learning_rate_init=0.01)
    theirs = neural_network.MLPClassifier((32,), max_iter=30, random_state=0, learning_rate_init=0.01)
    theirs.fit(images.reshape(300, -1), labels)
    assert ours.fit(images, labels).score(images, labels) > theirs.score(images.reshape(300, -1), labels) - 0.05


def clusters(name):
    points = datasets.make_blobs(200, 3, centers=4, cluster_std=0.5, random_state=0, dtype=np.float64)[0]
    theirs = cluster.KMeans(4, init=points[:4], n_init=1, tol=0).fit(points)
    stiff = {"beta": 1e4} if name == "SoftKMeans" else {}  # of infinite stiffness it is k-means
    ours = getattr(models, name)(4, init=points[:4], **stiff).fit(points)
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, rtol=1e-4)
    assert (ours.predict(points) == theirs.predict(points)).all()


COMPARED = {
    "LinearRegression": linear, "Ridge": linear, "Lasso": linear, "ElasticNet": linear, "LogisticRegression": logistic,
    "MLPClassifier": network, "MLPRegressor": network, "CNNClassifier": convolutional, "KMeans": clusters,
    "SoftKMeans": clusters,
}  # fmt: skip
OWN_DEFAULTS: dict[str, set[str]] = {}
"""Settings with another default than scikit-learn's: ours run until nothing changes any more."""


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimator(name):
    assert name in COMPARED, f"{name} is compared with nothing of scikit-learn: add it to COMPARED"
    COMPARED[name](name)


@pytest.mark.parametrize("name", [n for n in ESTIMATORS if n in THEIRS])
def test_settings_have_the_same_defaults(name):
    ours, theirs = getattr(models, name)().get_params(), THEIRS[name]().get_params()
    other = {k for k in ours.keys() & theirs.keys() if ours[k] != theirs[k]}
    assert other == OWN_DEFAULTS.get(name, set())


def test_the_other_tables_name_every_estimator_too():
    from tests.models import test_input, test_sklearn_checks

    checked = {type(e).__name__ for e in test_sklearn_checks.ESTIMATORS}
    assert set(ESTIMATORS) == set(COMPARED) == checked == set(test_input.MAKE)
