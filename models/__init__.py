"""Estimators and networks built from :mod:`tinygrad_lite.nn`."""
