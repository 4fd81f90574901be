"""Habits of hand-written rules on NumPy arrays: which are notes, which are faults, and how they are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinygrad_lite.testing import Arr, GradReport, Ints, Source, check_rule, gradcheck


def matrices(src: Source) -> Any:
    return (src.floats((src.size(3), src.size(4, lo=2))),), {}


def double(x: Any) -> Any:
    return 2 * x, x


def judged(backward: Any, forward: Any = double, sampler: Any = matrices) -> GradReport:
    return check_rule(forward, backward, sampler)


def test_a_wider_dtype_is_a_note_and_hides_nothing() -> None:
    def into_float64(factor: float) -> Any:
        def backward(g: Any, x: Any) -> Any:
            out = np.zeros(x.shape)
            out += factor * g
            return (out,)

        return backward

    right, wrong = judged(into_float64(2.0)), judged(into_float64(3.0))
    assert right.ok and "float32 input gets a float64 gradient" in str(right)
    assert wrong.kind == "wrong value" and "3/2" in str(wrong.suspicion)


def test_a_fault_behind_a_dtype_and_an_option_is_reached() -> None:
    def backward(g: Any, saved: Any) -> Any:
        x, step = saved
        out = np.zeros(x.shape)
        out[: len(g)] = g
        return (out,)

    def sampler(src: Source) -> Any:
        return (src.floats((src.size(4, lo=2),)),), {"step": src.choice((1, 2))}

    report = judged(backward, lambda x, step: (x[::step] * 1.0, (x, step)), sampler)
    assert report.kind == "wrong value" and "option step" in str(report.suspicion)


def test_in_place_writes_are_reported_beside_a_wrong_value() -> None:
    def backward(g: Any, x: Any) -> Any:
        g *= 3
        return (g,)

    report = judged(backward)
    assert report.kind == "wrong value" and "also: backward modifies the incoming gradient" in str(report)
    right = judged(lambda g, x: (np.multiply(g, 2, out=g),))
    assert right.kind == "backward modifies the incoming gradient"


def test_backward_that_works_once_is_named() -> None:
    def forward(x: Any) -> Any:
        return x * 2, [2.0]

    report = judged(lambda g, cache: (g * cache.pop(),), forward)
    assert report.kind == "backward works only once per forward call"
    assert "IndexError" in report.detail and "shapes" not in str(report.suspicion)
    wrong = judged(lambda g, cache: (3 * g * cache.pop(),), forward)
    assert wrong.kind == "wrong value" and "also: backward works only once" in str(wrong)


def test_accumulators_are_named() -> None:
    class Layer:
        def __init__(self, w: Any) -> None:
            self.w, self.dw = w, np.zeros_like(w)

    def forward(x: Any, w: Any) -> Any:
        return x @ w, (x, Layer(w))

    def backward(g: Any, saved: Any) -> Any:
        x, layer = saved
        layer.dw += x.T @ g
        return g @ layer.w.T, layer.dw

    report = check_rule(forward, backward, Arr("n k", min=1), Arr("k m", min=1))
    assert report.suspicion is not None and report.suspicion.startswith("+= into a gradient")


@pytest.mark.parametrize("name", ["NameError", "AttributeError", "ImportError"])
def test_an_error_in_the_code_gets_no_suspicion(name: str) -> None:
    def backward(g: Any, x: Any) -> Any:
        raise {"NameError": NameError, "AttributeError": AttributeError, "ImportError": ImportError}[name]("wrong name")

    report = judged(backward)
    assert report.kind == "backward raises" and report.suspicion is None and name in str(report)


def padded(src: Source) -> Any:
    return (src.floats((src.size(3), src.size(4))),), {"p": src.choice((1, 0))}


@pytest.mark.parametrize(
    ("forward", "backward", "sampler", "said"),
    [
        (lambda x, p: (np.pad(x, p), p), lambda g, p: (g[p:-p, p:-p],), padded, "slice [p:-p] with p = 0"),
        (lambda x, p: (np.pad(x, 1), p), lambda g, p: (g,), padded, "padding is still on"),
        (double, lambda g, x: (2 * g.T,), matrices, "transposed"),
        (double, lambda g, x: ((2 * g).sum(0),), matrices, "shape"),
        (double, lambda g, x: ((2 * g)[None],), matrices, "keepdims"),
        (double, lambda g, x: ((2 * g).ravel(),), matrices, "as many elements|axis of size 1"),
    ],
)
def test_each_wrong_shape_has_its_text(forward: Any, backward: Any, sampler: Any, said: str) -> None:
    report = judged(backward, forward, sampler)
    assert report.kind == "wrong shape"
    assert any(t in str(report.suspicion) for t in said.split("|")), str(report)


def test_gradients_may_be_an_array_or_a_dict() -> None:
    assert judged(lambda g, x: 2 * g).ok
    assert judged(lambda g, x: {"dx": 2 * g}).ok
    two = check_rule(
        lambda x, w: (x * w, (x, w)), lambda g, s: {"dw": g * s[0], "dx": g * s[1]}, Arr("n k"), Arr("n k")
    )
    assert two.ok
    labels = check_rule(lambda x, i: (2 * x, None), lambda g, s: 2 * g, Arr("n"), Ints("n"))
    assert labels.ok  # integers are left out
    assert gradcheck((lambda x, w: (x * w, w), lambda g, w: (g * w,)), np.ones(3), np.ones(3), wrt=[0]).ok


def test_specs_wrt_and_contract_of_check_rule() -> None:
    pair = (lambda x, w: (x * w, (x, w))), (lambda g, s: (g * s[1], 3 * g * s[0]))
    assert check_rule(*pair, Arr("n"), Arr("n"), wrt=[0]).ok
    assert not check_rule(*pair, np.ones(3), np.ones(3)).ok
    writes = lambda g, x: (np.multiply(g, 2, out=g),)  # noqa: E731
    assert check_rule(double, writes, np.ones(3), contract=False).ok


def loss(forward: Any) -> Any:
    def run(z: Any, y: Any) -> Any:
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        d = p.copy()
        d[np.arange(len(y)), y] -= 1
        return -np.mean(np.log(forward(p[np.arange(len(y)), y]))), d / len(y)

    return run


def labelled(src: Source) -> Any:
    n, c = src.size(4), src.size(3, lo=2)
    return (src.floats((n, c)), src.indices((n,), c)), {}


@pytest.mark.parametrize("guard", [lambda p: p + 1e-16, lambda p: np.clip(p, 1e-7, 1 - 1e-7)])
def test_an_eps_or_clip_is_named_with_digits_that_differ(guard: Any) -> None:
    report = check_rule(loss(guard), lambda g, d: (g * d, None), labelled)
    assert not report.ok and "eps or clip that the gradient ignores" in str(report.suspicion)
    numbers = next(line for line in str(report).splitlines() if "analytic" in line).split()
    assert numbers[1] != numbers[3]


def test_conventions_are_named() -> None:
    def softmax(x: Any) -> Any:
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True), x

    assert "softmax fused with its loss" in str(judged(lambda g, x: (g.copy(),), softmax).suspicion)

    def of_p(p: Any, y: Any) -> Any:
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)), (p, y)

    report = check_rule(of_p, lambda g, s: (g * (s[0] - s[1]) / s[0].size, None), Arr("n", lo=0.1, hi=0.9), Ints("n"))
    assert "gradient for the logits" in str(report.suspicion)

    def norm(x: Any, w: Any) -> Any:
        r = 1 / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        h = (x - x.mean(-1, keepdims=True)) * r
        return w * h, (h, r, w)

    def outside(g: Any, s: Any) -> Any:
        h, r, w = s
        return w * r * (g - g.mean(-1, keepdims=True) - h * (g * h).mean(-1, keepdims=True)), (g * h).sum(0)

    report = check_rule(norm, outside, Arr("n d", min=2), Arr("d", min=2))
    assert "multiply g by input 1 before the sums" in str(report.suspicion)
    mean = check_rule(
        lambda x, w: (x @ w, (x, w)),
        lambda g, s: (g @ s[1].T, s[0].T @ g / max(len(g), 1)),
        Arr("n k", min=1),
        Arr("k m", min=1),
    )
    assert "fine if the loss that follows is a sum" in str(mean.suspicion)
    ties = judged(lambda g, s: ((s[0] == s[1]) * g,), lambda x: (m := x.max(1, keepdims=True), (x, m)))
    assert "each tied element gets the full g" in str(ties.suspicion)
    mse = check_rule(
        lambda p, t: (np.mean((p - t) ** 2), p - t),
        lambda g, d: (g * d / max(d.shape[1], 1), -g * d / max(d.shape[1], 1)),
        Arr("n c", min=1),
        Arr("n c", min=1),
    )
    assert "n/2, n the length of axis 0" in str(mse.suspicion)


def test_one_point_lists_several_names_of_a_factor() -> None:
    report = gradcheck((double, lambda g, x: (3 * g,)), np.arange(12.0).reshape(3, 4) + 0.5, raise_exception=False)
    assert "3/2: a number or n/(n - 1)" in str(report.suspicion)


def test_linearity_allows_rounding_and_names_a_term_without_g() -> None:
    def rest(g: Any, s: Any) -> Any:
        x, m = s
        return (g - g.mean(0) - (x - m).sum(0) / len(x),)

    centred = lambda x: (x - x.mean(0), (x, x.mean(0)))  # noqa: E731
    assert judged(rest, centred).ok
    report = judged(lambda g, x: (2 * g + 1e-3,))
    assert "not linear" in str(report.kind) and "a term without g" in str(report.suspicion)
    squared = judged(lambda g, x: (2 * g * np.abs(g),))
    assert "not linear" in str(squared.kind) and "nonlinear function" in str(squared.suspicion)


def test_forms_that_check_layer_takes_are_pointed_to_it() -> None:
    class Layer:
        def forward(self, x: Any) -> Any:
            return x

    with pytest.raises(TypeError, match="check_layer"):
        gradcheck(Layer(), np.ones(3))
    report = gradcheck((lambda x: x * 2, lambda g, s: (g,)), np.ones(3), raise_exception=False)
    assert "check_layer" in str(report)
