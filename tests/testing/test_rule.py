"""Checks of a pair of NumPy functions: reports, reproduction, edge cases of the search."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tinygrad_lite.testing import GradReport, Source, check_rule, gradcheck
from tinygrad_lite.testing.search.source import SCHEDULE


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    y = e / e.sum(axis, keepdims=True)
    return y, (y, axis)


def softmax_rule(g, saved):
    y, axis = saved
    return (y * (g - (g * y).sum(axis, keepdims=True)),)


def forgets_axis(x, axis=-1):
    return softmax(x, axis)[0], (softmax(x, -1)[0], -1)


def matrices(src: Source):
    return (src.floats((src.size(3), src.size(4))),), {"axis": src.choice([-1, 0])}


def wrong() -> GradReport:
    return check_rule(forgets_axis, softmax_rule, matrices, name="softmax")


def test_right_rule_passes() -> None:
    report = check_rule(softmax, softmax_rule, matrices)
    assert report.ok and bool(report) and report.kind is None and report.smallest == ()
    assert str(report) == "check_rule(softmax): ok, 30 points checked"


def test_report_names_option_and_smallest_input() -> None:
    report = wrong()
    assert not report
    assert report.kind == "wrong value"
    assert report.options == {"axis": 0}
    assert sum(a.size for a in report.smallest) <= 2
    assert report.suspicion is not None and "axis" in report.suspicion
    text = str(report)
    assert text.startswith("check_rule(softmax): WRONG VALUE, input 0 (float64[")
    for part in ("analytic", "numeric", "options axis=0", "smallest input", "suspected:", "reproduce: gradcheck("):
        assert part in text


def test_numbers_of_the_report_match_the_functions() -> None:
    report = wrong()
    x, out = report.smallest[0], report.output
    assert out is not None and report.element is not None and report.analytic is not None
    index = tuple(int(i) for i in out.removeprefix("output[").removesuffix("]").split(","))
    h, up, down = 1e-6, x.copy(), x.copy()
    up[report.element] += h
    down[report.element] -= h
    slope = (softmax(up, 0)[0] - softmax(down, 0)[0])[index] / (2 * h)
    assert report.numeric == pytest.approx(slope, abs=1e-8)
    g = np.zeros(x.shape)
    g[index] = 1.0
    (analytic,) = softmax_rule(g, forgets_axis(x, 0)[1])
    assert report.analytic == pytest.approx(analytic[report.element])


def test_reproduction_fails_again() -> None:
    report = wrong()
    call = report.reproduction.replace("(forward, backward)", "(forgets_axis, softmax_rule)")
    again = eval(call[:-1] + ", raise_exception=False)", {**globals(), "gradcheck": gradcheck})
    assert not again.ok and again.kind == report.kind


def test_reproduction_takes_large_inputs_from_the_report() -> None:
    pair = (forgets_axis, softmax_rule)
    x = np.random.default_rng(0).normal(size=(40, 30))
    report = gradcheck(pair, x, kwargs={"axis": 0}, raise_exception=False, seed=3)
    call, _, hint = report.reproduction.partition("  (")
    assert not report and len(call) < 120 and "report" in hint
    again = eval(call.replace("forgets_axis", "pair").replace("seed=", "raise_exception=False, seed="))
    assert not again and again.analytic == report.analytic and again.smallest[0].shape == x.shape
    small = gradcheck(pair, x[:20, :10], kwargs={"axis": 0}, raise_exception=False)
    assert "np.array(" in small.reproduction and "report" not in small.reproduction


def test_report_is_json_and_html() -> None:
    data = json.loads(wrong().to_json())
    assert data["ok"] is False and data["options"] == {"axis": 0} and data["smallest"][0]["dtype"] == "float64"
    page = wrong()._repr_html_()
    assert page.startswith("<div") and "WRONG VALUE" in page and "<script" not in page
    assert "&lt;" in GradReport("<b>")._repr_html_()


def test_same_seed_same_report() -> None:
    assert str(wrong()) == str(wrong())


@pytest.mark.parametrize("n", range(len(SCHEDULE)))
def test_an_example_does_not_depend_on_others(n: int) -> None:
    arrays, kw = matrices(Source.example(3, n))
    for _ in Source.example(3, n + 1).floats((2,)):
        again, kw2 = matrices(Source.example(3, n))
    assert kw == kw2 and all(np.array_equal(a, b) for a, b in zip(arrays, again, strict=True))


def test_replay_gives_smaller_examples() -> None:
    src = Source.example(0, 1)
    matrices(src)
    small = Source.example(0, 1, [1, 2, 0])
    (x,), _ = matrices(small)
    assert x.shape == (1, 2) and small.used == [1, 2, 0]


def test_values_stay_in_their_domain() -> None:
    for lo, hi in ((0.0, 1.0), (1e-3, np.inf), (-np.inf, 2.0), (-np.inf, np.inf), (5.0, 6.0), (-1.0, 0.0), (0.0, 0.0)):
        for n in range(30):
            v = Source.example(1, n).floats((40,), lo, hi)
            assert np.isfinite(v).all() and v.min() >= lo and v.max() <= hi, (lo, hi, n)


def test_indices_cover_their_range_and_no_more() -> None:
    seen = np.concatenate([Source.example(0, n).indices((50,), 4, negative=True) for n in range(5)])
    assert set(seen.tolist()) == set(range(-4, 4))
    assert Source(0).indices((2, 3), 5, usual=1).tolist() == [[1] * 3] * 2


def kinds(backward, forward=lambda x: (x * x, x)) -> str | None:
    return check_rule(forward, backward, lambda src: ((src.floats((src.size(3), src.size(2))),), {})).kind


def test_each_broken_contract_has_its_kind() -> None:
    assert kinds(lambda g, x: (2 * g * x,)) is None
    assert kinds(lambda g, x: ((2 * g * x).sum(0),)) == "wrong shape"
    assert kinds(lambda g, x: ((2 * g * x).astype(np.float32),)) == "wrong dtype"
    assert kinds(lambda g, x: (None,)) == "gradient missing"
    assert kinds(lambda g, x: ()) == "wrong number of gradients"
    assert kinds(lambda g, x: (2 * g * x + 1,)) == "backward is not linear in the incoming gradient"
    assert kinds(lambda g, x: 1 / 0) == "backward raises"
    assert kinds(lambda g, x: (np.multiply(g, 2 * x, out=g),)) == "backward modifies the incoming gradient"
    assert kinds(lambda g, x: (np.multiply(g, 2 * x, out=x),)) == "backward modifies a saved input"
    assert kinds(lambda g, x: (g * np.where(x == 0, np.nan, 2 * x),)) == "non-finite gradient"
    assert (
        kinds(lambda g, x: ((2 * g * x).astype(np.float32).astype(g.dtype),))
        == "gradient carries only float32 precision"
    )
    rng = np.random.default_rng()
    assert kinds(lambda g, x: (2 * g * x,), lambda x: (x * x + rng.random(), x)) == "forward is not deterministic"
    assert kinds(lambda g, x: (2 * g * x,), lambda x: (x * x, (x.copy(), x.fill(7))[0])) == "forward modifies its input"


def test_several_outputs() -> None:
    def sampler(src: Source):
        return (src.floats((src.size(3),)),), {}

    def forward(x):
        return (np.sin(x), np.argsort(x), x.sum(keepdims=True)), x

    def backward(g, x):
        assert g[1] is None  # nothing flows into integers
        return (g[0] * np.cos(x) + g[2],)

    assert check_rule(forward, backward, sampler).ok
    report = check_rule(forward, lambda g, x: (g[0] * np.cos(x) - g[2],), sampler)
    assert report.kind == "wrong value" and "output 2" in str(report.suspicion)


def test_no_floats_at_all() -> None:
    report = check_rule(lambda i: (i * 1.0, i), lambda g, i: (None,), lambda src: ((src.indices((3,), 5),), {}))
    assert report.ok


def cholesky(x):
    y = np.linalg.cholesky(x @ x.T + 1e-3 * x.sum() * np.eye(len(x), dtype=x.dtype))
    return y, (x, y)


def cholesky_rule(g, saved):
    x, y = saved
    inverse = np.linalg.inv(y)
    half = np.tril(y.T @ g)
    np.fill_diagonal(half, 0.5 * np.diagonal(half))
    a = inverse.T @ half @ inverse
    a = 0.5 * (a + a.T)
    return (2.0 * a @ x + 1e-3 * np.trace(a),)


def squares(src: Source):
    n = src.size(3)
    return (src.floats((n, n)),), {}


def test_values_outside_the_domain_are_not_a_failure() -> None:
    report = check_rule(cholesky, cholesky_rule, squares)  # constant and zero matrices are not positive definite
    assert report.ok
    assert any("function raises" in note and "positive definite" in note for note in report.notes)
    wrong = check_rule(cholesky, lambda g, saved: (2 * cholesky_rule(g, saved)[0],), squares)
    assert wrong.kind == "wrong value"


def test_a_function_that_raises_at_ordinary_values_fails() -> None:
    def refuses(x):
        raise np.linalg.LinAlgError("always")

    assert check_rule(refuses, cholesky_rule, squares).kind == "forward raises"
    assert check_rule(lambda x: cholesky(x)[0][99], cholesky_rule, squares).kind == "forward raises"


def test_a_backward_that_raises_fails() -> None:
    def forward(x):
        return x @ x, x

    def backward(g, x):
        return (np.linalg.inv(x) @ (x @ (g @ x.T + x.T @ g)),)  # singular at zero

    report = check_rule(forward, backward, squares)
    assert report.kind == "backward raises" and "singular" in report.detail.lower()


def bags(src: Source):
    """Rows of a ragged batch, with offsets that are valid in ascending order only."""
    n, rows = src.size(5), src.size(3)
    return (src.floats((n,)), np.sort(src.indices((rows,), n + 1)) * (np.arange(rows) > 0)), {}


def sums(x, offsets):
    lengths = np.diff(np.append(offsets, len(x)))
    rows = np.repeat(np.arange(len(offsets)), lengths)  # raises where offsets are not in order
    y = np.zeros(len(offsets), x.dtype)
    np.add.at(y, rows, x * x)
    return y, (x, rows)


def sums_rule(g, saved):
    x, rows = saved
    return 2 * x * g[rows], None


def test_a_function_may_reject_values_in_another_order() -> None:
    def ramps(edges):
        if (np.diff(edges) < 0).any():
            raise ValueError("edges must be in ascending order")
        return np.diff(edges) ** 2, edges

    def ramps_rule(g, edges):
        d = 2 * np.diff(edges) * g
        return (np.concatenate([-d[:1], d[:-1] - d[1:], d[-1:]]) if d.size else np.zeros_like(edges),)

    assert check_rule(ramps, ramps_rule, lambda src: ((np.sort(src.floats((src.size(4),))),), {})).ok


def test_integers_stay_valid() -> None:
    assert all(check_rule(sums, sums_rule, bags, seed=seed).ok for seed in range(5))
    last = {}

    def forgetful(x, offsets):
        y, last["saved"] = sums(x, offsets)
        return y, None

    report = check_rule(forgetful, lambda g, _: sums_rule(g, last["saved"]), bags)
    assert report.kind == "backward uses state of a later forward call"


@pytest.mark.parametrize("seed", range(15, 22))
def test_any_order_of_many_ties_is_right(seed: int) -> None:
    def forward(x):
        order = np.argsort(-x, kind="stable")
        return x[order], order

    def backward(g, order):
        gx = np.zeros_like(g)
        gx[order] = g
        return (gx,)

    assert gradcheck((forward, backward), np.zeros(8), kinks="strict", seed=seed, raise_exception=False).ok


def test_rare_combinations_of_options_are_reached() -> None:
    def forward(x, a, b, c):
        return a * x * x, (x, a, b, c)

    def backward(g, saved):
        x, a, b, c = saved
        return (a * x * g * (1 if a == b == 3 and c else 2),)

    def sampler(src):
        return (src.floats((src.size(3),)),), {"a": src.integer(1, 0, 3), "b": src.integer(1, 0, 3), "c": src.chance()}

    assert (
        sum(not check_rule(forward, backward, sampler, seed=seed).ok for seed in range(20)) >= 15
    )  # 12 without brief examples


@pytest.mark.parametrize("seed", range(6))
def test_cancellation_in_low_precision_is_rounding(seed: int) -> None:
    def forward(x, w, z):
        return (x * w).sum() ** 2 - (w * x)[::-1].sum() ** 2 + (z * z).sum(), (x, w, z)

    def backward(g, saved):
        x, w, z = saved
        there, back = 2 * g * (x * w).sum(), 2 * g * (w * x)[::-1].sum()  # alike but for rounding
        return there * w - back * w, there * x - back * x, 2 * g * z

    def sampler(src):
        n = src.size(5)
        return tuple(src.floats((n,), -9.0, 9.0) for _ in range(3)), {}

    assert check_rule(forward, backward, sampler, seed=seed).ok


@pytest.mark.parametrize("seed", (0, 1, 85))  # 85: an output of 5e-15, whose weight would be 10,000
def test_outputs_of_rounding_errors_get_no_weight(seed: int) -> None:
    def forward(x, t):
        z = 64.0 * x
        top = z.max(1, keepdims=True)
        lse = top[:, 0] + np.log(np.exp(z - top).sum(1))
        return lse - z[np.arange(len(t)), t], (z - lse[:, None], t)

    def backward(g, saved):
        logp, t = saved
        d = np.exp(logp)
        rows = np.arange(len(t))
        d[rows, t] = 0
        d[rows, t] = -d.sum(1)
        return 64.0 * d * g[:, None], None

    def sampler(src):
        n, k = src.size(3), src.size(4, 2)
        return (src.floats((n, k), -0.8, 0.95), src.indices((n,), k)), {}

    assert check_rule(forward, backward, sampler, seed=seed).ok


@pytest.mark.parametrize("seed", (0, 19, 28, 67))  # but for 0 constant in both of the first examples
def test_a_function_that_is_usually_constant_has_a_scale_too(seed: int) -> None:
    def forward(x, top=0):
        return top * (np.logaddexp(0, x) - x), (x, top)  # exactly 0 for large x

    def backward(g, saved):
        x, top = saved
        return (-top * g * np.exp(-np.logaddexp(0, x)),)

    assert check_rule(
        forward, backward, lambda src: ((src.floats((src.size(3),)),), {"top": src.choice([0, 0, 0, 1])}), seed=seed
    ).ok
