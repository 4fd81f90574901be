"""One pass for many examples gives what one pass per example gives: every op, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.autograd.registry_calls import OPS, calls, floating, outputs
from tinygrad_lite.engine.batch import Unbatchable
from tinygrad_lite.engine.mode import Observer, switch
from tinygrad_lite.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, stack_module_state, vjp, vmap

rng = np.random.default_rng(0)


def close(a: Any, b: Any) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", OPS)
def test_every_op_on_batches_is_the_loop(name: str) -> None:
    for call, arrays, kw in calls(name):
        for i in floating(arrays)[:2]:
            noise = 1 + 1e-3 * rng.normal(size=(3, *arrays[i].shape))
            many = tl.tensor(np.clip(arrays[i] * noise, arrays[i].min(), arrays[i].max()))

            def one(x: Any, i: int = i, call: Any = call, arrays: Any = arrays, kw: Any = kw) -> Any:
                given = [x if j == i else tl.tensor(a) for j, a in enumerate(arrays)]
                return tuple(outputs(call(*given, **kw)))

            loop = [one(many[k]) for k in range(3)]
            for k, out in enumerate(vmap(one)(many)):
                close(out, tl.stack([row[k] for row in loop]))


@pytest.mark.parametrize("name", OPS)
def test_many_gradients_in_one_backward_pass_are_the_loop(name: str) -> None:
    for call, arrays, kw in calls(name):
        leaves = [tl.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
        ins = [t for t in leaves if t.requires_grad]
        for out in outputs(call(*leaves, **kw)):
            if not out.requires_grad:
                continue
            seeds = tl.tensor(rng.normal(size=(3, *out.shape)))
            words = {"retain_graph": True, "materialize_grads": True}
            together = tl.grad(out, ins, seeds, is_grads_batched=True, **words)
            one_by_one = [tl.grad(out, ins, seeds[k], **words) for k in range(3)]
            for i, g in enumerate(together):
                close(g, tl.stack([row[i] for row in one_by_one]))
            if np.isfinite(sum(float(g.abs().sum()) for g in together)):
                again = tl.grad(out, ins, seeds, is_grads_batched=True, create_graph=True, **words)
                for g, h in zip(together, again, strict=True):
                    close(g, h)


class Counter(Observer):
    """An observer that counts how often a rule ran."""

    def __init__(self) -> None:
        self.rules = 0

    def pulled(self, *_: Any) -> None:
        self.rules += 1


def test_a_jacobian_of_300_rows_is_one_backward_pass() -> None:
    W, x = tl.tensor(rng.normal(size=(300, 300)) / 17), tl.tensor(rng.normal(size=300), requires_grad=True)
    y = (W @ x).tanh() * x.exp()
    counter = Counter()
    with switch(observers=(counter,)):
        (J,) = tl.grad(y, x, tl.eye(300, dtype=tl.float64), is_grads_batched=True, retain_graph=True)
    assert counter.rules <= 6
    rows = [tl.grad(y, x, tl.eye(300, dtype=tl.float64)[k], retain_graph=True)[0] for k in range(0, 300, 37)]
    close(J[::37], tl.stack(rows))


def test_batched_gradients_free_the_graph_unless_retained() -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    tl.grad(y, x, tl.eye(2), is_grads_batched=True, retain_graph=True)
    tl.grad(y, x, tl.eye(2), is_grads_batched=True)
    with pytest.raises(RuntimeError, match="retain_graph"):
        tl.grad(y, x, tl.eye(2), is_grads_batched=True)


def test_batched_gradients_have_to_have_the_shape_of_the_output_behind_one_axis() -> None:
    x = tl.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="one more axis in front"):
        tl.grad(x * x, x, tl.ones(2), is_grads_batched=True)


def test_code_that_looks_at_numbers_runs_example_by_example() -> None:
    x = tl.tensor([-1.0, 2.0, -3.0])
    assert vmap(lambda v: v * 2 if v > 0 else -v)(x).tolist() == [1.0, 4.0, 3.0]
    assert vmap(grad(lambda v: v * 2 if v.item() > 0 else -v))(x).tolist() == [-1.0, 2.0, -1.0]
    assert vmap(lambda v: tl.tensor(np.asarray(v.tolist())))(x).tolist() == [-1.0, 2.0, -3.0]


def test_a_batch_left_over_says_what_it_is() -> None:
    kept: list[Any] = []
    vmap(lambda v: kept.append(v) or v)(tl.ones(2))
    with pytest.raises(Unbatchable, match="inside vmap"):
        kept[0].item()


def test_per_example_gradients_of_a_network() -> None:
    net = tl.nn.Sequential(tl.nn.Linear(3, 4), tl.nn.Tanh(), tl.nn.Linear(4, 1))
    x, y = tl.tensor(rng.normal(size=(5, 3)).astype(np.float32)), tl.tensor(rng.normal(size=(5, 1)).astype(np.float32))
    params = {name: p.detach() for name, p in net.named_parameters()}

    def loss(params: Any, x: Any, y: Any) -> Any:
        return ((functional_call(net, params, (x,)) - y) ** 2).sum()

    each = vmap(grad(loss), in_dims=(None, 0, 0))(params, x, y)
    for i in range(5):
        net.zero_grad()
        ((net(x[i]) - y[i]) ** 2).sum().backward()
        for name, p in net.named_parameters():
            np.testing.assert_allclose(each[name][i].numpy(), p.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_an_ensemble_is_one_call() -> None:
    nets = [tl.nn.Linear(3, 2) for _ in range(4)]
    x = tl.tensor(rng.normal(size=(5, 3)).astype(np.float32))
    params, buffers = stack_module_state(nets)
    out = vmap(lambda p, b: functional_call(nets[0], (p, b), (x,)))(params, buffers)
    np.testing.assert_allclose(out.detach().numpy(), np.stack([n(x).detach().numpy() for n in nets]), rtol=1e-6)
    assert all(not isinstance(p, dict) for p in nets[0].parameters())


def test_functional_call_leaves_the_module_as_it_was() -> None:
    net = tl.nn.Linear(2, 2)
    before = dict(net.named_parameters())
    with pytest.raises(RuntimeError):
        functional_call(net, {"weight": tl.ones(7, 7)}, (tl.ones(1, 2),))
    with pytest.raises(RuntimeError, match="unexpected names"):
        functional_call(net, {**before, "wight": tl.ones(2, 2)}, (tl.ones(1, 2),), strict=True)
    with pytest.raises(RuntimeError, match="missing names"):
        functional_call(net, {"weight": tl.ones(2, 2)}, (tl.ones(1, 2),), strict=True)
    assert all(before[name] is p for name, p in net.named_parameters())


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda: vmap(lambda a, b: a + b)(tl.ones(2), tl.ones(3)), "different lengths"),
        (lambda: vmap(lambda a: a, in_dims=None)(tl.ones(2)), "all None"),
        (lambda: vmap(lambda a: a, in_dims=2)(tl.ones(2)), "does not exist"),
        (lambda: vmap(lambda a: a)(3.0), "does not exist"),
        (lambda: vmap(lambda a: a * a.item())(tl.ones(0)), "no example"),
        (lambda: vmap(lambda a: 3)(tl.ones(2)), "must return tensors"),
        (lambda: grad(lambda a: a)(tl.ones(2)), "scalar"),
        (lambda: grad(lambda a: a, argnums=1)(tl.ones(2)), "argnums"),
        (lambda: grad(lambda a: a.sum())(tl.tensor([1, 2])), "floating"),
        (lambda: jacrev(lambda a: 3)(tl.ones(2)), "must return tensors"),
        (lambda: jvp(lambda a: a, (tl.ones(2),), (tl.ones(3),)), "tangents"),
        (lambda: vjp(lambda a: a, tl.ones(2))[1](tl.ones(3)), "shape"),
    ],
)
def test_wrong_use(wrong: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError, RuntimeError), match=text):
        wrong()


def test_results_have_history_only_if_it_may_be_needed_outside() -> None:
    x = tl.tensor([1.0, 2.0])
    assert not grad(lambda v: (v**3).sum())(x).requires_grad
    assert not jacrev(lambda v: v**3)(x).requires_grad
    w = tl.tensor(2.0, requires_grad=True)
    g = grad(lambda v: (w * v**3).sum())(x)
    (dw,) = tl.grad(g.sum(), w)
    assert dw.item() == pytest.approx(15.0)
    tracked = tl.tensor([1.0, 2.0], requires_grad=True)
    (second,) = tl.grad(grad(lambda v: (v**3).sum())(tracked).sum(), tracked)
    assert second.tolist() == [6.0, 12.0]


def test_all_ways_to_a_second_derivative_agree() -> None:
    W, x = tl.tensor(rng.normal(size=(3, 3))), tl.tensor(rng.normal(size=3))

    def f(x: Any) -> Any:
        return ((W @ x).tanh() * x).sum()

    expected = hessian(f)(x)
    for other in (jacfwd(grad(f)), jacrev(grad(f)), jacfwd(jacfwd(f)), jacrev(jacfwd(f))):
        close(other(x), expected)
    close(tl.autograd.functional.hessian(f, x), expected)
    close(tl.autograd.functional.hessian(f, x, vectorize=False), expected)
    close(tl.autograd.functional.jacobian(grad(f), x, strategy="forward-mode"), expected)
    v = tl.tensor(rng.normal(size=3))
    close(tl.autograd.functional.hvp(f, x, v)[1], expected @ v)
    close(tl.autograd.functional.vhp(f, x, v)[1], v @ expected)
    close(jvp(grad(f), (x,), (v,))[1], expected @ v)
    close(vjp(grad(f), x)[1](v)[0], v @ expected)


def test_chunks_change_nothing() -> None:
    x = tl.tensor(rng.normal(size=5))
    close(jacrev(lambda v: v.sin() * v.sum(), chunk_size=2)(x), jacrev(lambda v: v.sin() * v.sum())(x))
    m = tl.tensor(rng.normal(size=(5, 2)))
    close(vmap(lambda v: v.sin(), chunk_size=2)(m), m.sin())


def test_transforms_inside_vmap_are_the_loop() -> None:
    W, X = tl.tensor(rng.normal(size=(2, 3))), tl.tensor(rng.normal(size=(4, 3)))

    def f(x: Any) -> Any:
        return (W @ x).tanh() * x.sum()

    def slope(x: Any) -> Any:
        return jvp(f, (x,), (X[0],))[1]

    for transformed in (
        jacrev(f),
        jacfwd(f),
        hessian(f),
        slope,
        vmap(lambda v: v * 2),
        lambda x: vjp(f, x)[1](W[:, 0])[0],
    ):
        close(vmap(transformed)(X), tl.stack([transformed(X[i]) for i in range(4)]))


@pytest.mark.parametrize("way", ["add_", "mul_", "copy_", "fill_", "[0] =", "+="])
def test_values_of_examples_are_not_written_into_what_they_share(way):
    shared = tl.zeros(3)

    def each(x):
        y = shared
        if way == "[0] =":
            y[0] = x.sum()
        elif way == "+=":
            y += x
        else:
            getattr(y, way)(x.sum() if way == "fill_" else x)
        return x

    with pytest.raises(RuntimeError, match=r"vmap: \w+ would write a value of each example into a tensor that all"):
        vmap(each)(tl.ones(2, 3))
    assert not shared.any()
    own = vmap(lambda x: x.clone().add_(x))(tl.ones(2, 3))
    assert own.tolist() == [[2.0] * 3] * 2
