"""The tables, as Markdown and JSON, and the machine they were made on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, REFERENCE
from benchmarks.runs import OURS
from benchmarks.worker import NOT_OFFERED
from benchmarks.workloads import WORKLOADS


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    versions = {}
    for package in ["numpy", *(package for _, package in PEERS.values())]:
        try:
            versions[package] = importlib.metadata.version("scikit-learn" if package == "sklearn" else package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "missing"
    return {
        "processor": name, "cores": os.cpu_count(), "system": platform.platform(terse=True),
        "python": platform.python_version(), "blas": blas(), "load": [round(x, 2) for x in os.getloadavg()], **versions,
    }  # fmt: skip


def blas() -> str:
    """Return which library NumPy multiplies matrices with, and the kernels it chose."""
    try:
        import threadpoolctl
    except ImportError:
        return "unknown (threadpoolctl is missing)"
    import numpy as np

    np.ones((2, 2)) @ np.ones((2, 2))
    found = threadpoolctl.threadpool_info()
    return ", ".join(f"{f['internal_api']} {f['version']} ({f.get('architecture')})" for f in found) or "unknown"


def cell(value: dict[str, Any]) -> str:
    """Return the median of a peer, and ours as a multiple of it."""
    if "median" not in value:
        return "–"
    note = "" if value.get("comparable", True) else "*"
    text = f"{value['median'] * 1e6:,.1f}{note}"
    return f"{text} ({value['ratio']['median']:.2f})" if "ratio" in value else text


def present(results: dict[str, Any], peers: list[str]) -> list[str]:
    """Return the peers that are installed and work; `absences` names the others."""
    return [p for p in peers if any("missing" not in row.get(p, {}) for row in results.values())]


def speed(results: dict[str, Any], peers: list[str]) -> str:
    """Return the table of one number of threads."""
    shown = [p for p in present(results, peers) if p != OURS]
    count = max((len(v["ratio"]["runs"]) for row in results.values() for v in row.values() if "ratio" in v), default=1)
    words = "median" if count == 1 else f"median of {count} runs (least … most)"
    lines = [
        f"| one step, us | goal | ours / {REFERENCE}: {words}, fastest step | tinygrad_lite | {' | '.join(shown)} |",
        f"| --- | --- | --- | --- |{' --- |' * len(shown)}",
    ]
    for workload in WORKLOADS:
        if workload.name not in results:
            continue
        row = results[workload.name]
        ours, found = row.get(OURS, {}), row.get(REFERENCE, {}).get("ratio")
        ratio = "–"
        if found is not None:
            middle, fastest = found["median"], found["fastest"]
            spread = f" ({found['min']:.2f} … {found['max']:.2f})" if count > 1 else ""
            bold = "" if workload.goal is None or min(middle, fastest) <= workload.goal else "**"
            ratio = f"{bold}{middle:.2f}{spread}, {fastest:.2f}{bold}"
        mine = f"{ours['median'] * 1e6:,.1f}" if "median" in ours else "–"
        goal = "" if workload.goal is None else f"{workload.goal:.2f}"
        cells = " | ".join(cell(row.get(p, {})) for p in shown)
        lines.append(f"| {workload.title} | {goal} | {ratio} | {mine} | {cells} |")
    return "\n".join(lines)


def first_steps(results: dict[str, Any], peers: list[str]) -> str:
    """Return the table of what the very first step costs (compilation included)."""
    peers = present(results, peers)
    lines = [f"| first step, ms | {' | '.join(peers)} |", f"| --- |{' --- |' * len(peers)}"]
    for name, row in results.items():
        cells = [f"{row[p]['first'] * 1e3:,.1f}" if "first" in row.get(p, {}) else "–" for p in peers]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def disagreements(results: dict[str, Any]) -> list[str]:
    """Return the peers whose first loss is not ours: they would be doing something else."""
    found = []
    for name, row in results.items():
        ours = row.get(OURS, {}).get("loss")
        for peer, value in row.items():
            if ours is None or "loss" not in value or not value.get("comparable", True):
                continue
            if abs(value["loss"] - ours) > 1e-3 * max(1e-2, abs(ours)):
                found.append(f"{name}: the first loss of {peer} is {value['loss']:.6g}, ours is {ours:.6g}")
    return found


def absences(results: dict[str, Any]) -> list[str]:
    """Return why a library is missing, and why one that does a kind of workload could not do one."""
    missing, found = {}, []
    for name, row in results.items():
        for peer, value in row.items():
            if "missing" in value:
                missing[peer] = f"{peer} is missing: {value['missing']}"
            elif "absent" in value and value["absent"] != NOT_OFFERED:
                found.append(f"{name}: {peer}: {value['absent']}")
    return [*missing.values(), *found]


def costs(found: dict[str, Any]) -> str:
    """Return the table of what is not speed of a step."""
    return "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in found.items())])


def markdown(report: dict[str, Any]) -> str:
    """Return the whole report."""
    about = report["machine"]
    lines = [
        "Medians of many steps in turns with the others, float32, one process per library. In brackets: ours as a "
        "multiple of it. Bold: the goal is missed by the median and by the fastest step. *: not a step, see the text.",
        "", "Machine: " + ", ".join(f"{key} {value}" for key, value in about.items()),
    ]  # fmt: skip
    for threads, results in report["speed"].items():
        title = "One thread" if threads == "1" else f"{threads} threads"
        lines += ["", f"### {title}", "", speed(results, report["peers"])]
        lines += ["", *(f"- {line}" for line in [*disagreements(results), *absences(results)])]
    if report["speed"]:
        lines += ["", "### First step", "", first_steps(next(iter(report["speed"].values())), report["peers"])]
    if report["costs"]:
        lines += ["", "### Other costs", "", costs(report["costs"])]
    return "\n".join(lines) + "\n"
