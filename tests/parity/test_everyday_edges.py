"""Small things that whole programs met: options of a group, limits, types of containers, counts as distances."""

from __future__ import annotations

import io
import math
from collections import OrderedDict
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
BOTH = (torch, tl)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam", "RAdam", "Rprop"])
def test_groups_have_pytorchs_options_in_its_order(name: str) -> None:
    theirs, ours = (getattr(T.optim, name)([T.nn.Parameter(T.ones(1))]) for T in BOTH)
    assert list(ours.param_groups[0].items())[1:] == list(theirs.param_groups[0].items())[1:]
    assert list(ours.defaults) == list(theirs.defaults)


def test_a_group_has_the_l1_penalty_where_it_is_used() -> None:
    p, q = (tl.nn.Parameter(tl.ones(1)) for _ in range(2))
    optimiser = tl.optim.Adam([{"params": p, "l1": 0.5}, {"params": q}])
    assert [group.get("l1") for group in optimiser.param_groups] == [0.5, None]
    with pytest.raises(ValueError, match="l1"):
        tl.optim.Adam([{"params": q, "l1": -1.0}])
    with pytest.raises(TypeError, match="l1"):
        tl.optim.SGD([{"params": q, "l1": "much"}])


def test_plateau_keeps_what_pytorchs_does() -> None:
    for least in (0.1, [0.1]):
        kept = []
        for T in BOTH:
            o = T.optim.SGD([T.nn.Parameter(T.ones(1))], lr=1.0)
            kept.append(T.optim.lr_scheduler.ReduceLROnPlateau(o, min_lr=least).state_dict())
        assert kept[0].keys() == kept[1].keys() and kept[0]["default_min_lr"] == kept[1]["default_min_lr"]


def test_printed_limits_and_parameters() -> None:
    for name in ("uint8", "int16", "int32", "int64"):
        theirs, ours = (T.iinfo(getattr(T, name)) for T in BOTH)
        assert (repr(ours), str(ours), ours.bits) == (repr(theirs), str(theirs), theirs.bits)
    for entries in ({"a": (2, 3)}, {"a": (2, 3), "b": (1,)}):
        shown = [repr(T.nn.ParameterDict({k: T.ones(*size).double() for k, size in entries.items()})) for T in BOTH]
        assert shown[0] == shown[1]


def test_pythons_functions_of_a_tensor() -> None:
    for number in (2.5, -2.5, 3):
        theirs, ours = ([f(T.tensor(number)) for f in (math.floor, math.ceil)] for T in BOTH)
        assert ours == theirs and all(type(n) is int for n in ours)
    for values in ([[1, 2], [3, 4]], 5):
        turned: list[Any] = [reversed(T.tensor(values)) for T in BOTH]
        assert turned[0].tolist() == turned[1].tolist()


@pytest.mark.parametrize("name", ["cdist", "pdist"])
def test_a_count_as_distance_has_a_zero_gradient(name: str) -> None:
    rows = np.array([[1.0, 2.0, 0.0], [1.0, 0.0, -1.0], [0.0, 2.0, 0.0]])
    found = []
    for T in BOTH:
        x = T.tensor(rows, requires_grad=True)
        y = T.cdist(x, T.tensor(rows), p=0) if name == "cdist" else T.nn.functional.pdist(x, 0)
        y.sum().backward()
        found.append((y.tolist(), x.grad.tolist()))
    assert found[0] == found[1]


def test_same_padding_has_no_stride() -> None:
    for T in BOTH:
        F = T.nn.functional
        for n in (1, 2, 3):
            x, w = T.ones(1, 1, *(4,) * n), T.ones(1, 1, *(3,) * n)
            for stride in (2, (1,) * (n - 1) + (2,)):
                with pytest.raises(RuntimeError, match="strided"):
                    getattr(F, f"conv{n}d")(x, w, padding="same", stride=stride)
            assert getattr(F, f"conv{n}d")(x, w, padding="same", stride=1).shape == x.shape


def reread(T: Any, value: Any) -> Any:
    file = io.BytesIO()
    T.save(value, file)
    file.seek(0)
    return T.load(file)


def test_saved_containers_dtypes_and_devices_come_back() -> None:
    for T in BOTH:
        model = T.nn.Linear(1, 1)
        saved = reread(T, {"model": model.state_dict(), "dtype": T.float32, "device": T.device("cpu"), "plain": {}})
        assert type(saved["model"]) is OrderedDict and type(saved["plain"]) is dict
        assert saved["dtype"] is T.float32 and saved["device"] == T.device("cpu")
    assert reread(tl, np.dtype("int8")) is np.dtype("int8")
    assert list(reread(tl, OrderedDict([(2, "b"), ("$", 1)]))) == [2, "$"]


def test_rooms_of_programs() -> None:
    for T in BOTH:
        inner = import_module(f"{T.__name__}.utils.data._utils.collate")
        assert inner.default_collate([1, 2]).tolist() == [1, 2] and inner is T.utils.data._utils.collate
        assert T.autograd.profiler.profile is not None


def test_random_numbers_of_a_mapped_function() -> None:
    x = np.arange(6.0).reshape(3, 2)
    for T in BOTH:
        for f in (lambda x, T=T: T.randn(2), lambda x, T=T: T.nn.functional.dropout(x * 0 + 1, 0.5), lambda x: x):
            different, same = (T.func.vmap(f, randomness=how)(T.tensor(x)) for how in ("different", "same"))
            assert different.shape == same.shape == (3, 2)
        draws = [T.func.vmap(lambda x, T=T: T.rand(20), randomness=how)(T.tensor(x)) for how in ("different", "same")]
        assert not bool((draws[0][0] == draws[0][1]).any()) and bool((draws[1] == draws[1][:1]).all())
        chunks = T.func.vmap(lambda x, T=T: T.rand(2), randomness="same", chunk_size=2)(T.tensor(x))
        assert bool((chunks == chunks[:1]).all())
        with pytest.raises(RuntimeError, match="random"):
            T.func.vmap(lambda x, T=T: T.rand(2))(T.tensor(x))
        with pytest.raises(RuntimeError, match="randomness"):
            T.func.vmap(lambda x: x, randomness="much")(T.tensor(x))
    state = tl.get_rng_state()
    for branch in (lambda x: tl.rand(2), lambda x: tl.rand(2) if x.sum() > 0 else x):
        with pytest.raises(RuntimeError, match="random"):
            tl.func.vmap(branch)(tl.tensor(x + 1))
        assert tl.get_rng_state() == state
    with pytest.raises(ValueError, match="must return tensors"):
        tl.func.vmap(lambda x: 1 if x.sum() > 0 else 0)(tl.tensor(x))
