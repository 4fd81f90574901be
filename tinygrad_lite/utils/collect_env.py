"""What a report of an error should say about the machine, as in ``torch.utils.collect_env``."""

from __future__ import annotations

import platform
import sys

import numpy as np

from tinygrad_lite._version import __version__

__all__ = ["get_pretty_env_info", "main"]


def get_pretty_env_info() -> str:
    """Return versions and platform, one a line.

    >>> get_pretty_env_info().startswith("tinygrad_lite version: ")
    True
    """
    return (
        f"tinygrad_lite version: {__version__}\nNumPy version: {np.__version__}\n"
        f"Python version: {sys.version.split()[0]}\nOS: {platform.platform()}\nCPU: {platform.machine()}"
    )


def main() -> None:
    """Print the report."""
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()
