"""Where scripts extend modules: tables, hooks, state dicts, containers, conversions, each as in PyTorch."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

import tinygrad_lite as tl
from tests.parity import rows_conv, rows_layers, rows_losses
from tests.parity.module_scripts import attempt, filled, names
from tests.parity.outcomes import agree
from tinygrad_lite import nn

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CASES: dict[str, Callable[[Any], Any]] = {}


def case(script: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[script.__name__] = script
    return script


def kinds(modules: Any) -> list[str]:
    return [type(m).__name__ for m in modules]


# ------------------------------------------------------------------------------------------------ every layer
ROWS = {row.name: row for table in (rows_conv, rows_layers, rows_losses) for row in table.ROWS}
LAYERS = {type(row.make(nn)).__name__: row for row in ROWS.values()}
del LAYERS["TripletMarginWithDistanceLoss"]  # PyTorch's default distance is a child; here it is a function


def everything(T: Any, make: Callable[[Any], Any]) -> Any:
    """Use every extension point of one layer."""
    m = filled(T, make(T.nn))
    out: list[Any] = [names(m), [(k, v["version"]) for k, v in m.state_dict()._metadata.items()], m._version]
    out += [m._get_name(), m.extra_repr(), sorted(m._non_persistent_buffers_set), m.training, m.eval().training]
    out += [[n for n, _ in m.named_parameters("p", True, False)], [n for n, _ in m.named_buffers("b")]]
    out += [[n for n, _ in m.named_modules(prefix="m")], [n for n, _ in m.named_children()]]
    seen: list[Any] = []
    m.register_state_dict_pre_hook(lambda mod, prefix, keep: seen.append((prefix, keep)))
    m.register_state_dict_post_hook(lambda mod, state, prefix, meta: state.update(note=1))
    m.register_load_state_dict_pre_hook(lambda mod, state, prefix, *rest: seen.append(state.pop("note")))
    m.register_load_state_dict_post_hook(lambda mod, keys: seen.append((keys.missing_keys, keys.unexpected_keys)))
    state = m.state_dict(keep_vars=True)
    out += [list(state), str(m.load_state_dict(state)), seen, sorted(state._metadata)]
    twin = copy.deepcopy(m)
    out += [names(twin), [a is b for a, b in zip(m.parameters(), twin.parameters(), strict=True)]]
    out += [[str(t.dtype).removeprefix("torch.") for t in (*m.double().parameters(), *m.buffers())]]
    out += [[str(t.dtype).removeprefix("torch.") for t in (*m.type(T.float32).parameters(), *m.buffers())]]
    applied: list[Any] = []
    m._apply(lambda t: (applied.append(tuple(t.shape)), t)[1])
    out += [applied, [p.requires_grad for p in m.requires_grad_(False).parameters()]]
    fresh = filled(T, make(T.nn))
    with T.no_grad():
        for t in fresh.parameters():
            t.zero_()
    out += [str(fresh.load_state_dict({k: v for k, v in state.items() if k != "note"}, assign=True))]
    out += [[a is state[n] for n, a in fresh.named_parameters()], list(fresh.parameters())]
    out += [attempt(lambda: fresh.load_state_dict({"odd": T.ones(1)})), str(fresh.load_state_dict({}, strict=False))]
    for n in list(fresh._parameters):
        if fresh._parameters[n] is not None:
            fresh._parameters[n] = T.nn.Parameter(T.ones(1))
            out += [tuple(getattr(fresh, n).shape), attempt(lambda n=n: setattr(fresh, n, T.ones(1)))]
            out += [attempt(lambda n=n: fresh.register_buffer(n, T.ones(1)))]
            delattr(fresh, n)
    for n in list(fresh._buffers):
        setattr(fresh, n, None)
        out += [getattr(fresh, n), attempt(lambda n=n: setattr(fresh, n, 3))]
        fresh._buffers.pop(n)
    return out, names(fresh)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_every_layer(name: str) -> None:
    agree(lambda T: everything(T, LAYERS[name].make), torch, name, warned=False)


# ------------------------------------------------------------------------------------------------ tables
@case
def tables_are_live(T: Any) -> Any:
    m = filled(T, T.nn.Linear(2, 1))
    m._parameters["weight"] = T.nn.Parameter(T.ones(1, 2))
    m._buffers["seen"] = T.zeros(1)
    m._modules["more"] = T.nn.ReLU()
    first = m(T.ones(1, 2)), m.seen, kinds([m.more]), names(m)
    m._parameters.update({"bias": None})
    del m._buffers["seen"]
    m._modules.clear()
    return first, m(T.ones(1, 2)), hasattr(m, "seen"), hasattr(m, "more"), names(m)


@case
def tables_replaced(T: Any) -> Any:
    m = T.nn.Linear(2, 1)
    m._parameters = OrderedDict(weight=T.nn.Parameter(T.ones(1, 2)), bias=None)
    return m(T.ones(1, 2)), names(m)


@case
def old_weight_norm(T: Any) -> Any:
    m = filled(T, T.nn.Linear(2, 1))
    w = m._parameters.pop("weight")
    m.register_parameter("weight_v", T.nn.Parameter(w.detach()))
    m.register_forward_pre_hook(lambda mod, x: setattr(mod, "weight", mod.weight_v * 2))
    y = m(T.ones(1, 2))
    y.sum().backward()
    return y, names(m), m.weight_v.grad, "weight" in dict(m.named_parameters())


@case
def shallow_copy_shares_its_tables(T: Any) -> Any:
    a = T.nn.Linear(2, 1)
    b = copy.copy(a)
    b.weight = T.nn.Parameter(T.ones(1, 2))
    b.extra = 3
    return a.weight is b.weight, hasattr(a, "extra"), a.weight


@case
def replica(T: Any) -> Any:
    a = filled(T, T.nn.Linear(2, 1))
    b = a._replicate_for_data_parallel()
    b.weight = a.weight * 2
    b.bias = a.bias
    return b(T.ones(1, 2)), names(b)[0], names(a)


@case
def deep_copies_and_pickles_keep_hooks(T: Any) -> Any:
    m = filled(T, T.nn.Sequential(T.nn.Linear(2, 1), T.nn.BatchNorm1d(1)))
    m[0].register_forward_hook(doubled)
    out = []
    for twin in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        twin[0]._parameters["bias"] = None
        out += [twin(T.ones(2, 2)), m(T.ones(2, 2)), names(twin), names(twin[0]), len(twin[0]._forward_hooks)]
    return out


def doubled(module: Any, args: Any, output: Any) -> Any:
    return output * 2


@case
def attribute_rules(T: Any) -> Any:
    m, out = T.nn.Module(), []
    m.a = T.nn.Parameter(T.ones(1))
    for value in (T.ones(1), 3, T.nn.ReLU(), None, T.nn.Parameter(T.zeros(1))):
        out += [attempt(lambda v=value: setattr(m, "a", v)), names(m)]
    m.b = T.nn.Buffer(T.ones(1), persistent=False)
    for value in (T.zeros(1), 3, None, T.nn.Buffer(T.ones(2)), T.nn.ReLU(), T.nn.Parameter(T.ones(3))):
        out += [attempt(lambda v=value: setattr(m, "b", v)), names(m), sorted(m._non_persistent_buffers_set)]
    m.c = T.nn.ReLU()
    for value in (T.nn.Tanh(), 3, None, T.nn.Buffer(T.ones(1)), T.nn.Parameter(T.ones(1)), "text"):
        out += [attempt(lambda v=value: setattr(m, "c", v)), names(m)]
    m.d = "plain"
    for value in (T.ones(1), T.nn.Parameter(T.ones(1))):
        out += [attempt(lambda v=value: setattr(m, "d", v)), names(m)]
    m.e = "plain"
    m.e = T.nn.ReLU()
    del m.d
    return out, names(m), attempt(lambda: delattr(m, "none")), attempt(lambda: m.none)


@case
def registration_rules(T: Any) -> Any:
    m, out = T.nn.Linear(1, 1), []
    p, b, c = T.nn.Parameter(T.ones(1)), T.ones(1), T.nn.ReLU()
    for name in ("weight", "training", "forward", "a.b", "", 3, "fresh"):
        out += [attempt(lambda n=name: m.register_parameter(n, p)), attempt(lambda n=name: m.register_buffer(n, b))]
        out += [attempt(lambda n=name: m.add_module(n, c)), attempt(lambda n=name: m.register_module(n, None))]
    out += [attempt(lambda: m.register_parameter("x", b)), attempt(lambda: m.register_buffer("x", 3))]
    out += [attempt(lambda: m.add_module("x", b)), attempt(lambda: m.register_parameter("y", p * 2))]
    m.register_buffer("loose", b, persistent=False)
    return out, names(m), [n for n, _ in m.named_buffers()]


@case
def before_init(T: Any) -> Any:
    def made(attribute: Any) -> Any:
        return type("M", (T.nn.Module,), {"__init__": lambda self: setattr(self, "x", attribute)})

    values = (T.nn.Parameter(T.ones(1)), T.nn.ReLU(), T.nn.Buffer(T.ones(1)), 3, T.ones(1))
    return [attempt(lambda v=v: (made(v)(), None)[1]) for v in values]


@case
def init_called_twice(T: Any) -> Any:
    def start(self: Any) -> None:
        T.nn.Module.__init__(self)
        self.a = T.nn.Parameter(T.ones(1))
        T.nn.Module.__init__(self)
        self.b = T.nn.Parameter(T.ones(1))

    m = type("M", (T.nn.Module,), {"__init__": start})()
    return names(m), hasattr(m, "a")


@case
def names_and_paths(T: Any) -> Any:
    shared = T.nn.Linear(1, 1)
    m = T.nn.Sequential(shared, T.nn.Sequential(shared, T.nn.BatchNorm1d(1)))
    m.tied = shared.weight
    out = [[n for n, _ in m.named_parameters("p", r, d)] for r in (True, False) for d in (True, False)]
    out += [[n for n, _ in m.named_buffers("p", r, d)] for r in (True, False) for d in (True, False)]
    out += [[n for n, _ in m.named_modules(prefix="q", remove_duplicate=d)] for d in (True, False)]
    out += [[n for n, _ in m.named_children()], len(list(m.modules())), len(list(m.children()))]
    for path in ("1.1", "", "1.5", "0.weight", "tied", "1.1.running_mean", "none.x"):
        for get in (m.get_submodule, m.get_parameter, m.get_buffer):
            got = attempt(lambda g=get, p=path: g(p))
            out.append(got if isinstance(got, str) else type(got).__name__)
    for path, strict in (("1.0", True), ("1.7", False), ("1.8", True), ("tied", False), ("", False), ("no.x", False)):
        out.append(attempt(lambda p=path, s=strict: m.set_submodule(p, T.nn.Tanh(), s)))
    return out, kinds(m[1]), attempt(lambda: m.set_submodule("0", 3))


@case
def gradients_and_modes(T: Any) -> Any:
    m = filled(T, T.nn.Linear(2, 1))
    m(T.ones(1, 2)).sum().backward()
    grad = m.weight.grad
    m.zero_grad(set_to_none=False)
    out = [m.weight.grad, m.weight.grad is grad]
    m.zero_grad()
    out += [m.weight.grad, attempt(lambda: m.train(3)), attempt(lambda: m.to(T.int64))]
    return out, m.requires_grad_(False) is m, [p.requires_grad for p in m.parameters()], m.share_memory() is m


@case
def gradients_are_converted_too(T: Any) -> Any:
    m = filled(T, T.nn.Linear(2, 1))
    m(T.ones(1, 2)).sum().backward()
    w = m.weight
    return m.double().weight.grad, m.weight is w, m.half().bias.dtype, m.float().weight.grad.dtype


@case
def extra_state(T: Any) -> Any:
    class Counted(T.nn.Module):
        count = 0

        def get_extra_state(self) -> Any:
            return {"count": self.count}

        def set_extra_state(self, state: Any) -> None:
            self.count = state["count"]

    a, b = T.nn.Sequential(Counted()), T.nn.Sequential(Counted())
    a[0].count = 7
    b.load_state_dict(a.state_dict())
    plain = T.nn.ReLU()
    return b[0].count, list(a.state_dict()), attempt(lambda: b.load_state_dict({})), [
        attempt(plain.get_extra_state), attempt(lambda: plain.set_extra_state(1)),
        attempt(lambda: plain.load_state_dict({"_extra_state": 1})),
    ]  # fmt: skip


@case
def load_overrides(T: Any) -> Any:
    seen: list[Any] = []

    class Old(T.nn.Linear):
        _version = 3

        def _load_from_state_dict(self, state: Any, prefix: str, meta: Any, *rest: Any) -> None:
            seen.append((sorted(state), prefix, dict(meta), rest[0], len(rest)))
            state[prefix + "weight"] = state.pop(prefix + "w")
            super()._load_from_state_dict(state, prefix, meta, *rest)
            seen.append(self.weight.detach() * 1)

    m = T.nn.Sequential(Old(1, 1), T.nn.ReLU())
    answer = str(m.load_state_dict({"0.w": T.ones(1, 1), "0.bias": T.zeros(1)}))
    return answer, seen, m.state_dict()._metadata["0"], m.state_dict(prefix="x.")._metadata


@case
def hooks_of_states(T: Any) -> Any:
    m, seen = filled(T, T.nn.Sequential(T.nn.Linear(1, 1))), []
    m._register_state_dict_hook(lambda mod, state, prefix, meta: {"root": len(state)})
    m[0]._register_state_dict_hook(lambda mod, state, prefix, meta: {"lost": 1})
    m[0].register_state_dict_pre_hook(lambda mod, prefix, keep: seen.append(prefix))
    first = m.state_dict()
    m[0]._register_load_state_dict_pre_hook(lambda *args: seen.append((len(args), args[1])))
    handle = m[0]._register_load_state_dict_pre_hook(lambda *args: seen.append((len(args), args[2])), with_module=True)
    m.load_state_dict({"0.weight": T.ones(1, 1), "0.bias": T.ones(1)})
    handle.remove()
    m.load_state_dict({"0.weight": T.ones(1, 1), "0.bias": T.ones(1)})
    bad = T.nn.ReLU()
    bad.register_state_dict_post_hook(lambda mod, state, prefix, meta: {})
    answered = T.nn.ReLU()
    answered.register_load_state_dict_post_hook(lambda mod, keys: 1)
    return first, seen, attempt(bad.state_dict), attempt(lambda: answered.load_state_dict({}))


@case
def states_of_several_kinds(T: Any) -> Any:
    m = filled(T, T.nn.Linear(2, 1))
    out = [attempt(lambda: m.load_state_dict(3)), attempt(lambda: m.load_state_dict({"weight": 3, "bias": T.ones(1)}))]
    out += [attempt(lambda: m.load_state_dict({"weight": T.ones(3), "bias": T.ones(1)}))]
    given = {"x.weight": T.ones(1)}
    out += [m.state_dict(destination=given, prefix="y.") is given, list(given)]
    scalar = T.nn.Module()
    scalar.s = T.nn.Parameter(T.tensor(0.0))
    scalar.load_state_dict({"s": T.ones(1)})
    source = {"weight": T.ones(1, 2), "bias": T.nn.Parameter(T.ones(1))}
    m.bias.requires_grad_(False)
    m.load_state_dict(source, assign=True)
    return (
        out,
        scalar.s,
        m.weight.requires_grad,
        m.bias.requires_grad,
        m.bias is source["bias"],
        m.state_dict(None, "z."),
    )


@case
def statistics_of_old_states(T: Any) -> Any:
    state = {"weight": T.ones(1), "bias": T.zeros(1), "running_mean": T.ones(1), "running_var": T.ones(1)}
    out = [str(T.nn.BatchNorm2d(1).load_state_dict(dict(state)))]
    for track in (True, False):
        layer = T.nn.InstanceNorm1d(1, affine=True, track_running_stats=track)
        out.append(attempt(lambda m=layer: str(m.load_state_dict(dict(state)))))
    newer = OrderedDict(state)
    newer._metadata = {"": {"version": 2}}
    return out, attempt(lambda: T.nn.BatchNorm1d(1).load_state_dict(newer)), list(state)


@case
def tracking_changed_later(T: Any) -> Any:
    out = []
    for before in (True, False):
        for after in (True, False):
            for training in (True, False):
                for momentum in (0.1, None):
                    m = T.nn.BatchNorm1d(2, track_running_stats=before, momentum=momentum)
                    m.track_running_stats = after
                    m.train(training)
                    x = T.arange(6.0).reshape(3, 2)
                    out += [attempt(lambda m=m, x=x: m(x)), m.running_mean, m.num_batches_tracked]
    return out


@pytest.mark.parametrize("name", sorted(CASES))
def test_like_pytorch(name: str) -> None:
    agree(CASES[name], torch, name)


def test_a_loading_that_fails_changes_nothing() -> None:
    import tinygrad_lite as tl

    m = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    before = {k: v.tolist() for k, v in m.state_dict().items()}
    state = {k: tl.full(v.shape, 9.0) for k, v in m.state_dict().items()}
    state["1.bias"] = tl.ones(3)
    for assign in (False, True):
        with pytest.raises(RuntimeError, match="size mismatch for 1.bias"):
            m.load_state_dict(state, assign=assign)
        assert {k: v.tolist() for k, v in m.state_dict().items()} == before


def test_the_flat_weights_of_recurrent_layers() -> None:
    shapes: list[list[Any]] = []
    for T in (tl, torch):
        layer = T.nn.LSTM(2, 4, 2, bidirectional=True, proj_size=3)
        names, weights = layer._flat_weights_names, layer._flat_weights
        assert all(getattr(layer, name) is w for name, w in zip(names, weights, strict=True))
        shapes.append([(name, tuple(w.shape)) for name, w in zip(names, weights, strict=True)])
        shapes[-1] += T.nn.GRU(2, 3, bias=False)._flat_weights_names
    assert shapes[0] == shapes[1]
