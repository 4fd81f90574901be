"""scikit-learn's callbacks on logistic regression."""

import numpy as np
import pytest

from tinygrad_lite.models import LogisticRegression

pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
RNG = np.random.default_rng(0)
X = RNG.standard_normal((80, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.3 * RNG.standard_normal(80) > 0


class Notes:
    """Keeps what it is told; stops after ``last`` steps."""

    def __init__(self, last=1000):
        self.last, self.heard, self.coefficients = last, [], []

    def setup(self, estimator, context):
        self.heard.append("setup")

    def teardown(self, estimator, context):
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, metadata=None):
        self.heard.append(("begin", context.task_name, X is not None, metadata))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "iter" and fitted_estimator is not None:
            self.coefficients.append(fitted_estimator.coef_)
        return len(self.coefficients) >= self.last


@pytest.mark.filterwarnings("ignore::tinygrad_lite.models.ConvergenceWarning")
def test_every_step_is_told():
    notes = Notes()
    model = LogisticRegression().set_callbacks(notes).fit(X, Y)
    assert (notes.heard[0], notes.heard[-1]) == ("setup", "teardown")
    assert notes.heard[1] == ("begin", "fit", True, None)
    assert len(notes.coefficients) == model.n_iter_[0] > 2
    for steps, coefficients in enumerate(notes.coefficients, 1):
        np.testing.assert_array_equal(coefficients, LogisticRegression(max_iter=steps).fit(X, Y).coef_)


def test_a_callback_stops_the_descent():
    notes = Notes(last=2)
    model = LogisticRegression().set_callbacks(notes).fit(X, Y, sample_weight=np.ones(80))
    assert model.n_iter_.tolist() == [2]
    np.testing.assert_array_equal(model.coef_, notes.coefficients[-1])
    assert all(list(note[3]) == ["sample_weight"] for note in notes.heard if note[0] == "begin")


def test_other_solvers_and_no_callbacks():
    notes = Notes()
    with pytest.warns(UserWarning, match="only supported in LogisticRegression for solver='lbfgs'"):
        model = LogisticRegression(solver="newton-cg").set_callbacks(notes)
    assert not model.fit(X, Y) or not notes.coefficients
    heard = list(notes.heard)
    LogisticRegression().set_callbacks(notes).set_callbacks().fit(X, Y)
    assert notes.heard == heard
    with pytest.raises(TypeError, match="FitCallback"):
        LogisticRegression().set_callbacks(Notes)


def test_a_search_tells_the_callbacks_too():
    search = pytest.importorskip("sklearn.model_selection").GridSearchCV
    notes = Notes()
    search(LogisticRegression().set_callbacks(notes), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)
    assert notes.heard.count("setup") == notes.heard.count("teardown") == 5
