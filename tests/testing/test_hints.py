"""A hint is given only if all failing points agree with it and no passing one contradicts it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.testing.seeds import SEEDS
from tests.testing.table import load
from tinygrad_lite.testing import Arr, GradReport, check_op, check_rule, gradcheck

CASES = {c.name: c for c in load()}


def report(name: str, bug: str, seed: int = 0) -> GradReport:
    c = CASES[name]
    found = check_rule(*c.planted(bug), c.sampler, seed=seed, name=name)
    assert not found.ok
    return found


def hint(name: str, bug: str, seed: int = 0) -> str:
    return str(report(name, bug, seed).suspicion)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "bug", "said"),
    [
        ("gamma_curve", "tail", "gradient missing for x < x0|ignores option x0"),
        ("lennard_jones", "beyond", "> cutoff"),
        ("soft_threshold", "threshold", "x| between"),
        ("student_t_logpdf", "nu", "nu"),
        ("morse_potential", "inner", "1/(input 2)"),
        ("alpha_over", "both", "too large by the term g * input 2"),
        ("alpha_over", "weight", "input 2: equals the gradient of input 0"),
        ("mahalanobis", "symmetric", "symmetric matrix"),
        ("pinhole_projection", "depth", "in the last position along the last axis"),
        ("spring_chain", "overwrite", "inner positions"),
        ("morse_potential", "rows", "only one is kept"),
        ("mean", "sum", "the length of the axis that option axis names"),
        ("message_passing", "repeat", "distinct|more than once"),
        ("inverse_softplus", "beta", "right with beta = 1.0"),
        ("windowed_power", "energy", "1/sqrt(y)"),
    ],
)
def test_the_common_pattern_is_reported(name: str, bug: str, said: str, seed: int) -> None:
    assert any(t in hint(name, bug, seed) for t in said.split("|"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "bug", "never"),
    [
        ("crra_utility", "log", "ignores option"),  # equals the gradient for gamma = 0, yet most values are right
        ("alpha_over", "weight", "swapped"),  # of two equal gradients one is right
        ("segment_mean", "sum", "option num"),  # one size passes by chance
        ("gelu_tanh", "chain", "for |x|"),  # the error fades away, it does not end
        ("lennard_jones", "twelve", "variance"),  # elementwise: nothing along an axis matters
        ("log1mexp", "tail", "small error"),  # small beside the largest element, not beside its own
        ("triangle_area", "orientation", "are equal"),  # inputs that are equal are a kink here
        ("squared_distance_to_segment", "clamp", "right when"),  # right in a whole region, not at a value
        ("black_scholes_call", "discount", "1/(1 - rate)"),  # near at one point, wrong at the others
    ],
)
def test_a_contradicted_pattern_is_not_reported(name: str, bug: str, never: str, seed: int) -> None:
    assert never not in hint(name, bug, seed)


def test_a_hard_coded_axis_names_the_option() -> None:
    assert "option axis" in hint("softmax", "lastaxis")


def test_one_point_is_no_pattern() -> None:
    found = gradcheck((lambda x: (x**3, x), lambda g, x: (2.7 * g,)), np.array(2.0), raise_exception=False)
    assert not found.ok and "factor" not in str(found.suspicion)
    found = gradcheck((lambda x: (x**3, x), lambda g, x: (-3 * g * x**2,)), np.array(2.0), raise_exception=False)
    assert "-1 (sign)" in str(found.suspicion)


def test_an_explanation_that_fails_leaves_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygrad_lite.testing.explain.diagnose.hints", lambda c: 1 / 0)
    found = report("tanh", "power")
    assert found.kind == "wrong value" and found.suspicion


def test_numbers_along_a_direction_name_the_direction() -> None:
    assert "along " in str(report("chebyshev_norm", "ties"))


def test_a_detail_is_reported_once() -> None:
    lines = str(report("gated_layer", "state")).splitlines()
    assert sum("input 1" in line and "float64" in line for line in lines) == 1


def test_the_wrong_one_of_two_outputs_is_named() -> None:
    def forward(x):  # type: ignore[no-untyped-def]
        return (np.sin(x), np.cos(x)), x

    def backward(g, x):  # type: ignore[no-untyped-def]
        return (g[0] * np.cos(x) - g[1] * np.sin(x) * np.exp(x),)

    found = check_op((forward, backward), Arr("n k"), raise_exception=False)
    assert "through output 1" in str(found.suspicion)
