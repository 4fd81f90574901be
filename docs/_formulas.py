# ruff: noqa: E501
"""The formulas on the pages of layers and of their functions, for those whose docstrings have none."""

from __future__ import annotations

import re

import _formulas_rooms

NORM = r"y = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}\, \gamma + \beta"
SIZE = r"L' = \left\lfloor \frac{L + 2\,\mathrm{padding} - d\,(k - 1) - 1}{s} \right\rfloor + 1"
BACK = r"L' = (L - 1)\, s - 2\,\mathrm{padding} + d\,(k - 1) + \mathrm{output\_padding} + 1"
TABLE = (  # names of layers and functions, the formula, what its letters mean
    ("ReLU relu", r"y = \max(0, x)", ""),
    ("ReLU6 relu6", r"y = \min(\max(0, x), 6)", ""),
    ("LeakyReLU leaky_relu", r"y = \max(0, x) + s \min(0, x)", "s: ``negative_slope``"),
    ("PReLU prelu", r"y = \max(0, x) + w \min(0, x)", "w: the learned ``weight``, one or one per channel"),
    ("RReLU", r"y = \max(0, x) + s \min(0, x)", "s: drawn between ``lower`` and ``upper`` in training, their mean in evaluation"),
    ("ELU elu", r"y = \max(0, x) + \min(0, \alpha (e^x - 1))", ""),
    ("SELU selu", r"y = \lambda \left(\max(0, x) + \min(0, \alpha (e^x - 1))\right)", "α = 1.6733, λ = 1.0507"),
    ("CELU celu", r"y = \max(0, x) + \min(0, \alpha (e^{x / \alpha} - 1))", ""),
    ("SiLU silu", r"y = x\, \sigma(x) = \frac{x}{1 + e^{-x}}", ""),
    ("Mish mish", r"y = x \tanh(\log(1 + e^x))", ""),
    ("Tanh", r"y = \tanh x = \frac{e^x - e^{-x}}{e^x + e^{-x}}", ""),
    ("LogSigmoid logsigmoid", r"y = -\log(1 + e^{-x})", ""),
    ("Softplus softplus", r"y = \frac{1}{\beta} \log(1 + e^{\beta x})", "x itself where β x exceeds ``threshold``"),
    ("Softsign softsign", r"y = \frac{x}{1 + |x|}", ""),
    ("Softshrink softshrink", r"y = \mathrm{sign}(x) \max(|x| - \lambda, 0)", "λ: ``lambd``"),
    ("Hardshrink hardshrink", r"y = x \text{ if } |x| > \lambda, \quad 0 \text{ otherwise}", "λ: ``lambd``"),
    ("Tanhshrink tanhshrink", r"y = x - \tanh x", ""),
    ("Hardtanh hardtanh", r"y = \min(\max(x, a), b)", "a, b: ``min_val``, ``max_val``"),
    ("Hardsigmoid hardsigmoid", r"y = \min(\max(x / 6 + 1 / 2,\ 0), 1)", ""),
    ("Hardswish hardswish", r"y = x \min(\max(x / 6 + 1 / 2,\ 0), 1)", ""),
    ("Threshold threshold", r"y = x \text{ if } x > t, \quad v \text{ otherwise}", "t, v: ``threshold``, ``value``"),
    ("GLU glu", r"y = a\, \sigma(b)", "a, b: the two halves of the input along ``dim``"),
    ("Softmax softmax", r"y_i = \frac{e^{x_i}}{\sum_j e^{x_j}}", "sums along ``dim``"),
    ("Softmax2d", r"y_c = \frac{e^{x_c}}{\sum_j e^{x_j}}", "sums over the channels of (N, C, H, W)"),
    ("Softmin softmin", r"y_i = \frac{e^{-x_i}}{\sum_j e^{-x_j}}", "sums along ``dim``"),
    ("LogSoftmax log_softmax", r"y_i = x_i - \log \sum_j e^{x_j}", "sums along ``dim``"),
    ("MSELoss mse_loss", r"\ell = (x - y)^2", "each element; ``reduction`` takes their mean or sum"),
    ("L1Loss l1_loss", r"\ell = |x - y|", "each element; ``reduction`` takes their mean or sum"),
    ("SmoothL1Loss smooth_l1_loss",
     r"\ell = \frac{(x - y)^2}{2 \beta} \text{ if } |x - y| < \beta, \quad |x - y| - \frac{\beta}{2} \text{ otherwise}", ""),
    ("HuberLoss huber_loss",
     r"\ell = \frac{(x - y)^2}{2} \text{ if } |x - y| \le \delta, \quad \delta \left(|x - y| - \frac{\delta}{2}\right)"
     r" \text{ otherwise}", ""),
    ("BCEWithLogitsLoss binary_cross_entropy_with_logits",
     r"\ell = -w \left[p\, y \log \sigma(x) + (1 - y) \log(1 - \sigma(x))\right]", "w, p: ``weight``, ``pos_weight``"),
    ("NLLLoss NLLLoss2d nll_loss", r"\ell = -w_y\, x_y", "x: log-probabilities, y: the class"),
    ("KLDivLoss kl_div", r"\ell = y\, (\log y - x)", "x: log-probabilities"),
    ("PoissonNLLLoss poisson_nll_loss", r"\ell = e^x - x y", "with ``log_input=False``: x - y log(x + ε)"),
    ("GaussianNLLLoss gaussian_nll_loss", r"\ell = \frac{1}{2} \left(\log v + \frac{(x - y)^2}{v}\right)", "v: ``var``, at least ``eps``"),
    ("HingeEmbeddingLoss hinge_embedding_loss",
     r"\ell = x \text{ if } y = 1, \quad \max(0, \mathrm{margin} - x) \text{ if } y = -1", ""),
    ("SoftMarginLoss soft_margin_loss", r"\ell = \log(1 + e^{-x y})", ""),
    ("MarginRankingLoss margin_ranking_loss", r"\ell = \max(0, -y\, (x_1 - x_2) + \mathrm{margin})", ""),
    ("MultiMarginLoss multi_margin_loss", r"\ell = \frac{1}{C} \sum_{j \ne y} w_y \max(0, \mathrm{margin} - x_y + x_j)^p", ""),
    ("MultiLabelMarginLoss multilabel_margin_loss",
     r"\ell = \frac{1}{C} \sum_{j \in y} \sum_{i \notin y} \max(0, 1 - x_j + x_i)", ""),
    ("MultiLabelSoftMarginLoss multilabel_soft_margin_loss",
     r"\ell = -\frac{1}{C} \sum_c w_c \left[y_c \log \sigma(x_c) + (1 - y_c) \log \sigma(-x_c)\right]", ""),
    ("CosineEmbeddingLoss cosine_embedding_loss",
     r"\ell = 1 - \cos(x_1, x_2) \text{ if } y = 1, \quad \max(0, \cos(x_1, x_2) - \mathrm{margin}) \text{ if } y = -1", ""),
    ("TripletMarginLoss triplet_margin_loss",
     r"\ell = \max(0, \lVert a - p \rVert - \lVert a - n \rVert + \mathrm{margin})", "a, p, n: anchor, positive, negative"),
    ("TripletMarginWithDistanceLoss triplet_margin_with_distance_loss",
     r"\ell = \max(0, d(a, p) - d(a, n) + \mathrm{margin})", "a, p, n: anchor, positive, negative"),
    ("PairwiseDistance pairwise_distance", r"y = \lVert x_1 - x_2 + \varepsilon \rVert_p", ""),
    ("CosineSimilarity cosine_similarity", r"y = \frac{x_1 \cdot x_2}{\lVert x_1 \rVert \lVert x_2 \rVert}", "norms at least ``eps``"),
    ("BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d batch_norm", NORM,
     "μ, σ²: of each channel, over the batch and all positions; in evaluation the running ones"),
    ("InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d instance_norm",
     NORM, "μ, σ²: of each channel of each example, over all positions"),
    ("LayerNorm layer_norm", NORM, "μ, σ²: over the axes of ``normalized_shape``"),
    ("GroupNorm group_norm", NORM, "μ, σ²: of each group of channels of each example"),
    ("RMSNorm rms_norm", r"y = \frac{x}{\sqrt{\mathrm{mean}(x^2) + \varepsilon}}\, \gamma", "the mean over ``normalized_shape``"),
    ("Dropout", r"y = \frac{m\, x}{1 - p}, \qquad m = 0 \text{ with probability } p, \text{ else } 1", "in training; y = x in evaluation"),
    ("Dropout1d Dropout2d Dropout3d", r"y = \frac{m\, x}{1 - p}, \qquad m = 0 \text{ with probability } p, \text{ else } 1",
     "one m for each channel, in training; y = x in evaluation"),
    ("MaxPool1d max_pool1d", r"y_i = \max_{0 \le a < k} x_{s i + d a - \mathrm{padding}}" + "\n\n" + SIZE, "s, d: stride, dilation"),
    ("MaxPool2d MaxPool3d max_pool2d max_pool3d", r"y_i = \max_{0 \le a < k} x_{s i + d a - \mathrm{padding}}" + "\n\n" + SIZE,
     "along each axis; s, d: stride, dilation"),
    ("AvgPool1d avg_pool1d", r"y_i = \frac{1}{k} \sum_{0 \le a < k} x_{s i + a - \mathrm{padding}}", "s: stride"),
    ("AvgPool2d AvgPool3d avg_pool2d avg_pool3d", r"y_i = \frac{1}{k} \sum_{0 \le a < k} x_{s i + a - \mathrm{padding}}",
     "along each axis; s: stride"),
    ("LPPool1d LPPool3d lp_pool1d lp_pool3d", r"y_i = \left(\sum_{0 \le a < k} x_{s i + a}^p\right)^{1 / p}", "p: ``norm_type``, s: stride"),
    ("AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d",
     r"y_i = \mathrm{mean}\; x_j, \qquad \lfloor i L / L' \rfloor \le j < \lceil (i + 1) L / L' \rceil", "L, L': input and output size of an axis"),
    ("AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d",
     r"y_i = \max x_j, \qquad \lfloor i L / L' \rfloor \le j < \lceil (i + 1) L / L' \rceil", "L, L': input and output size of an axis"),
    ("Conv1d LazyConv1d conv1d", r"y_{o,i} = b_o + \sum_{c,a} w_{o,c,a}\, x_{c,\,si+da-\mathrm{padding}}" + "\n\n" + SIZE,
     "s, d: stride, dilation"),
    ("Conv2d LazyConv2d", r"y_{o,i,j} = b_o + \sum_{c,p,q} w_{o,c,p,q}\, x_{c,\,si+dp,\,sj+dq}" + "\n\n" + SIZE,
     "s, d: stride, dilation; the size along each axis"),
    ("Conv3d LazyConv3d conv3d", r"y_{o,i,j,k} = b_o + \sum_{c,p,q,r} w_{o,c,p,q,r}\, x_{c,\,si+dp,\,sj+dq,\,sk+dr}" + "\n\n" + SIZE,
     "s, d: stride, dilation; the size along each axis"),
    ("ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d"
     " conv_transpose1d conv_transpose2d conv_transpose3d",
     r"y = M^\top x" + "\n\n" + BACK, "M: the matrix of the convolution with these weights; s, d: stride, dilation; the size along each axis"),
    ("RNNCell", r"h_t = \tanh(W_{ih}\, x_t + b_{ih} + W_{hh}\, h_{t-1} + b_{hh})", "or relu in place of tanh"),
    ("GRU GRUCell", "\n\n".join((
        r"r = \sigma(W_{ir} x_t + b_{ir} + W_{hr} h_{t-1} + b_{hr})",
        r"z = \sigma(W_{iz} x_t + b_{iz} + W_{hz} h_{t-1} + b_{hz})",
        r"n = \tanh(W_{in} x_t + b_{in} + r\, (W_{hn} h_{t-1} + b_{hn}))",
        r"h_t = (1 - z)\, n + z\, h_{t-1}",
    )), ""),
    ("LSTM LSTMCell", "\n\n".join((
        r"i, f, o = \sigma(W_{i} x_t + b_{i} + W_{h} h_{t-1} + b_{h})",
        r"g = \tanh(W_{ig} x_t + b_{ig} + W_{hg} h_{t-1} + b_{hg})",
        r"c_t = f\, c_{t-1} + i\, g, \qquad h_t = o \tanh c_t",
    )), "each of i, f, o has weights of its own"),
    ("MultiheadAttention", r"\mathrm{head}_k = \mathrm{softmax}\!\left(\frac{Q_k K_k^\top}{\sqrt d} + M\right) V_k, \qquad"
     r" y = W_o\, [\mathrm{head}_1, \ldots, \mathrm{head}_h]", "d: the width of a head, M: the mask"),
    ("PixelShuffle pixel_shuffle", r"(N,\, C r^2,\, H,\, W) \to (N,\, C,\, H r,\, W r)", "r: ``upscale_factor``"),
    ("PixelUnshuffle pixel_unshuffle", r"(N,\, C,\, H r,\, W r) \to (N,\, C r^2,\, H,\, W)", "r: ``downscale_factor``"),
    ("Embedding embedding EmbeddingBag", r"y_i = W_{x_i}", "W: ``weight``; a bag takes the mean, sum or maximum of its rows"),
)  # fmt: skip
FORMULAS = {name: (text, where) for names, text, where in (*TABLE, *_formulas_rooms.TABLE) for name in names.split()}


def formula(name: str) -> list[str]:
    """Return the lines that show the formula of a name, none if there is none."""
    place, _, last = name.rpartition(".")
    short = last.removesuffix("_with_indices") if place in ("", "nn", "nn.functional") else name
    if short not in FORMULAS:
        return []
    text, where = FORMULAS[short]
    parts = [
        line for part in re.split(r"\n\n|, \\qquad ", text) for line in (f"   {part}", "")
    ]  # one a line, for phones
    return ["", ".. math::", "", *parts, *([f"({where})", ""] if where else [])]
