"""Operators of ``ai.onnx.ml``, which converters of scikit-learn models write.

Class labels that are strings become the numbers of the classes: tensors hold no strings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine.op import PUBLIC as P
from tinygrad_lite.errors import FileError
from tinygrad_lite.onnx.operators.table import array_of, bounded, operator, tensor


def _ml(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return operator(f"ai.onnx.ml::{name}")


def _row(values: Any) -> Any:
    return tensor(np.array(values, np.float32))


def _finished(scores: Any, how: str) -> Any:
    """Apply a ``post_transform``."""
    if how == "NONE":
        return scores
    if how == "LOGISTIC":
        return P["sigmoid"](scores)
    if how == "SOFTMAX":
        return P["softmax"](scores, -1)
    if how == "SOFTMAX_ZERO":
        return P["softmax"](scores, -1) * (scores != 0).to(scores.dtype)
    raise FileError(f"onnx.load: the post_transform {how!r} is not supported")


def _labels(numbers: Any, ints: Any, strings: Any) -> Any:
    """Return the labels of classes by their numbers; strings stay numbers."""
    found = np.asarray(ints, np.int64)[numbers] if ints and not strings else numbers.astype(np.int64)
    return tensor(found)


@_ml("Scaler")
def _scaler(x: Any, offset: Any = (0.0,), scale: Any = (1.0,)) -> Any:
    return (x.float() - _row(offset)) * _row(scale)


@_ml("Binarizer")
def _binarizer(x: Any, threshold: float = 0.0) -> Any:
    return (x > threshold).to(x.dtype)


@_ml("Normalizer")
def _normalizer(x: Any, norm: str = "MAX") -> Any:
    if norm == "MAX":
        size = P["amax"](x, -1, True)
    else:
        size = P["norm"](x, 1 if norm == "L1" else 2, -1, True)
    return x / P["where"](size == 0, tensor(np.ones((), np.float32)), size)


@_ml("Imputer")
def _imputer(
    x: Any, imputed_value_floats: Any = None, replaced_value_float: float = 0.0, imputed_value_int64s: Any = None,
    replaced_value_int64: int = 0,
) -> Any:  # fmt: skip
    if imputed_value_floats is None:
        return P["where"](x == replaced_value_int64, tensor(np.array(imputed_value_int64s, np.int64)), x)
    missing = P["isnan"](x) if replaced_value_float != replaced_value_float else x == replaced_value_float
    return P["where"](missing, _row(imputed_value_floats), x)


@_ml("ArrayFeatureExtractor")
def _features(x: Any, index: Any) -> Any:
    found = x[..., array_of(index).reshape(-1)]
    return found.reshape((1, -1)) if x.ndim == 1 else found


@_ml("FeatureVectorizer")
def _vectorizer(*xs: Any, inputdimensions: Any = None) -> Any:
    return P["cat"]([x.float() for x in xs], -1)


@_ml("ZipMap")
def _zipmap(x: Any, classlabels_int64s: Any = None, classlabels_strings: Any = None) -> Any:
    """Return the table of probabilities: the columns are the classes in their order."""
    return x


@_ml("OneHotEncoder")
def _one_hot_encoder(x: Any, cats_int64s: Any = None, cats_strings: Any = None, zeros: int = 1) -> Any:
    if cats_int64s is None:
        raise FileError("onnx.load: OneHotEncoder of strings is not supported")
    at = array_of(x)
    bounded([*at.shape, len(cats_int64s)])
    hit = at[..., None] == np.array(cats_int64s)
    if not zeros and not hit.any(-1).all():
        raise FileError("onnx.load: OneHotEncoder got a category that it does not know")
    return tensor(hit.astype(np.float32))


@_ml("LabelEncoder")
def _label_encoder(
    x: Any, keys_int64s: Any = None, values_int64s: Any = None, keys_floats: Any = None, values_floats: Any = None,
    default_int64: int = -1, default_float: float = -0.0, **strings: Any,
) -> Any:  # fmt: skip
    keys = keys_int64s if keys_int64s is not None else keys_floats
    values = values_int64s if values_int64s is not None else values_floats
    if keys is None or values is None or len(keys) != len(values):
        raise FileError("onnx.load: LabelEncoder of strings is not supported")
    dtype, default = (np.int64, default_int64) if values_int64s is not None else (np.float32, default_float)
    out = np.full(x.shape, default, dtype)
    for key, value in zip(keys, values, strict=True):
        out[array_of(x) == key] = value
    return tensor(out)


# ------------------------------------------------------------------------------------------------ linear models
def _linear(x: Any, coefficients: Any, intercepts: Any, rows: int) -> Any:
    w = np.array(coefficients, np.float32)
    if not rows or w.size != rows * x.shape[-1]:
        raise FileError(f"onnx.load: {w.size} coefficients for {rows} results of {x.shape[-1]} features")
    y = x.float() @ tensor(w.reshape(rows, -1).T.copy())
    return y if not intercepts else y + _row(intercepts)


@_ml("LinearRegressor")
def _linear_regressor(
    x: Any, coefficients: Any, intercepts: Any = None, targets: int = 1, post_transform: str = "NONE"
) -> Any:
    return _finished(_linear(x, coefficients, intercepts, targets), post_transform)


@_ml("LinearClassifier")
def _linear_classifier(
    x: Any, coefficients: Any, intercepts: Any = None, classlabels_ints: Any = None, classlabels_strings: Any = None,
    multi_class: int = 0, post_transform: str = "NONE",
) -> Any:  # fmt: skip
    classes = len(classlabels_ints or classlabels_strings or (0, 1))
    rows = len(coefficients) // max(x.shape[-1], 1)
    scores = _linear(x, coefficients, intercepts, rows)
    if rows == 1 and classes == 2:
        chosen = (array_of(scores)[:, 0] > 0).astype(np.int64)
        p = _finished(scores, post_transform)
        out = P["cat"]([(1 - p) if post_transform == "LOGISTIC" else -p, p], -1)
    else:
        chosen, out = array_of(scores).argmax(-1), _finished(scores, post_transform)
    return _labels(chosen, classlabels_ints, classlabels_strings), out


# ------------------------------------------------------------------------------------------------ trees
MODES = {"BRANCH_LEQ": np.less_equal, "BRANCH_LT": np.less, "BRANCH_GTE": np.greater_equal, "BRANCH_GT": np.greater,
         "BRANCH_EQ": np.equal, "BRANCH_NEQ": np.not_equal}  # fmt: skip


def _forest(x: Any, n: dict[str, Any], leaves: Any, results: int, how: str) -> Any:
    """Return the sums (rows, results) of the weights of the leaves that each row reaches in each tree."""
    rows, keys = array_of(x), list(zip(n["nodes_treeids"], n["nodes_nodeids"], strict=True))
    place = {key: i for i, key in enumerate(keys)}
    try:
        sides = [np.array([place.get((t, c), -1) for (t, _), c in zip(keys, n[side], strict=True)])
                 for side in ("nodes_truenodeids", "nodes_falsenodeids")]  # fmt: skip
        weights: list[list[tuple[int, float]]] = [[] for _ in keys]
        for t, c, target, weight in zip(*leaves, strict=True):
            weights[place[t, c]].append((target, weight))
    except (KeyError, ValueError):
        raise FileError("onnx.load: the nodes of a TreeEnsemble do not fit together") from None
    table = np.zeros((len(keys), results), np.float32)
    for i, parts in enumerate(weights):
        for target, weight in parts:
            if not 0 <= target < results:
                raise FileError(f"onnx.load: a leaf of a TreeEnsemble votes for class {target} of {results}")
            table[i, target] += weight
    total: Any = None
    for tree in dict.fromkeys(n["nodes_treeids"]):
        first = next(i for i, key in enumerate(keys) if key[0] == tree)
        found = table[_descended(rows, first, sides, n)]
        total = found if total is None else {"MIN": np.minimum, "MAX": np.maximum}.get(how, np.add)(total, found)
    return total / len(set(n["nodes_treeids"])) if how == "AVERAGE" else total


def _descended(rows: Any, first: int, sides: Any, n: dict[str, Any]) -> Any:
    """Return the leaf that each row reaches from a root; a graph with a circle is refused."""
    at = np.full(len(rows), first)
    modes, values = np.array(n["nodes_modes"]), np.array(n["nodes_values"], np.float32)
    features = np.array(n["nodes_featureids"])
    missing = np.array(n.get("nodes_missing_value_tracks_true") or [0] * len(modes), bool)
    for _ in range(len(modes) + 1):
        live = np.flatnonzero(modes[at] != "LEAF")
        if not len(live):
            return at
        here = at[live]
        if features[here].max() >= rows.shape[1] or features[here].min() < 0:
            raise FileError("onnx.load: a TreeEnsemble asks for a feature that the input does not have")
        x, yes = rows[live, features[here]], np.zeros(len(live), bool)
        for mode in set(modes[here].tolist()):
            if mode not in MODES:
                raise FileError(f"onnx.load: a TreeEnsemble has nodes of the kind {mode!r}")
            mine = modes[here] == mode
            yes[mine] = MODES[mode](x[mine], values[here][mine])
        yes |= np.isnan(x) & missing[here]
        at[live] = np.where(yes, sides[0][here], sides[1][here])
        if at.min() < 0:
            break
    raise FileError("onnx.load: the nodes of a TreeEnsemble do not form a tree")


@_ml("TreeEnsembleRegressor")
def _tree_regressor(
    x: Any, n_targets: int = 1, base_values: Any = None, aggregate_function: str = "SUM", post_transform: str = "NONE",
    target_treeids: Any = (), target_nodeids: Any = (), target_ids: Any = (), target_weights: Any = (), **nodes: Any,
) -> Any:  # fmt: skip
    bounded([len(nodes["nodes_treeids"]), n_targets])
    leaves = target_treeids, target_nodeids, target_ids, target_weights
    total = tensor(_forest(x, nodes, leaves, n_targets, aggregate_function))
    return _finished(total + _row(base_values) if base_values else total, post_transform)


@_ml("TreeEnsembleClassifier")
def _tree_classifier(
    x: Any, base_values: Any = None, post_transform: str = "NONE", classlabels_int64s: Any = None,
    classlabels_strings: Any = None, class_treeids: Any = (), class_nodeids: Any = (), class_ids: Any = (),
    class_weights: Any = (), **nodes: Any,
) -> Any:  # fmt: skip
    classes = len(classlabels_int64s or classlabels_strings or ())
    single = classes == 2 and len(set(class_ids)) == 1
    leaves = class_treeids, class_nodeids, [0] * len(class_ids) if single else class_ids, class_weights
    scores = _forest(x, nodes, leaves, 1 if single else classes, "SUM")
    if base_values:
        scores = scores + np.array(base_values[-1:] if single else base_values, np.float32)
    out = _finished(tensor(scores), post_transform)
    if single:  # weights of the second class alone
        bound = 0.5 if min(class_weights) >= 0 and post_transform == "NONE" else 0.0
        chosen = (scores[:, 0] > bound).astype(np.int64)
        out = P["cat"]([1 - out if bound or post_transform == "LOGISTIC" else -out, out], -1)
    else:
        chosen = scores.argmax(-1)
    return _labels(chosen, classlabels_int64s, classlabels_strings), out


# ------------------------------------------------------------------------------------------------ support vectors
def _kernel(x: Any, support: Any, kind: str, parameters: Any) -> Any:
    gamma, start, degree = [*parameters, 0.0, 0.0, 0.0][:3]
    product = array_of(x).astype(np.float32) @ support.T
    if kind == "LINEAR":
        return product
    if kind == "POLY":
        return (gamma * product + start) ** degree
    if kind == "SIGMOID":
        return np.tanh(gamma * product + start)
    if kind != "RBF":
        raise FileError(f"onnx.load: the kernel {kind!r} of a support vector machine is not supported")
    away = array_of(x)[:, None, :].astype(np.float32) - support
    return np.exp(-gamma * (away * away).sum(-1))


def _vectors(x: Any, vectors: Any, count: int) -> Any:
    a = np.array(vectors or (), np.float32)
    if count < 1 or a.size != count * x.shape[-1]:
        raise FileError(f"onnx.load: {count} support vectors of {x.shape[-1]} features, but {a.size} numbers")
    bounded([x.shape[0], count, x.shape[-1]])
    return a.reshape(count, -1)


@_ml("SVMRegressor")
def _svm_regressor(
    x: Any, coefficients: Any = (), kernel_params: Any = (), kernel_type: str = "LINEAR", n_supports: int = 0,
    one_class: int = 0, post_transform: str = "NONE", rho: Any = (0.0,), support_vectors: Any = None,
) -> Any:  # fmt: skip
    support = _vectors(x, support_vectors, n_supports)
    found = _kernel(x, support, kernel_type, kernel_params) @ np.array(coefficients, np.float32) + np.float32(rho[0])
    return _finished(tensor(np.sign(found) if one_class else found).reshape((-1, 1)), post_transform)


@_ml("SVMClassifier")
def _svm_classifier(
    x: Any, classlabels_ints: Any = None, classlabels_strings: Any = None, coefficients: Any = (),
    kernel_params: Any = (), kernel_type: str = "LINEAR", post_transform: str = "NONE", prob_a: Any = None,
    prob_b: Any = None, rho: Any = (0.0,), support_vectors: Any = None, vectors_per_class: Any = (),
) -> Any:  # fmt: skip
    if prob_a or post_transform != "NONE":
        raise FileError("onnx.load: probabilities of an SVMClassifier are not supported")
    counts, n = [int(c) for c in vectors_per_class], len(vectors_per_class)
    support = _vectors(x, support_vectors, sum(counts))
    k, w = _kernel(x, support, kernel_type, kernel_params), np.array(coefficients, np.float32)
    if n < 2 or w.size != (n - 1) * len(support) or len(rho) < n * (n - 1) // 2:
        raise FileError("onnx.load: the numbers of an SVMClassifier do not fit together")
    w, ends = w.reshape(n - 1, -1), np.cumsum([0, *counts])
    votes = np.zeros((len(k), n))
    scores: list[Any] = []
    for i in range(n):
        for j in range(i + 1, n):
            a, b = slice(ends[i], ends[i + 1]), slice(ends[j], ends[j + 1])
            score = k[:, a] @ w[j - 1, a] + k[:, b] @ w[i, b] + np.float32(rho[len(scores)])
            scores.append(score)
            votes[np.arange(len(k)), np.where(score > 0, i, j)] += 1
    return _labels(votes.argmax(-1), classlabels_ints, classlabels_strings), tensor(np.stack(scores, -1))
