"""The interface of every estimator, as in scikit-learn.

Settings in the constructor, learning in ``fit``, learned attributes with a trailing underscore.

Scikit-learn's pipelines, searches and checks accept these estimators; nothing of it is imported unless it calls
`__sklearn_tags__`.
"""

from __future__ import annotations

import html
import inspect
import sys
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.engine.printing import html_table
from tinygrad_lite.errors import require
from tinygrad_lite.models import validation
from tinygrad_lite.models.validation import Floats


class Estimator:
    """Base of all estimators: settings by name, a readable repr, checks of the input."""

    _estimator_type: ClassVar[str | None] = None
    _images: ClassVar[bool] = False
    _dtype: ClassVar[Any] = np.float64
    """What X is turned into; None keeps float32."""
    _sparse: ClassVar[bool] = False
    """Whether SciPy's sparse matrices are accepted."""

    n_features_in_: int
    feature_names_in_: NDArray[Any]

    @classmethod
    def _setting_names(cls) -> list[str]:
        return [p for p in inspect.signature(cls.__init__).parameters if p != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name.

        ``deep`` is there for scikit-learn; no estimator contains another.
        """
        return {name: getattr(self, name) for name in self._setting_names()}

    def set_params(self, **params: Any) -> Self:
        """Change settings by name.

        Raises ValueError for an unknown name; then nothing has changed.
        """
        known = sorted(self._setting_names())
        for name in params:
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {known!r}.")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        shown = [f"{k}={v!r}" for k, v in self.get_params().items() if repr(v) != repr(defaults[k].default)]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags for this kind of estimator.

        Only scikit-learn calls it, so the import costs nothing.
        """
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags, TransformerTags

        kind = self._estimator_type
        supervised = kind in ("classifier", "regressor")
        return Tags(
            estimator_type=kind,
            target_tags=TargetTags(required=supervised, multi_output=kind == "regressor"),
            transformer_tags=TransformerTags() if hasattr(self, "transform") else None,
            classifier_tags=ClassifierTags() if kind == "classifier" else None,
            regressor_tags=RegressorTags() if kind == "regressor" else None,
            input_tags=InputTags(three_d_array=self._images, sparse=self._sparse),
        )

    # -------------------------------------------------------------------------------- input
    def _fit_rows(self, X: Any, least: int = 1) -> Any:
        """Return X for training, checked; nothing is remembered yet."""
        validation.feature_names(X)
        return validation.check_rows(X, dtype=self._dtype, least=least, images=self._images, sparse=self._sparse)

    def _remember(self, X: Any, rows: Floats) -> None:
        """Keep width and column names of X; call it when all checks have passed."""
        names = validation.feature_names(X)
        self.n_features_in_ = int(np.prod(rows.shape[1:]))
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _rows(self, X: Any) -> Any:
        """Return X for prediction, checked against the X of ``fit``.

        It must be finite, as wide, and have the same column names.
        """
        self._check_fitted()
        names = validation.feature_names(X)
        seen = getattr(self, "feature_names_in_", None)
        owner = type(self).__name__
        if names is not None and seen is not None and (len(names) != len(seen) or (names != seen).any()):
            raise ValueError(
                "The feature names should match those that were passed during fit.\n"
                f"In training: {', '.join(seen)}\nnow: {', '.join(names)}"
            )
        if names is None and seen is not None:
            validation.warn(
                UserWarning, f"X does not have valid feature names, but {owner} was fitted with feature names"
            )
        elif names is not None and seen is None:
            validation.warn(UserWarning, f"X has feature names, but {owner} was fitted without feature names")
        rows = validation.check_rows(X, dtype=self._dtype, images=self._images, sparse=self._sparse)
        width = int(np.prod(rows.shape[1:]))
        if width != self.n_features_in_:
            raise ValueError(
                f"X has {width} features, but {owner} is expecting {self.n_features_in_} features as input."
            )
        return rows

    # -------------------------------------------------------------------------------- scikit-learn's machinery
    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what ``transform`` returns: "default" (an array), "pandas" or "polars"; None changes nothing."""
        if transform not in (None, "default", "pandas", "polars"):
            raise ValueError(f"output config must be in ['default', 'pandas', 'polars'], got {transform!r}")
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def _contained(self, values: Any, X: Any) -> Any:
        """Return transformed rows in the container that `set_output` or scikit-learn's configuration names."""
        library = sys.modules.get("sklearn")
        kind = getattr(self, "_sklearn_output_config", {}).get("transform")
        kind = kind or (library.get_config()["transform_output"] if library else "default")
        if kind == "default":
            return values
        frames = require(kind, extra="frame")
        names = self.get_feature_names_out().tolist()
        if kind == "polars":
            return frames.DataFrame(values, schema=names, orient="row")
        return frames.DataFrame(values, index=getattr(X, "index", None), columns=names)

    def get_metadata_routing(self) -> Any:
        """Return what `fit` and `score` ask of scikit-learn's metadata routing."""
        from sklearn.utils.metadata_routing import MetadataRequest

        requests = MetadataRequest(owner=self)
        chosen: dict[str, dict[str, Any]] = getattr(self, "_requests", {})
        for method in ("fit", "partial_fit", "score"):
            for name in inspect.signature(getattr(type(self), method, lambda: 0)).parameters:
                if name not in ("self", "X", "y", "args", "kwargs", "Y"):
                    getattr(requests, method).add_request(param=name, alias=chosen.get(method, {}).get(name))
        return requests

    def _request(self, method: str, values: dict[str, Any]) -> Self:
        from sklearn import get_config

        if not get_config().get("enable_metadata_routing"):
            raise RuntimeError(
                "This method is only available when metadata routing is enabled. You can enable it using "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        known = [n for n in inspect.signature(getattr(type(self), method)).parameters if n not in ("self", "X", "y")]
        for name in values:
            if name not in known:
                raise TypeError(f"Unexpected args: {{{name!r}}} in {method}. Accepted arguments are: {set(known)}")
        before: dict[str, dict[str, Any]] = getattr(self, "_requests", {})
        self._requests = {**before, method: {**before.get(method, {}), **values}}
        return self

    def set_fit_request(self, **values: Any) -> Self:
        """Ask scikit-learn's metadata routing to pass arguments such as ``sample_weight`` to ``fit``."""
        return self._request("fit", values)

    def set_score_request(self, **values: Any) -> Self:
        """Ask scikit-learn's metadata routing to pass arguments such as ``sample_weight`` to ``score``."""
        return self._request("score", values)

    def _repr_html_(self) -> str:
        table = html_table(["parameter", "value"], [[n, repr(v)] for n, v in self.get_params().items()], (0, 1))
        network = getattr(self, "__dict__", {}).get("module_")
        inside = f"<pre>{html.escape(repr(network))}</pre>" if network is not None else ""
        return f"<details open><summary>{type(self).__name__}</summary>{table}{inside}</details>"

    def _check_fitted(self) -> None:
        if not hasattr(self, "n_features_in_"):
            raise validation.not_fitted(type(self).__name__)

    def __getattr__(self, name: str) -> Any:
        # only reached for what does not exist: a learned attribute before fit gets an error that says so
        if name.endswith("_") and not name.startswith("_") and "n_features_in_" not in self.__dict__:
            if name in type(self).__annotations__ or any(
                name in getattr(c, "__annotations__", {}) for c in type(self).__mro__
            ):
                raise AttributeError(f"{type(self).__name__} has no {name} before fit; call fit first")
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")


class Regressor(Estimator):
    """An estimator of measurements; its score is the share of variance explained."""

    _estimator_type = "regressor"

    def predict(self, X: Any) -> Floats:
        """Return the estimate for each row."""
        raise NotImplementedError

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        r"""Return the coefficient of determination R², the mean over several outputs.

        :math:`R^2 = 1 - \sum w (y - \hat y)^2 / \sum w (y - \bar y)^2`

        A constant target gives 1 where it is met exactly, else 0.
        """
        estimate = self.predict(X)
        truth = validation.check_measurements(type(self).__name__, estimate, y, np.float64).reshape(len(estimate), -1)
        estimate = estimate.reshape(len(estimate), -1)
        if truth.shape != estimate.shape:
            raise ValueError(f"y has {truth.shape[1]} outputs, {type(self).__name__} gives {estimate.shape[1]}")
        weights = validation.check_weights(truth, sample_weight)
        if len(truth) < 2:
            validation.warn(UserWarning, "R^2 score is not well-defined with less than two samples.")
            return float("nan")
        w = np.ones((len(truth), 1)) if weights is None else weights[:, None]
        left = (w * (truth - estimate) ** 2).sum(axis=0)
        total = (w * (truth - (w * truth).sum(axis=0) / w.sum()) ** 2).sum(axis=0)
        # the mean of equal numbers may be off by a rounding error, whose square must not be a divisor
        flat = (total == 0) | (truth == truth[0]).all(axis=0)
        left = np.where(flat & (np.abs(truth - estimate) <= 1e-9 * np.abs(truth)).all(axis=0), 0.0, left)
        each = np.where(flat, left == 0, 1 - left / np.where(flat, 1, total))
        return float(each.mean())


class Classifier(Estimator):
    """An estimator of classes; its score is the share of rows it gets right."""

    _estimator_type = "classifier"
    classes_: NDArray[Any]

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class (n, classes), ordered as ``classes_``."""
        raise NotImplementedError

    def predict_log_proba(self, X: Any) -> Floats:
        """Return the logarithm of the probabilities; -inf where one is 0."""
        with np.errstate(divide="ignore"):
            logs: Floats = np.log(self.predict_proba(X))
        return logs

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row."""
        best = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the (weighted) share of rows whose class is predicted."""
        predicted = self.predict(X)
        right = predicted == validation.check_labels(type(self).__name__, predicted, y)
        return float(np.average(right, weights=validation.check_weights(right, sample_weight)))
