"""Optimisers and schedules as extension points: groups, hooks, state dicts, each as in PyTorch."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.parity.outcomes import agree

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CASES: dict[str, Callable[[Any], Any]] = {}


def case(script: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CASES[script.__name__] = script
    return script


def attempt(call: Callable[[], Any]) -> Any:
    """Return the result, or the class of the exception among those that scripts catch."""
    try:
        return call()
    except Exception as error:
        kinds = (AttributeError, KeyError, IndexError, TypeError, AssertionError, ValueError, RuntimeError)
        return "raises " + next((k.__name__ for k in kinds if isinstance(error, k)), type(error).__name__)


def leaf(T: Any, *values: float) -> Any:
    return T.nn.Parameter(T.tensor(list(values)))


def steps(T: Any, optimizer: Any, p: Any, n: int = 1) -> Any:
    for _ in range(n):
        optimizer.zero_grad()
        (p * p).sum().backward()
        optimizer.step()
    return p.detach().clone()


OPTIMIZERS: dict[str, list[dict[str, Any]]] = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, {"maximize": True}],
    "Adam": [{}, {"amsgrad": True}, {"maximize": True, "weight_decay": 0.1}, {"decoupled_weight_decay": True}],
    "AdamW": [{}, {"amsgrad": True}],
    "Adamax": [{}, {"maximize": True}],
    "NAdam": [{}, {"decoupled_weight_decay": True}, {"maximize": True}],
    "RAdam": [{}, {"decoupled_weight_decay": True}, {"maximize": True}],
    "RMSprop": [{}, {"momentum": 0.9, "centered": True}, {"maximize": True}],
    "Rprop": [{}, {"maximize": True}],
    "Adagrad": [{}, {"lr_decay": 0.1, "initial_accumulator_value": 0.5}, {"maximize": True}],
    "Adadelta": [{}, {"maximize": True}],
    "ASGD": [{}, {"t0": 1, "lambd": 0.1}, {"maximize": True}],
}


def plain_state(state: Any) -> Any:
    groups = [list(g.items()) for g in state["param_groups"]]
    states = {k: {n: s[n] for n in sorted(s) if s[n] is not None} for k, s in state["state"].items()}
    # PyTorch keeps these numbers as tensors of float32, which is less than a resumed training needs
    states = {
        k: {n: float(v) if n in ("mu_product", "eta", "mu") else v for n, v in s.items()} for k, s in states.items()
    }
    return copy.deepcopy({"groups": groups, "state": {k: s for k, s in states.items() if s}})


def whole_life(T: Any, name: str, options: dict[str, Any]) -> Any:
    """Make an optimiser, use every option of its groups, save it and go on from what was saved."""
    kind = getattr(T.optim, name)
    p, q = leaf(T, 1.0, -2.0), leaf(T, 3.0)
    o = kind([{"params": [p], "lr": 0.125, "note": "mine"}, {"params": q}], **options)
    out = [len(o.state), list(o.defaults), plain_state(o.state_dict())]
    out += [steps(T, o, p, 3), plain_state(o.state_dict()), [list(g) for g in o.param_groups]]
    state = copy.deepcopy(o.state_dict())
    p2, q2 = T.nn.Parameter(p.detach().clone()), leaf(T, 3.0)
    twin = kind([{"params": [p2]}, {"params": q2}], **options)
    twin.load_state_dict(state)
    out += [steps(T, o, p, 2), steps(T, twin, p2, 2), twin.param_groups[0]["note"]]
    o.param_groups[0]["lr"] = 0.5
    out += [steps(T, o, p), steps(T, copy.deepcopy(o), p)]
    for words in ({"foreach": True}, {"differentiable": False}, {"capturable": False}, {"foreach": False}):
        out.append(attempt(lambda w=words: steps(T, kind([(x := leaf(T, 1.0))], **options, **w), x)))
    o.add_param_group({"params": leaf(T, 1.0)})
    out += [len(o.param_groups), attempt(lambda: o.add_param_group({"params": p}))]
    o.zero_grad(set_to_none=False)
    out += [p.grad, attempt(lambda: kind([leaf(T, 1.0)], lr=-1.0)), attempt(lambda: kind([])), attempt(lambda: kind(p))]
    out += [attempt(lambda: o.load_state_dict({"state": {}, "param_groups": []}))]
    (p * p).sum().backward()
    return out, o.step(lambda: (p * 2).sum()).requires_grad


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_every_optimizer(name: str) -> None:
    for options in OPTIMIZERS[name]:
        agree(lambda T, o=options: whole_life(T, name, o), torch, f"{name} {options}")


@case
def a_parameter_twice(T: Any) -> Any:
    p, q = leaf(T, 1.0, 2.0), leaf(T, 3.0)
    o = T.optim.SGD([p, p, q], lr=0.25)
    out = steps(T, o, p)
    return (
        out,
        o.state_dict()["param_groups"][0]["params"],
        attempt(lambda: T.optim.SGD([{"params": p}, {"params": p}])),
    )


@case
def rules_of_groups(T: Any) -> Any:
    p, q, r = leaf(T, 1.0), leaf(T, 2.0), leaf(T, 3.0)
    o = T.optim.SGD([p], lr=0.5)
    given = {"params": q, "lr": 0.1, "tag": "t"}
    o.add_param_group(given)
    out: list[Any] = [
        o.param_groups[1] is given,
        list(given),
        given["params"][0] is q,
        given["momentum"],
    ]
    for wrong in (3, {}, {"params": {r}}, {"params": 3}, {"params": [3]}, {"params": [p]}, {"params": [r * 2]},
                  {"params": [("n", r)]}):  # fmt: skip
        out.append(attempt(lambda w=wrong: o.add_param_group(w)))
    out += [len(o.param_groups), attempt(lambda: T.optim.SGD([("a", p), q]))]
    named = T.optim.SGD([("a", p), ("b", q)])
    out += [named.param_groups[0]["param_names"], named.state_dict()["param_groups"][0]["param_names"]]
    out += [attempt(lambda: named.add_param_group({"params": [r]}))]
    named.load_state_dict(T.optim.SGD([q, r], lr=0.75).state_dict())
    out += [named.param_groups[0]["param_names"], named.param_groups[0]["lr"]]
    out += [
        attempt(lambda: T.optim.SGD({r})),
        attempt(lambda: T.optim.SGD(q for q in [r])),
        attempt(lambda: T.optim.SGD(3)),
    ]
    return [x if isinstance(x, (str, bool, int, float, list)) else type(x).__name__ for x in out]


@case
def groups_without_a_required_option(T: Any) -> Any:
    required = importlib.import_module(f"{T.__name__}.optim.optimizer").required

    class Plain(T.optim.Optimizer):
        def __init__(self, params: Any, lr: Any = required) -> None:
            super().__init__(params, {"lr": lr})

    return repr(required), attempt(lambda: Plain([leaf(T, 1.0)])), len(Plain([leaf(T, 1.0)], lr=1).param_groups)


@case
def hooks_of_steps(T: Any) -> Any:
    M = importlib.import_module(f"{T.__name__}.optim.optimizer")
    seen: list[Any] = []

    class Own(T.optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> Any:
            seen.append("own")
            return closure and closure()

    def noted(name: str) -> Any:
        return lambda o, args, kwargs: seen.append((name, type(o).__name__, len(args), sorted(kwargs)))

    handles = [
        M.register_optimizer_step_pre_hook(noted("all")),
        M.register_optimizer_step_post_hook(noted("all after")),
    ]
    try:
        for kind in (Own, T.optim.Adam):
            p = leaf(T, 1.0)
            o = kind([p], lr=0.25)
            o.register_step_pre_hook(noted("before"))
            handle = o.register_step_post_hook(noted("after"))
            seen.append(steps(T, o, p))
            handle.remove()
            o.step(p.sum)
    finally:
        for handle in handles:
            handle.remove()
    return seen


@case
def hooks_that_change_the_arguments(T: Any) -> Any:
    p = leaf(T, 1.0)
    o = T.optim.SGD([p], lr=0.25)
    handle = o.register_step_pre_hook(lambda opt, args, kwargs: ((opt, lambda: "new"), {}))
    out = [o.step(lambda: "old"), o.step()]
    handle.remove()
    o.register_step_pre_hook(lambda opt, args, kwargs: 3)
    return out, attempt(o.step)


@case
def hooks_of_states(T: Any) -> Any:
    p, seen = leaf(T, 1.0), []
    o = T.optim.SGD([p], lr=0.25, momentum=0.5)
    o.register_state_dict_pre_hook(lambda opt: seen.append("pre"))
    o.register_state_dict_pre_hook(lambda opt: seen.append("first"), prepend=True)
    o.register_state_dict_post_hook(lambda opt, state: {**state, "note": 1})
    o.register_state_dict_post_hook(lambda opt, state: seen.append(sorted(state)))
    o.register_load_state_dict_pre_hook(lambda opt, state: seen.append(sorted(state)))
    o.register_load_state_dict_pre_hook(
        lambda opt, state: {**state, "param_groups": [{**state["param_groups"][0], "lr": 9}]}
    )
    handle = o.register_load_state_dict_post_hook(lambda opt: seen.append(opt.param_groups[0]["lr"]))
    state = o.state_dict()
    o.load_state_dict(state)
    handle.remove()
    o.load_state_dict(state)
    return seen, o.param_groups[0]["lr"], sorted(state), state["param_groups"][0]["lr"]


@case
def state_of_ones_own(T: Any) -> Any:
    class Own(T.optim.Optimizer):
        def __init__(self, params: Any) -> None:
            super().__init__(params, {"lr": 0.1})
            self.state["whole"] = {"count": 0}

        def step(self, closure: Any = None) -> None:
            self.state["whole"]["count"] += 1
            for p in self.param_groups[0]["params"]:
                self.state[p]["sum"] = p.detach() * 2
                self.state[p]["step"] = T.tensor(3.0)
                self.state[p]["parts"] = [T.ones(1), 4]

    p = leaf(T, 1.0)
    a, b = Own([p]), Own([p])
    a.step()
    b.load_state_dict(a.state_dict())
    return a.state_dict()["state"], b.state_dict()["state"], b.state["whole"]


@case
def closures_see_gradients(T: Any) -> Any:
    p, seen = leaf(T, 1.0), []

    def closure() -> Any:
        seen.append(T.is_grad_enabled())
        o.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    out = []
    for kind in (T.optim.SGD, T.optim.Adam, T.optim.LBFGS):
        o = kind([p], lr=0.25)
        with T.no_grad():
            out.append(o.step(closure))
    return out, set(seen) == {True}, p


@case
def rate_as_a_tensor(T: Any) -> Any:
    out = []
    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad"):
        p = leaf(T, 1.0)
        o = getattr(T.optim, name)([p], lr=T.tensor(0.25), foreach=False)
        schedule = T.optim.lr_scheduler.ExponentialLR(o, 0.5)
        rate = o.param_groups[0]["lr"]
        for _ in range(3):
            steps(T, o, p)
            schedule.step()
        out += [p, rate, o.param_groups[0]["lr"] is rate, schedule.get_last_lr(), schedule.base_lrs]
    return out


# ------------------------------------------------------------------------------------------------ schedules
def decay(epoch: int) -> float:
    return float(0.5**epoch)


class Rate:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, epoch: int) -> float:
        return float(self.rate**epoch)


SCHEDULES: dict[str, Callable[[Any, Any], Any]] = {
    "LambdaLR": lambda S, o: S.LambdaLR(o, decay),
    "LambdaLR of an object": lambda S, o: S.LambdaLR(o, Rate(0.5)),
    "LambdaLR of two": lambda S, o: S.LambdaLR(o, [decay, Rate(0.25)]),
    "MultiplicativeLR": lambda S, o: S.MultiplicativeLR(o, Rate(0.5)),
    "StepLR": lambda S, o: S.StepLR(o, 2, 0.5),
    "MultiStepLR": lambda S, o: S.MultiStepLR(o, [1, 3, 3], 0.5),
    "ConstantLR": lambda S, o: S.ConstantLR(o, 0.5, 2),
    "LinearLR": lambda S, o: S.LinearLR(o, 0.5, 1.0, 3),
    "ExponentialLR": lambda S, o: S.ExponentialLR(o, 0.5),
    "PolynomialLR": lambda S, o: S.PolynomialLR(o, 4, 2.0),
    "CosineAnnealingLR": lambda S, o: S.CosineAnnealingLR(o, 3, 0.01),
    "CosineAnnealingWarmRestarts": lambda S, o: S.CosineAnnealingWarmRestarts(o, 2, 2),
    "CyclicLR": lambda S, o: S.CyclicLR(o, 0.1, 0.5, 2, mode="exp_range", gamma=0.9, cycle_momentum=False),
    "CyclicLR of a function": lambda S, o: S.CyclicLR(o, 0.1, 0.5, 2, scale_fn=decay, cycle_momentum=True),
    "OneCycleLR": lambda S, o: S.OneCycleLR(o, 0.5, total_steps=9),
    "ChainedScheduler": lambda S, o: S.ChainedScheduler([S.ExponentialLR(o, 0.5), S.StepLR(o, 2)]),
    "SequentialLR": lambda S, o: S.SequentialLR(o, [S.ConstantLR(o, 0.5, 2), S.ExponentialLR(o, 0.5)], [3]),
}


def scheduled(T: Any, make: Callable[[Any, Any], Any]) -> Any:
    """Run a schedule, save it in the middle and go on in another one."""
    S, p = T.optim.lr_scheduler, leaf(T, 1.0)

    def fresh() -> Any:
        o = T.optim.SGD([{"params": [p]}, {"params": [leaf(T, 2.0)], "lr": 0.2}], lr=0.4, momentum=0.5)
        return o, make(S, o)

    o, schedule = fresh()
    out = [schedule.get_last_lr(), [sorted(g) for g in o.param_groups], isinstance(schedule, S.LRScheduler)]
    for _ in range(4):
        o.step()
        schedule.step()
        out += [schedule.get_last_lr(), [g["lr"] for g in o.param_groups], schedule.last_epoch]
    state = schedule.state_dict()
    out += [{k: state[k] for k in sorted(state) if k not in HIDDEN}]
    o2, twin = fresh()
    o2.load_state_dict(o.state_dict())
    twin.load_state_dict(copy.deepcopy(state))
    for _ in range(3):
        o2.step()
        twin.step()
        out.append(twin.get_last_lr())
    return out


HIDDEN = {"_get_lr_called_within_step", "_is_initial", "_step_count", "_scale_fn_ref", "_scale_fn_custom"}


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_every_schedule(name: str) -> None:
    agree(lambda T: scheduled(T, SCHEDULES[name]), torch, name)


@case
def schedule_on_a_plateau(T: Any) -> Any:
    o = T.optim.SGD([leaf(T, 1.0)], lr=0.4)
    schedule = T.optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=1, cooldown=1)
    out = [schedule.get_last_lr()]
    for value in (3.0, 2.0, 2.0, 2.0, T.tensor(2.0), 2.0, 2.0):
        schedule.step(value)
        out.append(schedule.get_last_lr())
    state = schedule.state_dict()
    return out, {k: state[k] for k in ("best", "cooldown_counter", "factor", "last_epoch", "num_bad_epochs", "mode")}


@case
def older_ways_of_schedules(T: Any) -> Any:
    S = T.optim.lr_scheduler
    o = T.optim.SGD([leaf(T, 1.0)], lr=0.4)

    class Own(S._LRScheduler):
        def get_lr(self) -> Any:
            return [base * 0.5**self.last_epoch for base in self.base_lrs]

    schedule = Own(o)
    o.step()
    schedule.step()
    schedule.step(5)
    return schedule.get_last_lr(), isinstance(schedule, S.LRScheduler), isinstance(S.StepLR(o, 1), S._LRScheduler)


@case
def a_schedule_before_the_step(T: Any) -> Any:
    o = T.optim.SGD([leaf(T, 1.0)], lr=0.4)
    schedule = T.optim.lr_scheduler.StepLR(o, 1)
    schedule.step()
    return schedule.get_last_lr(), attempt(lambda: T.optim.lr_scheduler.StepLR(3, 1))


@pytest.mark.parametrize("name", list(CASES))
def test_like_pytorch(name: str) -> None:
    agree(CASES[name], torch, name)


def test_a_step_that_should_be_recorded_is_refused() -> None:
    import tinygrad_lite as tl

    with pytest.raises(NotImplementedError, match="differentiable=True"):
        tl.optim.SGD([leaf(tl, 1.0)], differentiable=True)
