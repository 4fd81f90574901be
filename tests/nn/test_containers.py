"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from collections import OrderedDict

import pytest

import tinygrad_lite as tl
from tinygrad_lite import nn


def test_sequential():
    s = nn.Sequential(OrderedDict(a=nn.Linear(2, 3), b=nn.ReLU()))
    assert list(s.state_dict()) == ["a.weight", "a.bias"] and s[-1] is s.b
    s.append(nn.Linear(3, 1))
    assert s(tl.ones(4, 2)).shape == (4, 1) and len(s) == 3
    assert isinstance(s[:2], nn.Sequential) and list(dict(s[:2].named_children())) == ["a", "b"]
    s.insert(1, nn.Tanh())
    assert [type(m).__name__ for m in s] == ["Linear", "Tanh", "ReLU", "Linear"]
    del s[1]
    assert [type(m).__name__ for m in s] == ["Linear", "ReLU", "Linear"]
    assert type(s.pop(-1)).__name__ == "Linear" and len(s) == 2
    s[0] = nn.Identity()
    assert isinstance(s[0], nn.Identity)
    assert len(s + nn.Sequential(nn.ReLU())) == 3
    with pytest.raises(IndexError):
        s[5]
    with pytest.raises(TypeError):
        nn.Sequential(3)


def test_module_list():
    layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    layers.extend([nn.ReLU(), nn.ReLU()])
    layers.insert(0, nn.Tanh())
    assert [type(m).__name__ for m in layers][:2] == ["Tanh", "Linear"] and len(layers) == 6
    assert isinstance(layers[1:3], nn.ModuleList) and layers[-1] in layers
    assert repr(layers) == (
        "ModuleList(\n  (0): Tanh()\n  (1-3): 3 x Linear(in_features=2, out_features=2, bias=True)\n"
        "  (4-5): 2 x ReLU()\n)"
    )
    del layers[1:3]
    assert list(layers.state_dict()) == ["1.weight", "1.bias"]
    layers += [nn.Identity()]
    assert len(layers) == 5
    with pytest.raises(NotImplementedError):
        layers(tl.ones(1))
    with pytest.raises(IndexError):
        layers.insert(9, nn.ReLU())


def test_module_dict():
    d = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.ReLU()})
    d["c"] = nn.Tanh()
    assert list(d) == list(d.keys()) == ["a", "b", "c"] and "a" in d and len(d) == 3
    assert [type(m).__name__ for m in d.values()] == ["Linear", "ReLU", "Tanh"]
    d.update([("a", nn.Identity())])
    assert isinstance(d["a"], nn.Identity)
    assert isinstance(d.pop("b"), nn.ReLU) and list(dict(d.items())) == ["a", "c"]
    del d["c"]
    with pytest.raises(KeyError):
        d["c"]
    with pytest.raises(TypeError):
        d.update(3)
    with pytest.raises(TypeError):
        d["x"] = 3
    d.clear()
    assert len(d) == 0


def test_parameter_list_and_dict():
    ps = nn.ParameterList([tl.ones(2), nn.Parameter(tl.zeros(3))])
    ps.append(tl.ones(1))
    assert len(list(ps.parameters())) == 3 and list(ps.state_dict()) == ["0", "1", "2"]
    assert isinstance(ps[0], nn.Parameter) and len(ps[1:]) == 2 and ps[-1].shape == (1,)
    ps[0] = nn.Parameter(tl.zeros(2))
    assert [p.shape for p in ps] == [(2,), (3,), (1,)]
    pd = nn.ParameterDict({"left": tl.ones(2)})
    pd["right"] = nn.Parameter(tl.zeros(1))
    assert list(pd.keys()) == ["left", "right"] and "left" in pd and pd.get("none") is None
    assert list(pd.state_dict()) == ["left", "right"] and len(list(pd.values())) == len(list(pd.items())) == 2
    assert pd.pop("left").tolist() == [1, 1] and len(pd) == 1
    assert "right" in repr(pd) and "Parameter" in repr(ps)
