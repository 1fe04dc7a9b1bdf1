"""Choosing slices: two lines over side views of tomograms, moved with the mouse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.backend_bases import MouseEvent
from matplotlib.figure import Figure
from numpy.typing import NDArray

from etpicker_plugin.engine.literal_text import literal
from etpicker_plugin.engine.newer_python import zip_strict

SLAB_SHARE = 16
"""Of the tomogram's width: so much is averaged, for the noise."""

MARGIN_SHARE = 20
"""Of the view's height: so much is left free above and below it."""

LINE = {"color": "#ffb000", "lw": 1.6}
OUTSIDE = {"color": "black", "alpha": 0.45, "lw": 0}


def side_view(data: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the mean ``(Z, X)`` of a slab through the middle of ``(Z, Y, X)``."""
    width = data.shape[1]
    half = width // SLAB_SHARE // 2
    slab = data[:, width // 2 - half : width // 2 + half + 1]
    return np.asarray(slab.mean(axis=1, dtype=np.float32))


class ZRangeChooser:
    """Side views with the first and the last slice as lines.

    Attributes
    ----------
    first, last
        The slices chosen, counted from 0; both are within the range.
    """

    def __init__(
        self,
        figure: Figure,
        views: Mapping[str, NDArray[np.float32]],
        z_range: Sequence[float] = (),
    ) -> None:
        """Draw the views ``(Z, X)`` by name; all slices are chosen without a range."""
        self._figure = figure
        self._most = max(len(view) for view in views.values()) - 1
        low, high = z_range or (0, self._most)
        self.first = int(np.clip(round(low), 0, self._most))
        self.last = int(np.clip(round(high), self.first, self._most))
        self._moves_first = False
        self._axes = figure.subplots(len(views), 1, squeeze=False).ravel()
        for axes, (name, view) in zip_strict(self._axes, views.items()):
            low, high = np.percentile(view, (1, 99))
            axes.imshow(
                view, cmap="gray", origin="lower", vmin=low, vmax=high, aspect="auto"
            )
            axes.set_title(name, fontsize=9)
            axes.set_ylabel("z [voxels]")
            axes.set_autoscale_on(False)
            # Room for the lines when all slices are chosen.
            margin = len(view) / MARGIN_SHARE
            axes.set_ylim(-0.5 - margin, len(view) - 0.5 + margin)
        self._axes[-1].set_xlabel("x [voxels]")
        self._drawn: list = []
        self._draw()
        literal(figure).tight_layout()
        figure.canvas.mpl_connect("button_press_event", self._press)
        figure.canvas.mpl_connect("motion_notify_event", self._drag)

    def text(self) -> str:
        """Return the slices as the form wants them; nothing when all are chosen."""
        whole = (self.first, self.last) == (0, self._most)
        return "" if whole else f"{self.first} {self.last}"

    def _press(self, event: MouseEvent) -> None:
        """Take the nearer line."""
        if event.inaxes in self._axes:
            middle = (self.first + self.last) / 2
            self._moves_first = event.ydata < middle
            self._drag(event)

    def _drag(self, event: MouseEvent) -> None:
        """Put the taken line where the mouse is; neither passes the other."""
        if event.inaxes not in self._axes or event.button != 1:
            return
        z = int(np.clip(round(event.ydata), 0, self._most))
        if self._moves_first:
            self.first = min(z, self.last)
        else:
            self.last = max(z, self.first)
        self._draw()
        self._figure.canvas.draw_idle()

    def _draw(self) -> None:
        for artist in self._drawn:
            artist.remove()
        self._drawn = []
        for axes in self._axes:
            low, high = axes.get_ylim()
            for z, end in ((self.first - 0.5, low), (self.last + 0.5, high)):
                self._drawn.append(axes.axhline(z, **LINE))
                self._drawn.append(axes.axhspan(min(z, end), max(z, end), **OUTSIDE))
        self._figure.suptitle(
            f"Slices {self.first} to {self.last}: drag the lines, then close the "
            "window.",
            fontsize=10,
        )
