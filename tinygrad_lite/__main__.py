"""``python -m tinygrad_lite`` is the ``tinygrad-lite`` command."""

import sys

from tinygrad_lite._tools.cli import main

if __name__ == "__main__":
    sys.exit(main())
