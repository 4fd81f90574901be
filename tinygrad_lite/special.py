"""Special functions: the door to what PyTorch keeps under ``torch.special``."""

from tinygrad_lite.ops.elementwise.activation import (
    log_softmax as log_softmax,
    sigmoid as expit,
    softmax as softmax,
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
    "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "modified_bessel_i0",
    "modified_bessel_i1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py",
    "xlogy", "zeta",
]  # fmt: skip
