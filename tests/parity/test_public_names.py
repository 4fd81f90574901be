"""Rooms and names that scripts use now and then, against PyTorch's; what is absent says what to do."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine.absent import ROOMS
from tinygrad_lite.ops.placement import ABSENT_METHODS

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(0)
# names that modules of PyTorch's happen to have: their imports, and what C++ keeps there
IMPORTED = {"torch", "warnings", "Any", "Tensor", "Optional", "TypeVar", "math", "sys", "os", "ABC", "abstractmethod"}


def same(ours: Any, theirs: Any) -> None:
    mine, real = (list(v) if isinstance(v, (tuple, list)) else [v] for v in (ours, theirs))
    for a, b in zip(mine, real, strict=True):
        x, y = (np.asarray(t.detach().numpy()) for t in (a, b))
        assert x.dtype == y.dtype and x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-9)


# ------------------------------------------------------------------------------------------------ rooms
@pytest.mark.parametrize("name", [n for n in torch.signal.windows.__all__ if n != "kaiser"] + ["kaiser"])
def test_windows(name: str) -> None:
    for n in (0, 1, 2, 5, 6):
        for sym in (True, False):
            words = {"a": [0.3, 0.5, 0.2]} if name == "general_cosine" else {}
            same(*(getattr(T.signal.windows, name)(n, sym=sym, dtype=T.float64, **words) for T in (tl, torch)))


def test_frequencies() -> None:
    for n in range(1, 6):
        same(*([T.fft.fftfreq(n, 0.5), T.fft.rfftfreq(n, dtype=T.float64)] for T in (tl, torch)))
        for dim in (None, 0, (1, 0), -1):
            x = RNG.random((n, 3))
            same(*([f(T.tensor(x), dim) for f in (T.fft.fftshift, T.fft.ifftshift)] for T in (tl, torch)))


def test_futures() -> None:
    for T in (tl, torch):
        f, seen = T.futures.Future(), []
        g = f.then(lambda done: done.value() + 1)
        f.add_done_callback(lambda done, seen=seen: seen.append(done.wait()))
        both = T.futures.collect_all([f, g])
        assert not f.done() and not both.done()
        f.set_result(2)
        assert g.wait() == 3 and seen == [2] and [v.wait() for v in both.wait()] == [2, 3]
        assert T.futures.wait_all([f, g]) == [2, 3]
        with pytest.raises(RuntimeError):
            f.set_result(4)
        wrong = T.futures.Future()
        wrong.set_exception(ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            wrong.wait()
    assert tl.jit.wait(tl.jit.fork(lambda a: a + 1, 2)) == 3 and tl.futures.wait_all([]) == []


def test_a_group_of_one_process() -> None:
    dist = tl.distributed
    assert dist.is_available() and not dist.is_initialized()
    with pytest.raises(ValueError, match="has not been initialized"):
        dist.get_rank()
    with pytest.raises(NotImplementedError, match="mpiexec -n 2"):
        dist.init_process_group("gloo", rank=0, world_size=2)
    dist.init_process_group("gloo", rank=0, world_size=1)
    try:
        x, other = tl.tensor([1.0, 2.0]), [tl.zeros(2)]
        dist.all_reduce(x, op=dist.ReduceOp.SUM)
        dist.all_gather(other, x)
        assert (dist.get_rank(), dist.get_world_size(), x.tolist(), other[0].tolist()) == (0, 1, [1, 2], [1, 2])
        net = tl.nn.parallel.DistributedDataParallel(tl.nn.Linear(2, 1))
        with net.no_sync():
            net(x).sum().backward()
        assert net.module.weight.grad.tolist() == [[1, 2]] and "module.weight" in net.state_dict()
        with pytest.raises(ValueError, match="twice"):
            dist.init_process_group("gloo")
    finally:
        dist.destroy_process_group()
    assert not dist.is_initialized()


def test_trees() -> None:
    tree = {"a": 1, "b": [2, (3,)]}
    for T in ("torch", "tinygrad_lite"):
        room = import_module(f"{T}.utils._pytree")
        leaves, spec = room.tree_flatten(tree)
        assert leaves == room.tree_leaves(tree) == [1, 2, 3] and spec.num_leaves == 3
        assert room.tree_unflatten([4, 5, 6], spec) == {"a": 4, "b": [5, (6,)]}
        assert room.tree_map(lambda x, y: x + y, tree, tree) == {"a": 2, "b": [4, (6,)]}
        assert room.tree_map_only(int, str, [1, "a"]) == ["1", "a"]
        assert room.tree_any(lambda x: x > 2, tree) and not room.tree_all(lambda x: x > 2, tree)


def test_forward_mode() -> None:
    x, t, w = RNG.random((3, 2)), RNG.random((3, 2)), RNG.random((2, 2))

    def tangents(T: Any) -> Any:
        warnings.simplefilter("ignore")
        ad = T.autograd.forward_ad if T is tl else import_module("torch.autograd.forward_ad")
        tangent, weight = T.tensor(t), T.tensor(w, requires_grad=True)
        with ad.dual_level():
            a, b = ad.make_dual(T.tensor(x), tangent), ad.make_dual(weight, T.tensor(w[::-1].copy()))
            assert ad.unpack_dual(a).tangent is tangent or T is torch
            assert ad.unpack_dual(T.tensor(x)).tangent is None
            out = [ad.unpack_dual(f).tangent for f in (a.sin() @ b, (a * a).sum(), a * 2, b.exp())]
        with pytest.raises(RuntimeError):
            ad.make_dual(T.tensor(x), tangent)
        return out

    with warnings.catch_warnings():
        same(tangents(tl), tangents(torch))


# ------------------------------------------------------------------------------------------------ functions and layers
@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fractional_pooling(n: int, dtype: str) -> None:
    x, u = RNG.random((2, 3, 9, 7, 8)[: n + 2]).astype(dtype), RNG.random((2, 3, n)).astype(dtype)

    def outcome(T: Any) -> Any:
        out = []
        for words in ({"output_size": 3}, {"output_size": (1, 2, 4)[:n]}, {"output_ratio": (0.5, 0.7, 0.4)[:n]}):
            t = T.tensor(x, requires_grad=True)
            layer = getattr(T.nn, f"FractionalMaxPool{n}d")(
                2, **words, return_indices=True, _random_samples=T.tensor(u)
            )
            y, index = layer(t)
            (y * y).sum().backward()
            out += [y, index, t.grad]
        return out

    same(outcome(tl), outcome(torch))
    drawn = getattr(tl.nn.functional, f"fractional_max_pool{n}d")(tl.tensor(x), 2, 3)
    assert drawn.shape == (2, 3, *(3,) * n)
    for T in (tl, torch):
        with pytest.raises((ValueError, RuntimeError)):
            getattr(T.nn, f"FractionalMaxPool{n}d")(2)
        with pytest.raises((ValueError, RuntimeError)):
            getattr(T.nn.functional, f"fractional_max_pool{n}d")(T.tensor(x), 2, 9)


def test_cells() -> None:
    x, h, c = (RNG.random((4, 3)) for _ in range(3))

    def outcome(T: Any) -> Any:
        out = []
        for name, gates in (("lstm_cell", 4), ("gru_cell", 3), ("rnn_tanh_cell", 1), ("rnn_relu_cell", 1)):
            rng = np.random.default_rng(1)
            ws = [T.tensor(rng.normal(size=s)) for s in ((3 * gates, 3), (3 * gates, 3), (3 * gates,), (3 * gates,))]
            state = T.tensor(h)
            y = getattr(T, name)(T.tensor(x), (state, T.tensor(c)) if gates == 4 else state, *ws)
            out += list(y) if isinstance(y, tuple) else [y]
        return out

    same(outcome(tl), outcome(torch))


@pytest.mark.parametrize("apart", [False, True])
def test_attention_as_a_function(apart: bool) -> None:
    q, k = RNG.random((3, 2, 4)), RNG.random((5, 2, 4))
    ws = [RNG.normal(size=s) for s in ((12, 4), (12,), (4, 4), (4,), (4, 4), (4, 4), (4, 4))]

    def outcome(T: Any) -> Any:
        w, b, out, bias, *own = map(T.tensor, ws)
        words = dict(zip(("q_proj_weight", "k_proj_weight", "v_proj_weight"), own, strict=True)) if apart else {}
        return T.nn.functional.multi_head_attention_forward(
            T.tensor(q), T.tensor(k), T.tensor(k), 4, 2, None if apart else w, b, None, None, True, 0.0, out, bias,
            training=False, use_separate_proj_weight=apart, **words,
        )  # fmt: skip

    same(outcome(tl), outcome(torch))


def test_low_rank() -> None:
    a = RNG.random((7, 3)) @ RNG.random((3, 5))
    for name in ("svd_lowrank", "pca_lowrank"):
        (u, s, v), (_, s2, v2) = (getattr(T, name)(T.tensor(a), 3) for T in (tl, torch))
        np.testing.assert_allclose(s.numpy(), s2.numpy(), rtol=1e-8, atol=1e-10)
        kept = s.numpy() > 1e-8
        np.testing.assert_allclose(np.abs(v.numpy()[:, kept]), np.abs(v2.numpy()[:, kept]), atol=1e-7)
        shift = a.mean(0) if name == "pca_lowrank" else 0
        np.testing.assert_allclose((u * s @ v.mT).numpy(), a - shift, atol=1e-9)


def test_casts_take_a_memory_format() -> None:
    x = RNG.random((2, 3, 4, 5)).astype("float32")
    for name in ("double", "float", "half", "long", "int", "short", "char", "byte", "bool"):
        for memory in ("channels_last", "contiguous_format", "preserve_format"):
            a, b = (getattr(T.tensor(x), name)(memory_format=getattr(T, memory)) for T in (tl, torch))
            assert a.stride() == b.stride()
            same(a, b)


# ------------------------------------------------------------------------------------------------ what is absent
def test_tensors_have_every_method_of_pytorchs() -> None:
    missing = {n for n in dir(torch.Tensor) if not n.startswith("_") and not hasattr(tl.Tensor, n)}
    assert missing == {"values", "indices", "index", "grad_dtype"} < ABSENT_METHODS.keys()
    assert all(hasattr(torch.Tensor, n) or n in ("eig", "symeig", "solve", "lstsq") for n in ABSENT_METHODS)


@pytest.mark.parametrize("name", ROOMS)
def test_an_absent_room_can_be_imported(name: str) -> None:
    room = import_module(f"tinygrad_lite.{name}")
    assert room is sys.modules[f"tinygrad_lite.{name}"] and not room.is_available()
    with pytest.raises(NotImplementedError, match=r"does not exist in tinygrad_lite; \w"):
        room.anything(1)
    assert not isinstance(1, room.AnyClass)
    with pytest.raises(NotImplementedError, match="AnyClass does not exist in tinygrad_lite"):
        room.AnyClass()
    with pytest.raises(AttributeError):
        _ = room._private


def test_layouts_can_be_compared_with() -> None:
    assert [tl.ones(1).layout == getattr(tl, n) for n in ("strided", "sparse_coo", "sparse_csr", "jagged")] == [
        torch.ones(1).layout == getattr(torch, n) for n in ("strided", "sparse_coo", "sparse_csr", "jagged")
    ]


def public(room: Any) -> set[str]:
    names = getattr(room, "__all__", None) or dir(room)
    return {n for n in names if n[0] != "_" and n not in IMPORTED and type(getattr(room, n, None)).__name__ != "module"}


ABSENT_NAMES = {
    "nn": {"CrossMapLRN2d", "LinearCrossEntropyLoss", "LinearCrossEntropyOptions", "factory_kwargs"},
    "optim": {"swap_in_optimizer_params_and_state"}, "distributions": set(), "utils.data": {
        "DFIterDataPipe", "DataChunk", "IterDataPipe", "MapDataPipe", "argument_validation", "functional_datapipe",
        "guaranteed_datapipes_determinism", "non_deterministic", "runtime_validation", "runtime_validation_disabled",
    },
    "linalg": {"common_notes"}, "signal.windows": set(), "futures": set(), "fft": set(), "amp": set(), "masked": set(),
    "optim.swa_utils": set(), "nn.init": set(), "nn.utils.parametrizations": set(), "nn.utils.prune": set(),
    "func": {"debug_unwrap", "functionalize", "linearize", "rearrange", "replace_all_batch_norm_modules_"},
    "autograd.forward_ad": set(), "autograd.functional": set(),
}  # fmt: skip
"""What a room of PyTorch's has in ``__all__`` and the one here has not."""


@pytest.mark.parametrize("name", ABSENT_NAMES)
def test_rooms_are_complete(name: str) -> None:
    theirs, ours = import_module(f"torch.{name}"), import_module(f"tinygrad_lite.{name}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        missing = {n for n in public(theirs) if not hasattr(ours, n)}
    assert missing == ABSENT_NAMES[name] & missing and not missing - ABSENT_NAMES[name], sorted(missing)


WRONG: list[Any] = [
    lambda T: T.nn.RNN(3, 5, bias=0), lambda T: T.nn.LSTM(3, 5, batch_first=1),
    lambda T: T.nn.CircularPad1d(1)(T.ones(2, 3, 4, 5)), lambda T: T.nn.CircularPad2d(1)(T.ones(4, 5)),
    lambda T: T.nn.BatchNorm1d(2, eps=-1.0)(T.ones(3, 2)),
    lambda T: T.nn.functional.batch_norm(T.ones(3, 2), None, None, training=True, eps=0.0),
]  # fmt: skip


@pytest.mark.parametrize("call", WRONG)
def test_layers_refuse_what_pytorch_refuses(call: Any) -> None:
    kinds = []
    for T in (torch, tl):
        with pytest.raises((ValueError, TypeError)) as caught:
            call(T)
        kinds.append(isinstance(caught.value, TypeError))
    assert kinds[0] == kinds[1]


def test_samples_of_fractional_pooling_are_a_buffer() -> None:
    keys = [list(T.nn.FractionalMaxPool2d(2, 2, _random_samples=T.ones(1, 1, 2)).state_dict()) for T in (torch, tl)]
    assert keys[0] == keys[1] == ["_random_samples"]
