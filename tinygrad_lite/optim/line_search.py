"""Line search for the strong Wolfe conditions: sufficient decrease and a small slope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

DESCENT = 1e-4
FLATTER = 0.9


class Point(NamedTuple):
    """A point on the line: step length, value, gradient, and slope along the line."""

    t: float
    f: float
    g: Any
    slope: float


def cubic_minimum(a: Point, b: Point, least: float, most: float) -> float:
    """Return the minimiser, within bounds, of the cubic through two points; their middle if it has none."""
    if a.t > b.t:
        a, b = b, a
    bend = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = bend * bend - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2.0
    root = square**0.5
    below = b.slope - a.slope + 2 * root
    t = b.t - (b.t - a.t) * ((b.slope + root - bend) / below) if below else (least + most) / 2.0
    return min(max(t, least), most)


def strong_wolfe(
    at: Callable[[float], Point], start: Point, t: float, reach: float, tolerance: float, most: int
) -> tuple[Point, int]:
    """Return a point that satisfies the conditions, or the best found, and the number of evaluations.

    ``at`` evaluates a step length, ``start`` is the point at 0, ``t`` the first length to try, ``reach`` the largest
    element of the direction, ``tolerance`` the smallest bracket worth shrinking, ``most`` the largest number of
    evaluations after the first. Source: Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6.
    """

    def too_high(p: Point) -> bool:
        return p.f > start.f + DESCENT * p.t * start.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -FLATTER * start.slope

    # extend the step until the last two points bracket a minimum
    before, now, steps = start, at(t), 0
    while steps < most:
        if too_high(now) or (steps > 1 and now.f >= before.f):
            break
        if flat(now):
            return now, steps + 1
        if now.slope >= 0:
            break
        t = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10)
        before, now, steps = now, at(t), steps + 1
    else:
        before = start

    # shrink the bracket
    ends = [before, now]
    low = 0 if before.f <= now.f else 1
    stuck = False
    while steps < most and abs(ends[1].t - ends[0].t) * reach >= tolerance:
        left, right = sorted(p.t for p in ends)
        t, margin = cubic_minimum(ends[0], ends[1], left, right), 0.1 * (right - left)
        if min(right - t, t - left) >= margin:
            stuck = False
        elif stuck or not left < t < right:
            # twice close to an end: the bracket hardly shrinks
            t = right - margin if right - t < t - left else left + margin
            stuck = False
        else:
            stuck = True
        now, steps = at(t), steps + 1
        if too_high(now) or now.f >= ends[low].f:
            ends[1 - low] = now
            low = 0 if ends[0].f <= ends[1].f else 1
            continue
        done = flat(now)
        if not done and now.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = now
        if done:
            break
    return ends[low], steps + 1
