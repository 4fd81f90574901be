"""The first number that is not finite: where, in which module, from which line."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.autograd import detect_anomaly, is_anomaly_enabled, set_detect_anomaly


class Layer(nn.Module):
    def __init__(self, i: int, bad: str) -> None:
        super().__init__()
        self.linear, self.bad = nn.Linear(3, 3), bad if i == 7 else ""

    def forward(self, x: Any) -> Any:
        x = self.linear(x)
        if self.bad == "forward":
            x = tl.log(x - 100.0)
        if self.bad == "backward":
            x = (x * 0).sqrt()
        return x.tanh()


def network(bad: str) -> nn.Module:
    return nn.Sequential(*[Layer(i, bad) for i in range(20)])


def line_with(text: str) -> int:
    lines, start = inspect.getsourcelines(Layer)
    return start + next(i for i, line in enumerate(lines) if text in line)


def test_forward_in_code_of_20_layers() -> None:
    with pytest.raises(RuntimeError) as caught, detect_anomaly():
        network("forward")(tl.ones(2, 3))
    text = str(caught.value)
    assert re.search(r"log: the result is nan at \(0, 0\) of \(2, 3\), where it was given input = -\d+", text)
    assert "7 (Layer)" in text
    assert f"{__file__}:{line_with('tl.log')}: x = tl.log(x - 100.0)" in text


def test_backward_in_code_of_20_layers() -> None:
    net = network("backward")
    with pytest.raises(RuntimeError) as caught, detect_anomaly():
        net(tl.ones(2, 3)).sum().backward()
    text = str(caught.value)
    assert re.search(
        r"backward of sqrt: the gradient of 'input' is -?inf at \(0, 0\) of \(2, 3\), where .*y = -?0", text
    )
    assert "7 (Layer)" in text and f"{__file__}:{line_with('.sqrt()')}" in text
    assert all(p.grad is None for p in net.parameters())


def test_the_index_is_that_of_the_first() -> None:
    x = tl.tensor([[1.0, 2.0], [3.0, 0.0]])
    with (
        pytest.raises(RuntimeError, match=r"div: the result is inf at \(1, 1\) of \(2, 2\).*other = 0"),
        detect_anomaly(),
    ):
        1 / x


def test_arguments_that_were_given_are_not_reported_missing() -> None:
    mask = tl.tensor([[True, False], [True, True]])
    x = tl.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    with detect_anomaly():
        scores = tl.where(mask, x, -np.inf)  # -inf on purpose
        scores.softmax(-1).sum().backward()
        nan = tl.tensor([np.nan])
        nan + 1
    with pytest.raises(RuntimeError, match="sub: the result is nan"), detect_anomaly():
        scores - scores


def test_the_untaken_branch_is_no_anomaly() -> None:
    x = tl.tensor([0.0, 4.0], requires_grad=True)
    with detect_anomaly():
        tl.where(x > 0, x.sqrt(), 0.0).sum().backward(create_graph=True)
    assert x.grad.tolist() == [0.0, 0.25]


def test_compositions_and_in_place_forms_name_the_user_s_line() -> None:
    x = tl.tensor([4.0, -1.0], requires_grad=True)
    y = x * 1
    with pytest.raises(RuntimeError, match=rf"{re.escape(__file__)}:\d+: y.log_\(\)"), detect_anomaly():
        y.log_()


def test_switching() -> None:
    assert not is_anomaly_enabled()
    with detect_anomaly():
        assert is_anomaly_enabled()
        with set_detect_anomaly(False):
            assert not is_anomaly_enabled()
        assert is_anomaly_enabled()
    assert not is_anomaly_enabled()
    set_detect_anomaly(True)
    try:
        with pytest.raises(RuntimeError, match="nan"), np.errstate(invalid="ignore"):
            tl.tensor(-1.0).log()
    finally:
        set_detect_anomaly(False)
    assert not is_anomaly_enabled()
    with np.errstate(invalid="ignore"), detect_anomaly(check_nan=False):
        tl.tensor(-1.0).log()

    @detect_anomaly()
    def bad() -> Any:
        return tl.tensor(-1.0).log()

    with pytest.raises(RuntimeError, match="nan"):
        bad()
