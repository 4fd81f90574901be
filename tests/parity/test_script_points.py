"""Points at which whole programs differed: each is asked of both libraries."""

import io

import numpy as np
import pytest

import tinygrad_lite as tl

torch = pytest.importorskip("torch")


PROGRAMS = []


def asked(program):
    PROGRAMS.append(program)
    return program


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("scale", "zero", "low", "high"), [(0.1, 0, -128, 127), (1 / 3, -2, -8, 7)])
def test_fake_quantize(dtype, scale, zero, low, high):
    x = np.random.default_rng(0).normal(size=(3, 40)).astype(dtype)
    x[0, :9] = np.arange(9) * scale / 2  # ties
    scales, zeros = np.array([0.1, 0.2, scale], "float32"), np.array([zero, 0, 1], "int32")
    found = []
    for lib in (torch, tl):
        for call in (
            lambda t, lib: lib.fake_quantize_per_tensor_affine(t, scale, zero, low, high),
            lambda t, lib: lib.fake_quantize_per_tensor_affine(
                t, lib.tensor([scale]), lib.tensor([zero], dtype=lib.int32), low, high
            ),
            lambda t, lib: lib.fake_quantize_per_channel_affine(t, lib.tensor(scales), lib.tensor(zeros), 0, low, high),
        ):
            t = lib.tensor(x).requires_grad_()
            y = call(t, lib)
            (y * y).sum().backward()
            found += [y.detach().numpy(), t.grad.numpy()]
    for theirs, ours in zip(found[:6], found[6:], strict=True):
        assert ours.dtype == theirs.dtype and np.array_equal(theirs, ours)


def test_fake_quantize_refuses():
    for call in (
        lambda lib: lib.fake_quantize_per_tensor_affine(lib.ones(2), 0.1, 5, 0, 3),
        lambda lib: lib.fake_quantize_per_tensor_affine(lib.ones(2, dtype=lib.int64), 0.1, 0, 0, 3),
        lambda lib: lib.fake_quantize_per_channel_affine(
            lib.ones(2, 3), lib.ones(2), lib.zeros(2, dtype=lib.int32), 1, 0, 3
        ),
    ):
        for lib in (torch, tl):
            with pytest.raises(RuntimeError):
                call(lib)


@asked
def leaves_of_a_graph(lib):
    x, w = lib.ones(3, requires_grad=True), lib.ones(3, requires_grad=True)
    y = (x * w).sum() + x.detach().sum()
    product = y.grad_fn.next_functions[0][0].next_functions[0][0]
    ends = [node for node, _ in product.next_functions]
    seen = []
    ends[0].register_hook(lambda inputs, outputs: seen.append(len(outputs)))
    ends[1].register_prehook(lambda outputs: (outputs[0] * 2,))
    y.backward()
    again = product.next_functions[0][0]
    return (
        [e.name() for e in ends], ends[0].variable is x, [e.next_functions for e in ends], seen, w.grad.tolist(),
        again == ends[0] and len({again, *ends}), (x.detach() * w).grad_fn.next_functions[0],
    )  # fmt: skip


@asked
def saved_parameters(lib):
    file = io.BytesIO()
    p = lib.nn.Parameter(lib.ones(2))
    lib.save({"p": p, "frozen": lib.nn.Parameter(lib.ones(1), requires_grad=False), "plain": p.detach()}, file)
    file.seek(0)
    loaded = lib.load(file)
    return [(k, type(v).__name__, v.requires_grad, v.tolist()) for k, v in loaded.items()]


def test_parameters_of_a_pt_file():
    file = io.BytesIO()
    torch.save([torch.nn.Parameter(torch.ones(2))], file)
    file.seek(0)
    (p,) = tl.load(file)
    assert type(p) is tl.nn.Parameter and p.requires_grad and p.tolist() == [1.0, 1.0]


@asked
def own_types_in_batches(lib):
    class Point:
        pass

    from importlib import import_module

    collate = import_module(f"{lib.__name__}.utils.data._utils.collate")
    stack = lambda batch, *, collate_fn_map=None: len(batch)
    one = collate.collate(
        [(Point(), "a"), (Point(), "b")], collate_fn_map={Point: stack, str: lambda b, **_: "".join(b)}
    )
    collate.default_collate_fn_map[Point] = stack
    try:
        two = lib.utils.data.default_collate([{"p": Point(), "x": 1.0}, {"p": Point(), "x": 2.0}])
    finally:
        del collate.default_collate_fn_map[Point]
    with pytest.raises(TypeError):
        lib.utils.data.default_collate([Point()])
    return (
        one,
        two["p"],
        two["x"].tolist(),
        sorted(k.__name__ for k in (str, lib.Tensor) if k in collate.default_collate_fn_map),
    )


@asked
def states_without_steps(lib):
    found = []
    for make in (
        lambda p: lib.optim.SGD(p, 0.1),
        lambda p: lib.optim.SGD(p, 0.1, momentum=0.9),
        lambda p: lib.optim.LBFGS(p, max_iter=2),
    ):
        p = lib.ones(2, requires_grad=True)
        optimiser = make([p])

        def closure(p=p, optimiser=optimiser):
            optimiser.zero_grad()
            loss = (p**2).sum()
            loss.backward()
            return loss

        optimiser.step(closure)
        state = optimiser.state_dict()["state"]
        found.append({k: sorted(set(s) - {"al"}) for k, s in state.items()})
        again = make([p])
        again.load_state_dict(optimiser.state_dict())
        again.step(closure)
        found.append([round(v, 5) for v in p.tolist()])
    return found


@asked
def functions_of_users(lib):
    class Doubled(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    class ByProduct(Doubled):
        @staticmethod
        def vjp(ctx, g):
            return g * 2

    x = lib.ones(1, requires_grad=True)
    with pytest.raises(NotImplementedError):
        Doubled.apply(x).backward()
    y = ByProduct.apply(x)
    y.backward()
    return y.grad_fn.name(), x.grad.tolist()


@asked
def printed_attention(lib):
    layer = lib.nn.MultiheadAttention(4, 2)
    return str(layer), isinstance(layer.out_proj, lib.nn.Linear), type(layer.out_proj).__name__


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_program(program):
    assert program(torch) == program(tl)


LAYERS = {
    "Linear": (2, 2), "Bilinear": (2, 2, 2), "Conv1d": (2, 2, 1), "Conv2d": (2, 2, 1), "ConvTranspose2d": (2, 2, 1),
    "Embedding": (3, 2), "EmbeddingBag": (3, 2), "LayerNorm": (2,), "GroupNorm": (1, 2), "RMSNorm": (2,),
    "BatchNorm1d": (2,), "InstanceNorm2d": (2,), "PReLU": (), "LSTM": (2, 2), "RNN": (2, 2), "GRUCell": (2, 2),
    "MultiheadAttention": (2, 1), "ReLU": (),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_constructors_let_derived_layers_choose_their_first_values(name):
    """PyTorch's constructors call ``reset_parameters``; what a derived class puts there must not be skipped."""
    found = []
    for lib in (torch, tl):
        base = getattr(lib.nn, name)
        for method in ("reset_parameters", "_reset_parameters", "reset_running_stats"):
            calls = []
            own = type("Own", (base,), {method: lambda self, calls=calls: calls.append(len(list(self.parameters())))})
            own(*LAYERS[name])
            found.append(calls)
    assert found[:3] == found[3:]


def convolutions(lib):
    class Standardised(lib.nn.Conv2d):
        def forward(self, x):
            w = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
            return self._conv_forward(x, w, self.bias)

    class Doubled(lib.nn.Conv1d):
        def _conv_forward(self, x, w, b):
            return 2 * super()._conv_forward(x, w, b)

    shapes, sums = [], []
    for layer, x in (
        (Standardised(2, 4, 3, padding=1, padding_mode="circular", groups=2), lib.ones(1, 2, 5, 5)),
        (Standardised(2, 4, 3, padding="same"), lib.ones(1, 2, 5, 5)),
        (Doubled(2, 2, 1), lib.ones(1, 2, 5)),
    ):
        with lib.no_grad():
            for p in layer.parameters():
                p.copy_(lib.arange(float(p.numel())).reshape(p.shape) / 10)
        y = layer(x)
        shapes.append((tuple(y.shape), layer._reversed_padding_repeated_twice))
        sums.append(round(y.sum().item(), 3))
    return shapes, sums


def attention_parts(lib):
    """Programs replace the parts of a layer, and wrap the attention's forward to get its weights."""

    class Seen(lib.nn.TransformerDecoderLayer):
        def _sa_block(self, x, attn_mask, key_padding_mask, is_causal=False):
            return x * 0

        def _mha_block(self, x, mem, attn_mask, key_padding_mask, is_causal=False):
            return mem

        def _ff_block(self, x):
            return x + 1

    x = lib.arange(24.0).reshape(3, 2, 4)
    y = Seen(4, 2, 8, 0.0, norm_first=True)(x, x)
    layer, given, seen = lib.nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True), [], []
    attention = layer.self_attn.forward

    def wrapped(*args, **words):
        given.append((len(args), sorted(words)))
        return attention(*args, **{**words, "need_weights": True, "average_attn_weights": False})

    layer.self_attn.forward = wrapped
    layer.self_attn.register_forward_hook(lambda m, i, o: seen.append(tuple(o[1].shape)))
    stack = lib.nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
    stack.layers[0] = layer
    stack(x, mask=lib.zeros(2, 2))
    return [round(v, 3) for v in y.flatten().tolist()], given, seen


def schedules(lib):
    reduced = []

    class Own(lib.optim.lr_scheduler.ReduceLROnPlateau):
        def _reduce_lr(self, epoch):
            reduced.append(epoch)
            super()._reduce_lr(epoch)

    optimiser = lib.optim.SGD([lib.ones(1, requires_grad=True)], 1.0)
    schedule = Own(optimiser, patience=0, cooldown=1)
    found = []
    for loss in (1.0, 1.0, 1.0, 1.0):
        schedule.step(loss)
        found.append((schedule.in_cooldown, optimiser.param_groups[0]["lr"]))
    return reduced, found, lib.nn.init._calculate_correct_fan(lib.ones(2, 3), "fan_out"), str(lib.Generator().device)


def test_bytes_of_a_buffer():
    assert tl.ByteTensor(tl.ByteStorage.from_buffer(b"ab")).tolist() == [97, 98]


def small_names(lib):
    from importlib import import_module

    operators = import_module(f"{lib.__name__}.onnx.operators")
    with pytest.raises(AssertionError, match="said"):
        lib._assert(False, "said")
    lib._assert(True, "")
    with pytest.raises(RuntimeError):
        lib.einsum("i1", lib.ones(2, 2))
    packed = lib.nn.utils.rnn.pack_sequence([lib.ones(2), lib.ones(1)])
    shape = operators.shape_as_tensor(lib.ones(2, 3))
    return (
        shape.tolist(), tuple(operators.reshape_from_tensor_shape(lib.ones(6), shape).shape),
        lib._C._get_tracing_state(),
        packed.is_cuda, packed.cpu() is packed, packed.double().data.dtype.itemsize, packed.to("cpu") is packed,
    )  # fmt: skip


def messages(lib):
    found = []
    for a, b in (
        (1, 2), (1.0, float("nan")), ({"a": 1}, {"b": 1}), ([1], [1, 2]), ("a", "b"), (lib.ones(1), 1.0),
        (lib.tensor([1, 2]), lib.tensor([1, 4])), ({"a": 1, "b": 1}, {"a": 1}), (lib.ones(1), lib.zeros(1)),
    ):  # fmt: skip
        try:
            lib.testing.assert_close(a, b)
        except (AssertionError, TypeError) as error:
            found.append((type(error).__name__, str(error).split("<class")[0].replace(": 1.0", ": 1")))
    return found


@pytest.mark.parametrize(
    "program", [small_names, messages, convolutions, attention_parts, schedules], ids=lambda p: p.__name__
)
def test_parts_of_layers(program):
    assert program(torch) == program(tl)
