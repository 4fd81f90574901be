"""Arguments by other names: NumPy's, PyTorch's where it has several, its older positional forms, and ``out=``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import explained
from tinygrad_lite.engine.devices import DEFAULT, as_device, moved, placed
from tinygrad_lite.engine.mode import MODE, switch
from tinygrad_lite.engine.source import warn
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import DTypeError, GradientError, describe

ALIASES = {"axis": "dim", "keepdims": "keepdim"}
"""NumPy's argument names and PyTorch's."""

WORDS: dict[str, dict[str, str]] = {
    **dict.fromkeys(
        ("tensor_split", "hsplit", "vsplit", "dsplit"),
        dict.fromkeys(("indices", "sections", "tensor_indices_or_sections"), "indices_or_sections"),
    ),
    **dict.fromkeys(("dropout", "alpha_dropout", "feature_alpha_dropout"), {"train": "training"}),
    "broadcast_to": {"size": "shape"},
    "cholesky_solve": {"input2": "L"},
    "isin": {"element": "elements", "test_element": "test_elements"},
    "orgqr": {"input2": "tau"},
    "from_numpy": {"ndarray": "array"},
    "searchsorted": {"values": "input"},
    "split": {"split_size": "split_size_or_sections"},
    "unsafe_split": {"split_size_or_sections": "split_size"},
    "swapaxes": {"dim0": "axis0", "dim1": "axis1"},
    "swapdims": {"dim0": "axis0", "dim1": "axis1"},
    "view": {"size": "shape", "dtype": "shape"},
    "true_divide": {"dividend": "input", "divisor": "other"},
}
"""Argument names that PyTorch has beside those of the function here."""


class _Missing:
    def __repr__(self) -> str:
        return "<missing>"


MISSING = _Missing()
"""The default of a required argument, so that it can also be given by another name."""


def name_of(function: str, word: str, params: Sequence[str]) -> str | None:
    """Return the parameter that ``word`` means for a function, or None."""
    if word in params:
        return word
    known = ALIASES.get(word) or WORDS.get(function, {}).get(word)
    if known in params:
        return known
    place = {"input": 0, "self": 0, "other": 1}.get(word, len(params))
    return params[place] if place < len(params) else None


def renamed(function: str, params: Sequence[str], words: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``words`` by the names of the parameters; raise TypeError for an unknown one or one given twice."""
    out: dict[str, Any] = {}
    for word, value in words.items():
        name = name_of(function, word, params)
        if name is None:
            raise TypeError(f"{function}: unexpected argument '{word}'; it takes {', '.join(params)}")
        if name in out:
            raise TypeError(f"{function}: got several values for '{name}'")
        out[name] = value
    return out


def check_given(function: str, params: Sequence[str], values: Sequence[Any]) -> None:
    """Raise TypeError if a required argument is missing."""
    missing = [f"'{p}'" for p, value in zip(params, values, strict=False) if value is MISSING]
    if missing:
        raise TypeError(f"{function}() missing required argument {' and '.join(missing)}")


# ------------------------------------------------------------------------------------------------ older forms
_Forms = dict[str, tuple[tuple[int, ...], dict[str, int]]]
_SCALED: _Forms = {"ntntt": ((1, 3, 4), {"beta": 0, "alpha": 2}), "nttt": ((1, 2, 3), {"beta": 0}),
           "tnntt": ((0, 3, 4), {"beta": 1, "alpha": 2}), "tntt": ((0, 2, 3), {"beta": 1})}  # fmt: skip
_VALUED: _Forms = {"tntt": ((0, 2, 3), {"value": 1})}
_ADDED: _Forms = {"tnt": ((0, 2), {"alpha": 1})}
OLD_FORMS: dict[str, _Forms] = {
    **dict.fromkeys(("addmm", "addmv", "addr", "addbmm", "baddbmm"), _SCALED),
    **dict.fromkeys(("addcmul", "addcdiv"), _VALUED),
    **dict.fromkeys(("add", "sub", "subtract"), _ADDED),
}
"""Positional forms from before PyTorch 1.5, by the kinds of the arguments: t(ensor) or n(umber)."""


def modern(function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of an older positional form as today's."""
    kinds = "".join("t" if hasattr(a, "ndim") else "n" if isinstance(a, Number) else "?" for a in args)
    form = OLD_FORMS[function].get(kinds)
    if form is None:
        return args, kwargs
    warn(f"{function}: numbers before the tensors they scale are deprecated; pass them by name")
    order, named = form
    return tuple(args[i] for i in order), {**kwargs, **{word: args[i] for word, i in named.items()}}


# ------------------------------------------------------------------------------------------------ out=
OUT = frozenset(
    """
abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr airy_ai all amax amin aminmax angle any arange
arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin asin asinh atan atan2 atanh avg_pool2d avg_pool3d
baddbmm bernoulli bessel_j0 bessel_j1 bessel_y0 bessel_y1 bitwise_and bitwise_left_shift bitwise_not bitwise_or
bitwise_right_shift bitwise_xor bmm bucketize cat ceil chain_matmul chebyshev_polynomial_t chebyshev_polynomial_u
chebyshev_polynomial_v chebyshev_polynomial_w cholesky cholesky_ex cholesky_inverse cholesky_solve clamp clamp_max
clamp_min clip column_stack concat concatenate cond conj_physical copysign cos cosh cross cummax cummin cumprod cumsum
deg2rad det diag diff digamma div divide dot dstack eigh eigvalsh empty eq erf erfc erfcx erfinv exp exp2 expit expm1
eye fix float_power floor floor_divide fmax fmin fmod frac frexp frobenius_norm full gammainc gammaincc gammaln gather
gcd ge gelu geqrf ger greater greater_equal gt hardshrink heaviside hermite_polynomial_h hermite_polynomial_he histc
histogram householder_product hstack hypot i0 i0e i1 i1e igamma igammac index_add index_copy index_reduce index_select
inner inv inv_ex inverse isin isneginf isposinf kron kthvalue laguerre_polynomial_l lcm ldexp ldl_factor ldl_factor_ex
ldl_solve le legendre_polynomial_p lerp less less_equal lgamma linear linspace log log10 log1p log2 log_ndtr
log_softmax logaddexp logaddexp2 logcumsumexp logical_and logical_not logical_or logical_xor logit logsigmoid logspace
logsumexp lstsq lt lu lu_factor lu_factor_ex lu_solve lu_unpack masked_select matmul matrix_norm matrix_power
matrix_rank max maximum mean median min minimum mm mode modified_bessel_k0 modified_bessel_k1 msort mul multi_dot
multigammaln multinomial multiply mv mvlgamma nan_to_num nanmean nanmedian nanquantile nansum narrow_copy ndtr ndtri ne
neg negative nextafter nonzero nonzero_static norm normal normalize not_equal nuclear_norm ones orgqr ormqr outer pinv
polygamma pow prod psi qr quantile rad2deg rand randint randn randperm range reciprocal remainder renorm round
row_stack rsqrt scaled_modified_bessel_k0 scaled_modified_bessel_k1 scatter scatter_add scatter_reduce searchsorted sgn
shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v
shifted_chebyshev_polynomial_w sigmoid sign signbit sin sinc sinh slice_scatter slogdet softmax softplus softshrink
solve solve_ex solve_triangular sort spherical_bessel_j0 sqrt square stack std sub subtract sum svd svdvals take
take_along_dim tan tanh tensordot tensorinv tensorsolve threshold topk triangular_solve tril triu true_divide trunc var
vdot vecdot vector_norm vstack where xlog1py xlogy zeros zeta
""".split()
)
"""The functions that take ``out=``: those of PyTorch."""

EXACT = frozenset(
    """
abs absolute addbmm addmm addmv amax amin aminmax argmax argmin avg_pool2d avg_pool3d baddbmm bitwise_not bmm bucketize
ceil chain_matmul cholesky_ex conj_physical cross cummax cummin det diag dot eigh eigvalsh fix float_power floor frac
frexp frobenius_norm gather gelu hardshrink heaviside histc histogram index_add index_copy index_reduce index_select
inner inv inv_ex inverse isin isneginf isposinf kthvalue lerp linear log_softmax logcumsumexp logsigmoid lu_factor
lu_factor_ex lu_solve lu_unpack masked_select matmul matrix_norm matrix_power median mm mode msort multi_dot
multinomial nan_to_num nanmedian nanquantile neg negative nonzero nonzero_static norm nuclear_norm qr quantile renorm
round scatter scatter_add scatter_reduce searchsorted sgn sign signbit slice_scatter slogdet softmax softplus
softshrink solve solve_ex solve_triangular sort svd svdvals take take_along_dim tensordot topk triangular_solve tril
triu trunc vdot vecdot vector_norm where
""".split()
)
"""Those of them whose ``out`` has the dtype of the result; others convert to any dtype of the same or a higher kind.
Truth values of `all` and `any` go into bool and uint8 only."""

SUMS = frozenset("cumprod cumsum prod sum".split())
"""Those of them that add or multiply in the dtype of ``out``."""

FILLS = frozenset("arange linspace logspace range".split())
"""Those of them that keep the shape of an ``out`` with as many elements."""


def written(function: str, out: Any, result: Any) -> Any:
    """Write ``result`` into ``out``, a tensor or several, and return ``out``."""
    if function not in OUT:
        raise TypeError(f"{function}: unexpected argument 'out'")
    if not isinstance(result, tuple):
        return _write_one(function, out, result, function in EXACT)
    outs = out if isinstance(out, (tuple, list)) else (out,)
    if len(outs) != len(result):
        raise TypeError(f"{function}: out must be {len(result)} tensors, got {describe(out)}")
    exact = function in EXACT or function in ("max", "min")
    kept = [_write_one(function, o, y, exact) for o, y in zip(outs, result, strict=True)]
    return type(result)(*kept) if hasattr(result, "_fields") else tuple(kept)


def typed(function: str, out: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a function that computes in the dtype of ``out`` if none is given, with that dtype."""
    known = function in SUMS and kwargs.get("dtype") is None and isinstance(out, Tensor)
    return {**kwargs, "dtype": out.array.dtype} if known else kwargs


def _write_one(function: str, out: Any, y: Any, exact: bool) -> Tensor:
    if not isinstance(out, Tensor):
        raise TypeError(f"{function}: out must be a tensor, got {describe(out)}")
    y = y if isinstance(y, Tensor) else make(new.asarray(y))
    if MODE.get().grad and (out.tracked or y.tracked):
        raise GradientError(
            f"{function}: out= does not support gradients, but an argument requires them; "
            f"use no_grad(), or the result without out="
        )
    order = {"b": 0, "i": 1, "u": 1, "f": 2}
    if order[y.array.dtype.kind] > order[out.array.dtype.kind]:
        raise DTypeError(f"{function}: result type {y.array.dtype} can't be cast to that of out, {out.array.dtype}")
    if exact and y.array.dtype != out.array.dtype or function in ("all", "any") and out.array.dtype.char not in "?B":
        raise DTypeError(f"{function}: expected out to have dtype {y.array.dtype}, it is {describe(out)}")
    if function in FILLS and out.array.size == y.array.size:  # the numbers fill an `out` of any shape
        y = y.reshape(out.array.shape)
    if out.array.shape != y.array.shape:
        if out.array.size:
            warn(
                f"{function}: out {describe(out)} was resized to {tuple(y.array.shape)}; "
                f"resizing a tensor that is not empty is deprecated"
            )
        out.array, out.base = new.empty(y.array.shape, out.array.dtype), None
    with switch(grad=False):
        return out.copy_(y)


def creating(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a function that creates tensors with PyTorch's arguments ``out``, ``layout``, ``pin_memory``, ``device``.

    The device is by default that of the tensor which the new one is like, or the default device.
    """
    alike = name.endswith("_like")

    def made(args: Any, kwargs: dict[str, Any]) -> Any:
        device = kwargs.get("device")
        if device is None and new.KINDS:
            device = getattr(args[0] if args else kwargs.get("input"), "device", None) if alike else DEFAULT.get()
        if device is None:
            return function(*args, **kwargs)
        with placed(device):
            result = function(*args, **kwargs)
        if new.KINDS:  # random numbers are drawn by NumPy
            result.array = moved(result.array, as_device(device))
        return result

    @functools.wraps(function)
    def create(*args: Any, **kwargs: Any) -> Any:
        try:
            if not kwargs:
                return made(args, kwargs) if new.KINDS else function(*args)
            layout, out = kwargs.pop("layout", None), kwargs.pop("out", None)
            kwargs.pop("pin_memory", None)
            if str(layout or "strided").removeprefix("torch.") != "strided":
                raise TypeError(f"{name}: layout {layout} is not supported; tensors here are strided")
            if out is None:
                return made(args, kwargs)
            if not isinstance(out, Tensor) or "dtype" not in inspect.signature(function).parameters:
                return written(name, out, made(args, kwargs))
            asked = kwargs.get("dtype")
            if asked is not None and out.dtype != asked:
                raise DTypeError(f"{name}: dtype {asked} does not match that of out, {describe(out)}")
            return written(name, out, made(args, {**kwargs, "dtype": out.dtype}))
        except Exception as error:
            ours = explained(name, function, args, kwargs, error)
            if ours is None:
                raise
            raise ours from error

    return create
