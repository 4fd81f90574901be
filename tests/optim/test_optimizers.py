"""Optimisers: groups, state, errors that change nothing, exact zeros, memory."""

import copy
import inspect
import pickle
import tracemalloc

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import optim
from tinygrad_lite.errors import DTypeError, GradientError, ShapeError

ALL = [
    c
    for c in vars(optim).values()
    if inspect.isclass(c) and issubclass(c, optim.Optimizer) and c is not optim.Optimizer
]
STEPPING = [c for c in ALL if c is not optim.LBFGS]


def parameter(*values, dtype="f8"):
    return tl.tensor(np.array(values, dtype), requires_grad=True)


def with_gradient(*values, g=1.0):
    p = parameter(*values)
    p.grad = tl.tensor(np.full(len(values), g))
    return p


@pytest.mark.parametrize("kind", ALL)
def test_goes_downhill(kind):
    p = parameter(3.0, -2.0)
    optimizer = kind([p], lr=10.0 if kind is optim.Adadelta else 0.1)

    def closure():
        optimizer.zero_grad()
        loss = ((p - 1) ** 2).sum()
        loss.backward()
        return loss

    before = closure().item()
    for _ in range(30):
        assert optimizer.step(closure) is not None
    assert closure().item() < before * 0.99


@pytest.mark.parametrize("kind", STEPPING)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_dtype_shape_and_memory_stay(kind, dtype):
    for values in (
        np.array(2.0, dtype),
        np.zeros((0, 3), dtype),
        np.ones((2, 3), dtype),
        np.ones((4, 6), dtype)[::2, ::-3],
    ):
        p = tl.tensor(0.0, requires_grad=True)
        p.data = tl.from_numpy(values)
        p.grad = tl.tensor(np.ones(values.shape, dtype))
        optimizer = kind([p])
        optimizer.step()
        optimizer.step()
        assert p.array is values and p.dtype == np.dtype(dtype)
        assert all(
            s.dtype == p.dtype for k, s in optimizer.state[p].items() if k != "step" and isinstance(s, tl.Tensor)
        )
        assert not values.size or (values != 2.0).all()


@pytest.mark.parametrize("kind", [k for k in STEPPING if k is not optim.Adafactor])  # it needs whole rows and columns
def test_a_step_leaves_no_memory_behind(kind):
    """A step allocates no array of the size of a large parameter, which is updated in pieces."""
    p = parameter(*np.ones(400_000))
    p.grad = tl.tensor(np.ones(400_000))
    optimizer = kind([p])
    tracemalloc.start()
    optimizer.step()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(3):
        optimizer.step()
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    state = sum(s.nbytes for s in optimizer.state[p].values() if isinstance(s, tl.Tensor))
    assert before - state < 2_000_000, "state and the scratch of one piece"
    assert after - before < 10_000 and peak - before < 800_000


def test_a_parameter_without_gradient_is_unchanged():
    p, q = with_gradient(1.0), parameter(1.0)
    optimizer = optim.Adam([p, q])
    optimizer.step()
    assert q.tolist() == [1.0] and q not in optimizer.state and optimizer.state[p]["step"] == 1
    assert optimizer.state[q] == {}
    q.grad = p.grad
    optimizer.step()
    assert optimizer.state[q]["step"] == 1


# ------------------------------------------------------------------------------------------------ groups
def test_groups():
    p, q, r = with_gradient(1.0), with_gradient(1.0), with_gradient(1.0)
    optimizer = optim.SGD([{"params": [p]}, {"params": q, "lr": 0.5}], lr=0.25)
    optimizer.add_param_group({"params": [r], "lr": 0.125})
    optimizer.step()
    assert [t.item() for t in (p, q, r)] == [0.75, 0.5, 0.875]
    assert "lr: 0.5" in repr(optimizer) and repr(optimizer).startswith("SGD (\nParameter Group 0")


def test_named_parameters():
    p, q = with_gradient(1.0), with_gradient(1.0)
    optimizer = optim.SGD([("a", p), ("b", q)], lr=0.5)
    assert optimizer.param_groups[0]["param_names"] == ["a", "b"]
    optimizer.step()
    assert p.item() == 0.5


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, "empty parameter list"),
        (tl.ones(2), TypeError, "iterable"),
        (3, TypeError, "iterable"),
        ("weights", TypeError, "iterable"),
        ([1.0], TypeError, "only optimize Tensors"),
        ([np.ones(2)], TypeError, "only optimize Tensors"),
        ([tl.ones(2, requires_grad=True) * 2], ValueError, "non-leaf"),
        ([tl.tensor([1, 2])], DTypeError, "floating"),
        ([{"params": {tl.ones(2)}}], TypeError, "ordered"),
        ([{"lr": 1.0}], KeyError, "params"),
        ([{"params": [tl.ones(2)], "lr": -1.0}], ValueError, "learning rate"),
        ([{"params": [tl.ones(2)], "l1": -1.0}], ValueError, "l1"),
    ],
)
def test_wrong_parameters(params, error, message):
    with pytest.raises(error, match=message):
        optim.SGD(params, lr=0.1)


def test_a_parameter_twice():
    p = parameter(1.0)
    with pytest.raises(ValueError, match="more than one"):
        optim.SGD([{"params": [p]}, {"params": [p]}], lr=0.1)
    with pytest.warns(UserWarning, match="duplicate"):
        optim.SGD([p, p], lr=0.1)


def test_options_of_pytorch_accepted_or_refused():
    optim.SGD([parameter(1.0)], lr=tl.tensor([0.1]), foreach=True, fused=False)
    assert optim.Adam([parameter(1.0)], betas=[0.5, 0.9]).param_groups[0]["betas"] == (0.5, 0.9)
    with pytest.raises(NotImplementedError, match="differentiable"):
        optim.Adam([parameter(1.0)], differentiable=True)
    with pytest.raises(ValueError, match="groups"):
        optim.LBFGS([{"params": [parameter(1.0)]}, {"params": [parameter(1.0)]}])
    with pytest.raises(TypeError, match="closure"):
        optim.LBFGS([parameter(1.0)]).step()
    with pytest.raises(ValueError, match="line_search_fn"):
        optim.LBFGS([parameter(1.0)], line_search_fn="golden")


# ------------------------------------------------------------------------------------------------ wrong gradients
@pytest.mark.parametrize("kind", STEPPING)
def test_a_gradient_that_does_not_fit_changes_nothing(kind):
    p, q = with_gradient(1.0, 2.0), parameter(1.0, 2.0)
    optimizer = kind([{"params": [p]}, {"params": [q]}])
    optimizer.step()
    before = copy.deepcopy(optimizer.state_dict()["state"]), p.tolist()
    q.grad = tl.tensor(np.ones(2))
    q.data = tl.tensor(np.ones(3))
    with pytest.raises(ShapeError, match=kind.__name__):
        optimizer.step()
    assert p.tolist() == before[1] and repr(optimizer.state_dict()["state"]) == repr(before[0])


def test_read_only_parameters():
    p = with_gradient(1.0)
    p.array.flags.writeable = False
    q = with_gradient(1.0)
    with pytest.raises(ValueError, match=r"SGD: .* lies in read-only memory"):
        optim.SGD([q, p], lr=0.1).step()
    assert q.tolist() == [1.0]


def test_backward_through_a_changed_parameter_is_refused():
    p = parameter(1.0, 2.0)
    loss = (p * p).sum()
    loss.backward(retain_graph=True)
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(GradientError, match="changed in place"):
        loss.backward()


@pytest.mark.parametrize("kind", STEPPING)
def test_every_step_counts_as_a_change(kind):
    p = with_gradient(1.0, 2.0)
    optimizer = kind([p])
    optimizer.step()
    loss = (p * p).sum()
    version = p._version
    optimizer.step()
    assert p._version == version + 1
    with pytest.raises(GradientError, match=r"changed by .*optimizer\.step\(\)"):
        loss.backward()


def test_state_that_is_cleared_or_moved_to_another_parameter():
    """As in scripts that reset momentum or replace a parameter."""
    p = with_gradient(1.0)
    optimizer = optim.SGD([p], lr=0.5, momentum=0.5)
    optimizer.step()
    optimizer.state.clear()
    optimizer.step()
    assert optimizer.state[p]["momentum_buffer"].tolist() == [1.0] and p.tolist() == [0.0]
    q = with_gradient(0.0, 0.0)
    moved = optimizer.state.pop(p)
    moved["momentum_buffer"] = tl.tensor(np.array([4.0, 0.0]))
    optimizer.param_groups[0]["params"][0] = q
    optimizer.state[q] = moved
    optimizer.step()
    assert q.tolist() == [-1.5, -0.5] and optimizer.state[q]["step"] == 2


def test_a_parameter_with_a_new_array():
    """Another array behind the same parameter, as loading a state does."""
    p = with_gradient(1.0)
    optimizer = optim.SGD([p], lr=0.5, momentum=0.5)
    optimizer.step()
    p.data = tl.tensor(np.array([10.0]))
    optimizer.step()
    assert p.item() == 9.25


# ------------------------------------------------------------------------------------------------ zero_grad and hooks
def test_zero_grad():
    p, q = with_gradient(1.0), parameter(1.0)
    optimizer = optim.SGD([p, q], lr=0.1)
    array = p.grad.array
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.array is array and array.tolist() == [0.0] and q.grad is None
    optimizer.zero_grad()
    assert p.grad is None


def test_zero_grad_of_a_gradient_with_history():
    p = parameter(2.0)
    (p**3).sum().backward(create_graph=True)
    optim.SGD([p], lr=0.1).zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0] and not p.grad.requires_grad


def test_closure_under_no_grad():
    p = parameter(2.0)
    optimizer = optim.SGD([p], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tl.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert p.item() == 1.0


@pytest.mark.parametrize("kind", ALL)
def test_hooks(kind):
    calls = []
    optimizer = kind([with_gradient(1.0)], lr=0.1)
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: calls.append("before"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append(o is optimizer))
    optimizer.step(lambda: tl.tensor(0.0))
    before.remove()
    optimizer.step(lambda: tl.tensor(0.0))
    assert calls == ["before", True, True]


# ------------------------------------------------------------------------------------------------ exact zeros
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (optim.SGD, {}),
        (optim.SGD, {"momentum": 0.9}),
        (optim.SGD, {"momentum": 0.8, "nesterov": True}),
        (optim.SGD, {"momentum": 0.8, "dampening": 0.5}),
        (optim.Adam, {}),
        (optim.Adam, {"amsgrad": True}),
        (optim.AdamW, {"weight_decay": 0.0}),
    ],
)
def test_l1_makes_exact_zeros(kind, options):
    """Lasso on data where only two of ten inputs matter."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 10))
    truth = np.array([2.0, -3.0] + [0.0] * 8)
    y = x @ truth + 0.1 * rng.normal(size=200)
    w = parameter(*rng.normal(size=10))
    optimizer = kind([w], lr=0.02, l1=0.1, **options)
    for _ in range(1500):
        optimizer.zero_grad()
        (((tl.tensor(x) @ w - tl.tensor(y)) ** 2).mean() * 0.5).backward()
        optimizer.step()
    assert (w.array[2:] == 0.0).all() and (w.array[:2] != 0).all()
    # at the minimum of Lasso the slope of the loss is l1 for nonzero weights, at most l1 for zeros
    slope = x.T @ (x @ w.array - y) / 200
    np.testing.assert_allclose(slope[:2], -0.1 * np.sign(w.array[:2]), atol=1e-6)
    assert (np.abs(slope[2:]) <= 0.1).all()


def test_l1_of_one_group_and_in_pieces():
    p, q = with_gradient(0.01, g=0.0), with_gradient(0.01, g=0.0)
    optim.SGD([{"params": [p], "l1": 1.0}, {"params": [q]}], lr=0.1).step()
    assert p.tolist() == [0.0] and q.tolist() == [0.01]
    large = parameter(*np.linspace(-1, 1, 100_000))
    large.grad = tl.tensor(np.zeros(100_000))
    optim.SGD([large], lr=0.5, l1=1.0).step()
    start = np.linspace(-1, 1, 100_000)
    np.testing.assert_array_equal(large.array, start - np.clip(start, -0.5, 0.5))


# ------------------------------------------------------------------------------------------------ state
@pytest.mark.parametrize("kind", STEPPING)
def test_a_copied_optimiser_is_independent(kind):
    p = with_gradient(1.0, -2.0)
    optimizer = kind([p])
    optimizer.step()
    for copied in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        twin = copied.param_groups[0]["params"][0]
        assert twin is not p and list(copied.state) == [twin]
        twin.grad = p.grad
        copied.step()
        assert twin.tolist() != p.tolist() and copied.count == 2
    assert optimizer.count == 1


@pytest.mark.parametrize("kind", ALL)
def test_a_saved_state_continues_bit_for_bit(kind, tmp_path):
    def start():
        return [parameter(1.0, -2.0, 0.5, dtype="f4"), parameter(0.3, dtype="f4")]

    def run(optimizer, params, n):
        def closure():
            optimizer.zero_grad()
            loss = ((params[0] ** 2).sum() - params[1].sum()) ** 2 + (params[0] ** 4).sum()
            loss.backward()
            return loss

        for _ in range(n):
            optimizer.step(closure)

    options = {"lr": 0.01, **({"max_iter": 3, "history_size": 2} if kind is optim.LBFGS else {})}
    whole = start()
    run(kind(whole, **options), whole, 9)
    part = start()
    first = kind(part, **options)
    run(first, part, 4)
    tl.save([part, first.state_dict()], tmp_path / "x.npz")
    params, state = tl.load(tmp_path / "x.npz")
    second = kind(params, **options)
    second.load_state_dict(state)
    run(second, params, 5)
    assert [p.array.tobytes() for p in params] == [p.array.tobytes() for p in whole]


def test_a_state_that_does_not_fit_changes_nothing():
    p = with_gradient(1.0, 2.0)
    optimizer = optim.Adam([p])
    optimizer.step()
    good = copy.deepcopy(optimizer.state_dict())
    other = optim.Adam([with_gradient(1.0), with_gradient(2.0)])
    other.step()
    groups = {**good, "param_groups": good["param_groups"] * 2}
    shape = {**good, "state": {0: {"step": 1, "exp_avg": tl.ones(3), "exp_avg_sq": tl.ones(2)}}}
    for wrong, error in ((other.state_dict(), ValueError), (groups, ValueError), (shape, ShapeError)):
        with pytest.raises(error, match="loaded"):
            optimizer.load_state_dict(wrong)
        assert repr(optimizer.state_dict()) == repr(good)


def test_a_loaded_state_is_a_copy():
    p = with_gradient(1.0)
    optimizer = optim.Adam([p])
    optimizer.step()
    saved = optimizer.state_dict()
    optimizer.load_state_dict(saved)
    optimizer.step()
    assert saved["state"][0]["step"] == 1


# ------------------------------------------------------------------------------------------------ a custom optimiser
def test_a_custom_optimiser():
    class SignDescent(optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        def update(self, group, jobs):
            for x, g, _state, (_, b) in jobs:
                np.sign(g, b)
                np.multiply(b, group["lr"], b)
                np.subtract(x, b, x)

    p = with_gradient(1.0, g=5.0)
    SignDescent([p]).step()
    assert p.tolist() == [0.9]
    with pytest.raises(NotImplementedError, match="update"):
        optim.Optimizer([with_gradient(1.0)], {"lr": 1.0}).step()


def test_sgd_counts_steps_where_something_reads_the_count():
    class Halved(optim.SGD):
        def update(self, group, jobs):
            for x, g, state, _ in jobs:
                x -= g / state["step"]

    for kind, options, count in ((optim.SGD, {}, None), (optim.SGD, {"momentum": 0.5}, 2), (Halved, {}, 2)):
        p = with_gradient(1.0, -2.0)
        optimizer = kind([p], lr=0.1, **options)
        optimizer.step()
        optimizer.step()
        assert optimizer.state[p].get("step") == count and optimizer.count == 2
