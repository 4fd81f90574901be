"""The history of a training: one list of numbers per column, as a data frame and as a plot."""

from __future__ import annotations

from typing import Any

from tinygrad_lite.engine.arguments import named_constructor
from tinygrad_lite.engine.printing import html_table
from tinygrad_lite.errors import require
from tinygrad_lite.training.progress import due


@named_constructor
class History(dict[str, list[float]]):
    """A dict of columns, one number per epoch in which the column was recorded.

    >>> history = History()
    >>> history.record(1, {"loss": 0.5})
    >>> history.record(2, {"loss": 0.25, "val_loss": 0.3})
    >>> history
    {'loss': [0.5, 0.25], 'val_loss': [0.3]}
    >>> history.epochs("val_loss")
    [2]
    """

    def __init__(self, columns: Any = (), epochs: Any = ()) -> None:
        super().__init__({name: list(values) for name, values in dict(columns).items()})
        self._epochs: dict[str, list[int]] = {name: list(numbers) for name, numbers in dict(epochs).items()}

    def record(self, epoch: int, numbers: dict[str, float]) -> None:
        """Append the numbers of one epoch."""
        for name, value in numbers.items():
            self.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)

    def epochs(self, name: str) -> list[int]:
        """Return the epoch of each number in a column; a column of a callback's own counts from 1."""
        known = self._epochs.get(name, [])
        return known if len(known) == len(self[name]) else list(range(1, len(self[name]) + 1))

    def to_frame(self) -> Any:
        """Return a pandas data frame indexed by epoch, NaN where a column was not recorded.

        Raises ImportError without pandas.
        """
        pandas = require("pandas", extra="frame")
        columns = {name: pandas.Series(values, self.epochs(name), dtype=float) for name, values in self.items()}
        frame = pandas.DataFrame(columns)
        frame.index.name = "epoch"
        return frame

    def _repr_html_(self) -> str:
        known = {name: dict(zip(self.epochs(name), self[name], strict=True)) for name in self}
        epochs = sorted({e for column in known.values() for e in column})
        rows = [
            [str(e), *("" if e not in column else f"{column[e]:.4g}" for column in known.values())]
            for e in epochs
            if due(e) or e == epochs[-1]
        ]
        return html_table(["epoch", *self], rows, ())

    def plot(self, *names: str, ax: Any = None) -> Any:
        """Plot columns over the epochs, by default the losses and metrics, and return the Matplotlib axes.

        A column and its ``val_`` twin share a colour; the twin is dashed. Raises ImportError without Matplotlib.
        """
        pyplot = require("matplotlib.pyplot", extra="plot")
        for name in names:
            if name not in self:
                raise KeyError(f"History: there is no column {name!r}; the history has {', '.join(self)}")
        axes = pyplot.subplots()[1] if ax is None else ax
        colours: dict[str, Any] = {}
        for name in names or [n for n in self if n not in ("lr", "seconds")]:
            pair = name.removeprefix("val_")
            style = "--" if name.startswith("val_") else "-"
            marker = "o" if len(self[name]) == 1 else None
            (drawn,) = axes.plot(
                self.epochs(name), self[name], style, marker=marker, label=name, color=colours.get(pair)
            )
            colours.setdefault(pair, drawn.get_color())
        axes.set_xlabel("epoch")
        axes.legend()
        return axes
