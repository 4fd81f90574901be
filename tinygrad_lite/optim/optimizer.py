"""The base of all optimisers: groups of parameters, their state, and one pass over them per step.

An optimiser itself is only its formula, `Optimizer.update`, on bare arrays. Everything else is here: selecting the
parameters with a gradient, checks before any change, step counts, scratch memory, splitting large parameters into
pieces that fit the processor's cache, and the version bump for each in-place write.
"""

from __future__ import annotations

import copy
import functools
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import checked_constructor, fits, misfit, ours
from tinygrad_lite.engine.hooks import RemovableHandle
from tinygrad_lite.engine.mode import enable_grad
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import CHANGES, bump, owner, tick
from tinygrad_lite.errors import ArgumentError, DTypeError, GradientError, ShapeError, describe
from tinygrad_lite.optim.formula import need

Job = tuple[Any, Any, Any, tuple[Any, ...]]
"""One parameter to update: its array, gradient, state (its "step" counts from 1), and state arrays then scratch arrays.

The formulas call the scratch arrays ``work`` (intermediate results) and ``move`` (what is subtracted in the end).
"""

PIECE = 1 << 16
"""The number of elements of a large parameter to update at a time, so that state and scratch stay in the cache."""

RANGE_NAMES = {"lr": "learning rate", "eps": "epsilon value"}
"""PyTorch's words for an option in the error about its range."""

PAIRS = ("betas", "etas", "step_sizes")
"""Options that hold two numbers; a list or array is accepted."""


class State(dict[str, Any]):
    """The state of one parameter by name, with its arrays cached for the next steps, in pieces if they are large.

    A write from outside sets ``array`` to None, which invalidates the cache. ``began`` is the first step of the arrays.
    """

    __slots__ = ("array", "arrays", "began", "change", "fields", "pieces")

    array: Any
    arrays: tuple[Any, ...]
    began: int
    change: Any
    fields: tuple[str, ...]
    pieces: list[tuple[slice, Any, tuple[Any, ...]]] | None

    def __reduce__(self) -> Any:
        return dict, (dict(self),)  # a copy builds its own cache

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self.fields:
            self.array = None
        dict.__setitem__(self, name, value)


def _noticed(name: str) -> Any:
    method = getattr(dict, name)

    @functools.wraps(method)
    def call(self: State, *args: Any, **kwargs: Any) -> Any:
        self.array = None
        return method(self, *args, **kwargs)

    return call


for _name in ("__delitem__", "__ior__", "clear", "pop", "popitem", "update"):
    setattr(State, _name, _noticed(_name))


def options(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the options among the ``locals()`` of a constructor: every argument but ``params``; pairs as tuples."""
    return {
        name: tuple(value) if name in PAIRS else value
        for name, value in arguments.items()
        if name not in ("self", "__class__", "params")
    }


def numbers(group: dict[str, Any]) -> dict[str, Any]:
    """Return ``group`` with its learning rate as a number if it was set to a tensor or array."""
    lr = group["lr"]
    if isinstance(lr, (int, float)):
        return group
    if not fits(float, lr):
        raise ArgumentError(f"step: lr of a parameter group must be a number, got {describe(lr)}")
    return {**group, "lr": float(lr.item() if hasattr(lr, "item") else lr)}


def in_pieces(jobs: list[Job]) -> Iterator[Job]:
    """Yield the jobs, those of large parameters piece by piece."""
    for x, g, state, arrays in jobs:
        pieces = state.pieces
        if pieces is None:
            yield x, g, state, arrays
        else:
            flat = g.reshape(-1)
            for piece, part, its in pieces:
                yield part, flat[piece], state, its


class Optimizer:
    """Base of all optimisers: groups of parameters and their state.

    ``params`` is an iterable of tensors, of (name, tensor) pairs, or of groups (dicts).
    A group is a dict with ``params`` and the options that differ from the defaults.

    A new optimiser names its state in `state_arrays` and writes its formula in `update`, for options that passed
    `check`.
    """

    state_arrays: tuple[str, ...] = ()
    """Names of the state arrays of each parameter; override `fields` where they depend on the options."""
    not_negative: tuple[str, ...] = ()
    """Options that must be at least 0."""
    scratch = 2
    """The number of scratch arrays that the formula needs."""
    advance: Callable[[dict[str, Any], dict[str, Any]], None] | None = None
    """Called with state and group once per parameter and step, to update numbers in the state."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        checked_constructor(cls)

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self.count = 0  # steps taken, with which schedulers check the order of the calls
        self._scratch: dict[Any, Any] = {}
        self._hooks: tuple[dict[int, Any], dict[int, Any]] = ({}, {})
        if isinstance(params, (Tensor, dict, str)) or not isinstance(params, Iterable):
            raise TypeError(
                f"params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{describe(params)}"
            )
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    # -------------------------------------------------------------------------------- what an optimiser defines
    def fields(self, group: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the state arrays that each parameter of ``group`` has."""
        return self.state_arrays

    def initial(self, field: str, x: Any, group: dict[str, Any]) -> Any:
        """Return the initial array of a state field of parameter ``x``."""
        return new.zeros(x.shape, x.dtype)

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for an option of a group outside its range."""
        for name in self.not_negative:
            need(group[name] >= 0.0, RANGE_NAMES.get(name, f"{name} value"), group[name])
        if self.not_negative:
            for i, beta in enumerate(group.get("betas", ())):
                need(0.0 <= beta < 1.0, f"beta parameter at index {i}", beta)

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update the parameters of ``group`` in place, one `Job` at a time."""
        raise NotImplementedError(f"{type(self).__name__} does not define update")

    # -------------------------------------------------------------------------------- groups
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, with options of its own or the defaults."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        if "params" not in param_group:
            raise KeyError(f"a parameter group needs 'params', the tensors to change; it has {sorted(param_group)}")
        options, init = {k: v for k, v in param_group.items() if k != "params"}, type(self).__init__
        wrong = misfit(init, (), options) if ours(init) else None
        if wrong is not None:
            raise ArgumentError(f"{type(self).__name__}: {wrong[0]}")
        group = {**self.defaults, **param_group}
        params = group["params"]
        if isinstance(params, set):
            raise TypeError("optimizer parameters need to be organized in ordered collections, a set has no order")
        if not isinstance(params, Iterable):
            raise TypeError(f"the 'params' of a parameter group must be tensors, got {describe(params)}")
        params = [params] if isinstance(params, Tensor) else list(params)
        if params and all(isinstance(p, tuple) and len(p) == 2 for p in params):
            group["param_names"] = [name for name, _ in params]
            params = [p for _, p in params]
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {describe(p)}")
            if not p.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor")
            if p.dtype.kind != "f":
                raise DTypeError(
                    f"optimizer can only optimize floating tensors, but one of the params is {describe(p)}"
                )
            if id(p) in known:
                raise ValueError("some parameters appear in more than one parameter group, or twice in one")
            known.add(id(p))
        group["params"] = params
        for key, value in group.items():
            if isinstance(value, Tensor):
                group[key] = value.item()
        if group.get("differentiable"):
            raise NotImplementedError("differentiable=True: a step of an optimizer is not recorded here")
        self.check(group)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Delete the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p.grad is None:
                    p.grad = None
                elif p.grad.tracked:
                    p.grad = make(new.zeros(p.array.shape, p.array.dtype))
                else:
                    p.grad.array.fill(0)
                    bump(p.grad.array)

    # -------------------------------------------------------------------------------- the step
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        If one gradient is invalid, no parameter changes.
        ``closure`` recomputes the loss and the gradients; its value is returned.
        """
        before, after = self._hooks
        if before:
            for hook in tuple(before.values()):
                hook(self, (closure,), {})
        loss = self._take(closure, sys._getframe(1))
        self.count += 1
        if after:
            for hook in tuple(after.values()):
                hook(self, (closure,), {})
        return loss

    def _take(self, closure: Callable[[], Any] | None, frame: Any) -> Any:
        """Update the parameters; ``frame`` is the caller's, for messages about in-place changes."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        work = [(group, jobs) for group in map(numbers, self.param_groups) if (jobs := self._gather(group))]
        source, now, advance = (frame.f_code, frame.f_lasti), tick(), self.advance
        put = dict.__setitem__
        for group, jobs in work:
            large = False
            for _, _, state, _ in jobs:
                put(state, "step", state["step"] + 1)
                if advance is not None:
                    advance(state, group)
                change = state.change
                change.count += 1
                change.when = now
                change.line = source
                if state.pieces is not None:
                    large = True
            self.update(group, in_pieces(jobs) if large else jobs)
        return loss

    def _gather(self, group: dict[str, Any]) -> list[Job]:
        """Return the jobs of the parameters that have a gradient; raise ShapeError for a wrong shape."""
        states, fields, jobs = self.state, self.fields(group), []
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            g, x = grad.array, p.array
            if g.shape != x.shape:
                raise ShapeError(
                    f"{type(self).__name__}: a parameter {describe(p)} has a gradient of another shape, "
                    f"{describe(grad)}"
                )
            state: Any = states.get(p)
            if state.__class__ is not State or state.array is not x or state.fields is not fields:
                state = self._looked_up(p, group, fields)
            jobs.append((x, g, state, state.arrays))
        return jobs

    def _looked_up(self, p: Tensor, group: dict[str, Any], fields: tuple[str, ...]) -> State:
        """Return the state of ``p`` with its arrays cached, created where missing."""
        x = p.array
        if not p.is_leaf:
            raise GradientError(f"{type(self).__name__}: can't optimize a non-leaf Tensor {describe(p)}")
        if not x.flags.writeable:
            raise ValueError(f"{type(self).__name__}: a parameter {describe(p)} lies in read-only memory; use a copy")
        state = State({"step": 0, **self.state.get(p, {})})
        state.fields, state.began = fields, 0
        for name in fields:
            if name not in state:
                state[name] = make(self.initial(name, x, group))
                state.began = state["step"] + 1
        arrays = [state[name].array for name in fields]
        for name, array in zip(fields, arrays, strict=True):
            if array.shape != x.shape:
                raise ShapeError(
                    f"{type(self).__name__}: state '{name}' {describe(array)} does not fit its parameter {describe(p)}"
                )
        state.array = x
        whole = x.size <= PIECE or not all(a.flags.c_contiguous for a in (x, *arrays))
        scratch = self._scratch.get(x.dtype)
        if scratch is None or scratch.shape[1] < x.size and (whole or scratch.shape[1] < PIECE):
            # shared by all parameters: they are updated one after another
            scratch = self._scratch[x.dtype] = new.empty((self.scratch, x.size if whole else PIECE), x.dtype)
        if whole:
            state.arrays = (*arrays, *[s[: x.size].reshape(x.shape) for s in scratch])
            state.pieces = None
        else:
            state.arrays, state.pieces = (), []
            for start in range(0, x.size, PIECE):
                piece = slice(start, min(start + PIECE, x.size))
                views = [a.reshape(-1)[piece] for a in (x, *arrays)]
                n = len(views[0])
                state.pieces.append((piece, views[0], (*views[1:], *scratch[:, :n])))
        bump(x)
        state.change = CHANGES[id(owner(x))]
        self.state[p] = state
        return state

    # -------------------------------------------------------------------------------- hooks
    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before every step."""
        return RemovableHandle(self._hooks[0], hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after every step."""
        return RemovableHandle(self._hooks[1], hook)

    # -------------------------------------------------------------------------------- saving and resuming
    def state_dict(self) -> dict[str, Any]:
        """Return the state of the parameters, by number, and the options of the groups.

        The tensors share memory with the optimiser; save (or deepcopy) them before the next step.
        """
        params = [p for group in self.param_groups for p in group["params"]]
        number = {id(p): i for i, p in enumerate(params)}
        groups = [{**group, "params": [number[id(p)] for p in group["params"]]} for group in self.param_groups]
        return {
            "state": {number[id(p)]: dict(s) for p, s in self.state.items() if id(p) in number},
            "param_groups": groups,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore a `state_dict` of the same parameters, also one of PyTorch.

        Training continues bit for bit as if it had not been stopped. Raises ValueError or ShapeError, and changes
        nothing, if groups or shapes differ.
        """
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= state_dict.keys():
            known = sorted(map(str, state_dict)) if isinstance(state_dict, Mapping) else describe(state_dict)
            raise ValueError(
                "load_state_dict: expected what state_dict() of an optimizer returns, with 'state' and 'param_groups', "
                f"got {known}"
            )
        groups = [dict(group) for group in state_dict["param_groups"]]
        if len(groups) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(groups, self.param_groups, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        owner: dict[Any, tuple[Tensor, dict[str, Any]]] = {}
        for saved, group in zip(groups, self.param_groups, strict=True):
            owner.update({key: (p, saved) for key, p in zip(saved["params"], group["params"], strict=True)})
            saved["params"] = group["params"]
            for key, value in group.items():
                saved.setdefault(key, value)
            for key, value in saved.items():
                if isinstance(value, Tensor):
                    saved[key] = value.item()
        state = {
            owner[k][0]: self._loaded(*owner[k], values) for k, values in state_dict["state"].items() if k in owner
        }
        self.param_groups, self.state = groups, defaultdict(dict, state)

    def _loaded(self, p: Tensor, group: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of the saved state of ``p`` in its dtype."""
        for name in self.fields(group):
            if values.get(name) is not None and tuple(values[name].shape) != p.array.shape:
                raise ShapeError(
                    f"loaded state '{name}' {describe(values[name])} does not fit its parameter {describe(p)}"
                )

        def copied(value: Any, array: bool = False) -> Any:
            if isinstance(value, Tensor):
                return make(new.array(value.array, p.array.dtype)) if array or value.array.ndim else value.item()
            return [copied(v) for v in value] if isinstance(value, list) else copy.deepcopy(value)

        fields = self.fields(group)
        state = {key: copied(value, key in fields) for key, value in values.items() if value is not None}
        # PyTorch's SGD has no step count; a momentum buffer means that it has taken steps
        return {**state, "step": int(values.get("step", 1 if state else 0))}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_scratch": {}}

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines += [f"Parameter Group {i}"]
            lines += [f"    {k}: {v}" for k, v in sorted(group.items()) if k not in ("params", "param_names")]
        return "\n".join([*lines, ")"])
