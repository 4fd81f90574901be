"""Calls that mean nothing, as a beginner makes them: one error that says which argument, and what it should be."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn, optim
from tinygrad_lite.data import ConcatDataset, DataLoader, Subset, TensorDataset, default_collate, random_split
from tinygrad_lite.engine.arguments import fits, words
from tinygrad_lite.engine.failure import unasked
from tinygrad_lite.engine.overriding import askers
from tinygrad_lite.errors import ShapeError
from tinygrad_lite.optim import lr_scheduler as schedules

F = nn.functional
x = tl.tensor(np.arange(12.0, dtype=np.float32).reshape(4, 3))
labels = tl.tensor([0, 1, 1, 0])
net = nn.Linear(3, 2)


def params() -> list[Any]:
    return [tl.ones(2, 2, requires_grad=True)]


def sgd() -> Any:
    return optim.SGD(params(), lr=0.1)


class Forgot(nn.Module):
    """A module whose author forgot super().__init__()."""

    def __init__(self) -> None:
        self.size = 3

    def forward(self, x: Any) -> Any:
        return x


Call = tuple[Callable[[], Any], type[Exception], str]

LAYERS: list[Call] = [
    (lambda: nn.Linear("a", 1), TypeError, "Linear: in_features must be an integer, got 'a'"),
    (lambda: nn.Linear(2.5, 1), ValueError, "Linear: in_features must be an integer, got 2.5"),
    (lambda: nn.Linear(3, None), TypeError, "Linear: out_features must be an integer, got None"),
    (lambda: nn.Linear(3, 2, bias="yes"), TypeError, "Linear: bias must be True or False, got 'yes'"),
    (lambda: nn.Conv2d(1, None, 3), TypeError, "Conv2d: out_channels must be an integer, got None"),
    (lambda: nn.Conv2d(1, 2, 3, groups="a"), TypeError, "Conv2d: groups must be an integer, got 'a'"),
    (lambda: nn.Conv2d(1, 2, 0), ValueError, "Conv2d: kernel_size must be at least 1, got (0, 0)"),
    (lambda: nn.Conv2d(1, 2, 3, stride=0), ValueError, "Conv2d: stride must be at least 1"),
    (lambda: nn.Conv2d(1, 2, 3, dilation=0), ValueError, "Conv2d: dilation must be at least 1"),
    (lambda: nn.MaxPool2d("a"), TypeError, "MaxPool2d: kernel_size must be an integer or a sequence, got 'a'"),
    (lambda: nn.AvgPool2d(2.5), TypeError, "AvgPool2d: kernel_size must be an integer or a sequence, got 2.5"),
    (lambda: nn.MaxPool2d(None), TypeError, "MaxPool2d: kernel_size must be"),
    (lambda: nn.AdaptiveAvgPool2d("a"), TypeError, "AdaptiveAvgPool2d: output_size must be"),
    (lambda: nn.BatchNorm1d("a"), TypeError, "BatchNorm1d: num_features must be an integer"),
    (lambda: nn.BatchNorm2d(3, momentum="a"), TypeError, "BatchNorm2d: momentum must be a number or None, got 'a'"),
    (lambda: nn.LayerNorm(2.5), TypeError, "LayerNorm: normalized_shape must be an integer or a sequence, got 2.5"),
    (lambda: nn.GroupNorm(0, 4), ValueError, "divisible by num_groups"),
    (lambda: nn.Dropout("a"), TypeError, "Dropout: p must be a number, got 'a'"),
    (lambda: nn.Embedding(3.0, 3), TypeError, "Embedding: num_embeddings must be an integer, got 3.0"),
    (lambda: nn.LSTM(2, None), TypeError, "LSTM: hidden_size must be an integer, got None"),
    (lambda: nn.MultiheadAttention(4, None), TypeError, "MultiheadAttention: num_heads must be an integer, got None"),
    (lambda: nn.LeakyReLU("a"), TypeError, "LeakyReLU: negative_slope must be a number, got 'a'"),
    (lambda: nn.ReLU(x), TypeError, "ReLU: inplace must be True or False, got (4, 3) float32; did you mean F.relu(x) "
     "or nn.ReLU()(x)?"),
    (lambda: nn.LeakyReLU(x), TypeError, "did you mean F.leaky_relu(x) or nn.LeakyReLU()(x)?"),
    (lambda: nn.Sigmoid(x), TypeError, "Sigmoid: takes no arguments, got (4, 3) float32 too; did you mean "
     "F.sigmoid(x) or nn.Sigmoid()(x)?"),
    (lambda: nn.Softmax(x), TypeError, "Softmax: dim must be an integer or None, got (4, 3) float32; did you mean"),
    (lambda: nn.Flatten(x), TypeError, "Flatten: start_dim must be an integer"),
    (lambda: nn.CrossEntropyLoss(x, labels), TypeError, "F.cross_entropy(x, y) or nn.CrossEntropyLoss()(x, y)?"),
    (lambda: nn.MSELoss(x, x), TypeError, "MSELoss: size_average must be True or False or None, got (4, 3)"),
    (lambda: nn.Sequential([net, net]), TypeError, "list is not a Module subclass; give the modules one by one"),
    (lambda: nn.Sequential(nn.Linear), TypeError, "Linear is a class, a layer is made by calling it: Linear(...)"),
    (lambda: nn.Sequential(F.relu), TypeError, "a function belongs into forward"),
    (lambda: nn.ModuleDict([net]), TypeError, "ModuleDict update sequence element #0 should be Iterable"),
    (lambda: nn.ModuleDict(3), TypeError, "ModuleDict: modules must be a mapping or"),
    (lambda: Forgot()(x), AttributeError, "Forgot.__init__() did not call super().__init__()"),
    (lambda: Forgot().train(), AttributeError, "Forgot.__init__() did not call super().__init__()"),
    (lambda: list(Forgot().parameters()), AttributeError, "Forgot.__init__() did not call super().__init__()"),
    (lambda: net.wieght, AttributeError, "'Linear' object has no attribute 'wieght'"),
    (lambda: net("a"), TypeError, "expected tensors, arrays or numbers, got 'a'"),
    (lambda: nn.init.zeros_(None), TypeError, "zeros_: tensor must be a Tensor, got None"),
    (lambda: nn.init.constant_(net, 0), TypeError, "constant_: tensor must be a Tensor, got Linear("),
    (lambda: nn.init.normal_(tl.ones(2), std=-1), ValueError, "normal_: std must not be negative"),
]  # fmt: skip

TRAINING: list[Call] = [
    (lambda: optim.Adam(params(), lr=None), TypeError, "Adam: lr must be a number"),
    (lambda: optim.Adam(params(), lr="x"), TypeError, "Adam: lr must be a number"),
    (lambda: optim.Adam(params(), lr=float("nan")), ValueError, "Invalid learning rate: nan"),
    (lambda: optim.Adam(params(), lr=[0.1]), TypeError, "Adam: lr must be a number"),
    (lambda: optim.Adam(params(), betas=0.9), TypeError, "Adam: betas must be a pair of numbers, got 0.9"),
    (lambda: optim.Adam(params(), betas=(0.9,)), TypeError, "Adam: betas must be a pair of numbers, got (0.9,)"),
    (lambda: optim.Adam(params(), betas=("a", 0.9)), TypeError, "Adam: betas must be a pair of numbers"),
    (lambda: optim.Adam(params(), eps=None), TypeError, "Adam: eps must be a number, got None"),
    (lambda: optim.SGD(params(), lr=0.1, momentum="a"), TypeError, "SGD: momentum must be a number, got 'a'"),
    (lambda: optim.LBFGS(params(), max_iter="a"), TypeError, "LBFGS: max_iter must be an integer, got 'a'"),
    (lambda: optim.SGD([{"params": params(), "lr": "a"}], lr=0.1), TypeError, "SGD: lr must be a number"),
    (lambda: optim.SGD([{"lr": 0.1}], lr=0.1), KeyError, "a parameter group needs 'params'"),
    (lambda: sgd().add_param_group({"params": 3}), TypeError, "must be tensors, got 3"),
    (lambda: sgd().load_state_dict({"a": 1}), ValueError, "with 'state' and 'param_groups', got ['a']"),
    (lambda: sgd().load_state_dict(net.state_dict()), ValueError, "got ['bias', 'weight']"),
    (lambda: sgd().load_state_dict(None), ValueError, "got None"),
    (lambda: schedules.StepLR(sgd(), "a"), TypeError, "StepLR: step_size must be an integer, got 'a'"),
    (lambda: schedules.StepLR(net, 2), TypeError, "StepLR: optimizer must be an Optimizer, got Linear("),
    (lambda: schedules.ExponentialLR(sgd(), None), TypeError, "ExponentialLR: gamma must be a number, got None"),
    (lambda: schedules.MultiStepLR(sgd(), 3), TypeError, "MultiStepLR: milestones must be an iterable, got 3"),
    (lambda: schedules.MultiStepLR(sgd(), "ab"), TypeError, "MultiStepLR: milestones must be an iterable, got 'ab'"),
    (lambda: schedules.LambdaLR(sgd(), 3), TypeError, "LambdaLR: lr_lambda must be a function or a list, got 3"),
    (lambda: schedules.CosineAnnealingLR(sgd(), 0), ValueError, "T_max must be at least 1, got 0"),
    (lambda: nn.utils.clip_grad_norm_(None, 1.0), TypeError, "clip_grad_norm_: parameters must be tensors, got None"),
    (lambda: nn.utils.clip_grad_norm_(net, 1.0), TypeError, "; use model.parameters()"),
    (lambda: nn.utils.clip_grad_norm_(net.parameters, 1.0), TypeError, "; use model.parameters()"),
    (lambda: nn.utils.clip_grad_norm_(["a"], 1.0), TypeError, "clip_grad_norm_: parameters must be tensors"),
    (lambda: nn.utils.clip_grad_norm_(params(), None), TypeError, "clip_grad_norm_: max_norm must be a number"),
    (lambda: nn.utils.clip_grad_norm_(params(), float("nan")), ValueError, "a number from 0 on, got nan"),
    (lambda: nn.utils.clip_grad_value_(params(), "a"), TypeError, "clip_grad_value_: clip_value must be a number"),
    (lambda: nn.utils.parameters_to_vector(None), TypeError, "parameters_to_vector: parameters must be tensors"),
]

DATA: list[Call] = [
    (lambda: DataLoader(None), TypeError, "DataLoader: dataset must have __getitem__ and __len__, or be an Iterable"),
    (lambda: DataLoader(3), TypeError, "DataLoader: dataset must have __getitem__"),
    (lambda: DataLoader(iter([1])), TypeError, "DataLoader: dataset must have __getitem__"),
    (lambda: DataLoader(x, batch_size="a"), ValueError, "DataLoader: batch_size must be an integer or None, got 'a'"),
    (lambda: DataLoader(x, labels), TypeError, "DataLoader: batch_size must be an integer or None, got (4,) int64"),
    (lambda: DataLoader(x, shuffle="yes"), TypeError, "DataLoader: shuffle must be True or False or None"),
    (lambda: DataLoader(x, collate_fn=3), TypeError, "DataLoader: collate_fn must be a function or None, got 3"),
    (lambda: DataLoader(x, num_workers="a"), TypeError, "DataLoader: num_workers must be an integer, got 'a'"),
    (lambda: DataLoader(x, sampler=3), TypeError, "DataLoader: sampler must be an iterable or None, got 3"),
    (lambda: TensorDataset(), ValueError, "TensorDataset: needs at least one tensor"),
    (lambda: Subset(x, 3), TypeError, "Subset: indices must be a sequence, got 3"),
    (lambda: ConcatDataset(3), TypeError, "ConcatDataset: datasets must be an iterable, got 3"),
    (lambda: random_split(x, 3), TypeError, "random_split: lengths must be a sequence, got 3"),
    (lambda: default_collate([1, "a"]), TypeError, "the first example is 1, but another is 'a'"),
]

FUNCTIONS: list[Call] = [
    (lambda: tl.cat(x, x), TypeError, "cat: takes a sequence of tensors: cat([a, b]), got (4, 3) float32"),
    (lambda: tl.stack(x, x), TypeError, "stack: takes a sequence of tensors: stack([a, b]), got (4, 3) float32"),
    (lambda: tl.hstack(x, x), TypeError, "hstack: takes a sequence of tensors: hstack([a, b])"),
    (lambda: tl.cat([x, x], "a"), TypeError, "cat: expected a whole number, got a str"),
    (lambda: x.sum("a"), TypeError, "sum: expected a whole number, got a str"),
    (lambda: x.unsqueeze("a"), TypeError, "unsqueeze: dim must be a whole number, got 'a'"),
    (lambda: tl.where(x > 0, x), TypeError, "where: give both input and other"),
    (lambda: F.cross_entropy(labels, x), TypeError, "did you mean cross_entropy(target, input)?"),
    (lambda: F.cross_entropy(x, labels.float()), TypeError, "class numbers must be integers, target is (4,) float32"),
    (lambda: F.one_hot(x), TypeError, "one_hot: class numbers must be integers, got (4, 3) float32; use .long()"),
    (lambda: F.one_hot(labels, 2.5), TypeError, "one_hot: num_classes must be an integer, got 2.5"),
    (lambda: F.one_hot(labels, "a"), TypeError, "one_hot: num_classes must be an integer, got 'a'"),
    (lambda: tl.arange("a"), TypeError, "arange: start must be a number or a Tensor, got 'a'"),
    (lambda: tl.arange(float("nan")), ValueError, "arange: start, end and step must be finite"),
    (lambda: tl.arange(0, float("inf")), ValueError, "arange: start, end and step must be finite"),
    (lambda: tl.linspace(0, 1, 2.5), TypeError, "linspace: steps must be an integer, got 2.5"),
    (lambda: tl.linspace("a", 1, 3), TypeError, "linspace: start must be a number or a Tensor, got 'a'"),
    (lambda: tl.eye(2.5), TypeError, "eye: n must be an integer, got 2.5"),
    (lambda: tl.randn(-1), ValueError, "sizes must not be negative, got (-1,)"),
    (lambda: tl.randint("a", (2,)), TypeError, "randint: low must be an integer, got 'a'"),
    (lambda: tl.randperm(2.5), TypeError, "randperm: n must be an integer, got 2.5"),
    (lambda: tl.normal("a", 1.0, (2,)), TypeError, "normal: mean must be a number or a Tensor, got 'a'"),
    (lambda: tl.multinomial(tl.ones(2), "a"), TypeError, "multinomial: num_samples must be an integer, got 'a'"),
    (lambda: tl.manual_seed("a"), TypeError, "manual_seed: seed must be an integer, got 'a'"),
    (lambda: tl.grad(None, x), TypeError, "grad: outputs must be a tensor or several, got None"),
    (lambda: setattr(tl.ones(2), "data", 3), TypeError, "data: expected a tensor, got 3"),
    (lambda: (tl.ones(2, requires_grad=True) * 2).backward(), RuntimeError, "shape (2,); reduce it first"),
    (lambda: tl.add(x), TypeError, "add() missing 1 required positional argument: 'other'"),
    (lambda: x.div(), TypeError, "div() missing 1 required positional argument: 'other'"),
    (lambda: tl.where(), TypeError, "where() missing 1 required positional argument"),
]

CALLS = [*LAYERS, *TRAINING, *DATA, *FUNCTIONS]


@pytest.mark.parametrize(("call", "kind", "text"), CALLS, ids=[text[:40] for _, _, text in CALLS])
def test_one_clear_error(call: Callable[[], Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=re.escape(text)):
        call()


def test_valid_forms_of_arguments_are_accepted():
    assert nn.Linear(np.int64(3), np.int8(2)).weight.shape == (2, 3)
    assert nn.Linear(3, 2, bias=None).bias is None and nn.Linear(3, 2, bias=np.bool_(True)).bias is not None
    assert nn.LayerNorm(x.shape[1:])(x).shape == nn.LayerNorm([3])(x).shape == (4, 3)
    assert nn.Dropout(Fraction(1, 4)).p == 0.25 and nn.Dropout(np.float32(0.5)).p == 0.5
    assert optim.Adam(params(), lr=tl.tensor(0.1), betas=[0.5, 0.9]).param_groups[0]["betas"] == (0.5, 0.9)
    assert len(optim.SGD([{"params": params(), "lr": 1, "name": "first"}], lr=0.1).param_groups) == 1
    assert len(list(DataLoader({0: 1.0, 1: 2.0}, batch_size=np.int64(2)))) == 1
    assert nn.Sequential(OrderedDict(a=net))[0] is net and len(nn.ModuleDict({"a": net})) == 1
    assert tl.arange(tl.tensor(3)).shape == (3,) and tl.linspace(np.float32(0), 1, np.int32(3)).shape == (3,)
    assert schedules.MultiStepLR(sgd(), np.array([1, 2])).milestones.keys() == {1, 2}
    assert len(Subset(x, np.array([0, 2]))) == len(Subset(x, tl.tensor([0, 2]))) == 2


def test_constructors_of_users_are_their_own():
    class Own(nn.Linear):
        def __init__(self, size: int) -> None:
            super().__init__(len(size), 1)

    assert Own("abc").in_features == 3
    with pytest.raises(TypeError, match="^Own: in_features must be an integer, got 'a'"):
        type("Own", (nn.Linear,), {})("a", 1)

    class Unknown(optim.SGD):
        def __init__(self, params: Any, size: Missing = 3) -> None:  # noqa: F821
            super().__init__(params, lr=0.1)

    assert Unknown(params()).param_groups[0]["lr"] == 0.1


def test_arguments_that_pytorch_accepts_are_accepted():
    assert list(nn.ModuleDict([("a", nn.ReLU())])) == list(nn.ModuleDict(nn.ModuleDict({"a": nn.ReLU()}))) == ["a"]
    assert optim.Adam(params(), betas=np.array([0.5, 0.75])).param_groups[0]["betas"] == (0.5, 0.75)
    assert optim.lr_scheduler.CosineAnnealingLR(sgd(), 10.5).T_max == 10.5


def test_groups_of_a_users_optimizer_are_its_own():
    class Mine(optim.Optimizer):
        def __init__(self, params: Any, lr: int = 1) -> None:
            super().__init__(params, {"lr": lr})

    assert Mine([{"params": params(), "lr": 0.5}]).param_groups[0]["lr"] == 0.5


def test_a_refused_group_changes_nothing():
    opt = sgd()
    with pytest.raises(TypeError):
        opt.add_param_group({"params": params(), "momentum": "a"})
    assert len(opt.param_groups) == 1


@pytest.mark.parametrize(
    ("hint", "good", "bad"),
    [
        (int, [1, True, np.int8(2), np.array(3)], [1.0, "1", None, np.array([1]), np.array(1.0)]),
        (float, [1, 2.5, np.float16(1), np.array([1.0])], ["1", None, [1.0], np.ones(2)]),
        (bool, [True, 0, None, np.bool_(True)], ["a", 1.0, np.ones(2), []]),
        (str | None, ["a", None], [1]),
        (list[float], [[1, 2.0], (1,)], [1.0, ["a"]]),
        (tuple[float, float], [(1, 2.0), [1, 2], np.ones(2)], [1.0, (1,), np.ones(3), "ab", np.ones((2, 2))]),
        (Callable[[int], int], [len, int], [3, None]),
        (Any, [3, None], []),
    ],
)
def test_inputs_that_fit(hint, good, bad):
    assert all(fits(hint, v) for v in good) and not any(fits(hint, v) for v in bad)
    assert isinstance(words(hint), str)


def test_a_list_that_contains_itself_is_looked_through_to_some_depth() -> None:
    endless: list[Any] = [1]
    endless.append(endless)
    assert askers((endless,)) == [] and not unasked((endless,))
    for call in (lambda: tl.tensor(endless), lambda: tl.ones(2) + endless, lambda: tl.tensor([tl.ones(()), endless])):
        with pytest.raises(ShapeError, match="more than 64 deep"):
            call()


@pytest.mark.parametrize("name", ["__iadd__", "__imul__", "__ipow__", "__iand__"])
def test_an_operator_without_its_operand_says_so(name: str) -> None:
    with pytest.raises(TypeError, match="missing .*required .*argument"):
        getattr(tl.ones(2), name)()
