"""The style of the recipes' figures: colours safe for the colour-blind, axes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_lite.serialization.atomic import replacing

BLUE, ORANGE, GREEN, PURPLE, RED, SKY, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#666666",
)  # fmt: skip
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY, GREY, "#000000")
"""Okabe and Ito's colours."""
MARKS = "os^DvP*X"
"""One mark per colour, so that colour is never the only difference."""


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure, independent of windows and of pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def finish(axis: Any, legend: str | None = "best", **labels: Any) -> None:
    """Label the axes (``xlabel``, ``title`` ...), add a light grid and a legend."""
    axis.set(**labels)
    axis.grid(alpha=0.25, linewidth=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    if legend is not None and axis.get_legend_handles_labels()[0]:
        axis.legend(loc=legend, frameon=True, framealpha=0.9, edgecolor="0.9", fontsize=9)


def whole_numbers(axis: Any) -> None:
    """Put ticks of the x axis on whole numbers only: there is no epoch 2.5."""
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def image(
    axis: Any, values: Any, title: str = "", signed: bool = False, numbers: bool = False, bar: bool = False
) -> None:
    """Show a matrix in grey, from white (0) to black.

    With ``signed``: purple below 0, white at 0, orange above.
    """
    values = np.asarray(values, float)
    top = float(np.abs(values).max()) or 1.0
    limits = (
        {"vmin": -top, "vmax": top, "cmap": "PuOr_r"}
        if signed
        else {"vmin": min(0.0, values.min()), "vmax": top, "cmap": "gray_r"}
    )
    shown = axis.imshow(values, **limits)
    axis.set_title(title, fontsize=10)
    axis.set(xticks=[], yticks=[])
    if numbers:
        for (i, j), v in np.ndenumerate(values):
            dark = abs(v) > 0.6 * top
            axis.text(
                j, i, f"{round(v, 3):g}", ha="center", va="center", fontsize=8, color="white" if dark else "black"
            )
    if bar:
        axis.figure.colorbar(shown, ax=axis, shrink=0.8)


def save_gif(path: Path, figure: Any, frame: Callable[[int], Any], count: int, per_second: int) -> None:
    """Write ``count`` frames of ``figure`` as a looping GIF with a pause at its end."""
    from PIL import Image  # comes with matplotlib

    figure.set_dpi(80)
    images = []
    for i in range(count):
        frame(i)
        figure.canvas.draw()
        images.append(Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()))
    lasting = [1000 // per_second] * (count - 1) + [2000]
    with replacing(path) as file:
        images[0].save(file, format="GIF", save_all=True, append_images=images[1:], duration=lasting, loop=0)
