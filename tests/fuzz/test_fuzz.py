"""A few seconds of every fuzzer, always with the same draws. `python -m tests.fuzz --minutes 60` runs them longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the fuzzers fork processes that may crash")
ROOT = Path(__file__).parents[2]


def clean(part: str, seconds: float = 0.0) -> str:
    """Run a part in a process of its own, which has no other threads; return what it printed."""
    command = [sys.executable, "-m", "tests.fuzz", part, "--minutes", str(seconds / 60), "--seed", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_arguments() -> None:
    assert "calls" in clean("arguments")


def test_readers() -> None:
    assert "files" in clean("readers")


def test_kills_and_interruptions_during_saves() -> None:
    assert "kills" in clean("saving")
