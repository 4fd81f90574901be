"""What estimators hold while they learn, and what they refuse although they would not need it."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from tinygrad_lite import models


@pytest.mark.parametrize("options", [{}, {"fit_intercept": False}])
def test_logistic_regression_holds_few_tables_of_scores(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((4000, 13)), rng.integers(0, 12, 4000)
    table = X.shape[0] * 12 * 8
    model = models.LogisticRegression(C=0.01, tol=1e-2, **options).fit(X, y)  # imports what it needs
    tracemalloc.start()
    try:
        model.fit(X, y)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held / table < 3.2


@pytest.mark.parametrize("kind", [models.KMeans, models.SoftKMeans])
@pytest.mark.parametrize("seed", ["a", -1, 1.5])
def test_given_centroids_do_not_excuse_a_wrong_seed(kind: Any, seed: Any) -> None:
    with pytest.raises(ValueError, match="seed"):
        kind(2, init=[[0.0], [1.0]], random_state=seed).fit([[0.0], [1.0], [2.0]])
