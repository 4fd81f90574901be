"""Classes derived from Tensor, objects with ``__torch_function__`` and modes: the same calls give the same classes."""

import copy
import functools
import inspect

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite.engine import overriding

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def only_here():
    yield
    overriding.end()


CALLS = {
    name: eval(f"lambda lib, F, x: {text}")
    for name, text in {
        "operators": "[x + 1, 1 + x, x * x, -x, x @ x.t(), x > 0, x ** 2, 2 / (x + 1)]",
        "functions": "[lib.exp(x), lib.cat([x, lib.ones(1, 3)]), lib.where(x > 0, x, 0 * x), lib.add(x, 1, alpha=2)]",
        "shapes": "[x.view(-1), x.reshape(3, 2), x.t(), x.T, x[0], x[:, [0]], x.unsqueeze(0), x.expand(2, 3)]",
        "several": "[*x.max(0), *x.sort(), *x.split(1), *x.unbind(), *x.topk(2)]",
        "factories": "[lib.zeros_like(x), x.new_ones(2), x.clone(), x.detach(), x.data, x.to(lib.float64), x.float()]",
        "in place": "[x.clone().add_(1), x.clone().zero_(), x.clone().fill_(3.0)]",
        "layers": "[F.relu(x), F.softmax(x, dim=0), F.linear(x, lib.ones(2, 3)), F.layer_norm(x, (3,)),"
        "lib.nn.Linear(3, 2)(x)]",
        "losses": "[F.mse_loss(x, lib.ones(2, 3)), F.cross_entropy(x, lib.tensor([0, 1]))]",
        "beside a parameter": "[x * lib.nn.Parameter(lib.ones(3)), lib.nn.Parameter(lib.ones(3)) + 1]",
        "iteration": "list(x)",
        "numbers": "[x.tolist(), x.sum().item(), x.numpy(), x.shape, str(x), repr(x.sum())]",
    }.items()
}


@pytest.mark.parametrize("name", CALLS)
def test_results_have_the_class_of_the_operand(name):
    answers = []
    for lib in (torch, tl):
        own = type("Own", (lib.Tensor,), {})
        x = lib.arange(6.0).reshape(2, 3).as_subclass(own)
        made = CALLS[name](lib, lib.nn.functional, x)
        answers.append([(type(v).__name__, tuple(np.shape(v))) for v in made])
        if name == "numbers":
            answers[-1].append(made[-2:])
    assert answers[0] == answers[1]


def with_metadata(lib):
    class Marked(lib.Tensor):
        def __new__(cls, data, mark=None):
            return super().__new__(cls, data)

        def __init__(self, data, mark=None):
            self.mark = mark

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            out = super().__torch_function__(func, types, args, kwargs or {})
            if isinstance(out, cls):
                out.mark = next(a.mark for a in args if isinstance(a, cls))
            return out

    a = Marked([[1.0, 2.0]], mark="first")
    b = (a + 1) @ a.t()
    return type(b).__name__, b.mark, b.tolist(), a.mark


def derived_twice(lib):
    first = type("First", (lib.Tensor,), {})
    second = type("Second", (first,), {})
    other = type("Other", (lib.Tensor,), {})
    x, y = lib.ones(2).as_subclass(first), lib.ones(2).as_subclass(second)
    kinds = [type(x + y).__name__, type(y + x).__name__, type(x.as_subclass(lib.Tensor)).__name__]
    with pytest.raises(TypeError):
        _ = lib.ones(2).as_subclass(other) + x
    return kinds


def gradients(lib):
    own = type("Own", (lib.Tensor,), {})
    x = lib.ones(2).as_subclass(own).requires_grad_()
    (x * x).sum().backward()
    (g,) = lib.autograd.grad((x * x).sum(), x)
    return type(x.grad).__name__, x.grad.tolist(), g.tolist()


def own_parameter(lib):
    class Named(lib.nn.Parameter):
        def __new__(cls, data, requires_grad=True, label=""):
            p = super().__new__(cls, data, requires_grad)
            p.label = label
            return p

        def __init__(self, *args, **words):
            pass

    m = lib.nn.Module()
    m.w = Named(lib.ones(2), label="w")
    return m.w.label, [n for n, _ in m.named_parameters()], type(m.w * 2).__name__, m.w.requires_grad


class Diagonal:
    """A number times the identity, as in PyTorch's notes on extending it."""

    handled = {}

    def __init__(self, size, value):
        self.size, self.value = size, value

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func not in cls.handled:
            return NotImplemented
        return cls.handled[func](*args, **(kwargs or {}))


def no_tensor_at_all(lib):
    Diagonal.handled = {
        lib.mean: lambda a: a.value / a.size,
        lib.add: lambda a, b: ("add", type(a).__name__, type(b).__name__),
        lib.cat: lambda parts: len(parts),
        lib.nn.functional.softmax: lambda a, dim=None, **_: dim,
    }
    d = Diagonal(4, 2.0)
    return (
        lib.mean(d), lib.add(d, lib.ones(1)), lib.add(lib.ones(1), d), lib.cat([d, d]),
        lib.nn.functional.softmax(d, dim=1),
    )  # fmt: skip


def refused(lib):
    Diagonal.handled = {}
    with pytest.raises(TypeError, match="Multiple dispatch failed"):
        lib.mul(Diagonal(1, 1.0), 2)


def modes(lib):
    seen = []

    class Seen(lib.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            return func(*args, **(kwargs or {}))

    with Seen():
        with Seen():
            lib.ones(2)
        y = lib.zeros(2).exp()
    lib.ones(2).sin()
    return seen, y.tolist()


def names_of_operators(lib):
    seen = []

    class Seen(lib.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append((func.__name__, func is lib.Tensor.add_))
            return super().__torch_function__(func, types, args, kwargs or {})

    x = lib.ones(2).as_subclass(Seen)
    x == x, 1 - x, 1 / x, 2**x, 5 // x, 5 % x  # noqa: B015, B018
    x += 1
    x *= 2
    return seen


def creation(lib):
    class Double(lib.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return func(*args, **{"dtype": lib.float64, **(kwargs or {})})

    with Double():
        made = lib.tensor([1.0]), lib.as_tensor([1.0]), lib.ones(1)
    own = type("Own", (lib.Tensor,), {})
    x = lib.ones(1).as_subclass(own)
    return [str(t.dtype)[-7:] for t in made], type(lib.tensor([x[0], 1.0])).__name__


def questions(lib):
    own = type("Own", (lib.Tensor,), {})
    x, o = lib.ones(2).as_subclass(own), lib.overrides
    with lib._C.DisableTorchFunctionSubclass():
        inside = type(x + 1).__name__, o.has_torch_function((x,))
    return inside, o.has_torch_function((x, 1)), o.has_torch_function_unary(lib.ones(1)), o.is_tensor_like(x)


def own_function(lib):
    o = lib.overrides

    def double(a):
        return o.handle_torch_function(double, (a,), a) if o.has_torch_function_unary(a) else a * 2

    Diagonal.handled = {double: lambda a: Diagonal(a.size, 2 * a.value)}
    return double(Diagonal(2, 3.0)).value, double(4)


@pytest.mark.parametrize("program", [
    with_metadata, derived_twice, gradients, own_parameter, no_tensor_at_all, refused, modes, questions, own_function,
    names_of_operators, creation,
])  # fmt: skip
def test_programs(program):
    assert program(torch) == program(tl)


def test_copies_keep_the_class_and_its_attributes():
    own = type("Own", (tl.Tensor,), {})
    x = tl.ones(2).as_subclass(own)
    x.note = [1]
    for copied in (copy.deepcopy(x), copy.copy(x)):
        assert type(copied) is own and vars(copied) == {"note": [1]}


def test_plain_tensors_and_functions_are_the_same_afterwards():
    before = tl.exp.__code__, inspect.signature(tl.add), tl.mean.__defaults__
    type("Own", (tl.Tensor,), {})
    assert type(tl.ones(2).exp() + 1) is tl.Tensor and inspect.signature(tl.add) == before[1]
    assert type(functools.reduce(tl.add, [tl.ones(1)] * 3)) is tl.Tensor
    overriding.end()
    assert (tl.exp.__code__, inspect.signature(tl.add), tl.mean.__defaults__) == before
    assert not overriding.BEFORE
