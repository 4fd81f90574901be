"""A few seconds of every fuzzer, always with the same draws. `python -m tests.fuzz --minutes 60` runs them longer."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the fuzzers fork processes that may crash")
ROOT = Path(__file__).parents[2]


def clean(*parts: str) -> str:
    """Run parts in a process of their own, which has no other threads; return what it printed."""
    command = [sys.executable, "-m", "tests.fuzz", *parts, "--minutes", "0", "--seed", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_arguments() -> None:
    assert "calls" in clean("arguments")


def test_readers() -> None:
    assert "files" in clean("readers")


def test_kills_and_interruptions_during_saves() -> None:
    assert "kills" in clean("saving")


def test_commands_memory_threads_and_pages() -> None:
    printed = clean("commands", "memory", "soak", "threads", "pages")
    assert all(word in printed for word in ("commands", "points", "steps", "works"))


def test_a_part_that_is_not_there() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "coverage" if find_spec("atheris") is None else "nothing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2 and ("atheris" in done.stderr or "there is no part nothing" in done.stderr)
