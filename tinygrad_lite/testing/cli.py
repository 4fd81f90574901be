"""``tinygrad-lite gradcheck [OP ... | module:callable | --all]``: check gradients and print a table."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from tinygrad_lite.engine.op import OPS as REGISTERED
from tinygrad_lite.testing.check import check_op

OPS: dict[str, Any] = REGISTERED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command to a parser."""
    parser.add_argument("targets", nargs="*", metavar="OP", help="names of registered ops, or module:callable")
    parser.add_argument("--all", action="store_true", help="every registered op")
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
        print("gradcheck: name an op, a module:callable, or --all", file=sys.stderr)
        return 2
    if args.examples < 1:
        print(f"gradcheck: --examples must be at least 1, got {args.examples}", file=sys.stderr)
        return 2
    try:
        targets = list(_targets(args))
    except (ValueError, ImportError, AttributeError) as error:
        print(f"gradcheck: {error}", file=sys.stderr)
        return 2
    width = max(len(name) for name, _ in targets)
    failed: list[str] = []
    print(f"{'op':{width}}  result       examples  seconds")
    for name, fn in targets:
        start = time.perf_counter()
        report = check_op(
            fn, examples=args.examples, seed=args.seed, order=args.order, engine=args.engine, raise_exception=False
        )
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


def _targets(args: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    if args.all:
        yield from ((name, op.call) for name, op in sorted(OPS.items()) if op.places)
    for target in args.targets:
        if ":" in target:
            module, _, attribute = target.partition(":")
            sys.path.insert(0, "")
            try:
                fn = import_module(module)
            finally:
                sys.path.remove("")
            for part in attribute.split("."):
                fn = getattr(fn, part)
            if getattr(getattr(fn, "op", None), "samples", None) is None:
                raise ValueError(f"{target} is not an op with samples; declare it with @op(..., samples=Samples(...))")
            yield target, fn
        elif target not in OPS:
            near = [n for n in OPS if target in n or n in target]
            raise ValueError(f"no op named '{target}'" + (f"; did you mean {', '.join(sorted(near))}?" if near else ""))
        elif not OPS[target].places:
            raise ValueError(f"'{target}' has no gradient")
        else:
            yield target, OPS[target].call
