"""What `import tinygrad_lite` brings along."""

import json
import subprocess
import sys

import pytest

# Names that the interpreter itself loads at start (.pth files of the environment) are none of ours.
SCRIPT = """
import json, sys
before = set(sys.modules)
import {module}
tops = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(json.dumps(sorted(tops - sys.stdlib_module_names)))
"""


def loads(module):
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(module=module)], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(run.stdout))


@pytest.mark.parametrize(
    "module", ["tinygrad_lite", "tinygrad_lite.nn", "tinygrad_lite.models", "tinygrad_lite.datasets"]
)
def test_numpy_and_nothing_else(module):
    assert loads(module) - loads("numpy.random") == {"tinygrad_lite"}


def test_the_check_can_fail():
    assert "pytest" in loads("pytest")
