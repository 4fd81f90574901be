"""Split examples into a training part and a test part."""

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tinygrad_lite.datasets.seeds import seeded
from tinygrad_lite.engine.arguments import named


@named
def split(
    X: ArrayLike,
    y: ArrayLike,
    test: float = 0.2,
    seed: int | np.random.Generator | None = 0,
    *,
    stratify: bool = True,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Split examples into ``X_train, X_test, y_train, y_test``.

    Shuffles first; the same seed gives the same split on every machine.  The number of test examples is
    ``ceil(test * n)``, and each class differs from its exact share by less than one example wherever both parts can
    have at least one.

    Args:
        X: examples along the first axis, any shape ``(n, ...)``.
        y: one label per example, ``(n,)`` when ``stratify`` is on, else ``(n, ...)``.
        test: share in (0, 1), or a whole number of examples.
        seed: of the shuffle; ``None`` for a different split each time.
        stratify: keep the share of each class in both parts; switch off for continuous targets.

    Raises:
        ValueError: lengths that differ, a part that would be empty, a class with a single example.
        TypeError: ``test`` is not a number.

    >>> X_train, X_test, y_train, y_test = split(np.arange(10), [0] * 5 + [1] * 5, test=0.4)
    >>> len(X_train), len(X_test), int(y_test.sum())
    (6, 4, 2)
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim == 0 or y.ndim == 0 or len(X) != len(y):
        raise ValueError(f"split: X and y need the same length, X has shape {X.shape}, y {y.shape}")
    n = len(y)
    count = _test_count(test, n)
    order = seeded("split", seed).permutation(n)
    if stratify:
        if y.ndim != 1:
            raise ValueError(f"split: stratify=True needs one label per example, y has shape {y.shape}")
        chosen = _stratified(y, order, count)
    else:
        chosen = np.zeros(n, bool)
        chosen[order[:count]] = True
    in_test = chosen[order]
    train_index, test_index = order[~in_test], order[in_test]
    return X[train_index], X[test_index], y[train_index], y[test_index]


def _test_count(test: float, n: int) -> int:
    if isinstance(test, (bool, np.bool_)) or not isinstance(test, (int, float, np.integer, np.floating)):
        raise TypeError(f"split: test expects a share in (0, 1) or a number of examples, got {test!r}")
    if isinstance(test, (int, np.integer)):
        count = int(test)
    elif 0 < test < 1:
        count = ceil(test * n)
    else:
        raise ValueError(f"split: test expects a share in (0, 1) or a whole number of examples, got {test!r}")
    if not 0 < count < n:
        raise ValueError(f"split: test={test!r} of {n} examples leaves one part empty")
    return count


def _stratified(y: NDArray[Any], order: NDArray[np.intp], count: int) -> NDArray[np.bool_]:
    """Mark ``count`` examples, the first ones of each class in ``order``, by largest remainders."""
    labels, which, sizes = np.unique(y, return_inverse=True, return_counts=True)
    if sizes.min() < 2:
        lonely = labels[sizes.argmin()]
        raise ValueError(f"split: class {lonely} has a single example; stratify=False splits without regard to classes")
    if not len(labels) <= count <= len(y) - len(labels):
        raise ValueError(f"split: {count} test examples of {len(y)} cannot give {len(labels)} classes one on each side")
    share = sizes * (count / len(y))
    quota = np.clip(np.floor(share).astype(np.intp), 1, sizes - 1)
    while (missing := count - int(quota.sum())) != 0:
        step = 1 if missing > 0 else -1
        room = quota < sizes - 1 if step > 0 else quota > 1
        quota[np.where(room, step * (share - quota), -np.inf).argmax()] += step
    chosen = np.zeros(len(y), bool)
    shuffled = which[order]
    for label, take in enumerate(quota):
        chosen[order[shuffled == label][:take]] = True
    return chosen
