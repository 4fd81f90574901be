"""Averages of weights, Adafactor, data parallelism and import paths of layers, against PyTorch."""

from __future__ import annotations

import importlib
import inspect
import math
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.optim import swa_utils as our_swa

torch = pytest.importorskip("torch")
swa = importlib.import_module("torch.optim.swa_utils")

LIBS = pytest.mark.parametrize("lib", [tl, torch], ids=["ours", "pytorch"])
RNG = np.random.default_rng(0)


def net(lib: Any) -> Any:
    return lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.Linear(4, 2))


AVERAGES: dict[str, Any] = {
    "plain": lambda room: {},
    "buffers": lambda room: {"use_buffers": True},
    "swa": lambda room: {"avg_fn": room.get_swa_avg_fn()},
    "swa lists": lambda room: {"multi_avg_fn": room.get_swa_multi_avg_fn()},
    "ema": lambda room: {"avg_fn": room.get_ema_avg_fn(0.8)},
    "ema lists": lambda room: {"multi_avg_fn": room.get_ema_multi_avg_fn(0.8), "use_buffers": True},
    "own": lambda room: {"avg_fn": lambda average, new, count: average + (new - average) / (count + 2)},
}


def state(theirs: Any) -> dict[str, Any]:
    return {k: tl.tensor(v.detach().numpy()) for k, v in theirs.state_dict().items()}


@pytest.mark.parametrize("how", AVERAGES)
def test_averaged_model(how: str) -> None:
    theirs, ours = net(torch), net(tl)
    ours.load_state_dict(state(theirs))
    pair = our_swa.AveragedModel(ours, **AVERAGES[how](our_swa)), swa.AveragedModel(theirs, **AVERAGES[how](swa))
    for _ in range(4):
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            change = RNG.normal(size=tuple(p.shape)).astype(np.float32)
            p.data.add_(tl.tensor(change))
            q.data.add_(torch.tensor(change))
        x = RNG.normal(size=(5, 3)).astype(np.float32)
        ours(tl.tensor(x)), theirs(torch.tensor(x))
        pair[0].update_parameters(ours)
        pair[1].update_parameters(theirs)
    a, b = pair[0].state_dict(), pair[1].state_dict()
    assert list(a) == list(b)
    for key in b:
        np.testing.assert_allclose(a[key].numpy(), b[key].numpy(), rtol=1e-4, atol=1e-5, err_msg=key)
    data = [RNG.normal(size=(5, 3)).astype(np.float32) for _ in range(3)]
    our_swa.update_bn([tl.tensor(x) for x in data], pair[0])
    swa.update_bn([[torch.tensor(x)] for x in data], pair[1])
    for (key, value), other in zip(pair[0].named_buffers(), pair[1].buffers(), strict=True):
        np.testing.assert_allclose(value.numpy(), other.numpy(), rtol=1e-4, atol=1e-5, err_msg=key[0])
    assert pair[0].module[1].momentum == 0.1
    y, z = pair[0].eval()(tl.tensor(data[0])), pair[1].eval()(torch.tensor(data[0]))
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("words", [
    {"swa_lr": 0.05}, {"swa_lr": 0.05, "anneal_epochs": 3, "anneal_strategy": "linear"},
    {"swa_lr": [0.2, 0.3], "anneal_epochs": 0}, {"swa_lr": [0.2, 0.3], "anneal_epochs": 4},
])  # fmt: skip
def test_swalr(words: dict[str, Any]) -> None:
    def rates(lib: Any, room: Any) -> list[Any]:
        p, q = lib.nn.Parameter(lib.ones(1)), lib.nn.Parameter(lib.ones(1))
        optimizer = lib.optim.SGD([{"params": [p], "lr": 1.0}, {"params": [q], "lr": 0.5}], lr=1.0)
        schedule, out = room.SWALR(optimizer, **words), []
        for i in range(7):
            optimizer.step()
            schedule.step()
            out.append(schedule.get_last_lr())
            if i == 2:
                saved = schedule.state_dict()
                schedule = room.SWALR(optimizer, **{**words, "anneal_epochs": 9})
                schedule.load_state_dict(saved)
        return out

    np.testing.assert_allclose(rates(tl, our_swa), rates(torch, swa), rtol=1e-6)


@pytest.mark.parametrize("room", [our_swa, swa], ids=["ours", "pytorch"])
def test_errors_of_averages(room: Any) -> None:
    lib = tl if room is our_swa else torch
    optimizer = lib.optim.SGD([lib.nn.Parameter(lib.ones(1))], lr=1.0)
    with pytest.raises(ValueError, match="anneal_strategy must be"):
        room.SWALR(optimizer, 0.1, anneal_strategy="other")
    with pytest.raises(ValueError, match="anneal_epochs must be"):
        room.SWALR(optimizer, 0.1, anneal_epochs=-1)
    with pytest.raises(ValueError, match="Invalid decay"):
        room.get_ema_avg_fn(1.5)
    with pytest.raises(AssertionError, match="Only one of"):
        room.AveragedModel(net(lib), avg_fn=room.get_swa_avg_fn(), multi_avg_fn=room.get_swa_multi_avg_fn())
    assert not hasattr(room, "nothing")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("words", [
    {}, {"lr": 0.5}, {"maximize": True, "weight_decay": 0.1}, {"eps": (1e-3, 0.1), "d": 2.0, "beta2_decay": -0.5},
])  # fmt: skip
def test_adafactor(words: dict[str, Any], dtype: str) -> None:
    shapes, grads = [(4, 3), (5,), (2, 3, 4), ()], []
    for _ in range(12):
        grads.append([RNG.normal(size=s).astype(dtype) for s in shapes])
    start = [RNG.normal(size=s).astype(dtype) for s in shapes]

    def trained(lib: Any) -> tuple[list[Any], Any]:
        parameters = [lib.nn.Parameter(lib.tensor(a)) for a in start]
        optimizer = lib.optim.Adafactor(parameters, **words)
        for i, each in enumerate(grads):
            for p, g in zip(parameters, each, strict=True):
                p.grad = lib.tensor(g)
            optimizer.step()
            if i == 5:
                saved = optimizer.state_dict()
                optimizer = lib.optim.Adafactor(parameters, lr=9.0)
                optimizer.load_state_dict(saved)
        return parameters, optimizer.state_dict()

    (ours, our_state), (theirs, their_state) = trained(tl), trained(torch)
    tolerance = 1e-9 if dtype == "float64" else 2e-5
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=tolerance, atol=tolerance)
    for number, each in their_state["state"].items():
        assert set(each) == set(our_state["state"][number])
        for key, value in each.items():
            np.testing.assert_allclose(our_state["state"][number][key].numpy(), value.numpy(), rtol=10 * tolerance)


@LIBS
@pytest.mark.parametrize(("words", "message"), [
    ({"lr": -1.0}, "Learning rate should be"), ({"beta2_decay": 1.0}, "beta2_decay should be"),
    ({"d": 0.5}, "Clipping threshold"), ({"eps": (-1.0, 0.1)}, "epsilon1"), ({"weight_decay": -1.0}, "weight_decay"),
])  # fmt: skip
def test_errors_of_adafactor(lib: Any, words: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lib.optim.Adafactor([lib.nn.Parameter(lib.ones(1))], **words)


def test_an_absent_name_explains_what_to_do() -> None:
    p = tl.nn.Parameter(tl.ones(1))
    for call, message in (
        (lambda: tl.optim.SparseAdam([p]), "use optim.Adam"),
        (lambda: tl.optim.Muon([p]), "use optim.AdamW"),
        (lambda: tl.optim.SGD([p], lr=0.1, differentiable=True), "not recorded"),
    ):
        with pytest.raises(NotImplementedError, match=message):
            call()


@LIBS
def test_data_parallel(lib: Any) -> None:
    layer = lib.nn.Linear(2, 3)
    whole = lib.nn.DataParallel(layer, device_ids=None)
    assert list(whole.state_dict()) == ["module.weight", "module.bias"] and whole.module is layer
    x = lib.ones(4, 2)
    assert (whole(x) == layer(x)).all() and (whole(input=x) == layer(x)).all()
    if lib is tl:  # PyTorch's function needs a GPU
        assert (lib.nn.parallel.data_parallel(layer, x) == layer(x)).all()


@LIBS
def test_sync_batchnorm_is_made_of_a_model(lib: Any) -> None:
    model = net(lib)
    weight = model[1].weight
    made = lib.nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert type(made[1]) is lib.nn.SyncBatchNorm and made[1].weight is weight and len(list(made.state_dict())) == 9


def test_adaptive_softmax() -> None:
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(16, 12, [3, 7], div_value=2.0)
    ours = tl.nn.AdaptiveLogSoftmaxWithLoss(16, 12, [3, 7], div_value=2.0)
    ours.load_state_dict(state(theirs))
    x = RNG.normal(size=(40, 16)).astype(np.float32) * 4
    a, b = tl.tensor(x), torch.tensor(x)
    np.testing.assert_allclose(ours.log_prob(a).detach().numpy(), theirs.log_prob(b).detach().numpy(), atol=1e-4)
    assert ours.predict(a).tolist() == theirs.predict(b).tolist()
    np.testing.assert_allclose(np.exp(ours.log_prob(a).detach().numpy()).sum(1), 1, rtol=1e-5)
    one, other = ours(a[0], tl.tensor(8)), theirs(b[0], torch.tensor(8))
    assert one.output.shape == () and abs(one.loss.item() - other.loss.item()) < 1e-4


@LIBS
def test_errors_of_the_adaptive_softmax(lib: Any) -> None:
    make = lib.nn.AdaptiveLogSoftmaxWithLoss
    for cutoffs in ([], [3, 2], [0, 2], [2, 2], [5, 12], [2.5]):
        with pytest.raises(ValueError, match="cutoffs should be"):
            make(16, 12, cutoffs)
    layer = make(16, 12, [3])
    with pytest.raises(RuntimeError, match="Target values should be in"):
        layer(lib.ones(2, 16), lib.tensor([1, 12]))
    with pytest.raises((RuntimeError, ValueError), match="same size in the batch dimension"):
        layer(lib.ones(2, 16), lib.tensor([1]))
    with pytest.raises((RuntimeError, ValueError), match="multi-target"):
        layer(lib.ones(2, 16), lib.tensor([[1, 2], [1, 2]]))


def test_import_paths_of_layers() -> None:
    rooms = {n: m for n, m in vars(torch.nn.modules).items() if inspect.ismodule(m) and not n.startswith("_")}
    layers = 0
    for name, room in rooms.items():
        for layer in getattr(room, "__all__", ()):
            known = getattr(tl.nn, layer, None)
            if isinstance(known, type):
                layers += 1
                assert getattr(importlib.import_module(f"tinygrad_lite.nn.modules.{name}"), layer) is known
    assert layers > 140
    from tinygrad_lite.nn.modules.batchnorm import _BatchNorm
    from tinygrad_lite.nn.modules.conv import _ConvNd
    from tinygrad_lite.nn.modules.loss import _Loss
    from tinygrad_lite.nn.modules.utils import _pair

    assert isinstance(tl.nn.Conv2d(1, 1, 1), _ConvNd) and isinstance(tl.nn.BatchNorm2d(1), _BatchNorm)
    assert isinstance(tl.nn.NLLLoss(), _Loss) and _pair(3) == (3, 3) == _pair([3, 3])

    class Own(_Loss):
        def __init__(self, scale: float) -> None:
            super().__init__(reduction="sum")
            self.scale = scale

        def forward(self, x: Any) -> Any:
            return x.sum() * self.scale

    assert Own(2.0)(tl.ones(3)) == 6 and Own(2.0).reduction == "sum"


@LIBS
def test_functions_by_their_other_names(lib: Any) -> None:
    F = lib.nn.functional
    x = lib.tensor(np.arange(24.0, dtype=np.float32).reshape(1, 2, 3, 4))
    value, place = F.max_pool2d_with_indices(x, 2)
    assert value.tolist() == [[[[5, 7]], [[17, 19]]]] and place.tolist() == [[[[5, 7]], [[5, 7]]]]
    value, place = F.adaptive_max_pool2d_with_indices(x, 1)
    assert value.flatten().tolist() == [11, 23] and place.flatten().tolist() == [11, 11]
    assert F.native_channel_shuffle(x, 2).shape == x.shape
    y = F.conv_tbc(lib.ones(5, 2, 3), lib.ones(2, 3, 4), lib.zeros(4), 1)
    assert tuple(y.shape) == (6, 2, 4) and y[0, 0].tolist() == [3] * 4 and y[1, 0].tolist() == [6] * 4
    z = lib.tensor([-1.0, 2.0])
    assert F.rrelu_(z, 0.5, 0.5) is z and z.tolist() == [-0.5, 2]


@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("kind", ["padding", "mask", "numbers"])
def test_attention_that_may_look_at_nothing(weights: bool, kind: str) -> None:
    x = RNG.normal(size=(3, 2, 4)).astype(np.float32)
    theirs, ours = torch.nn.MultiheadAttention(4, 2), tl.nn.MultiheadAttention(4, 2)
    ours.load_state_dict(state(theirs))

    def called(lib: Any, layer: Any) -> list[Any]:
        mask = np.array([[True] * 3, [False, True, False], [False] * 3])
        words = {
            "padding": {"key_padding_mask": lib.tensor(mask[[0, 1]])},
            "mask": {"attn_mask": lib.tensor(mask)},
            "numbers": {"attn_mask": lib.tensor(np.where(mask, -math.inf, 0.0).astype(np.float32))},
        }[kind]
        y, w = layer(*[lib.tensor(x)] * 3, need_weights=weights, **words)
        return [t.detach().numpy() for t in (y, w) if t is not None]

    for a, b in zip(called(tl, ours), called(torch, theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
        assert np.isnan(b).any() == weights
