"""Where scripts extend modules: tables, hooks, state dicts, containers, conversions, each as in PyTorch."""

from __future__ import annotations

import copy
import importlib
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

from tests.parity import rows_conv, rows_layers, rows_losses
from tests.parity.outcomes import agree
from tinygrad_lite import nn

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CASES: dict[str, Callable[[Any], Any]] = {}


def case(script: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[script.__name__] = script
    return script


def filled(T: Any, module: Any) -> Any:
    """Give every parameter and floating buffer fixed numbers."""
    with T.no_grad():
        for i, (_, t) in enumerate([*module.named_parameters(), *module.named_buffers()]):
            if t.is_floating_point():
                t.copy_(T.arange(t.numel()).reshape(t.shape).to(t.dtype) * 0.1 + 0.01 * i)
    return module


def attempt(call: Callable[[], Any]) -> Any:
    """Return the result, or the class of the exception among those that scripts catch."""
    try:
        return call()
    except Exception as error:
        kinds = (AttributeError, KeyError, IndexError, TypeError, AssertionError, ValueError, RuntimeError)
        return "raises " + next((k.__name__ for k in kinds if isinstance(error, k)), type(error).__name__)


def names(module: Any) -> list[list[str]]:
    return [list(module._parameters), list(module._buffers), list(module._modules), list(module.state_dict())]


def layers(T: Any, *kinds: str) -> list[Any]:
    return [getattr(T.nn, kind)() for kind in kinds]


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


# ------------------------------------------------------------------------------------------------ hooks of calls
def counted(T: Any, register: str, answers: list[Any], inputs: Any = None) -> Any:
    m, seen = filled(T, T.nn.Linear(2, 1)), []
    for answer in answers:
        getattr(m, register)(lambda *a, answer=answer: (seen.append(a[1:]), answer)[1])
    x = T.ones(1, 2, requires_grad=True) if inputs is None else inputs(T)
    y = m(x)
    y.sum().backward()
    return seen, y, x.grad, m.weight.grad


for _register in ("register_full_backward_hook", "register_full_backward_pre_hook"):
    for _many in (1, 2, 3):

        def _counted(T: Any, register: str = _register, many: int = _many) -> Any:
            answers: list[Any] = [
                None,
                None if "pre" in register else (None,),
                (T.ones(1, 1 if "pre" in register else 2) * 4,),
            ]
            return counted(T, register, answers[:many])

        CASES[f"{_register}_{_many}"] = _counted


class Two:
    """Makes a module with several inputs and outputs, not all of them tensors or tracked."""

    @staticmethod
    def of(T: Any) -> Any:
        def forward(self: Any, a: Any, b: Any, n: Any, unused: Any) -> Any:
            return a * b * n, b.detach() * 2, a + 1

        return type("Two", (T.nn.Module,), {"forward": forward})()


@case
def backward_hooks_of_several_inputs(T: Any) -> Any:
    m, seen = Two.of(T), []
    m.register_full_backward_pre_hook(lambda mod, go: seen.append(go))
    m.register_full_backward_hook(lambda mod, gi, go: seen.append((gi, go)))
    a, b, c = (T.ones(2, requires_grad=r) for r in (True, False, True))
    out = m(a, b, 3, c)
    (out[0].sum() * 2).backward()
    out = m(a, b, 3, c)
    (out[0] + out[2]).sum().backward()
    return seen, a.grad, c.grad, [t.requires_grad for t in out]


@case
def backward_hooks_that_return_too_much(T: Any) -> Any:
    a, b = T.nn.ReLU(), T.nn.ReLU()
    a.register_full_backward_hook(lambda mod, gi, go: (gi[0], gi[0]))
    b.register_full_backward_pre_hook(lambda mod, go: (go[0], go[0]))
    x = T.ones(2, requires_grad=True)
    return [attempt(lambda m=m: m(x).sum().backward()) for m in (a, b)]


@case
def backward_hooks_without_tracked_inputs(T: Any) -> Any:
    out, seen = [], []
    for answer in (None, (None,), (T.ones(1, 2),)):
        m = filled(T, T.nn.Linear(2, 1))
        m.register_full_backward_hook(lambda mod, gi, go, answer=answer: (seen.append((gi, go)), answer)[1])
        out.append(attempt(lambda m=m: m(T.ones(1, 2)).sum().backward()))
    with T.no_grad():
        m(T.ones(1, 2))
    return out, seen


@case
def backward_hooks_twice(T: Any) -> Any:
    m, seen = T.nn.Tanh(), []
    m.register_full_backward_hook(
        lambda mod, gi, go: (seen.append((gi[0].requires_grad, go[0].requires_grad)), None)[1]
    )
    m.register_full_backward_pre_hook(lambda mod, go: (seen.append("pre"), None)[1])
    x = T.ones(2, requires_grad=True)
    (g,) = T.autograd.grad(m(x).sum(), x, create_graph=True)
    (h,) = T.autograd.grad(g.sum(), x)
    return seen, g, h


@case
def both_kinds_of_backward_hooks(T: Any) -> Any:
    a, b = T.nn.ReLU(), T.nn.ReLU()
    a.register_full_backward_hook(lambda *args: None)
    b.register_backward_hook(lambda *args: None)
    return [attempt(lambda: a.register_backward_hook(print)), attempt(lambda: b.register_full_backward_hook(print))]


@case
def backward_hook_and_an_odd_output(T: Any) -> Any:
    m = type("D", (T.nn.Module,), {"forward": lambda self, x: {"y": x * 2}})()
    m.register_full_backward_hook(lambda mod, gi, go: None)
    return m(T.ones(1, requires_grad=True))["y"]


@case
def prepended_and_removed_hooks(T: Any) -> Any:
    m, seen = T.nn.ReLU(), []
    for i, prepend in enumerate((False, True, False)):
        m.register_forward_pre_hook(lambda mod, a, i=i: seen.append(("pre", i)), prepend=prepend)
        m.register_forward_hook(lambda mod, a, o, i=i: seen.append(("post", i)), prepend=prepend)
        m.register_full_backward_hook(lambda mod, a, o, i=i: seen.append(("back", i)), prepend=prepend)
        handle = m.register_full_backward_pre_hook(lambda mod, o, i=i: seen.append(("before", i)), prepend=prepend)
    handle.remove()
    m(T.ones(1, requires_grad=True)).sum().backward()
    m._forward_hooks.clear()
    sizes = [
        len(getattr(m, n)) for n in ("_forward_pre_hooks", "_forward_hooks", "_backward_hooks", "_backward_pre_hooks")
    ]
    m(T.ones(1))
    return seen, sizes


@case
def hooks_with_keywords_and_always_called(T: Any) -> Any:
    def forward(self: Any, x: Any, scale: Any = 1) -> Any:
        if scale == 0:
            raise ValueError("no scale")
        return x * scale

    m, seen = type("S", (T.nn.Module,), {"forward": forward})(), []
    m.register_forward_pre_hook(lambda mod, a, k: (a, {"scale": k["scale"] * 2}), with_kwargs=True)
    m.register_forward_hook(lambda mod, a, k, o: (seen.append((a, k)), o + 1)[1], with_kwargs=True)
    m.register_forward_hook(lambda mod, a, o: seen.append(("always", o)), always_call=True)
    out = [m(T.ones(1), scale=2), attempt(lambda: m(T.ones(1), scale=0))]
    m.register_forward_hook(lambda mod, a, o: 1 / 0, always_call=True)
    out += [attempt(lambda: m(T.ones(1), scale=0))]
    m.register_forward_pre_hook(lambda mod, a, k: 3, with_kwargs=True)
    return out, seen, attempt(lambda: m(T.ones(1), scale=1))


@case
def hooks_of_all_modules(T: Any) -> Any:
    M = importlib.import_module(f"{T.__name__}.nn.modules.module")
    seen: list[Any] = []
    handles = [
        M.register_module_forward_pre_hook(lambda m, a: seen.append(("pre", type(m).__name__))),
        M.register_module_forward_hook(lambda m, a, o: (seen.append(("post", type(m).__name__)), o * 2)[1]),
        M.register_module_full_backward_pre_hook(lambda m, go: seen.append(("before", type(m).__name__))),
        M.register_module_full_backward_hook(lambda m, gi, go: seen.append(("back", type(m).__name__, gi))),
        M.register_module_parameter_registration_hook(lambda m, n, p: seen.append(("parameter", n))),
        M.register_module_buffer_registration_hook(lambda m, n, b: seen.append(("buffer", n))),
        M.register_module_module_registration_hook(lambda m, n, c: (seen.append(("module", n)), c)[1]),
    ]
    try:
        net = filled(T, T.nn.Sequential(T.nn.Linear(2, 1), T.nn.Tanh()))
        net.register_forward_hook(lambda m, a, o: seen.append("own"))
        net.seen = T.nn.Buffer(T.ones(1))
        x = T.ones(1, 2, requires_grad=True)
        y = net(x)
        y.sum().backward()
    finally:
        for handle in handles:
            handle.remove()
    count = len(seen)
    net[1](T.ones(1))
    return seen, y, x.grad, len(seen) == count


# ------------------------------------------------------------------------------------------------ containers
def edited(T: Any, m: Any, edit: Callable[[], Any]) -> Any:
    answer = attempt(edit)
    shown = kinds(m) if not isinstance(m, T.nn.ModuleDict) else [(k, type(v).__name__) for k, v in m.items()]
    return (answer if isinstance(answer, (str, int)) else type(answer).__name__), shown, list(m._modules), len(m)


@case
def edits_of_sequential(T: Any) -> Any:
    def new() -> Any:
        m = T.nn.Sequential(*layers(T, "ReLU", "Tanh", "GELU"))
        m.scale = T.nn.Parameter(T.ones(1))
        m.register_buffer("seen", T.ones(1))
        return m

    relu, edits = T.nn.SiLU(), [
        lambda m: m.append(relu), lambda m: m.insert(0, relu), lambda m: m.insert(3, relu),
        lambda m: m.insert(-1, relu),
        lambda m: m.insert(-3, relu), lambda m: m.insert(5, relu), lambda m: m.insert(0, 3),
        lambda m: m.extend([relu, relu]),
        lambda m: m.extend(T.nn.Sequential(relu)), lambda m: m.pop(0), lambda m: m.pop(-1), lambda m: m.pop(3),
        lambda m: m.__delitem__(0), lambda m: m.__delitem__(slice(0, 2)), lambda m: m.__delitem__(5),
        lambda m: m.__setitem__(0, relu), lambda m: m.__setitem__(-1, relu), lambda m: m.__setitem__(9, relu),
        lambda m: m.__setitem__(0, 3), lambda m: m.__iadd__(T.nn.Sequential(relu)), lambda m: m.__iadd__([relu]),
        lambda m: m.__imul__(2), lambda m: m.__imul__(0), lambda m: m.__imul__(1.5), lambda m: m.append(3),
        lambda m: m.add_module("0", relu), lambda m: m.add_module("named", relu), lambda m: m.pop(slice(0, 2)),
    ]  # fmt: skip
    out = [edited(T, m := new(), lambda m=m, edit=edit: edit(m)) for edit in edits]
    m, other = new(), T.nn.Sequential(relu)
    for made in (m + other, m * 2, 2 * m, m[1:], m[::-1], m[:-1], m[5:]):
        out += [kinds(made), list(made._modules), names(made)[3]]
    out += [attempt(lambda: m + [relu]), attempt(lambda: m * 1.5), attempt(lambda: m * -1), attempt(lambda: m[7])]
    return out, m(T.ones(2)), relu in m, [n for n in dir(m) if n[0].isdigit()], str(m)


@case
def sequential_of_names(T: Any) -> Any:
    m = T.nn.Sequential(OrderedDict(first=T.nn.ReLU(), second=T.nn.Tanh()))
    out = [edited(T, m, lambda: m.append(T.nn.GELU())), kinds(m[:1]), list(m[1:]._modules), str(m)]
    del m[0]
    return out, list(m._modules), T.nn.Sequential()(T.ones(1))


@case
def edits_of_module_list(T: Any) -> Any:
    def new() -> Any:
        m = T.nn.ModuleList(layers(T, "ReLU", "Tanh", "GELU"))
        m.scale = T.nn.Parameter(T.ones(1))
        return m

    relu, edits = T.nn.SiLU(), [
        lambda m: m.append(relu), lambda m: m.insert(0, relu), lambda m: m.insert(3, relu), lambda m: m.insert(0, 3),
        lambda m: m.extend([relu]), lambda m: m.extend(iter([relu])), lambda m: m.extend(3),
        lambda m: m.pop(0), lambda m: m.pop(-1), lambda m: m.pop(4), lambda m: m.__delitem__(1),
        lambda m: m.__delitem__(slice(0, 3, 2)), lambda m: m.__delitem__(-1), lambda m: m.__setitem__(1, relu),
        lambda m: m.__setitem__(-1, relu), lambda m: m.__setitem__(3, relu), lambda m: m.__iadd__([relu]),
        lambda m: m.append(3), lambda m: m(T.ones(1)), lambda m: m.pop(slice(0, 2)),
    ]  # fmt: skip
    edits = [e for i, e in enumerate(edits) if i != 3]  # PyTorch puts anything into the list there
    out = [edited(T, m := new(), lambda m=m, edit=edit: edit(m)) for edit in edits]
    m = new()
    out += [kinds(m + [relu]), kinds(m[1:]), kinds(m[::-1]), attempt(lambda: m[5]), attempt(lambda: m["0"])]
    return out, relu in m, str(m), len(T.nn.ModuleList())


@case
def edits_of_module_dict(T: Any) -> Any:
    def new() -> Any:
        m = T.nn.ModuleDict({"a": T.nn.ReLU(), "b": T.nn.Tanh()})
        m.scale = T.nn.Parameter(T.ones(1))
        return m

    relu, edits = T.nn.SiLU(), [
        lambda m: m.__setitem__("c", relu), lambda m: m.__setitem__("a", relu), lambda m: m.__setitem__("scale", relu),
        lambda m: m.__setitem__("keys", relu), lambda m: m.__setitem__("x.y", relu), lambda m: m.__setitem__("a", None),
        lambda m: m.__setitem__("c", 3), lambda m: m.pop("a"), lambda m: m.pop("scale"), lambda m: m.__delitem__("b"),
        lambda m: m.__delitem__("scale"), lambda m: m.clear(), lambda m: m.update({"z": relu, "a": relu}),
        lambda m: m.update([("z", relu), ["y", relu]]), lambda m: m.update(T.nn.ModuleDict({"q": relu})),
        lambda m: m.update(3), lambda m: m.update([3]), lambda m: m.update([("a",)]), lambda m: m["none"],
        lambda m: m["scale"], lambda m: m(1),
    ]  # fmt: skip
    out = [edited(T, m := new(), lambda m=m, edit=edit: edit(m)) for edit in edits]
    m = new()
    return out, "scale" in m, "a" in m, list(m), list(m.keys()), kinds(m.values()), str(m), names(m)


@case
def edits_of_parameter_list(T: Any) -> Any:
    def shown(m: Any, answer: Any) -> Any:
        return (
            (answer if isinstance(answer, (str, int)) else type(answer).__name__),
            names(m),
            len(m),
            list(map(str, map(type, m))),
        )

    def new() -> Any:
        m = T.nn.ParameterList([T.ones(1), T.nn.Parameter(T.zeros(2))])
        m.scale = T.nn.Parameter(T.ones(1))
        return m

    edits = [
        lambda m: m.append(T.ones(3)), lambda m: m.append(3), lambda m: m.extend([T.ones(1)] * 2),
        lambda m: m.extend(3),
        lambda m: m.extend(T.ones(2)), lambda m: m.__iadd__([T.ones(1)]), lambda m: m.__setitem__(0, T.ones(4)),
        lambda m: m.__setitem__(0, 3), lambda m: m.__setitem__(5, T.ones(4)), lambda m: m[5], lambda m: m(1),
        lambda m: m.extend(m), lambda m: len(m[1:]), lambda m: len(m[::-1]), lambda m: m.pop(0),
    ]  # fmt: skip
    return [shown(m := new(), attempt(lambda m=m, edit=edit: edit(m)))[:3] for edit in edits], new()[-1], new()[:1][0]


@case
def edits_of_parameter_dict(T: Any) -> Any:
    def new() -> Any:
        m = T.nn.ParameterDict({"b": T.ones(1), "a": T.nn.Parameter(T.zeros(2))})
        m.scale = T.nn.Parameter(T.ones(1))
        return m

    one, edits = T.ones(1), [
        lambda m: m.__setitem__("c", one), lambda m: m.__setitem__("c", 3), 
        lambda m: m.__setitem__("a", 3), lambda m: m.pop("a"), lambda m: m.pop("none"), lambda m: m.popitem(),
        lambda m: m.clear(), lambda m: m.get("a"), lambda m: m.get("none", 5), lambda m: m.setdefault("a", one),
        lambda m: m.setdefault("z", one), lambda m: m.setdefault("y"), lambda m: m.update({"z": one, "y": one}),
        lambda m: m.update([("z", one)]), lambda m: m.update(OrderedDict(z=one, y=one)), lambda m: m.update(3),
        lambda m: m.update([3]), lambda m: m.update([("a",)]), lambda m: m["none"], lambda m: m["scale"],
        lambda m: m.__delitem__("a"), lambda m: m.__delitem__("none"), lambda m: m.__ior__({"z": one}),
        lambda m: m(1),
    ]  # fmt: skip
    out = []
    for edit in edits:
        m = new()
        answer = attempt(lambda m=m, edit=edit: edit(m))
        out.append(
            (answer if isinstance(answer, (str, int)) else type(answer).__name__, list(m.keys()), names(m), len(m))
        )
    m = new()
    out += [list(m), list(reversed(m)), "a" in m, "scale" in m, [k for k, _ in m.items()], len(list(m.values()))]
    out += [list(m.copy()), list(m.fromkeys(["x", "y"], 1).items()), list(m | {"k": one}), type(m.copy()).__name__]
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
