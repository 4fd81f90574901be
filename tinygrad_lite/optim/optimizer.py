"""The base of all optimisers: groups of parameters, their state, and one pass over them per step.

An optimiser itself is only its formula, `Optimizer.update`, on bare arrays. Everything else is here: selecting the
parameters with a gradient, checks before any change, step counts, scratch memory, pieces that fit the cache, versions.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import checked_constructor, fits, misfit, named_constructor, ours
from tinygrad_lite.engine.divert import UPDATES
from tinygrad_lite.engine.mode import enable_grad
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.engine.versions import bump, change_of, tick
from tinygrad_lite.errors import ArgumentError, DTypeError, GradientError, ShapeError, describe, visible
from tinygrad_lite.optim.formula import need
from tinygrad_lite.optim.hooks import (
    AFTER,
    BEFORE,
    HookedOptimizer,
    hooked,
    register_optimizer_step_post_hook as register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook as register_optimizer_step_pre_hook,
    run_hooked,
)
from tinygrad_lite.optim.state import State
from tinygrad_lite.optim.subclassing import *  # noqa: F403 - for the optimisers of other people

Job = tuple[Any, Any, Any, tuple[Any, ...]]
"""One parameter to update: its array, gradient, state (its "step" counts from 1), and state arrays then scratch arrays.

The formulas call the scratch arrays ``work`` (intermediate results) and ``move`` (what is subtracted in the end).
"""

PIECE = 1 << 16
"""The number of elements of a large parameter to update at a time, so that state and scratch stay in the cache."""

MANY = 1 << 13
"""The number of elements from which a parameter may be updated in pieces or by a diversion."""

RANGE_NAMES = {"lr": "learning rate", "eps": "epsilon value"}
"""PyTorch's words for an option in the error about its range."""

PAIRS = ("betas", "etas", "step_sizes")
"""Options that hold two numbers; a list or array is accepted."""


class _Required:
    """A default that every group has to give itself."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def _copied(value: Any, dtype: Any, array: bool = False) -> Any:
    """Return a copy of loaded state: tensors in a dtype, those of one number as a number unless ``array``."""
    if isinstance(value, Tensor):
        return make(new.array(value.array, dtype)) if array or value.array.ndim else value.item()
    return [_copied(v, dtype) for v in value] if isinstance(value, list) else copy.deepcopy(value)


def _cast(p: Tensor, value: Any, name: Any = None) -> Any:
    """Return a copy of saved state, its tensors in the dtype of the parameter; the number of steps keeps its own."""
    if isinstance(value, Tensor):
        return value.clone() if name == "step" or value.dtype.kind != "f" else value.to(p.dtype).clone()
    if isinstance(value, dict):
        return {k: _cast(p, v, k) for k, v in value.items()}
    return copy.deepcopy(value)


def options(arguments: dict[str, Any], order: str = "") -> dict[str, Any]:
    """Return the options among the ``locals()`` of a constructor: every argument but ``params``; pairs as tuples.

    ``order`` names those that PyTorch's groups have in another order than its constructor: they go to the end. ``l1``
    is none of PyTorch's, so a group has it only where it is used.
    """
    words = order.split()
    return {
        name: tuple(arguments[name]) if name in PAIRS else arguments[name]
        for name in (*[n for n in arguments if n not in words], *words)
        if name not in ("self", "__class__", "params") and (name != "l1" or arguments["l1"] != 0)
    }


def numbers(group: dict[str, Any]) -> dict[str, Any]:
    """Return ``group`` with its learning rate as a number if it was set to a tensor or array."""
    lr: Any = group.get("lr")
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


def _tensors(params: Any, computed: bool | None) -> tuple[list[Tensor], list[str] | None]:
    """Return the tensors of a group, and their names if they were given as pairs; raise for anything else."""
    if isinstance(params, set):
        raise TypeError("optimizer parameters need to be organized in ordered collections, a set has no order")
    if not isinstance(params, Iterable):
        raise TypeError(f"the 'params' of a parameter group must be tensors, got {describe(params)}")
    given = [params] if isinstance(params, Tensor) else list(params)
    names = [p[0] for p in given if isinstance(p, tuple)]
    if names and len(names) < len(given):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    tensors = [p[1] if isinstance(p, tuple) else p for p in given]
    for p in tensors:
        if not isinstance(p, Tensor):
            raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {describe(p)}")
        if not (computed or p.is_leaf or p.retains_grad):
            raise ValueError("can't optimize a non-leaf Tensor")
        if p.dtype.kind != "f":
            raise DTypeError(f"optimizer can only optimize floating tensors, but one of the params is {describe(p)}")
    return tensors, names or None


@named_constructor
class Optimizer(HookedOptimizer):
    """Base of all optimisers: groups of parameters and their state.

    ``params`` is an iterable of tensors, of (name, tensor) pairs, or of groups (dicts).
    A group is a dict with ``params`` and the options that differ from the defaults.

    A new optimiser names its state in `state_arrays` and writes its formula in `update`, for options that passed
    `check`.

    >>> import tinygrad_lite as tl
    >>> class Sign(tl.optim.Optimizer):
    ...     def step(self, closure=None):
    ...         for p in self.param_groups[0]["params"]:
    ...             p.data -= self.param_groups[0]["lr"] * p.grad.sign()
    ...
    >>> w = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> Sign([w], {"lr": 0.5}).step()
    >>> w
    tensor([ 0.5000, -1.5000], requires_grad=True)
    """

    state_arrays: tuple[str, ...] = ()
    """Names of the state arrays of each parameter; override `fields` where they depend on the options."""
    not_negative: tuple[str, ...] = ()
    """Options that must be at least 0."""
    scratch = 2
    """The number of scratch arrays that the formula needs."""
    counts = True
    """Whether a parameter counts its steps even if it has no state arrays."""
    advance: Callable[[dict[str, Any], dict[str, Any]], None] | None = None
    """Called with state and group once per parameter and step, to update numbers in the state."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        checked_constructor(cls)
        cls.counts = cls.__dict__.get("counts", cls.counts or "update" in cls.__dict__)  # a formula may read the count
        if "step" in cls.__dict__:
            cls.step = hooked(cls.__dict__["step"])  # type: ignore[method-assign]

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self.count = 0  # steps taken, with which schedulers check the order of the calls
        self._scratch: dict[Any, Any] = {}
        self._inside = False  # in a step of a subclass, which runs the hooks
        self._make_hooks()
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
        return new.like(x).zeros(x.shape, x.dtype)

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for an option of a group outside its range."""
        for name in self.not_negative:
            value = group.get(name, 0.0)
            need(value >= 0.0, RANGE_NAMES.get(name, f"{name} value"), value)
        if self.not_negative:
            for i, beta in enumerate(group.get("betas", ())):
                need(0.0 <= beta < 1.0, f"beta parameter at index {i}", beta)

    def update(self, group: dict[str, Any], jobs: Iterable[Job]) -> None:
        """Update the parameters of ``group`` in place, one `Job` at a time."""
        raise NotImplementedError(f"{type(self).__name__} does not define update")

    # -------------------------------------------------------------------------------- groups
    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters with its own options or the defaults."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        if "params" not in param_group:
            raise KeyError(f"a parameter group needs 'params', the tensors to change; it has {sorted(param_group)}")
        options, init = (
            {k: v for k, v in param_group.items() if k in {*self.defaults, *self.not_negative}},
            type(self).__init__,
        )
        wrong = misfit(init, (), options) if ours(init) else None
        if wrong is not None:
            raise ArgumentError(f"{type(self).__name__}: {wrong[0]}")
        group = dict(param_group)
        group["params"], names = _tensors(group["params"], self.defaults.get("differentiable"))
        if names is not None:
            group["param_names"] = names
        for name, value in self.defaults.items():
            if value is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, value)
        for other in self.param_groups:
            if ("param_names" in group) != ("param_names" in other):
                raise ValueError("all optimizer param groups should be with/without names")
        known = {id(p) for other in self.param_groups for p in other["params"]}
        if any(id(p) in known for p in group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")
        for key, value in group.items():
            if isinstance(value, Tensor) and key != "lr":
                group[key] = value.item()
        if group.get("differentiable"):
            raise NotImplementedError("differentiable=True: a step of an optimizer is not recorded here")
        self.check(group)
        if len({id(p) for p in group["params"]}) < len(group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; each is changed once for every time "
                "it is listed",
                UserWarning,
                stacklevel=3,
            )
        param_group.update(group)  # the caller's dict becomes the group, as in PyTorch
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Delete the gradients of all parameters, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none or p._grad is None:
                    p._grad = None  # without the checks of .grad
                elif p.grad.tracked:
                    p.grad = make(new.like(p.array).zeros(p.array.shape, p.array.dtype))
                else:
                    p.grad.array.fill(0)
                    bump(p.grad.array)

    # -------------------------------------------------------------------------------- the step
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        If one gradient is invalid, no parameter changes.
        ``closure`` recomputes the loss and the gradients; its value is returned.
        """
        frame = sys._getframe(1)
        if self._inside:
            return self._take(closure, frame)
        if not (self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks or BEFORE or AFTER):
            loss = self._take(closure, frame)
        else:
            args = (self,) if closure is None else (self, closure)
            loss = run_hooked(self, lambda _, closure=None: self._take(closure, frame), args, {})
        self.count += 1
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
            many, counted = False, self.counts or self.fields(group)
            for _, _, state, _ in jobs:
                if counted:
                    put(state, "step", state["step"] + 1)
                if advance is not None:
                    advance(state, group)
                change = state.change
                change.count += 1
                change.when = now
                change.line = source
                if state.many:
                    many = True
            parts: Iterable[Job] = in_pieces(jobs) if many else jobs
            diverted = UPDATES.get(type(self).update.__qualname__) if many and UPDATES else None
            if new.KINDS:
                parts = self._elsewhere(group, parts)
            self.update(group, diverted(group, parts) if diverted else parts)
        return loss

    def _elsewhere(self, group: dict[str, Any], jobs: Iterable[Job]) -> list[Job]:
        """Update the parameters on other devices, each device for itself; return the jobs that are left."""
        kinds: dict[Any, list[Job]] = {}
        for job in jobs:
            kinds.setdefault(new.KINDS.get(job[0].__class__), []).append(job)
        left = kinds.pop(None, [])
        for kind, some in kinds.items():
            with new.placed(kind):
                self.update(group, some)
        return left

    def _gather(self, group: dict[str, Any]) -> list[Job]:
        """Return the jobs of the parameters that have a gradient; raise ShapeError for a wrong shape."""
        states, fields, jobs = self.state, self.fields(group), []
        for p in group["params"]:
            grad = p._grad
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
        if not new.writable(x):
            raise ValueError(f"{type(self).__name__}: a parameter {describe(p)} lies in read-only memory; use a copy")
        known = self.state.get(p, {})
        state = State({"step": 0, **known} if self.counts or fields else known)
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
        state.many = x.size >= MANY or not whole
        place = (x.__class__, x.dtype) if x.__class__ in new.KINDS else x.dtype
        scratch = self._scratch.get(place)
        if scratch is None or scratch.shape[1] < x.size and (whole or scratch.shape[1] < PIECE):
            # shared by all parameters: they are updated one after another
            scratch = self._scratch[place] = new.like(x).empty((self.scratch, x.size if whole else PIECE), x.dtype)
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
        state.change = change_of(x)
        self.state[p] = state
        return state

    # -------------------------------------------------------------------------------- saving and resuming
    def state_dict(self) -> dict[str, Any]:
        """Return the state of the parameters, by number, and the options of the groups.

        The tensors share memory with the optimiser; save (or deepcopy) them before the next step.
        """
        for hook in tuple(self._optimizer_state_dict_pre_hooks.values()):
            hook(self)
        number: dict[int, int] = {}
        for i, p in enumerate(p for group in self.param_groups for p in group["params"]):
            number[id(p)] = i
        groups = [
            {**{k: v for k, v in group.items() if k != "params"}, "params": [number[id(p)] for p in group["params"]]}
            for group in self.param_groups
        ]
        kind = type(self)  # an optimiser of the user's has a state of its own, too
        ours = kind.update is not Optimizer.update or kind.saved is not Optimizer.saved
        state = {
            number[id(p)] if isinstance(p, Tensor) else p: self.saved(s) if ours and isinstance(p, Tensor) else s
            for p, s in self.state.items()
            if not isinstance(p, Tensor) or id(p) in number
        }
        state = {k: s for k, s in state.items() if s or not ours}  # SGD keeps nothing without momentum
        return self._changed_by(self._optimizer_state_dict_post_hooks, {"state": state, "param_groups": groups})  # type: ignore[no-any-return]

    def saved(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the state of one parameter as PyTorch keeps it: the number of steps is a tensor."""
        return {k: make(new.array(float(v), "float32")) if k == "step" else v for k, v in state.items()}

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
        state_dict = self._changed_by(self._optimizer_load_state_dict_pre_hooks, dict(state_dict))
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
                    saved[key] = value.clone() if key == "lr" else value.item()
        state = {
            owner[k][0] if k in owner else k: self._loaded(*owner[k], values) if k in owner else values
            for k, values in state_dict["state"].items()
        }
        self.__setstate__({"state": defaultdict(dict, state), "param_groups": groups})
        for hook in tuple(self._optimizer_load_state_dict_post_hooks.values()):
            hook(self)

    def _loaded(self, p: Tensor, group: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of the saved state of ``p`` in its dtype."""
        if type(self).update is Optimizer.update:  # an optimiser with a step of its own: its state is its own too
            return _cast(p, values)  # type: ignore[no-any-return]
        for name in self.fields(group):
            if values.get(name) is not None and tuple(values[name].shape) != p.array.shape:
                raise ShapeError(
                    f"loaded state '{name}' {describe(values[name])} does not fit its parameter {describe(p)}"
                )

        fields = self.fields(group)
        state = {
            key: _copied(value, p.array.dtype, key in fields) for key, value in values.items() if value is not None
        }
        # PyTorch's SGD has no step count; a momentum buffer means that it has taken steps
        return {**state, "step": int(values.get("step", 1 if state else 0))}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_scratch": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines += [""] * bool(i) + [f"Parameter Group {i}"]
            lines += [
                f"    {visible(k)}: {visible(v)}"
                for k, v in sorted(group.items())
                if k not in ("params", "param_names")
            ]
        return "\n".join([*lines, ")"])
