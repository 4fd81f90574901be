"""The networks of the recipes, each a small named module."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_lite import Tensor, nn, tensor

ACTIVATIONS = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}


class XorNet(nn.Module):
    """Compute exclusive or: 2 inputs, 3 hidden units, 1 output.

    ``activation`` ("tanh" or "sigmoid") follows both layers.

    >>> import tinygrad_lite as tl
    >>> net = XorNet()
    >>> net(tl.zeros(4, 2)).shape, sum(p.numel() for p in net.parameters())
    ((4, 1), 13)
    """

    def __init__(self, activation: str = "tanh", hidden: int = 3, dtype: Any = None) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"XorNet: activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}")
        self.hidden = nn.Linear(2, hidden, dtype=dtype)
        self.activation = ACTIVATIONS[activation]()
        self.out = nn.Linear(hidden, 1, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """Map points (N, 2) to answers (N, 1)."""
        return self.activation(self.out(self.activation(self.hidden(x))))


class CubicNet(nn.Module):
    """Fit a curve: 1 input, 10 ReLU units, 1 output.

    The curve is a line with up to ten bends.

    >>> import tinygrad_lite as tl
    >>> CubicNet()(tl.zeros(5, 1)).shape
    (5, 1)
    """

    def __init__(self, hidden: int = 10, dtype: Any = None) -> None:
        super().__init__()
        self.hidden = nn.Linear(1, hidden, dtype=dtype)
        self.out = nn.Linear(hidden, 1, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """Map x (N, 1) to y (N, 1)."""
        return self.out(self.hidden(x).relu())


class TinyCNN(nn.Module):
    """The 5x5 network: 28 parameters, small enough to follow every number by hand.

    5x5 -> convolution 2x2 -> 4x4, ReLU -> max-pool 2x2 -> 2x2 -> 4 -> 3 sigmoid units -> 2 sigmoid units.

    >>> import tinygrad_lite as tl
    >>> net = TinyCNN()
    >>> net(tl.zeros(1, 1, 5, 5)).shape, net.count()
    ((1, 2), '5 + 15 + 8 = 28')
    """

    def __init__(self, dtype: Any = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 2, dtype=dtype)
        self.pool = nn.MaxPool2d(2)
        self.hidden = nn.Linear(4, 3, dtype=dtype)
        self.out = nn.Linear(3, 2, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """Map images (N, 1, 5, 5) to two numbers between 0 and 1 (N, 2)."""
        x = self.pool(self.conv(x).relu())
        return self.out(self.hidden(x.flatten(1)).sigmoid()).sigmoid()

    def count(self) -> str:
        """Return the number of parameters of each layer and their sum, written out."""
        each = [sum(p.numel() for p in layer.parameters()) for layer in (self.conv, self.hidden, self.out)]
        return f"{' + '.join(map(str, each))} = {sum(each)}"

    def shapes(self, x: Any) -> list[tuple[int, ...]]:
        """Return the shape of the image and of each layer's output, without batch axis."""
        convolved = self.conv(x).relu()
        pooled = self.pool(convolved)
        flat = pooled.flatten(1)
        hidden = self.hidden(flat).sigmoid()
        return [tuple(t.shape[1:]) for t in (x[:, 0], convolved[:, 0], pooled[:, 0], flat, hidden, self.out(hidden))]


class DigitsCNN(nn.Module):
    """Distinguish two digits with 5 kernels 3x3 and two dense layers.

    Convolution with untied bias, sigmoid, dense 100, sigmoid, dense 2, sigmoid.

    ``size`` is the side of the images: 28 (MNIST; 3,380 values after the convolution) or 8 (UCI; 180).

    >>> import tinygrad_lite as tl
    >>> DigitsCNN(28).conv.bias.shape, DigitsCNN(28).hidden.in_features, DigitsCNN(8)(tl.zeros(3, 1, 8, 8)).shape
    ((5, 26, 26), 3380, (3, 2))
    """

    def __init__(self, size: int = 8, dtype: Any = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 5, 3, bias="untied", input_size=(size, size), dtype=dtype)
        self.hidden = nn.Linear(5 * (size - 2) ** 2, 100, dtype=dtype)
        self.out = nn.Linear(100, 2, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """Map images (N, 1, size, size) to the probability of each digit (N, 2)."""
        x = self.conv(x).sigmoid()
        return self.out(self.hidden(x.flatten(1)).sigmoid()).sigmoid()


class SmallCNN(nn.Module):
    """Classify digits in 8x8 scans.

    Two normalised convolutions 3x3, a max-pool, two dense layers with dropout between them.

    >>> import tinygrad_lite as tl
    >>> SmallCNN()(tl.zeros(3, 1, 8, 8)).shape
    (3, 10)
    """

    def __init__(self, classes: int = 10, dtype: Any = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, dtype=dtype)
        self.norm1 = nn.BatchNorm2d(16, dtype=dtype)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1, dtype=dtype)
        self.norm2 = nn.BatchNorm2d(32, dtype=dtype)
        self.pool = nn.MaxPool2d(2)
        self.hidden = nn.Linear(512, 64, dtype=dtype)
        self.drop = nn.Dropout(0.25)
        self.out = nn.Linear(64, classes, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """Map images (N, 1, 8, 8) to scores (N, classes)."""
        return self.out(self.drop(self.hidden(self.features(x).flatten(1)).relu()))

    def features(self, x: Any) -> Any:
        """Map images (N, 1, 8, 8) to what the dense layers see of them (N, 32, 4, 4)."""
        return self.pool(self.norm2(self.conv2(self.norm1(self.conv1(x).relu())).relu()))


class LeNet(nn.Module):
    """Classify 28x28 images with LeNet-5, with ReLU and max-pooling.

    The images are padded to 32x32, the size of the original.

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), Gradient-based learning applied to document recognition.

    >>> import tinygrad_lite as tl
    >>> net = LeNet()
    >>> net(tl.zeros(2, 1, 28, 28)).shape, sum(p.numel() for p in net.parameters())
    ((2, 10), 61706)
    """

    def __init__(self, classes: int = 10, dtype: Any = None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2, dtype=dtype)
        self.conv2 = nn.Conv2d(6, 16, 5, dtype=dtype)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(400, 120, dtype=dtype)
        self.fc2 = nn.Linear(120, 84, dtype=dtype)
        self.fc3 = nn.Linear(84, classes, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """Map images (N, 1, 28, 28) to scores (N, classes)."""
        x = self.pool(self.conv1(x).relu())
        x = self.pool(self.conv2(x).relu())
        return self.fc3(self.fc2(self.fc1(x.flatten(1)).relu()).relu())


class UpDown(nn.Module):
    """Predict whether a series rises (+1) or falls (-1) with a kernel of two weights.

    The answer is the mean of the convolution.

    >>> import tinygrad_lite as tl
    >>> net = UpDown()
    >>> net.conv.weight.data = tl.tensor([[[-1.0, 1.0]]])
    >>> net(tl.tensor([[[1.0, 2.0, 3.0]], [[3.0, 2.0, 1.0]]])).tolist()
    [1.0, -1.0]
    """

    def __init__(self, dtype: Any = None) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 2, bias=False, dtype=dtype)

    def forward(self, x: Any) -> Any:
        """Map series (N, 1, length) to answers (N,)."""
        return self.conv(x).mean((1, 2))


LINES = {
    "row": [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]],
    "column": [[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]],
    "diagonal \\": [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]],
    "diagonal /": [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]],
}
"""The kernels of `LineDetector` by the direction of the line that they answer to."""


class LineDetector(nn.Module):
    """Find lines with four fixed 3x3 kernels, by full convolution.

    -1 2 -1 across rows, columns and both diagonals.

    Nothing is trained: the kernels are a buffer. An image (N, 1, H, W) gives responses (N, 4, H + 2, W + 2).

    >>> import tinygrad_lite as tl
    >>> image = tl.zeros(1, 1, 5, 5)
    >>> image.array[0, 0, 2] = 1.0
    >>> LineDetector()(image)[0, :, 3, 3].tolist()
    [6.0, 0.0, 0.0, 0.0]
    """

    kernels: Tensor

    def __init__(self, threshold: float = 1.5, dtype: Any = None) -> None:
        super().__init__()
        self.threshold = threshold
        kernels = np.array(list(LINES.values()), dtype or np.float32)[:, None]
        self.register_buffer("kernels", tensor(kernels))

    def forward(self, x: Any) -> Any:
        """Return the response to each kernel."""
        return nn.functional.conv2d(x, self.kernels, padding="full", flip=True)

    def lines(self, x: Any) -> Any:
        """Return where each response is above the threshold, as booleans."""
        return self(x) > self.threshold
