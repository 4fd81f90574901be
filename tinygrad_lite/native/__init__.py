"""Native loops for single operations, compiled by llvmlite; the switch is `tinygrad_lite.backends.native`."""

from __future__ import annotations

import os

from tinygrad_lite.native import routes

VARIABLE = "TINYGRAD_LITE_NATIVE"
"""Environment variable: 0 keeps native loops off from the start."""


def start() -> None:
    """Turn native loops on if llvmlite is installed and the environment does not forbid it."""
    if os.environ.get(VARIABLE, "1") != "0" and routes.found():
        routes.install()
