import numpy as np
import pytest
from hypothesis import given, strategies as st

from tinygrad_lite.datasets import split


@given(st.lists(st.integers(0, 4), min_size=4, max_size=80), st.floats(0.05, 0.95), st.integers(0, 2**32))
def test_is_a_stratified_partition(labels, test, seed):
    y = np.repeat(labels, 2)  # at least two of each class
    X = np.arange(len(y))
    try:
        X_train, X_test, y_train, y_test = split(X, y, test, seed)
    except ValueError as error:
        assert "cannot give" in str(error) or "one part empty" in str(error)
        count = int(np.ceil(test * len(y)))
        assert not len(set(labels)) <= count <= len(y) - len(set(labels))
        return
    np.testing.assert_array_equal(np.sort(np.concatenate([X_train, X_test])), X)
    np.testing.assert_array_equal(y_train, y[X_train])
    np.testing.assert_array_equal(y_test, y[X_test])
    assert set(y_train) == set(y_test) == set(labels)
    assert len(y_test) == int(np.ceil(test * len(y)))


@given(st.integers(2, 6), st.integers(5, 40), st.integers(0, 99))
def test_shares_are_within_one_example(classes, each, seed):
    y = np.repeat(np.arange(classes), np.arange(classes) + each)
    y_test = split(y, y, 0.3, seed)[3]
    assert np.abs(np.bincount(y_test) - np.bincount(y) * (len(y_test) / len(y))).max() < 1


def test_seed_decides():
    X, y = np.arange(40), np.arange(40) % 2
    assert all(map(np.array_equal, split(X, y, seed=3), split(X, y, seed=3)))
    assert not np.array_equal(split(X, y, seed=3)[0], split(X, y, seed=4)[0])
    assert not np.array_equal(split(X, y, seed=None)[0], split(X, y, seed=None)[0])


def test_is_shuffled_in_both_parts():
    _, _, y_train, y_test = split(np.arange(100), np.repeat([0, 1], 50))
    assert (np.diff(y_train) != 0).sum() > 5 and (np.diff(y_test) != 0).sum() > 2


def test_same_size_as_scikit_learn():
    theirs = pytest.importorskip("sklearn.model_selection").train_test_split
    y = np.repeat([0, 1], 50)
    for test in (0.07, 0.2, 0.29, 0.333, 13):
        assert len(split(y, y, test)[3]) == len(theirs(y, y, test_size=test)[3])


def test_without_classes():
    X_train, X_test, y_train, y_test = split(np.arange(7), np.linspace(0, 1, 7), 0.5, stratify=False)
    assert len(X_test) == 4 and sorted([*X_train, *X_test]) == list(range(7))
    np.testing.assert_array_equal(y_test, X_test / 6)
    assert split(np.zeros((6, 2)), np.zeros((6, 3)), 2, stratify=False)[3].shape == (2, 3)


def test_classes_may_be_words():
    y_test = split(range(8), ["a", "b"] * 4, 0.5)[3]
    assert sorted(y_test) == ["a", "a", "b", "b"]


@pytest.mark.parametrize("test", [0.0, 1.0, -0.1, 1.5, float("nan"), 0, 10, 11, -1])
def test_impossible_share(test):
    with pytest.raises(ValueError, match="split: test"):
        split(np.arange(10), np.zeros(10, int), test)


@pytest.mark.parametrize("test", ["0.2", None, True, [0.2]])
def test_share_of_a_wrong_type(test):
    with pytest.raises(TypeError, match="split: test expects"):
        split(np.arange(10), np.zeros(10, int), test)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([1, 2, 3], [0, 0], "same length"),
        (1, [0], "same length"),
        ([], [], "one part empty"),
        ([1, 2, 3, 4], [0, 0, 0, 1], "class 1 has a single example"),
        (np.zeros(4), np.zeros((4, 2)), "one label per example"),
    ],
)
def test_impossible_data(X, y, message):
    with pytest.raises(ValueError, match=message):
        split(X, y)


def test_too_few_for_all_classes():
    with pytest.raises(ValueError, match="2 test examples of 10 cannot give 5 classes"):
        split(np.arange(10), np.repeat(np.arange(5), 2), 2)
