"""Seeds of the searches in these tests: one in an ordinary run, and as many as GRADCHECK_SEEDS says on request."""

from __future__ import annotations

import os

SEEDS = range(int(os.environ.get("GRADCHECK_SEEDS", "1")))
