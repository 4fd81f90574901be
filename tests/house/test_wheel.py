"""The wheel: everything of the package, nothing else, and the same where symbolic links are off."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {"tinygrad_lite": "tinygrad_lite", "nn": "tinygrad_lite/nn", "models": "tinygrad_lite/models"}
KINDS = {".py", ".pyi", ".js", ".css", ".html", ".npz", ".txt", ".typed"}


def copy_of_the_sources(folder, links):
    """Copy what a build needs; a link becomes a link or, as in a checkout without links, a small text file."""
    for name in (*ROOMS, "setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        place = ROOT / name
        if place.is_dir():
            shutil.copytree(place, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(place, folder)
    for room in ("nn", "models"):
        link = folder / "tinygrad_lite" / room
        link.unlink(missing_ok=True)
        if not links:
            link.write_text(f"../{room}")
            continue
        try:
            link.symlink_to(Path("..", room))
        except OSError:
            pytest.skip("this machine has no symbolic links")


def expected(sources):
    """Names in the wheel of all files in the three rooms, found without following links."""
    found = set()
    for place, name in ROOMS.items():
        for folder, _, files in os.walk(sources / place):
            inner = Path(folder).relative_to(sources / place)
            found |= {Path(name, inner, file).as_posix() for file in files}
    return found - set(ROOMS.values())


@pytest.mark.parametrize("links", [True, False])
def test_contents(tmp_path, links):
    pytest.importorskip("setuptools", minversion="70.1")
    sources = tmp_path / "sources"
    sources.mkdir()
    copy_of_the_sources(sources, links)
    files = expected(sources)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "-w", ".."]
    run = subprocess.run(command, cwd=sources, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 1_000_000
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        info = {name for name in names if name.startswith("tinygrad_lite-") and ".dist-info/" in name}
        (entry_points,) = (file.read(name).decode() for name in info if name.endswith("/entry_points.txt"))
    assert len(names) == len(set(names))
    assert set(names) - info == files
    assert {Path(name).suffix or Path(name).name for name in files} <= KINDS
    assert any(name.endswith("/LICENSE") for name in info)
    assert "tinygrad-lite = tinygrad_lite.cli:main" in entry_points
