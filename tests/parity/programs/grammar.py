"""What random programs are made of: templates of single lines, by kind.

A template is a line of Python with holes: ``{x}`` a tensor, ``{f}`` a float tensor, ``{y}`` a tensor that (mostly)
broadcasts with ``{x}``, ``{n}`` a number, ``{d}`` a dim of ``{x}``, ``{e}`` another one, ``{i}`` an index along
``{d}``, ``{s}`` the size of ``{d}``, ``{z}`` the number of elements of ``{x}``. ``T`` is the library, ``F`` and
``nn`` are its submodules.
"""

from __future__ import annotations

UNARY = """
-{x} | {x}.abs() | {x}.sign() | {x}.floor() | {x}.ceil() | {x}.round() | {x}.trunc() | {f}.frac() | ({x} * 0.3).exp()
{x}.sin() | {x}.cos() | {x}.tan() | {x}.tanh() | {x}.sigmoid() | {x}.relu() | {x}.square() | {x}.erf() | {x}.expm1()
({x} * {x} + 1).log() | ({x} * {x} + 1).sqrt() | ({x} * {x} + 1).rsqrt() | ({x} * {x} + 0.5).reciprocal() | {x}.sqrt()
{x}.log() | {x}.asinh() | {x}.atan() | ({x}.tanh() * 0.9).asin() | ({x}.tanh() * 0.9).atanh()
({x}.abs() + 0.5).log1p() | {x}.sinc() | {x}.logit(0.1) | {x}.clamp(-0.5, 0.75) | {x}.clamp(min=0)
{x}.clamp(max={n}) | {x}.nan_to_num() | {x}.erfc() | {x}.exp2() | ({x}.abs() + 1).lgamma() | ({x}.abs() + 1).digamma()
F.gelu({f}) | F.gelu({f}, approximate="tanh") | F.silu({f}) | F.elu({f}) | F.leaky_relu({f}, 0.1) | F.softplus({f})
F.selu({f}) | F.celu({f}, 0.7) | F.mish({f}) | F.hardtanh({f}) | F.hardswish({f}) | F.hardsigmoid({f}) | F.relu6({f})
F.softsign({f}) | F.logsigmoid({f}) | F.softshrink({f}) | F.hardshrink({f}) | F.tanhshrink({f})
F.threshold({f}, 0.1, 2) | F.glu({f}, {d}) | ~{x} | {x}.logical_not() | {x}.isnan() | {x}.bool() | {x} * 1
{x}.clone() | {x}.positive() | {x} ** 2 | {x} ** 3 | {x} ** 0 | {x} ** -1 | ({x}.abs() + 0.5) ** 0.5 | 2 ** {x}
{x}.pow(1.5) | {x}.neg().exp() | {x}.to(T.float64) | {x}.to(T.float32) | {x}.to(T.float16) | {x}.to(T.int64)
{x}.to(T.bool) | {x}.type_as({y}) | {x}.contiguous() | {x}.tril() | {x}.triu(1) | T.zeros_like({x}) | T.ones_like({x})
T.full_like({x}, {n}) | {x}.new_zeros(2, 3) | {x}.new_full((3,), {n}) | {x}.new_tensor([1.0, 2.0])
{x}.heaviside({x}) | {x}.signbit()
"""

BINARY = """
{x} + {y} | {x} - {y} | {x} * {y} | {x} / {y} | {x} + {y} | {x} * {y} | {x} / ({y} * {y} + 1) | {x} // {y} | {x} % {y}
T.maximum({x}, {y}) | T.minimum({x}, {y}) | T.fmax({x}, {y}) | T.where({x} > {n}, {x}, {y})
T.where({y} > {x}, {n}, {y}) | T.atan2({x}, {y}) | {x}.fmod({y}) | {x}.remainder({n}) | T.lerp({x}, {y}, 0.3)
{x}.lerp({y}, {y}) | {x}.addcmul({y}, {y}) | {x}.addcdiv({y}, {y} * {y} + 1, value=0.5) | T.hypot({x}, {y})
T.copysign({x}, {y}) | T.logaddexp({x}, {y}) | {x} > {y} | {x} == {y} | {x} <= {n} | {x} != {y} | {n} - {x}
{n} / ({x} * {x} + 1) | {n} * {x} | {x} + {n} | {x} * {n} | {x} / {n} | {x}.add({y}, alpha=2) | {x}.sub({y}, alpha=3)
T.rsub({x}, {y}) | {x}.float_power(2) | {x} & {y} | {x} ^ {y} | {x}.logical_and({y}) | {x}.xlogy({y}.abs() + 1)
{x}.clamp({y}, {y} + 1) | {x}.div({y}, rounding_mode="floor") | {x}.div({n}, rounding_mode="trunc")
({x}.abs() + 0.5) ** {y} | {x} ** {y} | {x}.isclose({y}) | {x}.equal({y}) | T.add({x}, {y}) | T.mul({n}, {x})
{x}.type_as({y}) * {y} | T.stack([{x}, {x}], {d}) | T.cat([{x}, {y}], {d}) | T.cat([{x}, {x}]) | {x}.expand_as({y})
T.broadcast_tensors({x}, {y})[0] | {x}.gcd({y}) | {x}.ldexp({y}) | T.cdist({x}, {y})
F.mse_loss({x}, {y}) | F.l1_loss({x}, {y}, reduction="sum") | F.smooth_l1_loss({x}, {y})
F.huber_loss({x}, {y}, reduction="none") | F.binary_cross_entropy_with_logits({x}, {y}.sigmoid().detach())
F.kl_div({f}.log_softmax({d}), {f}.softmax({d}), reduction="sum")
F.binary_cross_entropy({f}.sigmoid(), ({f} > 0).to({f}.dtype)) | F.cosine_similarity({x}, {y}, dim={d})
F.poisson_nll_loss({f}, {y}) | F.soft_margin_loss({f}, {y}.sign()) | F.gaussian_nll_loss({f}, {y}, {f} * {f} + 1)
F.pairwise_distance({x}, {y})
"""

REDUCE = """
{x}.sum() | {x}.sum({d}) | {x}.sum({d}, keepdim=True) | {x}.mean() | {x}.mean({d}) | {x}.mean({d}, keepdim=True)
{x}.prod() | {x}.prod({d}) | {x}.amax({d}) | {x}.amin() | {x}.max() | {x}.min() | {x}.max({d})[0]
{x}.max({d}).indices | {x}.min({d}, True)[0] | {x}.std() | {x}.std({d}) | {x}.var({d}, unbiased=False)
{x}.var(({d}, {e})) | {x}.norm() | {x}.norm(1, {d}) | {x}.norm(3, {d}, True) | T.linalg.vector_norm({x}, dim={d})
{x}.logsumexp({d}) | {x}.softmax({d}) | {x}.log_softmax({d}) | F.softmin({f}, {d}) | {x}.cumsum({d})
{x}.cumprod({d}) | {x}.cummax({d})[0] | {x}.cummin({d}).indices | {x}.logcumsumexp({d}) | {x}.argmax({d})
{x}.argmin() | {x}.any() | {x}.all({d}) | {x}.median() | {x}.median({d})[0] | {x}.sort({d})[0]
{x}.sort({d}, descending=True)[0] | {x}.argsort(stable=True) | {x}.topk(1, {d})[0] | {x}.kthvalue(1, {d})[0]
{x}.count_nonzero() | {x}.sum(({d}, {e})) | {x}.mean(({d}, {e}), keepdim=True) | {x}.nansum() | {x}.unique()
{x}.diff(dim={d}) | {x}.aminmax(dim={d}).max | {x}.quantile(0.3, {d}) | {x}.trace() | {x}.sum(dtype=T.float64)
{x}.std({d}, keepdim=True) | {x}.softmax({d}, dtype=T.float64) | F.normalize({f}, dim={d})
F.layer_norm({f}, {f}.shape[-1:]) | T.var_mean({x}, {d})[1] | {x}.nanmean({d}) | {x}.sum(axis={d})
{x}.amax(({d}, {e})) | {x}.max({d}, keepdim=True).values | T.logsumexp({x}, ({d}, {e})) | {x}.bincount()
{x}.dist({y})
"""

VIEWS = """
{x}[{i}] | {x}[..., -1] | {x}[::2] | {x}[1:] | {x}[None] | {x}[..., None] | {x}.t() | {x}.T | {x}.mT
{x}.transpose({d}, {e}) | {x}.reshape(-1) | {x}.view(-1) | {x}.view({x}.shape) | {x}.reshape(-1, 2)
{x}.reshape({z}, 1) | {x}.view(-1, 1) | {x}.flatten() | {x}.flatten({d}) | {x}.ravel() | {x}.unsqueeze({d})
{x}.unsqueeze(-1) | {x}.squeeze() | {x}.squeeze({d}) | {x}.expand(2, *{x}.shape) | {x}.expand_as({y}) | {x}.diagonal()
{x}.narrow({d}, 0, 1) | {x}.select({d}, {i}) | {x}.movedim({d}, {e}) | {x}.swapaxes({d}, {e})
{x}.permute(list(range({x}.ndim))[::-1]) | {x}.chunk(2, {d})[0] | {x}.split(1, {d})[-1] | {x}.unbind({d})[0]
{x}.unfold({d}, 1, 1) | {x}.detach() | {x}.view_as({x}) | {x}.broadcast_to({x}.shape) | {x}.tensor_split(2, {d})[1]
{x}.unflatten({d}, (-1, 1)) | {x}.adjoint() | {x}[..., 1:, :] | {x}[:, 0] | {x}[()] | {x}[...] | {x}[0:0]
{x}.reshape_as({x}) | {x}.contiguous().view(-1) | {x}.view(*{x}.shape, 1) | {x}[:, None] | T.atleast_2d({x})
{x}.unfold({d}, 2, 1) | {x}.data | {x}.H
"""

INDEX = """
{x}[{x} > {n}] | {x}[T.tensor([0, -1])] | {x}[..., T.tensor([0, 0])] | {x}[T.tensor([True, False])] | {x}[[0]]
{x}[T.tensor(0)] | {x}[:, T.tensor([[0]])] | {x}.index_select({d}, T.tensor([0, 0]))
{x}.gather({d}, {x}.argsort(dim={d}, stable=True)) | {x}.take(T.tensor([0, -1])) | {x}.masked_select({x} > {n})
{x}.roll(1, {d}) | {x}.roll(-1) | {x}.flip({d}) | {x}.repeat(2, *[1] * {x}.ndim) | {x}.repeat_interleave(2, {d})
{x}.tile(2) | F.pad({x}, (1, 1), value={n}) | F.pad({x}, (-1, 2)) | {x}.masked_fill({x} > {n}, 1.5)
{x}.masked_fill({x} > 0, {y}.sum()) | {x}.nonzero() | {x}.rot90()
{x}.take_along_dim({x}.argsort(dim={d}, stable=True), {d}) | {x}[T.tensor([0]), ..., None]
{x}.index_add({d}, T.tensor([0]), {x}.narrow({d}, 0, 1)) | {x}.index_fill({d}, T.tensor([0]), {n})
{x}.scatter({d}, {x}.argsort(dim={d}, stable=True), {n}) | {x}.fliplr()
{x}.scatter_add({d}, T.zeros({x}.shape, dtype=T.int64), {x})
{x}.index_copy({d}, T.tensor([0]), {x}.narrow({d}, -1, 1)) | {x}[0, 0] | {x}[-1, None, ...] | {x}[{s}]
{x}[{x}.argmax()] | T.where({x} > {n})[0] | {x}.diag() | {x}.diag_embed()
{x}.select_scatter({x}.select({d}, 0) * 2, {d}, 0) | {x}.scatter_reduce(0, {x}.argsort(dim=0, stable=True), {x}, "amax")
"""

MATRIX = """
{x} @ {y} | {x} @ {x}.mT | {x}.mT @ {x} | {x}.matmul({y}) | {x}.mm({y}) | {x}.mv({y}) | {x}.dot({y}) | {x}.outer({y})
T.einsum("ij,kj->ik", {x}, {x}) | T.einsum("...i,...i", {x}, {y}) | ({x} @ {x}.mT).det()
T.linalg.inv({x} @ {x}.mT + T.eye({x}.shape[0], dtype={x}.dtype)) | T.tensordot({x}, {y}, 1) | {x}.inner({y})
T.kron({x}, {y}) | {x}.addmm({x}, {x}.mT @ {x}) | {x}.cov() | {x}.cross({y}, dim={d}) | F.linear({f}, {y})
F.linear({f}, {f}) | T.bmm({f}.expand(2, *{f}.shape), {f}.mT.expand(2, *{f}.mT.shape))
F.conv1d({f}.reshape(1, 1, -1), {f}.reshape(1, 1, -1)[..., :2], padding=1) | F.max_pool1d({f}.reshape(1, 1, -1), 2)
F.avg_pool1d({f}.reshape(1, 1, -1), 2, ceil_mode=True) | F.interpolate({f}.reshape(1, 1, -1), scale_factor=2)
F.scaled_dot_product_attention({f}, {f}, {f}) | F.cross_entropy({f}, {f}.argmax(1))
F.nll_loss({f}.log_softmax(1), {f}.argmin(1), reduction="none") | F.embedding(T.tensor([0, 1, 0]), {f})
F.one_hot({x}) | F.adaptive_avg_pool1d({f}.reshape(1, 1, -1), 2)
F.conv_transpose1d({f}.reshape(1, 1, -1), {f}.reshape(1, 1, -1), stride=2) | F.dropout({f}, 0.5, training=False)
F.dropout({f}, 0.0)
"""

WRITES = """
{x}.mul_({n}) | {x}.add_({y}) | {x}.mul_({y}) | {x}.sub_({y}, alpha=2) | {x}.div_({y}) | {x}.tanh_() | {x}.sigmoid_()
{x}.exp_() | {x}.relu_() | {x}.neg_() | {x}.sin_() | {x}.square_() | {x}.abs_() | {x}.clamp_(-0.5, 0.75) | {x}.zero_()
{x}.fill_({n}) | {x}.fill_({y}.sum()) | {x}.copy_({y}) | {x}.floor_() | {x}.pow_(2) | {x}.sqrt_()
{x}.lerp_({y}, 0.3) | {x}.addcmul_({y}, {y}) | {x}.cumsum_({d}) | {x}.masked_fill_({x} > {n}, 0.1) | {x}[{i}] = {n}
{x}[...] = {y} | {x}[..., -1] = {y}.sum() | {x}[{x} > {n}] = 0.5 | {x}[{x}.detach() > {n}] = {y}.mean()
{x}[::2] = {x}.detach()[::2] * 2 | {x}[T.tensor([0])] = {n} | {x}[0] *= 2 | {x}[1:] += 1 | {x}[:, 0] = {n}
{x} += {y} | {x} -= {n} | {x} *= {y} | {x} /= 2 | {x} **= 2 | F.relu({f}, inplace=True) | F.elu({f}, inplace=True)
F.leaky_relu({f}, 0.1, inplace=True) | F.hardtanh({f}, inplace=True) | F.silu({f}, inplace=True)
F.dropout({f}, 0.0, inplace=True) | {x}.index_add_({d}, T.tensor([0]), {x}.detach().narrow({d}, 0, 1))
{x}.scatter_({d}, {x}.argsort(dim={d}, stable=True), {n}) | {x}.index_fill_({d}, T.tensor([0]), {n}) | {x}.t_()
{x}.unsqueeze_(0) | {x}.squeeze_() | {x}.transpose_({d}, {e}) | {x}.detach_() | {x}.tril_() | {x}.reciprocal_()
{x}.round_() | {x}.erf_() | {x}.detach().mul_(2) | {x}.data.mul_(2) | {x}.data[...] = {n} | {x}.data = {x}.data * 2
{x}.data.add_({y}.data) | {x}.view(-1)[0] = {n} | {x}.t().mul_(2) | {x}.reshape(-1).add_(1)
{x}.diagonal().fill_({n}) | {x}.unsqueeze(0).mul_({n}) | {x}.index_put_((T.tensor([0]),), {y}.sum())
{x}.fill_diagonal_({n}) | {x}.mul_({x}) | {x}.addcdiv_({y}, {y} * {y} + 1) | {x}.masked_scatter_({x} > {n}, {y})
"""

STATE = """
{x}.requires_grad_() | {x}.requires_grad_(False) | {f}.retain_grad() | {x}.requires_grad = True | {x}.grad = None
{x}.grad = T.ones_like({x}) | {f}.register_hook(lambda g: g * 2) | {f}.register_hook(lambda g: None)
{f}.register_hook(lambda g: seen.append(g.detach().clone())) | {f}.register_hook(lambda g: g.mul_(2))
{f}.register_hook(lambda g: (g.mul_(2), None)[1]) | {f}.register_hook(lambda g: g.clamp(-1, 1))
{f}.register_post_accumulate_grad_hook(lambda p: (p.grad.mul_(0.5), None)[1])
{f}.register_post_accumulate_grad_hook(lambda p: p.data.sub_(p.grad)) | {f}.sum().backward()
({f} * {f}).sum().backward(retain_graph=True) | {f}.backward(T.ones_like({f})) | {f}.mean().backward()
{f}.grad.zero_() | {f}.grad.mul_(2) | seen.append(T.autograd.grad(({f} * {f}).sum(), {f})[0])
seen.append({x}.tolist()) | seen.append({x}.item()) | seen.append(bool({x})) | seen.append(len({x}))
seen.append(float({x}.sum())) | seen.append(T.is_grad_enabled()) | {f}.sum().backward(create_graph=True)
seen.append(T.autograd.grad({f}.sum(), {x}, allow_unused=True)[0])
seen.append({x}.is_contiguous()) | seen.append({x}._version) | seen.append({x}.numpy().shape) | seen.append(int({x}))
seen.append(T.autograd.grad({f}, {f}, grad_outputs=T.ones_like({f}))[0])
"""

BLOCKS = (
    "with T.no_grad():",
    "with T.no_grad():",
    "with T.enable_grad():",
    "with T.set_grad_enabled(False):",
    "with T.inference_mode():",
)

LAYERS = """
nn.Linear({c}, 2) | nn.Linear({c}, 3, bias=False) | nn.LayerNorm({c}) | nn.BatchNorm1d({c})
nn.BatchNorm1d({c}, affine=False) | nn.PReLU() | nn.ReLU(inplace=True) | nn.ELU(inplace=True) | nn.Dropout(0.0)
nn.Sequential(nn.Linear({c}, 3), nn.ReLU(inplace=True), nn.Linear(3, 2)) | nn.Sequential(nn.Linear({c}, 2), nn.Tanh())
nn.RNN({c}, 2) | nn.GRU({c}, 2) | nn.LSTM({c}, 2) | nn.Bilinear({c}, {c}, 2)
nn.BatchNorm1d({c}, track_running_stats=False) | nn.BatchNorm1d({c}, momentum=None) | nn.Conv1d({c}, 2, 1)
nn.Conv1d({c}, 2, 2, padding=1) | nn.ConvTranspose1d({c}, 2, 2, stride=2) | nn.Softmax(-1) | nn.GroupNorm(1, {c})
nn.InstanceNorm1d({c}, affine=True) | nn.MaxPool1d(2) | nn.AvgPool1d(2) | nn.Identity() | nn.Flatten() | nn.GLU()
nn.RNNCell({c}, 2) | nn.GRUCell({c}, 2) | nn.LSTMCell({c}, 2) | nn.RMSNorm({c}) | nn.Embedding(4, 2)
nn.LogSoftmax(-1) | nn.MultiheadAttention({c}, 1)
"""

OPTIMISERS = """
T.optim.SGD({p}, lr=0.1) | T.optim.SGD({p}, lr=0.1, momentum=0.9)
T.optim.SGD({p}, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01) | T.optim.Adam({p}, lr=0.1)
T.optim.AdamW({p}, lr=0.1) | T.optim.RMSprop({p}, lr=0.1) | T.optim.Adagrad({p}, lr=0.1)
T.optim.Adam({p}, lr=0.1, amsgrad=True, maximize=True) | T.optim.NAdam({p}) | T.optim.Adamax({p}) | T.optim.RAdam({p})
T.optim.Adadelta({p}) | T.optim.Rprop({p}) | T.optim.ASGD({p})
"""


def templates(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for line in text.strip().splitlines() for part in line.split(" | "))


KINDS: dict[str, tuple[float, tuple[str, ...]]] = {
    "unary": (0.16, templates(UNARY)),
    "binary": (0.15, (*templates(BINARY), "{x} | {y}")),
    "reduce": (0.14, templates(REDUCE)),
    "view": (0.16, templates(VIEWS)),
    "index": (0.1, templates(INDEX)),
    "matrix": (0.05, templates(MATRIX)),
    "write": (0.13, templates(WRITES)),
    "state": (0.06, templates(STATE)),
    "layer": (0.03, templates(LAYERS)),
    "optimiser": (0.02, templates(OPTIMISERS)),
}
"""How often a line of a kind is drawn, and the templates of the kind."""
