"""``python -m benchmarks.models``: the steps of real models against PyTorch: time, first step, memory, as tables."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.__main__ import listed
from benchmarks.models import SIZES, STEPS
from benchmarks.models.side_by_side import OURS, THEIRS
from benchmarks.report import machine

START, END = "<!-- models: start -->", "<!-- models: end -->"
BARS = "<!-- bars of models: start -->", "<!-- bars of models: end -->"
GOALS = {"1": (1.2, 0.95), "2": (1.4, None)}
"""Threads: the largest ratio wanted of a step, and the geometric mean."""


def asked(threads: str, loops: bool = True, **order: Any) -> dict[str, Any]:
    """Return the answer of a fresh process to one order; without ``loops`` on NumPy alone."""
    count = {f"{library}_NUM_THREADS": threads for library in ("OMP", "OPENBLAS", "MKL")}
    count |= {} if loops else {"TINYGRAD_LITE_NATIVE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.models.side_by_side", json.dumps(order)], capture_output=True, text=True,
        env={**os.environ, **count},
    )  # fmt: skip
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["no answer"])[-1]}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measured(name: str, threads: str, sizes: dict[str, int], given: Any, alone: bool = True) -> dict[str, Any]:
    """Return everything about one step; ``alone``: first steps and memory too."""
    about = {"name": name, "sizes": sizes}
    more = {"seconds": given.seconds, "clock": given.clock}
    row = {what: asked(threads, **about, infer=what == "infer", **more) for what in ("train", "infer")}
    if given.plain:
        row["plain"] = asked(threads, False, **about, infer=False, **more)
        row["plain infer"] = asked(threads, False, **about, infer=True, **more)
    if alone and not given.no_alone:
        row |= {T: asked(threads, **about, infer=False, T=T, clock=given.clock) for T in (OURS, THEIRS)}
    return row


def middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one row of several runs: of each kind that one whose ratio is the middle one, and all ratios."""
    row: dict[str, Any] = {}
    for kind in runs[0]:
        found = [r[kind] for r in runs if kind in r]
        whole = sorted((v for v in found if "failed" not in v), key=lambda v: v.get("ratio", v.get("first", 0.0)))
        row[kind] = dict(whole[len(whole) // 2] if whole else found[0])
        if "ratio" in row[kind] and len(whole) > 1:
            row[kind]["ratios"] = [v["ratio"] for v in whole]
    return row


def mean(ratios: list[float]) -> float:
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def table(rows: dict[str, dict[str, Any]], threads: str) -> str:
    """Return the table of one number of threads."""
    most, average = GOALS.get(threads, (None, None))
    kinds = ["train", "infer"] + (["plain", "plain infer"] if any("plain" in row for row in rows.values()) else [])
    names = ["training", "no_grad", "training, NumPy alone", "no_grad, NumPy alone"][: len(kinds)]
    lines = [
        f"| one step | tinygrad_lite, ms | PyTorch, ms | {' | '.join(names)} | first step, ms | peak memory, MiB |",
        "| --- | --- | --- |" + " --- |" * (len(kinds) + 2),
    ]
    for title, row in rows.items():
        train, ours, theirs = (row.get(k, {}) for k in ("train", OURS, THEIRS))
        pairs = [row.get(k, {}) for k in kinds]
        if "failed" in train:
            lines.append(f"| {title} | failed: {train['failed']} |" + " |" * (len(kinds) + 3))
            continue
        cells = [f"{1e3 * train[k]:.2f}" for k in ("ours", "theirs")]
        cells += ["–" if "ratio" not in r else marked(r["ratio"], r["fastest"], most) for r in pairs]
        for key, scale in (("first", 1e3), ("peak", 1.0)):
            both = key in ours and key in theirs
            cells.append(f"{scale * ours[key]:.0f} / {scale * theirs[key]:.0f}" if both else "–")
        lines.append(f"| {title} | {' | '.join(cells)} |")
    found = [[row[k]["ratio"] for row in rows.values() if "ratio" in row.get(k, {})] for k in kinds]
    goal = "" if average is None else f" (goal: {average})"
    lines.append(f"| geometric mean{goal} | | | {' | '.join(f'{mean(ratios):.2f}' for ratios in found)} | | |")
    return "\n".join(lines)


def marked(ratio: float, fastest: float, most: float | None) -> str:
    """Return both ratios, bold if the goal is missed by both."""
    bold = "**" if most is not None and min(ratio, fastest) > most else ""
    return f"{bold}{ratio:.2f}{bold} ({fastest:.2f})"


def markdown(found: dict[str, Any]) -> str:
    """Return all tables."""
    about = ", ".join(f"{k} {found['machine'][k]}" for k in ("processor", "cores", "blas", "load", "numpy", "torch"))
    lines = [f"Machine: {about}. Ratios: ours / PyTorch, median of neighbouring steps (of the fastest)."]
    every = [v for rows in found["speed"].values() for row in rows.values() for v in row.values() if "ratios" in v]
    if every:
        apart = sorted(max(v["ratios"]) / min(v["ratios"]) for v in every)
        half, tenth = apart[len(apart) // 2], apart[-1 - len(apart) // 10]
        lines.append(
            f"Each is the middle one of {found['runs']} runs, one after the other; their largest is {half:.2f} times"
            f" the smallest in half of the cells, and {tenth:.2f} times in nine of ten."
        )
    for threads, rows in found["speed"].items():
        lines += ["", "### One thread" if threads == "1" else f"### {threads} threads", "", table(rows, threads)]
    return "\n".join(lines) + "\n"


def bars(rows: dict[str, dict[str, Any]]) -> str:
    """Return the ratios of training as a chart: with native loops, below it on NumPy alone; the quickest first."""
    pairs = {t.partition(",")[0]: (r["train"]["ratio"], r["plain"]["ratio"]) for t, r in rows.items()
             if "ratio" in r["train"] and "ratio" in r.get("plain", {})}  # fmt: skip
    lines, most = ["```{raw} html", '<div class="bars">'], max((max(p) for p in pairs.values()), default=1.0)
    for title, (loops, plain) in sorted(pairs.items(), key=lambda item: sum(item[1])):
        for name, kind, ratio in ((title, " class=ours", loops), ("", "", plain)):
            width = round(100 * ratio / max(most, 2.0))
            lines.append(f'<span>{name}</span><div><b{kind} style="width:{width}%"></b>{ratio:.2f}</div>')
    return "\n".join([*lines, "</div>", "```"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.models", description=__doc__)
    parser.add_argument("--only", type=listed, default=[], help="steps, of " + ",".join(STEPS))
    parser.add_argument("--threads", type=listed, default=["1", "2"], help="numbers of threads, for example 1,2")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each pair is measured")
    parser.add_argument("--runs", type=int, default=1, help="how often all of it is done; the tables show the middle")
    parser.add_argument("--clock", default="perf_counter", help="thread_time on a busy machine, for one thread only")
    parser.add_argument("--sizes", action="store_true", help="the other sizes of each step instead of the usual one")
    parser.add_argument("--plain", action="store_true", help="on NumPy alone too; the chart needs it")
    parser.add_argument("--no-alone", action="store_true", help="no first steps and no memory")
    parser.add_argument("--out", type=Path, default=Path("runs/models"), help="folder for results.md and .json")
    parser.add_argument("--docs", type=Path, help="page whose part about models is replaced")
    given = parser.parse_args()
    if wrong := [name for name in given.only if name not in STEPS]:
        parser.error(f"--only: there is no {', '.join(wrong)}; there are {', '.join(STEPS)}")
    found: dict[str, Any] = {"machine": machine(), "runs": given.runs, "speed": {}}
    known: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for run, threads in itertools.product(range(given.runs), given.threads):
        rows = found["speed"].setdefault(threads, {})
        for name in given.only or STEPS:
            for sizes in SIZES[name] if given.sizes else [{}]:
                title = STEPS[name][0] if not sizes else f"{name}: " + ", ".join(f"{k} {v}" for k, v in sizes.items())
                runs = known.setdefault((threads, title), [])
                runs.append(measured(name, threads, sizes, given, alone=not run))
                rows[title] = middle(runs)
                print(f"{threads} {title}: {json.dumps(runs[-1])}", file=sys.stderr, flush=True)
                write(found, given.out, given.docs)
    print(markdown(found))


def write(found: dict[str, Any], out: Path, docs: Path | None) -> None:
    """Write what is known so far."""
    text = markdown(found)
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.md").write_text(text)
    (out / "results.json").write_text(json.dumps(found, indent=1) + "\n")
    if docs is not None:
        page = replaced(docs.read_text(), (START, END), text + "\n")
        one = found["speed"].get("1", {})
        if any("plain" in row for row in one.values()):
            page = replaced(page, BARS, bars(one) + "\n\n")
        docs.write_text(page)


def replaced(page: str, marks: tuple[str, str], text: str) -> str:
    """Return the page with another text between two marks."""
    return f"{page.split(marks[0])[0]}{marks[0]}\n\n{text}{marks[1]}{page.split(marks[1])[1]}"


if __name__ == "__main__":
    main()
