"""Recurrent layers over whole sequences: RNN, LSTM, GRU, and their cells."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tinygrad_lite.engine import new
from tinygrad_lite.engine.arguments import counted, ours
from tinygrad_lite.engine.mode import MODE
from tinygrad_lite.engine.tensor import Tensor, make
from tinygrad_lite.errors import ShapeError, describe
from tinygrad_lite.nn import functional as F
from tinygrad_lite.nn.linear import redraw, uniform_parameter
from tinygrad_lite.nn.module import Module
from tinygrad_lite.nn.utils.rnn import PackedSequence, gathered, spread
from tinygrad_lite.ops.indexing.getitem import getitem
from tinygrad_lite.ops.linalg.matmul import linear
from tinygrad_lite.ops.networks import cells as _ops
from tinygrad_lite.ops.networks.recurrent import gru_steps, lstm_steps, rnn_steps
from tinygrad_lite.ops.shape.joining import cat, stack, unbind

__all__ = ["GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "RNNCell"]


def _run_rnn(rectified: bool, outer: Any, state: Any, w: Any, b: Any, _: Any, reverse: bool, __: bool = True) -> Any:
    return (rnn_steps(outer, state[0], w, b, reverse, rectified),)


def _run_lstm(_: Any, outer: Any, state: Any, w: Any, b: Any, project: Any, reverse: bool, keep: bool = True) -> Any:
    return lstm_steps(outer, state[0], state[1], w, b, project, reverse, keep)[:2]


def _run_gru(_: Any, outer: Any, state: Any, w: Any, b: Any, __: Any, reverse: bool, keep: bool = True) -> Any:
    return gru_steps(outer, state[0], w, b, reverse, keep)[:1]


def _zeros(shape: tuple[int, ...], like: Any) -> Tensor:
    return make(new.like(like.array).zeros(shape, like.dtype))


class _Recurrent(Module):
    """All three kinds: they differ in the number of gates and in the step.

    >>> import tinygrad_lite as tl
    >>> isinstance(tl.nn.GRU(3, 5), tl.nn.RNNBase), [name for name, _ in tl.nn.GRU(3, 5).named_parameters()]
    (True, ['weight_ih_l0', 'weight_hh_l0', 'bias_ih_l0', 'bias_hh_l0'])
    """

    gates = 1
    states = 1
    steps: Any = staticmethod(_run_rnn)

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}", stacklevel=3,
            )  # fmt: skip
        for name, value in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(value, bool):
                raise TypeError(f"{name} should be of type bool, got: {type(value).__name__}")
        if input_size <= 0:
            raise ValueError("input_size must be greater than zero")
        if hidden_size <= 0:
            raise ValueError("hidden_size must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        counted(type(self).__name__, "num_layers", num_layers)
        if not 0 <= proj_size < hidden_size:
            raise ValueError(
                "proj_size has to be a positive integer, smaller than hidden_size, or zero to disable projections"
            )
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, float(dropout), bidirectional
        self.proj_size, self.mode = proj_size, next(c.__name__ for c in type(self).__mro__ if ours(c))
        out = proj_size or hidden_size
        bound, rows = 1 / math.sqrt(hidden_size), self.gates * hidden_size
        for layer in range(num_layers):
            width = input_size if layer == 0 else out * (2 if bidirectional else 1)
            for suffix in self._suffixes(layer):
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, width), "weight_hh": (rows, out)}
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    setattr(self, name + suffix, uniform_parameter(shape, bound, dtype))
        self._begun()

    def _suffixes(self, layer: int) -> tuple[str, ...]:
        return (f"_l{layer}", f"_l{layer}_reverse") if self.bidirectional else (f"_l{layer}",)

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters, one list per layer and direction."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return [
            [getattr(self, n + s) for n in names if n + s in self._parameters]
            for layer in range(self.num_layers) for s in self._suffixes(layer)
        ]  # fmt: skip

    @property
    def _flat_weights_names(self) -> list[str]:
        parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        names = [n + s for layer in range(self.num_layers) for s in self._suffixes(layer) for n in parts]
        return [n for n in names if hasattr(self, n)]

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for name in self._flat_weights_names]

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        redraw(1 / math.sqrt(self.hidden_size), *self.parameters())

    def flatten_parameters(self) -> None:
        """Do nothing: there is no device that would want them in one block."""

    def _rectified(self) -> bool:
        return False

    def _run(self, x: Any, states: tuple[Any, ...], suffix: str, lengths: Any) -> tuple[Any, tuple[Any, ...]]:
        """Return outputs (L, N, out) and last states of one layer in one direction."""
        known = self.__dict__
        w, b = known["weight_hh" + suffix], known.get("bias_hh" + suffix)
        project = known.get("weight_hr" + suffix)
        # the inputs' share of the gates, for all time steps in one product
        outer = linear(x, known["weight_ih" + suffix], known.get("bias_ih" + suffix))
        back = suffix.endswith("reverse")
        if lengths is None:
            run = self.steps(self._rectified(), outer, states, w, b, project, back, MODE.get().grad)
            return run[0], tuple(r[0 if back else -1] for r in run)
        # reverse each sequence separately, so that padding comes last in both directions
        number, t = new.arange(len(lengths)), new.arange(x.shape[0])[:, None]
        turn = (np.where(t < lengths, lengths - 1 - t, t), number)
        run = self.steps(self._rectified(), getitem(outer, turn) if back else outer, states, w, b, project, False)
        return (getitem(run[0], turn) if back else run[0]), tuple(getitem(r, (lengths - 1, number)) for r in run)

    def _check(self, input: Any, hx: Any, batch_first: bool) -> tuple[Any, bool, list[Any]]:
        name = type(self).__name__
        if not hasattr(input, "ndim") or input.ndim not in (2, 3):
            raise ShapeError(f"{name}: expected input to be 2D or 3D, got {describe(input)}")
        alone = input.ndim == 2
        if input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: input.size(-1) must be equal to input_size. Expected {self.input_size}, got "
                f"{input.shape[-1]} (x {describe(input)})"
            )
        x = input.reshape((input.shape[0], 1, input.shape[1])) if alone else input
        if batch_first and not alone:
            x = x.permute(1, 0, 2)
        length, n = x.shape[:2]
        if not length:
            raise ShapeError(f"{name}: expected sequence length to be larger than 0 (x {describe(input)})")
        rows = self.num_layers * (2 if self.bidirectional else 1)
        sizes = [self.proj_size or self.hidden_size, self.hidden_size][: self.states]
        if hx is None:
            return x, alone, [_zeros((rows, n, s), input) for s in sizes]
        given = list(hx) if self.states == 2 and isinstance(hx, (tuple, list)) else [hx]
        if len(given) != self.states:
            raise ShapeError(f"{name}: expected {self.states} initial states, got {len(given)}")
        states = []
        for h, s in zip(given, sizes, strict=True):
            wanted = (rows, s) if alone else (rows, n, s)
            if tuple(getattr(h, "shape", ())) != wanted:
                raise ShapeError(f"{name}: expected hidden size {wanted}, got {describe(h)}")
            states.append(h.reshape((rows, 1, s)) if alone else h)
        return x, alone, states

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Return the last layer's outputs, and the last states of all layers.

        A `PackedSequence` gives a `PackedSequence`; states are in the order in which its sequences came.
        """
        packed, lengths, batch_first = None, None, self.batch_first
        if isinstance(input, PackedSequence):
            packed, batch_first = input, False
            input, lengths = spread(packed)
        x, alone, first = self._check(input, hx, batch_first)
        if packed is not None and hx is not None and packed.sorted_indices is not None:
            first = [getitem(s, (slice(None), packed.sorted_indices.array)) for s in first]
        begun = [unbind(s, 0) for s in first]
        ended: list[tuple[Any, ...]] = []
        for layer in range(self.num_layers):
            found = []
            for suffix in self._suffixes(layer):
                y, last = self._run(x, tuple(s[len(ended)] for s in begun), suffix, lengths)
                found.append(y)
                ended.append(last)
            x = found[0] if len(found) == 1 else cat(found, -1)
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        if batch_first and not alone:
            x = x.permute(1, 0, 2)
        states = [stack([e[k] for e in ended], 0) for k in range(self.states)]
        if alone:
            x = x.reshape((x.shape[0], x.shape[2]))
            states = [s.reshape((s.shape[0], s.shape[2])) for s in states]
        if packed is not None:
            x = gathered(x, packed)
            if packed.unsorted_indices is not None:
                states = [getitem(s, (slice(None), packed.unsorted_indices.array)) for s in states]
        return x, (tuple(states) if self.states == 2 else states[0])

    def extra_repr(self) -> str:
        """Return the constructor's arguments that are not the usual ones."""
        text = f"{self.input_size}, {self.hidden_size}"
        usual = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        return text + "".join(f", {k}={getattr(self, k)}" for k, v in usual.items() if getattr(self, k) != v)


class RNN(_Recurrent):
    r"""Compute Elman's network, with tanh or ReLU.

    :math:`h_t = \tanh(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})`

    Input (L, N, input_size), (N, L, input_size) with ``batch_first``, or (L, input_size). Returns all outputs of
    the last layer and the last state of each layer and direction.

    >>> import tinygrad_lite as tl
    >>> tl.nn.RNN(3, 5, batch_first=True)(tl.ones(2, 7, 3))[0].shape
    (2, 7, 5)
    """

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
        self.nonlinearity = nonlinearity
        self.mode = f"RNN_{nonlinearity.upper()}"

    def _rectified(self) -> bool:
        return self.nonlinearity == "relu"


class LSTM(_Recurrent):
    """Long short-term memory; states (h, c). See `RNN` for the shapes.

    >>> import tinygrad_lite as tl
    >>> out, (h, c) = tl.nn.LSTM(3, 5, num_layers=2)(tl.ones(7, 4, 3))
    >>> out.shape, h.shape, c.shape
    ((7, 4, 5), (2, 4, 5), (2, 4, 5))
    """

    gates = 4
    states = 2
    steps = staticmethod(_run_lstm)


class GRU(_Recurrent):
    """Gated recurrent unit. See `RNN` for the shapes.

    >>> import tinygrad_lite as tl
    >>> tl.nn.GRU(3, 5, batch_first=True)(tl.ones(2, 7, 3))[0].shape
    (2, 7, 5)
    """

    gates = 3
    steps = staticmethod(_run_gru)

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )


# ------------------------------------------------------------------------------------------------ one step
def _one_step(steps: Any, rectified: bool, input: Any, given: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    """Return the state, or the two of an LSTM, after a sequence of one time step."""
    x = input.reshape((1, 1, -1)) if input.ndim == 1 else input.reshape((1, *input.shape))
    begun = tuple(h.reshape((1, -1)) for h in given) if input.ndim == 1 else tuple(given)
    out = steps(rectified, linear(x, w_ih, b_ih), begun, w_hh, b_hh, None, False)
    out = tuple(r.reshape(tuple(given[0].shape)) for r in out)
    return out if len(out) == 2 else out[0]


def lstm_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """Return (h, c) after one step of `LSTM` with these weights."""
    return _one_step(_run_lstm, False, input, list(hx), w_ih, w_hh, b_ih, b_hh)


def gru_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """Return the state after one step of `GRU` with these weights."""
    return _one_step(_run_gru, False, input, [hx], w_ih, w_hh, b_ih, b_hh)


def rnn_tanh_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """Return the state after one step of `RNN` with these weights."""
    return _one_step(_run_rnn, False, input, [hx], w_ih, w_hh, b_ih, b_hh)


def rnn_relu_cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """Return the state after one step of `RNN` with ReLU and these weights."""
    return _one_step(_run_rnn, True, input, [hx], w_ih, w_hh, b_ih, b_hh)


class _Cell(Module):
    gates = 1
    states = 1
    steps: Any = staticmethod(_run_rnn)
    _cell: Any

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        bound, rows = (1 / math.sqrt(hidden_size) if hidden_size > 0 else 0.0), self.gates * hidden_size
        self.weight_ih = uniform_parameter((rows, input_size), bound, dtype)
        self.weight_hh = uniform_parameter((rows, hidden_size), bound, dtype)
        self.register_parameter("bias_ih", uniform_parameter((rows,), bound, dtype) if bias else None)
        self.register_parameter("bias_hh", uniform_parameter((rows,), bound, dtype) if bias else None)
        self._begun()

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        redraw(1 / math.sqrt(self.hidden_size), *self.parameters())

    def _rectified(self) -> bool:
        return False

    def forward(self, input: Any, hx: Any = None) -> Any:
        """Return the state after one step of ``input`` (N, input_size) or (input_size)."""
        name = type(self).__name__
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: expected input (N, {self.input_size}) or ({self.input_size},), got {describe(input)}"
            )
        shape = (*input.shape[:-1], self.hidden_size)
        if hx is None:
            given: Any = [_zeros(shape, input) for _ in range(self.states)]
        else:
            given = list(hx) if self.states == 2 else [hx]
        for h in given:
            if tuple(h.shape) != shape:
                raise ShapeError(f"{name}: expected hidden state {shape}, got {describe(h)}")
        known = self.__dict__
        if input.ndim > 1:
            return self._cell(input, *given, self.weight_ih, self.weight_hh, known["bias_ih"], known["bias_hh"])
        return _one_step(
            self.steps, self._rectified(), input, given, self.weight_ih, self.weight_hh, known["bias_ih"],
            known["bias_hh"],
        )  # fmt: skip

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """One step of `RNN`.

    >>> import tinygrad_lite as tl
    >>> tl.nn.RNNCell(3, 5)(tl.ones(2, 3)).shape
    (2, 5)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, device, dtype)
        if nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {nonlinearity}")
        self.nonlinearity = nonlinearity

    def _rectified(self) -> bool:
        return self.nonlinearity == "relu"

    def _cell(self, *given: Any) -> Any:
        cell: Any = _ops.rnn_cell
        return cell(*given, rectified=self.nonlinearity == "relu")

    def extra_repr(self) -> str:
        """Return the constructor's arguments."""
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """One step of `LSTM`: takes and returns (h, c).

    >>> import tinygrad_lite as tl
    >>> tl.nn.LSTMCell(3, 5)(tl.ones(2, 3))[0].shape
    (2, 5)
    """

    gates = 4
    states = 2
    steps = staticmethod(_run_lstm)

    def _cell(self, *given: Any) -> Any:
        return _ops.lstm_cell(*given)[:2]


class GRUCell(_Cell):
    """One step of `GRU`.

    >>> import tinygrad_lite as tl
    >>> tl.nn.GRUCell(3, 5)(tl.ones(2, 3)).shape
    (2, 5)
    """

    gates = 3
    steps = staticmethod(_run_gru)

    def _cell(self, *given: Any) -> Any:
        return _ops.gru_cell(*given)[0]
