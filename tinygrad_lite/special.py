"""Special functions: the door to what PyTorch keeps under ``torch.special``."""

from tinygrad_lite.ops.elementwise.activation import (
    log_softmax as log_softmax,
    sigmoid as expit,
    softmax as softmax,
)
from tinygrad_lite.ops.elementwise.bessel import (
    airy_ai as airy_ai,
    bessel_j0 as bessel_j0,
    bessel_j1 as bessel_j1,
    bessel_y0 as bessel_y0,
    bessel_y1 as bessel_y1,
    chebyshev_polynomial_t as chebyshev_polynomial_t,
    chebyshev_polynomial_u as chebyshev_polynomial_u,
    chebyshev_polynomial_v as chebyshev_polynomial_v,
    chebyshev_polynomial_w as chebyshev_polynomial_w,
    hermite_polynomial_h as hermite_polynomial_h,
    hermite_polynomial_he as hermite_polynomial_he,
    laguerre_polynomial_l as laguerre_polynomial_l,
    legendre_polynomial_p as legendre_polynomial_p,
    modified_bessel_k0 as modified_bessel_k0,
    modified_bessel_k1 as modified_bessel_k1,
    scaled_modified_bessel_k0 as scaled_modified_bessel_k0,
    scaled_modified_bessel_k1 as scaled_modified_bessel_k1,
    shifted_chebyshev_polynomial_t as shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u as shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v as shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w as shifted_chebyshev_polynomial_w,
    spherical_bessel_j0 as spherical_bessel_j0,
)
from tinygrad_lite.ops.elementwise.comparison import round as round
from tinygrad_lite.ops.elementwise.exponential import (
    exp2 as exp2,
    expm1 as expm1,
    log1p as log1p,
    logit as logit,
    xlogy as xlogy,
)
from tinygrad_lite.ops.elementwise.probability import (
    entr as entr,
    erfcx as erfcx,
    gammainc as gammainc,
    gammaincc as gammaincc,
    i0e as i0e,
    i1e as i1e,
    log_ndtr as log_ndtr,
    multigammaln as multigammaln,
    ndtr as ndtr,
    ndtri as ndtri,
    xlog1py as xlog1py,
    zeta as zeta,
)
from tinygrad_lite.ops.elementwise.special import (
    digamma as digamma,
    erf as erf,
    erfc as erfc,
    erfinv as erfinv,
    i0 as i0,
    i1 as i1,
    lgamma as gammaln,
    polygamma as polygamma,
)
from tinygrad_lite.ops.elementwise.trigonometry import sinc as sinc
from tinygrad_lite.ops.reductions.reduction import logsumexp as logsumexp

psi, modified_bessel_i0, modified_bessel_i1 = digamma, i0, i1

__all__ = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t",
    "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr", "erf", "erfc",
    "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln", "hermite_polynomial_h",
    "hermite_polynomial_he", "i0", "i0e", "i1", "i1e", "laguerre_polynomial_l", "legendre_polynomial_p", "log1p",
    "log_ndtr", "log_softmax", "logit", "logsumexp", "modified_bessel_i0", "modified_bessel_i1",
    "modified_bessel_k0", "modified_bessel_k1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "sinc",
    "softmax", "spherical_bessel_j0", "xlog1py", "xlogy", "zeta",
]  # fmt: skip
