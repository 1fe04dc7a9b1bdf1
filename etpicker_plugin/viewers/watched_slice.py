"""The validation slice of a running training, with the picks so far."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.training.validation_slice import ValidationSlice
from etpicker_plugin.viewers.slices import class_colours, sections_at

PERCENTILES = (1, 99)


def draw_validation_slice(axes: Axes, shown: ValidationSlice) -> None:
    """Draw the slice, the particles marked (white, dashed) and the picks (coloured)."""
    low, high = np.percentile(shown.image.astype(np.float32), PERCENTILES)
    axes.imshow(
        shown.image,
        cmap="gray",
        origin="lower",
        vmin=low,
        vmax=high,
        interpolation="bilinear",
    )
    axes.set_autoscale_on(False)
    (y, x), (y_end, x_end) = shown.held_out_yx - 0.5
    frame = Rectangle((x, y), x_end - x, y_end - y, fill=False, ec="white", lw=0.8)
    axes.add_patch(frame)
    colours = class_colours(shown.class_names)
    handles = []
    for channel, name in enumerate(shown.class_names):
        truth = shown.truth_zyx[shown.truth_channels == channel]
        picks = shown.picks_zyx[shown.pick_channels == channel]
        radius = float(shown.radii_vox[channel])
        _add_circles(axes, truth, radius, colour="white", style="--")
        _add_circles(axes, picks, radius, colour=colours[name], style="-")
        label = f"{name}: picked {len(picks)}, marked {len(truth)}"
        handles.append(Line2D([], [], color=colours[name], label=label))
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.02),
        title="in all that is held out there",
        title_fontsize=8,
        fontsize=8,
        frameon=False,
    )
    axes.set_title(
        f"{shown.tomogram_id}, held out, slice {shown.z}\nafter step {shown.step}",
        fontsize=9,
    )
    axes.set_axis_off()


def _add_circles(
    axes: Axes, positions: np.ndarray, radius: float, *, colour: str, style: str
) -> None:
    """Draw the sections of spheres that the slice, z = 0, cuts."""
    centres, radii = sections_at(positions, 0.0, radius)
    look = {"fill": False, "ec": colour, "ls": style, "lw": 1.3}
    for centre, section in zip_strict(centres, radii):
        axes.add_patch(Circle(centre, section, **look))
