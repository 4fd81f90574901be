"""Layered layout of nested boxes, in plain Python: the same picture on every machine."""
