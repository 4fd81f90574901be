"""Several runs as one: medians of the runs, and for each peer our time as a multiple of its own with the spread."""

from __future__ import annotations

import statistics
from typing import Any

OURS = "tinygrad_lite"

Results = dict[str, dict[str, dict[str, Any]]]
"""{workload: {peer: what `session.measure` found}}."""


def combined(runs: list[Results]) -> Results:
    """Return {workload: {peer: value}} of all runs together.

    Where a peer was measured, ``median`` is the median of the runs' medians, ``min`` the smallest, ``steps`` their sum.
    ``ratio`` is ours as a multiple of it: ``runs`` (one number per run: both took turns in it), their ``median``,
    ``min`` and ``max``; ``fastest`` is the same of the fastest steps, by its median. The rest is that of the first run.
    """
    out: Results = {}
    for workload in dict.fromkeys(name for run in runs for name in run):
        rows = [run[workload] for run in runs if workload in run]
        out[workload] = {peer: together(peer, rows) for peer in rows[0]}
    return out


def together(peer: str, rows: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return what the runs of one workload say about one peer."""
    found = [row[peer] for row in rows if "median" in row.get(peer, {})]
    if not found:
        return rows[0][peer]
    value = {
        **found[0], "median": statistics.median(v["median"] for v in found), "min": min(v["min"] for v in found),
        "steps": sum(v["steps"] for v in found),
    }  # fmt: skip
    both = [(row[OURS], row[peer]) for row in rows if "median" in row.get(OURS, {}) and "median" in row.get(peer, {})]
    if both and peer != OURS:
        ratios = [ours["median"] / other["median"] for ours, other in both]
        value["ratio"] = {
            "median": statistics.median(ratios), "min": min(ratios), "max": max(ratios), "runs": ratios,
            "fastest": statistics.median(ours["min"] / other["min"] for ours, other in both),
        }  # fmt: skip
    return value
