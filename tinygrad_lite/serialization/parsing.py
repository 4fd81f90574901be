"""JSON of a file that nobody vouches for."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

DEEPEST = 1500
"""Brackets inside one another. In a browser, Python's own reader ends the whole interpreter somewhere above 2,000."""

OUTSIDE = re.compile(rb'"(?:[^"\\]|\\.)*+"?|([][{}])', re.DOTALL)
STEP = {b"[": 1, b"{": 1, b"]": -1, b"}": -1, b"": 0}


def parsed(text: bytes, **words: Any) -> Any:
    """Return what JSON text says; raise ValueError for text that is no JSON or nested too deeply.

    >>> parsed(b'{"a": [1, "[["]}')
    {'a': [1, '[[']}
    >>> parsed(b"[" * 100_000)
    Traceback (most recent call last):
    ValueError: more than 1500 brackets stand inside one another
    """
    # Text with fewer brackets needs no look at each of them.
    if text.count(b"[") + text.count(b"{") > DEEPEST:
        if max(accumulate(map(STEP.__getitem__, OUTSIDE.findall(text)))) > DEEPEST:
            raise ValueError(f"more than {DEEPEST} brackets stand inside one another")
    return json.loads(text.decode(), **words)
