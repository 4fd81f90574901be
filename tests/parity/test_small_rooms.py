"""Small rooms and private names that public programs import: trees, benchmarks, old spellings, against PyTorch's."""

from __future__ import annotations

import importlib
from collections import OrderedDict, defaultdict, deque, namedtuple
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")
Point = namedtuple("Point", "x y")
TREE = {"b": [1, (2, 3)], "a": Point(4, OrderedDict(z=5)), "c": defaultdict(list, {"q": 6}), "d": deque([7, 8], 3),
        "n": None}  # fmt: skip


class Pair:
    def __init__(self, *parts: Any) -> None:
        self.parts = parts


def trees(name: str) -> list[Any]:
    room = importlib.import_module(f"{name}.utils._pytree")
    leaves, spec = room.tree_flatten(TREE)
    paths = room.tree_leaves_with_path(TREE)
    kind = type("Own", (Pair,), {})
    room.register_pytree_node(kind, lambda p: (list(p.parts), None), lambda parts, _: kind(*parts))
    seen: list[Any] = []
    room.tree_map_(seen.append, TREE)
    with pytest.raises(ValueError):
        room.tree_unflatten([1], spec)
    with pytest.raises(ValueError):
        room.register_pytree_node(kind, None, None)
    return [
        leaves, spec.num_leaves, spec.num_nodes, spec.num_children, spec.is_leaf(), seen, list(room.tree_iter(TREE)),
        room.tree_unflatten([str(v) for v in leaves], spec), [(room.keystr(path), leaf) for path, leaf in paths],
        room.tree_leaves(TREE, is_leaf=lambda x: isinstance(x, list)),
        room.tree_map(lambda a, b: a * b, [1, 2], [3, 4]),
        room.tree_map_with_path(lambda path, leaf: room.keystr(path), TREE),
        room.tree_map_only(int, lambda v: v + 1, TREE), room.tree_any_only(int, lambda v: v > 7, TREE),
        room.tree_all_only(int, lambda v: v > 7, TREE), room.tree_structure([1, 2]) == room.tree_structure([3, 4]),
        room.tree_structure([1, 2]) == room.tree_structure((3, 4)), room.tree_map(str, kind(1, [2])).parts,
        room.tree_is_leaf(3), room.tree_is_leaf([]),
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_trees() -> None:
    for ours, theirs in zip(trees("tinygrad_lite"), trees("torch"), strict=True):
        assert ours == theirs


@pytest.mark.parametrize("T", [tl, torch], ids=["ours", "theirs"])
def test_timing(T: Any) -> None:
    bench = importlib.import_module(f"{T.__name__}.utils.benchmark")
    timer = bench.Timer("f(x)", setup="x = 2", globals={"f": abs}, label="abs", num_threads=1)
    found = timer.timeit(20)
    assert found.number_per_run == 20 and len(found.times) == 1 and found.mean == found.median > 0
    many = timer.blocked_autorange(min_run_time=0.002)
    assert len(many.times) >= 1 and many.iqr >= 0 and sum(many.raw_times) >= 0.002 and "abs" in repr(many)
    assert T is torch or "abs" in str(bench.Compare([found, many]))


@pytest.mark.parametrize("T", [tl, torch], ids=["ours", "theirs"])
def test_names_of_optimisers_that_people_derive(T: Any) -> None:
    room = importlib.import_module(f"{T.__name__}.optim.optimizer")
    assert not room._default_to_fused_or_foreach([], True)[1]
    assert room._get_value(T.tensor(2.0)) == 2 and (T is torch or room._dispatch_sqrt(4.0) == 2)
    seen = []

    class Own(room.Optimizer):
        def __init__(self, params: Any) -> None:
            super().__init__(params, {"lr": 0.1, "differentiable": False})

        @room._use_grad_for_differentiable
        def step(self, closure: Any = None) -> None:
            seen.append(T.is_grad_enabled())
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad, alpha=-group["lr"])

    w = T.ones(1, requires_grad=True)
    w.grad = T.ones(1)
    Own([w]).step()
    assert seen == [False] and w.item() == pytest.approx(0.9)


@pytest.mark.parametrize("T", [tl, torch], ids=["ours", "theirs"])
def test_helpers(T: Any) -> None:
    x = T.testing.make_tensor((3, 4), dtype=T.float32, device="cpu", low=1, high=2, noncontiguous=True)
    assert x.shape == (3, 4) and not x.is_contiguous() and 1 <= x.min() <= x.max() <= 2
    small = T.testing.make_tensor(200, dtype=T.uint8, device="cpu", exclude_zero=True, low=0, high=3)
    assert set(small.tolist()) == {1, 2}
    assert T.testing.make_tensor(2, dtype=T.float64, device="cpu", requires_grad=True).requires_grad
    with pytest.raises(ValueError):
        T.testing.make_tensor(2, dtype=T.int64, device="cpu", low=3, high=3)
    if T is tl:  # PyTorch warns of its own parts
        y, slope = T.func.linearize(lambda a, b: a.sin() * b, T.zeros(2), T.ones(2))
        assert y.tolist() == [0, 0] and slope(T.ones(2), T.ones(2)).tolist() == [1, 1]
    net = T.nn.Sequential(T.nn.Linear(2, 3), T.nn.BatchNorm1d(3))
    T.func.replace_all_batch_norm_modules_(net)
    assert net[1].running_mean is None and not net[1].track_running_stats
    clones = importlib.import_module(f"{T.__name__}.nn.modules.transformer")._get_clones(net[0], 2)
    assert len(clones) == 2 and clones[0].weight is not net[0].weight and clones[0].weight.equal(net[0].weight)
    assert T.autograd.set_multithreading_enabled(False) is not None and T.torch is T
    over = importlib.import_module(f"{T.__name__}.overrides")
    assert over.is_tensor_like(x) and not over.is_tensor_like(3) and not over.has_torch_function((x, 1))
    assert over.is_tensor_method_or_property(T.Tensor.add) and not over.is_tensor_method_or_property(len)
    assert importlib.import_module(f"{T.__name__}.hub")._get_torch_home().endswith("torch")
    check = importlib.import_module(f"{T.__name__}.utils.checkpoint")
    (leaf,) = check.detach_variable((T.ones(1, requires_grad=True) * 2,))
    assert leaf.is_leaf and leaf.requires_grad and len(check.noop_context_fn()) == 2
    with check.set_checkpoint_early_stop(False):
        pass
    with pytest.raises(RuntimeError, match="Only tuple"):
        check.detach_variable([x])


@pytest.mark.parametrize("T", [tl, torch], ids=["ours", "theirs"])
def test_pipes(T: Any) -> None:
    data = T.utils.data
    verb = f"times_{T.__name__}"

    @data.functional_datapipe(verb)
    class Times(data.IterDataPipe):
        def __init__(self, source: Any, by: int) -> None:
            self.source, self.by = source, by

        def __iter__(self) -> Any:
            return (self.by * v for v in self.source)

    class Numbers(data.IterDataPipe):
        def __iter__(self) -> Any:
            return iter(range(4))

    assert list(getattr(Numbers(), verb)(3)) == [0, 3, 6, 9]
    with pytest.raises(Exception, match="already taken"):
        data.functional_datapipe(verb)(Times)
    with pytest.raises(AttributeError):
        Numbers().nothing()  # type: ignore[attr-defined]


def test_parts_of_data_parallel() -> None:
    room = tl.nn.parallel
    net = tl.nn.Linear(2, 1)
    x = tl.ones(3, 2)
    y = room.gather(room.parallel_apply(room.replicate(net, [0]), room.scatter(x, [0])), 0)
    assert y.equal(net(x)) and room.gather([x, x], 0).shape == (6, 2)


def test_what_changes_nothing_or_is_absent() -> None:
    assert tl.ones(2).record_stream(None) is None and tl.cuda.memory_stats() == {}  # type: ignore[func-returns-value]
    for name, given in (("_C", "_log_api_usage_once"), ("_dynamo", "reset"), ("fx", "wrap"), ("_dynamo", "disable")):
        room: Any = importlib.import_module(f"tinygrad_lite.{name}")
        assert getattr(room, given)(len) in (None, len) and not hasattr(room, "_nothing")
    assert importlib.import_module("tinygrad_lite._six").string_classes == (str, bytes)
    with tl.serialization.safe_globals([set]):  # type: ignore[attr-defined]
        tl.serialization.add_safe_globals([set])  # type: ignore[attr-defined]
    with pytest.raises(AssertionError):
        tl.testing.assert_allclose(tl.ones(2), [1.0, 1.1])
    tl.testing.assert_allclose(tl.ones(2), np.ones(2, np.int64))
    assert importlib.import_module("tinygrad_lite.cpu.amp").autocast is tl.amp.autocast
    assert "NumPy" in importlib.import_module("tinygrad_lite.utils.collect_env").get_pretty_env_info()


def test_limits_and_dtypes_are_printed_as_there() -> None:
    for name in ("float16", "float32", "float64"):
        ours, theirs = (T.finfo(getattr(T, name)) for T in (tl, torch))
        assert repr(ours) == repr(theirs)
        for word in ("bits", "eps", "max", "min", "resolution", "smallest_normal", "tiny", "dtype"):
            a, b = getattr(ours, word), getattr(theirs, word)
            assert a == b and type(a) is type(b)
    for T in (tl, torch):
        assert isinstance(T.finfo(), T.finfo)
        assert str(T.promote_types(T.int32, T.float16)) == "torch.float16"
        assert T.result_type(T.tensor(1), 2.5).is_floating_point
        with pytest.raises(TypeError):
            T.finfo(T.int32)


def test_the_longer_paths_of_layers() -> None:
    import pkgutil

    for found in pkgutil.iter_modules(torch.nn.modules.__path__):
        if found.name in ("_functions", "linear_cross_entropy", "linear_cross_entropy_options"):
            continue
        ours, theirs = (importlib.import_module(f"{n}.nn.modules.{found.name}") for n in ("tinygrad_lite", "torch"))
        missing = [n for n in getattr(theirs, "__all__", ()) if not hasattr(ours, n)]
        assert missing in ([], ["LinearCrossEntropyLoss"]), found.name
        assert not hasattr(ours, "_nothing") and "PyTorch" in (ours.__doc__ or "")
    names: dict[str, Any] = {}
    exec("from tinygrad_lite.nn.modules.activation import *", names)
    assert names["ReLU"] is tl.nn.ReLU
    for T in (tl, torch):
        utils = importlib.import_module(f"{T.__name__}.nn.modules.utils")
        net = T.nn.DataParallel(T.nn.Linear(2, 1))
        state = net.state_dict()
        utils.consume_prefix_in_state_dict_if_present(state, "module.")
        assert list(state) == ["weight", "bias"] and state._metadata[""] == {"version": 1}  # type: ignore[attr-defined]
        net.module.load_state_dict(state)
        assert utils._list_with_default((None, 3), [1, 2, 4]) == [2, 3] and utils._list_with_default(3, [1]) == 3
