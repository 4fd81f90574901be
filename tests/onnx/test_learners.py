"""Files of skl2onnx, the converter of scikit-learn models, against scikit-learn itself."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.onnx import load

pytest.importorskip("sklearn")
skl2onnx = pytest.importorskip("skl2onnx")

from sklearn import (  # noqa: E402 - after the skip
    cluster,
    datasets,
    decomposition,
    discriminant_analysis,
    ensemble,
    linear_model,
    naive_bayes,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)

X, Y = datasets.load_iris(return_X_y=True)
X = X.astype(np.float32)
TWO, LENGTH = Y > 0, X[:, 0] * 2 + X[:, 1]
CLASSIFIERS: dict[str, tuple[Any, Any]] = {
    "logistic": (linear_model.LogisticRegression(), Y),
    "logistic of two": (linear_model.LogisticRegression(), TWO),
    "linear svc of two": (svm.LinearSVC(), TWO),
    "discriminant": (discriminant_analysis.LinearDiscriminantAnalysis(), Y),
    "network": (neural_network.MLPClassifier(hidden_layer_sizes=(5,), max_iter=50), Y),
    "pipeline": (pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()), Y),
    "polynomial": (pipeline.make_pipeline(preprocessing.PolynomialFeatures(2), linear_model.RidgeClassifier()), Y),
    "tree": (tree.DecisionTreeClassifier(max_depth=4), Y),
    "tree of two": (tree.DecisionTreeClassifier(max_depth=4), TWO),
    "forest": (ensemble.RandomForestClassifier(5, max_depth=3), Y),
    "boosting": (ensemble.GradientBoostingClassifier(n_estimators=4), Y),
    "boosting of two": (ensemble.GradientBoostingClassifier(n_estimators=4), TWO),
    "bayes": (naive_bayes.GaussianNB(), Y),
    "svc": (svm.SVC(), Y),
    "svc of two": (svm.SVC(kernel="poly"), TWO),
}
REGRESSORS: dict[str, Any] = {
    "linear": linear_model.LinearRegression(),
    "network": neural_network.MLPRegressor(hidden_layer_sizes=(5,), max_iter=50),
    "forest": ensemble.RandomForestRegressor(5, max_depth=3),
    "boosting": ensemble.GradientBoostingRegressor(n_estimators=4),
    "svr": svm.SVR(),
}
TRANSFORMERS: dict[str, Any] = {
    "pca": decomposition.PCA(2), "min max": preprocessing.MinMaxScaler(), "norm": preprocessing.Normalizer(),
    "binarizer": preprocessing.Binarizer(threshold=1.5), "kmeans": cluster.KMeans(3, n_init="auto"),
}  # fmt: skip


def loaded(model: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        proto = skl2onnx.to_onnx(model, X[:1], target_opset={"": 20, "ai.onnx.ml": 3})
    found = load(proto)(tl.tensor(X))
    return [t.detach() for t in (found if isinstance(found, tuple) else (found,))]


def fitted(model: Any, target: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, target)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier(name: str) -> None:
    model, target = CLASSIFIERS[name]
    labels, *scores = loaded(fitted(model, target))
    assert (labels.numpy() == model.predict(X)).mean() > 0.99
    if hasattr(model, "predict_proba"):
        np.testing.assert_allclose(scores[0].numpy(), model.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor(name: str) -> None:
    model = fitted(REGRESSORS[name], LENGTH)
    np.testing.assert_allclose(loaded(model)[0].numpy()[:, 0], model.predict(X), rtol=1e-4)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer(name: str) -> None:
    model = fitted(TRANSFORMERS[name], Y)
    np.testing.assert_allclose(loaded(model)[-1].numpy(), model.transform(X), atol=1e-4)
