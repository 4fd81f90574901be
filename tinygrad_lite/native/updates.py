"""Steps of optimisers, one pass over the parameter and its state instead of ten.

The formulas are those of `optim`; rounding differs in the last bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.divert import DeclinedError
from tinygrad_lite.native.elementwise import solid
from tinygrad_lite.native.language import Kernel, Value, kernel
from tinygrad_lite.native.library import call

LEAST, LEAST_SGD = 1 << 13, 1 << 15
"""Elements of a parameter, or of a piece of one, from which a call pays."""


@kernel("f* f* f* f* f f f f f f f f f")
def adam(
    k: Kernel, lo: Value, hi: Value, x: Value, m: Value, v: Value, g: Value, sign: Value, decay: Value, keep: Value,
    new1: Value, keep2: Value, new2: Value, size: Value, root: Value, eps: Value,
) -> None:  # fmt: skip
    """Take a step of Adam."""
    with k.loop(lo, hi) as i:
        at = x[i] * keep
        here = g[i] * sign + at * decay
        first = m[i] + (here - m[i]) * new1
        second = v[i] * keep2 + here * here * new2
        m[i] = first
        v[i] = second
        x[i] = at - first * size / (k.call("sqrt", second) / root + eps)


@kernel("f* f* f* f f f f f")
def sgd(
    k: Kernel, lo: Value, hi: Value, x: Value, m: Value, g: Value, sign: Value, decay: Value, momentum: Value,
    ahead: Value, lr: Value,
) -> None:  # fmt: skip
    """Take a step with momentum; ``ahead`` is the momentum of Nesterov's look-ahead."""
    with k.loop(lo, hi) as i:
        here = g[i] * sign + x[i] * decay
        now = m[i] * momentum + here
        m[i] = now
        x[i] = x[i] - k.select(ahead > 0.0, here + now * momentum, now) * lr


def run_adam(x: Any, m: Any, v: Any, g: Any, *options: Any) -> None:
    """Run the kernel `adam`; a compiled step gives the options as arrays of one number."""
    call(adam, x.size, 32 * x.size, x, m, v, g, *map(float, options))


def run_sgd(x: Any, m: Any, g: Any, *options: Any) -> None:
    """Run the kernel `sgd`."""
    call(sgd, x.size, 16 * x.size, x, m, g, *map(float, options))


def _taken(jobs: Iterable[Any], state: int, step: Any, least: int) -> list[Any]:
    """Call ``step(job)`` for each job that fits; return the others."""
    rest = []
    for job in jobs:
        x, g, arrays = job[0], job[1], job[3]
        if x.__class__ is not np.ndarray or x.size < least or x.dtype != np.float32:
            rest.append(job)
        elif not solid(x, g, *arrays[:state]):
            rest.append(job)
        else:
            try:
                step(*job)
            except DeclinedError:
                rest.append(job)
    return rest


def adam_update(group: dict[str, Any], jobs: Iterable[Any]) -> Iterable[Any]:
    """Compute `Adam.update` without ``amsgrad`` and ``l1``."""
    if group["amsgrad"] or group.get("l1"):
        return jobs
    lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
    sign, keep = -1.0 if group["maximize"] else 1.0, 1.0
    if group["decoupled_weight_decay"]:
        keep, decay = 1 - lr * decay, 0.0

    def step(x: Any, g: Any, state: Any, arrays: Any) -> None:
        t = state["step"]
        size, root = lr / (1 - beta1**t), (1 - beta2**t) ** 0.5
        options = sign, decay, keep, 1 - beta1, beta2, 1 - beta2, size, root, group["eps"]
        new.writing(run_adam, (x, arrays[0], arrays[1]), g, *options)

    return _taken(jobs, 2, step, LEAST)


def sgd_update(group: dict[str, Any], jobs: Iterable[Any]) -> Iterable[Any]:
    """Compute `SGD.update` with momentum and weight decay or a look-ahead; for less it does not pay."""
    momentum = group["momentum"]
    if not momentum or group["dampening"] or group.get("l1") or not (group["weight_decay"] or group["nesterov"]):
        return jobs
    sign, ahead = -1.0 if group["maximize"] else 1.0, float(group["nesterov"])

    def step(x: Any, g: Any, state: Any, arrays: Any) -> None:
        new.writing(run_sgd, (x, arrays[0]), g, sign, group["weight_decay"], momentum, ahead, group["lr"])

    return _taken(jobs, 1, step, LEAST_SGD)
