"""L-BFGS: Newton's method with curvature learned from the last steps."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.mode import enable_grad
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.optim.formula import need
from tinygrad_lite.optim.line_search import Point, strong_wolfe
from tinygrad_lite.optim.optimizer import Optimizer, numbers, options


class LBFGS(Optimizer):
    r"""L-BFGS: a quasi-Newton method with the last ``history_size`` steps.

    One `step` takes up to ``max_iter`` steps along :math:`d = -H g`, where :math:`H` is built from the differences of
    positions and gradients, and evaluates ``closure`` up to ``max_eval`` times (5/4 of ``max_iter``). It ends when the
    largest gradient is at most ``tolerance_grad`` or loss and position change by less than ``tolerance_change``. Step
    length ``lr``, or found with ``line_search_fn="strong_wolfe"``. One group of parameters.

    Raises ValueError for invalid options. Source: Nocedal 1980; Nocedal and Wright, algorithm 7.5.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((x - 3.0) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    29.0
    >>> [round(v, 4) for v in x.tolist()]
    [3.0, 3.0]
    """

    not_negative = ("lr",)

    def __init__(
        self,
        params: Any,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, options(locals()))

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError for invalid options."""
        super().check(group)
        need(group["history_size"] >= 1, "history_size value", group["history_size"])
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {group['line_search_fn']!r}")
        if self.param_groups:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def saved(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the state as PyTorch keeps it, without the number of steps."""
        return {k: v for k, v in state.items() if k != "step"}

    def _take(self, closure: Callable[[], Any] | None, frame: Any) -> Any:
        """Minimise; ``closure`` clears the gradients, computes the loss and calls backward. Returns the first loss."""
        if closure is None:
            raise TypeError("LBFGS: step needs a closure that computes the loss again")
        group, params = numbers(self.param_groups[0]), self.param_groups[0]["params"]
        problem = Problem(params, closure, (frame.f_code, frame.f_lasti))
        least, unchanged, searched = group["tolerance_grad"], group["tolerance_change"], group["line_search_fn"]
        state = self.state[params[0]]
        for name in ("step", "func_evals", "n_iter"):
            state.setdefault(name, 0)
        state["step"] += 1
        first = problem.evaluate()
        loss = loss_before = float(first)
        g = problem.gradient()
        if g.size == 0 or np.abs(g).max() <= least:
            state["func_evals"] += problem.evaluations
            return first
        # the state holds tensors, so that it can be saved; the formulas work on arrays
        d, before = (state[k].array if k in state else None for k in ("d", "prev_flat_grad"))
        curvature, t = Curvature(state, group["history_size"]), state.get("t", 0.0)
        for turn in range(group["max_iter"]):
            state["n_iter"] += 1
            if d is None or before is None:
                d = -g
                t = min(1.0, 1.0 / float(np.abs(g).sum())) * group["lr"]
            else:
                curvature.learn(g - before, d * t)
                d, t = curvature.direction(g), group["lr"]
            before, loss_before = g.copy(), loss
            slope = float(g @ d)
            if slope > -unchanged:
                break
            x = problem.position()
            if searched is not None:
                reach, left = float(np.abs(d).max()), group["max_eval"] - problem.evaluations
                start, along = Point(0.0, loss, g, slope), functools.partial(problem.along, x, d)
                t, loss, g, _ = strong_wolfe(along, start, t, reach, unchanged, left)[0]
            problem.move_to(x + t * d)
            if searched is None and turn + 1 < group["max_iter"]:  # the value after the last step is not needed
                loss, g = float(problem.evaluate()), problem.gradient()
            if (
                problem.evaluations >= group["max_eval"]
                or np.abs(g).max() <= least
                or np.abs(d * t).max() <= unchanged
                or abs(loss - loss_before) < unchanged
            ):
                break
        state["func_evals"] += problem.evaluations
        state.update(d=make(d), prev_flat_grad=make(before), prev_loss=loss_before, t=t, **curvature.saved())
        return first


class Curvature:
    """The inverse Hessian of L-BFGS, as the last differences of gradients (``changes``) and positions (``moves``)."""

    def __init__(self, state: dict[str, Any], limit: int) -> None:
        self.limit = limit
        self.changes, self.moves = ([v.array for v in state.get(k, [])] for k in ("old_dirs", "old_stps"))
        self.ro: list[float] = list(state.get("ro", []))
        self.scale = state.get("H_diag", 1.0)

    def learn(self, change: Any, move: Any) -> None:
        """Add the differences of one step, unless the function is not convex along it."""
        curvature = float(change @ move)
        if not curvature > 1e-10:  # NaN too
            return
        first = 1 if len(self.ro) == self.limit else 0
        self.changes = [*self.changes[first:], change]
        self.moves = [*self.moves[first:], move]
        self.ro = [*self.ro[first:], 1.0 / curvature]
        self.scale = curvature / float(change @ change)

    def direction(self, g: Any) -> Any:
        """Return minus the inverse Hessian times ``g`` (the two loops of L-BFGS)."""
        d, shares = -g, []
        for change, move, r in zip(reversed(self.changes), reversed(self.moves), reversed(self.ro), strict=True):
            shares.append(float(move @ d) * r)
            d -= shares[-1] * change
        d *= self.scale
        for change, move, r, share in zip(self.changes, self.moves, self.ro, reversed(shares), strict=True):
            d += (share - float(change @ d) * r) * move
        return d

    def saved(self) -> dict[str, Any]:
        """Return the state entries for the next `LBFGS.step`, under PyTorch's names."""
        old_dirs, old_stps = ([make(v) for v in arrays] for arrays in (self.changes, self.moves))
        return {"H_diag": self.scale, "ro": self.ro, "old_dirs": old_dirs, "old_stps": old_stps}


class Problem:
    """The loss as a function of one vector, all parameters concatenated; ``evaluations`` counts the closure's calls."""

    def __init__(self, params: Sequence[Any], closure: Callable[[], Any], source: Any) -> None:
        self.params, self.closure, self.source = params, closure, source
        self.evaluations = 0

    def evaluate(self) -> Any:
        """Return the loss at the current position; the closure leaves the gradients in the parameters."""
        self.evaluations += 1
        with enable_grad():
            return self.closure()

    def gradient(self) -> Any:
        """Return the gradients of all parameters as one vector; a missing gradient counts as zeros."""
        parts = []
        for p in self.params:
            if p.grad is not None and p.grad.array.shape != p.array.shape:
                raise ShapeError(
                    f"LBFGS: a parameter {describe(p)} has a gradient of another shape, {describe(p.grad)}"
                )
            parts.append((new.zeros_like(p.array) if p.grad is None else p.grad.array).reshape(-1))
        return np.concatenate(parts)

    def position(self) -> Any:
        """Return the values of all parameters as one vector."""
        return np.concatenate([p.array.reshape(-1) for p in self.params])

    def move_to(self, x: Any) -> None:
        """Write a vector into the parameters."""
        start = 0
        for p in self.params:
            p.array[...] = x[start : start + p.array.size].reshape(p.array.shape)
            bump(p.array, self.source)
            start += p.array.size

    def along(self, x: Any, d: Any, length: float) -> Point:
        """Return loss, gradient and slope at ``length`` along ``d`` from ``x``."""
        self.move_to(x + length * d)
        loss = float(self.evaluate())
        g = self.gradient()
        return Point(length, loss, g, float(g @ d))
