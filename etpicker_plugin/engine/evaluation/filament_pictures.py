"""Picked filaments over the true ones, seen along z and, in tomograms, along y."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.filaments.marks import filaments_of
from etpicker_plugin.engine.particles import Particles

MOST_TOMOGRAMS = 6
VIEWS = (("x", "y", 2, 1), ("x", "z", 2, 0))
"""Of each panel: the labels of its axes, and which of zyx they are."""

HOW_TO_READ = (
    "Each filament is a line, seen along z, and in a tomogram along y (right), in "
    "voxels: wide and grey, a true one; thin and coloured, a picked one, each colour "
    "one filament. Grey alone was missed, colour alone is false, two colours on one "
    "grey line are pieces of one filament."
)


def draw_filaments(
    pairs: Mapping[str, tuple[Particles, Particles]], class_names: Sequence[str]
) -> Figure:
    """Draw the filaments of all classes in each tomogram, of some tomograms.

    Parameters
    ----------
    pairs
        Tomogram to picks and truth.
    class_names
        Of the classes of filaments.
    """
    shown = dict(list(pairs.items())[:MOST_TOMOGRAMS])
    is_deep = any(p.positions_zyx[:, 0].any() for pair in shown.values() for p in pair)
    views = VIEWS if is_deep else VIEWS[:1]
    size = (5.5 * len(views), 0.4 + 4.6 * len(shown))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(shown), len(views), squeeze=False)
    for row, (name, (picks, truth)) in zip(panels, shown.items(), strict=True):
        for axes, (across, up, *columns) in zip(row, views, strict=True):
            _draw(axes, _curves(truth, class_names), columns, width=5.0, colour="0.75")
            _draw(axes, _curves(picks, class_names), columns, width=1.4)
            axes.set(xlabel=across, ylabel=up, aspect="equal", title=name)
    return figure


def _curves(particles: Particles, class_names: Sequence[str]) -> list[FloatArray]:
    return [f.points_zyx for n in class_names for f in filaments_of(particles, n)]


def _draw(
    axes: Axes,
    curves: Sequence[FloatArray],
    columns: Sequence[int],
    *,
    width: float,
    colour: str = "",
) -> None:
    for number, points in enumerate(curves):
        first, second = points[:, columns].T
        axes.plot(first, second, color=colour or f"C{number % 10}", linewidth=width)
