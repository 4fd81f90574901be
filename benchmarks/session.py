"""The processes of all peers, taking turns: a few steps of one, a few of the next, many rounds."""

from __future__ import annotations

import json
import os
import select
import signal
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.workloads import WORKLOADS

PATIENCE = 120.0
"""Seconds until a peer that does not answer is given up (torch.compile takes tens of seconds for a first step)."""


class Peer:
    def __init__(self, name: str, threads: int) -> None:
        self.name, (module, _) = name, PEERS[name]
        count = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, **count}, text=True,
        )  # fmt: skip
        self.state = self.answer()
        self.rest()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.close()
            return {"absent": "no answer" if ready else f"no answer within {PATIENCE:.0f} s"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        if self.process.poll() is not None:
            return {"absent": "the process ended"}
        assert self.process.stdin is not None
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(json.dumps({"do": do, **order}) + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        self.rest()
        return answer

    def rest(self) -> None:
        """Stop the process until its next turn: threads of OpenMP and BLAS wait in a loop, at the cost of the next."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def measure(only: list[str], peers: list[str], threads: int, rounds: int, turn: float) -> dict[str, Any]:
    """Return {workload: {peer: {"min", "median", "first", "steps", "loss"} or {"missing" or "absent": why}}}."""
    opened = [Peer(name, threads) for name in peers]
    results: dict[str, Any] = {}
    try:
        for workload in WORKLOADS:
            if only and workload.name not in only:
                continue
            row: dict[str, Any] = {}
            running = []
            for peer in opened:
                if "ready" not in peer.state:
                    row[peer.name] = peer.state
                    continue
                row[peer.name] = peer.ask("setup", name=workload.name)
                if "loss" in row[peer.name]:
                    running.append(peer)
            times: dict[str, list[float]] = {peer.name: [] for peer in running}
            for _ in range(rounds):
                for peer in running:
                    times[peer.name] += peer.ask("run", name=workload.name, seconds=turn).get("times", [])
            for peer in running:
                found = [t / workload.per for t in times[peer.name]]
                row[peer.name] |= {"min": min(found), "median": statistics.median(found), "steps": len(found)}
                peer.ask("free")
            results[workload.name] = row
            print(f"  {workload.name}: {summary(row)}", file=sys.stderr, flush=True)
    finally:
        for peer in opened:
            peer.close()
    return results


def summary(row: dict[str, Any]) -> str:
    """Return the medians in one line, for whoever waits."""
    return ", ".join(f"{name} {v['median'] * 1e6:,.1f} us" for name, v in row.items() if "median" in v)
