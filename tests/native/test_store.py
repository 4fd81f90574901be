"""Machine code on disk: read only if it is intact and nobody else could have written it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tinygrad_lite.native import store

unix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs owners and modes")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINYGRAD_LITE_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_what_is_written_is_read(place: Path) -> None:
    assert store.read("a") is None
    assert store.write("a", b"code") and store.read("a") == b"code"
    assert store.write("a", b"other") and store.read("a") == b"other"
    assert [p.name for p in place.iterdir()] == ["a.o"]  # nothing half-written stays
    if hasattr(os, "geteuid"):
        assert place.stat().st_mode & 0o777 == 0o700 and (place / "a.o").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", [b"", b"x", b"tinygrad_lite machine code\n" + bytes(40)])
def test_damaged_files_count_as_absent(place: Path, damage: bytes) -> None:
    store.write("a", b"code")
    (place / "a.o").write_bytes(damage)
    assert store.read("a") is None
    assert store.write("a", b"code") and store.read("a") == b"code"


def test_one_changed_byte(place: Path) -> None:
    store.write("a", b"code")
    whole = (place / "a.o").read_bytes()
    for cut in (whole[:-1], whole + b"x", whole[:-1] + b"f", whole[:40] + b"0" + whole[41:]):
        (place / "a.o").write_bytes(cut)
        assert store.read("a") is None


@unix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_others_may_not_write_the_directory(place: Path, mode: int) -> None:
    store.write("a", b"code")
    place.chmod(mode)
    assert store.read("a") is None and not store.write("b", b"code")


@unix
def test_others_may_not_write_the_file(place: Path) -> None:
    store.write("a", b"code")
    (place / "a.o").chmod(0o620)
    assert store.read("a") is None


@unix
def test_links_and_foreign_owners(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("a", b"code")
    (place / "b.o").symlink_to(place / "a.o")
    assert store.read("b") is None
    linked = tmp_path / "linked"
    linked.symlink_to(place)
    monkeypatch.setenv("TINYGRAD_LITE_CACHE", str(linked))
    assert store.read("a") is None and not store.write("c", b"code")
    monkeypatch.setenv("TINYGRAD_LITE_CACHE", str(place))
    assert store.read("a") == b"code"
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert store.read("a") is None and not store.write("c", b"code")


def test_no_directory(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write_text("a file")
    assert store.read("a") is None and not store.write("a", b"code")
    monkeypatch.setenv("TINYGRAD_LITE_CACHE", "")
    assert store.folder() is None and store.read("a") is None and not store.write("a", b"code")


def test_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TINYGRAD_LITE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    for system, parent in (("linux", tmp_path), ("win32", tmp_path), ("darwin", Path.home() / "Library" / "Caches")):
        monkeypatch.setattr(store.sys, "platform", system)
        assert store.folder() == parent / "tinygrad_lite"
    monkeypatch.setattr(store.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert store.folder() is None
    monkeypatch.delenv("XDG_CACHE_HOME")

    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(store.Path, "home", homeless)
    assert store.folder() is None
