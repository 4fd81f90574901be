"""How an operation is declared: its NumPy forward and the rules that pull a gradient back through it, in one place.

::

    @op(x=lambda g, y: g * y * (1 - y), kind="activation", label="σ", samples=Samples("()->()"))
    def sigmoid(x): ...

A rule is named after the argument it belongs to and *asks by name* for what it needs: ``g`` is the incoming gradient,
``y`` the result (of several ``y0``, ``y1`` ...), ``x_shape`` and ``x_dtype`` what they say, any other name an argument
of the forward function. Only what a rule
names is kept alive until backward. The same rule runs on bare arrays, or on Tensors when it has to be differentiated
itself; so it is written with operators, methods and functions that both have. The engine sums broadcast axes away.

From this one declaration follow the function ``tinygrad_lite.sigmoid``, the method ``Tensor.sigmoid``, its in-place
form ``Tensor.sigmoid_`` (``inplace=``), its name in ``nn.functional`` (``functional=``), NumPy's spelling (``numpy=``),
the gradient check and the comparison with PyTorch (``samples=``), the box in the picture (``kind=``, ``label=``) and
its cost (``flops=``).
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar

import numpy as np

from tinygrad_lite.engine import functional as names_of_functional, new
from tinygrad_lite.engine.arguments import explained, misfit, parameters_of, star_of, words_of
from tinygrad_lite.engine.call import RESULTS, WRITE, caller, rules_of, sequence_caller, source_of
from tinygrad_lite.engine.devices import REGISTERED
from tinygrad_lite.engine.elsewhere import place
from tinygrad_lite.engine.failure import no_tensor, unasked
from tinygrad_lite.engine.keywords import OLD_FORMS, modern, name_of, typed, written
from tinygrad_lite.engine.methods import Methods
from tinygrad_lite.engine.node import Node, pick
from tinygrad_lite.engine.promotion import NUMPY_1, keeping
from tinygrad_lite.engine.samples import Samples
from tinygrad_lite.engine.tensor import FUNCTIONS, UFUNCS, Tensor
from tinygrad_lite.errors import DTypeError

F = TypeVar("F", bound=Callable[..., Any])
Rule = Callable[..., Any]
InPlace = bool | Literal["view"]
"""Whether a function has an in-place form; "view": the tensor becomes a view of what it was, as in `squeeze_`."""

OPS: dict[str, Op] = {}
"""Every registered op by name; pictures, gradient checks, docs and stubs iterate over it."""
PUBLIC: dict[str, Callable[..., Any]] = {}
"""Every public function by name, ops and compositions alike: ``tinygrad_lite.NAME``."""
IN_PLACE: dict[str, tuple[Callable[..., Any], InPlace, bool]] = {}
"""What has an in-place form ``name_``: the function, the kind of form, and whether the form is a method too."""
PUBLISH_FORM: list[Callable[[str], None]] = []
"""Publishes the in-place form of a name in `IN_PLACE`. Set by `ops.indexing.inplace`, which is built on ops: what is
declared before that module is imported gets its form when it is, everything else at once."""

FORMED = ("elementwise", "activation")
"""Kinds of op that have an in-place form unless ``inplace=False``: their result has the shape of the first argument."""
LAYERED = ("activation", "window", "norm", "loss")
"""Kinds of op that `nn.functional` has unless ``functional=False``."""

CONTIGUOUS = ("reduction", "linalg", "window", "norm")
"""Kinds of op whose result is contiguous unless ``layout=`` says something else."""
OPERANDS = ("elementwise", "activation", "loss")
"""Kinds of op whose result has the memory layout of its operands, unless ``layout=`` says something else."""

KINDS = (
    "elementwise", "activation", "reduction", "shape", "indexing", "linalg", "window", "norm", "loss", "random",
    "other",
)  # fmt: skip


class Op:
    """One registered operation: its forward function, its gradient rules and its description."""

    __slots__ = (
        "arrays", "call", "defaults", "flops", "forward", "frees", "gather", "is_pick", "kind", "label", "layout",
        "materialize", "name", "params", "places", "promote", "recompute", "rules", "samples", "saved_names",
        "sequence", "singular", "spaces", "ufunc", "uses",
    )  # fmt: skip

    call: Callable[..., Any]
    kind: str
    label: str
    samples: Samples | None
    singular: bool
    layout: str | None
    flops: Callable[..., Any] | None
    ufunc: np.ufunc | None
    spaces: list[dict[str, Any]]
    """The globals of the functions that run the op: ``forward`` is one of them."""

    def __init__(
        self, forward: Callable[..., Any], rules: dict[str, Rule], together: Rule | None, promote: str | None,
        recompute: Rule | bool = False, keeps_result: bool = False,
    ) -> None:  # fmt: skip
        self.forward = keeping(forward) if NUMPY_1 and promote else forward
        self.name, self.promote = forward.__name__.removesuffix("_op"), promote
        self.params, self.defaults, kinds = parameters_of(forward)
        first = self.params[0]
        self.sequence = first if "Sequence[Array]" in str(kinds.get(first)) else None
        # parameters that take tensors; the others are options
        self.arrays = tuple(p for p in self.params if kinds.get(p, Any) in ("Array", Any))
        if self.sequence:
            self.arrays = (first,)
        self.is_pick = False
        self.materialize = True  # whether an output without a gradient gives the rule zeros; else it gives None
        self.recompute: Rule | None = forward if recompute is True else recompute or None
        self.saved_names = self._saved_names(rules, together, keeps_result)
        differentiable = set(self.arrays) if together is not None else set(rules)
        self.places = tuple(i for i, p in enumerate(self.arrays) if p in differentiable)
        # saved arrays are freed after a backward pass; saved shapes and options need not be. An op whose options may be
        # arrays has a function of the saved values here
        self.frees: bool | Callable[[Any], bool] = any(w in RESULTS or w in self.arrays for w in self.saved_names)
        self.gather: Callable[[Node, Any, Any], Iterator[tuple[Any, Any]]] | None = None
        self.rules: tuple[tuple[int, Any], ...] = ()
        if together is not None or self.sequence is not None and rules:
            whole = together or rules[first]
            self.gather = functools.partial(self._gather, functools.partial(_called, whole, self._places_of(whole)))
            self.uses: tuple[tuple[int, tuple[int, ...]], ...] = ((-1, self._saved_places(whole)),)
        else:
            self.rules = rules_of(self, rules)
            kept = (self.saved_names.index("y"),) if keeps_result else ()
            self.uses = tuple(
                (self.arrays.index(name), self._saved_places(rule) + kept) for name, rule in rules.items()
            )

    def _saved_names(self, rules: dict[str, Rule], together: Rule | None, keeps_result: bool) -> tuple[str, ...]:
        """Return the names that the rules ask for, except ``g``; raise TypeError for an unknown one."""
        asked: dict[str, None] = {}
        others = {"together": together, "recompute": self.recompute}
        for owner, rule in {**rules, **{name: rule for name, rule in others.items() if rule}}.items():
            if owner not in self.arrays and owner not in others:
                raise TypeError(
                    f"op {self.name}: there is a rule for '{owner}', but the arrays of the function are "
                    f"{', '.join(self.arrays)} (annotate others that take tensors as Array)"
                )
            for word in self.asks(rule):
                if (
                    word != "g"
                    and word not in RESULTS
                    and word not in self.params
                    and word.removesuffix("_shape").removesuffix("_dtype") not in self.arrays
                ):
                    raise TypeError(
                        f"op {self.name}: the rule of '{owner}' asks for '{word}': neither g, y nor an argument "
                        f"({', '.join(self.params)})"
                    )
                asked[word] = None
        asked.pop("g", None)
        return tuple(asked) if not keeps_result else tuple({"y": None, **asked})

    @staticmethod
    def asks(rule: Rule) -> tuple[str, ...]:
        """Return the names a rule asks for."""
        return words_of(rule)

    def _places_of(self, rule: Rule) -> tuple[int, ...]:
        return tuple(-1 if w == "g" else self.saved_names.index(w) for w in self.asks(rule))

    def _saved_places(self, rule: Rule) -> tuple[int, ...]:
        return tuple(i for i in self._places_of(rule) if i >= 0)

    @staticmethod
    def _gather(rule: Rule, node: Node, g: Any, saved: Any) -> Iterator[tuple[int, Any]]:
        """Yield (position of the operand, gradient) of a rule that returns the gradients of all operands."""
        for i, (p, gp) in enumerate(zip(node.inputs, rule(g, saved), strict=True)):
            if p is not None and gp is not None:
                yield i, gp

    def rewrap(self, node: Node, wrap: Callable[..., Any]) -> tuple[Any, ...]:
        """Return the saved values of ``node`` with those from the graph as Tensors at their old place in it."""
        out: list[Any] = []
        for word, value in zip(self.saved_names, node.saved or (), strict=True):
            if word in RESULTS and word not in self.params:
                out.append(self._wrapped(node, RESULTS[word], value, wrap))
            elif word == self.sequence:
                out.append([v if p is None else wrap(v, p) for v, p in zip(value, node.inputs, strict=True)])
            elif word in self.arrays and node.inputs[self.arrays.index(word)] is not None:
                out.append(wrap(value, node.inputs[self.arrays.index(word)]))
            else:
                out.append(value)
        return tuple(out)

    @staticmethod
    def _wrapped(node: Node, index: int | None, value: Any, wrap: Callable[..., Any]) -> Any:
        """Return a saved result as a Tensor; all of several if ``index`` is None."""
        if value.__class__ is tuple:
            return tuple(wrap(v, pick(node, i)) if v.dtype.kind == "f" else v for i, v in enumerate(value))
        if index is None:
            return wrap(value, node)
        return wrap(value, pick(node, index)) if value.dtype.kind == "f" else value

    def redone(self, node: Node) -> tuple[Any, ...]:
        """Return the saved values of ``node`` with its results computed again, after a write to them."""
        assert self.recompute is not None
        known = dict(zip(self.saved_names, node.saved or (), strict=True))
        results = self.recompute(*[known[word] for word in self.asks(self.recompute)])
        for word, index in RESULTS.items():
            if word in known and word not in self.params:
                known[word] = results if index is None else results[index]
        return tuple(known.values())

    @staticmethod
    def masked(g: Any, gp: Any) -> Any:
        """Return ``gp`` with exact zeros where ``g`` is exactly zero, even if the local derivative is infinite."""
        return np.where(g == 0, 0.0, gp) if np.shape(g) == np.shape(gp) else gp

    @property
    def source(self) -> str:
        """The source of the function that runs this op on tensors.

        It is the template in `engine.call`, filled in for the arguments of the op. Ops on a list of tensors (`cat`)
        share one function, whose source is returned as it stands in that file.

        >>> import tinygrad_lite as tl
        >>> print(tl.OPS["tanh"].source.strip().splitlines()[0])
        def tanh(input=MISSING, **_words):
        >>> "_y = forward(input_)" in tl.OPS["tanh"].source
        True
        >>> print(tl.OPS["cat"].source.splitlines()[0])
        def sequence_caller(op: Any) -> Callable[..., Any]:
        """
        return source_of(self) if self.sequence is None else inspect.getsource(sequence_caller)

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.params)})>"


def _called(rule: Rule, places: tuple[int, ...], g: Any, saved: Any) -> Any:
    return rule(*[g if i < 0 else saved[i] for i in places])


# ------------------------------------------------------------------------------------------------ declaring
def publish(
    name: str,
    function: Callable[..., Any],
    numpy: Any,
    method: bool | str,
    *,
    inplace: InPlace = False,
    functional: bool = False,
) -> None:
    """Make ``function`` public: in the package, as a method, in `nn.functional`, and behind NumPy's own functions."""
    package = vars(sys.modules["tinygrad_lite"])
    if name in PUBLIC and package.get(name) is PUBLIC[name]:
        package[name] = function  # replace the name that an earlier lookup stored there
    PUBLIC[name] = function
    if method:
        setattr(Methods, method if isinstance(method, str) else name, function)
    if functional:
        setattr(names_of_functional, name, function)
    if inplace:
        declare_form(name, function, inplace, bool(method))
    spell(function, numpy)


def declare_form(name: str, function: Callable[..., Any], inplace: InPlace, method: bool = True) -> None:
    """Declare ``name_``, which writes what ``function`` returns into its first argument."""
    IN_PLACE[name] = function, inplace, method
    for publish_form in PUBLISH_FORM:
        publish_form(name)


def spell(function: Callable[..., Any], numpy: Any) -> None:
    """Register ``function`` as the implementation of the NumPy functions ``numpy`` on Tensors."""
    for f in numpy if isinstance(numpy, (tuple, list)) else (numpy,):
        if isinstance(f, np.ufunc):
            UFUNCS[f] = function
        elif f is not None:
            FUNCTIONS[f] = function


def op(
    *,
    kind: str = "other",
    label: str | None = None,
    samples: Samples | None = None,
    singular: bool = False,
    promote: str | None = None,
    numpy: Any = (),
    method: bool | str = True,
    public: bool = True,
    inplace: InPlace | None = None,
    functional: bool | None = None,
    flops: Callable[..., Any] | None = None,
    together: Rule | None = None,
    recompute: Rule | bool = False,
    keeps_result: bool = False,
    layout: str | None = "",
    ufunc: np.ufunc | None = None,
    **rules: Rule,
) -> Callable[[F], F]:
    """Register a differentiable operation; see the top of this file.

    ``kind`` and ``label`` are for pictures. ``samples`` says what inputs the gradient check may draw. ``singular``:
    the local derivative can be infinite, so zeros of ``g`` are kept exact. ``promote``: ``"same"`` casts arrays to
    PyTorch's common dtype, ``"float"`` also turns integers into floats. ``numpy``: NumPy functions that mean this op.
    ``inplace``: whether ``Tensor.name_`` exists; by default for public ops of the kinds "elementwise" and "activation".
    ``functional``: whether ``nn.functional`` has it; by default for the kinds "activation", "window", "norm", "loss".
    ``flops``: cost, asked for by name like a rule (``y_shape``, ``x_shape`` ...). ``together``: one rule that returns
    the gradients of all arguments at once, where they share work. A first parameter annotated ``Sequence[Array]``
    takes a list of tensors, and its rule returns a list. ``recompute``: the result may be written to before backward,
    although a rule asks for it: it is computed again, by the forward (True) or by a function that asks for saved values
    as a rule does. ``keeps_result``: it may not be written to, although no rule asks for it. Both follow PyTorch.
    ``layout``: how the result lies in memory: "contiguous", "operands" (as PyTorch derives it from the operands),
    "copy" (like the operand, and never a view of it), "picked" (contiguous, unless it is a view of the operand) or None
    (as the forward returns it); by default by kind. ``ufunc``: computes the same; small arrays go straight to it.

    >>> import numpy as np, tinygrad_lite as tl
    >>> @op(x=lambda g, x: g * 2 * x, kind="elementwise", label="x²", samples=Samples("()->()"), public=False)
    ... def squared(x):
    ...     return x * x
    >>> x = tl.tensor(3.0, requires_grad=True)
    >>> squared(x).backward()
    >>> x.grad.item()
    6.0
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"op: kind '{kind}' is not one of {', '.join(KINDS)}")

    def declare(forward: F) -> F:
        this = Op(forward, rules, together, promote, recompute, keeps_result)
        this.kind, this.label, this.samples = kind, label or this.name, samples
        this.singular, this.flops, this.layout, this.ufunc = singular, flops, layout, ufunc
        call = registered(this, forward)
        if public:
            layered = kind in LAYERED if functional is None else functional
            formed = inplace is None and kind in FORMED
            publish(this.name, call, numpy, method, inplace=inplace or formed, functional=layered)
        return call

    return declare


def registered(this: Op, forward: F) -> F:
    """Return the function that runs the op on tensors, after both are entered among `OPS`."""
    if this.layout == "":
        this.layout = layout_of(this)
    call = functools.wraps(forward)(caller(this))
    call.op = this  # type: ignore[attr-defined]
    this.call, this.spaces = call, [call.__globals__]  # type: ignore[attr-defined]
    OPS[this.name] = this
    if new.KINDS:
        place(this)
    return call  # type: ignore[return-value]


def _placed() -> Callable[[], None]:
    undo = [place(op) for op in OPS.values()]
    return lambda: [step() for step in undo].clear()


REGISTERED.append(_placed)


def layout_of(op: Op) -> str | None:
    """Return the memory layout that results of an op of this kind have by default."""
    if op.kind in CONTIGUOUS:
        return "contiguous"
    # NumPy keeps the order of a single operand
    return "operands" if op.kind in OPERANDS and len(op.arrays) > 1 and op.sequence is None else None


def blamed(
    name: str, inner: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
) -> Exception | None:
    """Return an error that says which argument of a composition is wrong, or None if ``error`` says enough."""
    if not isinstance(error, (AttributeError, TypeError)) or isinstance(error, DTypeError):
        return explained(name, inner, args, kwargs, error)
    parameters = inspect.signature(inner).parameters
    given = {**dict(zip(parameters, args, strict=False)), **kwargs}
    if "tensors" in parameters and len(args) > 1 and isinstance(args[0], Tensor):
        return DTypeError(f"{name}: takes a sequence of tensors: {inner.__name__}([a, b])")
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
    arrays = {n: v for n, v in given.items() if n in parameters and parameters[n].annotation == "Array"}
    wrong = no_tensor(arrays, defaults) or (misfit(inner, args, kwargs) or (None,))[0]
    return DTypeError(f"{name}: {wrong}") if wrong else explained(name, inner, args, kwargs, error)


def _written(
    name: str, inner: Callable[..., Any], params: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call ``inner``, which has been given ``inplace=True``, and write the result into its first argument."""
    given = {**dict(zip(params, args, strict=False)), **kwargs, "inplace": False}
    first = given.pop(params[0], None)
    return WRITE[0](f"{name}_", first, inner, (), given) if isinstance(first, Tensor) else inner(first, **given)


def _matched(
    name: str, params: tuple[str, ...], star: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """Return the positional arguments, after those given by NumPy's or PyTorch's names have the names of ``params``."""
    for word in [k for k in kwargs if k not in params]:
        known = name_of(name, word, params)
        if known is not None and known not in kwargs:
            kwargs[known] = kwargs.pop(word)
    if star in kwargs:  # flip(x, dims=(0, 1)) is flip(x, (0, 1))
        before = [kwargs.pop(p) for p in params[len(args) : params.index(star)] if p in kwargs]
        args = (*args, *before, kwargs.pop(star))
    if kwargs.get("dim").__class__ is Tensor:  # for `max`, a tensor without its name is `other`
        kwargs["dim"] = whole_number(kwargs["dim"])
    return args


NUMBERS = ("dim", "dim0", "dim1", "dims", "shifts", "chunks", "split_size_or_sections", "start_dim", "end_dim", "k")
"""Parameters of compositions for which PyTorch takes a 0-d integer tensor as a number."""


def whole_number(value: Any) -> Any:
    """Return a 0-d integer tensor as a number, anything else unchanged."""
    return int(value) if isinstance(value, Tensor) and not value.ndim and value.dtype.kind in "iu" else value


def described(function: F, name: str, summary: str, call: str, result: str) -> F:
    """Give a function that is made in a loop its name, and a docstring with an example."""
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{summary}\n\n>>> import tinygrad_lite as tl\n>>> {call}\n{result}\n"
    return function


def functional(function: F) -> F:
    """Make ``function`` a name of `nn.functional` alone, where PyTorch has no such function in the package."""
    setattr(names_of_functional, function.__name__, function)
    return function


def function(
    *,
    numpy: Any = (),
    method: bool | str = True,
    name: str | None = None,
    public: bool = True,
    inplace: InPlace = False,
    functional: bool = False,
) -> Callable[[F], F]:
    """Publish a plain composition of ops under its name, as a method, and behind NumPy's functions.

    Without ``public`` only behind NumPy's functions, and as the method that is named: for rooms such as ``linalg`` that
    have names of their own, and for methods that are no functions. ``inplace``: ``Tensor.name_`` exists.
    ``functional``: `nn.functional` has it. NumPy's argument names (``axis``) are accepted beside PyTorch's.
    """

    def declare(inner: F) -> F:
        params, public_name = words_of(inner), name or inner.__name__.removesuffix("_np")
        star, older = star_of(inner), public_name in OLD_FORMS
        inplace_at = params.index("inplace") if "inplace" in params else None

        @functools.wraps(inner)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                if older and len(args) > 2:
                    args, kwargs = modern(public_name, args, kwargs)
                if kwargs:
                    if "out" in kwargs and "out" not in params:
                        out = kwargs.pop("out")
                        result = call(*args, **typed(public_name, out, kwargs))
                        return result if out is None else written(public_name, out, result)
                    args = _matched(public_name, params, star, args, kwargs)
                if inplace_at is not None and (kwargs.get("inplace") or args[inplace_at : inplace_at + 1] == (True,)):
                    return _written(public_name, inner, params, args, kwargs)
                return inner(*args, **kwargs) if kwargs else inner(*args)
            except Exception as error:
                numbers = [whole_number(a) if p in NUMBERS else a for p, a in zip(params, args, strict=False)]
                if any(a is not b for a, b in zip(numbers, args, strict=False)):
                    return call(*numbers, *args[len(numbers) :], **kwargs)
                if unasked((*args, *kwargs.values())):
                    return call(*args, **kwargs)
                ours = blamed(public_name, inner, args, kwargs, error)
                if ours is None:
                    raise
                raise ours from error

        call.__name__ = inner.__qualname__ = method if isinstance(method, str) else public_name
        if public:
            publish(public_name, call, numpy, method, inplace=inplace, functional=functional)
        else:
            spell(call, numpy)
            if isinstance(method, str):
                setattr(Methods, method, call)
            if isinstance(method, str) and inplace:
                declare_form(method, call, inplace)
            if functional:
                setattr(names_of_functional, public_name, call)
        return call  # type: ignore[return-value]

    return declare
