"""What PyTorch's own tests found: each line is asked of both, and the outcome is the same."""

import copy
import importlib
import io
import operator
import pickle
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
    "a list of slices": "t.arange(16.0).reshape(4, 4)[[slice(None), [2, 3]]]",
    "a list of lists": "t.arange(16.0).reshape(4, 4)[[[1, 2, 0], [0]]]",
    "a list of tensors": "t.arange(16.0).reshape(4, 4)[[t.tensor(1), t.tensor([1, 1])]]",
    "a list of None": "t.arange(4.0)[[None, 2]].shape",
    "a list of numbers": "t.arange(16.0).reshape(4, 4)[[1, 2]]",
    "many lists": "t.arange(16.0)[[[i % 3] for i in range(32)]].shape",
    "a list to write at": "(x := t.zeros(3, 3), x.__setitem__([[0, 1], [1, 1]], 2.0), x)[2]",
    "one place twice": "t.func.grad(t.mul, argnums=(0, -2))(t.tensor(2.0), t.tensor(3.0))",
    "no place": "t.func.grad(t.mul, argnums=())(t.tensor(2.0), t.tensor(3.0))",
    "out_dims too far": "vmap(lambda x: x, out_dims=3)(t.ones(2, 3))",
    "out_dims None": "vmap(lambda x: x, out_dims=None)(t.ones(2, 3))",
    "out_dims None for text": "vmap(lambda x: (x + 1, 'text', None), out_dims=(1, None, None))(t.ones(2, 3))",
    "one out_dims": "vmap(lambda x: x, out_dims=(1,))(t.ones(2, 3))",
    "chunks of nothing": "vmap(lambda x: x, chunk_size=0)(t.ones(2, 3))",
    "0-d examples": "vmap(t.add)(t.zeros(5, 3), t.ones(5, dtype=t.float64))",
    "0-d examples and a 0-d": "vmap(t.add, (0, None))(t.zeros(5), t.ones((), dtype=t.float64))",
    "0-d examples of integers": "vmap(t.mul)(t.ones(5, 3, dtype=t.uint8), t.ones(5, dtype=t.int64))",
    "a generator": "(g := t.Generator().manual_seed(3), vmap(lambda x: t.rand(2, generator=g))(t.ones(3)))",
    "a generator, the same": "(g := t.Generator().manual_seed(3), y := vmap(lambda x: t.rand(9, generator=g), "
    "randomness='same')(t.ones(3)), y == y[0])[2:]",
    "a generator, different": "(g := t.Generator().manual_seed(3), y := vmap(lambda x: t.rand(9, generator=g), "
    "randomness='different')(t.ones(3)), (y == y[0]).all(1))[2:]",
    "copied generators": "(g := t.Generator().manual_seed(3), t.rand(2, generator=g), [(type(h).__name__, "
    "h.initial_seed(), t.rand(3, generator=h) == t.rand(3, generator=g.clone_state())) for h in copies(g)])[2:]",
    "modules in two modes": "t.func.stack_module_state([t.nn.Linear(1, 1), t.nn.Linear(1, 1).eval()])",
    "one frozen": "t.func.stack_module_state([t.nn.Linear(1, 1), t.nn.Linear(1, 1).requires_grad_(False)])",
    "unique rows of NaN": "t.unique(t.tensor([1.0, nan, 0.0, nan]), dim=0, return_inverse=True, return_counts=True)",
    "unique columns": "t.unique(t.tensor([[1, 3, 1], [0, 2, 0]]), dim=1, return_inverse=True, return_counts=True)",
    "unique rows of none": "t.unique(t.zeros(0, 3), dim=0, return_inverse=True)",
    "strides of nothing": "[t.ones(4, 4)[i].stride() for i in ((slice(2, 2), slice(None, None, 2)), "
    "(slice(None), slice(2, 2)))] + [t.zeros(0, 3).stride(), t.ones(3, 4).t()[:0].stride()]",
    "draws of no rows": "[t.multinomial(t.ones(0, 3), 2, r).shape for r in (True, False)]",
    "empty in channels_last": "t.empty((2, 3, 4, 4), memory_format=t.channels_last).stride()",
    "4 axes are no volumes": "t.ones(2, 3, 1, 1).is_contiguous(memory_format=t.channels_last_3d)",
    "softplus by None": "t.nn.functional.softplus(t.ones(2), beta=None)",
    "scaled Bessel": "(lambda y: [round(v, 5) for v in y.tolist()])(t.special.i1e(t.tensor([inf, -inf, 0.5, -40.0])))",
    "saved by old keywords": "(b := io.BytesIO(), t.save([t.ones(2)], b, pickle_protocol=2), b.seek(0), t.load(b))[3]",
    "a class in a state dict": "(m := t.nn.Module(), m.register_buffer('b', t.ones(2).as_subclass(derived(t))), "
    "type(m.state_dict()['b']).__name__)[2]",
    "a class in a batch": "type(t.utils.data.default_collate([t.ones(2).as_subclass(derived(t))] * 2)).__name__",
    "the dict of a hook": "(m := t.nn.Linear(1, 1), len(m.register_forward_hook(print).hooks_dict_ref()))[1]",
    "a momentum that is a tensor": "(m := t.tensor(0.9), o := t.optim.SGD([t.nn.Parameter(t.ones(1))], 0.1, 0.9),"
    " t.optim.lr_scheduler.CyclicLR(o, 0.1, 0.2, max_momentum=m), m.mul_(0.5), o.param_groups[0]['max_momentum'])[4]",
    "a write to a view": "(a := t.ones(2, 2, requires_grad=True), b := t.tensor([5.0, 6.0], requires_grad=True),"
    " x := a * 1, times(t)(x[0], b), x.sum().backward(), a.grad, b.grad)[5:]",
    "a write below views": "(a := t.ones(2, 2, requires_grad=True), b := t.tensor([5.0, 6.0], "
    "requires_grad=True), x := a * 1, v := x[1], u := x[:, 0], times(t)(x, b), "
    "(x.sum() + v.sum() * 2 + u.sum() * 10).backward(), a.grad, b.grad)[7:]",
    "a write to a constant": "(b := t.tensor([5.0, 6.0], requires_grad=True), x := t.ones(2, 2), "
    "times(t)(x[0], b), x.sum().backward(), b.grad)[3:]",
    "a write, gradients retained": "(a := t.ones(2, requires_grad=True), x := a * 1, x.retain_grad(), "
    "times(t)(x, t.tensor([5.0, 6.0])), x.sum().backward(), a.grad, x.grad)[5:]",
    "random truth": "t.zeros(5, dtype=t.bool).random_().dtype == t.bool",
    "a chain of one": "t.chain_matmul(t.ones(2, 2))",
    "tensordot into": "t.tensordot(t.ones(2, 3), t.ones(3, 2), dims=1, out=t.zeros(2, 2))",
    "numbers of outputs": "[y.output_nr for y in (function(t)(t.ones(2, requires_grad=True)))[:4:3]]",
    "outputs that are no tensors": "(f := function(t), y := f(t.ones(2, requires_grad=True)), y[0].sum().backward(), "
    "f.seen, y)[3:]",
    "the class of an input": "type(function(t, lambda x: x)(t.ones(2).as_subclass(derived(t)))).__name__",
}  # fmt: skip


def function(t: Any, forward: Any = None) -> Any:
    """Return a function with a second argument that is left out, and where its gradients go."""
    seen: list[Any] = []

    class Own(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(x: Any, by: float = 3.0) -> Any:
            return forward(x) if forward else (x * by, None, 2, x + 1)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.by = inputs[1]

        @staticmethod
        def backward(ctx: Any, *g: Any) -> Any:
            seen.append([x is None for x in g])
            return g[0] * ctx.by, None

    call: Any = lambda x: Own.apply(x)  # noqa: E731
    call.seen = seen
    return call


def times(t: Any) -> Any:
    """Return multiplication in place, as a function with a backward of its own."""

    class Times(t.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x.clone(), y)
            ctx.mark_dirty(x)
            return x.mul_(y)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            return g * y, g * x

    return Times.apply


def derived(t: Any) -> Any:
    return type("Derived", (t.Tensor,), {})


def copies(x: Any) -> list[Any]:
    return [copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.clone_state()]


def outcome(t: Any, line: str) -> Any:
    names = {"t": t, "inf": float("inf"), "nan": float("nan"), "count": Counter.of, "call": t.func.functional_call}
    names |= {"vmap": t.func.vmap, "function": function, "copies": copies, "derived": derived, "times": times, "io": io}
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
    for method in (f"__{name}__", f"__r{name}__", f"__i{name}__")[: 2 if name == "matmul" else 3]:
        assert getattr(x, method)(object()) is getattr(torch.tensor([1, 2]), method)(object()) is NotImplemented
    with pytest.raises(TypeError):  # Python asks the reflected operator of the right operand only
        call(Theirs(), x)


@pytest.mark.parametrize("name", ["add", "mul", "matmul", "bitwise_and", "bitwise_left_shift"])
def test_functions_do_not_ask_other_classes(name: str) -> None:
    for t in (tl, torch):
        with pytest.raises(TypeError):
            getattr(t, name)(t.tensor([1, 2]), Theirs())


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


@pytest.mark.filterwarnings("ignore")  # PyTorch warns about itself
@pytest.mark.parametrize("name", ["grad", "hessian", "jacfwd", "jvp", "vjp"])
def test_transforms_differentiate_without_gradient_mode(name: str) -> None:
    outs = []
    for t in (tl, torch):
        x, one = t.tensor(2.0, requires_grad=True), t.tensor(1.0)
        transform = getattr(t.func, name)
        with t.no_grad():
            if name == "jvp":
                y = transform(t.sin, (x,), (one,))[1]
            else:
                y = transform(t.sin, x)[1](one)[0] if name == "vjp" else transform(t.sin)(x)
        outs.append((round(y.item(), 5), y.requires_grad))
    assert outs[0] == outs[1] and outs[0][0] and not outs[0][1]


def test_served_modules_do_not_replace_functions() -> None:
    from tinygrad_lite._tools.run import serving

    with serving():
        served = importlib.import_module("torch.autograd")
        importlib.import_module("torch.autograd.gradcheck")
        assert served.gradcheck is tl.autograd.gradcheck and isinstance(served.gradcheck, types.FunctionType)


@pytest.mark.parametrize(
    "path",
    """autograd.grad_mode.no_grad autograd.anomaly_mode.detect_anomaly autograd.function.InplaceFunction
    optim.adamw.AdamW optim.sparse_adam.SparseAdam nn.common_types._size_2_t""".split(),
)
def test_names_are_found_where_pytorch_keeps_them(path: str) -> None:
    module, _, name = path.rpartition(".")
    for package in ("torch", "tinygrad_lite"):
        assert hasattr(importlib.import_module(f"{package}.{module}"), name)
