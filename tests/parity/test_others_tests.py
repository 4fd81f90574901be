"""What PyTorch's own tests found: each line is asked of both, and the outcome is the same."""

import importlib
import operator
import types
import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")


class Theirs:
    """Answers every operator of a tensor from its own side."""


OPERATORS = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
for _name in OPERATORS:
    setattr(Theirs, f"__r{_name}__", lambda self, other, name=_name: ("mine", name))
for _name, _word in (("eq", "eq"), ("ne", "ne"), ("lt", "gt"), ("le", "ge")):
    setattr(Theirs, f"__{_name}__", lambda self, other, word=_name: ("mine", word))
    setattr(Theirs, f"__{_word}__", lambda self, other, word=_word: ("mine", word))


class Counter:
    """Makes a module that counts its calls in a buffer."""

    @staticmethod
    def of(t: Any) -> Any:
        class Count(t.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.register_buffer("n", t.zeros(1))
                self.plain = t.ones(2)
                self.text = "no tensor"

            def forward(self, x: Any) -> Any:
                self.n = self.n + 1
                return x * self.plain + self.n

        return Count()


LINES = {
    "gradient": "t.gradient(t.tensor([2.0, inf, inf, -inf, 3.0, nan, 1.0, 4.0]), spacing=2.0)",
    "gradient at infinity": "t.gradient(t.tensor([1.0, inf, 3.0, 4.0]), edge_order=2)",
    "mask": "t.zeros(3).index_put_((t.tensor([0, 1, 1], dtype=t.uint8),), t.tensor([8.0, 9.0]))",
    "mask added": "t.ones(2, 2).index_put((t.tensor([0, 1], dtype=t.uint8),), t.ones(1, 2), accumulate=True)",
    "arange into": "(x := t.zeros(2, 3), t.arange(4, out=x[:, 1:]), x)[2]",
    "linspace into": "(x := t.zeros(2, 3), t.linspace(1, 4, 4, out=x[:, 1:]), x)[2]",
    "logspace into": "(x := t.zeros(2, 3), t.logspace(0, 3, 4, out=x[:, :2]), x)[2]",
    "any of bytes": "t.tensor([[0, 2], [0, 0]], dtype=t.uint8).any(1)",
    "all of bytes": "t.tensor([[0, 2], [1, 3]], dtype=t.uint8).all(1, keepdim=True)",
    "all of none": "t.zeros(2, 0, 4, dtype=t.uint8).all(1)",
    "all of all": "t.ones(2, dtype=t.uint8).all()",
    "combinations of 0": "t.combinations(t.tensor([1, 2, 3]), 0)",
    "narrow at a float": "t.ones(3).narrow(0, t.tensor(1.0), 1)",
    "narrow at a vector": "t.ones(3).narrow(0, t.tensor([1]), 1)",
    "narrow at a truth value": "t.ones(3).narrow(0, t.tensor(True), 1)",
    "flip nothing": "t.ones(3).flip()",
    "split in 1.1": "t.tensor_split(t.ones(3), t.tensor(1.1))",
    "split at .5": "t.tensor_split(t.ones(3), t.tensor([0.5]))",
    "meshgrid of two dtypes": "t.meshgrid(t.tensor([1]), t.tensor([1.0]), indexing='ij')",
    "heaviside of two dtypes": "t.heaviside(t.ones(2), t.ones(2, dtype=t.float64))",
    "topk by a truth value": "t.ones(3, 2).topk(1, True)",
    "two slices of a number": "t.index_select(t.tensor(1.0), 0, t.tensor([0, 0]))",
    "one slice of a number": "t.index_select(t.tensor(1.0), 0, t.tensor([0]))",
    "buffers of a call": "(m := count(t), d := {'n': t.tensor([2.0])}, call(m, d, t.ones(2)), d['n'], m.n)[2:]",
    "other tensors": "(m := count(t), call(m, {'plain': t.zeros(2)}, t.ones(2)), m.plain)[1:]",
    "new attribute": "(m := count(t), call(m, {'more': t.zeros(2)}, t.ones(2)), hasattr(m, 'more'))[1:]",
    "no tensor": "call(count(t), {'text': t.ones(2)}, t.ones(2))",
    "no such module": "call(count(t), {'a.b': t.ones(2)}, t.ones(2))",
    "steep logits": "[t.distributions.ContinuousBernoulli(logits=t.tensor([l])).log_prob(t.tensor([1.0])).item() > 2.7 "
    "for l in (50.0, 1e4)]",
    "entropy without a carrier": "(d := t.distributions, d.ExponentialFamily.entropy(d.Beta(t.ones(2), t.ones(2))))",
    "cholesky_ex": "(r := t.linalg.cholesky_ex(t.stack([t.eye(3), -t.eye(3)])), r.info, r.L[0].abs())[1:]",
    "a minor": "t.linalg.cholesky_ex(t.diag(t.tensor([1.0, 2.0, -1.0, 1.0]))).info",
    "inv_ex": "(lambda r: (r.info, r.inverse[1]))(t.linalg.inv_ex(t.stack([t.diag(t.tensor([1.0, 2, 0])), t.eye(3)])))",
    "cond of nothing": "(t.linalg.cond(t.zeros(0, 0)), t.linalg.cond(t.zeros(2, 0, 0), 1))",
    "baddbmm of two dtypes": "t.baddbmm(t.ones(1, 2, 2, dtype=t.int64), t.ones(1, 2, 2), t.ones(1, 2, 2))",
    "addbmm of two dtypes": "t.addbmm(t.ones(2, 2, dtype=t.int64), t.ones(1, 2, 2), t.ones(1, 2, 2))",
    "packed": "[getattr(pack([t.ones(2)]), n)().data for n in ('half', 'long', 'int', 'short', 'char', 'byte')]",
}  # fmt: skip


def outcome(t: Any, line: str) -> Any:
    names = {"t": t, "inf": float("inf"), "nan": float("nan"), "count": Counter.of, "call": t.func.functional_call}
    names["pack"] = t.nn.utils.rnn.pack_sequence
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(eval(line, names))
        except Exception:
            return "an error"


def plain(x: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return [plain(i) for i in x]
    return (str(x.dtype), tuple(x.shape), np.asarray(x.detach()).tolist()) if hasattr(x, "detach") else x


@pytest.mark.parametrize("name", LINES)
def test_same_outcome(name: str) -> None:
    np.testing.assert_equal(outcome(tl, LINES[name]), outcome(torch, LINES[name]))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_other_classes_are_asked(name: str) -> None:
    call = getattr(operator, f"{name}_" if name in ("and", "or") else name)
    x: Any = tl.tensor([1, 2])
    assert call(x, Theirs()) == call(torch.tensor([1, 2]), Theirs()) == ("mine", name)
    with pytest.raises(TypeError):
        call(x, object())


@pytest.mark.parametrize("name", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_comparisons_of_other_classes_are_asked(name: str) -> None:
    call = getattr(operator, name)
    x: Any = tl.tensor([1, 2])
    assert call(x, Theirs()) == call(torch.tensor([1, 2]), Theirs())
    if name in ("eq", "ne"):
        assert call(x, object()) is (name == "ne")
    else:
        with pytest.raises(TypeError):
            call(x, object())


@pytest.mark.parametrize("name", ["jacobian", "hessian"])
def test_a_graph_is_made_without_gradient_mode(name: str) -> None:
    for t in (tl, torch):
        with t.no_grad():
            compute = getattr(t.autograd.functional, name)
            made = [compute(lambda x: (x**3).sum(), t.ones(2), create_graph=c).requires_grad for c in (True, False)]
        assert made == [True, False]


def test_a_class_behind_module_is_constructed_on_request() -> None:
    class Mixed:
        def __init__(self) -> None:
            self.mixed = True

    class Net(tl.nn.Module, Mixed):
        call_super_init = True

    class Plain(tl.nn.Module, Mixed):
        pass

    assert Net().mixed and not hasattr(Plain(), "mixed")


def test_tied_tensors_get_one_value() -> None:
    net = tl.nn.Linear(2, 2, bias=False)
    net.tied = net.weight
    with pytest.raises(ValueError, match="one tensor"):
        tl.func.functional_call(net, {"weight": tl.ones(2, 2), "tied": tl.ones(2, 2)}, tl.ones(1, 2))


def test_modules_without_a_spec_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinygrad_lite._tools.run import serving

    made = types.ModuleType("tinygrad_lite.made")  # in sys.modules, without a spec
    monkeypatch.setitem(__import__("sys").modules, "tinygrad_lite.made", made)
    with serving():
        assert importlib.import_module("torch.made") is made
