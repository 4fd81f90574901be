"""A second set of templates (see `grammar`): rarer functions, every keyword, `out=`, containers, options of optimisers."""
# ruff: noqa: E501 - a table

from __future__ import annotations

from tests.parity.programs.grammar import KINDS, templates

UNARY = """
({x}.tanh() * 0.9).acos() | ({x}.abs() + 1.1).acosh() | {x}.cosh() | {x}.sinh() | {x}.deg2rad() | {x}.rad2deg()
({x}.abs() + 0.5).log2() | ({x}.abs() + 0.5).log10() | {x}.i0() | ({x}.tanh() * 0.9).erfinv() | {x}.sgn() | {x}.clip(-1, 1)
{x}.clamp_min(0.3) | {x}.clamp_max(0.3) | {f}.round(decimals=1) | {x}.nan_to_num(nan=1.0, posinf=2.0, neginf=-2.0)
T.special.expit({x}) | T.special.xlog1py({x}, {x}.abs()) | T.special.ndtr({x}) | T.special.log_ndtr({x})
T.special.entr({x}.abs()) | T.special.i0e({x}) | T.special.i1({x}) | T.special.i1e({x}) | T.special.erfcx({x})
T.polygamma(1, {x}.abs() + 1) | T.mvlgamma({x}.abs() + 2, 2) | {x}.isposinf() | {x}.isneginf() | {x}.isfinite() | {x}.isreal()
{x}.double() | {x}.half() | {x}.long() | {x}.int() | {x}.short() | {x}.char() | {x}.byte() | {x}.bool().float()
F.hardtanh({f}, min_val=-0.3, max_val=0.6) | F.elu({f}, alpha=0.3) | F.softplus({f}, beta=2, threshold=1)
F.leaky_relu(input={f}, negative_slope=0.3) | F.hardshrink({f}, lambd=0.2) | F.softshrink({f}, lambd=0.2)
F.prelu({f}, {f}.detach().flatten()[:1]) | F.gumbel_softmax({f} * 0, dim={d}).sum({d}) | {x}.to(T.int8)
{x}.to(dtype=T.float64, copy=True) | {x}.type(T.float32) | T.empty_like({x}).fill_(1) | {x}.new_ones(2) | {x}.new_empty(0)
F.softmax({x}, {d}, dtype=T.float32) | F.log_softmax({x}, dim={d}, dtype=T.float64) | {x}.detach().requires_grad_()
"""

BINARY = """
T.fmin({x}, {y}) | T.logaddexp2({x}, {y}) | T.nextafter({x}, {y}) | T.dist({x}, {y}, 1) | {x} | {y} | {x} << 1 | {x} >> 1
{x}.bitwise_and({y}) | {x}.bitwise_not() | T.add({x}, {y}, out={x}.new_empty(0)) | T.mul({x}, {y}, out={x}.new_empty(0))
T.sub(input={x}, other={y}, alpha=2) | T.div({x}, {y}, rounding_mode="trunc") | T.true_divide({x}, {y}) | {x}.divide({y})
{x}.multiply({y}) | {x}.subtract({y}) | {x}.greater({y}) | {x}.less_equal({y}) | {x}.not_equal({y}) | T.eq({x}, {n})
{f}.allclose({f} + 1e-9) | T.isclose({x}, {y}, rtol=0.5) | {x}.logical_xor({y}) | {x}.logical_or({y}) | {n} // ({x} * {x} + 1)
{n} % ({x} * {x} + 1) | {x} % {n} | {x} // {n} | {n} ** ({x}.tanh()) | T.true_divide({x}, {n}) | T.lerp({x}, {y}, {f}.sigmoid())
T.addcdiv({x}, {y}, {y} * {y} + 1, value=2) | T.where({x} > 0, {x}, {n}) | T.where({x} > 0, {n}, {y}) | T.where({x} > 0, 1.0, 0.0)
T.clamp({x}, min={y}) | T.clamp({x}, max={y}) | T.maximum({x}, {y}, out={x}.new_empty(0)) | T.cross({x}, {y}, dim={d})
F.mse_loss({f}, {y}, reduction="sum") | F.l1_loss({f}, {y}, reduction="none") | F.smooth_l1_loss({f}, {y}, beta=0.3)
F.huber_loss({f}, {y}, delta=0.3) | F.margin_ranking_loss({f}, {y}, {f}.sign(), margin=0.2) | F.hinge_embedding_loss({f}, {y}.sign())
F.cosine_embedding_loss({f}, {y}, T.ones({f}.shape[0]), margin=0.1) | F.triplet_margin_loss({f}, {y}, {f} * 2, p=1)
F.triplet_margin_loss({f}, {y}, -{f}, swap=True, reduction="sum") | F.multilabel_soft_margin_loss({f}, {f}.sigmoid().detach())
F.kl_div({f}, {y}, log_target=True, reduction="batchmean") | F.gaussian_nll_loss({f}, {y}, {f} * {f}, full=True, reduction="sum")
F.poisson_nll_loss({f}.abs(), {y}.abs(), log_input=False, full=True) | F.binary_cross_entropy_with_logits({f}, {f}.sigmoid().detach(), pos_weight=T.tensor(2.0))
F.binary_cross_entropy({f}.sigmoid(), {f}.sigmoid().detach(), reduction="sum") | F.pairwise_distance({f}, {y}, p=1, keepdim=True)
T.cdist({f}, {f} + 1, p=1.0) | T.cdist({f}, {f} + 1) | F.cosine_similarity({f}, {y}, dim={d}, eps=0.1) | {x}.outer({y})
T.result_type({x}, {y}) == T.promote_types({x}.dtype, {y}.dtype) | T.can_cast({x}.dtype, {y}.dtype) | T.equal({x}, {x}.clone())
"""

REDUCE = """
T.std_mean({x}, {d})[0] | T.var_mean({x}, dim={d}, keepdim=True)[0] | {x}.std({d}, correction=0) | {x}.var({d}, unbiased=True)
{f}.nanquantile(0.4, {d}) | {f}.quantile(T.tensor([0.2, 0.8], dtype={f}.dtype), {d}, keepdim=True) | {f}.nanmedian()
{f}.nanmedian({d})[0] | {x}.mode({d})[0] | {f}.histc(3, -1, 1) | T.trapezoid({x}, dim={d}) | T.cumulative_trapezoid({x}, dim={d})
{x}.norm(float("inf"), {d}) | {x}.norm(-1) | {x}.norm(0, {d}) | {x}.norm(2, ({d}, {e})) | T.linalg.norm({f}) | T.linalg.matrix_norm({f})
T.linalg.vector_norm({f}, 3, keepdim=True) | {x}.all() | {x}.any({d}, keepdim=True) | {x}.count_nonzero({d}) | {x}.argmax()
{x}.argsort(dim={d}, descending=True, stable=True) | {x}.unique(return_inverse=True)[1] | {x}.unique(return_counts=True)[1]
{x}.unique_consecutive() | T.bucketize({x}, T.tensor([-1.0, 0.0, 1.0])) | T.searchsorted(T.tensor([-1.0, 0.0, 1.0]), {x}, right=True)
T.corrcoef({x}) | {x}.cummin({d})[0] | {x}.cumsum({d}, dtype=T.float64) | {x}.prod({d}, keepdim=True, dtype=T.float64)
{x}.mean({d}, dtype=T.float64) | {x}.sum({d}, dtype=T.float32) | {x}.nansum({d}) | {x}.amin({d}, keepdim=True) | {x}.amax()
{x}.min({d}).values | {x}.min({d}).indices | T.max({x}, {y}) | {x}.aminmax().min | {x}.logsumexp(({d}, {e}), keepdim=True)
T.sum({x}, ({d},), True) | T.mean(input={x}, dim={d}, keepdim=True) | T.sort({x}, dim={d}, stable=True).values | {x}.msort()
{x}.topk(k=1, dim={d}, largest=False)[0] | {x}.diff(n=2, dim={d}) | {x}.diff(dim={d}, prepend={x}.narrow({d}, 0, 1))
F.normalize({f}, p=1, dim={d}) | F.normalize({f}, p=3.0, dim={d}, eps=0.5) | F.rms_norm({f}, {f}.shape[-1:]) | {x}.renorm(2, {d}, 1.0)
F.layer_norm({f}, {f}.shape[-1:], {f}.detach().flatten()[: {f}.shape[-1]], None, 0.1) | {x}.softmax({d}).log() | T.median({x}, {d}, True).values
F.group_norm({f}, 1) | F.instance_norm({f}) | F.batch_norm({f}, None, None, training=True, eps=0.1) | F.local_response_norm({f}, 2)
"""

VIEWS = """
T.swapdims({x}, {d}, {e}) | T.moveaxis({x}, {d}, {e}) | {x}.unflatten({d}, ({s}, 1)) | T.squeeze({x}, ({d}, {e})) | T.flatten({x}, {d}, -1)
{x}.view({x}.shape[::-1]) | {x}.view(1, -1) | {x}.as_strided({x}.shape, {x}.stride()) | {x}.narrow({d}, -1, 1)
{x}.split([1, {s} - 1], {d})[1] | T.hsplit({x}, 1)[0] | T.unbind({x}, {d})[-1] | {x}.chunk(3, {d})[-1] | {x}.diagonal(1) | {x}.diagonal(dim1={d}, dim2={e})
{x}[..., None, :] | {x}[None, ..., 0] | {x}[1:, ..., ::2] | {x}[-1:] | {x}[..., 0:1] | {x}.select(dim={d}, index={i}) | {x}.unsqueeze(dim=0)
T.atleast_1d({x}) | T.atleast_3d({x}) | {x}.view_as({x}.clone()) | {x}.reshape(shape={x}.shape) | T.t({x})
{x}.resolve_conj() | {x}.real | {x}.view({x}.dtype) | T.movedim({x}, (0, 1), (1, 0)) | {x}.broadcast_to((2, *{x}.shape)) | {x}.T.T
"""

INDEX = """
{x}[T.tensor([0, 0]), T.tensor([0, -1])] | {x}[:, [0]] | {x}[[-1, 0], ..., 0] | {x}[T.tensor([[0, 0]])] | {x}[{x} == {x}] | {x}[True]
{x}[None, {x} > 0] | {x}[..., T.tensor(0)] | {x}[T.tensor([True])] | {x}[0:1, T.tensor([0])] | {x}[T.tensor([], dtype=T.int64)]
{x}.index_put((T.tensor([0, 0]),), {x}[:1].expand(2, *{x}.shape[1:]), accumulate=True) | {x}.put(T.tensor([0, -1]), {x}.flatten()[:2], accumulate=True)
{x}.index_reduce({d}, T.tensor([0]), {x}.narrow({d}, 0, 1), "amax") | {x}.index_reduce({d}, T.tensor([0]), {x}.narrow({d}, 0, 1), "mean", include_self=False)
{x}.scatter_reduce({d}, {x}.argsort(dim={d}, stable=True), {x}, "mean", include_self=False) | {x}.scatter_reduce({d}, {x}.argsort(dim={d}, stable=True), {x}, "prod")
{x}.scatter({d}, {x}.argsort(dim={d}, stable=True).narrow({d}, 0, 1), {x}) | {x}.slice_scatter({x}.narrow({d}, 0, 1) * 2, {d}, 0, 1)
{x}.diagonal_scatter({x}.diagonal() * 2) | {x}.masked_scatter({x} > 0, {x} * 2) | {x}.take({x}.argsort(stable=True)) | {x}.flipud() | {x}.rot90(2)
{x}.repeat_interleave(T.tensor([2] * {s}), dim={d}) | {x}.tile((2, 1)) | {x}.roll((1, 1), (0, -1)) | {x}.tril(-1) | {x}.triu(-1) | {x}.argwhere()
T.stack([{x}, {x}], dim=-1) | T.cat([{x}, {x}], dim={d}) | T.hstack([{x}, {x}]) | T.vstack([{x}, {x}]) | T.dstack([{x}, {x}]) | T.column_stack([{x}, {x}])
T.block_diag({x}, {x}) | T.meshgrid({x}.flatten(), {x}.flatten(), indexing="xy")[0] | T.cartesian_prod({x}.flatten(), {x}.flatten()) | T.combinations({x}.flatten())
F.pad({x}, (0, 1, 1, 0), value=0.5) | F.pad({f}[None, None].flatten(2), (1, 1), mode="reflect") | F.pad({f}[None, None].flatten(2), (1, 0), mode="replicate") | F.pad({f}[None, None].flatten(2), (1, 1), mode="circular")
F.pad({x}, (1, -1), "constant", 2) | F.one_hot({x}.argsort(stable=True) % 3, 3) | T.tensor({x}.tolist()) | T.as_tensor({x}.detach().numpy())
"""

MATRIX = """
T.baddbmm({f}[None] @ {f}[None].mT, {f}[None], {f}[None].mT, beta=0.5, alpha=2) | T.addmv({f}[:, 0], {f}, {f}[0]) | T.addr({f}, {f}[:, 0], {f}[0], alpha=0.5)
T.linalg.multi_dot([{f}, {f}.mT, {f}]) | T.matrix_power({f} @ {f}.mT, 2) | T.matrix_exp({f} @ {f}.mT * 0.1) | T.linalg.svdvals({f})
T.linalg.cholesky({f} @ {f}.mT + 3 * T.eye({f}.shape[-2], dtype={f}.dtype)) | T.linalg.qr({f})[1].abs() | T.linalg.eigvalsh({f} @ {f}.mT)
T.linalg.solve({f} @ {f}.mT + 3 * T.eye({f}.shape[-2], dtype={f}.dtype), {f}) | T.linalg.pinv({f}) | T.linalg.slogdet({f} @ {f}.mT)[1]
T.einsum("ij,ij->i", {x}, {x}) | T.einsum("ij->j", {x}) | T.einsum("...ij->...ji", {x}) | T.einsum("i,j->ij", {x}.flatten(), {x}.flatten()) | T.tensordot({x}, {x}, dims=([0], [0]))
F.conv2d({f}.reshape(1, 1, -1, 1), {f}.reshape(1, 1, -1, 1)[:, :, :2], stride=(2, 1), padding=(1, 0)) | F.conv1d({f}.reshape(1, 1, -1), {f}.reshape(1, 1, -1)[..., :2], dilation=2, padding="same")
F.conv1d({f}.reshape(1, 2, -1), {f}.reshape(2, 1, -1)[..., :1], {f}.flatten()[:2], groups=2) | F.conv_transpose2d({f}.reshape(1, 1, -1, 1), {f}.reshape(1, 1, -1, 1)[:, :, :2], stride=(2, 1), output_padding=(1, 0))
F.max_pool2d({f}.reshape(1, 1, -1, 1), (2, 1), stride=1, padding=(1, 0), ceil_mode=True) | F.avg_pool2d({f}.reshape(1, 1, -1, 1), (2, 1), padding=(1, 0), count_include_pad=False)
F.avg_pool1d({f}.reshape(1, 1, -1), 2, 1, 1) | F.lp_pool1d({f}.reshape(1, 1, -1).abs() + 0.1, 2.0, 2) | F.adaptive_max_pool1d({f}.reshape(1, 1, -1), 2) | F.max_pool1d({f}.reshape(1, 1, -1), 2, return_indices=True)[0]
F.interpolate({f}.reshape(1, 1, -1), size=3, mode="linear", align_corners=True) | F.interpolate({f}.reshape(1, 1, -1), scale_factor=1.5, mode="linear") | F.interpolate({f}.reshape(1, 1, -1, 1), size=(3, 2), mode="bicubic")
F.unfold({f}.reshape(1, 1, -1, 1), (2, 1)) | F.fold({f}.reshape(1, 2, -1), ({f}.numel() // 2 + 1, 1), (2, 1)) | F.pixel_shuffle({f}.reshape(1, 4, -1, 1), 2) | F.channel_shuffle({f}.reshape(1, 2, -1), 2)
F.grid_sample({f}.reshape(1, 1, -1, 1), T.zeros(1, 2, 2, 2, dtype={f}.dtype), align_corners=False) | F.affine_grid(T.eye(2, 3, dtype={f}.dtype)[None] * {f}.sum(), (1, 1, 2, 2), align_corners=True)
F.cross_entropy({f}, {f}.argmax(1), label_smoothing=0.1, reduction="sum") | F.cross_entropy({f}, {f}.softmax(1).detach()) | F.nll_loss({f}.log_softmax(1), {f}.argmax(1), ignore_index=0)
F.cross_entropy({f}, {f}.argmax(1), weight={f}.detach().abs()[0]) | F.multi_margin_loss({f}, {f}.argmin(1), p=2, margin=0.5) | F.multilabel_margin_loss({f}, {f}.argsort(dim=1, stable=True))
F.embedding(T.tensor([[0, 1]]), {f}, padding_idx=0) | F.embedding_bag(T.tensor([0, 1, 1]), {f}, T.tensor([0, 2]), mode="mean") | F.bilinear({f}, {f}, {f}.reshape(1, -1, 1)[:, : {f}.shape[-1]].expand(1, {f}.shape[-1], {f}.shape[-1]))
F.scaled_dot_product_attention({f}, {f}, {f}, is_causal=True) | F.scaled_dot_product_attention({f}, {f}, {f}, attn_mask={f} @ {f}.mT > 0) | F.scaled_dot_product_attention({f}, {f}, {f}, scale=0.3)
"""

WRITES = """
{x}.add_({y}, alpha=2) | {x}.addcmul_({y}, {y}, value=2) | {x}.clamp_min_(0.2) | {x}.copysign_({y}) | {x}.hypot_({y}) | {x}.fmod_(0.7) | {x}.remainder_(0.7)
{x}.div_({n}) | {x}.div_(2, rounding_mode="floor") | {x}.trunc_() | {x}.frac_() | {x}.sign_() | {x}.rsqrt_()
{x}.log1p_() | {x}.expm1_() | {x}.sinh_() | {x}.atan_() | {x}.erfc_() | {x}.nan_to_num_() | {x}.cumprod_({d}) | {x}.triu_() | {x}.renorm_(2, {d}, 1.0) | {x}.swapaxes_({d}, {e})
{x}.index_copy_({d}, T.tensor([0]), {x}.detach().narrow({d}, -1, 1).clone()) | {x}.scatter_add_({d}, T.zeros({x}.shape, dtype=T.int64), {x}.detach().clone()) | {x}.put_(T.tensor([0]), {y}.flatten()[:1])
{x}.index_put_((T.tensor([0, 0]),), {y}.sum(), accumulate=True) | {x}.masked_fill_({x}.detach() > 0, {n}) | {x}.scatter_reduce_({d}, T.zeros({x}.shape, dtype=T.int64), {x}.detach().clone(), "amax")
{x}[..., 0] += {y}.sum() | {x}[0:1] = {x}.detach()[-1:].clone() | {x}[T.tensor([0]), ...] *= 2 | {x}[{x}.detach() < 0] *= -1 | {x}[None, ..., 0] = 1 | {x}[()] = {n} | {x} //= 2 | {x} %= 2
{x}.unbind({d})[0].mul_(2) | {x}.split(1, {d})[0].zero_() | {x}.chunk(2, {d})[0].add_(1) | {x}.mT.add_(1) | {x}.select({d}, 0).fill_(0.5) | {x}.narrow({d}, 0, 1).copy_({x}.detach().narrow({d}, -1, 1).clone())
{x}.flatten().mul_(2) | {x}.squeeze().add_(1) | {x}.expand_as({x}).add_(1) | {x}.data.fill_(0.5) | {x}.detach().zero_() | {x}.resize_({x}.shape) | {x}.requires_grad_().data.mul_(2)
F.celu({f}, inplace=True) | F.selu({f}, inplace=True) | F.mish({f}, inplace=True) | F.hardswish({f}, inplace=True) | F.hardsigmoid({f}, inplace=True) | F.threshold({f}, 0.1, 0.5, inplace=True) | F.relu6({f}, inplace=True)
T.add({x}, 1, out={x}.detach()) | T.exp({x}.detach(), out={x}.detach()) | T.cumsum({x}.detach(), {d}, out={x}.detach()) | T.relu_({x}) | T.sigmoid_({x}) | nn.init.constant_({x}, 0.3) | nn.init.zeros_({x})
"""

STATE = """
({f} * {f}).sum().backward(retain_graph=True, create_graph=True) | {f}.sum().backward(inputs=[{f}]) | T.autograd.backward([{f}.sum()], retain_graph=True)
seen.append(T.autograd.grad(({f} ** 3).sum(), {f}, create_graph=True)[0].requires_grad) | seen.append(T.autograd.grad(({f} ** 2).sum(), [{f}, {x}], allow_unused=True, materialize_grads=True))
{f}.register_hook(lambda g: g.zero_() and None) | {f}.register_hook(lambda g: g + 1).remove() | {f}.register_hook(lambda g: T.zeros_like(g)) | {f}.retain_grad()
seen.append({x}.is_leaf) | seen.append({x}.grad_fn is None) | seen.append({x}.dtype.is_floating_point) | seen.append({x}.element_size())
seen.append({x}.tolist() == {x}.clone().tolist()) | seen.append([r.shape for r in {x}]) | seen.append(1 in {x}) | seen.append({x}.numel()) | seen.append(list({x}.shape))
seen.append({f}.detach().numpy().dtype.name) | seen.append({x}.nonzero(as_tuple=True)) | seen.append(T.func.grad(lambda t: (t * t).sum())({f}.detach())) | seen.append(T.is_tensor({x}) and not T.is_inference_mode_enabled())
seen.append(T.autograd.functional.hessian(lambda t: (t ** 3).sum(), T.cat([{f}.detach().flatten(), T.ones(2)])[:2])) | seen.append(T.autograd.functional.jacobian(lambda t: t.sin(), T.cat([{f}.detach().flatten(), T.ones(2)])[:2]))
seen.append(T.vmap(lambda r: r * 2)({f}.detach())) | seen.append(T.func.jvp(lambda t: t.sin(), ({f}.detach(),), (T.ones_like({f}),))[1]) | seen.append(T.func.vjp(lambda t: t * t, {f}.detach())[1](T.ones_like({f}))[0])
"""

LAYERS = """
nn.LSTM({c}, 2, num_layers=2, batch_first=True) | nn.GRU({c}, 2, bidirectional=True) | nn.RNN({c}, 2, nonlinearity="relu", bias=False) | nn.LSTM({c}, 3, proj_size=2)
nn.TransformerEncoderLayer({c}, 1, 4, dropout=0.0, batch_first=True) | nn.TransformerEncoderLayer({c}, 1, 4, 0.0, "gelu", norm_first=True) | nn.MultiheadAttention({c}, 1, bias=False, add_zero_attn=True)
nn.ModuleList([nn.Linear({c}, 2)])[0] | nn.ModuleDict({{"a": nn.Linear({c}, 2)}})["a"] | nn.Sequential(nn.Flatten(), nn.LazyLinear(2)) | nn.Sequential(nn.LayerNorm({c}), nn.GELU(), nn.Linear({c}, 2, bias=False))
nn.LayerNorm({c}, elementwise_affine=False, eps=0.1) | nn.LayerNorm({c}, bias=False) | nn.BatchNorm1d({c}, eps=0.1, momentum=0.5) | nn.GroupNorm(1, {c}, affine=False) | nn.InstanceNorm1d({c}, track_running_stats=True)
nn.Conv1d({c}, 2, 2, stride=2, dilation=1, padding_mode="circular", padding=1) | nn.Conv1d({c}, {c}, 1, groups={c}) | nn.ConvTranspose1d({c}, 2, 3, padding=1, output_padding=0, bias=False) | nn.Conv1d({c}, 2, 3, padding="same")
nn.MaxPool1d(2, stride=1, padding=1, dilation=1, ceil_mode=True) | nn.AvgPool1d(2, padding=1, count_include_pad=False) | nn.AdaptiveAvgPool1d(2) | nn.AdaptiveMaxPool1d(1) | nn.LPPool1d(1, 2) | nn.Upsample(scale_factor=2)
nn.PReLU({c}) | nn.Hardtanh(-0.5, 0.5, True) | nn.CELU(0.3) | nn.Softplus(2) | nn.Threshold(0.1, 2.0) | nn.Softmin(-1) | nn.LogSigmoid() | nn.Unflatten(0, (1, -1)) | nn.ReflectionPad1d(1) | nn.ConstantPad1d((0, 1), 0.5)
nn.Embedding(4, 2, padding_idx=1) | nn.EmbeddingBag(4, 2, mode="max") | nn.CosineSimilarity(-1) | nn.PairwiseDistance(1) | nn.AlphaDropout(0.0) | nn.Dropout1d(0.0) | nn.utils.parametrizations.weight_norm(nn.Linear({c}, 2)) | nn.RMSNorm({c}, eps=0.1)
"""

OPTIMISERS = """
T.optim.SGD({p}, lr=0.1, momentum=0.5, dampening=0.3, weight_decay=0.1, maximize=True) | T.optim.SGD([{{"params": {p}, "lr": 0.3}}], lr=0.1) | T.optim.SGD({p}, lr=0.1, foreach=True)
T.optim.Adam({p}, lr=0.1, betas=(0.5, 0.8), eps=0.01, weight_decay=0.1) | T.optim.AdamW({p}, lr=0.1, amsgrad=True, weight_decay=0.3) | T.optim.RMSprop({p}, lr=0.1, alpha=0.5, centered=True, momentum=0.3)
T.optim.Adagrad({p}, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.1, weight_decay=0.1) | T.optim.NAdam({p}, decoupled_weight_decay=True, weight_decay=0.1) | T.optim.RAdam({p}, lr=0.1, maximize=True)
T.optim.Adadelta({p}, rho=0.5, weight_decay=0.1) | T.optim.Adamax({p}, betas=(0.5, 0.8), maximize=True) | T.optim.ASGD({p}, lambd=0.1, t0=1, weight_decay=0.1) | T.optim.Rprop({p}, etas=(0.4, 1.3), step_sizes=(1e-3, 1))
T.optim.Adam({p}, lr=0.1, differentiable=False, capturable=False)
"""

WIDE = {
    name: (KINDS[name][0], (*KINDS[name][1], *templates(text), *templates(text)))
    for name, text in {
        "unary": UNARY, "binary": BINARY, "reduce": REDUCE, "view": VIEWS, "index": INDEX, "matrix": MATRIX,
        "write": WRITES, "state": STATE, "layer": LAYERS, "optimiser": OPTIMISERS,
    }.items()
}  # fmt: skip
"""The kinds of `grammar` with the templates of both files; the rarer ones count twice."""
