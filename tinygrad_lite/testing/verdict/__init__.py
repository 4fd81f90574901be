"""Decide whether a gradient is right at one point: contract tests, finite differences, kinks."""
