"""Checks of estimators' inputs: arrays, tensors, lists and data frames.

Error classes and messages are scikit-learn's, because its users know them and its checks look for them.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.random import default_generator

Floats = NDArray[np.floating[Any]]


class NotFittedError(ValueError, AttributeError):
    """Something that ``fit`` learns was used before ``fit``."""


class ConvergenceWarning(UserWarning):
    """Training stopped at ``max_iter``, before the optimum."""


class DataConversionWarning(UserWarning):
    """A target had an unexpected shape and was reshaped."""


COLUMN = (
    "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,), for "
    "example using ravel()."
)


def known_to_sklearn(ours: type[Any]) -> type[Any]:
    """Return ``ours``, or a subclass of it and of scikit-learn's class of that name.

    The subclass only if scikit-learn is loaded.
    """
    module = sys.modules.get("sklearn.exceptions")
    theirs = getattr(module, ours.__name__, None)
    return ours if theirs is None else type(ours.__name__, (ours, theirs), {"__module__": ours.__module__})


def not_fitted(owner: str) -> Exception:
    """Return the error for using ``owner`` before ``fit``."""
    error: Exception = known_to_sklearn(NotFittedError)(
        f"This {owner} instance is not fitted yet. Call 'fit' with appropriate arguments before using this estimator."
    )
    return error


def warn(kind: type[Warning], text: str) -> None:
    """Warn at the user's line, with scikit-learn's class of warning if it is loaded."""
    warnings.warn(text, known_to_sklearn(kind), stacklevel=4)


# ------------------------------------------------------------------------------------------------ X
def is_sparse(data: Any) -> bool:
    """Return whether ``data`` is a SciPy sparse matrix or array."""
    return hasattr(data, "tocsr")


def check_sparse(X: Any, name: str = "X", dtype: Any = None, least: int = 1) -> Any:
    """Return a sparse ``X`` as finite CSR numbers (n, features) without duplicates."""
    if X.ndim != 2:
        raise ValueError(f"Expected 2D sparse data, got {X.ndim} axes")
    if X.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{X!r}\n")
    wanted = dtype or (X.dtype if X.dtype in (np.float32, np.float64) else np.float64)
    rows = X.tocsr()
    if rows.dtype != wanted:
        rows = rows.astype(wanted)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    if rows.shape[0] < least:
        raise ValueError(
            f"Found array with {rows.shape[0]} sample(s) (shape={rows.shape}) while a minimum of {least} is required."
        )
    if not rows.shape[1]:
        raise ValueError(f"Found array with 0 feature(s) (shape={rows.shape}) while a minimum of 1 is required.")
    check_finite(rows.data, name)
    return rows


def as_numbers(data: Any, name: str, dtype: Any = None) -> Floats:
    """Return ``data`` as a floating array.

    float32 and float64 stay (unless ``dtype``), everything else becomes float64.

    Raises TypeError for sparse matrices and objects that are no numbers, ValueError for strings and complex numbers.
    """
    if is_sparse(data):
        raise TypeError(
            f"Sparse data was passed for {name}, but dense data is required. Use '.toarray()' to convert it."
        )
    if isinstance(data, Tensor):
        data = data.array
    elif isinstance(data, (list, tuple)):
        data = [d.array if isinstance(d, Tensor) else d for d in data]
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(f"{name}: expected rows of equal length ({error})") from None
    if array.dtype.kind == "O" and hasattr(data, "isna"):  # pandas.NA of nullable columns is no number for NumPy
        array = np.where(np.asarray(data.isna()), np.nan, array)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{array}\n")
    if array.dtype.kind in "USmMV":
        array = _parsed(array, name)
    wanted = dtype or (array.dtype if array.dtype in (np.float32, np.float64) else np.float64)
    # one memory order: the same numbers give the same result to the last bit
    return np.asarray(array, dtype=wanted, order="C")


def _parsed(array: Any, name: str) -> Any:
    """Return numbers written as strings; dates and words are errors."""
    if array.dtype.kind in "mMV":
        raise TypeError(f"{name}: expected numbers, got dtype {array.dtype}")
    try:
        return array.astype(np.float64)
    except ValueError as error:
        raise ValueError(f"{name}: {error}; encode words as numbers first") from None


def check_finite(array: Any, name: str) -> None:
    """Raise ValueError where a floating array holds NaN or infinity."""
    if array.dtype.kind != "f":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):  # faster than checking each number
            return
    if not np.isfinite(array).all():
        if np.isnan(array).any():
            raise ValueError(f"Input {name} contains NaN.")
        raise ValueError(f"Input {name} contains infinity or a value too large for {array.dtype!r}.")


def check_rows(
    X: Any, name: str = "X", dtype: Any = None, least: int = 1, images: bool = False, sparse: bool = False
) -> Any:
    """Return ``X`` as finite numbers (n, features).

    With ``images`` also (n, H, W) and (n, C, H, W); with ``sparse`` SciPy's sparse matrices stay sparse, as CSR.

    ``least`` is the smallest number of rows.
    """
    if sparse and is_sparse(X):
        return check_sparse(X, name, dtype, least)
    array = as_numbers(X, name, dtype)
    if array.ndim == 0:
        raise ValueError(f"Expected 2D array, got scalar array instead:\narray={array}.\nReshape your data.")
    if array.ndim == 1:
        raise ValueError(
            f"Expected 2D array, got 1D array instead:\narray={array}.\nReshape your data either using "
            "array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) if it contains a single "
            "sample."
        )
    if array.ndim > 2 and not (images and array.ndim in (3, 4)):
        raise ValueError(f"Found array with dim {array.ndim}, while dim <= {4 if images else 2} is required.")
    if len(array) < least:
        raise ValueError(
            f"Found array with {len(array)} sample(s) (shape={array.shape}) while a minimum of {least} is required."
        )
    if not array[:1].size and len(array):
        raise ValueError(f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    check_finite(array, name)
    return array


def moderate(rows: Any) -> tuple[Any, float]:
    """Return rows whose squares neither overflow nor vanish, and the power of two that divides the coefficients."""
    data = rows.data if is_sparse(rows) else rows
    if data.dtype == np.float64 and data.flags.c_contiguous:
        flat = data.ravel()
        with np.errstate(all="ignore"):
            power = float(flat @ flat)  # much faster than the largest number
        if 1e-150 < power < 1e200:
            return rows, 1.0
    top = float(max(data.max(), -data.min())) if data.size else 0.0
    if not top or 1e-100 < top < 1e100:
        return rows, 1.0
    unit = float(2.0 ** np.floor(np.log2(top)))
    return rows / unit, unit


def feature_names(X: Any) -> NDArray[Any] | None:
    """Return the column names of a data frame, else None.

    A data frame is any object with ``columns`` of strings.
    """
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    names = np.asarray(columns, dtype=object)
    strings = [isinstance(n, str) for n in names]
    if all(strings) and len(names):
        return names
    if any(strings):
        raise TypeError(
            "Feature names are only supported if all input features have string names, "
            f"but your input has {sorted({type(n).__name__ for n in names})} as feature name / column name types."
        )
    return None


# ------------------------------------------------------------------------------------------------ y and weights
def same_length(X: Any, other: Any) -> None:
    """Raise ValueError unless both have as many rows."""
    if X.shape[0] != len(other):
        raise ValueError(f"Found input variables with inconsistent numbers of samples: [{X.shape[0]}, {len(other)}]")


def _target(owner: str, y: Any) -> Any:
    if y is None:
        raise ValueError(
            f"This {owner} estimator requires y to be passed, but the target y is None. "
            "Expected array-like (array or non-string sequence), got None"
        )
    if is_sparse(y):
        raise TypeError("Sparse data was passed for y, but dense data is required. Use '.toarray()' to convert it.")
    return y.array if isinstance(y, Tensor) else y


def check_measurements(owner: str, X: Any, y: Any, dtype: Any = None) -> Floats:
    """Return the targets of a regression, (n,) or (n, outputs), finite."""
    array = as_numbers(_target(owner, y), "y", dtype)
    if array.ndim not in (1, 2) or 0 in array.shape[1:]:
        raise ValueError(
            f"y should be a 1d array (n,) or 2d (n, outputs), got an array of shape {array.shape} instead."
        )
    same_length(X, array)
    check_finite(array, "y")
    return array


def check_labels(owner: str, X: Any, y: Any) -> NDArray[Any]:
    """Return the class labels (n,); a column is flattened with a warning."""
    array = np.asarray(_target(owner, y))
    if array.ndim == 2 and array.shape[1] == 1:
        warn(DataConversionWarning, COLUMN)
        array = array.ravel()
    if array.ndim != 1:
        raise ValueError(f"y should be a 1d array, got an array of shape {array.shape} instead.")
    same_length(X, array)
    check_finite(array, "y")
    if array.dtype.kind == "f" and (array != np.trunc(array)).any():
        raise ValueError(
            "Unknown label type: continuous. Maybe you are trying to fit a classifier, which expects discrete classes, "
            "on a regression target with continuous values."
        )
    return array


def check_classes(owner: str, X: Any, y: Any, least: int = 2) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the sorted classes, and the index of each row's class.

    There must be at least two classes, or ``least``.
    """
    labels = check_labels(owner, X, y)
    try:
        classes, index = np.unique(labels, return_inverse=True)
    except TypeError:
        raise TypeError(f"{owner}: y mixes labels that cannot be compared, such as strings and numbers") from None
    if len(classes) < least:
        raise ValueError(
            f"{owner} needs samples of at least 2 classes in the data, but the data contains only one class: "
            f"{classes[0]!r}"
        )
    return classes, index.reshape(-1)


def check_weights(X: Any, sample_weight: Any, dtype: Any = np.float64) -> Floats | None:
    """Return the weight of each row (n,), at least 0 and not all 0; None stays None."""
    if sample_weight is None:
        return None
    weights = as_numbers(sample_weight, "sample_weight", dtype)
    if weights.ndim == 0:
        weights = np.full(X.shape[0], weights, dtype)
    if weights.ndim != 1:
        raise ValueError(f"Sample weights must be 1D array or scalar, got {weights.ndim}D array.")
    if len(weights) != X.shape[0]:
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(X.shape[0],)}!")
    check_finite(weights, "sample_weight")
    if (weights < 0).any():
        raise ValueError("Negative values in data passed to `sample_weight`.")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def class_weights(owner: str, setting: Any, classes: NDArray[Any], index: NDArray[np.intp]) -> Floats | None:
    """Return the weight of each row by its class: None, "balanced", or a dict from class to weight."""
    if setting is None:
        return None
    if isinstance(setting, str):
        check_choice(owner, "class_weight", setting, ("balanced",))
        counts = np.bincount(index, minlength=len(classes))
        return np.asarray(len(index) / (len(classes) * counts))[index]
    if not isinstance(setting, dict):
        raise ValueError(
            f"The 'class_weight' parameter of {owner} must be a dict, 'balanced' or None. Got {setting!r} instead."
        )
    known = classes.tolist()
    unknown = [label for label in setting if label not in known]
    if unknown and len(unknown) == len(setting):
        raise ValueError(f"The classes, {unknown}, are not in class_weight")
    each = np.array([check_number(owner, "class_weight", setting.get(label, 1.0)) for label in known])
    return np.asarray(each[index])


# ------------------------------------------------------------------------------------------------ settings
def check_number(
    owner: str, name: str, value: Any, least: float = 0.0, most: float = np.inf, above: bool = False
) -> float:
    """Return a setting as a float.

    Raises ValueError outside [least, most]; with ``above`` it must be greater than ``least``.
    """
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, (bool, np.bool_))
    if not number or not (value > least if above else value >= least) or not value <= most or np.isinf(value):
        sign = ">" if above else ">="
        limit = "" if most == np.inf else f" and <= {most:g}"
        raise ValueError(
            f"The '{name}' parameter of {owner} must be a number {sign} {least:g}{limit}. Got {value!r} instead."
        )
    return float(value)


def check_count(owner: str, name: str, value: Any, least: int = 1) -> int:
    """Return a setting as an int.

    Raises ValueError unless it is a whole number of at least ``least``.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"The '{name}' parameter of {owner} must be an int >= {least}. Got {value!r} instead.")
    return int(value)


def check_choice(owner: str, name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Return a setting that is one of ``choices``, else ValueError."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"The '{name}' parameter of {owner} must be one of {', '.join(choices)}. Got {value!r} instead."
        )
    return value


def generator(random_state: Any) -> np.random.Generator:
    """Return a NumPy generator for a ``random_state``.

    From a seed, a Generator, a RandomState, or None (the library's own generator).
    """
    if random_state is None:
        return default_generator()
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31))
    if (
        isinstance(random_state, (bool, np.bool_))
        or not isinstance(random_state, (int, np.integer))
        or random_state < 0
    ):
        raise ValueError(f"{random_state!r} cannot be used to seed a numpy.random.Generator")
    return np.random.default_rng(int(random_state))
