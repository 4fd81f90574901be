"""One row per family: how to make it and where to evaluate it, for the comparisons with PyTorch and SciPy.

Arrays are float64. A row is (name, parameters, values to score); parameters named ``*total_count`` stay numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

A = np.array
X = A([[0.3, 1.7, 0.05], [2.4, 0.9, 4.0]])  # positive
R = A([[0.3, -1.7, 0.05], [-2.4, 0.9, 4.0]])  # real
U = A([[0.3, 0.97, 0.05], [0.5, 0.71, 0.123]])  # between 0 and 1
K = A([[0.0, 1.0, 3.0], [2.0, 5.0, 4.0]])  # counts
B = A([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
S = A([[0.2, 0.3, 0.5], [0.05, 0.9, 0.05]])  # simplex
LOC, SCALE = A([0.5, -1.0, 2.0]), A([1.0, 0.3, 2.5])
POS, POS2 = A([0.7, 2.0, 5.5]), A([1.5, 0.4, 3.0])
P = A([0.2, 0.5, 0.85])
LOGITS = A([[0.1, -2.0, 1.0], [0.0, 3.0, -1.0]])
V = A([[0.1, 0.2], [1.0, -2.0], [0.3, 0.9]])
COV = A([[2.0, 0.5], [0.5, 1.0]])
COVS = np.stack([COV, COV * 2, np.eye(2)])
TRIL = A([[1.5, 0.0], [-0.4, 0.7]])

FAMILIES: list[tuple[str, dict[str, Any], Any]] = [
    ("Normal", {"loc": LOC, "scale": SCALE}, R),
    ("LogNormal", {"loc": LOC, "scale": SCALE}, X),
    ("HalfNormal", {"scale": SCALE}, X),
    ("Uniform", {"low": LOC - 5, "high": LOC + 5}, A([[0.3, -1.7, 1.0], [-2.4, 0.9, 4.0]])),
    ("Exponential", {"rate": POS}, X),
    ("Laplace", {"loc": LOC, "scale": SCALE}, R),
    ("Gumbel", {"loc": LOC, "scale": SCALE}, R),
    ("Cauchy", {"loc": LOC, "scale": SCALE}, R),
    ("HalfCauchy", {"scale": SCALE}, X),
    ("Pareto", {"scale": SCALE, "alpha": A([0.7, 2.5, 5.5])}, X + 2.5),
    ("Weibull", {"scale": SCALE, "concentration": A([1.2, 2.0, 5.5])}, X),
    ("Gamma", {"concentration": POS, "rate": POS2}, X),
    ("Chi2", {"df": POS}, X),
    ("InverseGamma", {"concentration": POS, "rate": POS2}, X),
    ("Beta", {"concentration1": POS, "concentration0": POS2}, U),
    ("Kumaraswamy", {"concentration1": POS, "concentration0": POS2}, U),
    ("Dirichlet", {"concentration": np.stack([POS, POS2])}, S),
    ("StudentT", {"df": A([0.7, 1.5, 5.5]), "loc": LOC, "scale": SCALE}, R),
    ("FisherSnedecor", {"df1": POS, "df2": A([1.5, 2.4, 7.0])}, X),
    ("VonMises", {"loc": LOC, "concentration": POS}, U),
    ("GeneralizedPareto", {"loc": LOC * 0 - 0.1, "scale": SCALE, "concentration": A([0.2, 0.7, 0.4])}, X),
    ("Bernoulli", {"probs": P}, B),
    ("Bernoulli", {"logits": LOC}, B),
    ("ContinuousBernoulli", {"probs": A([0.2, 0.5, 0.85])}, U),
    ("ContinuousBernoulli", {"logits": LOC}, U),
    ("Geometric", {"probs": P}, K),
    ("Geometric", {"logits": LOC}, K),
    ("Binomial", {"total_count": 6, "probs": P}, K),
    ("Binomial", {"total_count": 6, "logits": LOC}, K),
    ("NegativeBinomial", {"total_count": 2.5, "probs": P}, K),
    ("NegativeBinomial", {"total_count": 2.5, "logits": LOC}, K),
    ("Poisson", {"rate": POS}, K),
    ("Categorical", {"probs": S * 2}, A([[0, 2], [1, 1], [2, 0]])),
    ("Categorical", {"logits": LOGITS}, A([[0, 2], [1, 1], [2, 0]])),
    ("OneHotCategorical", {"probs": S * 2}, A([[0.0, 1, 0], [1.0, 0, 0]])),
    ("OneHotCategorical", {"logits": LOGITS}, A([[0.0, 1, 0], [1.0, 0, 0]])),
    ("OneHotCategoricalStraightThrough", {"logits": LOGITS}, A([[0.0, 1, 0], [1.0, 0, 0]])),
    ("Multinomial", {"total_count": 4, "probs": S}, A([[0.0, 1, 3], [2.0, 0, 2]])),
    ("Multinomial", {"total_count": 4, "logits": LOGITS}, A([[0.0, 1, 3], [2.0, 0, 2]])),
    ("MultivariateNormal", {"loc": V, "covariance_matrix": COV}, V + 1),
    ("MultivariateNormal", {"loc": V, "covariance_matrix": COVS}, V + 1),
    ("MultivariateNormal", {"loc": V[0], "precision_matrix": COV}, V),
    ("MultivariateNormal", {"loc": V[0], "scale_tril": TRIL}, V),
    ("LowRankMultivariateNormal", {"loc": V, "cov_factor": A([[1.0], [0.5]]), "cov_diag": A([0.3, 2.0])}, V + 1),
    ("LogisticNormal", {"loc": V, "scale": np.abs(V) + 0.5}, A([0.2, 0.3, 0.5])),
    ("RelaxedBernoulli", {"temperature": A(0.7), "probs": P}, U),
    ("RelaxedOneHotCategorical", {"temperature": A(0.7), "logits": LOGITS}, S),
    ("Wishart", {"df": A(3.5), "covariance_matrix": COV}, COVS + 0.2 * np.eye(2)),
    ("LKJCholesky", {"dim": 2, "concentration": A([0.8, 2.0])}, A([[1.0, 0.0], [0.6, 0.8]])),
]


def made(lib: Any, name: str, parameters: dict[str, Any], grad: bool = False) -> tuple[Any, list[Any]]:
    """Return the distribution of a library, and its parameters that are tensors."""
    given = {
        key: lib.tensor(value, requires_grad=grad and value.dtype.kind == "f")
        if isinstance(value, np.ndarray)
        else value
        for key, value in parameters.items()
    }
    tensors = [v for v in given.values() if hasattr(v, "requires_grad")]
    return getattr(lib.distributions, name)(**given), tensors


def identity(row: tuple[str, dict[str, Any], Any]) -> str:
    """Return a readable test id."""
    return f"{row[0]}-{'-'.join(row[1])}"
