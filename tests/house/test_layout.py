"""The rooms, their links, and what every source file keeps to."""

import ast
import configparser
import importlib
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUP = configparser.ConfigParser(interpolation=None)
SETUP.read(ROOT / "setup.cfg")
MAPPING = dict(line.split(" = ") for line in SETUP["options"]["package_dir"].split("\n") if line)
ROOMS = ("tinygrad_lite", "nn", "models")


def walk(*tops):
    """Files below the folders, links not followed."""
    for top in tops:
        for folder, subfolders, names in os.walk(ROOT / top):
            subfolders[:] = [name for name in subfolders if name != "__pycache__"]
            yield from (Path(folder, name) for name in sorted(names))


SOURCES = [path for path in walk(*ROOMS) if path.suffix == ".py"]
EVERY_PY = [*SOURCES, *(path for path in walk("tests", "benchmarks", "docs", ".ci") if path.suffix == ".py")]


def short(path):
    return path.relative_to(ROOT).as_posix()


def test_mapping_names_the_rooms():
    assert MAPPING == {"tinygrad_lite.nn": "nn", "tinygrad_lite.models": "models"}


@pytest.mark.parametrize(("name", "place"), MAPPING.items())
def test_links_agree_with_the_mapping(name, place):
    link = ROOT / name.replace(".", "/")
    if not link.is_symlink():
        pytest.skip("this checkout has no symbolic links")
    assert not Path(os.readlink(link)).is_absolute()
    assert link.resolve() == (ROOT / place).resolve()


def test_no_other_links():
    links = {
        short(path)
        for top in (*ROOMS, "tests", "docs", "benchmarks")
        for path in (ROOT / top).rglob("*")
        if path.is_symlink()
    }
    assert links <= {name.replace(".", "/") for name in MAPPING}


@pytest.mark.parametrize(("name", "place"), MAPPING.items())
def test_import_name_leads_to_the_room(name, place):
    found = importlib.import_module(name).__file__
    if not Path(found).resolve().is_relative_to(ROOT):
        pytest.skip("tinygrad_lite is installed from elsewhere")
    assert Path(found).resolve() == ROOT / place / "__init__.py"


def test_every_folder_with_modules_is_a_package():
    assert {short(path.parent) for path in SOURCES if not (path.parent / "__init__.py").exists()} == set()


def test_there_is_something_to_check():
    assert len(SOURCES) > 10 and len(EVERY_PY) > len(SOURCES)


def test_size():
    lengths = {short(path): len(path.read_text("utf-8").splitlines()) for path in EVERY_PY}
    assert {name: lines for name, lines in lengths.items() if lines > 500} == {}


def test_names_say_what_is_inside():
    given = {("vision", "utils.py"), ("modules", "utils.py")}  # torchvision's and PyTorch's names
    vague = {"utils", "util", "helpers", "common", "misc"}
    assert [short(path) for path in SOURCES if path.stem in vague and path.parts[-2:] not in given] == []


def test_imports_are_absolute_and_by_the_import_name():
    wrong = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = ["." if node.level else node.module]
            if {name.split(".")[0] for name in names} & {"", "nn", "models"}:
                wrong.append(f"{short(path)}:{node.lineno}")
    assert wrong == []  # relative, or a room without its surname


# Things that belong to one person's machine or to work not done yet.
STRAY = re.compile(
    r"(?<![\w.<])/(work|home|Users|root)/\w|\b[Ii]ssue #?\d|\b(TODO|FIXME|XXX)\b|^(<{7}|>{7}) ", re.MULTILINE
)
TEXT = {".py", ".pyi", ".md", ".rst", ".txt", ".cfg", ".toml", ".js", ".css", ".html"}


def test_no_stray_words():
    files = [path for path in walk(*ROOMS, "tests", "docs", "benchmarks", ".ci") if path.suffix in TEXT]
    files += [path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT]
    found = {short(path): STRAY.findall(path.read_text("utf-8")) for path in files if path != Path(__file__)}
    assert {name: words for name, words in found.items() if words and not name.startswith("docs/_build")} == {}
