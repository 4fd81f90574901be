"""L-BFGS: Newton's method with curvature learned from the last steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_lite.engine.mode import enable_grad
from tinygrad_lite.engine.tensor import make
from tinygrad_lite.engine.versions import bump
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.optim.formula import need
from tinygrad_lite.optim.line_search import Point, strong_wolfe
from tinygrad_lite.optim.optimizer import Optimizer, numbers


class LBFGS(Optimizer):
    r"""L-BFGS: Newton's method with curvature learned from the last ``history_size`` steps.

    One `step` takes up to ``max_iter`` steps along :math:`d = -H g`, where :math:`H` is built from the differences of
    positions and gradients, and evaluates ``closure`` up to ``max_eval`` times (5/4 of ``max_iter``). It ends when the
    largest gradient is at most ``tolerance_grad`` or loss and position change by less than ``tolerance_change``. Step
    length ``lr``, or found with ``line_search_fn="strong_wolfe"``. One group of parameters.

    Raises ValueError for options that do not fit. Source: Nocedal 1980; Nocedal and Wright, algorithm 7.5.

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
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        })  # fmt: skip

    def check(self, group: dict[str, Any]) -> None:
        """Raise ValueError where an option does not fit."""
        need(group["lr"] >= 0.0, "learning rate", group["lr"])
        need(group["history_size"] >= 1, "history_size value", group["history_size"])
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {group['line_search_fn']!r}")
        if self.param_groups:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def _take(self, closure: Callable[[], Any] | None, frame: Any) -> Any:
        """Minimise; ``closure`` clears the gradients, computes the loss and calls backward. Returns the first loss."""
        if closure is None:
            raise TypeError("LBFGS: step needs a closure that computes the loss again")
        group, params = numbers(self.param_groups[0]), self.param_groups[0]["params"]
        history, least, unchanged = group["history_size"], group["tolerance_grad"], group["tolerance_change"]
        state = self.state[params[0]]
        state["step"] = state.get("step", 0) + 1
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        evaluations, source = 0, (frame.f_code, frame.f_lasti)

        def evaluate() -> Any:
            nonlocal evaluations
            evaluations += 1
            with enable_grad():
                return closure()

        first = evaluate()
        loss = loss_before = float(first)
        g = self._gradient()
        # the state is kept as tensors, so that it can be saved; here it is arrays
        d, before = (state[k].array if k in state else None for k in ("d", "prev_flat_grad"))
        changes, moves = ([v.array for v in state.get(k, [])] for k in ("old_dirs", "old_stps"))
        ro: list[float] = list(state.get("ro", []))
        t, scale = state.get("t", 0.0), state.get("H_diag", 1.0)
        done = g.size == 0 or np.abs(g).max() <= least
        for turn in range(group["max_iter"]) if not done else ():
            state["n_iter"] += 1
            if d is None or before is None:
                d = -g
                t = min(1.0, 1.0 / float(np.abs(g).sum())) * group["lr"]
            else:
                change, move = g - before, d * t
                curvature = float(change @ move)
                if curvature > 1e-10:
                    if len(ro) == history:
                        changes, moves, ro = changes[1:], moves[1:], ro[1:]
                    changes, moves, ro = [*changes, change], [*moves, move], [*ro, 1.0 / curvature]
                    scale = curvature / float(change @ change)
                d = self._direction(g, changes, moves, ro, scale)
                t = group["lr"]
            before, loss_before = g.copy(), loss
            slope = float(g @ d)
            if slope > -unchanged:
                break
            x = self._position()
            if group["line_search_fn"] is not None:

                def at(length: float, x: Any = x, d: Any = d) -> Point:
                    self._place(x + length * d, source)
                    value = float(evaluate())
                    gradient = self._gradient()
                    return Point(length, value, gradient, float(gradient @ d))

                reach, left = float(np.abs(d).max()), group["max_eval"] - evaluations
                found, _ = strong_wolfe(at, Point(0.0, loss, g, slope), t, reach, unchanged, left)
                t, loss, g = found.t, found.f, found.g
                self._place(x + t * d, source)
            else:
                self._place(x + t * d, source)
                if turn + 1 < group["max_iter"]:
                    # the last step is not evaluated: nobody would look at it
                    loss, g = float(evaluate()), self._gradient()
            if (
                evaluations >= group["max_eval"]
                or np.abs(g).max() <= least
                or np.abs(d * t).max() <= unchanged
                or abs(loss - loss_before) < unchanged
            ):
                break
        state["func_evals"] += evaluations
        if not done:
            state.update(d=make(d), prev_flat_grad=make(before), prev_loss=loss_before, t=t, H_diag=scale, ro=ro)
            state.update(old_dirs=[make(v) for v in changes], old_stps=[make(v) for v in moves])
        return first

    @staticmethod
    def _direction(g: Any, changes: list[Any], moves: list[Any], ro: list[float], scale: float) -> Any:
        """Return minus the inverse curvature times ``g`` (the two loops of L-BFGS)."""
        d, shares = -g, []
        for change, move, r in zip(reversed(changes), reversed(moves), reversed(ro), strict=True):
            shares.append(float(move @ d) * r)
            d -= shares[-1] * change
        d *= scale
        for change, move, r, share in zip(changes, moves, ro, reversed(shares), strict=True):
            d += (share - float(change @ d) * r) * move
        return d

    def _gradient(self) -> Any:
        """Return all gradients as one vector; where there is none, zeros."""
        parts = []
        for p in self.param_groups[0]["params"]:
            if p.grad is not None and p.grad.array.shape != p.array.shape:
                raise ShapeError(
                    f"LBFGS: a parameter {describe(p)} has a gradient of another shape, {describe(p.grad)}"
                )
            parts.append((np.zeros_like(p.array) if p.grad is None else p.grad.array).reshape(-1))
        return np.concatenate(parts)

    def _position(self) -> Any:
        """Return all parameters as one vector."""
        return np.concatenate([p.array.reshape(-1) for p in self.param_groups[0]["params"]])

    def _place(self, x: Any, source: Any) -> None:
        """Give the parameters the values of a vector."""
        start = 0
        for p in self.param_groups[0]["params"]:
            p.array[...] = x[start : start + p.array.size].reshape(p.array.shape)
            bump(p.array, source)
            start += p.array.size
