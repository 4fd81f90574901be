# ruff: noqa: E501
"""Examples for training, files, images and settings, in the form of those in ``_examples``; files go to a temporary folder."""

from __future__ import annotations

NET = "model = tl.nn.Sequential(tl.nn.Linear(2, 4), tl.nn.ReLU(), tl.nn.Linear(4, 1))\n"
TRAIN = (
    "x = tl.rand(8, 2)\ndata = tl.utils.data.DataLoader(tl.utils.data.TensorDataset(x, x.sum(1, keepdim=True)), batch_size=4)\n"
    "optimizer = tl.optim.SGD(model.parameters(), lr=0.1)\n"
    "trainer = tl.training.Trainer(model, tl.nn.MSELoss(), optimizer, progress=False)\n"
)
FAMILIES = (
    # settings, each put back as it was
    ("tl.set_default_dtype(tl.float64)\ndtype = tl.zeros(1).dtype\ntl.set_default_dtype(tl.float32)\ndtype", "set_default_dtype"),
    ("{f}(tl.FloatTensor)\ntl.zeros(1).dtype", "set_default_tensor_type"),
    ("{f}('cpu')\ntl.zeros(1).device", "set_default_device"),
    ("before = tl.get_num_threads()\n{f}(1)\nthreads = tl.get_num_threads()\ntl.set_num_threads(before)\nthreads", "set_num_threads"),
    ("{f}(precision=2)\nprint(tl.tensor(1 / 3))\ntl.set_printoptions(profile='default')", "set_printoptions"),
    ("{f}(True)\non = tl.are_deterministic_algorithms_enabled()\n{f}(False)\non", "use_deterministic_algorithms"),
    ("with {f}(True):\n    on = tl.autograd.is_anomaly_enabled()\non, tl.autograd.is_anomaly_enabled()", "autograd.set_detect_anomaly"),
    ("type({f}()) is int", "seed"),
    ("{f}('high')\ntl.get_float32_matmul_precision()\n{f}('highest')", "set_float32_matmul_precision"),
    ("{f}(0)\ntl.get_deterministic_debug_mode()", "set_deterministic_debug_mode"),
    ("{f}(False)", "set_flush_denormal set_warn_always set_autocast_cache_enabled"),
    ("{f}()", "clear_autocast_cache compiled_with_cxx11_abi get_autocast_cpu_dtype get_deterministic_debug_mode is_anomaly_enabled"
     " is_autocast_cache_enabled is_deterministic_algorithms_warn_only_enabled utils.data.get_worker_info"
     " distributed.is_mpi_available profiler.supported_activities"),
    ("{f}(0)", "distributed.get_node_local_rank"),
    ("{f}(True)", "sym_not"),
    ("{f}(1)", "set_num_interop_threads"),
    ("{f}('cpu', False)", "set_autocast_enabled"),
    ("{f}(False)", "set_autocast_cpu_enabled"),
    ("{f}('cpu', tl.float32)", "set_autocast_dtype"),
    ("{f}(tl.float32)", "set_autocast_cpu_dtype set_autocast_gpu_dtype"),
    ("{f}(9)", "sym_sqrt"),
    ("tl.zeros(2).layout", "layout"),
    ("tl.contiguous_format", "memory_format"),
    ("tl.get_device_module('cpu').__name__", "get_device_module"),
    ("w = tl.ones(2, requires_grad=True)\ny = w * 2\ny.detach_().requires_grad", "detach_"),
    ("(tl.ones(2, requires_grad=True) * 2).grad_fn", "autograd.Node"),
    # functions and layers
    ("x = tl.tensor([-1.0, 0.5])\n{f}(x)\nx", "nn.functional.relu_"),
    ("x = tl.tensor([-1.0, 0.5])\n{f}(x, training=False)\nx", "nn.functional.rrelu_"),
    ("{f}(tl.ones(2, 3, 4, 4), 0.5, False).shape", "nn.functional.feature_dropout feature_dropout"),
    ("{f}(tl.ones(1, 2, 5, 5), 2, output_size=2).shape", "nn.functional.fractional_max_pool2d"),
    ("{f}(tl.ones(1, 2, 5, 5), 2, output_size=2)[1].shape", "nn.functional.fractional_max_pool2d_with_indices"),
    ("{f}(tl.ones(1, 2, 5, 5, 5), 2, output_size=2).shape", "nn.functional.fractional_max_pool3d"),
    ("{f}(tl.ones(1, 2, 5, 5, 5), 2, output_size=2)[1].shape", "nn.functional.fractional_max_pool3d_with_indices"),
    ("a = tl.nn.MultiheadAttention(8, 2)\nx = tl.ones(5, 1, 8)\ny, weights = {f}(x, x, x, 8, 2, a.in_proj_weight, a.in_proj_bias, None, None,"
     " False, 0.0, a.out_proj.weight, a.out_proj.bias)\ny.shape, weights.shape", "nn.functional.multi_head_attention_forward"),
    ("{f}(first=tl.nn.Linear(2, 3))", "nn.Container"),
    ("p = {f}()\np.materialize((2, 3))\np.shape", "nn.UninitializedBuffer nn.UninitializedParameter"),
    ("isinstance(tl.nn.GRU(3, 5), {f}), [name for name, _ in tl.nn.GRU(3, 5).named_parameters()]", "nn.RNNBase"),
    # operators and masks of your own
    ("@tl.library.custom_op('docs::sine', mutates_args=())\ndef sine(x: tl.Tensor) -> tl.Tensor:\n    return tl.from_numpy(np.sin(x.numpy()))\n"
     "def keep(ctx, inputs, output):\n    ctx.save_for_backward(*inputs)\ndef backward(ctx, g):\n    return g * ctx.saved_tensors[0].cos()\n"
     "tl.library.register_autograd('docs::sine', backward, setup_context=keep)\nx = tl.tensor([0.0, 1.0], requires_grad=True)\nsine(x).sum().backward()\nx.grad",
     "library.CustomOpDef library.register_autograd"),
    ("@tl.library.custom_op('docs::twice', mutates_args=())\ndef twice(x: tl.Tensor) -> tl.Tensor:\n    return x * 2\n"
     "@tl.library.register_kernel('docs::twice', 'cpu')\ndef faster(x):\n    return x + x\ntwice(tl.ones(2))", "library.register_kernel"),
    ("tl.library.define('docs::third', '(Tensor x) -> Tensor')\n@tl.library.impl('docs::third', 'cpu')\ndef third(x):\n    return x / 3\n"
     "tl.ops.docs.third(tl.ones(2))", "library.impl"),
    ("flex = tl.nn.attention.flex_attention\nmask = flex.create_block_mask(lambda b, h, q, k: q >= k, None, None, 3, 3)\nmask",
     "nn.attention.flex_attention.create_block_mask nn.attention.flex_attention.BlockMask"),
    ("flex = tl.nn.attention.flex_attention\nmask = {f}(lambda b, h, q, k: q >= k, lambda b, h, q, k: k > 0)\nmask(0, 0, tl.arange(3), tl.tensor(1))",
     "nn.attention.flex_attention.and_masks nn.attention.flex_attention.or_masks"),
    ("bool({f}(0, 0, 1, 2))", "nn.attention.flex_attention.noop_mask"),
    ("flex = tl.nn.attention.flex_attention\nx = tl.ones(1, 1, 2, 4)\ny, aux = flex.flex_attention(x, x, x, return_aux=flex.AuxRequest(lse=True))\naux.lse.shape",
     "nn.attention.flex_attention.AuxRequest nn.attention.flex_attention.AuxOutput"),
    ("bias = tl.nn.attention.bias.causal_lower_right(2, 3)\nbias.variant.name, bias.int().tolist()", "nn.attention.bias.CausalBias nn.attention.bias.CausalVariant"),
    ("transform = tl.vision.transforms.AutoAugment({f}.CIFAR10)\ntransform(tl.zeros(3, 8, 8, dtype=tl.uint8)).shape", "vision.transforms.AutoAugmentPolicy"),
    # modules
    ("p = tl.nn.Parameter(tl.zeros(2))\np.grad = tl.tensor([3.0, 4.0])\n{f}([p], 1.0, tl.tensor(5.0))\np.grad", "nn.utils.clip_grads_with_norm_"),
    ("{f}(tl.nn.Conv2d(1, 2, 3), tl.channels_last)", "nn.utils.convert_conv2d_weight_memory_format"),
    ("{f}(tl.nn.Conv3d(1, 2, 3), tl.channels_last_3d)", "nn.utils.convert_conv3d_weight_memory_format"),
    ("layer, norm = tl.nn.Conv2d(1, 2, 3), tl.nn.BatchNorm2d(2)\nweight, bias = {f}(layer.weight, layer.bias, norm.running_mean,"
     " norm.running_var, norm.eps, norm.weight, norm.bias)\nweight.shape, bias.shape", "nn.utils.fuse_conv_bn_weights"),
    ("layer, norm = tl.nn.Linear(3, 2), tl.nn.BatchNorm1d(2)\nweight, bias = {f}(layer.weight, layer.bias, norm.running_mean,"
     " norm.running_var, norm.eps, norm.weight, norm.bias)\nweight.shape, bias.shape", "nn.utils.fuse_linear_bn_weights"),
    ("layer = tl.nn.utils.spectral_norm(tl.nn.Linear(2, 2))\n{f}(layer)", "nn.utils.remove_spectral_norm"),
    ("layer = tl.nn.utils.weight_norm(tl.nn.Linear(2, 2))\n{f}(layer)", "nn.utils.remove_weight_norm"),
    ("layer = tl.nn.utils.parametrizations.orthogonal(tl.nn.Linear(2, 2))\nisinstance(layer.parametrizations.weight, {f})",
     "nn.utils.parametrize.ParametrizationList"),
    ("layer = tl.nn.utils.parametrizations.orthogonal(tl.nn.Linear(2, 2))\nwith {f}():\n    same = layer.weight is layer.weight\nsame",
     "nn.utils.parametrize.cached"),
    ("layer = tl.nn.utils.parametrizations.orthogonal(tl.nn.Linear(2, 2))\nother = {f}(layer, tl.nn.Linear(2, 2))\nlist(other.parametrizations)",
     "nn.utils.parametrize.transfer_parametrizations_and_params"),
    ("layer = tl.nn.Linear(2, 2)\nmethod = {f}.apply(layer, 'weight', 0.5)\nlayer.weight_mask.sum()", "nn.utils.prune.L1Unstructured nn.utils.prune.RandomUnstructured"),
    ("layer = tl.nn.Linear(2, 2)\nmethod = {f}.apply(layer, 'weight', 0.5, 0)\nlayer.weight_mask.sum()", "nn.utils.prune.RandomStructured"),
    ("layer = tl.nn.Linear(2, 2)\nmethod = {f}.apply(layer, 'weight', 0.5, 2, 0)\nlayer.weight_mask.sum()", "nn.utils.prune.LnStructured"),
    ("layer = tl.nn.Linear(2, 2)\nmethod = {f}.apply(layer, 'weight')\nlayer.weight_mask", "nn.utils.prune.Identity"),
    ("layer = tl.nn.Linear(2, 2)\nmethod = {f}.apply(layer, 'weight', tl.eye(2))\nlayer.weight_mask", "nn.utils.prune.CustomFromMask"),
    ("class Negative({f}):\n    PRUNING_TYPE = 'unstructured'\n    def compute_mask(self, t, default_mask):\n        return default_mask * (t >= 0)\n"
     "layer = tl.nn.Linear(2, 2)\nmethod = Negative.apply(layer, 'weight')\nbool((layer.weight >= 0).all())", "nn.utils.prune.BasePruningMethod"),
    ("layer = tl.nn.Linear(2, 2)\nfor _ in range(2):\n    tl.nn.utils.prune.l1_unstructured(layer, 'weight', 1)\n"
     "[type(hook).__name__ for hook in layer._forward_pre_hooks.values()], layer.weight_mask.sum()", "nn.utils.prune.PruningContainer"),
    (NET + "{f}([(model[0], 'weight'), (model[2], 'weight')], tl.nn.utils.prune.L1Unstructured, amount=0.5)\n"
     "model[0].weight_mask.sum() + model[2].weight_mask.sum()", "nn.utils.prune.global_unstructured"),
    ("tl.nn.utils.rnn.pack_sequence([tl.ones(3), tl.ones(2)])", "nn.utils.rnn.PackedSequence"),
    # distributions
    ("c = tl.distributions.constraints\n{f}([c.positive, c.unit_interval]).check(tl.tensor([2.0, 2.0]))",
     "distributions.constraints.cat distributions.constraints.stack"),
    ("{f}(tl.distributions.constraints.positive, 1).check(tl.tensor([[2.0, 1.0], [2.0, -1.0]]))", "distributions.constraints.independent"),
    ("{f}(3).check(tl.tensor([[1.0, 2.0], [1.0, 3.0]]))", "distributions.constraints.multinomial"),
    ("class Above(tl.distributions.Distribution):\n    @{f}(is_discrete=False, event_dim=0)\n    def support(self):\n"
     "        return tl.distributions.constraints.greater_than(self.low)\ntl.distributions.constraints.is_dependent(Above.support)",
     "distributions.constraints.dependent_property"),
    # optimisers
    ("class Sign({f}):\n    def __init__(self, params, lr):\n        super().__init__(params, {{'lr': lr}})\n    @tl.no_grad()\n    def step(self, closure=None):\n"
     "        for group in self.param_groups:\n            for p in group['params']:\n                p -= group['lr'] * p.grad.sign()\n"
     "w = tl.nn.Parameter(tl.tensor([1.0, -2.0]))\n(w * w).sum().backward()\nSign([w], lr=0.5).step()\nw", "optim.Optimizer"),
    # trainings
    (NET + TRAIN + "class Losses({f}):\n    def on_epoch_end(self, trainer):\n        print('end of epoch', trainer.epoch)\n"
     "_ = trainer.fit(data, epochs=2, callbacks=[Losses()])", "training.Callback"),
    (NET + TRAIN + "_ = trainer.fit(data, epochs=2, callbacks=[{f}('run.npz')])\nimport os\nos.path.exists('run.npz')", "training.Checkpoint"),
    (NET + TRAIN + "stop = {f}(monitor='loss', patience=1, min_delta=9.0)\nlen(trainer.fit(data, epochs=9, callbacks=[stop])['loss'])", "training.EarlyStopping"),
    (NET + TRAIN + "found = trainer.find_lr(data, steps=20)\nlen(found.rates) == len(found.losses)", "training.LearningRates"),
    # data
    ("class Numbers(tl.utils.data.IterableDataset):\n    def __init__(self, n):\n        self.n = n\n    def __iter__(self):\n        return iter(range(self.n))\n"
     "list(Numbers(2) + Numbers(3))", "utils.data.IterableDataset utils.data.ChainDataset"),
    ("class Backwards({f}):\n    def __init__(self, data):\n        self.data = data\n    def __iter__(self):\n        return iter(range(len(self.data))[::-1])\n"
     "data = [10, 20, 30]\nlist(tl.utils.data.DataLoader(data, batch_size=2, sampler=Backwards(data)))", "utils.data.Sampler"),
    # files
    ("tl.save(tl.nn.Linear(2, 1).state_dict(), 'weights.npz')\nsorted({f}('weights.npz'))", "load"),
    ("tl.serialization.save_file({{'weight': tl.ones(2)}}, 'weights.safetensors')\ntl.serialization.load_file('weights.safetensors')",
     "serialization.save_file serialization.load_file"),
    # groups of one process; several are on the page of the package
    ("tl.distributed.get_world_size()", "distributed.init_process_group"),
    ("tl.distributed.new_group([0]).size()", "distributed.ProcessGroup"),
    ("{f}.WORLD.size()", "distributed.group distributed.GroupMember"),
    # images
    ("{f}(tl.tensor([[[10, 20], [20, 30]]], dtype=tl.uint8))", "vision.transforms.functional.equalize"),
    ("{f}(tl.ones(1, 4, 4), [(0, 0), (3, 0), (3, 3), (0, 3)], [(0, 0), (3, 1), (3, 2), (0, 3)])[0]", "vision.transforms.functional.perspective"),
    ("{f}(tl.zeros(3, 4, 6)).size", "vision.transforms.functional.to_pil_image"),
    ("image = tl.vision.transforms.functional.to_pil_image(tl.zeros(3, 4, 6))\n{f}(image).shape", "vision.transforms.functional.pil_to_tensor"),
    ("image = tl.vision.transforms.functional.to_pil_image(tl.zeros(3, 4, 6))\n{f}(image).mode", "vision.transforms.functional.to_grayscale"),
    ("{f}()(tl.ones(1))", "vision.transforms.v2.ToPureTensor"),
    ("image = tl.zeros(3, 8, 8, dtype=tl.uint8)\n{f}(image, tl.tensor([[1, 1, 5, 6]]), colors='white')[0]", "vision.utils.draw_bounding_boxes"),
    ("{f}(tl.rand(4, 3, 8, 8), 'grid.png', nrow=2)\ntl.vision.io.read_image('grid.png').shape", "vision.utils.save_image"),
    ("{f}(tl.zeros(3, 4, 6, dtype=tl.uint8), 'image.png')\ntl.vision.io.read_image('image.png').shape", "vision.io.write_png"),
    ("{f}(tl.zeros(3, 4, 6, dtype=tl.uint8), 'image.jpg')\ntl.vision.io.read_image('image.jpg').shape", "vision.io.write_jpeg"),
    ("tl.vision.io.write_png(tl.zeros(3, 4, 6, dtype=tl.uint8), 'image.png')\ntl.vision.io.decode_image('image.png', tl.vision.io.ImageReadMode.GRAY).shape",
     "vision.io.decode_image vision.io.ImageReadMode"),
    ("import os\nfor kind in ('cat', 'dog'):\n    os.makedirs(f'animals/{{kind}}', exist_ok=True)\n    tl.vision.io.write_png(tl.zeros(3, 4, 6, dtype=tl.uint8), f'animals/{{kind}}/1.png')\n"
     "images = tl.vision.datasets.ImageFolder('animals')\nimages.classes, len(images)", "vision.datasets.ImageFolder"),
    ("import os\nfor kind in ('a', 'b'):\n    os.makedirs(f'texts/{{kind}}', exist_ok=True)\n    open(f'texts/{{kind}}/1.txt', 'w').close()\n"
     "{f}('texts', loader=str, extensions=('.txt',)).targets", "vision.datasets.DatasetFolder"),
    ("{f}('squeezenet1_1', num_classes=10).eval()(tl.zeros(1, 3, 64, 64)).shape", "vision.models.get_model"),
    ("{f}(num_classes=10).eval()(tl.zeros(1, 3, 64, 64)).shape", "vision.models.squeezenet1_1 vision.models.mobilenet_v2 vision.models.MobileNetV2"),
    ("{f}('resnet18').DEFAULT", "vision.models.get_model_weights"),
    ("{f}('ResNet18_Weights.IMAGENET1K_V1').name", "vision.models.get_weight"),
    ("tl.vision.models.get_weight('ResNet18_Weights.DEFAULT').name", "vision.models.Weights"),
    ("program = tl.onnx.export(tl.nn.Linear(2, 3), (tl.ones(1, 2),))\nprogram(tl.ones(1, 2))[0].shape", "onnx.ONNXProgram"),
    ("program = tl.onnx.export(tl.nn.Dropout(0.0), (tl.ones(1, 2),), training={f}.PRESERVE)\nlen(program.model_proto.graph.node)", "onnx.TrainingMode"),
    # boxes and blocks of images
    ("boxes = tl.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.0], [5.0, 5.0, 6.0, 6.0]])\n{f}(boxes)", "vision.ops.box_area"),
    ("boxes = tl.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9], [0.0, 0.0, 2.0, 2.0]])\n{f}(boxes, tl.tensor([0.9, 0.8, 0.7]), tl.tensor([0, 0, 1]), 0.5)",
     "vision.ops.batched_nms"),
    ("{f}(tl.tensor([[1.0, 2.0, 4.0, 6.0]]), 'xyxy', 'xywh')", "vision.ops.box_convert"),
    ("{f}(tl.tensor([[-1.0, 2.0, 4.0, 9.0]]), (6, 8))", "vision.ops.clip_boxes_to_image"),
    ("{f}(tl.tensor([[0.0, 0.0, 2.0, 2.0]]), tl.tensor([[0.0, 0.0, 2.0, 1.0]]))", "vision.ops.generalized_box_iou"),
    ("{f}(tl.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 0.5]]), 1.0)", "vision.ops.remove_small_boxes"),
    ("{f}(tl.tensor([2.0, -1.0]), tl.tensor([1.0, 0.0]))", "vision.ops.sigmoid_focal_loss"),
    ("{f}(tl.ones(4, 2), 0.5, 'row', training=False).shape", "vision.ops.stochastic_depth"),
    ("{f}(0.5, 'row').eval()(tl.ones(4, 2)).shape", "vision.ops.StochasticDepth"),
    ("{f}([0, 2, 1])(tl.ones(2, 3, 4)).shape", "vision.ops.Permute"),
    ("{f}(4, 2)(tl.ones(1, 4, 5, 5)).shape", "vision.ops.SqueezeExcitation"),
    # small rooms
    ("{f}()", "is_anomaly_check_nan_enabled"),
    ("len({f}())", "utils.checkpoint.noop_context_fn"),
    ("{f}(tl.exp)(tl.zeros(2))", "func.functionalize"),
    ("net = {f}(tl.nn.Sequential(tl.nn.BatchNorm1d(2)))\nnet[0].running_mean is None", "func.replace_all_batch_norm_modules_"),
    ("with {f}([]):\n    pass", "serialization.safe_globals"),
    ("list({f}([1, 2]))", "utils.data.DataChunk"),
    ("class Squares({f}):\n    def __getitem__(self, i):\n        return i * i\n    def __len__(self):\n        return 4\n[Squares()[i] for i in range(4)]",
     "utils.data.MapDataPipe"),
    ("x = tl.ones(2, requires_grad=True) * 2\n(leaf,) = {f}((x,))\nleaf.is_leaf, leaf.requires_grad", "utils.checkpoint.detach_variable"),
    ("with {f}(True):\n    pass", "utils.checkpoint.set_checkpoint_debug_enabled"),
    ("from functools import partial\npolicy = partial({f}, [])\nlayer = tl.nn.Linear(2, 1)\n"
     "tl.utils.checkpoint.checkpoint(layer, tl.ones(1, 2), use_reentrant=False, context_fn=policy).shape",
     "utils.checkpoint.create_selective_checkpoint_contexts"),
    ("tl.utils.checkpoint.CheckpointPolicy.MUST_SAVE.name", "utils.checkpoint.CheckpointPolicy"),
    ("measurement = {f}(2, [0.2, 0.4], 'sum')\nmeasurement.times", "utils.benchmark.Measurement"),
    ("measured = tl.utils.benchmark.Measurement(2, [0.2, 0.4], 'sum')\n{f}([measured]).print()", "utils.benchmark.Compare"),
    # looking inside
    ("graph = tl.viz.trace(tl.exp, tl.ones(2))\n[(node.kind, node.op) for node in graph.nodes]", "viz.GraphNode"),
    ("graph = tl.viz.trace(tl.exp, tl.ones(2))\n[(edge.src, edge.dst) for edge in graph.edges]", "viz.GraphEdge"),
    (NET + "[(call.id, call.cls) for call in tl.viz.trace(model, tl.ones(1, 2)).calls]", "viz.GraphCall"),
    ("report = tl.testing.gradcheck(tl.tanh, tl.tensor([0.5, -1.0], dtype=tl.float64))\nreport.ok, bool(report)", "testing.GradReport"),
    ("with tl.profiler.profile() as p:\n    y = tl.ones(2).exp()\n[(event.name, event.phase) for event in p.events]", "profiler.Event"),
    ("with tl.profiler.profile() as p:\n    y = tl.ones(2).exp()\n[(row.name, row.calls) for row in p.by_op()]", "profiler.Row"),
    ("[str(a) for a in {f}]", "profiler.ProfilerActivity"),
    ("schedule = tl.profiler.schedule(wait=1, warmup=1, active=1)\n[schedule(step).name for step in range(3)]", "profiler.ProfilerAction"),
    ("with tl.profiler.profile(on_trace_ready={f}('traces')):\n    y = tl.ones(2).exp()\nimport os\nlen(os.listdir('traces'))", "profiler.tensorboard_trace_handler"),
    ("@tl.compile\ndef twice(x):\n    return x * 2\ntwice(tl.ones(2))\ntype(twice).__name__", "compiled.Compiled"),
)  # fmt: skip
