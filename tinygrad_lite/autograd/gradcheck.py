"""`gradcheck` and `gradgradcheck` in PyTorch's form, over the checker of `tinygrad_lite.testing`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from tinygrad_lite.engine.arguments import named
from tinygrad_lite.engine.mode import enable_grad
from tinygrad_lite.engine.tensor import Tensor
from tinygrad_lite.errors import describe


class GradcheckError(AssertionError, RuntimeError):
    """Raised when a gradient is wrong; ``.report`` holds the report of the check."""

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


@named
def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Check gradients against finite differences for the inputs that require gradients.

    ``inputs`` is a Tensor or a tuple; what is not a Tensor is passed on to ``func``. An error of ``atol`` plus
    ``rtol`` times the derivative is allowed. The function runs in float64 whatever the dtype of the inputs.

    ``check_undefined_grad`` leaves out the gradient of one output at a time, ``check_batched_grad`` computes several
    gradients at once, ``check_forward_ad`` compares `func.jvp` with the backward pass. ``nondet_tol`` is the allowed
    difference between two calls. ``eps``, ``fast_mode`` and ``masked`` are accepted and change nothing: step sizes are
    searched, directions are random, and there are no sparse tensors. `testing.gradcheck` returns the report.

    Returns True. Raises `GradcheckError`, or returns False with ``raise_exception=False``; raises ``ValueError`` if no
    input requires a gradient.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([0.5, -1.0], dtype=tl.float64, requires_grad=True)
    >>> tl.autograd.gradcheck(tl.tanh, (x,), eps=1e-6, atol=1e-4)
    True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    args, places = _inputs("gradcheck", inputs)
    with enable_grad():
        report = _checker().gradcheck(
            func,
            *args,
            wrt=places,
            atol=atol,
            rtol=rtol,
            nondet_tol=nondet_tol,
            raise_exception=False,
            check_undefined_grad=check_undefined_grad,
            check_batched_grad=check_batched_grad,
            check_forward_ad=check_forward_ad,
        )
    return _answer(report, raise_exception)


@named
def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Check gradients of gradients, for the inputs and the incoming gradients ``grad_outputs`` (random by default).

    The other arguments are those of `gradcheck`.

    >>> import tinygrad_lite as tl
    >>> x = tl.tensor([0.5, -1.0], dtype=tl.float64, requires_grad=True)
    >>> tl.autograd.gradgradcheck(tl.tanh, (x,))
    True
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    args, places = _inputs("gradgradcheck", inputs)
    with enable_grad():
        report = _checker().gradgradcheck(
            func,
            *args,
            grad_outputs=grad_outputs,
            wrt=places,
            atol=atol,
            rtol=rtol,
            nondet_tol=nondet_tol,
            raise_exception=False,
        )
    return _answer(report, raise_exception)


def _checker() -> Any:
    """Return `tinygrad_lite.testing`, which stands above this package: it is imported when a check runs."""
    return import_module("tinygrad_lite.testing")


def _inputs(name: str, inputs: Any) -> tuple[Sequence[Any], list[int]]:
    """Return the inputs as a tuple and the positions of those that require gradients."""
    args = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    places = [i for i, t in enumerate(args) if isinstance(t, Tensor) and t.requires_grad]
    if not places:
        got = f": got {', '.join(describe(t) for t in args)}" if args else ""
        raise ValueError(
            f"{name} expects at least one input tensor to require gradient, but none of them have "
            f"requires_grad=True{got}"
        )
    return args, places


def _answer(report: Any, raise_exception: bool) -> bool:
    if report.ok or not raise_exception:
        return bool(report.ok)
    start = ""
    if report.kind == "wrong value":
        output = (report.output or "output 0").removeprefix("output ").partition("[")[0]
        number = (report.input or "input 0").removeprefix("input ").partition(" ")[0]
        start = f"Jacobian mismatch for output {output if output.isdecimal() else 0} with respect to input {number},\n"
    raise GradcheckError(f"{start}{report}", report)
