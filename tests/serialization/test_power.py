"""The order in which a save reaches the disk, so that the power may fail at any moment.

The data, fsync of the file, the new name, fsync of the folder: a name never stands for data that is not on the disk.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_lite as tl


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be opened there")
def test_the_order_of_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        folder = os.path.isdir(f"/proc/self/fd/{descriptor}") or os.fstat(descriptor).st_nlink > 1
        calls.append(f"fsync {'folder' if folder else os.fstat(descriptor).st_size > 4000}")
        fsync(descriptor)

    def renamed(source: str, target: str) -> None:
        calls.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    tl.save({"w": tl.ones(1000)}, tmp_path / "w.npz")
    assert calls == ["fsync True", "rename", "fsync folder"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("name", ["w.npz", "w.safetensors"])
def test_the_order_of_system_calls(tmp_path: Path, name: str) -> None:
    program = f"import tinygrad_lite as tl; tl.save({{'w': tl.ones(1000)}}, {str(tmp_path / name)!r})"
    trace = tmp_path / "trace"
    kinds = "openat,write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,close"
    command = ["strace", "-f", "-y", "-e", f"trace={kinds}", "-o", str(trace), sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode and "ptrace" in done.stderr.lower():
        pytest.skip("processes cannot be traced here")
    assert done.returncode == 0, done.stderr
    lines = [line for line in trace.read_text("utf8", "replace").splitlines() if str(tmp_path) in line]
    found = []
    for line in lines:
        kind = re.search(r"\b(write|writev|pwrite64|fsync|fdatasync|rename\w*)\(", line)
        if kind is not None:
            what = "write" if "write" in kind[1] else "rename" if "rename" in kind[1] else "sync"
            folder = what == "sync" and f"<{tmp_path}>" in line
            step = "sync folder" if folder else what
            if not found or found[-1] != step:
                found.append(step)
    assert found == ["write", "sync", "rename", "sync folder"], lines
