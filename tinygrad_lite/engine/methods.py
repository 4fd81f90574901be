"""The methods of Tensor: ops are added here when they are declared; `methods.pyi` lists them for type checkers."""

from __future__ import annotations


class Methods:
    """Base of Tensor: every registered op and composition becomes a method of this class."""

    __slots__ = ()
