"""Checks of compiled training steps, functions and modules."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.testing import Arr, Ints, check_module, check_op, check_step, gradcheck, programs, steps

LAYERS = nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Tanh(), nn.Dropout(0.3)


def make(scale=1.0, returned=lambda loss: loss, optimizer=tl.optim.Adam, layers=LAYERS):
    tl.manual_seed(0)
    model = nn.Sequential(*layers)
    update = optimizer(model.parameters(), lr=0.1)

    def train(x, y):
        update.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        (loss * scale).backward()
        update.step()
        return returned(loss)

    return train, model, update


SPECS = Arr("n 3", min=2), Ints("n", below=2)


def test_a_right_step_leaves_everything_as_it_was():
    train, model, update = make()
    train(tl.ones(3, 3), tl.tensor([0, 1, 1]))
    before = {k: v.array.copy() for k, v in model.state_dict().items()}
    step, grads = update.state[model[0].weight]["step"], model[0].weight.grad.array.copy()
    report = check_step(tl.compile(train), *SPECS, examples=3)
    assert report.ok and report.examples == 3 and "numbers of the step as written" in str(report), report
    for name, t in model.state_dict().items():
        assert t.dtype == before[name].dtype and np.array_equal(t.array, before[name]), name
    assert update.state[model[0].weight]["step"] == step and tl.get_default_dtype() == np.float32
    assert np.array_equal(model[0].weight.grad.array, grads)


def test_a_wrong_gradient_is_found_and_named():
    report = check_step(
        make(scale=2.0, layers=[nn.Linear(1, 2, bias=False)])[0],
        Arr("3 1"),
        Ints("3", below=2),
        examples=2,
        raise_exception=False,
    )
    assert report.kind == "wrong value" and "factor 2" in report.suspicion and "model.0." in str(report)
    # scaling on purpose
    assert check_step(make(scale=2.0)[0], *SPECS, examples=2, gradients=False).ok


@pytest.mark.parametrize("what", ["result", "gradient", "state"])
def test_a_program_that_differs_is_found(monkeypatch, what):
    train, model, _ = make(optimizer=tl.optim.SGD)
    whole = steps.compile

    def broken(function, **words):
        made = whole(function, **words)

        class Broken:
            source = "x"

            def __call__(self, *args):
                out = made(*args)
                weight = model[0].weight
                if what == "result":
                    return out + 1
                (weight.grad if what == "gradient" else model[1].running_mean).array[0] += 1
                return out

        return Broken()

    monkeypatch.setattr(steps, "compile", broken)
    report = check_step(train, *SPECS, examples=2, gradients=False, raise_exception=False)
    wanted = {"result": "another result", "gradient": "gradient of model.0.weight", "state": "buffers"}[what]
    assert report.kind == "program differs from the step" and wanted in report.detail, report


def test_what_cannot_be_a_program_is_checked_as_written():
    report = check_step(make(returned=lambda loss: loss.item())[0], *SPECS, examples=2)
    assert report.ok and "checked as written" in str(report) and "no gradient compared" in str(report)


def test_a_function_without_parameters_belongs_to_check_op():
    with pytest.raises(TypeError, match="check_op"):
        check_step(lambda x: x.sum(), Arr("n"))


def ran(report):
    return int(next(n for n in report.notes if n.endswith("ran as programs")).split()[0].replace(",", ""))


def test_the_programs_of_functions_and_modules_are_judged():
    f = tl.compile(lambda x, y: (x * y).tanh().sum(0))
    assert ran(gradcheck(f, np.ones((2, 3)), np.ones((2, 3)), order=2)) > 10
    assert ran(check_op(f, Arr("n k", min=1), Arr("n k", min=1), examples=2)) > 10
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    model[1].running_mean.array[:] = 0.5
    compiled = tl.compile(model)
    assert ran(gradcheck(compiled, np.arange(12.0).reshape(4, 3))) > 10
    report = check_module(compiled, Arr("n 3", min=2), examples=2, modes=("eval",))
    assert ran(report) > 10 and "check_module(Sequential)" in str(report)
    assert model[0].weight.dtype == np.float32 and model[1].running_mean.tolist() == [0.5, 0.5] and model.training


def test_a_wrong_program_is_found(monkeypatch):
    def wrong(function, backend):
        def call(*args):
            out = function(*args) * 1
            out.register_hook(lambda g: 2 * g)
            return out

        call.explain = lambda: "7 runs"
        return call

    monkeypatch.setattr(programs, "compile", wrong)
    report = gradcheck(tl.compile(lambda x: x.sin()), np.ones(3), raise_exception=False)
    assert not report.ok and "factor 2" in report.suspicion and ran(report) >= 7


def test_a_step_is_sent_to_check_step():
    train, *_ = make()
    for check in (gradcheck, check_op):
        with pytest.raises(TypeError, match="check_step"):
            check(tl.compile(train), np.ones((2, 3)), np.array([0, 1]))
