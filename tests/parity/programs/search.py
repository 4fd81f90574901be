"""Search a range of random programs: ``python -m tests.parity.programs.search 0 1000`` prints what differs."""

from __future__ import annotations

import argparse
import collections
import re
import time

import pytest

pytest.importorskip("torch")  # doctests are looked for here, too

from tests.parity.programs.grammar import KINDS  # noqa: E402
from tests.parity.programs.lockstep import ALL, Finding, grown, shown  # noqa: E402
from tests.parity.programs.shrink import shrunk  # noqa: E402
from tests.parity.programs.wide_grammar import WIDE  # noqa: E402


def key(found: Finding) -> str:
    """Return the kind of a difference and the call it shows at, to count what is the same."""
    calls = re.findall(
        r"(?:\.|\b)([A-Za-z_]\w*)\(|( @ | // | % |\*\*=?|\[.*\] = |[-+*/]= )", " ".join(found.lines[-1:])
    )
    return f"{found.kind} {' '.join((a or b).strip() for a, b in calls) or found.lines[-1].split('=')[-1].strip()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--each", type=int, default=2, help="how many programs to show for a kind of difference")
    parser.add_argument("--ignore", default="", help="comma separated: layout, version")
    parser.add_argument("--wide", action="store_true", help="with the templates of wide_grammar.py")
    args = parser.parse_args()
    options = ALL - set(args.ignore.split(","))
    counts: collections.Counter[str] = collections.Counter()
    start, lines = time.time(), 0
    for seed in range(args.first, args.last):
        program, found = grown(seed, options, WIDE if args.wide else KINDS)
        lines += len(program)
        if found is None:
            continue
        before = key(found)
        counts[before] += 1
        if counts[before] > 3 * args.each:
            continue
        small = shrunk(found, options)
        counts["> " + key(small)] += 1
        if counts["> " + key(small)] <= args.each:
            print(f"--- seed {seed}: {key(small)}\n{shown(small)}\n", flush=True)
    print(f"{args.last - args.first} programs, {lines} lines, {time.time() - start:.0f} s")
    for name, count in sorted((item for item in counts.items() if item[0][0] != ">"), key=lambda i: -i[1]):
        print(f"{count:6d} {name}")


if __name__ == "__main__":
    main()
