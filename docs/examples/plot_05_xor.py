r"""
Exclusive or
============

Four points that no straight line separates.
"""

print("to be written")
