"""A check is ok only if outputs were compared: infinite and NaN values are left out and reported."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.testing.cases.objects import TENSOR_CASES, keep, spoil
from tinygrad_lite import nn
from tinygrad_lite.testing import Arr, GradcheckError, check_module, check_op, check_rule, gradcheck
from tinygrad_lite.testing.verdict.point import CLOCK, OutOfTime

CASES = {c.name: c.make for c in TENSOR_CASES}


def judged(fn: Any, args: Any) -> Any:
    if isinstance(fn, nn.Module):
        return check_module(fn, Arr(" ".join(map(str, args[0].shape))), examples=6, raise_exception=False)
    return gradcheck(fn, *args, raise_exception=False)


@pytest.mark.parametrize("name", CASES)
def test_functions_of_objects_masks_and_buffers(name: str) -> None:
    right = judged(*CASES[name](keep))
    assert right.ok, str(right)
    wrong = judged(*CASES[name](spoil))
    assert not wrong.ok and wrong.kind == "wrong value", str(wrong)


LOG = (lambda x: (np.log(x), x), lambda g, x: (g / x,))
WRONG_LOG = (lambda x: (np.log(x), x), lambda g, x: (3 * g / x,))


@pytest.mark.parametrize("kinks", ["strict", "report"])
def test_finite_outputs_beside_an_infinite_one_are_compared(kinks: str) -> None:
    x = np.array([0.0, 2.0, 3.0])
    right = gradcheck(LOG, x, kinks=kinks)
    assert right.ok and right.compared == 2 and right.outputs == 3
    assert any("not compared: 1 of 3" in t for t in right.notes)
    assert not gradcheck(WRONG_LOG, x, kinks=kinks, raise_exception=False).ok


def test_searches_compare_finite_outputs_too() -> None:
    def masked(q: Any, factor: float) -> Any:
        s = q @ q.mT
        s.register_hook(lambda g: factor * g)
        mask = tl.ones(s.shape[-1], s.shape[-1]).triu(1).bool()
        return s.masked_fill(mask, float("-inf"))

    assert check_op(lambda q: masked(q, 1.0), Arr("n k", min=2), raise_exception=False).ok
    assert not check_op(lambda q: masked(q, 3.0), Arr("n k", min=2), raise_exception=False).ok


def test_nan_in_the_gradient_of_a_finite_output_still_fails() -> None:
    pair = (lambda x: (np.stack([np.log(x[:2]), x[:2] * x[2:]]), x), lambda g, x: (np.full(x.shape, np.nan),))
    report = gradcheck(pair, np.array([0.0, 1.0, 2.0, 3.0]), raise_exception=False)
    assert report.kind == "non-finite gradient"


def test_nothing_compared_is_no_success() -> None:
    with pytest.raises(GradcheckError, match="NOTHING COMPARED") as caught:
        gradcheck(lambda x: x * float("nan"), np.ones(3))
    assert "infinite or NaN" in str(caught.value) and caught.value.report.compared == 0
    report = gradcheck(lambda x: x.argmax(), np.array([1.0, 2.0]), raise_exception=False)
    assert report.kind == "nothing compared" and "no floating-point output" in str(report)
    report = check_rule(lambda x: (x * np.inf, x), lambda g, x: (g * np.inf,), Arr("n"))
    assert report.kind == "nothing compared"
    module = nn.Linear(2, 2)
    report = check_module(module, Arr("3 2"), loss=lambda out: out * float("inf"), examples=3, raise_exception=False)
    assert report.kind == "nothing compared", str(report)


@pytest.mark.parametrize(("result", "said"), [("text", "'text' (str)"), ([], "[] (list)"), (None, "NoneType")])
def test_a_function_without_tensors_is_an_error_that_says_so(result: Any, said: str) -> None:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda x: result, np.ones(3))
    assert f"returned {said}" in str(caught.value) and "suspected" not in str(caught.value)


def test_buffers_are_left_as_they_were() -> None:
    norm = nn.BatchNorm1d(3)
    before = norm.running_mean.detach().numpy().copy()
    gradcheck(norm, np.random.default_rng(0).standard_normal((5, 3)))
    assert norm.num_batches_tracked.item() == 0 and np.array_equal(norm.running_mean.detach().numpy(), before)
    assert norm.num_batches_tracked.item() == 0


def test_the_reproduction_holds_every_argument() -> None:
    fn, args = CASES["dict_of_tensors"](spoil)
    report = gradcheck(fn, *args, raise_exception=False)
    assert "{'w': np.array(" in report.reproduction
    fn, args = CASES["text_and_flags"](spoil)
    assert "'sum', True, None" in gradcheck(fn, *args, raise_exception=False).reproduction


@pytest.mark.parametrize("shift", [1e6, 1e8, 1e10, 1e12, 1e14, 1e16])
@pytest.mark.parametrize("seed", range(4))
def test_values_lost_in_rounding_are_undecided(shift: float, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(3)
    assert gradcheck(lambda x: (x + shift) - shift, x, seed=seed, raise_exception=False).ok
    pair = (lambda x: (np.round(x), None), lambda g, saved: (g,))  # a staircase in every precision
    assert not gradcheck(pair, x, seed=seed, raise_exception=False).ok


def test_a_slow_function_ends_its_explanation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinygrad_lite.testing.search.describe.SECONDS", 0.0)
    report = check_rule(lambda x: (np.tanh(x) * x, x), lambda g, x: (g * np.cos(x),), Arr("n k"))
    assert report.kind == "wrong value"
    assert any("explanation stopped after 0 s" in t for t in report.notes)
    monkeypatch.undo()
    again = check_rule(lambda x: (np.tanh(x) * x, x), lambda g, x: (g * np.cos(x),), Arr("n k"))
    assert not again.ok and not any("stopped" in t for t in again.notes)


def test_forward_mode_is_compared_with_backward() -> None:
    assert "forward mode agrees" in str(check_op(tl.tanh, forward=True, examples=5))
    assert check_op(lambda x, w: (x @ w).exp(), Arr("n k"), Arr("k m"), forward=True, examples=5).ok

    with pytest.raises(TypeError, match="forward=True"):
        check_op((lambda x: (x, x), lambda g, s: (g,)), Arr("n"), forward=True)


def test_wrt_contract_and_examples_of_check_op() -> None:
    def wrong_second(x: Any, w: Any) -> Any:
        w = w * 1
        if w.requires_grad:
            w.register_hook(lambda g: 2 * g)
        return x * w

    assert check_op(wrong_second, Arr("n"), Arr("n"), wrt=[0], order=1, examples=5).ok
    assert not check_op(wrong_second, Arr("n"), Arr("n"), wrt=[1], order=1, examples=5, raise_exception=False).ok
    assert not check_op(wrong_second, np.ones(3), np.ones(3), order=1, examples=5, raise_exception=False).ok
    writes = (lambda x: (2 * x, x), lambda g, x: (np.multiply(g, 2, out=g),))
    assert check_op(writes, Arr("n"), contract=False).ok
    assert not check_op(writes, Arr("n"), raise_exception=False).ok


def test_the_time_of_an_explanation_belongs_to_its_thread() -> None:
    CLOCK.start(0.0)
    try:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: gradcheck(tl.tanh, np.array([0.3, 0.5]))).result().ok
        with pytest.raises(OutOfTime):
            CLOCK.check()
    finally:
        CLOCK.start(None)


def test_inputs_that_are_wrong_together_share_their_explanation() -> None:
    module, args = CASES["module_with_a_dict"](spoil)
    calls = []
    module.register_forward_pre_hook(lambda m, x: calls.append(1))
    report = judged(module, args)
    assert "off by the factor 3/2" in str(report) and "_inputs" not in str(report)
    assert len(calls) < 20_000  # 50,000 when each of the five inputs tries everything alone


def test_a_check_leaves_the_seed_as_it_was() -> None:
    tl.manual_seed(7)
    first = tl.get_rng_state()
    assert check_module(nn.Dropout(0.5), Arr("3 2"), examples=3).ok
    assert tl.initial_seed() == 7 and tl.get_rng_state() == first
