"""Hostile arguments for every command of ``tinygrad-lite``, in processes of their own.

A command returns 0, or 1 or 2 with a message; it shows no traceback but that of a script that it runs, sends no control
characters to the terminal, and leaves nothing outside the folder it was given.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import random
import re
import sys
import tempfile
import time
import traceback
from pathlib import Path

import tinygrad_lite as tl
from tests.fuzz.arguments import INTERNAL
from tests.fuzz.findings import Findings
from tests.fuzz.processes import Hang, apart, limit, limited, silent, watch
from tinygrad_lite import nn, viz
from tinygrad_lite._tools.cli import COMMANDS, main

TURNS = 20
"""Turns that every machine makes in a minute."""
LIMIT = 20.0
SCRIPT = """
import sys
from tinygrad_lite import nn
m = nn.Linear(2, 2)
class Net(nn.Module):
    def __init__(self, size): super().__init__()
def f(x): return x * 2
def g(): return 1
def nothing(x): return None
def endless(x): raise StopIteration
def boom(*a): raise KeyError("a")
def stops(*a): sys.exit(7)
\x23 a comment
x = 5
"""
FILES = {
    "ok.py": SCRIPT, "wrong.py": "def f(:", "raises.py": "raise ValueError('of its own')", "zero.py": "x = 1\0",
    "leaves.py": "import sys\nsys.exit('it leaves')", "torchy.py": "import torch\ntorch.zeross(2)\ntorch.compile",
    "missing.py": "import torch.nn.nowhere", "latin.py": "# \xe9\nimport torch", "deep.py": "(" * 300 + ")" * 300,
    "bad.json": "{", "deep.json": "[" * 100_000, "list.json": "[1]", "empty.json": "", "\x1b[31mred.py": "import torch",
}  # fmt: skip
WORDS = [
    "", "-", "--", "--x", "-o", "0", "-1", "1", "1e9", "nan", "9" * 30, "9" * 5000, "\u0663", "\u00b2", "\0",
    "\ud800", "\x1b]0;title\x07", "\n", "../..", "/dev", "/dev/null", "caf\udce9.py", "<script>", "none.json", "ok",
    "ok:m", "ok:f", "ok:g", "ok:nothing", "ok:endless", "ok:boom", "ok:stops", "ok:x", "ok:Net", "ok:nope",
    "ok:m.weight", "nope:f", "a:b:c", ":", ":f", "ok:", "ok.py:f", "wrong.py:f", "raises.py:f", "zero.py:f",
    "leaves.py:f", "folder", "folder.py", "os:system", "sys:exit", "builtins:input", "xor", "digits", "sin", "conv2d",
    "nosuch", "2,2", "x,y", "2x2", "()", "n 3", "n <5", "<", "n" * 4000, "g.json", "id.json", "notes.json",
    "99999999,99999999,999999", *FILES,
]  # fmt: skip
OPTIONS = {
    "graph": """-o a.svg|-o a.html|-o a.txt|-o a.nope|-o folder|-o none/a.svg|-o /dev/null|-o a.png|--depth -5
        --depth 99999999999999999999|--graph both|--graph backward|--params show|--show op,nope|--show ,|--color-by nope
        --color-by time|--rankdir LR|--theme dark|--no-fold|--max-nodes 0|--max-nodes -1|--title x|--summary
        --input-shape 2,2|--input-shape ()|--input-shape 0|--input-shape 1x2|--input-shape \u00b2|--help""",
    "gradcheck": """--input "n 3"|--input <|--input |--input "n <5"|--input n*n|--examples 0|--examples 1|--examples 2
        --seed -1|--seed 99999999999999999999999|--order 2|--order 3|--engine hypothesis|--engine none|--help""",
    "train": """--epochs 1|--epochs 0|--epochs -1|--epochs \u00b2|--lr 0|--lr nan|--lr 1e300|--lr 1e-300|--seed -1
        --seed 99999999999999999999999|--out folder|--out ok.py|--out /proc/x|--out /dev/null|--overwrite|--strict
        --no-pictures|--help""",
    "demo": "--epochs 0|--epochs -1|--epochs x|--out ok.py|--out /proc/x|--lr nan|--seed -1|--help",
    "list": "--help|--nope",
    "check": "--help|--nope",
    "run": "--help|--nope",
}
TARGETS = {
    "graph": ["ok:m", "ok:f", "ok.py:m", "xor", "g.json"],
    "gradcheck": ["sin", "matmul", "ok:f", "ok:m", "cross_entropy"],
    "train": ["xor", "linear", "tiny-cnn"],
    "check": ["ok.py", ".", "torchy.py"],
    "run": ["ok.py", "torchy.py"],
}


def options_of(command: str) -> list[list[str]]:
    """Return the options of a command, each with its value."""
    texts = re.split(r"\||\n\s*", OPTIONS.get(command, ""))
    return [[w.strip('"') for w in re.findall(r'"[^"]*"|\S+', text)] for text in texts]


def drawn(draw: random.Random) -> list[str]:
    """Return a command line: a command, perhaps a target that is right, and hostile words and options."""
    command = draw.choice([*COMMANDS, "graph", "graph", "gradcheck", "gradcheck", "bogus", draw.choice(WORDS)])
    args = [draw.choice(TARGETS[command])] if command in TARGETS and draw.random() < 0.6 else []
    for _ in range(draw.choice([0, 1, 1, 2, 3])):
        many = options_of(command)
        args += draw.choice(many) if draw.random() < 0.6 and many else [draw.choice(WORDS)]
    if draw.random() < 0.2:
        draw.shuffle(args)
    if command == "train":  # what is right is trained, but not for long
        args += ["--no-pictures", "--epochs", "1"]
    if command == "demo":
        args += ["--nope"]
    if command == "gradcheck":
        args += ["--examples", "2"]
    return [command, *args]


def prepared() -> None:
    """Write the files that the words name into the current folder."""
    for name, text in FILES.items():
        Path(name).write_text(text, "latin-1")
    Path("folder.py").mkdir()
    Path("folder").mkdir()
    Path("folder", "inner.txt").write_text("kept")
    viz.trace(nn.Linear(2, 2), tl.ones(1, 2)).save("g.json")
    graph = json.loads(Path("g.json").read_text())
    Path("notes.json").write_text(json.dumps(graph | {"notes": 5}))
    graph["nodes"][0]["id"] = []
    Path("id.json").write_text(json.dumps(graph))


def text_of(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def one_command(found: Findings, args: list[str]) -> None:
    """Run a command here and note what must not be."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf8", how) for how in ("strict", "backslashreplace"))  # as Python's
    text, name = ascii(" ".join(args)), args[0] if args[0] in COMMANDS else "no command"
    started = time.process_time()
    status: object = None
    sys.path.insert(0, os.getcwd())
    limit(LIMIT)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(args)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1 if stop.code else 0
        err.write("" if isinstance(stop.code, int) else str(stop.code or ""))
    except Hang:
        found.note("hang", name, text)
        return
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        if not (name == "run" and (isinstance(error, SyntaxError) or Path(frames[-1].filename).name in os.listdir())):
            places = [f"{Path(f.filename).name}:{f.lineno}" for f in frames[-3:]]
            found.note("traceback", name, f"{text} -> {type(error).__name__}: {str(error)[:150]} at {places}")
        status = 1
    finally:
        limit(0)
    seconds = time.process_time() - started
    printed, said = text_of(out), text_of(err)
    found.counts["commands"] += 1
    if seconds > LIMIT / 2:
        found.note("slow", name, f"{text}: {seconds:.1f} s")
    if status not in (0, 1, 2) and "stops" not in text:
        found.note("exit status", name, f"{text} -> {status!r}")
    if status in (1, 2) and not (said + printed).strip() and name != "run":
        found.note("no message", name, f"{text} -> {status}")
    if "Traceback" in said:
        found.note("traceback", name, f"{text} -> {said[-300:]}")
    if re.search("[\0-\x08\x0b-\x1f\x7f\ud800-\udfff]", said + printed):
        found.note("control characters", name, f"{text} -> {ascii(said + printed)[:300]}")
    told = re.sub(r".*(cannot be read|not of the right form|raised).*", "", said)  # with the reason of Python
    if status and INTERNAL.search(told) and not INTERNAL.search(text):
        found.note("internal message", name, f"{text} -> {said[-300:]}")


def fuzz(seconds: float, seed: int = 0, turns: float = math.inf) -> Findings:
    """Run at least 20 command lines, ten in a process, and more until the time or the turns are over."""
    found, end, turn = Findings(), time.monotonic() + seconds, 0
    while turn < 2 or turn < turns and time.monotonic() < end:
        lines = [drawn(random.Random(f"{seed} {turn} {i}")) for i in range(10)]

        def work(inner: Findings, lines: list[list[str]] = lines) -> None:
            limited(4)
            silent()
            watch()
            for args in lines:
                with tempfile.TemporaryDirectory() as folder:
                    os.chdir(folder)
                    prepared()
                    one_command(inner, args)
                    for name in [m for m in sys.modules if m in ("ok", "wrong", "raises", "zero", "leaves")]:
                        del sys.modules[name]
                    os.chdir("/")

        found.add(apart("commands", f"one of {ascii(lines)}", work, 30 * LIMIT))
        turn += 1
    return found
