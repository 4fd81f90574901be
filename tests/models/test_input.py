"""Every kind of container goes in; bad input gets scikit-learn's class of error and a text that helps."""

import subprocess
import sys

import numpy as np
import pytest

from tinygrad_lite import models, tensor

X = np.random.default_rng(0).normal(size=(30, 4))
Y = X @ [1.0, -2.0, 0.5, 0.0] + 3.0
LABELS = np.where(Y > 3.0, "high", "low")

MAKE = {
    "LinearRegression": lambda: models.LinearRegression(),
    "Ridge": lambda: models.Ridge(),
    "Lasso": lambda: models.Lasso(0.1),
    "ElasticNet": lambda: models.ElasticNet(0.1),
    "LogisticRegression": lambda: models.LogisticRegression(),
    "MLPRegressor": lambda: models.MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0),
    "MLPClassifier": lambda: models.MLPClassifier((4,), max_iter=2, random_state=0),
    "CNNClassifier": lambda: models.CNNClassifier((2,), hidden=4, max_iter=2, random_state=0),
    "KMeans": lambda: models.KMeans(3, random_state=0),
    "SoftKMeans": lambda: models.SoftKMeans(3, random_state=0),
}
THEIRS = {"CNNClassifier": "MLPClassifier", "SoftKMeans": "KMeans"}
pytestmark = pytest.mark.filterwarnings("ignore::tinygrad_lite.models.ConvergenceWarning")


class Frame:
    """As little of a data frame as is needed to be one."""

    def __init__(self, values, columns):
        self.values, self.columns, self.shape = values, columns, values.shape

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype=dtype)

    def __len__(self):
        return len(self.values)


def target(name):
    return LABELS if "Class" in name or "Logistic" in name else Y


def sklearn_version(name):
    from importlib import import_module

    pytest.importorskip("sklearn")
    name = THEIRS.get(name, name)
    module = {"K": "cluster", "M": "neural_network"}.get(name[0], "linear_model")
    kind = getattr(import_module(f"sklearn.{module}"), name)
    return kind(3) if name == "KMeans" else kind(max_iter=2) if name.startswith("MLP") else kind()


@pytest.mark.parametrize("name", MAKE)
def test_every_container_gives_the_same(name):
    y = target(name)
    wanted = MAKE[name]().fit(X, y).predict(X)
    frame = Frame(X, list("abcd"))
    as_y = y.tolist() if y is LABELS else tensor(y)
    for given, goal in (
        (X.tolist(), y.tolist()),
        (tensor(X), as_y),
        (np.asfortranarray(X), y),
        ([tensor(row) for row in X], y),
    ):
        assert (MAKE[name]().fit(given, goal).predict(given) == wanted).all()
    model = MAKE[name]().fit(frame, y)
    assert model.feature_names_in_.tolist() == list("abcd")
    assert (model.predict(frame) == wanted).all()
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(Frame(X, list("dcba")))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)


def spoiled(value):
    out = X.copy()
    out[3, 1] = value
    return out


BAD = {
    "NaN": (spoiled(np.nan), "contains NaN"),
    "infinity": (spoiled(np.inf), "contains infinity"),
    "words": ([["a", "b"]] * 30, "could not convert string to float"),
    "one axis": (X[:, 0], "Expected 2D array, got 1D array"),
    "0-d": (3.0, "Expected 2D array, got scalar"),
    "no rows": (X[:0], r"0 sample\(s\)"),
    "no columns": (X[:, :0], r"0 feature\(s\)"),
    "complex numbers": (X + 1j, "Complex data not supported"),
    "ragged": ([[1.0, 2.0], [3.0]] * 15, "equal length"),
    "too few rows": (X[:29], "inconsistent numbers of samples"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", MAKE)
def test_bad_input_gets_the_error_of_sklearn(name, bad):
    given, text = BAD[bad]
    if bad == "too few rows" and "KMeans" in name:
        return
    model = MAKE[name]()
    with pytest.raises(ValueError, match=text) as ours:
        model.fit(given, target(name))
    assert "n_features_in_" not in vars(model)  # nothing half learned
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        sklearn_version(name).fit(given, target(name))
    assert isinstance(theirs.value, ValueError) and isinstance(ours.value, ValueError)


@pytest.mark.parametrize("name", MAKE)
def test_a_failed_fit_leaves_the_old_one(name):
    model = MAKE[name]().fit(X, target(name))
    before = model.predict(X)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(spoiled(np.nan)[:, :3], target(name))
    assert (model.predict(X) == before).all()


@pytest.mark.parametrize("name", MAKE)
def test_predict_before_fit_and_wrong_width(name):
    exceptions = pytest.importorskip("sklearn.exceptions")
    model = MAKE[name]()
    for error in (models.NotFittedError, exceptions.NotFittedError, ValueError, AttributeError):
        with pytest.raises(error, match="not fitted yet"):
            model.predict(X)
    model.fit(X, target(name))
    with pytest.raises(ValueError, match=f"X has 3 features, but {name} is expecting 4 features"):
        model.predict(X[:, :3])


@pytest.mark.parametrize("name", ["LinearRegression", "Ridge", "Lasso", "MLPRegressor", "KMeans", "SoftKMeans"])
def test_one_row(name):
    if "KMeans" in name:
        with pytest.raises(ValueError, match="n_samples=1 should be >= n_clusters=3"):
            MAKE[name]().fit(X[:1])
    else:
        assert np.isfinite(MAKE[name]().fit(X[:1], Y[:1]).predict(X)).all()


@pytest.mark.parametrize("name", ["LogisticRegression", "MLPClassifier", "CNNClassifier"])
def test_bad_labels(name):
    if name == "MLPClassifier":  # as in scikit-learn
        assert (MAKE[name]().fit(X, ["same"] * 30).predict(X) == "same").all()
    else:
        with pytest.raises(ValueError, match="only one class"):
            MAKE[name]().fit(X, ["same"] * 30)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        MAKE[name]().fit(X, Y)
    several = "only 0 and 1" if name == "MLPClassifier" else "y should be a 1d array"
    with pytest.raises(ValueError, match=several):
        MAKE[name]().fit(X, np.full((30, 2), 2.0))
    with pytest.raises(ValueError, match="requires y to be passed"):
        MAKE[name]().fit(X, None)
    with pytest.raises(TypeError, match="cannot be compared"):
        MAKE[name]().fit(X, np.array(["a", 1] * 15, dtype=object))
    with pytest.warns(UserWarning, match="column-vector y"):
        MAKE[name]().fit(X, LABELS[:, None])


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        (np.ones(5), r"sample_weight.shape == \(5,\), expected \(30,\)"),
        (np.ones((30, 2)), "must be 1D array or scalar"),
        (-np.ones(30), "Negative values"),
        (np.zeros(30), "at least one non-zero number"),
        (np.full(30, np.nan), "contains NaN"),
    ],
)
@pytest.mark.parametrize("name", MAKE)
def test_bad_weights(name, weights, text):
    with pytest.raises(ValueError, match=text):
        MAKE[name]().fit(X, target(name), sample_weight=weights)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (models.Ridge(-1.0), "'alpha' parameter of Ridge must be a number >= 0. Got -1.0"),
        (models.Lasso("much"), "'alpha' parameter of Lasso"),
        (models.Lasso(max_iter=0), "'max_iter' parameter of Lasso must be an int >= 1"),
        (models.ElasticNet(l1_ratio=1.5), "must be a number >= 0 and <= 1"),
        (models.LogisticRegression(C=0), "'C' parameter of LogisticRegression must be a number > 0"),
        (models.MLPClassifier((0,)), "'hidden_layer_sizes' parameter of MLPClassifier"),
        (models.MLPClassifier(activation="step"), "one of relu, tanh, logistic, identity"),
        (models.MLPClassifier(solver="magic"), "one of adam, sgd, lbfgs"),
        (models.MLPClassifier(random_state=-1), "cannot be used to seed"),
        (models.CNNClassifier(kernel_size=2), "must be odd"),
        (models.CNNClassifier(image_shape=(1, 3, 3)), "do not make images"),
        (models.KMeans(0), "'n_clusters' parameter of KMeans must be an int >= 1"),
        (models.KMeans(31), "n_samples=30 should be >= n_clusters=31"),
        (models.KMeans(3, init="best"), "must be 'k-means"),
        (models.KMeans(3, init=np.zeros((2, 4))), "does not match the number of clusters 3"),
        (models.KMeans(3, n_init=0), "'n_init' parameter"),
        (models.SoftKMeans(3, beta=0.0), "'beta' parameter of SoftKMeans must be a number > 0"),
        (models.SoftKMeans(3, method="luck"), "one of em, gradient"),
    ],
)
def test_fit_checks_the_settings(model, text):
    with pytest.raises(ValueError, match=text):
        model.fit(X, LABELS if "Class" in repr(model) or "Logistic" in repr(model) else Y)
    assert "n_features_in_" not in vars(model)


def test_learned_attributes_before_fit():
    with pytest.raises(AttributeError, match="KMeans has no inertia_ before fit"):
        models.KMeans().inertia_
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        models.KMeans().nonsense


def test_sklearn_and_matplotlib_are_not_imported():
    code = (
        "import sys, numpy as np; from tinygrad_lite import models;"
        "models.KMeans(2).fit(np.arange(8.0).reshape(4, 2)).predict([[0.0, 1.0]]);"
        "print([m for m in ('sklearn', 'scipy', 'matplotlib', 'tqdm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
