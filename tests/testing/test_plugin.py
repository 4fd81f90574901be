"""The pytest plugin: options, fixture and `gradtest`, and what starting pytest with it imports."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

import tinygrad_lite as tl

pytest_plugins = ["pytester"]

# Imported here, because NumPy cannot be loaded again after an in-process run of pytest.
ROOT = Path(tl.__file__).parents[1]
PLUGIN = ("-p", "tinygrad_lite_pytest", "-p", "no:cacheprovider")


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a new process, with this plugin and no other."""
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", *PLUGIN, *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_an_unrelated_project_imports_neither_numpy_nor_the_package(tmp_path: Path) -> None:
    (tmp_path / "test_unrelated.py").write_text(
        "import sys\n"
        "def test_imports(pytestconfig):\n"
        "    assert pytestconfig.pluginmanager.hasplugin('tinygrad_lite_pytest')\n"
        "    assert {'numpy', 'tinygrad_lite'}.isdisjoint(name.split('.')[0] for name in sys.modules)\n"
    )
    result = run_pytest(tmp_path, "-q")
    assert result.returncode == 0 and "1 passed" in result.stdout, result.stdout + result.stderr


def test_options_and_fixture_are_in_the_help_of_pytest(tmp_path: Path) -> None:
    options = run_pytest(tmp_path, "--help").stdout
    assert "--grad-examples" in options and "--grad-seed" in options
    assert "gradcheck -- " in run_pytest(tmp_path, "--fixtures", "-q").stdout


def test_entry_point_of_an_installed_package() -> None:
    try:
        installed = distribution("tinygrad_lite")
    except PackageNotFoundError:
        pytest.skip("the package is not installed")
    found = [e for e in installed.entry_points if e.group == "pytest11"]
    assert [e.value for e in found] == ["tinygrad_lite_pytest"]
    assert hasattr(found[0].load(), "pytest_addoption")


def test_gradtest_and_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import numpy as np
        import tinygrad_lite as tl
        from tinygrad_lite.testing import Arr, gradtest

        @gradtest(tl.tanh)
        def test_right(): ...

        @gradtest((lambda x: (x * x, x), lambda g, x: (g * x,)), Arr("n"))
        def test_wrong(): ...

        def test_fixture(gradcheck):
            gradcheck(tl.tanh, np.ones(3))
        """
    )
    result = pytester.runpytest_inprocess(*PLUGIN, "--grad-examples=7", "--grad-seed=3")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*WRONG VALUE*", "*suspected: off by the factor 1/2*", "*reproduce: gradcheck(*"])


def test_the_options_reach_every_check(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import numpy as np
        from tinygrad_lite.testing import Arr, gradtest

        drawn = []

        def square(x):
            drawn.append(x.size)
            return x * x, x

        @gradtest((square, lambda g, x: (2 * g * x,)), Arr("n"), examples=40)
        def test_first(): ...

        def test_the_option_replaces_the_number_in_the_test():
            assert 0 < len(drawn) < 500  # 2 examples call it about 80 times, 40 examples 1300 times

        def test_seed(gradcheck):
            assert gradcheck.keywords == {"seed": 5}
        """
    )
    result = pytester.runpytest_inprocess(*PLUGIN, "--grad-examples=2", "--grad-seed=5")
    result.assert_outcomes(passed=3)
