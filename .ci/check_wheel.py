"""Compare a wheel with the sources it was built from: every file of the package, nothing else, under 1.59 MB."""

import os
import sys
import zipfile
from pathlib import Path

ROOMS = {"tinygrad_lite": "tinygrad_lite", "nn": "tinygrad_lite/nn", "models": "tinygrad_lite/models"}
KINDS = {".py", ".pyi", ".typed", ".js", ".css", ".html", ".npz", ".txt"}
MOST_BYTES = 1_590_000


def expected(sources):
    """Names in the wheel of all files in the three rooms and the pytest plugin, found without following links."""
    found = {"tinygrad_lite_pytest.py"}
    for place, name in ROOMS.items():
        for folder, subfolders, files in os.walk(sources / place):
            subfolders[:] = [sub for sub in subfolders if sub != "__pycache__"]
            inner = Path(folder).relative_to(sources / place)
            found |= {Path(name, inner, file).as_posix() for file in files if file != "README.md"}
    return found - set(ROOMS.values())  # a link, checked out as a text file


def faults(wheel, sources):
    """Everything that is wrong with a wheel, as sentences."""
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        info = {name for name in names if name.split("/")[0].endswith(".dist-info")}
        entry_points = "".join(file.read(name).decode() for name in info if name.endswith("/entry_points.txt"))
    content, wanted = set(names) - info, expected(sources)
    found = [f"{name} is missing" for name in sorted(wanted - content)]
    found += [f"{name} should not be there" for name in sorted(content - wanted)]
    found += [f"{name} is of an unknown kind" for name in sorted(content) if Path(name).suffix not in KINDS]
    found += [f"{name} is there twice" for name in sorted({name for name in names if names.count(name) > 1})]
    if not any(name.endswith("/LICENSE") for name in info):
        found.append("the licence is missing")
    if "tinygrad-lite = tinygrad_lite._tools.cli:main" not in entry_points.splitlines():
        found.append("the command tinygrad-lite is missing")
    if (size := Path(wheel).stat().st_size) >= MOST_BYTES:
        found.append(f"{size} bytes, {MOST_BYTES} allowed")
    return found


if __name__ == "__main__":
    wheel = Path(sys.argv[1])
    if wrong := faults(wheel, Path(__file__).resolve().parents[1]):
        sys.exit(f"{wheel.name}:\n  " + "\n  ".join(wrong))
    print(f"{wheel.name}: {wheel.stat().st_size} bytes, complete and nothing else")
