"""What ``torch._six`` was: names of Python that older programs import from it."""

import collections.abc as container_abcs
from math import inf, nan

__all__ = ["PY3", "PY37", "container_abcs", "inf", "int_classes", "nan", "string_classes"]
string_classes, int_classes, PY3, PY37 = (str, bytes), int, True, True
