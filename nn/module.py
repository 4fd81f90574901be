"""Module: the base of every layer and network.

Parameters, buffers and children are ordinary attributes, so reading them costs no more than any attribute. The module
records which attributes are which in tables (`members`).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

from tinygrad_lite.engine.arguments import checked_constructor, ours
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.source import OURS
from tinygrad_lite.errors import visible
from tinygrad_lite.nn.convert import Converting
from tinygrad_lite.nn.hooks import ACTIVE, call_with_hooks
from tinygrad_lite.nn.members import make_tables
from tinygrad_lite.nn.source import located, placed
from tinygrad_lite.nn.state_dict import Stateful

__all__ = ["Module"]

M = TypeVar("M", bound="Module")


class Module(Converting, Stateful):
    """Base of all layers and networks.

    Assign parameters and other modules to attributes in ``__init__``, and define ``forward``.

    >>> import tinygrad_lite as tl
    >>> from tinygrad_lite import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.layer = nn.Linear(2, 3)
    ...     def forward(self, x):
    ...         return self.layer(x).relu()
    >>> net = Net()
    >>> net(tl.ones(4, 2)).shape, [name for name, _ in net.named_parameters()]
    ((4, 3), ['layer.weight', 'layer.bias'])
    """

    training: bool

    _places: bool | None = None
    """True: nodes inside get the source line of the call. False: ``forward`` is user code with its own lines."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        checked_constructor(cls)
        if "forward" in cls.__dict__ and "_places" not in cls.__dict__:
            code = getattr(cls.__dict__["forward"], "__code__", None)
            cls._places = None if code is not None and OURS[code.co_filename] else False

    call_super_init = False
    """Whether `__init__` calls the next class's: of a class that is mixed in behind Module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            given = f"{len(args)} positional and {len(kwargs)} keyword arguments"
            raise TypeError(f"{type(self).__name__}.__init__: Module itself takes no arguments, {given} were given")
        make_tables(self)
        known = self.__dict__
        known["_hooks"] = None
        known["training"] = True
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def _begun(self) -> None:
        """Let a derived class's own `reset_parameters` give the first values, as PyTorch's constructors do."""
        kind: Any = type(self)
        if not (ours(kind.reset_parameters) and ours(getattr(kind, "reset_running_stats", kind.reset_parameters))):
            kind.reset_parameters(self)

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call ``fn`` with every module, children first, this one last; returns self."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def _replicate_for_data_parallel(self: M) -> M:
        """Return a copy without parameters, whose new tables hold the same buffers and children."""
        replica = type(self).__new__(type(self))
        known = replica.__dict__
        known.update(self.__dict__)
        for name in self._parameters:
            del known[name]
        known.update(_parameters={}, _buffers=dict(self._buffers), _modules=dict(self._modules), _is_replica=True)
        make_tables(replica, keep=True)
        return replica

    def train(self: M, mode: bool = True) -> M:
        """Switch this module and all below it to training mode."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self: M) -> M:
        """Switch this module and all below it to evaluation: ``train(False)``."""
        return self.train(False)

    # -------------------------------------------------------------------------------- calling
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` with hooks and observers; an error names the module's path."""
        mode = MODE.get()
        observers = mode.observers
        if self._hooks is None and not observers and not ACTIVE:
            try:
                if self._places is (mode.place is None):
                    return placed(mode, self.forward, args, kwargs)
                if len(args) == 1 and not kwargs:  # the common call, without packing arguments
                    return self.forward(args[0])
                return self.forward(*args, **kwargs)
            except Exception as error:
                located(self, args, error)
                raise
        for observer in observers:
            observer.enter(self, args)
        out = None
        try:
            if not self._hooks and not ACTIVE:
                out = self.forward(*args, **kwargs)
            elif mode.place is None:
                out = call_with_hooks(self, args, kwargs)
            else:  # hooks are user code, and forward may be
                out = placed(mode, call_with_hooks, (self, args, kwargs), {})
        except Exception as error:
            located(self, args, error)
            raise
        finally:
            for observer in observers:
                observer.leave(self, out)
        return out

    def _no_forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # declared as an attribute, so that type checkers accept any signature in a subclass
    forward: Callable[..., Any] = _no_forward

    # -------------------------------------------------------------------------------- showing
    def summary(self, *inputs: Any, **words: Any) -> Any:
        """Return a table of one run: layers, shapes, parameters, FLOPs, bytes; see `tinygrad_lite.viz.summary`.

        >>> from tinygrad_lite import nn, ones
        >>> print(nn.Linear(2, 3).summary(ones(4, 2)))
        Layer (type)  Output shape  Parameters  FLOPs  Bytes
        ----------------------------------------------------
        Linear        (4, 3)                 9     48   48 B
        ----------------------------------------------------
        Parameters: 9 (trainable 9, frozen 0)
        FLOPs, one forward pass: 48
        Bytes: results 48 B, parameters 36 B, kept for backward 32 B
        """
        # imported by name, because viz imports nn
        return import_module("tinygrad_lite.viz").summary(self, *inputs, **words)

    def extra_repr(self) -> str:
        """Return what stands between the brackets of ``repr``; override it."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        children = [
            f"({visible(name)}): " + repr(child).replace("\n", "\n  ") for name, child in self._modules.items()
        ]  # fmt: skip
        if not children and len(extra) <= 1:
            return f"{self._get_name()}({''.join(extra)})"
        return f"{self._get_name()}(\n  " + "\n  ".join(extra + children) + "\n)"
