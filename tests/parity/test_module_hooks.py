"""Hooks around forward and backward of modules, each as in PyTorch."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.parity.module_scripts import attempt, filled
from tests.parity.outcomes import agree

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CASES: dict[str, Callable[[Any], Any]] = {}


def case(script: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[script.__name__] = script
    return script


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


@pytest.mark.parametrize("name", sorted(CASES))
def test_like_pytorch(name: str) -> None:
    agree(CASES[name], torch, name)
