"""Checks of parameters and values: PyTorch's exceptions and messages; values outside the support without checks."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import distributions as D

CASES = {
    "scale": lambda T: T.distributions.Normal(0.0, -1.0),
    "scale of several": lambda T: T.distributions.Normal(T.zeros(2), T.tensor([1.0, -1.0])),
    "rate": lambda T: T.distributions.Exponential(T.tensor(-1.0)),
    "nan": lambda T: T.distributions.Normal(T.tensor(float("nan")), 1.0),
    "probs": lambda T: T.distributions.Bernoulli(1.5),
    "both": lambda T: T.distributions.Bernoulli(probs=0.5, logits=0.0),
    "neither": lambda T: T.distributions.Categorical(),
    "0-d probs": lambda T: T.distributions.Categorical(T.tensor(1.0)),
    "negative probs": lambda T: T.distributions.Categorical(T.tensor([-1.0, 2.0])),
    "low above high": lambda T: T.distributions.Uniform(1.0, 0.0),
    "0-d concentration": lambda T: T.distributions.Dirichlet(T.tensor(1.0)),
    "shapes": lambda T: T.distributions.Normal(T.zeros(2), T.ones(3)),
    "not a tensor": lambda T: T.distributions.Normal([0.0], 1.0),
    "list value": lambda T: T.distributions.Normal(0.0, 1.0).log_prob([0.0]),
    "nan value": lambda T: T.distributions.Normal(0.0, 1.0).log_prob(T.tensor(float("nan"))),
    "negative value": lambda T: T.distributions.Exponential(1.0).log_prob(T.tensor(-1.0)),
    "fraction": lambda T: T.distributions.Poisson(1.0).log_prob(T.tensor(0.5)),
    "too large": lambda T: T.distributions.Categorical(T.ones(3)).log_prob(T.tensor(3)),
    "value shape": lambda T: T.distributions.Normal(T.zeros(2), 1.0).log_prob(T.zeros(3)),
    "event shape": lambda T: T.distributions.MultivariateNormal(T.zeros(2), T.eye(2)).log_prob(T.zeros(3)),
    "not positive definite": lambda T: T.distributions.MultivariateNormal(T.zeros(2), -T.eye(2)),
    "two matrices": lambda T: T.distributions.MultivariateNormal(T.zeros(2), T.eye(2), T.eye(2)),
    "1-d covariance": lambda T: T.distributions.MultivariateNormal(T.zeros(2), T.ones(2)),
    "too many axes": lambda T: T.distributions.Independent(T.distributions.Normal(T.zeros(2), 1.0), 2),
    "no divergence": lambda T: T.distributions.kl_divergence(
        T.distributions.Normal(0.0, 1.0), T.distributions.Bernoulli(0.5)
    ),
    "no entropy": lambda T: T.distributions.VonMises(0.0, 1.0).entropy(),
    "no rsample": lambda T: T.distributions.Bernoulli(0.5).rsample(),
    "enumeration": lambda T: T.distributions.Normal(0.0, 1.0).enumerate_support(),
    "default": lambda T: T.distributions.Distribution.set_default_validate_args(3),
    "cache": lambda T: T.distributions.ExpTransform(cache_size=2),
    "transforms": lambda T: T.distributions.TransformedDistribution(T.distributions.Normal(0.0, 1.0), "exp"),
    "mixture": lambda T: T.distributions.MixtureSameFamily(
        T.distributions.Bernoulli(0.5), T.distributions.Normal(T.zeros(2), 1.0)
    ),
    "mixture size": lambda T: T.distributions.MixtureSameFamily(
        T.distributions.Categorical(T.ones(3)), T.distributions.Normal(T.zeros(2), 1.0)
    ),
    "unknown constraint": lambda T: T.distributions.biject_to(T.distributions.constraints.one_hot),
}


def message(error: BaseException) -> str:
    """Return an error's words, without how a shape is written."""
    return re.sub(r"torch\.Size|tinygrad_lite\.|torch\.|[\[\](),]|\s+", " ", str(error)).replace("  ", " ").strip()


@pytest.mark.parametrize("name", CASES)
def test_the_exception_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    raised = []
    for lib in (tl, torch):
        with pytest.raises(Exception) as info:
            CASES[name](lib)
        raised.append(info.value)
    families = [e for e in (NotImplementedError, TypeError, ValueError, RuntimeError) if isinstance(raised[1], e)]
    assert any(isinstance(raised[0], e) for e in families), raised
    if str(raised[1]).startswith(("Expected parameter", "Expected value", "Either", "Exactly", "No KL", "Uniform")):
        assert re.sub(r"\W+", " ", message(raised[0])) == re.sub(r"\W+", " ", message(raised[1]))


def test_checks_can_be_turned_off() -> None:
    assert D.Normal(0.0, -1.0, validate_args=False).scale.item() == -1
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="scale"):
        D.Normal(0.0, -1.0)


@pytest.mark.parametrize(
    ("make", "at", "want"),
    [
        (lambda: D.Uniform(0.0, 1.0, validate_args=False), 2.0, -np.inf),
        (lambda: D.HalfNormal(1.0, validate_args=False), -1.0, -np.inf),
        (lambda: D.HalfCauchy(1.0, validate_args=False), -1.0, -np.inf),
        (lambda: D.Poisson(0.0), 0.0, 0.0),
        (lambda: D.Gamma(1.0, 1.0), 0.0, 0.0),
        (lambda: D.Beta(1.0, 1.0), 0.0, 0.0),
        (lambda: D.Bernoulli(1.0), 1.0, 0.0),
        (lambda: D.Geometric(1.0), 0.0, 0.0),
        (lambda: D.NegativeBinomial(0.0, 0.5), 0.0, 0.0),
        (lambda: D.VonMises(0.0, 1e4), 0.0, 3.6862),
    ],
)
def test_edges(make: Any, at: float, want: float) -> None:
    np.testing.assert_allclose(make().log_prob(tl.tensor(at)).item(), want, atol=2e-4)


def test_a_distribution_is_a_module_of_its_name() -> None:
    from importlib import import_module

    for name in ("normal", "categorical", "studentT", "kl", "transforms", "constraints", "utils", "exp_family",
                 "constraint_registry", "transformed_distribution", "relaxed_bernoulli"):  # fmt: skip
        import_module(f"tinygrad_lite.distributions.{name}")
    torch = pytest.importorskip("torch")
    assert set(torch.distributions.__all__) <= set(D.__all__)
    assert set(torch.distributions.transforms.__all__) <= set(D.transforms.__all__)
    assert set(torch.distributions.constraints.__all__) <= set(D.constraints.__all__)


def test_import_of_the_package_leaves_the_room_unloaded() -> None:
    import subprocess
    import sys

    code = "import sys, tinygrad_lite; print([m for m in sys.modules if 'distributions' in m or 'probability' in m])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("concentration", [[0.5, 0.5], [1.0, 1.0], [1.0, 3.0], [0.5, 3.0], [0.2, 0.9, 0.4]])
def test_the_mode_of_a_dirichlet(concentration: list[float]) -> None:
    torch = pytest.importorskip("torch")
    mine, theirs = (lib.distributions.Dirichlet(lib.tensor(concentration)).mode for lib in (tl, torch))
    np.testing.assert_allclose(mine.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    "make",
    [
        lambda T, D: D.Normal(0.0, 1.0),
        lambda T, D: D.Independent(D.Normal(T.zeros(2, 3), 1.0), 1),
        lambda T, D: D.Categorical(logits=T.zeros(3)),
        lambda T, D: D.MixtureSameFamily(D.Categorical(T.ones(2)), D.Normal(T.zeros(2), 1.0)),
        lambda T, D: D.ComposeTransform([D.ExpTransform(), D.AffineTransform(1.0, 2.0)]),
        lambda T, D: D.ExpTransform().inv,
        lambda T, D: D.IndependentTransform(D.ExpTransform(), 1),
    ],
)
def test_the_printed_form(make: Any) -> None:
    torch = pytest.importorskip("torch")
    theirs = re.sub(r"torch\.Size\(\[([\d, ]*)\]\)", lambda m: repr(tuple(map(int, m[1].split(", ")))),
                    repr(make(torch, torch.distributions)))  # fmt: skip
    assert re.sub(r"\s", "", repr(make(tl, D))) == re.sub(r"\s", "", theirs)
