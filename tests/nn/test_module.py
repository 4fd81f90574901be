"""Module: what it knows of its parts, how it is called, saved, copied and shown."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn
from tinygrad_lite.engine.mode import Observer, no_grad, switch


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.scale = nn.Parameter(tl.ones(3))
        self.register_buffer("seen", tl.zeros(3))
        self.register_buffer("scratch", tl.ones(1), persistent=False)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(3, 1, bias=False))
        self.note = "plain attributes stay plain"

    def forward(self, x):
        return self.rest(self.first(x) * self.scale)


@pytest.fixture
def net():
    tl.manual_seed(0)
    return Net()


def test_names_and_order(net):
    assert [n for n, _ in net.named_parameters()] == ["scale", "first.weight", "first.bias", "rest.1.weight"]
    assert [n for n, _ in net.named_buffers()] == ["seen", "scratch"]
    assert [n for n, _ in net.named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]
    assert [n for n, _ in net.named_children()] == ["first", "rest"]
    assert list(net.state_dict()) == ["scale", "seen", "first.weight", "first.bias", "rest.1.weight"]
    assert [n for n, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert net.get_parameter("first.weight") is net.first.weight and net.get_submodule("rest.1") is net.rest[1]
    assert net.get_buffer("seen") is net.seen
    with pytest.raises(AttributeError, match="no attribute `third`"):
        net.get_submodule("third.x")
    with pytest.raises(AttributeError, match="`seen` is not an nn.Parameter"):
        net.get_parameter("seen")


def test_a_part_is_replaced(net):
    net.set_submodule("rest.0", nn.Tanh())
    assert isinstance(net.rest[0], nn.Tanh)
    net.set_submodule("extra", nn.ReLU())
    assert isinstance(net.extra, nn.ReLU)
    with pytest.raises(AttributeError):
        net.set_submodule("more", nn.ReLU(), strict=True)
    with pytest.raises(ValueError):
        net.set_submodule("rest.0", 3)


def test_shared_parts_count_once():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    assert len(list(net.parameters())) == 2
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert [n for n, _ in net.named_modules()] == ["", "0", "1"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 4
    net(tl.ones(1, 2)).sum().backward()
    assert layer.weight.grad is not None


def test_attributes_change_their_kind():
    m = nn.Module()
    m.w = nn.Parameter(tl.ones(2))
    with pytest.raises(TypeError, match="cannot assign 'Tensor' as parameter 'w'"):
        m.w = tl.ones(2)
    m.w = None
    assert list(m.parameters()) == [] and m.state_dict() == {}
    with pytest.raises(TypeError, match="cannot assign 'Linear' as parameter 'w'"):
        m.w = nn.Linear(1, 1)
    del m.w
    m.w = nn.Linear(1, 1)
    assert [n for n, _ in m.named_children()] == ["w"] and m._parameters == {}
    del m.w
    assert not hasattr(m, "w") and m._modules == {}
    m.b = nn.Buffer(tl.ones(2))
    m.b = tl.zeros(2)
    assert m.b.tolist() == [0, 0] and list(m.state_dict()) == ["b"]
    with pytest.raises(KeyError, match="already exists"):
        m.register_buffer("training", tl.ones(1))
    with pytest.raises(KeyError, match="can.*t contain"):
        m.register_parameter("a.b", None)
    with pytest.raises(TypeError, match="not a Module subclass"):
        m.add_module("c", 3)


def test_train_eval_apply(net):
    assert net.training and net.eval() is net and not net.rest[0].training
    assert net.train().rest[0].training
    with pytest.raises(ValueError, match="boolean"):
        net.train("yes")
    order = []
    assert net.apply(lambda m: order.append(type(m).__name__)) is net
    assert order == ["Linear", "ReLU", "Linear", "Sequential", "Net"]


def test_state_travels(net):
    other = Net()
    answer = other.load_state_dict(net.state_dict())
    assert repr(answer) == "<All keys matched successfully>" and answer.missing_keys == []
    x = tl.ones(4, 2)
    assert np.array_equal(net(x).detach().array, other(x).detach().array)
    other.first.weight.array[...] = 0
    assert net.first.weight.array.any(), "loading copies"
    shared = net.state_dict()["scale"]
    shared.array[...] = 7
    assert net.scale.tolist() == [7, 7, 7], "a state dict shares memory"
    assert not shared.requires_grad


def test_wrong_states_change_nothing(net):
    before = {k: v.array.copy() for k, v in net.state_dict().items()}
    state = net.state_dict()
    bad = {"scale": tl.zeros(3), "first.weight": tl.zeros(2, 2), "odd": tl.zeros(1), "seen": 3}
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(bad)
    text = str(error.value)
    assert "Error(s) in loading state_dict for Net:" in text
    assert 'Unexpected key(s) in state_dict: "odd". ' in text
    assert 'Missing key(s) in state_dict: "first.bias", "rest.1.weight". ' in text
    assert "size mismatch for first.weight: copying a param with shape (2, 2) from checkpoint" in text
    assert 'named "seen", expected a tensor' in text
    for k, v in state.items():
        assert np.array_equal(v.array, before[k])
    with pytest.raises(TypeError, match="dict-like"):
        net.load_state_dict([1])
    answer = net.load_state_dict({"scale": tl.zeros(3), "odd": tl.zeros(1)}, strict=False)
    assert answer.unexpected_keys == ["odd"] and "first.weight" in answer.missing_keys
    assert net.scale.tolist() == [0, 0, 0]


def test_loading_counts_as_a_change_of_the_graph(net):
    y = net(tl.ones(1, 2)).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_extra_state():
    class Counter(nn.Module):
        count = 3

        def get_extra_state(self):
            return self.count

        def set_extra_state(self, state):
            self.count = state

    a, b = Counter(), Counter()
    a.count = 9
    b.load_state_dict(a.state_dict())
    assert b.count == 9 and list(a.state_dict()) == ["_extra_state"]


def test_dtypes(net):
    net(tl.ones(1, 2)).sum().backward()
    first = net.first.weight
    assert net.double() is net and first is net.first.weight and first.dtype == tl.float64
    assert first.grad.dtype == tl.float64 and net.seen.dtype == tl.float64
    assert net.to("cpu", tl.float32).first.weight.dtype == tl.float32
    assert net.half().scale.dtype == tl.float16 and net.float().scale.dtype == tl.float32
    with pytest.raises(TypeError, match="floating"):
        net.to(tl.int64)
    with pytest.raises(RuntimeError, match="device 'cuda' does not exist"):
        net.to("cuda")
    with pytest.raises(RuntimeError, match="cupy"):
        net.cuda()
    assert net.cpu() is net


def test_gradients_are_forgotten_and_parts_frozen(net):
    net(tl.ones(1, 2)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert net.scale.grad.tolist() == [0, 0, 0]
    net.zero_grad()
    assert net.scale.grad is None
    net.first.requires_grad_(False)
    net(tl.ones(1, 2)).sum().backward()
    assert net.first.weight.grad is None and net.scale.grad is not None


def test_copies_are_their_own(net):
    net.scale.tag = "kept"
    net(tl.ones(1, 2)).sum().backward()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert list(twin.state_dict()) == list(net.state_dict())
        assert isinstance(twin.scale, nn.Parameter) and twin.scale.requires_grad and twin.scale.tag == "kept"
        assert np.array_equal(twin(tl.ones(1, 2)).detach().array, net(tl.ones(1, 2)).detach().array)
        twin.scale.array[...] = 5
        assert net.scale.tolist() == [1, 1, 1]
        assert twin.first.weight.grad is None and net.first.weight.grad is not None
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    twin = copy.deepcopy(tied)
    assert twin[0].weight is twin[1].weight, "what was shared stays shared"


def test_errors_say_where():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Conv2d(3, 4, 3)])

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = Block()

        def forward(self, x):
            return self.body(x)

    whole = Whole()
    with pytest.raises(ValueError) as error:
        whole(tl.ones(1, 2, 5, 5))
    assert str(error.value) == (
        "error in body.layers.2 (Conv2d): conv2d: weight expects 3 input channels, "
        "x has 2 (x (1, 2, 5, 5), weight (4, 3, 3, 3))"
    )
    with pytest.raises(ValueError, match=r"^conv2d: weight expects"):
        whole.body.layers[2](tl.ones(1, 2, 5, 5))

    class Own(nn.Module):
        def forward(self, x):
            raise KeyError("mine")

    with pytest.raises(KeyError) as own:
        nn.Sequential(nn.ReLU(), Own())(tl.ones(1))
    assert own.value.args == ("mine",) and own.value.__notes__ == ["error in 1 (Own)"]


def test_forward_hooks(net):
    seen = []
    before = net.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
    first = net.register_forward_pre_hook(lambda m, args: seen.append("first"), prepend=True)
    after = net.register_forward_hook(lambda m, args, out: out + 1)
    plain = copy.deepcopy(net)
    for h in (before, first, after):
        h.remove()
        h.remove()
    x = tl.ones(1, 2)
    assert np.allclose(plain(x).detach().array, net(x * 2).detach().array + 1)
    assert seen == ["first"]
    with net.register_forward_hook(lambda m, args, kwargs, out: seen.append(kwargs), with_kwargs=True):
        net(x=x)
    assert len(seen) == 2 and list(seen[1]) == ["x"]
    net(x)
    assert len(seen) == 2

    def broken(m, args):
        raise RuntimeError("no")

    told = []
    net.register_forward_hook(lambda m, args, out: told.append(out), always_call=True)
    net.first.register_forward_pre_hook(broken)
    with pytest.raises(RuntimeError, match="no"):
        net(x)
    assert told == [None]


def test_backward_hooks():
    layer, seen = nn.Linear(2, 3), []
    handle = layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x = tl.ones(4, 2, requires_grad=True)
    layer(x).sum().backward()
    ((gi, go),) = seen
    assert go[0].tolist() == [[1, 1, 1]] * 4 and np.allclose(gi[0].array, x.grad.array)
    handle.remove()
    layer.register_full_backward_hook(lambda m, gi, go: None if gi[0] is None else (gi[0] * 0,))
    x.grad = None
    layer(x).sum().backward()
    assert not x.grad.array.any()
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        layer(tl.ones(4, 2)).sum().backward()


def test_observers_are_called_for_modules(net):
    class Watch(Observer):
        def __init__(self):
            self.said = []

        def enter(self, module, args):
            self.said.append(("in", type(module).__name__))

        def leave(self, module, output):
            self.said.append(("out", type(module).__name__, output is None))

        def before(self, op, args):
            self.said.append(op.name)

    watch = Watch()
    with switch(observers=(watch,)):
        net(tl.ones(1, 2))
        with pytest.raises(ValueError):
            net(tl.ones(1, 5))
    assert watch.said[:5] == [("in", "Net"), ("in", "Linear"), "linear", ("out", "Linear", False), "mul"]
    assert watch.said[-2:] == [("out", "Linear", True), ("out", "Net", True)]


def test_freed_without_the_collector(net):
    gc.disable()
    try:
        x = tl.ones(2, 2, requires_grad=True)
        y = net(x).sum()
        gone = weakref.ref(y)
        y.backward()
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_shown_as_in_pytorch(net):
    assert repr(net) == (
        "Net(\n  (first): Linear(in_features=2, out_features=3, bias=True)\n  (rest): Sequential(\n    (0): ReLU()\n"
        "    (1): Linear(in_features=3, out_features=1, bias=False)\n  )\n)"
    )
    assert repr(nn.Parameter(tl.ones(2))) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"


def test_parameter():
    base = tl.ones(2)
    p = nn.Parameter(base)
    base.array[0] = 5
    assert p.tolist() == [5, 1] and p.requires_grad and p.is_leaf
    assert not nn.Parameter(base, requires_grad=False).requires_grad
    with pytest.raises(TypeError, match="floating"):
        nn.Parameter(tl.tensor([1, 2]))
    assert type(p * 1) is tl.Tensor
    with no_grad():
        assert nn.Parameter(base).requires_grad


def test_missing_super_init():
    class Bad(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match="super"):
        Bad()
