"""Imports lead one way: no circle between files, few arrows between rooms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import arrows

GRAPH = arrows.files()
# What each folder has. A new arrow is a decision: raise the bound in the commit that adds it. Many rooms of the package
# exist for scripts written for PyTorch (distributions, vision, amp, cuda, jit, hub): nothing else imports them.
BOUNDS = {
    "tinygrad_lite": (47, 172, 10),
    "tinygrad_lite.engine": (35, 115, 12),
    "tinygrad_lite.ops": (18, 53, 9),
    "tinygrad_lite.testing": (20, 48, 8),
    "tinygrad_lite.viz": (12, 29, 8),
}


def test_no_circle_between_files() -> None:
    assert [sorted(group) for group in arrows.circles(GRAPH)] == []


@pytest.mark.parametrize("folder", BOUNDS)
def test_arrows_between_rooms(folder: str) -> None:
    graph = arrows.rooms(GRAPH, folder)
    assert [sorted(group) for group in arrows.circles(graph)] == []
    found = arrows.numbers(graph)
    rooms, many, floors = BOUNDS[folder]
    assert found["rooms"] <= rooms and found["arrows"] <= many and found["floors"] <= floors, found


def written(root: Path, files: dict[str, str]) -> dict[str, set[str]]:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return arrows.files(root)


def test_the_count_by_hand(tmp_path: Path) -> None:
    late = "def f():\n    from tinygrad_lite.a import one\n"
    typing = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import tinygrad_lite.b.three\n"
    graph = written(
        tmp_path,
        {
            "tinygrad_lite/__init__.py": "",
            "tinygrad_lite/a/__init__.py": "",
            "tinygrad_lite/a/one.py": "from tinygrad_lite.b import two\nfrom tinygrad_lite.b.two import name\n"
            + typing,
            "tinygrad_lite/b/__init__.py": "",
            "tinygrad_lite/b/two.py": "import numpy\nfrom tinygrad_lite import nn",
            "tinygrad_lite/b/three.py": late,
            "nn/__init__.py": "",
        },
    )
    assert graph["tinygrad_lite.a.one"] == {"tinygrad_lite.b.two"}
    assert graph["tinygrad_lite.b.two"] == {"tinygrad_lite.nn"} and graph["tinygrad_lite.b.three"]
    assert arrows.circles(graph) == []
    rooms = arrows.rooms(graph)
    assert arrows.circles(rooms) == [{"tinygrad_lite.a", "tinygrad_lite.b"}]
    assert arrows.numbers(rooms) == {"rooms": 3, "arrows": 3, "floors": 2, "largest circle": 2}
    assert arrows.numbers(arrows.rooms(graph, "tinygrad_lite.b"))["arrows"] == 0


def test_a_circle_through_a_late_import_is_seen(tmp_path: Path) -> None:
    graph = written(
        tmp_path,
        {
            "tinygrad_lite/__init__.py": "",
            "tinygrad_lite/x.py": "import tinygrad_lite.y",
            "tinygrad_lite/y.py": "from tinygrad_lite.z import f",
            "tinygrad_lite/z.py": "def f():\n    from tinygrad_lite import x\n    return x",
        },
    )
    assert arrows.circles(graph) == [{"tinygrad_lite.x", "tinygrad_lite.y", "tinygrad_lite.z"}]


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    arrows.main()
    out = capsys.readouterr().out
    assert f"{'tinygrad_lite':14}{len(arrows.rooms(GRAPH)):8}" in out and "viz" in out
