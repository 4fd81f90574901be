"""Settings shared by all tests: one BLAS thread per worker, and the Hypothesis profiles."""

import os
import tempfile

# Before NumPy is imported: several workers with several threads each would only wait for one another.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# Machine code of native loops: shared by the workers and by later runs, but not with the user's own programs.
user = os.geteuid() if hasattr(os, "geteuid") else 0
os.environ.setdefault("TINYGRAD_LITE_CACHE", os.path.join(tempfile.gettempdir(), f"tinygrad_lite_tests_{user}"))

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

import tinygrad_lite.special  # noqa: E402, F401  registers its ops, so that every selection of tests knows the same ones

# Time limits per example measure the machine, not the code.
calm = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("dev", max_examples=30, **calm)
settings.register_profile("ci", max_examples=60, derandomize=True, print_blob=True, **calm)
settings.register_profile("intense", max_examples=1000, **calm)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_addoption(parser):
    parser.addoption("--overwrite", action="store_true", help="write golden files anew instead of comparing with them")


@pytest.fixture
def numpy_alone():
    """Native loops are off: the test looks at the ways of NumPy."""
    import tinygrad_lite as tl

    with tl.backends.native.flags(enabled=False):
        yield
