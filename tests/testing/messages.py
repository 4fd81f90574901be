"""Ten typical mistakes and their reports; ``python -m tests.testing.messages`` writes the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.testing.table import load
from tinygrad_lite.testing import check_rule

PAGE = Path(__file__).parents[2] / "docs" / "checking_gradients_messages.md"

# case, planted bug, the mistake in one sentence
MISTAKES = (
    ("softmax", "noterm", "The rule of softmax is written as if each output depended on one input only: `y * g`."),
    ("leaky_relu", "default", "Backward takes the default slope whatever `slope` is."),
    ("maximum", "shape", "The sum over broadcast axes is forgotten."),
    ("tanh", "inplace", "Backward writes into the incoming gradient: `g *= 1 - y * y`."),
    ("mean", "sum", "The rule of `mean` does not divide by the count."),
    ("take_rows", "repeated", "`out[i] += g` loses all but one of several equal indices."),
    ("prod", "zeroed", "`prod / x` is guarded against division by zero by returning zero."),
    ("layer_norm", "statistic", "The variance is treated as a constant."),
    ("gated_layer", "state", "The layer keeps its input on itself, so the next call overwrites it."),
    ("gelu_tanh", "constant", "0.0447 is typed for 0.044715."),
)

HEAD = """# Ten typical mistakes and their reports

Written by `python -m tests.testing.messages`; every text below is the output of `check_rule` on the mistake.

A report has up to six parts: what is wrong and where; the analytic and the numeric derivative, with the estimated
error of the latter; the options, the smallest failing input and its origin; the suspected cause; notes; a call that
checks the same point again. The suspected cause fits all failing inputs of the search and no passing one contradicts
it, so the smallest input alone may not show it.
"""


def page() -> str:
    """Return the whole page."""
    cases = {c.name: c for c in load()}
    parts = [HEAD]
    for number, (name, bug, words) in enumerate(MISTAKES, 1):
        forward, backward = cases[name].planted(bug)
        report: Any = check_rule(forward, backward, cases[name].sampler, name=name)
        parts.append(f"## {number}. {words}\n\n```text\n{report}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
    print(f"{PAGE} written")
