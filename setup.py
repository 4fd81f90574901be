"""Lists the packages; everything else about the build stands in setup.cfg.

The rooms ``nn`` and ``models`` lie at the top level and are installed as ``tinygrad_lite.nn`` and
``tinygrad_lite.models`` (``package_dir`` in setup.cfg).  They are found here by their real place, never through the
links inside ``tinygrad_lite/``, so a checkout without symbolic links builds the same wheel, and a new sub-package needs
no line anywhere.
"""

import zlib

from setuptools import find_packages, setup

zlib.Z_DEFAULT_COMPRESSION = 9  # `zipfile` asks for the default level when it writes the wheel

engine = find_packages(include=["tinygrad_lite", "tinygrad_lite.*"])
rooms = [f"tinygrad_lite.{name}" for name in find_packages(include=["nn", "nn.*", "models", "models.*"])]

setup(packages=sorted({*engine, *rooms}), py_modules=["tinygrad_lite_pytest"])
