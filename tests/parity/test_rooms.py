"""Rooms that exist for scripts: amp, backends, cuda, jit, multiprocessing, utils.checkpoint, testing.assert_close."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.testing import assert_close
from tinygrad_lite.utils.checkpoint import checkpoint, checkpoint_sequential

torch = pytest.importorskip("torch")


# ------------------------------------------------------------------------------------------------ checkpoints
def block(T: Any, w: Any) -> Any:
    return lambda x: (T.tanh(x @ w) * x).exp().sum(1)


def test_a_checkpoint_has_the_gradients_of_the_plain_call() -> None:
    start = np.linspace(-1, 1, 6).reshape(2, 3)
    grads = []
    for use in (True, False):
        x, w = tl.tensor(start, requires_grad=True), tl.tensor(np.eye(3) * 0.5, requires_grad=True)
        f = block(tl, w)
        y = checkpoint(f, x, use_reentrant=False) if use else f(x)
        g = tl.autograd.grad((y * y).sum(), (x, w), create_graph=True)
        second = tl.autograd.grad(sum((v * v).sum() for v in g), (x, w))
        grads.append([v.detach().numpy() for v in (*g, *second)])
    for a, b in zip(*grads, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_keeps_nothing_inside() -> None:
    x = tl.ones(100, requires_grad=True)

    def kept(y: tl.Tensor) -> int:
        seen, waiting, total = set(), [y.grad_fn], 0
        while waiting:
            node = waiting.pop()
            if isinstance(node, tl.autograd.Node) and node not in seen:
                seen.add(node)
                total += sum(v.nbytes for v in node.saved if isinstance(v, np.ndarray))
                waiting += node.inputs
        return total

    def f(x: tl.Tensor) -> tl.Tensor:
        for _ in range(10):
            x = x.sin()
        return x

    assert kept(f(x)) == 4000 and kept(checkpoint(f, x, use_reentrant=False)) == 0


def test_a_checkpoint_repeats_its_random_numbers() -> None:
    x = tl.ones(1000, requires_grad=True)
    tl.manual_seed(0)
    y = checkpoint(lambda a: nn.functional.dropout(a * a, 0.5), x, use_reentrant=False)
    after = tl.rand(1)
    y.sum().backward()
    np.testing.assert_array_equal((x.grad != 0).numpy(), (y != 0).numpy())
    tl.manual_seed(0)
    nn.functional.dropout(x * x, 0.5)
    assert tl.rand(1).item() == after.item(), "the stream outside is that of the plain call"


def test_a_checkpoint_that_changes_is_refused() -> None:
    calls = []

    def f(a: tl.Tensor) -> tl.Tensor:
        calls.append(1)
        return a.sin() if len(calls) == 1 else a.sin().sin()

    y = checkpoint(f, tl.ones(2, requires_grad=True), use_reentrant=False)
    with pytest.raises(RuntimeError, match="must do the same both times"):
        y.sum().backward()
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpoint(tl.sin, tl.ones(2))


def test_a_checkpointed_sequence() -> None:
    net = nn.Sequential(*[nn.Linear(3, 3) for _ in range(5)])
    x = tl.ones(2, 3, requires_grad=True)
    for segments in (1, 2, 3, 5):
        y = checkpoint_sequential(net, segments, x, use_reentrant=False)
        np.testing.assert_array_equal(y.detach().numpy(), net(x).detach().numpy())
        y.sum().backward()
    assert all(p.grad is not None for p in net.parameters())


# ------------------------------------------------------------------------------------------------ amp
def scaled(T: Any) -> Any:
    w = T.nn.Parameter(T.tensor([1.0, 2.0]))
    opt, scaler, seen = T.optim.SGD([w], lr=0.1), T.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2), []
    for factor in (1.0, float("inf"), 2.0, 3.0, 1.0):
        opt.zero_grad()
        scaler.scale((w * factor).sum()).backward()
        if factor == 3.0:
            scaler.unscale_(opt)
        scaler.step(opt)
        scaler.update()
        seen.append((scaler.get_scale(), w.tolist()))
    return seen, scaler.state_dict()


def test_the_scaler_is_pytorchs() -> None:
    (theirs, state), (ours, own) = scaled(torch), scaled(tl)
    assert [s for s, _ in ours] == [s for s, _ in theirs] and own == state
    np.testing.assert_allclose([w for _, w in ours], [w for _, w in theirs], rtol=1e-6)


def test_amp_for_a_device_that_does_not_exist() -> None:
    with pytest.warns(UserWarning, match="disabling"):
        scaler = tl.amp.GradScaler()
    assert not scaler.is_enabled() and scaler.scale(tl.ones(1)).item() == 1.0 and scaler.state_dict() == {}
    with import_module("tinygrad_lite.cuda.amp").autocast():
        assert (tl.ones(1) * 2).dtype is tl.float32

    @tl.amp.autocast("cpu")
    def f(x: Any) -> Any:
        return x * 2

    assert f(tl.ones(1)).item() == 2.0


# ------------------------------------------------------------------------------------------------ assert_close
PAIRS = {
    "equal": lambda T: (T.ones(2), T.ones(2)),
    "close": lambda T: (T.ones(2), T.ones(2) + 1e-6),
    "far": lambda T: (T.ones(2), T.tensor([1.0, 1.1])),
    "shape": lambda T: (T.ones(2), T.ones(3)),
    "broadcast": lambda T: (T.ones(2), T.ones(1)),
    "dtype": lambda T: (T.ones(2), T.ones(2, dtype=T.float64)),
    "nan": lambda T: (T.tensor([float("nan")]), T.tensor([float("nan")])),
    "inf": lambda T: (T.tensor([float("inf")]), T.tensor([float("inf")])),
    "inf and not": lambda T: (T.tensor([float("inf")]), T.tensor([1.0])),
    "integers": lambda T: (T.tensor([1, 2]), T.tensor([1, 3])),
    "numbers": lambda T: (1.0, 1.0 + 1e-9),
    "numbers apart": lambda T: (1.0, 1.1),
    "number and tensor": lambda T: (1.0, T.tensor(1.0)),
    "lists": lambda T: ([T.ones(2), 1], [T.ones(2), 1]),
    "lists apart": lambda T: ([T.ones(2), 1], [T.ones(2), 2]),
    "lengths": lambda T: ([1], [1, 2]),
    "mappings": lambda T: ({"a": T.ones(1)}, {"a": T.zeros(1)}),
    "keys": lambda T: ({"a": 1}, {"b": 1}),
    "empty": lambda T: (T.ones(0), T.ones(0)),
    "half": lambda T: (T.ones(2).half(), T.ones(2).half() + 1e-3),
    "bool": lambda T: (T.tensor([True]), T.tensor([False])),
}


@pytest.mark.parametrize(
    "options", [{}, {"equal_nan": True}, {"check_dtype": False}, {"rtol": 0.2, "atol": 0.0}], ids=str
)
@pytest.mark.parametrize("case", PAIRS)
def test_assert_close_agrees(case: str, options: dict[str, Any]) -> None:
    outcome = []
    for T, check in ((torch, torch.testing.assert_close), (tl, assert_close)):
        try:
            check(*PAIRS[case](T), **options)
            outcome.append("")
        except AssertionError as error:
            outcome.append(str(error).splitlines()[0])
        except TypeError:
            outcome.append("type")
    theirs, ours = outcome
    assert bool(theirs) == bool(ours), outcome


def test_the_message_of_assert_close_is_pytorchs() -> None:
    texts = []
    for T, check in ((torch, torch.testing.assert_close), (tl, assert_close)):
        with pytest.raises(AssertionError) as error:
            check(T.tensor([1.0, 2.0, 3.0]), T.tensor([1.0, 2.5, 3.25]))
        texts.append(str(error.value))
    assert texts[0] == texts[1]


# ------------------------------------------------------------------------------------------------ asked for
def test_questions_that_scripts_ask() -> None:
    tl.backends.cudnn.benchmark = True
    tl.backends.cuda.matmul.allow_tf32 = True
    assert not tl.backends.mps.is_available() and not tl.cuda.is_available() and tl.cuda.device_count() == 0
    assert tl.cuda.memory_allocated() == 0 and tl.cuda.synchronize() is None and tl.cuda.manual_seed_all(1) is None
    assert not isinstance(tl.ones(1), tl.cuda.FloatTensor)
    for use in (lambda: tl.cuda.FloatTensor(2), lambda: tl.cuda.set_device(0), lambda: tl.cuda.current_device()):
        with pytest.raises(RuntimeError, match="does not exist here"):
            use()
    with pytest.raises(AttributeError, match="no CUDA device"):
        tl.cuda.nonsense
    assert tl.jit.script(nn.ReLU()).training and tl.jit.is_scripting() is False
    with pytest.raises(NotImplementedError, match=r"jit\.save does not exist"):
        tl.jit.save(None, "x")
    assert tl.version.__version__ == tl.__version__ and tl.version.cuda is None
    assert tl.multiprocessing.get_sharing_strategy() == "file_system" and tl.multiprocessing.cpu_count() > 0


def test_names_like_pytorchs() -> None:
    for room in ("amp", "backends.cudnn", "backends.cuda", "backends.mps", "cuda.amp", "utils.checkpoint"):
        ours, theirs = (import_module(f"{base}.{room}") for base in ("tinygrad_lite", "torch"))
        public = [
            n
            for n in vars(ours)
            if not n.startswith("_") and getattr(getattr(ours, n), "__module__", "").endswith(room)
        ]
        assert [n for n in public if not hasattr(theirs, n)] == [], room


@pytest.mark.parametrize("count", [0, 1, 5, 6])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_the_distributed_sampler_is_pytorchs(count: int, drop_last: bool, replicas: int) -> None:
    for rank in range(replicas):
        theirs, ours = (
            room.DistributedSampler(range(count), replicas, rank, shuffle=False, drop_last=drop_last)
            for room in (torch.utils.data, tl.utils.data)
        )
        assert list(ours) == list(theirs) and len(ours) == len(theirs)
    a, b = (tl.utils.data.DistributedSampler(range(8), 2, r, seed=3) for r in (0, 1))
    assert sorted([*a, *b]) == list(range(8))
    before = list(a)
    a.set_epoch(1)
    assert list(a) != before
    with pytest.raises(ValueError, match="Invalid rank"):
        tl.utils.data.DistributedSampler(range(8), 2, 2)


def test_profiles_in_pytorchs_words(capsys: pytest.CaptureFixture[str]) -> None:
    from tinygrad_lite.profiler import ProfilerActivity, profile, record_function

    seen: list[Any] = []
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True, on_trace_ready=seen.append) as p:
        with record_function("part"):
            tl.ones(2).exp()
        record_function("other")(lambda: tl.ones(2).sin())()
        p.step()
    assert seen == [p] and {"part", "other"} <= {row.name for row in p.by_module()}
    assert "exp" in p.key_averages().table(sort_by="cpu_time_total", row_limit=10)
    with import_module("tinygrad_lite.autograd.profiler").record_function("nobody profiles"):
        pass
