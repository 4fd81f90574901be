"""From the first failing input to the smallest one that fails the same way."""

from __future__ import annotations

from dataclasses import dataclass

from tinygrad_lite.testing.point import Failure
from tinygrad_lite.testing.search import Source
from tinygrad_lite.testing.trial import Trial


@dataclass
class Smallest:
    """A failure and the choices that lead to it."""

    failure: Failure
    used: list[int]
    digits: int | None = None


def shrink(trial: Trial, seed: int, n: int, first: Source, failure: Failure, budget: int = 60) -> Smallest:
    """Greedy: all choices smaller at once, then one by one, then rounder values, while the kind of failure stays."""
    used, simplest = first.used, first.simplest
    best = Smallest(failure, list(used))
    tried: set[tuple[int, ...]] = {tuple(used)}

    def attempt(choices: list[int], digits: int | None = None) -> bool:
        nonlocal best, budget
        if budget <= 0 or (digits is None and tuple(choices) in tried):
            return False
        budget -= 1
        tried.add(tuple(choices))
        src = Source.example(seed, n, choices, digits)
        try:
            trial.example(src, True)
        except Failure as e:
            if e.kind == failure.kind:
                best = Smallest(e, src.used, digits)
                return True
        except Exception:  # the sampler does not like these choices together
            return False
        return False

    for more in (0, 1):
        if attempt([min(c, s + more) for c, s in zip(used, simplest, strict=True)]):
            break
    k = 0
    while k < len(best.used):
        value, least = best.used[k], simplest[k] if k < len(simplest) else 0
        for smaller in sorted({least, least + 1, value - 1}):
            if least <= smaller < value and attempt([*best.used[:k], smaller, *best.used[k + 1 :]]):
                break
        k += 1
    for digits in (0, 1):
        if attempt(best.used, digits):
            break
    return best
