"""Programs that random search found to differ from PyTorch once, shrunk."""

PROGRAMS: tuple[str, ...] = (
    # a view that changes nothing is the tensor itself
    """
a1 = T.tensor([1.0], dtype=T.float64).requires_grad_()
v1 = a1.flatten()
""",
    """
a1 = T.tensor(1.0, dtype=T.float64)
v1 = a1.mT
v2 = a1.adjoint()
v3 = a1.H
""",
    """
a1 = T.tensor([1.0], dtype=T.float64)
v1 = a1.H
""",
    # gradients of a result with respect to itself
    """
a1 = T.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=T.float32).requires_grad_()
v1 = a1.std(-2)
seen.append(T.autograd.grad(v1, v1, grad_outputs=T.ones_like(v1))[0])
g1 = T.autograd.grad(v1.sum(), [a1])
""",
    # only a leaf
    """
a1 = T.tensor(1.0, dtype=T.float64).requires_grad_()
v1 = a1 * 1
v1.requires_grad = True
v1.requires_grad_()
""",
    """
a1 = T.tensor(1.0, dtype=T.float64).requires_grad_()
a1.register_post_accumulate_grad_hook(lambda p: p.grad.mul_(0.5))
a1.backward()
""",
    """
a1 = T.tensor(1.5, dtype=T.float64).requires_grad_()
with T.no_grad():
    seen.append(a1.numpy().shape)
seen.append(a1.numpy().shape)
""",
    """
a1 = T.tensor(1.0, dtype=T.float64).requires_grad_()
v1 = a1.tanh()
a1.detach_()
v1.backward()
seen.append(a1.grad)
""",
    # a tensor that becomes a view of itself was written to
    """
a1 = T.tensor([1.0, 2.0], dtype=T.float64).requires_grad_()
v1 = a1.exp()
v1.unsqueeze_(0)
v1.sum().backward()
""",
    """
a1 = T.tensor([1.0, 2.0], dtype=T.float64).requires_grad_()
v1 = a1[:, None]
with T.no_grad():
    v1.t_()
g1 = T.autograd.grad(v1.sum(), [a1])
""",
    """
a1 = T.tensor(1.0, dtype=T.float64)
v1 = a1.expand(2)
v1.unsqueeze_(0)
""",
    """
a1 = T.tensor([1.0], dtype=T.float64)
with T.no_grad():
    v1 = a1[:, None]
v1.erf_()
""",
    """
a1 = T.tensor(1.0, dtype=T.float64).requires_grad_()
v1 = a1.repeat(2)
v1.detach_()
""",
    """
a1 = T.tensor(1.0, dtype=T.float32)
a1.copy_(a1[None])
""",
    # integers have no gradient
    """
a1 = T.tensor(1.0, dtype=T.float64).requires_grad_()
v1 = a1.to(T.bool)
v2 = a1.long()
""",
    # an optimiser is made after the forward pass
    """
a1 = T.tensor([1.0, 2.0], dtype=T.float64).requires_grad_()
v1 = (a1 * a1).sum()
o1 = T.optim.Adagrad([a1], lr=0.1)
v1.backward()
""",
    # numbers
    """
a1 = T.tensor([1.0, -2.0, 0.0], dtype=T.float64)
v1 = a1.remainder(0)
v2 = a1.div(0, rounding_mode="trunc")
v3 = a1 // 0
""",
    """
a1 = T.tensor([1, -2], dtype=T.int64)
v1 = 2**a1
v2 = a1**a1
v3 = a1**-1
""",
    """
a1 = T.tensor([[-3, 4], [2, -3]], dtype=T.int64)
v1 = F.hardtanh(a1)
v2 = F.relu6(a1)
""",
    """
a1 = T.tensor(float("nan"), dtype=T.float64)
v1 = a1.scatter(0, T.tensor(0), 1.0)
""",
    """
a1 = T.tensor(1.5, dtype=T.float32)
v1 = a1.ldexp(T.tensor(2.0, dtype=T.float64))
""",
    """
a1 = T.tensor([2.0], dtype=T.float64).requires_grad_()
v1 = T.pow(0.3, a1)
g1 = T.autograd.grad(v1.sum(), [a1], create_graph=True)
g2 = T.autograd.grad(g1[0].sum(), [a1])
""",
    """
a1 = T.tensor([1.0, 1.0, 2.0], dtype=T.float64).requires_grad_()
v1 = a1.median()
g1 = T.autograd.grad(v1, [a1])
""",
    """
a1 = T.tensor([1.0, float("nan"), float("nan")], dtype=T.float64).requires_grad_()
v1 = a1.median()
g1 = T.autograd.grad(v1, [a1])
""",
    """
a1 = T.tensor([0.0, 2.0], dtype=T.float64).requires_grad_()
v1 = F.smooth_l1_loss(T.zeros(2, dtype=T.float64), a1)
v2 = F.huber_loss(a1, T.zeros(2, dtype=T.float64), delta=0.5)
g1 = T.autograd.grad(v1 + v2, [a1], create_graph=True)
g2 = T.autograd.grad((g1[0] * g1[0]).sum() + g1[0].sum(), [a1])
""",
    # nothing, and a single value
    """
a1 = T.zeros((2, 0), dtype=T.float64).requires_grad_()
v1 = F.embedding(T.tensor([0, 1, 0]), a1)
v2 = F.scaled_dot_product_attention(a1, a1, a1)
v3 = a1.unflatten(1, (-1, 1))
g1 = T.autograd.grad(v1.sum() + v2.sum(), [a1])
""",
    """
v1 = T.zeros(3, 0, 2)
seen.append(v1.stride())
""",
    """
a1 = T.tensor([[1.25]], dtype=T.float32)
m1 = fill(nn.GroupNorm(1, 1), T.float32)
v1 = m1(a1)
""",
    """
m1 = fill(nn.GRU(0, 2), T.float32)
""",
    # memory
    """
a1 = T.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=T.float32).mT.clone()
v1 = a1.gather(-1, a1.argsort(dim=-1, stable=True))
v2 = a1.take_along_dim(a1.argsort(dim=-1, stable=True), -1)
""",
    # second derivatives of a product at a zero, infinite slopes, NaN beside a constant
    """
a1 = T.tensor([-2.0, -0.75, -0.5, 0.0], dtype=T.float64).requires_grad_()
v1 = a1.scatter_reduce(0, a1.argsort(dim=0, stable=True), a1, "prod")
g1 = T.autograd.grad(v1.sum() + a1.sum(), [a1], create_graph=True)
g2 = T.autograd.grad((g1[0] ** 2).sum(), [a1])
""",
    """
a1 = T.tensor([0.0, 1.0]).requires_grad_()
v1 = 10000 / a1.tanh()
g1 = T.autograd.grad(v1.sum(), [a1])
""",
    """
a1 = T.tensor([0.25, -0.3, -0.225], dtype=T.float16)
v1 = F.rms_norm(a1, (3,))
""",
    # dtypes of sums
    """
a1 = T.tensor([[200, 100], [100, 200]], dtype=T.uint8)
v1 = T.einsum("ij->j", a1)
v2 = T.tensordot(a1[0], a1[:1], 1)
v3 = T.trapezoid(a1[:0], dim=0)
v4 = F.avg_pool1d(a1[None].long() - 150, 2)
""",
    # nothing
    """
a1 = T.zeros((0, 3), dtype=T.float32).requires_grad_()
seen.append(T.vmap(lambda r: r * 2)(a1.detach()))
v1 = T.einsum("...i,...i", a1[None], a1[None, :, :1])
g1 = T.autograd.grad(v1.sum(), [a1])
""",
    """
m1 = fill(nn.Unflatten(0, (1, -1)), T.float64)
v1 = m1(T.zeros((2, 0), dtype=T.float64))
v2 = T.linalg.det(T.zeros((0, 0), dtype=T.float16))
v3 = T.linalg.solve(T.zeros((0, 0), dtype=T.float16), T.zeros((0, 2), dtype=T.float16))
""",
    """
v1 = T.zeros((0, 2)).norm(-1)
""",
    """
a1 = T.zeros((0, 3)).requires_grad_()
v1 = a1.as_strided((0, 3), (3, 1))
v1.zero_()
""",
    # memory
    """
a1 = T.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=T.float64).mT.clone()
v1 = (2**a1).reshape(-1)
v2 = a1.renorm(2, 0, 1.0)
v3 = T.mvlgamma(a1.abs() + 2, 2)
a1.resize_(a1.shape)
""",
    """
a1 = T.tensor([[1.0, 2.0], [3.0, 4.0]]).requires_grad_()
m1 = fill(nn.Dropout1d(0.0), T.float32)
v1 = m1(a1)
""",
    """
a1 = T.tensor([[1.0, 2.0], [3.0, 4.0]]).requires_grad_()
v1 = T.einsum("ij->j", a1)
with T.no_grad():
    a1.zero_()
g1 = T.autograd.grad(v1.sum(), [a1])
""",
)
