"""The methods of a Tensor, hung here by the registry as ops are declared; `methods.pyi` shows them to type checkers."""

from __future__ import annotations


class Methods:
    """Base of Tensor: every registered op and composition becomes a method of this class."""

    __slots__ = ()
