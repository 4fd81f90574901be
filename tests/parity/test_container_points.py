"""Edits of the containers of modules and parameters, each as in PyTorch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest

from tests.parity.module_scripts import attempt, names
from tests.parity.outcomes import agree

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CASES: dict[str, Callable[[Any], Any]] = {}


def case(script: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[script.__name__] = script
    return script


def layers(T: Any, *kinds: str) -> list[Any]:
    return [getattr(T.nn, kind)() for kind in kinds]


def kinds(modules: Any) -> list[str]:
    return [type(m).__name__ for m in modules]


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
