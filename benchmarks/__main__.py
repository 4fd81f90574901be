"""``python -m benchmarks``: the same steps in tinygrad_lite and its peers, side by side; writes the tables."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import costs, report, runs, session
from benchmarks.peers import PEERS
from benchmarks.workloads import WORKLOADS

START, END = "<!-- measured: start -->", "<!-- measured: end -->"


def listed(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=listed, default=[], help="workloads, of " + ",".join(w.name for w in WORKLOADS))
    parser.add_argument("--peers", type=listed, default=list(PEERS), help="libraries, of " + ",".join(PEERS))
    parser.add_argument("--threads", type=listed, default=["1"], help="numbers of threads, for example 1,2")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each library")
    parser.add_argument("--turn", type=float, default=0.1, help="seconds of a turn")
    parser.add_argument("--runs", type=int, default=1, help="how often all of it is done; the tables show medians")
    parser.add_argument("--no-costs", action="store_true", help="only the steps")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"), help="folder for results.md and .json")
    parser.add_argument(
        "--docs", type=Path, help="page whose measured part is replaced, for example docs/performance.md"
    )
    given = parser.parse_args()
    for name, known in (("only", [w.name for w in WORKLOADS]), ("peers", list(PEERS))):
        wrong = [x for x in getattr(given, name) if x not in known]
        if wrong:
            parser.error(f"--{name}: there is no {', '.join(wrong)}; there are {', '.join(known)}")
    if given.runs < 1:
        parser.error(f"--runs: at least 1, got {given.runs}")
    found: dict[str, Any] = {"machine": report.machine(), "peers": given.peers, "speed": {}, "costs": {}, "runs": {}}
    if not given.no_costs:
        found["costs"] = costs.measure()
    for run in range(given.runs):
        for threads in given.threads:
            print(f"run {run + 1} of {given.runs}, {threads} thread(s)", file=sys.stderr)
            results = session.measure(given.only, given.peers, int(threads), given.rounds, given.turn)
            done = found["runs"].setdefault(threads, [])
            done.append(results)
            found["speed"][threads] = runs.combined(done)
            write(found, given.out, given.docs)  # a long run that is stopped leaves what it has
    print(report.markdown(found))


def write(found: dict[str, Any], out: Path, docs: Path | None) -> None:
    text = report.markdown(found)
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.md").write_text(text)
    (out / "results.json").write_text(json.dumps(found, indent=1) + "\n")
    if docs is not None:
        page = docs.read_text()
        before, after = page.split(START)[0], page.split(END)[1]
        docs.write_text(f"{before}{START}\n\n{text}\n{END}{after}")


if __name__ == "__main__":
    main()
