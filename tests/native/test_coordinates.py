"""Native coordinate descent: each round is that of a plain loop, and estimators find the same with and without."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import models
from tinygrad_lite.engine.divert import DeclinedError
from tinygrad_lite.models.design import Design
from tinygrad_lite.models.sparse_solutions import Task, gram_gap
from tinygrad_lite.native import coordinates, library
from tinygrad_lite.native.coordinates import rounds, row_rounds

pytest.importorskip("llvmlite")
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(30, 700))
X[:, 5] = 0.0
Y = X[:, :4] @ [3.0, -2.0, 1.0, 2.0] + RANDOM.normal(size=30)


def plain(G, b, w, l1, positive):
    for j in range(len(w)):
        if G[j, j] > 0:
            goal = b[j] - G[j] @ w + G[j, j] * w[j]
            size = (goal if positive else abs(goal)) - l1[j]
            w[j] = np.sign(goal) * max(size, 0.0) / G[j, j]


@pytest.mark.parametrize("positive", [False, True])
def test_rounds_are_those_of_a_plain_loop(positive):
    columns, l1, l2 = np.ascontiguousarray(X[:, :12].T), np.linspace(0.01, 0.3, 12), 0.2
    G = columns @ columns.T / 30 + l2 * (columns.any(1) * np.eye(12))
    b = columns @ Y / 30
    w, first, second = (np.linspace(0.0, 1.0, 12) * columns.any(1) for _ in range(3))
    for _ in range(3):
        plain(G, b, w, l1, positive)
    assert rounds(3, first, G @ first - b, G, l1, positive)
    left = Y - second @ columns
    bend = (columns**2).sum(1) / 30
    assert row_rounds(3, second, left, columns, (l1, bend), (l2, 30.0), positive)
    np.testing.assert_allclose(first, w, 1e-12, 1e-12)
    np.testing.assert_allclose(second, w, 1e-12, 1e-12)
    np.testing.assert_allclose(left, Y - w @ columns, 1e-12, 1e-12)


@pytest.mark.parametrize("rows", [30, 900])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_the_same_minimum_without(rows, l1_ratio):
    x = X if rows == 30 else RANDOM.normal(size=(rows, 700))
    y = x[:, :4] @ [3.0, -2.0, 1.0, 2.0] + RANDOM.normal(size=rows)
    for positive in (False, True):
        found = []
        for enabled in (False, True):
            with tl.backends.native.flags(enabled=enabled):
                model = models.ElasticNet(alpha=0.05, l1_ratio=l1_ratio, tol=1e-7, positive=positive, max_iter=10_000)
                found.append(model.fit(x, y))
                assert model.dual_gap_ <= 1e-7 * y.var()
        a, b = (m.predict(x) for m in found)
        np.testing.assert_allclose(a, b, atol=2e-2 * y.std())


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_the_gap_of_the_gram_matrix_is_that_of_the_residuals(l2, positive):
    design = Design(X[:, :8], RANDOM.random(30), True)
    task = Task(design, Y, 0.05, l2, positive)
    w = np.abs(RANDOM.normal(size=8)) * 0.1
    b = design.back(Y[:, None])[0] / task.total()
    gap = gram_gap(task.quadratic(b), task, w, float(Y @ Y) / task.total())
    np.testing.assert_allclose(gap, task.gap(w), 1e-10)


def test_without_machine_code_numpy_is_used(monkeypatch):
    def fails(kernel):
        raise DeclinedError

    monkeypatch.setattr(library, "load", fails)
    monkeypatch.setattr(coordinates.coordinate_rows, "run", None)
    assert models.Lasso(alpha=0.1).fit(X, Y).dual_gap_ <= 1e-4 * Y.var()
