"""``tinygrad-lite gradcheck [OP ... | module:name | file.py:name | --all]``: check gradients and print a table."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from tinygrad_lite.errors import visible
from tinygrad_lite.testing.check import check_op
from tinygrad_lite.testing.modules import check_module
from tinygrad_lite.testing.report import GradReport
from tinygrad_lite.testing.targets import NoInputs, all_ops, described, guessed, resolve, spec_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to a parser."""
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="ops and functions by PyTorch's names (conv2d), module:name or file.py:name (a function or a module)",
    )
    parser.add_argument("--all", action="store_true", help="every registered op")
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="AXES",
        help='axes of one input of a function: "n 3"; integers below 5: "n <5" (repeat it for every input)',
    )
    parser.add_argument("--examples", type=int, default=30, help="inputs searched per op (default 30)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the search (default 0)")
    parser.add_argument("--order", type=int, default=None, choices=(1, 2), help="highest derivative that is checked")
    parser.add_argument(
        "--engine",
        default="builtin",
        choices=("builtin", "hypothesis"),
        help="what draws the inputs",
    )


def run(args: argparse.Namespace | Sequence[str]) -> int:
    """Check the targets and print a table; returns 0, 1 if a gradient is wrong, or 2 for bad arguments."""
    if not isinstance(args, argparse.Namespace):
        parser = argparse.ArgumentParser(prog="tinygrad-lite gradcheck", description=__doc__)
        add_arguments(parser)
        args = parser.parse_args(args)
    if not args.targets and not args.all:
        print("gradcheck: name an op, module:function, file.py:function, or --all", file=sys.stderr)
        return 2
    if args.examples < 1:
        print(f"gradcheck: --examples must be at least 1, got {args.examples}", file=sys.stderr)
        return 2
    if args.seed < 0:
        print(f"gradcheck: --seed must not be negative, got {args.seed}", file=sys.stderr)
        return 2
    try:
        inputs = [spec_of(text) for text in args.input]
        targets = [*(all_ops() if args.all else ()), *((name, resolve(name)) for name in args.targets)]
    except Exception as error:  # the code of a user may raise anything when it is imported
        kind = "" if isinstance(error, (ValueError, ImportError)) else f"{type(error).__name__}: "
        print(f"gradcheck: {kind}{visible(error)}", file=sys.stderr)
        return 2
    width = max(len(name) for name, _ in targets)
    failed: list[str] = []
    print(f"{'op':{width}}  result       examples  seconds")
    for name, fn in targets:
        start = time.perf_counter()
        try:
            report = _checked(fn, inputs, args)
        except NoInputs as error:
            print(f"gradcheck: {error}", file=sys.stderr)
            return 2
        seconds = time.perf_counter() - start
        word = "ok" if report.ok else "WRONG"
        word += f" ({report.inconclusive}?)" if report.ok and report.inconclusive else ""
        print(f"{name:{width}}  {word:11}  {report.examples:8}  {seconds:7.2f}")
        if not report.ok:
            failed.append(str(report))
    for text in failed:
        print(f"\n{text}")
    print(f"\n{len(targets) - len(failed)} of {len(targets)} right")
    return 1 if failed else 0


def _checked(fn: Any, inputs: Sequence[Any], args: argparse.Namespace) -> GradReport:
    """Check one target on its own samples, the inputs given on the command line, or guessed ones."""
    own = described(fn) and not inputs
    specs, options = ((), {}) if own else (inputs, {}) if inputs else guessed(fn)
    settings: dict[str, Any] = {"examples": args.examples, "seed": args.seed, "raise_exception": False}
    if hasattr(fn, "named_parameters"):
        report = check_module(fn, *specs, order=args.order or 2, engine=args.engine, **settings)
    else:
        report = check_op(fn, *specs, options=options or None, order=args.order, engine=args.engine, **settings)
    if not report.ok and report.kind == "forward raises" and not own and not inputs:
        given = ", ".join(repr(getattr(s, "shape", s)) for s in specs)
        raise NoInputs(
            f"{getattr(fn, '__name__', type(fn).__name__)} raises for inputs of the shapes {given} ({report.detail}); "
            'describe its inputs, one --input each: --input "n 3" --input "n <5"'
        )
    return report
