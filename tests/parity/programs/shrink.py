"""Makes a program that shows a difference as short as it gets, keeping the kind of the difference."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("torch")  # doctests are looked for here, too

from tests.parity.programs.lockstep import ALL, Finding, again  # noqa: E402

TRIES = 400


def shrunk(found: Finding, options: frozenset[str] = ALL) -> Finding:
    """Return the same kind of difference in the shortest program that was found."""
    best, tries, changed = found, 0, True
    while changed and tries < TRIES:
        changed = False
        for lines in shorter(best.lines):
            tries += 1
            other = again(lines, options)
            if other is not None and other.kind == found.kind and size(other.lines) < size(best.lines):
                best, changed = other, True
                break
            if tries >= TRIES:
                break
    return best


def size(lines: list[str]) -> int:
    return sum(len(line) + 20 for line in lines)


def shorter(lines: list[str]) -> list[list[str]]:
    """Return simpler programs: a line left out, a variable replaced by one it is made of, a simpler line."""
    out = []
    for i in reversed(range(len(lines))):
        out.append(lines[:i] + lines[i + 1 :])
        if made := re.match(r"(\w+) = (.*)$", lines[i], re.DOTALL):
            for used in dict.fromkeys(re.findall(r"\b[av]\d+\b", made[2])):
                out.append(lines[:i] + [re.sub(rf"\b{made[1]}\b", used, line) for line in lines[i + 1 :]])
    for i, line in enumerate(lines):
        for simple in simpler(line):
            out.append([*lines[:i], simple, *lines[i + 1 :]])
    return out


def simpler(line: str) -> list[str]:
    """Return simpler forms of one line."""
    out = []
    if "\n    " in line:
        out.append(line.split("\n    ", 1)[1])
    if line.startswith(("total = ", "square = ")):
        terms = line.split(" = ", 1)[1].split(" + ")
        for i in range(len(terms) if len(terms) > 1 else 0):
            out.append("total = " + " + ".join(terms[:i] + terms[i + 1 :]))
        out.append(re.sub(r"\((\w+)\.to\(T\.float64\) \* \d+\)", r"\1", line))
    if asked := re.search(r"\[(a\d+(?:, a\d+)+)\]", line):
        out += [line.replace(asked[1], name) for name in asked[1].split(", ")]
    if made := re.match(r"(a\d+) = T\.tensor\((.*), dtype=T\.(\w+)\)(.*)$", line):
        name, data, dtype, rest = made.groups()
        for literal in ("1.0", "[1.0]", "[1.0, 2.0]", "[[1.0, 2.0], [3.0, 4.0]]", "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]"):
            if dtype.startswith("float") and len(literal) < len(data):
                out.append(f"{name} = T.tensor({literal}, dtype=T.{dtype}){rest}")
        if rest:
            out += [
                f"{name} = T.tensor({data}, dtype=T.{dtype})",
                f"{name} = T.tensor({data}, dtype=T.{dtype}).requires_grad_()",
            ]
        if dtype == "float16" or dtype == "float32":
            out.append(line.replace(dtype, "float64") + " " * 0)
    return out
