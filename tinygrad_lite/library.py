"""Operators of your own, as in ``torch.library``: a function of tensors with a name, and later its gradient.

Such an operator records one node, like an `autograd.Function`; it is called directly or as ``torch.ops.SPACE.NAME``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from tinygrad_lite import ops
from tinygrad_lite.autograd.function import Function
from tinygrad_lite.engine.no_effect import NO_EFFECT
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import ArgumentError, GradientError

__all__ = ["CustomOpDef", "Library", "custom_op", "define", "impl", "impl_abstract", "register_autograd",
           "register_fake", "register_kernel", "register_vmap"]  # fmt: skip
OPERATORS: dict[str, CustomOpDef] = {}
"""Every operator by its name, ``space::name``."""
for _name, _why in (
    ("register_fake", "shapes are found by running the operator"),
    ("impl_abstract", "shapes are found by running the operator"),
    ("register_vmap", "vmap runs the operator on one example after the other"),
):
    NO_EFFECT[f"library.{_name}"] = _why


class CustomOpDef:
    """An operator made by `custom_op`.

    >>> import numpy as np, tinygrad_lite as tl
    >>> @tl.library.custom_op("docs::sine", mutates_args=())
    ... def sine(x: tl.Tensor) -> tl.Tensor:
    ...     return tl.from_numpy(np.sin(x.numpy()))
    ...
    >>> def keep(ctx, inputs, output):
    ...     ctx.save_for_backward(*inputs)
    ...
    >>> def backward(ctx, g):
    ...     return g * ctx.saved_tensors[0].cos()
    ...
    >>> tl.library.register_autograd("docs::sine", backward, setup_context=keep)
    >>> x = tl.tensor([0.0, 1.0], requires_grad=True)
    >>> sine(x).sum().backward()
    >>> x.grad
    tensor([1.0000, 0.5403])
    """

    def __init__(self, name: str, kernel: Callable[..., Any] | None) -> None:
        space, colons, self._opname = name.partition("::")
        if not (colons and space.isidentifier() and self._opname.isidentifier()):
            raise ArgumentError(f"custom_op: expected a name like 'mine::sine', got {name!r}")
        self._qualname = name
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        self._set_kernel(kernel)
        OPERATORS[name] = self
        if not hasattr(ops, space):
            setattr(ops, space, SimpleNamespace())
        setattr(getattr(ops, space), self._opname, self)

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    @property
    def default(self) -> CustomOpDef:
        """The operator itself: it has one form."""
        return self

    def _set_kernel(self, kernel: Callable[..., Any] | None) -> None:
        self._kernel = kernel
        if kernel is not None:
            functools.update_wrapper(self, kernel)
            self._signature = inspect.signature(kernel)
        self._function: Any = self._made() if kernel is not None else None

    def _made(self) -> type[Function]:
        name, kernel, setup, backward = self._qualname, self._kernel, self._setup, self._backward

        named = [p.name for p in self._signature.parameters.values() if p.kind is p.KEYWORD_ONLY]

        def split(args: Any) -> tuple[Any, dict[str, Any]]:
            first = len(args) - len(named)
            return args[:first], dict(zip(named, args[first:], strict=True))

        def forward(*args: Any) -> Any:
            assert kernel is not None
            by_position, by_name = split(args)
            out = kernel(*by_position, **by_name)
            outs = [o for o in (out if isinstance(out, tuple | list) else (out,)) if isinstance(o, Tensor)]
            if any(o is a for o in outs for a in args):
                raise ArgumentError(f"{name}: the result must not be one of the arguments; return a .clone()")
            return out

        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            if setup is not None:
                by_position, by_name = split(inputs)
                setup(ctx, by_position, output, **({"keyword_only_inputs": by_name} if named else {}))

        def pulled(ctx: Any, *grads: Any) -> Any:
            if backward is None:
                raise GradientError(f"{name}: no gradient was registered; declare it with register_autograd(backward)")
            answer = backward(ctx, *grads)
            return (*(answer if isinstance(answer, tuple | list) else (answer,)), *(None for _ in named))

        body = {"forward": forward, "setup_context": setup_context, "backward": pulled}
        return type(self._opname, (Function,), {key: staticmethod(value) for key, value in body.items()})

    def __call__(self, *args: Any, **words: Any) -> Any:
        """Run the operator and record it."""
        if self._function is None:
            raise NotImplementedError(f"{self._qualname}: it is defined, but nothing implements it on the CPU; "
                                      f"use library.impl({self._qualname!r}, 'cpu')")  # fmt: skip
        bound = self._signature.bind(*args, **words)
        bound.apply_defaults()
        for word, value in bound.arguments.items():
            if self._signature.parameters[word].annotation in (Tensor, "Tensor", "torch.Tensor"):
                if not isinstance(value, Tensor):
                    raise ArgumentError(f"{self._qualname}: {word} must be a tensor, got {type(value).__name__}")
        return self._function.apply(*bound.arguments.values())

    def register_autograd(self, backward: Callable[..., Any], /, *, setup_context: Any = None) -> None:
        """Set ``backward(ctx, *grads)``, and what saves tensors for it: ``setup_context(ctx, inputs, output)``."""
        self._backward, self._setup = backward, setup_context
        if self._kernel is not None:
            self._function = self._made()

    def register_kernel(self, device_types: Any, func: Any = None, /) -> Any:
        """Replace the function, for devices that include the CPU; others do not exist."""
        given = [device_types] if isinstance(device_types, str) or device_types is None else list(device_types)

        def register(f: Callable[..., Any]) -> Callable[..., Any]:
            if None in given or any("cpu" in str(d).lower() or "Composite" in str(d) for d in given):
                self._set_kernel(f)
            return f

        return register if func is None else register(func)

    def register_fake(self, func: Any, /) -> Any:
        """Accept the function of shapes, which is not needed."""
        return func

    def register_vmap(self, func: Any = None, /) -> Any:
        """Accept the function for batches, which is not needed."""
        return func if func is not None else lambda f: f

    def register_autocast(self, device_type: str, cast_inputs: Any, /) -> None:
        """Accept a dtype, which has no effect."""


def custom_op(
    name: str, fn: Any = None, /, *, mutates_args: str | Iterable[str], device_types: Any = None,
    schema: str | None = None, tags: Any = None,
) -> Any:  # fmt: skip
    """Make an operator of a function of tensors, called ``space::name``; used as a decorator too.

    Nothing is recorded inside it. ``mutates_args`` and ``schema`` are accepted: writes are seen as they happen.

    >>> import numpy as np, tinygrad_lite as tl
    >>> @tl.library.custom_op("mine::sine", mutates_args=())
    ... def sine(x: tl.Tensor) -> tl.Tensor:
    ...     return tl.from_numpy(np.sin(x.numpy()))
    >>> sine.register_autograd(
    ...     lambda ctx, g: g * ctx.saved_tensors[0].cos(),
    ...     setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    ... )
    >>> x = tl.tensor([0.0, 1.0], requires_grad=True)
    >>> tl.ops.mine.sine(x).sum().backward()
    >>> x.grad
    tensor([1.0000, 0.5403])
    """

    def make(f: Callable[..., Any]) -> CustomOpDef:
        for p in inspect.signature(f).parameters.values():
            if p.annotation is p.empty and schema is None:
                raise ArgumentError(f"custom_op: parameter {p.name} of {name} needs a type annotation")
        return CustomOpDef(name, f)

    return make if fn is None else make(fn)


def _known(op: Any, function: str) -> CustomOpDef:
    found = op if isinstance(op, CustomOpDef) else OPERATORS.get(op)
    if found is None:
        raise ArgumentError(f"{function}: there is no operator {op!r}; make it with custom_op()")
    return found


def register_autograd(op: Any, backward: Callable[..., Any], /, *, setup_context: Any = None, lib: Any = None) -> None:
    """Set the gradient of an operator, given by itself or by name; see `CustomOpDef.register_autograd`.

    >>> import numpy as np, tinygrad_lite as tl
    >>> @tl.library.custom_op("docs::sine", mutates_args=())
    ... def sine(x: tl.Tensor) -> tl.Tensor:
    ...     return tl.from_numpy(np.sin(x.numpy()))
    ...
    >>> def keep(ctx, inputs, output):
    ...     ctx.save_for_backward(*inputs)
    ...
    >>> def backward(ctx, g):
    ...     return g * ctx.saved_tensors[0].cos()
    ...
    >>> tl.library.register_autograd("docs::sine", backward, setup_context=keep)
    >>> x = tl.tensor([0.0, 1.0], requires_grad=True)
    >>> sine(x).sum().backward()
    >>> x.grad
    tensor([1.0000, 0.5403])
    """
    _known(op, "register_autograd").register_autograd(backward, setup_context=setup_context)


def register_kernel(op: Any, device_types: Any, func: Any = None, /, *, lib: Any = None) -> Any:
    """Set the function of an operator for devices that include the CPU.

    >>> import tinygrad_lite as tl
    >>> @tl.library.custom_op("docs::twice", mutates_args=())
    ... def twice(x: tl.Tensor) -> tl.Tensor:
    ...     return x * 2
    ...
    >>> @tl.library.register_kernel("docs::twice", "cpu")
    ... def faster(x):
    ...     return x + x
    ...
    >>> twice(tl.ones(2))
    tensor([2., 2.])
    """
    return _known(op, "register_kernel").register_kernel(device_types, func)


def impl(qualname: str, types: Any, func: Any = None, *, lib: Any = None) -> Any:
    """Set the function of an operator that `define` declared.

    >>> import tinygrad_lite as tl
    >>> tl.library.define("docs::third", "(Tensor x) -> Tensor")
    >>> @tl.library.impl("docs::third", "cpu")
    ... def third(x):
    ...     return x / 3
    ...
    >>> tl.ops.docs.third(tl.ones(2))
    tensor([0.3333, 0.3333])
    """
    return _known(qualname, "impl").register_kernel(types, func)


def register_fake(op: Any, func: Any = None, /, *, lib: Any = None, **words: Any) -> Any:
    """Accept the function of shapes, which is not needed."""
    _known(op, "register_fake")
    return func if func is not None else lambda f: f


register_vmap = impl_abstract = register_fake


def define(qualname: str, schema: str, *, lib: Any = None, tags: Any = ()) -> None:
    """Declare an operator; `impl` gives it its function.

    >>> import tinygrad_lite as tl
    >>> tl.library.define("mine::twice", "(Tensor x) -> Tensor")
    >>> _ = tl.library.impl("mine::twice", "cpu", lambda x: x * 2)
    >>> tl.ops.mine.twice(tl.ones(2))
    tensor([2., 2.])
    """
    CustomOpDef(qualname, None)


class Library:
    """A namespace of operators; ``kind`` is accepted: "DEF", "IMPL" and "FRAGMENT" mean the same here.

    >>> import tinygrad_lite as tl
    >>> space = tl.library.Library("mine", "DEF")
    >>> space.define("half(Tensor x) -> Tensor")
    'half'
    >>> space.impl("half", lambda x: x / 2, "CPU")
    >>> tl.ops.mine.half(tl.ones(2))
    tensor([0.5000, 0.5000])
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        self.ns, self.kind = ns, kind

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Declare an operator by ``name(Tensor x) -> Tensor`` and return its name."""
        name = schema.partition("(")[0].strip()
        CustomOpDef(f"{self.ns}::{name}", None)
        return name

    def impl(self, op_name: str, fn: Callable[..., Any], dispatch_key: str = "", **words: Any) -> None:
        """Set the function of an operator for the CPU; other dispatch keys are ignored."""
        impl(f"{self.ns}::{op_name}", dispatch_key or "cpu", fn)
