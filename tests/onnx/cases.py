"""Models and functions to export: (name, model, inputs, dynamic axes)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tinygrad_lite as tl
import tinygrad_lite.nn.functional as F
from tinygrad_lite import nn

B: dict[int, str] = {0: "batch"}
BT: dict[int, str] = {0: "batch", 1: "time"}


class Case(NamedTuple):
    name: str
    model: Callable[..., Any]
    inputs: tuple[Any, ...]
    axes: dict[int, str]


CASES: list[Case] = []


def case(name: str, model: Callable[..., Any], *inputs: Any, axes: dict[int, str] | None = None) -> None:
    """Add a case; without ``axes`` the batch is dynamic."""
    CASES.append(Case(name, model, inputs, B if axes is None else axes))


# ------------------------------------------------------------------------------------------------ models
class Language(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.lstm, self.out = nn.Embedding(11, 8), nn.LSTM(8, 6, batch_first=True), nn.Linear(6, 11)

    def forward(self, tokens: Any) -> Any:
        return self.out(self.lstm(self.embedding(tokens))[0][:, -1])


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.shortcut, self.head = nn.Conv2d(2, 4, 1), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        y = F.relu(self.norm(self.conv(x)) + self.shortcut(x))
        return self.head(F.adaptive_avg_pool2d(y, 1).flatten(1))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down, self.middle = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.up, self.last = nn.ConvTranspose2d(8, 4, 2, stride=2), nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x: Any) -> Any:
        a = F.relu(self.down(x))
        b = F.relu(self.middle(F.max_pool2d(a, 2)))
        return self.last(tl.cat([a, self.up(b)], 1))


class Gpt(nn.Module):
    """A causal transformer with learned positions: the mask and the positions follow the length."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(13, 8), nn.Embedding(32, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation="gelu")
        self.out = nn.Linear(8, 13, bias=False)
        self.out.weight = self.tokens.weight

    def forward(self, x: Any) -> Any:
        n = x.shape[1]
        y = self.tokens(x) + self.places(tl.arange(n))
        mask = tl.triu(tl.ones(n, n, dtype=tl.bool), 1)
        return self.out(self.layer(y, src_mask=mask))


class Autoencoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2))
        self.decoder = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 6))

    def forward(self, x: Any) -> Any:
        code = self.encoder(x)
        return {"code": code, "again": self.decoder(code)}


class WithBuffer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale: Any
        self.register_buffer("scale", tl.tensor([1.0, 2.0, 3.0, 4.0]))

    def forward(self, x: Any) -> Any:
        return x * self.scale


class Masked(nn.Module):
    """Attention with a mask of padding that is an input, and a causal one."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Any, padding: Any) -> Any:
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        return self.attention(x, x, x, key_padding_mask=padding, attn_mask=mask, need_weights=False)[0]


def written(x: Any) -> Any:
    y = tl.zeros(x.shape[0], 6)
    y[:, 1:5] = x
    y[:, 0] = 7.0
    y += 1
    return y


def masked(x: Any) -> Any:
    y = x.clone()
    y[y < 0] = 0.5
    y[x > 1] = x[x > 1] * 2
    y[x[:, 0] > 0] = tl.tensor([1.0, 2.0, 3.0, 4.0])
    return y, y[y > 0.6].sum()


def through_views(x: Any) -> Any:
    y = x.clone()
    row = y[:, 1]
    row.mul_(3)
    return y * 2


tl.manual_seed(0)
X, IMAGE, TALL = tl.randn(3, 4), tl.randn(2, 4, 8, 8), tl.randn(2, 5, 8)
case("mlp", nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(-1)), X)
case("cnn", nn.Sequential(
    nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(4, 8, 3, stride=2, groups=2, padding="valid"), nn.Sigmoid(), nn.AvgPool2d(2, padding=1),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(8, 3)), tl.randn(2, 1, 12, 12))  # fmt: skip
case("resnet", Residual(), tl.randn(2, 2, 8, 8))
case("unet", UNet(), tl.randn(2, 1, 8, 8))
case("unet with free sizes", UNet(), tl.randn(2, 1, 8, 8), axes={0: "batch", 2: "height", 3: "width"})
case("language model", Language(), tl.tensor([[1, 2, 3], [4, 5, 6]]))
case("gpt", Gpt(), tl.tensor([[1, 2, 3, 4], [4, 5, 6, 12]]))
case("gpt with free length", Gpt(), tl.tensor([[1, 2, 3, 4], [4, 5, 6, 12]]), axes=BT)
case("autoencoder with two results", Autoencoder(), tl.randn(3, 6))
case("buffer", WithBuffer(), X)
case("encoder of 2", nn.TransformerEncoder(
    nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu", norm_first=True), 2), TALL)  # fmt: skip
case("transformer", nn.Transformer(8, 2, 1, 1, 16, batch_first=True), TALL, TALL)
case("masks", Masked(), TALL, tl.tensor([[False, False, False, False, True], [False, False, False, True, True]]))
case("denoiser", nn.Sequential(nn.Conv1d(2, 4, 5, padding="same"), nn.SiLU(), nn.Conv1d(4, 2, 5, padding="same")),
     tl.randn(2, 2, 16), axes={0: "batch", 2: "length"})  # fmt: skip

# ------------------------------------------------------------------------------------------------ layers
case("conv2d same", nn.Sequential(nn.Conv2d(4, 4, 5, padding="same"), nn.MaxPool2d(3, 2, 1, ceil_mode=True)), IMAGE)
case("conv1d dilated", nn.Sequential(nn.Conv1d(3, 4, 3, dilation=2), nn.ReLU(), nn.MaxPool1d(2)), tl.randn(2, 3, 20))
case("conv3d", nn.Sequential(nn.Conv3d(1, 4, 3), nn.AvgPool3d(2)), tl.randn(2, 1, 8, 8, 8))
case("conv2d reflect", nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"), IMAGE)
case("conv transpose", nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1), IMAGE)
case("max pool indices", nn.MaxPool2d(2, return_indices=True), IMAGE)
case("adaptive max pool", nn.AdaptiveMaxPool2d(2), IMAGE)
case("adaptive pool", nn.AdaptiveAvgPool2d(3), IMAGE)
case("lp pool", nn.LPPool2d(2, 2), IMAGE)
case("avg pool", nn.AvgPool2d(3, 2, 1, count_include_pad=False), IMAGE)
case("lstm", nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True), tl.randn(2, 7, 3))
case("lstm of any length", nn.LSTM(3, 5, batch_first=True), tl.randn(2, 7, 3), axes=BT)
case("lstm without bias", nn.LSTM(3, 5, bias=False), tl.randn(7, 2, 3), axes={0: "time", 1: "batch"})
case("gru", nn.GRU(3, 5, 2, batch_first=True, bidirectional=True), tl.randn(2, 7, 3), axes=BT)
case("rnn", nn.RNN(3, 5), tl.randn(7, 2, 3), axes={1: "batch"})
case("rnn relu", nn.RNN(3, 5, nonlinearity="relu"), tl.randn(7, 2, 3), axes={})
case("lstm cell", nn.LSTMCell(4, 5), X)
case("gru cell", nn.GRUCell(4, 5), X)
case("rnn cell", nn.RNNCell(4, 5), X)
case("encoder", nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), TALL, axes=BT)
case("decoder", nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), TALL, TALL)
case("attention", nn.MultiheadAttention(8, 2, batch_first=True), TALL, TALL, TALL)
case("group norm", nn.GroupNorm(2, 4), IMAGE)
case("instance norm", nn.InstanceNorm2d(4, affine=True), IMAGE)
case("batch norm 1d", nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6)), X)
case("layer norm", nn.LayerNorm([8, 8]), IMAGE)
case("layer norm plain", nn.LayerNorm(4, elementwise_affine=False), X)
case("rms norm", nn.RMSNorm(4), X)
case("local response norm", nn.LocalResponseNorm(3), IMAGE)
case("embedding", nn.Embedding(7, 3, padding_idx=0), tl.tensor([[1, 2], [0, 6]]))
case("bilinear", nn.Bilinear(4, 4, 2), X, X)
case("upsample nearest", nn.Upsample(scale_factor=2), IMAGE)
case("upsample bilinear", nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE)
case("upsample to a size", nn.Upsample(size=(5, 11), mode="nearest"), IMAGE, axes={0: "batch", 2: "height"})
case("upsample of any size", nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), IMAGE,
     axes={0: "batch", 2: "height", 3: "width"})  # fmt: skip
case("upsample exact", nn.Upsample(scale_factor=1.5, mode="nearest-exact"), IMAGE)
case("pool of any size", nn.AdaptiveAvgPool2d(1), IMAGE, axes={0: "batch", 2: "height", 3: "width"})
case("upsample bicubic", nn.Upsample(size=(5, 11), mode="bicubic"), IMAGE)
case("pixel shuffle", nn.Sequential(nn.PixelShuffle(2), nn.PixelUnshuffle(4)), IMAGE)
case("channel shuffle", nn.ChannelShuffle(2), IMAGE)
case("unfold", nn.Unfold(3, stride=2, padding=1), IMAGE)
case("fold", nn.Fold((5, 5), 2), tl.randn(2, 8, 16))
case("circular pad", nn.CircularPad2d(2), IMAGE)
case("replication pad", nn.ReplicationPad2d((1, 2, 0, 1)), IMAGE)
case("prelu", nn.PReLU(4), IMAGE)
case("cosine similarity", nn.CosineSimilarity(), X, X + 1)
case("pairwise distance", nn.PairwiseDistance(), X, X + 1)

# ------------------------------------------------------------------------------------------------ activations
for _activation in (
    nn.GELU(), nn.GELU("tanh"), nn.ELU(1.3), nn.LeakyReLU(), nn.SiLU(), nn.Hardswish(), nn.Hardsigmoid(),
    nn.Softplus(2.0), nn.SELU(), nn.Mish(), nn.LogSoftmax(1), nn.ReLU6(), nn.CELU(1.3), nn.Softsign(), nn.Tanhshrink(),
    nn.Hardshrink(), nn.Softshrink(), nn.LogSigmoid(), nn.GLU(1), nn.Threshold(0.1, 2.0), nn.Hardtanh(), nn.Softmin(1),
):  # fmt: skip
    case(repr(_activation), _activation, X)

# ------------------------------------------------------------------------------------------------ functions
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "slice": lambda x: x[:, 1:3], "slice by 2": lambda x: x[:, ::2], "index list": lambda x: x[:, [0, 2]],
    "index two lists": lambda x: x[:, None, :][:, [0, 0], [1, 3]], "new axis": lambda x: x[:, None],
    "last": lambda x: x[-1], "element": lambda x: x[:, -2], "ellipsis": lambda x: x[..., None, 1],
    "index by argmax": lambda x: x.t()[x.argmax(1)], "mask": lambda x: x[x > 0],
    "mean": lambda x: x.mean(1), "mean of all": lambda x: x.mean(), "std": lambda x: x.std(1),
    "var of all": lambda x: x.var(), "clamp": lambda x: x.clamp(min=0), "norm": lambda x: x.norm(dim=1),
    "norm 3": lambda x: x.norm(3, dim=1), "norm inf": lambda x: x.norm(float("inf"), dim=1),
    "split": lambda x: x.split(3, 1), "chunk": lambda x: x.chunk(2, 1), "cat": lambda x: tl.cat([x, x * 2], 1),
    "cat batch": lambda x: tl.cat([x, x]), "where": lambda x: tl.where(x > 0, x, -x), "max": lambda x: x.max(1),
    "median": lambda x: x.median(1), "kthvalue": lambda x: x.kthvalue(2, 1), "argmax": lambda x: x.argmax(1),
    "argmin of all": lambda x: x.argmin(),
    "topk": lambda x: x.topk(2), "topk smallest": lambda x: x.topk(2, largest=False), "sort": lambda x: x.sort(),
    "sort batch": lambda x: x.sort(0, descending=True), "argsort": lambda x: x.argsort(1),
    "cumsum": lambda x: x.cumsum(1), "cumprod": lambda x: x.cumprod(1), "logcumsumexp": lambda x: x.logcumsumexp(1),
    "einsum": lambda x: tl.einsum("bi,bj->bij", x, x), "flatten": lambda x: x.flatten(),
    "fill": lambda x: x.masked_fill(x < 0, 0.5), "tril": lambda x: tl.tril(x.unsqueeze(1).expand(-1, 4, -1)),
    "normalize": F.normalize, "exponentials": lambda x: tl.expm1(x) + tl.log1p(x.abs()) + tl.exp2(x),
    "powers": lambda x: x**2 + x.abs() ** 0.5 + 2**x, "rounding": lambda x: x.floor() + x.ceil() + x.round() + x.sign(),
    "rounding 2": lambda x: x.trunc() + x.frac() + x.round(decimals=1), "atan2": lambda x: tl.atan2(x, x + 1),
    "trigonometry": lambda x: x.sin() + x.cos() + x.tan() + x.sinh() + x.atan() + x.asinh(),
    "logsumexp": lambda x: x.logsumexp(1), "one hot": lambda x: F.one_hot(x.argmax(1), 4),
    "roll": lambda x: x.roll((1, -1), (1, 1)), "roll by 2": lambda x: x.roll(2, 1), "unbind": lambda x: x.unbind(1),
    "repeat": lambda x: x.repeat(1, 2), "expand": lambda x: x[:, 0:1].expand(-1, 3),
    "repeat interleave": lambda x: x.repeat_interleave(2, 1), "flip": lambda x: x.flip(1),
    "gather": lambda x: x.gather(1, x.argmax(1, keepdim=True)), "prod": lambda x: x.prod(1),
    "erf": lambda x: tl.erf(x) + tl.erfc(x), "extremes": lambda x: tl.maximum(x, x * 2) + tl.minimum(x, -x),
    "amax": lambda x: x.amax(1) + x.amin(1), "comparison": lambda x: (x == x) & (x != x + 1) | (x >= 0.5),
    "cast": lambda x: (x > 0).float(), "to long": lambda x: (x * 3).long(), "integers": lambda x: (x * 9).long() // 4,
    "remainder": lambda x: x % 0.7 + tl.fmod(x, 0.7), "bits": lambda x: (x * 9).long() & 5 ^ 3,
    "count": lambda x: (x > 0).sum(1), "any": lambda x: (x > 0).any(1) & ~(x > 1).all(1),
    "written": written, "through views": through_views, "masked writes": masked,
    "row of the last": lambda x: x[tl.arange(x.shape[0]), (x > 0).sum(1) - 1],
    "rotary": lambda x: tl.cat([x[:, ::2] * tl.cos(tl.arange(x.shape[0])[:, None] * 0.1), x[:, 1::2]], -1),
    "diagonal": lambda x: x.unsqueeze(2).expand(-1, -1, 4).diagonal(0, 1, 2),
    "diag embed": lambda x: tl.diag_embed(x), "stack": lambda x: tl.stack([x, x + 1], 1),
    "lerp": lambda x: tl.lerp(x, x * 2, 0.3), "hypot": lambda x: tl.hypot(x, x + 1), "sinc": lambda x: tl.sinc(x),
    "scatter": lambda x: tl.zeros(x.shape[0], 4).scatter(1, x.argmax(1, keepdim=True), 1.0),
    "scatter add": lambda x: (x * 0).scatter_add(1, x.argsort(1), x),
    "nan": lambda x: tl.nan_to_num(tl.where(x > 0, float("nan"), x)),
    "softmax dim 0": lambda x: x.softmax(0), "count elements": lambda x: x / x.shape[0],
    "cdist": lambda x: tl.cdist(x, x * 2),
    "attention": lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None]),
    "causal": lambda x: F.scaled_dot_product_attention(x[None], x[None], x[None], is_causal=True),
    "positions": lambda x: x + tl.arange(x.shape[0])[:, None], "narrow": lambda x: x.narrow(1, 1, 2),
    "pad": lambda x: F.pad(x, (1, 2), value=3.0), "swap": lambda x: x.unsqueeze(2).transpose(0, 2),
    "windows": lambda x: x.unfold(1, 2, 1), "nonzero": lambda x: (x > 0).nonzero(),
}  # fmt: skip
for _name, _function in FUNCTIONS.items():
    case(_name, _function, X)
LOSSES = {
    "mse": lambda x, t: F.mse_loss(x, t), "cross entropy": lambda x, t: F.cross_entropy(x, t.argmax(1)),
    "bce": lambda x, t: F.binary_cross_entropy(x.sigmoid(), t.sigmoid()),
    "bce logits": lambda x, t: F.binary_cross_entropy_with_logits(x, t.sigmoid(), reduction="sum"),
    "smooth l1": lambda x, t: F.smooth_l1_loss(x, t), "kl": lambda x, t: F.kl_div(x.log_softmax(1), t.softmax(1)),
    "nll": lambda x, t: F.nll_loss(x.log_softmax(1), t.argmax(1), reduction="none"),
}  # fmt: skip
for _name, _loss in LOSSES.items():
    case(f"loss {_name}", _loss, X, X.flip(1) + 0.1)
