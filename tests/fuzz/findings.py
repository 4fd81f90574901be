"""What a run has found: how often each kind of event, and examples of each."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

GOOD = frozenset("calls files kills saves interrupts points pages steps accepted refused commands works".split())
"""The kinds that say how much was done; every other one is a fault."""


@dataclass
class Findings:
    """Counts by kind, counts by kind and name, and the first example of each kind for each name."""

    counts: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    examples: dict[str, dict[str, str]] = field(default_factory=dict)

    def note(self, kind: str, name: str = "", example: str = "") -> None:
        self.counts[kind] += 1
        if kind not in GOOD:
            self.names[f"{kind}: {name}"] += 1
            self.examples.setdefault(kind, {}).setdefault(name, example[:600])

    def add(self, other: Findings) -> None:
        self.counts += other.counts
        self.names += other.names
        for kind, known in other.examples.items():
            self.examples[kind] = known | self.examples.get(kind, {})

    def faults(self) -> dict[str, int]:
        """Return how often each fault happened."""
        return {kind: n for kind, n in self.counts.items() if kind not in GOOD}

    def dumps(self) -> bytes:
        return json.dumps([self.counts, self.names, self.examples]).encode()

    @staticmethod
    def loads(data: bytes) -> Findings:
        counts, names, examples = json.loads(data)
        return Findings(Counter(counts), Counter(names), examples)

    def __str__(self) -> str:
        lines = [
            ", ".join(f"{n:,} {kind}" for kind, n in sorted(self.counts.items(), key=lambda pair: pair[0] not in GOOD))
        ]
        for kind in self.faults():
            lines.append(f"{kind}:")
            lines += [
                f"  {self.names[f'{kind}: {name}']:5}  {text}" for name, text in self.examples.get(kind, {}).items()
            ]
        return "\n".join(lines)
