"""What the parity suite prints at its end: how many functions were compared with PyTorch, and how many agree."""

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    verdicts: dict[str, list[tuple[int, int]]] = {}
    failed: list[str] = []
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            for key, value in getattr(report, "user_properties", []):
                if key == "parity":
                    name, cases, checks = value
                    verdicts.setdefault(name, []).append((cases, checks))
                    if outcome != "passed":
                        failed.append(name)
    if verdicts:
        cases, checks = (sum(v[i] for rows in verdicts.values() for v in rows) for i in (0, 1))
        good = len(verdicts) - len(set(failed))
        terminalreporter.section("parity with PyTorch")
        terminalreporter.write_line(
            f"{len(verdicts)} functions x {cases} cases, {checks} comparisons of values, shapes, dtypes, first and "
            f"second gradients and errors: {good} of {len(verdicts)} functions agree"
        )
        for name in sorted(set(failed)):
            terminalreporter.write_line(f"  differs: {name}")
