# ruff: noqa: E501
"""Examples of what has none in its docstring: run when the pages are built, shown with their results."""

from __future__ import annotations

import ast
import contextlib
import io
import tempfile
import warnings
from typing import Any

import _examples_rooms
import numpy as np

import tinygrad_lite as tl

FAMILIES = (  # an expression, and the names for which it stands; {f} is the full name
    ("{f}(tl.tensor([-1.0, 0.5, 2.0]))",
     "celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid mish relu6 selu silu softplus softshrink"
     " softsign tanhshrink signbit isfinite isinf isnan conj conj_physical real is_complex is_conj is_neg resolve_conj"
     " resolve_neg nn.functional.relu nn.functional.rrelu"),
    ("{f}(tl.tensor([1.0, 2.0, 3.0]), 0)",
     "softmax log_softmax softmin special.softmax special.log_softmax nn.functional.softmax nn.functional.log_softmax"
     " nn.functional.softmin"),
    ("{f}(tl.tensor([-1.0, 0.5]), 0.0, 9.0)", "threshold"),
    ("{f}(tl.tensor([1.0, 2.0, 3.0, 4.0]))", "glu"),
    ("{f}(tl.tensor([-1.0, 2.0]), tl.tensor([0.25]))", "prelu"),
    ("{f}(tl.tensor([3.0, 5.0]), tl.tensor([2.0, 4.0]))",
     "add div divide rsub sub subtract true_divide eq ge greater greater_equal gt le less less_equal lt ne not_equal"
     " igamma igammac is_same_size"),
    ("{f}(tl.tensor([12, 5]), tl.tensor([10, 3]))",
     "bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor gcd lcm"),
    ("{f}(tl.tensor([True, False]), tl.tensor([True, True]))", "logical_and logical_or logical_xor"),
    ("{f}(tl.tensor([True, False]))", "logical_not bitwise_not"),
    ("tl.tensor([0.0, 2.0]).{n}()", "bool byte char double float half int long short"),
    ("{f}(tl.tensor([[4.0, 1.0], [1.0, 3.0]]))",
     "logdet matrix_exp slogdet cholesky inverse pinverse qr svd nuclear_norm lu geqrf linalg.cholesky"
     " linalg.cholesky_ex linalg.diagonal linalg.eigh linalg.eigvalsh linalg.inv_ex linalg.matrix_rank linalg.pinv linalg.qr"
     " linalg.svd linalg.svdvals linalg.cond linalg.matrix_norm linalg.vector_norm linalg.lu_factor_ex"),
    ("{f}(tl.tensor([[2.0, 0.0], [1.0, 1.5]]))", "cholesky_inverse"),
    ("{f}(tl.tensor([[4.0, 1.0], [1.0, 3.0]]), (0, 1))", "frobenius_norm"),
    ("{f}(tl.tensor([[1.0], [2.0]]), tl.tensor([[2.0, 0.0], [1.0, 1.5]]))", "cholesky_solve"),
    ("{f}(tl.tensor([[4.0, 1.0], [1.0, 3.0]]), 2)", "matrix_power mvlgamma"),
    ("{f}(tl.tensor([1.0, 2.0, 3.0]))", "vander linalg.vander"),
    ("{f}(tl.tensor([[1.0, 2.0]]), tl.tensor([[3.0], [4.0]]))", "matmul linalg.matmul chain_matmul"),
    ("{f}([tl.tensor([[1.0, 2.0]]), tl.tensor([[3.0], [4.0]])])", "linalg.multi_dot"),
    ("{f}(tl.tensor([[4.0, 1.0], [1.0, 3.0]]), tl.tensor([[1.0], [2.0]]))", "linalg.lstsq linalg.solve_ex"),
    ("{f}(tl.tensor([[4.0, 1.0], [0.0, 3.0]]), tl.tensor([[1.0], [2.0]]), upper=True)", "linalg.solve_triangular"),
    ("{f}(tl.tensor([1.0, 0.0, 0.0]), tl.tensor([0.0, 1.0, 0.0]))", "linalg.cross linalg.vecdot"),
    ("{f}(tl.eye(4).reshape(2, 2, 2, 2))", "linalg.tensorinv"),
    ("{f}(tl.eye(4).reshape(2, 2, 2, 2), tl.ones(2, 2))", "linalg.tensorsolve"),
    ("{f}(tl.tensor([[1.0, 2.0]]), tl.tensor([[3.0, 4.0], [5.0, 6.0]]))", "linear"),
    ("{f}(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]))",
     "binary_cross_entropy binary_cross_entropy_with_logits huber_loss l1_loss mse_loss smooth_l1_loss poisson_nll_loss"
     " nn.functional.kl_div kl_div"),
    ("{f}(tl.tensor([[2.0, 0.5, 0.1]]).log_softmax(1), tl.tensor([0]))", "nll_loss"),
    ("{f}(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([0]))", "multi_margin_loss"),
    ("{f}(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([[0, 2, -1]]))", "multilabel_margin_loss"),
    ("{f}(tl.tensor([[2.0, 0.5, 0.1]]), tl.tensor([[1.0, 0.0, 1.0]]))", "multilabel_soft_margin_loss"),
    ("{f}(tl.tensor([0.2, 0.9]), tl.tensor([1.0, -1.0]))", "soft_margin_loss hinge_embedding_loss"),
    ("{f}(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]), tl.tensor([1.0, 0.5]))", "gaussian_nll_loss"),
    ("{f}(tl.tensor([0.2, 0.9]), tl.tensor([0.0, 1.0]), tl.tensor([1.0, -1.0]))", "margin_ranking_loss"),
    ("{f}(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]), tl.tensor([1.0]))", "cosine_embedding_loss"),
    ("{f}(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]))", "cosine_similarity pairwise_distance"),
    ("{f}(tl.tensor([[1.0, 2.0]]), tl.tensor([[2.0, 1.0]]), tl.tensor([[0.0, 0.0]]))",
     "triplet_margin_loss triplet_margin_with_distance_loss"),
    ("{f}(tl.tensor([[1.0, 3.0], [2.0, 5.0]]), None, None, training=True)", "batch_norm"),
    ("{f}(tl.tensor([[[1.0, 3.0], [2.0, 6.0]]]), 2)", "group_norm local_response_norm"),
    ("{f}(tl.tensor([[[1.0, 3.0], [2.0, 6.0]]]))", "instance_norm normalize"),
    ("{f}(tl.tensor([[1.0, 3.0]]), (2,))", "layer_norm rms_norm"),
    ("{f}(tl.tensor([[[3.0, 1.0, 2.0, 5.0]]]), 2)",
     "avg_pool1d max_pool1d adaptive_avg_pool1d adaptive_max_pool1d nn.functional.max_pool1d_with_indices"
     " nn.functional.adaptive_max_pool1d_with_indices"),
    ("{f}(tl.tensor([[[3.0, 4.0, 2.0, 5.0]]]), 2, 2)", "lp_pool1d"),
    ("{f}(tl.ones(1, 2, 4, 6), 2).shape", "adaptive_avg_pool2d adaptive_max_pool2d"),
    ("{f}(tl.ones(1, 2, 4, 6), 2, 2).shape", "lp_pool2d"),
    ("{f}(tl.ones(1, 2, 4, 6, 8), 2).shape", "adaptive_avg_pool3d adaptive_max_pool3d avg_pool3d max_pool3d"),
    ("{f}(tl.ones(1, 2, 4, 6, 8), 2, 2).shape", "lp_pool3d"),
    ("{f}(tl.ones(1, 2, 4, 6), 2)[1].shape",
     "nn.functional.max_pool2d_with_indices nn.functional.adaptive_max_pool2d_with_indices"),
    ("{f}(tl.ones(1, 2, 4, 6, 8), 2)[1].shape",
     "nn.functional.max_pool3d_with_indices nn.functional.adaptive_max_pool3d_with_indices"),
    ("{f}(tl.tensor([[[3.0, 5.0]]]), tl.tensor([[[0, 3]]]), 2)", "max_unpool1d"),
    ("{f}(tl.ones(1, 1, 1, 2), tl.tensor([[[[0, 3]]]]), 2)", "max_unpool2d"),
    ("{f}(tl.ones(1, 1, 1, 1, 2), tl.tensor([[[[[0, 3]]]]]), 2).shape", "max_unpool3d"),
    ("{f}(tl.tensor([[[1.0, 2.0, 3.0, 4.0]]]), tl.tensor([[[1.0, -1.0]]]))", "conv1d conv_transpose1d"),
    ("{f}(tl.ones(1, 2, 5, 5, 5), tl.ones(3, 2, 2, 2, 2)).shape", "conv3d"),
    ("{f}(tl.ones(1, 2, 5, 5), tl.ones(2, 3, 2, 2), stride=2).shape", "conv_transpose2d"),
    ("{f}(tl.ones(1, 2, 5, 5, 5), tl.ones(2, 3, 2, 2, 2), stride=2).shape", "conv_transpose3d"),
    ("{f}(tl.ones(4, 2, 3), tl.ones(2, 3, 5), tl.zeros(5)).shape", "nn.functional.conv_tbc"),
    ("{f}(tl.ones(1, 8, 9), (4, 4), 2).shape", "fold"),
    ("{f}(tl.ones(1, 2, 4, 4), 2).shape", "unfold"),
    ("{f}(tl.arange(4.0).reshape(1, 4, 1, 1), 2).flatten()",
     "channel_shuffle pixel_shuffle nn.functional.native_channel_shuffle"),
    ("{f}(tl.arange(4.0).reshape(1, 1, 2, 2), 2).shape",
     "pixel_unshuffle nn.functional.upsample_bilinear nn.functional.upsample_nearest nn.functional.upsample"),
    ("{f}(tl.arange(3), num_classes=3)", "nn.functional.one_hot"),
    ("{f}(tl.tensor([2, 0]), tl.eye(3))", "nn.functional.embedding"),
    ("{f}(tl.tensor([[2, 0]]), tl.eye(3))", "nn.functional.embedding_bag"),
    ("{f}(tl.ones(1, 2), tl.ones(1, 3), tl.ones(4, 2, 3))", "nn.functional.bilinear"),
    ("{f}(tl.tensor([[1.0, 2.0]]), hard=True).sum()", "nn.functional.gumbel_softmax"),
    ("{f}(tl.zeros(3, 1, 2).log_softmax(2), tl.tensor([[1]]), tl.tensor([3]), tl.tensor([1]))", "nn.functional.ctc_loss"),
    ("{f}(tl.ones(2, 3, 4, 4), 0.5, training=False).shape",
     "nn.functional.dropout nn.functional.dropout2d nn.functional.alpha_dropout nn.functional.feature_alpha_dropout"),
    ("{f}(tl.ones(2, 3, 4), 0.5, training=False).shape", "nn.functional.dropout1d"),
    ("{f}(tl.ones(2, 3, 4, 4, 4), 0.5, training=False).shape", "nn.functional.dropout3d"),
    ("{f}(np.array([1.0, 2.0]))", "from_numpy utils.data.default_convert"),
    ("{f}()", "get_num_threads initial_seed is_grad_enabled is_inference_mode_enabled autograd.is_anomaly_enabled"
     " get_num_interop_threads get_float32_matmul_precision are_deterministic_algorithms_enabled is_warn_always_enabled"),
    ("{f}(tl.ones(2))", "is_inference is_distributed is_storage"),
    ("{f}(tl.zeros(2))", "nn.Buffer"),
    # initial values
    ("{f}(tl.empty(2, 3))", "nn.init.eye_ nn.init.ones_ nn.init.zeros_ nn.init.normal_ nn.init.uniform_"
     " nn.init.trunc_normal_ nn.init.kaiming_normal_ nn.init.kaiming_uniform_ nn.init.xavier_normal_ nn.init.xavier_uniform_"
     " nn.init.orthogonal_"),
    ("{f}(tl.empty(2, 3), 0.5)", "nn.init.constant_ nn.init.sparse_"),
    ("{f}(tl.empty(2, 2, 3))", "nn.init.dirac_"),
    # training
    ("{f}(tl.nn.Linear(2, 1).parameters()).shape", "nn.utils.parameters_to_vector"),
    ("{f}([tl.ones(2), tl.ones(2)])", "nn.utils.get_total_norm nn.utils.rnn.pad_sequence"),
    ("{f}(tl.nn.Linear(2, 1), 'weight')", "nn.utils.prune.identity"),
    ("{f}(tl.nn.Linear(2, 2), 'weight', 0.5).weight_mask.sum()", "nn.utils.prune.l1_unstructured"
     " nn.utils.prune.random_unstructured"),
    ("{f}(tl.nn.Linear(2, 2)).parametrizations", "nn.utils.parametrizations.orthogonal nn.utils.parametrizations.spectral_norm"
     " nn.utils.parametrizations.weight_norm"),
    ("{f}(tl.nn.Linear(2, 2))", "nn.utils.parametrize.is_parametrized"),
    ("list({f}(range(4)))", "utils.data.SequentialSampler"),
    ("sorted({f}(range(4)))", "utils.data.RandomSampler utils.data.SubsetRandomSampler"),
    ("list({f}([0.0, 1.0], 3))", "utils.data.WeightedRandomSampler"),
    ("len({f}([[1, 2], [3]]))", "utils.data.ConcatDataset"),
    ("{f}([5, 6, 7], [2, 0])[0]", "utils.data.Subset"),
    ("{f}([1, 2], ['a', 'b'])[1]", "utils.data.StackDataset"),
    # distributions
    ("{f}(0.0, 1.0).check(tl.tensor([0.5, 2.0]))", "distributions.constraints.interval"
     " distributions.constraints.half_open_interval distributions.constraints.integer_interval"),
    ("{f}(0.0).check(tl.tensor([0.5, -2.0]))", "distributions.constraints.greater_than"
     " distributions.constraints.greater_than_eq distributions.constraints.less_than"),
    # images
    ("{f}(tl.full((3, 1, 1), 0.5), 0.2).flatten()", "vision.transforms.functional.adjust_brightness"
     " vision.transforms.functional.adjust_contrast vision.transforms.functional.adjust_hue"
     " vision.transforms.functional.adjust_saturation vision.transforms.functional.solarize"),
    ("{f}(tl.rand(3, 4, 4)).shape", "vision.transforms.functional.rgb_to_grayscale"
     " vision.transforms.functional.autocontrast"),
    ("{f}(tl.rand(3, 8, 8), 3).shape", "vision.transforms.functional.gaussian_blur"),
    ("len({f}(tl.rand(3, 8, 8), 4))", "vision.transforms.functional.five_crop vision.transforms.functional.ten_crop"),
    # copies, factorisations
    ("{f}(tl.tensor([[1.0, 2.0]]))", "alias_copy detach_copy t_copy squeeze_copy unbind_copy"),
    ("{f}(tl.arange(4), (2, 2))", "view_copy"),
    ("{f}(tl.ones(1), (3,))", "expand_copy"),
    ("{f}(tl.ones(2, 3), (1, 0)).shape", "permute_copy"),
    ("{f}(tl.ones(2, 3), 0, 1).shape", "transpose_copy"),
    ("{f}(tl.arange(4), 0, 2)", "select_copy"),
    ("{f}(tl.ones(2), 0)", "unsqueeze_copy"),
    ("{f}(tl.arange(4), 2)", "split_copy unsafe_chunk unsafe_split"),
    ("{f}(tl.arange(4), [1, 3])", "split_with_sizes_copy unsafe_split_with_sizes"),
    ("{f}(tl.arange(4), 0, 2, 1)", "unfold_copy"),
    ("{f}(tl.eye(2))", "diagonal_copy"),
    ("{f}(tl.arange(4), (2, 2), (1, 1))", "as_strided_copy"),
    ("A = tl.tensor([[4.0, 1.0], [1.0, 3.0]])\n{f}(tl.tensor([[1.0], [2.0]]), *tl.linalg.lu_factor(A))", "lu_solve"),
    ("A = tl.tensor([[4.0, 1.0], [1.0, 3.0]])\n{f}(*tl.linalg.lu_factor(A))[1]", "lu_unpack"),
    ("A = tl.tensor([[4.0, 1.0], [1.0, 3.0]])\n{f}(*tl.geqrf(A))", "orgqr linalg.householder_product"),
    ("{f}([tl.nn.Linear(2, 1), tl.nn.Linear(2, 1)])[0]['weight'].shape", "func.stack_module_state"),
    ("{f}(tl.distributions.constraints.positive)(tl.tensor(0.0))", "distributions.biject_to distributions.transform_to"),
    ("p = tl.nn.Parameter(tl.zeros(2))\np.grad = tl.tensor([3.0, 4.0])\n{f}([p], 1.0)\np.grad",
     "nn.utils.clip_grad_norm_ nn.utils.clip_grad_norm nn.utils.clip_grad_value_"),
    ("{f}(tl.nn.Conv2d(1, 2, 3).eval(), tl.nn.BatchNorm2d(2).eval())", "nn.utils.fuse_conv_bn_eval"),
    ("{f}(tl.nn.Linear(1, 2).eval(), tl.nn.BatchNorm1d(2).eval())", "nn.utils.fuse_linear_bn_eval"),
    ("{f}(tl.nn.Linear, 2, 3)", "nn.utils.skip_init"),
    ("layer = tl.nn.Linear(2, 1)\n{f}(tl.ones(3), layer.parameters())\nlayer.weight", "nn.utils.vector_to_parameters"),
    ("{f}(tl.nn.Linear(2, 2))", "nn.utils.prune.is_pruned nn.utils.parametrize.type_before_parametrizations"),
    ("{f}(tl.nn.Linear(2, 2), 'weight', 0.5, 2, 0).weight_mask.sum()", "nn.utils.prune.ln_structured"),
    ("{f}(tl.nn.Linear(2, 2), 'weight', 0.5, 0).weight_mask.sum()", "nn.utils.prune.random_structured"),
    ("{f}(tl.nn.Linear(2, 2), 'weight', tl.eye(2)).weight_mask", "nn.utils.prune.custom_from_mask"),
    ("layer = tl.nn.utils.prune.identity(tl.nn.Linear(2, 2), 'weight')\n{f}(layer, 'weight')", "nn.utils.prune.remove"),
    ("layer = tl.nn.utils.parametrizations.orthogonal(tl.nn.Linear(2, 2))\n{f}(layer, 'weight')",
     "nn.utils.parametrize.remove_parametrizations"),
    ("{f}([tl.ones(3), tl.ones(2)]).batch_sizes", "nn.utils.rnn.pack_sequence"),
    ("packed = tl.nn.utils.rnn.pack_sequence([tl.ones(3), tl.ones(2)])\n{f}(packed)",
     "nn.utils.rnn.pad_packed_sequence nn.utils.rnn.unpack_sequence"),
    ("{f}(tl.ones(3, 2), tl.tensor([3, 2]))", "nn.utils.rnn.unpad_sequence"),
    ("print({f}(tl.nn.Linear(3, 2), tl.testing.Arr('n 3'), examples=5))", "testing.check_module"),
    ("print(tl.viz.trace(tl.exp, tl.ones(2)))", "viz.Graph"),
    ("print(tl.viz.diff(tl.viz.trace(tl.exp, tl.ones(2)), tl.viz.trace(tl.tanh, tl.ones(2))))", "viz.GraphDiff"),
    ("tl.viz.summary(tl.nn.Linear(2, 1), tl.ones(1, 2))", "viz.Summary"),
    ("with {f}() as p:\n    y = tl.ones(2).exp()\nlen(p.table().splitlines()) > 1", "profiler.profile"),
    ("{f}(tl.tensor([[[200]]], dtype=tl.uint8), 2)", "vision.transforms.functional.posterize"),
    ("{f}(tl.rand(3, 4, 4), 2.0).shape", "vision.transforms.functional.adjust_sharpness"),
    ("{f}(tl.rand(3, 8, 8), 0, 0, 4, 4, [2, 2]).shape", "vision.transforms.functional.resized_crop"),
    ("with {f}():\n    y = (tl.ones(1, requires_grad=True) * 2).requires_grad\ny", "enable_grad inference_mode"),
    ("with {f}(False):\n    y = (tl.ones(1, requires_grad=True) * 2).requires_grad\ny", "set_grad_enabled"),
    ("state = tl.get_rng_state()\na = tl.rand(2)\ntl.set_rng_state(state)\nbool((tl.rand(2) == a).all())",
     "get_rng_state set_rng_state"),
    ("{f}([1.0, 2.0])", "FloatTensor DoubleTensor HalfTensor"),
    ("{f}([1, 2])", "LongTensor IntTensor ShortTensor CharTensor ByteTensor BoolTensor"),
    ("tl.zeros(3).{n}()", "bernoulli_ normal_ uniform_ random_ exponential_ cauchy_ log_normal_"),
    ("tl.zeros(3).{n}(0.5)", "geometric_"),
    ("len(tl.zeros(3, 2).shape)", "Size"),
    ("{f}(num_classes=10).eval()(tl.zeros(1, 3, 32, 32)).shape", "vision.models.resnet18"),
    # in a group of one process
    ("x = tl.tensor([1.0, 2.0])\n{f}(x)\nx", "distributed.broadcast distributed.reduce"),
    ("parts = [tl.zeros(2)]\n{f}(parts, tl.ones(2))\nparts", "distributed.all_gather"),
    ("parts = [tl.zeros(2)]\n{f}(tl.ones(2), parts)\nparts", "distributed.gather"),
    ("x = tl.zeros(2)\n{f}(x, [tl.ones(2)])\nx", "distributed.scatter distributed.reduce_scatter"),
    ("parts = [tl.zeros(2)]\n{f}(parts, [tl.ones(2)])\nparts", "distributed.all_to_all"),
    ("x = tl.zeros(2)\n{f}(x, tl.ones(2))\nx", "distributed.all_gather_into_tensor distributed.reduce_scatter_tensor"
     " distributed.all_to_all_single"),
    ("objects = [None]\n{f}(objects, {{'epoch': 3}})\nobjects", "distributed.all_gather_object"),
    ("objects = [None]\n{f}({{'epoch': 3}}, objects)\nobjects", "distributed.gather_object"),
    ("objects = [None]\n{f}(objects, [{{'epoch': 3}}])\nobjects", "distributed.scatter_object_list"),
    ("objects = [{{'epoch': 3}}]\n{f}(objects)\nobjects", "distributed.broadcast_object_list"),
    ("{f}()", "distributed.get_rank distributed.get_world_size distributed.get_backend distributed.is_initialized"
     " distributed.barrier distributed.monitored_barrier distributed.get_process_group_ranks distributed.is_nccl_available"),
    ("{f}(tl.distributed.group.WORLD, 0)", "distributed.get_global_rank distributed.get_group_rank"),
    ("group = {f}([0])\ngroup.size()", "distributed.new_group"),
    ("work = tl.distributed.all_reduce(tl.ones(2), async_op=True)\nwork.wait(), work.is_success()", "distributed.Work"),
    ("x = tl.tensor([1.0, 3.0])\ntl.distributed.all_reduce(x, {f}.AVG)\nx", "distributed.ReduceOp"),
)  # fmt: skip
EXAMPLES = {name: text for text, names in (*FAMILIES, *_examples_rooms.FAMILIES) for name in names.split()}


def example(name: str) -> list[str]:
    """Return the lines of an example with its result; none for a name that needs none."""
    short = name.removeprefix("tinygrad_lite.")
    if short not in EXAMPLES:
        return []
    code = EXAMPLES[short].format(f=f"tl.{short}", n=short)
    tree, names, printed = ast.parse(code), {"tl": tl, "np": np}, io.StringIO()
    lines: list[str] = []
    tl.manual_seed(0)
    if short.startswith("distributed."):
        tl.distributed.init_process_group(world_size=1)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in tree.body:
            first, *others = filter(None, ast.unparse(part).splitlines())  # an empty line would end a class
            lines += [f">>> {first}", *(f"... {line}" for line in others), *(["..."] if others else [])]
            with contextlib.redirect_stdout(printed):
                if isinstance(part, ast.Expr):
                    result: Any = eval(compile(ast.Expression(part.value), name, "eval"), names)
                    lines += [] if result is None else repr(result).splitlines()
                else:
                    exec(compile(ast.Module([part], []), name, "exec"), names)
            lines += printed.getvalue().splitlines()
            printed.seek(0), printed.truncate()
    if short.startswith("distributed."):
        tl.distributed.destroy_process_group()
    return lines


def add(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Add the example to a docstring that has none."""
    if what in ("class", "function", "method") and not any(">>>" in line for line in lines):
        name = name.replace("tinygrad_lite.Tensor.", "tinygrad_lite.")
        if found := example(name):
            lines += ["", *found, ""]
