"""Names on plots as they are: matplotlib takes ``$x$`` for a formula, or fails."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text


def literal(figure: Figure) -> Figure:
    """Return the figure with every text taken literally.

    The powers of ten beside a logarithmic axis, which no name is among, stay formulas.
    """
    axes = [axis for place in figure.axes for axis in (place.xaxis, place.yaxis)]
    powers = {id(label) for axis in axes for label in _powers(axis)}
    for text in figure.findobj(Text):
        if isinstance(text, Text) and id(text) not in powers:
            text.set_parse_math(False)
    return figure


def _powers(axis: Axis) -> list[Text]:
    """Return the tick labels of a logarithmic axis."""
    if axis.get_scale() != "log":
        return []
    return [*axis.get_majorticklabels(), *axis.get_minorticklabels()]
