"""Linear algebra: the door to everything that PyTorch keeps under ``torch.linalg``."""

from tinygrad_lite.engine.no_effect import absent as _absent
from tinygrad_lite.errors import LinAlgError as LinAlgError
from tinygrad_lite.ops.linalg.lu import (
    householder_product as householder_product,
    lu as lu,
    lu_factor as lu_factor,
    lu_factor_ex as lu_factor_ex,
    lu_solve as lu_solve,
    solve_ex as solve_ex,
    tensorinv as tensorinv,
    tensorsolve as tensorsolve,
)
from tinygrad_lite.ops.linalg.matmul import multi_dot as multi_dot, vecdot as vecdot
from tinygrad_lite.ops.linalg.matrix import (
    cholesky as cholesky,
    cholesky_ex as cholesky_ex,
    cross as cross,
    det as det,
    diagonal as diagonal,
    eigh as eigh,
    eigvalsh as eigvalsh,
    inv as inv,
    inv_ex as inv_ex,
    matmul as matmul,
    matrix_exp as matrix_exp,
    matrix_power as matrix_power,
    matrix_rank as matrix_rank,
    pinv as pinv,
    qr as qr,
    slogdet as slogdet,
    solve as solve,
    solve_triangular as solve_triangular,
    svd as svd,
    svdvals as svdvals,
    vander as vander,
)
from tinygrad_lite.ops.linalg.matrix_norm import (
    cond as cond,
    lstsq as lstsq,
    matrix_norm as matrix_norm,
    norm as norm,
    vector_norm as vector_norm,
)

eig, eigvals = (
    _absent(f"linalg.{name}", "eigenvalues of a general matrix are complex; use linalg.eigh, or numpy.linalg.eig")
    for name in ("eig", "eigvals")
)
ldl_factor, ldl_factor_ex, ldl_solve = (
    _absent(f"linalg.{name}", "use linalg.cholesky or linalg.lu_factor")
    for name in ("ldl_factor", "ldl_factor_ex", "ldl_solve")
)
