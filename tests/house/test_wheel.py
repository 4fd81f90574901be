"""The wheel: everything of the package, nothing else, and the same where symbolic links are off."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("check_wheel", ROOT / ".ci" / "check_wheel.py")
check_wheel = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_wheel)


def copy_sources(folder, links):
    """Copy what a build needs; a link becomes a link or, as in a checkout without links, a small text file."""
    for name in (
        *check_wheel.ROOMS,
        "tinygrad_lite_pytest.py",
        "setup.cfg",
        "setup.py",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    ):
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


@pytest.mark.parametrize("links", [True, False])
def test_contents(tmp_path, links):
    pytest.importorskip("setuptools", minversion="70.1")
    sources = tmp_path / "sources"
    sources.mkdir()
    copy_sources(sources, links)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "-w", ".."]
    run = subprocess.run(command, cwd=sources, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert check_wheel.faults(wheel, sources) == []


def test_faults_are_seen(tmp_path):
    (tmp_path / "nn").mkdir()
    (tmp_path / "nn" / "__init__.py").touch()
    wheel = tmp_path / "x.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("nn/__init__.py", "")
        file.writestr("tinygrad_lite/notes.docx", "")
        file.writestr("tinygrad_lite-0.dist-info/METADATA", bytes(1_590_000))
    assert check_wheel.faults(wheel, tmp_path) == [
        "tinygrad_lite/nn/__init__.py is missing",
        "tinygrad_lite_pytest.py is missing",
        "nn/__init__.py should not be there",
        "tinygrad_lite/notes.docx should not be there",
        "tinygrad_lite/notes.docx is of an unknown kind",
        "the licence is missing",
        "the command tinygrad-lite is missing",
        f"{wheel.stat().st_size} bytes, 1590000 allowed",
    ]
