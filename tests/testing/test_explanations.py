"""Explanations found by a changed call: saved values, an option, indices, a term, a value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.testing.seeds import SEEDS
from tinygrad_lite.testing import GradReport, check_rule

seeds = pytest.mark.parametrize("seed", SEEDS)


def explained(forward: Any, backward: Any, sampler: Any, seed: int = 0, kind: str = "wrong value") -> str:
    report: GradReport = check_rule(forward, backward, sampler, seed=seed)
    assert report.kind == kind, report
    return str(report.suspicion)


def two(src: Any) -> Any:
    n = src.size(4)
    return (src.floats((n,), 0.3, 2.0), src.floats((n,), 0.3, 2.0)), {}


# ------------------------------------------------------------------------------------------------ what was saved
def wave(x: Any, w: Any) -> Any:
    s, c, e = np.sin(x * w), np.cos(x * w), np.exp(-w * w)
    return s + e, (x, w, s, c, e)


def wave_rule(g: Any, saved: Any, what: str) -> Any:
    x, w, s, c, e = saved
    e = 2 * e if what == "twice" else -e if what == "sign" else e
    return g * w * (s if what == "mixed up" else c), g * (x * c - 2 * w * e)


@seeds
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("mixed up", "input 0: right when saved[3] takes the place of saved[2]"),
        ("sign", "saved[4] changed: a term with it has the wrong sign"),
        ("twice", "saved[4] is half as large"),
    ],
)
def test_a_wrong_saved_value_is_named(what: str, said: str, seed: int) -> None:
    assert said in explained(wave, lambda g, saved: wave_rule(g, saved, what), two, seed)


@seeds
def test_the_state_after_a_step_used_for_the_one_before(seed: int) -> None:
    def forward(x: Any, k: Any) -> Any:
        states = []
        for _ in range(3):
            states.append(x)
            x = x + k * np.roll(x, 1)
        return x, (states, x, k)

    def backward(g: Any, saved: Any) -> Any:
        states, last, k = saved
        after = [*states[1:], last]
        gk = np.zeros_like(k)
        for x in after[::-1]:
            gk = gk + (g * np.roll(x, 1)).sum()
            g = g + k * np.roll(g, -1)
        return g, gk

    def sampler(src: Any) -> Any:
        return (src.floats((src.size(4),), -2.0, 2.0), src.floats((), 0.1, 0.5)), {}

    assert "of the step before" in explained(forward, backward, sampler, seed)


@seeds
def test_another_quantity_used_at_each_step(seed: int) -> None:
    def forward(x: Any, v: Any) -> Any:
        steps = []
        for _ in range(2):
            new = v - 0.3 * np.sin(x)
            steps.append((x, v, new))
            x, v = x + 0.3 * new * new, new
        return x, steps

    def backward(g: Any, steps: Any) -> Any:
        gx, gv = g, np.zeros_like(g)
        for x, v, _ in steps[::-1]:
            gnew = gv + 0.6 * v * gx  # v is the velocity before the kick
            gx, gv = gx - 0.3 * np.cos(x) * gnew, gnew
        return gx, gv

    assert "saved[...][2] takes the place of saved[...][1]" in explained(forward, backward, two, seed)


# ------------------------------------------------------------------------------------------------ a term
@seeds
@pytest.mark.parametrize(
    ("backward", "said"),
    [
        (lambda g, x, w: (g * (np.cos(x) * w - 1), g * np.sin(x)), "input 0: too small by the term g"),
        (lambda g, x, w: (g * np.cos(x) * w, g * (np.sin(x) + np.cos(x) * w)), "too large by the gradient of input 0"),
        (lambda g, x, w: (g * (np.cos(x) * w + x * w), g * np.sin(x)), "too large by the term g * input 0 * input 1"),
    ],
)
def test_a_term_too_much_or_too_little(backward: Any, said: str, seed: int) -> None:
    def forward(x: Any, w: Any) -> Any:
        return np.asarray((np.sin(x) * w).sum()), lambda: (x, w)  # nothing saved that could be changed

    def rule(g: Any, saved: Any) -> Any:
        return backward(g, *saved())

    assert said in explained(forward, rule, two, seed)


@seeds
def test_a_wrong_count(seed: int) -> None:
    def forward(x: Any, s: Any) -> Any:  # as a log likelihood: the logarithm counts once for each but the first
        return (x * x).sum() * np.exp(-s) - (x.size - 1) * s, (x, s)

    def backward(g: Any, saved: Any) -> Any:
        x, s = saved
        return 2 * x * np.exp(-s) * g, g * (-(x * x).sum() * np.exp(-s) - (x.size + len(set(x > 0)) - 1))

    def sampler(src: Any) -> Any:
        return (src.floats((src.size(4, 2),), -2.0, 2.0), src.floats((), -1.0, 1.0)), {}

    assert "whole number" in explained(forward, backward, sampler, seed)


# ------------------------------------------------------------------------------------------------ another call
@seeds
def test_an_option_value_drawn_only_once_is_tried(seed: int) -> None:
    def forward(x: Any, w: Any, inverse: bool = False, scale: float = 1.0) -> Any:
        return np.sin(x) * (1 / w if inverse else w) * scale, (x, w, inverse, scale)

    def backward(g: Any, saved: Any) -> Any:
        x, w, inverse, scale = saved
        gw = g * np.sin(x) * scale
        return g * np.cos(x) * (1 / w if inverse else w) * scale, gw * (-1 - x) / w**2 if inverse else gw

    def sampler(src: Any) -> Any:
        arrays, _ = two(src)
        return arrays, {"inverse": src.chance(), "scale": src.choice([1.0, 0.5, 2.0])}

    text = explained(forward, backward, sampler, seed)
    assert "inverse" in text and "option" in text


@seeds
def test_an_option_that_matters_for_large_values_only(seed: int) -> None:
    def forward(x: Any, w: Any, kind: str = "a") -> Any:
        y = np.sin(x[:, None] * w).sum(0) * (1 if kind == "a" else 2)
        return y.sum() ** 2, lambda: (x, w, y.sum(), kind)

    def backward(g: Any, saved: Any) -> Any:
        x, w, s, kind = saved()
        c = np.cos(x[:, None] * w) * 2 * s * g * (1 if kind == "a" else 2)
        wrong = kind == "b" and abs(s) > 1.5  # most calls with this option are right
        return (c * w).sum(1) * (1 + (x**2).mean() if wrong else 1), (c * x[:, None]).sum(0)

    def sampler(src: Any) -> Any:
        arrays = src.floats((src.size(3),), -2.0, 2.0), src.floats((src.size(3),), -2.0, 2.0)
        return arrays, {"kind": src.choice(["a", "b"])}

    assert "right with kind = 'a', wrong with 'b'" in explained(forward, backward, sampler, seed)


@seeds
def test_indices_that_occur_twice_or_in_two_inputs(seed: int) -> None:
    def forward(x: Any, i: Any, j: Any) -> Any:
        return (x[i] * x[j] * (i != j)).sum() + x.sum() * 0, (x, i, j)

    def lost(g: Any, saved: Any, both: bool) -> Any:
        x, i, j = saved
        gx = np.zeros_like(x)
        live = (i != j) | both
        if both:
            np.add.at(gx, i, g * x[j] * live)
            np.add.at(gx, j, g * x[i] * live)
        else:
            gx[i] += g * x[j] * live
            np.add.at(gx, j, g * x[i] * live)
        return gx, None, None

    def sampler(src: Any) -> Any:
        n, m = src.size(5, 3, 6), src.size(3)
        return (src.floats((n,)), src.indices((m,), n), src.indices((m,), n)), {}

    text = explained(forward, lambda g, s: lost(g, s, True), sampler, seed)
    assert "input 1 and in input 2" in text or "rows" in text
    text = explained(forward, lambda g, s: lost(g, s, False), sampler, seed)
    assert "distinct" in text or "more than once" in text or "np.add.at" in text


@seeds
def test_one_special_value(seed: int) -> None:
    def forward(x: Any, axis: Any) -> Any:
        n = np.sqrt((axis * axis).sum())
        return x * np.cos(n) + (x * (np.sin(n) / n if n else x.dtype.type(1))).sum(), (x, axis, n)

    def backward(g: Any, saved: Any) -> Any:
        x, axis, n = saved
        if not n:
            return np.zeros_like(x), np.zeros_like(axis)  # right for the axis, wrong for x
        f, df = np.sin(n) / n, np.cos(n) / n - np.sin(n) / n**2
        gn = (g * x).sum() * -np.sin(n) + g.sum() * x.sum() * df
        return g * np.cos(n) + g.sum() * f, (gn * axis / n).astype(axis.dtype)

    def sampler(src: Any) -> Any:
        return (src.floats((src.size(4),)), src.floats((3,), -2.0, 2.0)), {}

    assert "wrong exactly where all of it is 0" in explained(forward, backward, sampler, seed)


@seeds
def test_two_inputs_that_are_equal(seed: int) -> None:
    def forward(a: Any, b: Any) -> Any:
        d = a - b
        safe = np.where(d == 0, 1, d)
        return np.where(d == 0, 1, np.expm1(safe) / safe).astype(a.dtype), (d, safe)

    def backward(g: Any, saved: Any) -> Any:
        d, safe = saved
        slope = np.where(d == 0, 0, np.exp(safe) / safe - np.expm1(safe) / safe**2)  # 1/2, not 0
        return (g * slope).astype(g.dtype), (-g * slope).astype(g.dtype)

    def sampler(src: Any) -> Any:
        n = src.size(4)
        return (src.floats((n,), 0.0, 3.0), src.floats((n,), 0.0, 3.0)), {}

    assert "equals" in explained(forward, backward, sampler, seed)


@seeds
def test_one_array_for_all_steps(seed: int) -> None:
    def forward(x: Any, k: Any) -> Any:
        state, states = x.copy(), []
        for _ in range(3):
            states.append(state)
            state += k * np.roll(state, 1)
        return state.copy(), (states, k)

    def backward(g: Any, saved: Any) -> Any:
        states, k = saved
        gk = np.zeros_like(k)
        for state in states[::-1]:
            gk = gk + (g * np.roll(state, 1)).sum()
            g = g + k * np.roll(g, -1)
        return g, gk

    def sampler(src: Any) -> Any:
        return (src.floats((src.size(4),), -2.0, 2.0), src.floats((), 0.1, 0.5)), {}

    assert "is the same array at each step" in explained(forward, backward, sampler, seed)


@seeds
def test_right_when_a_mask_is_all_true(seed: int) -> None:
    def forward(x: Any, mask: Any) -> Any:
        y = np.where(mask, x, 0)
        return np.asarray(y.sum() ** 2 / max(mask.sum(), 1) + (y * y).sum()).astype(x.dtype), lambda: (y, mask)

    def backward(g: Any, saved: Any) -> Any:
        y, mask = saved()
        return np.where(mask, g * (2 * y.sum() / mask.size + 2 * y), 0).astype(g.dtype), None

    def sampler(src: Any) -> Any:
        n = src.size(5)
        return (src.floats((n,)), src.rng.random(n) < 0.6), {}

    assert "right when all of input 1 is True" in explained(forward, backward, sampler, seed)


# ------------------------------------------------------------------------------------------------ axes
def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    y = e / e.sum(-1, keepdims=True)
    return y, y


def matrix(src: Any) -> Any:
    return (src.floats((src.size(3), src.size(4))),), {}


@seeds
def test_a_sum_over_the_wrong_axis_mixes_rows(seed: int) -> None:
    text = explained(softmax, lambda g, y: (y * (g - (g * y).sum(0, keepdims=True)),), matrix, seed)
    assert "mixed" in text and "axis" in text


@seeds
def test_a_gradient_that_must_sum_to_zero(seed: int) -> None:
    def forward(x: Any, w: Any) -> Any:
        y, _ = softmax(x)
        return np.asarray(((y * w).sum(-1) ** 2).sum()), lambda: (y, w)

    def backward(g: Any, saved: Any) -> Any:
        y, w = saved()
        d = 2 * (y * w).sum(-1, keepdims=True) * g
        p = y * d * w
        return p - y * p.sum(0, keepdims=True), d * y

    def sampler(src: Any) -> Any:
        shape = (src.size(3), src.size(4))
        return (src.floats(shape), src.floats(shape, -2.0, 2.0)), {}

    assert "must sum to 0 along the last axis" in explained(forward, backward, sampler, seed)


@seeds
def test_a_mask_is_named(seed: int) -> None:
    def forward(x: Any, mask: Any) -> Any:
        return np.where(mask, x * x, 3 * x), (x, mask)

    def backward(g: Any, saved: Any) -> Any:
        x, mask = saved
        return np.where(mask, 2 * x, 0) * g, None

    def sampler(src: Any) -> Any:
        n = src.size(5)
        return (src.floats((n,)), src.rng.random(n) < 0.5), {}

    assert "where input 1 is False" in explained(forward, backward, sampler, seed)


# ------------------------------------------------------------------------------------------------ nothing fits
@seeds
def test_without_a_pattern_the_smallest_example_is_described(seed: int) -> None:
    def forward(x: Any, k: Any) -> Any:
        s = x.sum() ** 2 - (x * x).sum()
        return np.asarray(np.sin(k) * s + np.tanh(k * x).sum()), lambda: (x, k)

    def backward(g: Any, saved: Any) -> Any:
        x, k = saved()
        t = 1 - np.tanh(k * x) ** 2
        s = (x.sum() ** 2 - (x * x).sum()).astype(g.dtype)
        return g * (np.sin(k) * (2 * x.sum() - 2 * x) + k * t), g * ((x * t).sum() + s * np.cos(k * s))

    def sampler(src: Any) -> Any:
        return (src.floats((src.size(4),), -2.0, 2.0), src.floats((), 0.2, 1.5)), {}

    text = explained(forward, backward, sampler, seed)
    assert "no simple pattern" in text and "input 1 alone" in text and "depends on input 0 and input 1" not in text
    assert "right when axis 0 of input 0 has length 1" in text or "nothing" in text


@seeds
def test_the_error_names_its_cause(seed: int) -> None:
    def forward(x: Any, k: Any) -> Any:
        return np.asarray(np.sin(x).sum() + np.tanh(k) * np.exp(k * k)), lambda: (x, k)

    def backward(g: Any, saved: Any) -> Any:
        x, k = saved()
        return g * np.cos(x), g * np.exp(k * k) * (1 - np.tanh(k) ** 2)

    def sampler(src: Any) -> Any:
        return (src.floats((src.size(4),), -2.0, 2.0), src.floats((), 0.2, 1.5)), {}

    assert "depends on input 1, not on input 0" in explained(forward, backward, sampler, seed)
