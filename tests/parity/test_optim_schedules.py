"""Learning rate schedules against PyTorch: 50 steps, with momentum where it cycles too."""

import warnings

import numpy as np
import pytest

import tinygrad_lite as tl
from tinygrad_lite import optim
from tinygrad_lite.optim import lr_scheduler as ours

torch = pytest.importorskip("torch")
theirs = torch.optim.lr_scheduler

SIMPLE = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [3, 3, 10, 40], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.95}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.5, "total_iters": 20}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 30}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 33, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 60, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.001}),
    ("OneCycleLR", {"max_lr": 2.0, "total_steps": 50}),
    (
        "OneCycleLR",
        {"max_lr": [2.0, 3.0], "epochs": 10, "steps_per_epoch": 5, "anneal_strategy": "linear", "pct_start": 0.4},
    ),
    ("OneCycleLR", {"max_lr": 2.0, "total_steps": 60, "three_phase": True, "div_factor": 10.0, "base_momentum": 0.7}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 1.0, "step_size_up": 6}),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": [1.0, 2.0], "step_size_up": 4, "step_size_down": 9, "mode": "triangular2"},
    ),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 1.0, "step_size_up": 5, "mode": "exp_range", "gamma": 0.97}),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 1.0, "step_size_up": 5, "scale_fn": lambda n: 0.9**n, "scale_mode": "iterations"},
    ),
    ("LambdaLR", {"lr_lambda": lambda t: 0.9**t}),
    ("LambdaLR", {"lr_lambda": [lambda t: 1 / (1 + t), lambda t: 0.5]}),
    ("MultiplicativeLR", {"lr_lambda": lambda t: 0.95 if t % 2 else 1.0}),
]
NAMES = [f"{name} {sorted(options)}" for name, options in SIMPLE]


def optimizers(kind="SGD"):
    made = []
    for lib, one in ((optim, tl.ones), (torch.optim, torch.ones)):
        groups = [{"params": [one(2, requires_grad=True)]}, {"params": [one(2, requires_grad=True)], "lr": 0.3}]
        made.append(getattr(lib, kind)(groups, lr=0.1, **({"momentum": 0.9} if kind == "SGD" else {})))
    return made


def values(optimizer):
    return [(g["lr"], g["betas"][0] if "betas" in g else g["momentum"]) for g in optimizer.param_groups]


def follow(pair, steps, exact=False):
    for t in range(steps):
        (a, schedule), (b, reference) = pair
        np.testing.assert_allclose(values(a), values(b), rtol=0 if exact else 1e-13, atol=0, err_msg=f"step {t}")
        np.testing.assert_allclose(schedule.get_last_lr(), reference.get_last_lr(), rtol=1e-13)
        assert getattr(schedule, "last_epoch", None) == getattr(reference, "last_epoch", None)
        a.step(), b.step()
        schedule.step(), reference.step()


@pytest.mark.parametrize(("name", "options"), SIMPLE, ids=NAMES)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_values(name, options, kind):
    a, b = optimizers(kind)
    pair = [(a, getattr(ours, name)(a, **options)), (b, getattr(theirs, name)(b, **options))]
    follow(pair, 50)


@pytest.mark.parametrize(("name", "options"), SIMPLE, ids=NAMES)
def test_a_saved_schedule_goes_on(name, options, tmp_path):
    a, b = optimizers()
    schedule, reference = getattr(ours, name)(a, **options), getattr(theirs, name)(b, **options)
    follow([(a, schedule), (b, reference)], 20)
    tl.save({"optimizer": a.state_dict(), "schedule": schedule.state_dict()}, tmp_path / "state.npz")
    saved = tl.load(tmp_path / "state.npz")
    fresh, _ = optimizers()
    again = getattr(ours, name)(fresh, **options)
    fresh.load_state_dict(saved["optimizer"])
    again.load_state_dict(saved["schedule"])
    follow([(fresh, again), (b, reference)], 30)


def combinations(lib, optimizer):
    yield lib.ChainedScheduler([lib.ConstantLR(optimizer, 0.1, 5), lib.ExponentialLR(optimizer, 0.9)])
    yield lib.SequentialLR(optimizer, [lib.ConstantLR(optimizer, 0.1, 5), lib.ExponentialLR(optimizer, 0.9)], [10])
    yield lib.SequentialLR(
        optimizer,
        [lib.LinearLR(optimizer, 0.1), lib.CosineAnnealingLR(optimizer, 12), lib.StepLR(optimizer, 3, 0.5)],
        [5, 30],
    )
    yield lib.SequentialLR(optimizer, [lib.LinearLR(optimizer), lib.LambdaLR(optimizer, lambda t: 0.5**t)], [6])


@pytest.mark.parametrize("which", range(4))
def test_combined(which):
    a, b = optimizers()
    schedule, reference = (list_at(combinations(lib, o), which) for lib, o in ((ours, a), (theirs, b)))
    follow([(a, schedule), (b, reference)], 50)


def list_at(schedules, which):
    return next(s for i, s in enumerate(schedules) if i == which)


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 2},
        {"patience": 1, "mode": "max", "factor": 0.5, "cooldown": 2},
        {"patience": 1, "threshold": 0.1, "threshold_mode": "abs", "min_lr": [0.01, 0.05]},
        {"patience": 0, "mode": "max", "threshold_mode": "abs", "eps": 0.01},
    ],
)
def test_plateau(options):
    a, b = optimizers()
    schedule, reference = ours.ReduceLROnPlateau(a, **options), theirs.ReduceLROnPlateau(b, **options)
    rng = np.random.default_rng(0)
    for t in range(50):
        measure = float(np.exp(-t / 10) + 0.3 * rng.random())
        schedule.step(measure), reference.step(measure)
        assert values(a) == values(b)
        assert schedule.num_bad_epochs == reference.num_bad_epochs


@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")
@pytest.mark.parametrize(
    ("name", "options"), [s for s in SIMPLE if s[0] not in ("OneCycleLR", "CyclicLR", "MultiplicativeLR")]
)
def test_jump_to_a_step(name, options):
    """The deprecated form ``step(epoch)``."""
    a, b = optimizers()
    schedule, reference = getattr(ours, name)(a, **options), getattr(theirs, name)(b, **options)
    a.step(), b.step()
    for epoch in (3, 17, 8, 41):
        schedule.step(epoch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reference.step(epoch)
        np.testing.assert_allclose(values(a), values(b), rtol=1e-12)


def test_fractions_of_an_epoch():
    a, b = optimizers()
    schedule, reference = (lib.CosineAnnealingWarmRestarts(o, 3, 2) for lib, o in ((ours, a), (theirs, b)))
    for t in range(60):
        a.step(), b.step()
        schedule.step(t / 4), reference.step(t / 4)
        np.testing.assert_allclose(values(a), values(b), rtol=1e-12)


def test_a_schedule_stepped_first_warns():
    a, b = optimizers()
    for schedule in (ours.StepLR(a, 3), theirs.StepLR(b, 3)):
        with pytest.warns(UserWarning, match="before `optimizer.step"):
            schedule.step()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ConstantLR", {"factor": 2.0}),
        ("LinearLR", {"start_factor": 0.0}),
        ("LinearLR", {"end_factor": 1.5}),
        ("LambdaLR", {"lr_lambda": [lambda t: 1.0]}),
        ("OneCycleLR", {"max_lr": 1.0}),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 0}),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 5, "pct_start": 2.0}),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 5, "anneal_strategy": "log"}),
        ("OneCycleLR", {"max_lr": [1.0], "total_steps": 5}),
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "mode": "square"}),
        ("CosineAnnealingWarmRestarts", {"T_0": 0}),
        ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}),
        ("ReduceLROnPlateau", {"factor": 1.0}),
        ("ReduceLROnPlateau", {"mode": "least"}),
        ("ReduceLROnPlateau", {"threshold_mode": "none"}),
        ("SequentialLR", {"schedulers": [], "milestones": []}),
    ],
)
def test_the_same_options_are_refused(name, options):
    for lib, optimizer in zip((ours, theirs), optimizers(), strict=True):
        with pytest.raises(ValueError):
            getattr(lib, name)(optimizer, **options)
