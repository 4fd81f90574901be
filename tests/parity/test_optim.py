"""Optimisers against PyTorch: 100 steps in float64, number for number."""

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import optim

torch = pytest.importorskip("torch")

VARIANTS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"maximize": True, "momentum": 0.5, "weight_decay": 0.1, "lr": 1e-3}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-3}),
    ("Adam", {"weight_decay": 0.1, "amsgrad": True, "lr": 0.05}),
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("Adam", {"maximize": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "amsgrad": True, "maximize": True}),
    ("NAdam", {"lr": 0.05}),
    ("NAdam", {"weight_decay": 0.1, "momentum_decay": 0.01, "lr": 0.05}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"lr": 0.05}),
    ("RAdam", {"lr": 0.05, "betas": (0.7, 0.9), "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("Adamax", {"lr": 0.05}),
    ("Adamax", {"weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adagrad", {"maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.01, "alpha": 0.5, "t0": 5, "weight_decay": 0.1}),
    ("ASGD", {"lr": 1e-3, "t0": 0, "maximize": True, "weight_decay": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.5, "weight_decay": 0.1, "lr": 0.5, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "lr": 1e-3}),
    ("RMSprop", {"centered": True, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "maximize": True, "weight_decay": 0.1}),
    ("Rprop", {}),
    ("Rprop", {"etas": (0.3, 1.5), "step_sizes": (1e-3, 0.5), "maximize": True}),
]
NAMES = [f"{name} {options}" for name, options in VARIANTS]
START = [np.random.default_rng(0).normal(size=shape) for shape in [(3, 2), (3,), (1, 3), ()]]


@pytest.fixture(autouse=True)
def exact_scalars():
    """PyTorch keeps NAdam's product of momenta in its default dtype; float32 would spoil the comparison."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def parameters(dtype="float64"):
    ours = [tl.tensor(a.astype(dtype), requires_grad=True) for a in START]
    theirs = [torch.tensor(a.astype(dtype), requires_grad=True) for a in START]
    return ours, theirs


def loss(p, inputs):
    """A small network, with a parameter that only every third step uses."""
    weight, bias, head, shift = p
    hidden = (inputs @ weight.T + bias).tanh()
    out = ((hidden @ head.T) ** 2).mean() + (weight**2).sum() * 0.1
    return out


def follow(ours, theirs, a, b, steps, tolerance):
    rng = np.random.default_rng(1)
    for step in range(steps):
        x = rng.normal(size=(5, 2)).astype(ours[0].dtype)
        for p, optimizer, inputs in ((ours, a, tl.tensor(x)), (theirs, b, torch.tensor(x))):
            optimizer.zero_grad()
            value = loss(p, inputs)
            if step % 3 == 0:
                value = value + (p[3] - 1.5) ** 2
            value.backward()
            optimizer.step()
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.array, q.detach().numpy(), rtol=tolerance, atol=tolerance, err_msg=str(step))


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=NAMES)
def test_trajectory(name, options):
    ours, theirs = parameters()
    a, b = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    follow(ours, theirs, a, b, 100, 1e-11)


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=NAMES)
def test_float32(name, options):
    ours, theirs = parameters("float32")
    a, b = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    follow(ours, theirs, a, b, 10, 2e-5)
    assert all(p.dtype == np.float32 for p in ours)


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=NAMES)
def test_defaults_and_state(name, options):
    """Options have PyTorch's names and values, states PyTorch's names and shapes."""
    ours, theirs = parameters()
    a, b = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for key, value in b.param_groups[0].items():
        if key not in ("params", "fused", "foreach", "capturable", "differentiable", "decoupled_weight_decay"):
            assert a.param_groups[0][key] == value, key
    follow(ours, theirs, a, b, 1, 1e-11)
    for i, state in b.state_dict()["state"].items():
        mine = a.state_dict()["state"][i]
        assert set(mine) - {"step"} == {k for k, v in state.items() if v is not None} - {"step"}
        for key, value in state.items():
            if hasattr(value, "shape"):
                got = mine[key].array if hasattr(mine[key], "array") else mine[key]
                np.testing.assert_allclose(got, value.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", sorted({name for name, _ in VARIANTS}))
def test_a_state_of_pytorch_is_taken_over(name, tmp_path):
    """Twenty steps there, saved by PyTorch, then eighty here: as if all hundred had been there."""
    options = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}
    ours, theirs = parameters()
    a, b = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    follow(ours, theirs, a, b, 20, 1e-11)
    torch.save(b.state_dict(), tmp_path / "optimizer.pt")
    fresh = getattr(optim, name)(ours, **options)
    fresh.load_state_dict(tl.load(tmp_path / "optimizer.pt"))
    follow(ours, theirs, fresh, b, 20, 1e-10)


def test_groups_with_their_own_options():
    ours, theirs = parameters()
    a, b = (
        lib.SGD([{"params": p[:2], "lr": 0.1}, {"params": p[2:], "momentum": 0.5}], lr=0.01, momentum=0.9)
        for lib, p in ((optim, ours), (torch.optim, theirs))
    )
    follow(ours, theirs, a, b, 30, 1e-12)
    a, b = (
        lib.SGD([{"params": p[0]}, {"params": p[1:]}], lr=0.01) for lib, p in ((optim, ours), (torch.optim, theirs))
    )
    follow(ours, theirs, a, b, 3, 1e-12)


def test_large_parameters_use_the_same_algorithm():
    """More elements than are worked on at a time."""
    start = np.random.default_rng(0).normal(size=(300, 301))
    for name in ("SGD", "Adam", "RMSprop", "Adadelta", "Rprop"):
        p, q = tl.tensor(start, requires_grad=True), torch.tensor(start, requires_grad=True)
        a, b = getattr(optim, name)([p], lr=0.1), getattr(torch.optim, name)([q], lr=0.1)
        for gradient in np.random.default_rng(1).normal(size=(3, *start.shape)):
            p.grad, q.grad = tl.tensor(gradient), torch.tensor(gradient)
            a.step(), b.step()
        np.testing.assert_allclose(p.array, q.detach().numpy(), rtol=1e-11, atol=1e-12)


# ------------------------------------------------------------------------------------------------ L-BFGS
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("options", [{}, {"history_size": 3, "max_iter": 7}, {"max_iter": 4, "max_eval": 6, "lr": 0.5}])
def test_lbfgs(search, options):
    """The valley of Rosenbrock, and the small network."""
    for start, function in (
        ([-1.2, 1.0], lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2),
        ([0.3, -0.8, 1.5, 2.0], lambda p: ((p - 1) ** 4).sum() + (p[0] * p[1] - p[2]) ** 2),
    ):
        ends = []
        for lib, make in ((optim, tl.tensor), (torch.optim, torch.tensor)):
            p = make(np.array(start), requires_grad=True)
            given = {"lr": 1 if search else 1e-3, **options}
            optimizer = lib.LBFGS([p], line_search_fn=search, **given)
            values = []

            def closure(p=p, optimizer=optimizer, function=function, values=values):
                optimizer.zero_grad()
                value = function(p)
                value.backward()
                values.append(value.item())
                return value

            path = []
            for _ in range(6):
                optimizer.step(closure)
                path.append(np.array(p.detach().numpy()))
            ends.append((np.array(values), np.array(path)))
        np.testing.assert_allclose(ends[0][0], ends[1][0], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(ends[0][1], ends[1][1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_line_search(seed):
    """The same points on crooked lines, from first steps of all lengths."""
    from tinygrad_lite.optim.line_search import Point, strong_wolfe

    theirs = pytest.importorskip("torch.optim.lbfgs")
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=3)
    first, reach = float(10.0 ** rng.uniform(-2, 1.5)), 1.0
    visited = [[], []]

    def value(t):
        return float((t - 2) ** 2 * 0.1 + a * np.sin(3 * t) + b * np.cos(5 * t + c))

    def slope(t):
        return float((t - 2) * 0.2 + 3 * a * np.cos(3 * t) - 5 * b * np.sin(5 * t + c))

    sign = -1.0 if slope(0.0) > 0 else 1.0

    def at(t):
        visited[0].append(t)
        return Point(t, value(sign * t), None, sign * slope(sign * t))

    def objective(x, t, d):
        visited[1].append(float(t))
        return value(sign * float(t)), torch.tensor([sign * slope(sign * float(t))])

    found, looked = strong_wolfe(at, at(0.0), first, reach, 1e-9, 25)
    _, start = objective(None, 0.0, None)
    d = torch.tensor([1.0])
    _, _, t, evaluations = theirs._strong_wolfe(objective, None, first, d, value(0.0), start, start.dot(d))
    assert looked == evaluations
    np.testing.assert_allclose(visited[0], visited[1], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.t, float(t), rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------------------------------------ errors
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": -1}),
        ("SGD", {"momentum": -0.1}),
        ("SGD", {"weight_decay": -0.1}),
        ("SGD", {"nesterov": True}),
        ("Adam", {"lr": -1}),
        ("Adam", {"eps": -1}),
        ("Adam", {"betas": (1.0, 0.9)}),
        ("Adam", {"betas": (0.9, -0.1)}),
        ("Adam", {"weight_decay": -1}),
        ("NAdam", {"momentum_decay": -1}),
        ("RAdam", {"betas": (0.9, 1.0)}),
        ("Adamax", {"eps": -1}),
        ("ASGD", {"lr": -1}),
        ("ASGD", {"weight_decay": -1}),
        ("Adagrad", {"lr_decay": -1}),
        ("Adagrad", {"initial_accumulator_value": -1}),
        ("Adadelta", {"rho": 1.5}),
        ("RMSprop", {"alpha": -1}),
        ("RMSprop", {"momentum": -1}),
        ("Rprop", {"etas": (1.5, 1.2)}),
        ("LBFGS", {"lr": -1}),
    ],
)
def test_the_same_options_are_refused(name, options):
    for lib, p in ((optim, tl.ones(2, requires_grad=True)), (torch.optim, torch.ones(2, requires_grad=True))):
        with pytest.raises(ValueError):
            getattr(lib, name)([p], **options)
