"""Objects of any kind in the caller's variables, among the inputs and in the results."""

import dataclasses
import functools
import types
from collections import OrderedDict, UserDict, namedtuple
from unittest.mock import MagicMock, Mock, call

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.viz.models import MODELS, rand, two_parts
from tinygrad_lite import nn, viz
from tinygrad_lite.viz.words import option_text


class Raising:
    """Fails whatever is read."""

    def __getattribute__(self, name):
        raise RuntimeError("not now")


class RaisingClass:
    """Fails when its class is read, as lazy proxies do before they are set up."""

    @property
    def __class__(self):
        raise RuntimeError("not set up")


class Odd:
    """Has whatever is asked for."""

    def __getattr__(self, name):
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __iter__(self):
        raise RuntimeError("no items")


class FailingProperty:
    @property
    def named_parameters(self):
        raise RuntimeError("not now")

    @property
    def array(self):
        raise RuntimeError("not now")


class Slots:
    __slots__ = ("never_set", "x")


class Unfinished(nn.Module):
    """A module without the call of its base class's constructor."""

    def __init__(self):
        pass


class BadModule(nn.Module):
    def named_parameters(self, *args, **kwargs):
        raise RuntimeError("no parameters today")

    def modules(self):
        raise RuntimeError("no modules today")


class Meta(type):
    def __getattr__(cls, name):
        raise RuntimeError("a class that fails")


class EqualToAll:
    def __eq__(self, other):
        raise RuntimeError("do not compare")

    __hash__ = None


class NoLength(UserDict):
    def __len__(self):
        raise RuntimeError("no length")


def class_that_fails():
    return Meta("WithMeta", (), {})


def cyclic():
    a = []
    a.append(a)
    return a


def foreign():
    torch = pytest.importorskip("torch")
    return {
        "torch_module": torch.nn.Linear(2, 2), "torch_tensor": torch.ones(2, requires_grad=True),
        "torch_parameter": torch.nn.Parameter(torch.ones(2)), "torch_modules": [torch.nn.Linear(2, 2)],
        "torch_optimizer": torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1), "torch": torch,
    }  # fmt: skip


HOSTILE = {
    "raising": Raising(), "raising_class": RaisingClass(), "odd": Odd(), "failing": FailingProperty(),
    "slots": Slots(), "unfinished": Unfinished.__new__(Unfinished), "bad_module": BadModule(),
    "meta": class_that_fails(),
    "with_meta": class_that_fails()(), "equal": EqualToAll(), "no_length": NoLength(), "cyclic": cyclic(),
    "mock": Mock(), "magic": MagicMock(), "call": call, "mock_of_module": Mock(spec=nn.Linear),
    "mock_of_tensor": MagicMock(spec=tl.Tensor),
    "namespace": types.SimpleNamespace(named_parameters=lambda: [("w", 3)]),
    "modules_only": types.SimpleNamespace(modules=3, named_parameters=4), "parameters": (p for p in ()),
    "objects": np.array([object(), None], dtype=object), "structured": np.zeros(2, dtype=[("a", int)]),
    "strings": np.array(["a"]), "dates": np.array(["2020-01-01"], "datetime64[D]"), "none": None, "nothing": (),
    "class_of_module": nn.Linear, "class_of_tensor": tl.Tensor, "function": lambda: 1 / 0, "module": types,
    "generator": (1 / 0 for _ in (1,)), "iterator": iter([1]), "bytes": b"\x00\xff", "text": "\udcff",
    "large": 10**400, "not_a_number": float("nan"), "ellipsis": ..., "not_implemented": NotImplemented,
    "view": memoryview(b"12"), "range": range(10**12), "set": {1}, "slice": slice(None), "dtype": np.dtype("f4"),
    "weird name": 1, "named": namedtuple("P", "x")(1), "ordered": OrderedDict(a=1), "error": ZeroDivisionError(),
}  # fmt: skip


@pytest.mark.parametrize("where", ["globals", "locals"])
def test_hostile_things_in_scope(where):
    things = {**HOSTILE, **foreign()}
    assert len(things) >= 40
    space = {"viz": viz, "layer": nn.Linear(2, 2), "x": tl.ones(1, 2), "result": []}
    program = "result += [viz.draw(layer, x, graph='both'), viz.trace(layer, x), viz.draw(layer(x).sum())]"
    with np.errstate(all="ignore"):
        if where == "globals":
            exec(program, {**things, **space, 3: "a key that is no name"})
        else:
            exec(program, space, {**things})
    for graph in space["result"]:
        assert "weight" in graph.by_id and "to_svg" and graph.to_svg() and graph.to_text()


@pytest.mark.parametrize("name", [*HOSTILE])
def test_hostile_things_as_arguments_and_results(name):
    thing = HOSTILE[name]
    layer, x = nn.Linear(2, 2), tl.ones(1, 2)
    graph = viz.draw(lambda x, other: (layer(x), other), x, thing)
    assert [n.id for n in graph.nodes if n.kind in ("input", "output")][0] == "x" and "output.0" in graph.by_id
    assert viz.draw(lambda x, other=None: [layer(x), {"other": other}], x, kwargs={"other": thing})


@dataclasses.dataclass
class Batch:
    x: object
    label: object = None


@dataclasses.dataclass(slots=True)
class Out:
    logits: object
    hidden: object


class Held:
    def __init__(self, **words):
        self.__dict__.update(words)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, batch, scale=1.0, flag=False):
        y = self.layer(batch.x) * (2 if flag else scale)
        return Out(y, Held(state=(y.tanh(), {"mean": y.mean()})))


def test_attributes_of_objects_are_checked():
    graph = viz.draw(Net(), Batch(tl.ones(2, 4)), graph="both")
    assert [n.id for n in graph.nodes if n.kind == "input"] == ["batch.x"]
    names = ["output.logits", "output.hidden.state.0", "output.hidden.state.1.mean"]
    assert [n.id for n in graph.nodes if n.kind == "output"] == names
    assert {f"{name}.grad" for name in names} <= set(graph.by_id) and not any("requires" in n for n in graph.notes)


def test_a_module_in_a_result_is_not_an_output():
    layer = nn.Linear(2, 2)
    graph = viz.trace(lambda x: Out(layer(x), layer), tl.ones(1, 2))
    assert [n.id for n in graph.nodes if n.kind == "output"] == ["output.logits"]


def test_keyword_arguments_reach_the_model():
    batch = Batch(tl.ones(2, 4))
    for graph in (
        viz.trace(Net(), batch, flag=True), viz.trace(Net(), batch, kwargs={"flag": True}),
        viz.draw(Net(), batch, kwargs={"flag": True}),
    ):  # fmt: skip
        assert graph.find(lambda n: n.op == "mul")[0].attrs == {"other": 2}
    graph = viz.draw(Net(), batch, kwargs={"scale": tl.tensor([1.0, 2.0])})
    assert [n.id for n in graph.nodes if n.kind == "input"] == ["scale", "batch.x"] or "scale" in graph.by_id
    for wrong in (3, {1: 2}):
        with pytest.raises(TypeError, match="kwargs must map"):
            viz.draw(Net(), batch, kwargs=wrong)


class Failing(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 3), nn.Linear(4, 2)

    def forward(self, x):
        return self.b(self.a(x).relu())


def test_a_failing_run_is_drawn_up_to_the_error():
    with pytest.raises(tl.errors.ShapeError):
        viz.draw(Failing(), tl.ones(2, 4))
    graph = viz.draw(Failing(), tl.ones(2, 4), on_error="draw")
    assert [n.op for n in graph.nodes if n.kind == "op"] == ["linear", "relu", "linear"]
    (mark,) = graph["b/linear.1"].marks
    assert mark.startswith("failed here: ShapeError: ") and "the run failed" in graph.notes[0]
    assert "✖ failed here: ShapeError" in graph.to_svg()
    later = viz.trace(lambda x: (x * 2).nothing(), tl.ones(2), on_error="draw")
    assert later["mul.1"].marks[0].startswith("failed after this op: AttributeError")
    with pytest.raises(ValueError, match="on_error"):
        viz.trace(Failing(), tl.ones(2, 4), on_error="ignore")


def test_other_kinds_of_program_bring_their_own_graph():
    class Compiled:
        def __call__(self, x):
            raise AssertionError("not run to be drawn")

        def __graph__(self, x, scale):
            return viz.trace(lambda x: x * scale, x)

    graph = viz.draw(Compiled(), tl.ones(2), kwargs={"scale": 3}, title="step")
    assert graph["mul.1"].attrs == {"other": 3} and graph.look.title == "step"


def test_a_function_has_the_names_of_the_modules_in_its_closure():
    nodes = {n.id: n for n in viz.draw(two_parts(), rand(2, 3), rand(2, 3), graph="both").nodes}
    assert {"q.weight", "frozen.weight", "q/linear.1", "frozen/linear.1", "q.weight.grad"} <= nodes.keys()
    assert not nodes["frozen.weight"].requires_grad and "frozen.weight.grad" not in nodes

    class Trial:
        def __init__(self):
            self.net = nn.Sequential(nn.Linear(3, 2))

        def loss(self, x):
            return self.net(x).sum()

    for function in (Trial().loss, functools.partial(Trial().loss)):
        assert "0.weight" in viz.draw(function, rand(2, 3)).by_id


def test_positions_that_were_computed_are_edges():
    model, inputs = MODELS["masked"]()
    graph = viz.trace(model, *inputs)
    into = {e.src for n in graph.nodes if n.op == "overwrite" for e in graph.arguments[n.id]}
    assert {"Net/gt.1", "Net/cast.1"} <= into
    assert "from %" in graph.to_text()


def test_a_text_has_no_addresses():
    class Thing:
        pass

    assert option_text(Thing()) == option_text(Thing())
